//! `switch-dns` and `verify-backups`, walked against the practice's AWS face.

use std::{sync::Arc, time::Duration};

use relight::{
    incident::{Moment, RecordSet, RunId, StepId},
    step::{self, Context, Fence, StepError},
};

use super::rig::{Rig, calm};

async fn walk(rig: &Rig, name: &str, dry_run: bool) -> Result<(), StepError> {
    walk_as(rig, name, dry_run, |_| {}).await
}

/// The same with a context that is changed before.
async fn walk_as(
    rig: &Rig,
    name: &str,
    dry_run: bool,
    change: impl FnOnce(&mut Context),
) -> Result<(), StepError> {
    let step = StepId::try_from(name.to_owned()).expect("a step");
    let native = step::native(name).expect("a native step");
    assert!(!(native.calls)(&rig.plan).is_empty());
    let mut context = Context::new(
        Arc::new(rig.plan.clone()),
        RunId::new(&step, 1, Moment::from_secs(1)),
        dry_run,
    );
    change(&mut context);
    (native.run)(context).await
}

async fn targeted(at: &[&str]) -> Rig {
    let mut rig = calm().await;
    rig.plan.dns.new = at.iter().map(ToString::to_string).collect();
    rig.plan.practice = true;
    rig.world.lock().zone.insync = Duration::from_millis(700);
    rig
}

fn values(records: &[RecordSet], name: &str) -> Vec<(String, Vec<String>)> {
    records
        .iter()
        .filter(|set| set.name == name)
        .map(|set| (set.kind.clone(), set.values.clone()))
        .collect()
}

#[tokio::test]
async fn name_and_wildcard_move_together_and_are_in_sync_when_it_ends() {
    let rig = targeted(&["new.elb.example"]).await;
    walk(&rig, "switch-dns", false).await.expect("switched");
    let world = rig.world.lock();
    let served = world.zone.published(Moment::now());
    for name in &rig.plan.dns.names {
        let wanted = ("CNAME".to_owned(), vec!["new.elb.example".to_owned()]);
        assert_eq!(values(&served, name), [wanted], "{name}");
    }
    let change = world
        .zone
        .find_change("C0000000000001")
        .expect("one change");
    assert!(
        change.comment.contains("switch-dns-1-1"),
        "{}",
        change.comment
    );
    assert!(world.zone.find_change("C0000000000002").is_none());
}

#[tokio::test]
async fn a_cname_becomes_addresses_in_one_batch() {
    let rig = targeted(&["192.0.2.7", "192.0.2.8"]).await;
    walk(&rig, "switch-dns", false).await.expect("switched");
    let served = rig.world.lock().zone.published(Moment::now());
    let both = vec!["192.0.2.7".to_owned(), "192.0.2.8".to_owned()];
    for name in &rig.plan.dns.names {
        assert_eq!(
            values(&served, name),
            [("A".to_owned(), both.clone())],
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let rig = targeted(&["new.elb.example"]).await;
    let before = rig.world.lock().zone.records().to_vec();
    walk(&rig, "switch-dns", true).await.expect("shown");
    assert_eq!(rig.world.lock().zone.records(), before);
}

#[tokio::test]
async fn what_was_confirmed_is_done_and_nothing_else() {
    let rig = targeted(&["new.elb.example"]).await;
    let before = rig.world.lock().zone.records().to_vec();
    let edit = |name: &String| {
        format!(
            "UPSERT {name} CNAME new.elb.example ttl {}",
            rig.plan.dns.record_ttl
        )
    };
    let shown: Vec<String> = rig.plan.dns.names.iter().map(edit).collect();
    let told = walk_as(&rig, "switch-dns", false, |context| {
        context.confirmed = shown
            .iter()
            .map(|line| line.replace("new.elb", "newer.elb"))
            .collect();
    })
    .await
    .expect_err("another target");
    assert!(told.0.contains("nothing was changed"), "{told}");
    assert_eq!(rig.world.lock().zone.records(), before);
    walk_as(&rig, "switch-dns", false, |context| {
        context.confirmed = shown;
    })
    .await
    .expect("as confirmed");
    assert_ne!(rig.world.lock().zone.records(), before);
}

#[tokio::test]
async fn whoever_took_the_incident_over_goes_first() {
    let rig = targeted(&["new.elb.example"]).await;
    let before = rig.world.lock().zone.records().to_vec();
    let told = walk_as(&rig, "switch-dns", false, |context| {
        context.fence = Fence::new(|| Err("bob took this incident over".to_owned()));
    })
    .await
    .expect_err("fenced off");
    assert!(told.0.contains("bob took this incident over"), "{told}");
    assert_eq!(rig.world.lock().zone.records(), before);
}

#[tokio::test]
async fn a_missing_zone_ends_the_step_with_a_remedy() {
    let mut rig = targeted(&["new.elb.example"]).await;
    rig.plan.dns.zone_id = Some("ZTYPO".to_owned());
    let error = walk(&rig, "switch-dns", false).await.expect_err("no zone");
    assert!(
        error.0.contains("ZTYPO") && error.0.contains("check name"),
        "{error}"
    );
}

#[tokio::test]
async fn backups_are_reported_and_a_state_without_any_copy_is_an_error() {
    let mut rig = calm().await;
    walk(&rig, "verify-backups", false).await.expect("reported");
    // The tables need not be there yet, as long as there is something to restore.
    rig.plan.recovery.state_table = Some("typo".to_owned());
    rig.plan.recovery.audit_table = Some("typo".to_owned());
    walk(&rig, "verify-backups", false).await.expect("copies");
    rig.plan.primary.state_table = Some("typo".to_owned());
    let error = walk(&rig, "verify-backups", false).await.expect_err("lost");
    assert!(error.0.contains("us-west-2"), "{error}");
}
