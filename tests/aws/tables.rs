//! `restore-tables`, `repair-tables` and `check-state-table`, walked against the practice's AWS faces.

use std::{sync::Arc, time::Duration};

use relight::{
    incident::{
        Billing, Fact, Instruments, Moment, RunId, Side, StepId, Subject, TableRole,
        repair::{self, AUDIT_INDEX},
    },
    practice::{aws::access_key, world::Scenario},
    probe::{self, Sink, Targets},
    step::{self, Context, Fence, StepError},
};

use super::rig::{Rig, look, rig};
use relight::clients::aws::Aws;

/// A recovery region without tables, where a restore takes no longer than the first question about it.
const EMPTY: &str = "about = \"t\"\n[tables]\nrecovery = \"none\"\nrestore = 0.4\nindex = 0.4\n";
const STATE: &str = "teleport-state-dr";
const AUDIT: &str = "teleport-audit-dr";

async fn region(scenario: &str) -> Rig {
    let account = Scenario::parse("test", scenario)
        .expect("a scenario")
        .recovery
        .account;
    let mut rig = rig(scenario, &access_key(&account), "").await;
    rig.plan.practice = true;
    rig.plan.recovery.backup_role = Some(format!("arn:aws:iam::{account}:role/backup"));
    rig
}

/// What the probes of tables and vaults see.
async fn eyes(rig: &Rig) -> Instruments {
    let plan = Arc::new(rig.plan.clone());
    let (sink, mut seen) = (Sink::default(), Instruments::default());
    for mut probe in probe::all(&plan, &Targets::default()) {
        let ours = |subject: &Subject| matches!(subject, Subject::Table(..) | Subject::Vault(_));
        if probe.subjects().iter().any(ours) {
            let subjects = probe.subjects();
            match probe.look(&sink).await {
                Ok(()) => sink.take().await.into_iter().for_each(|one| seen.take(one)),
                Err(failure) => {
                    for subject in subjects {
                        seen.take(relight::incident::Observation {
                            subject,
                            at: Moment::now(),
                            took: Duration::ZERO,
                            outcome: Err(failure.clone()),
                        });
                    }
                }
            }
        }
    }
    seen
}

async fn shown(rig: &Rig, name: &str) -> Result<Vec<String>, StepError> {
    let native = step::native(name).expect("a native step");
    let seen = native.seen.expect("lines of its own");
    seen(&rig.plan, &eyes(rig).await)
}

async fn walk(rig: &Rig, name: &str, change: impl FnOnce(&mut Context)) -> Result<(), StepError> {
    walk_attempt(rig, name, 1, change).await
}

async fn walk_attempt(
    rig: &Rig,
    name: &str,
    attempt: u32,
    change: impl FnOnce(&mut Context),
) -> Result<(), StepError> {
    let step = StepId::try_from(name.to_owned()).expect("a step");
    let native = step::native(name).expect("a native step");
    assert!(!(native.calls)(&rig.plan).is_empty());
    let run = RunId::new(&step, attempt, Moment::from_secs(1));
    let mut context = Context::new(Arc::new(rig.plan.clone()), run, false);
    change(&mut context);
    (native.run)(context).await
}

/// Names of the recovery region's tables, and how many restore jobs were asked for.
fn there(rig: &Rig) -> (Vec<String>, usize) {
    let world = rig.world.lock();
    let storage = &world.recovery.storage;
    let names = storage.tables.iter().map(|table| table.name.clone());
    (names.collect(), storage.copies.jobs.len())
}

#[tokio::test]
async fn what_was_shown_is_restored_once_and_is_the_right_table() {
    let rig = region(EMPTY).await;
    let lines = shown(&rig, "restore-tables").await.expect("shown");
    assert!(
        lines[0].starts_with("StartRestoreJob arn:aws:backup:us-west-2")
            && lines[0].contains(STATE),
        "{lines:?}"
    );
    assert!(lines[1].contains(AUDIT), "{lines:?}");
    assert!(
        lines
            .iter()
            .any(|line| line == "state and audit lie 38s apart"),
        "{lines:?}"
    );
    walk(&rig, "restore-tables", |context| context.dry_run = true)
        .await
        .expect("shown only");
    assert_eq!(there(&rig), (Vec::new(), 0));
    walk(&rig, "restore-tables", |context| {
        context.confirmed.clone_from(&lines);
    })
    .await
    .expect("restored");
    assert_eq!(there(&rig), (vec![STATE.to_owned(), AUDIT.to_owned()], 2));
    // Taken again, by another attempt, it keeps what is there.
    walk_attempt(&rig, "restore-tables", 2, |context| {
        context.confirmed = lines;
    })
    .await
    .expect("kept");
    assert_eq!(there(&rig).1, 2);
    walk(&rig, "check-state-table", |_| {})
        .await
        .expect("the right one");
    let world = rig.world.lock();
    let authority = |side: Side, name| {
        world
            .side(side)
            .storage
            .host_authority(name, "teleport.example.com")
    };
    assert_eq!(
        authority(Side::Recovery, STATE),
        authority(Side::Primary, "teleport-state")
    );
}

#[tokio::test]
async fn a_restore_on_its_way_is_followed_and_not_started_again() {
    let rig = region(EMPTY).await;
    let lines = shown(&rig, "restore-tables").await.expect("shown");
    let slow = Duration::from_secs(3);
    rig.world.lock().scenario.tables.restore = slow;
    let first = tokio::time::timeout(
        Duration::from_secs(1),
        walk(&rig, "restore-tables", |context| {
            context.confirmed.clone_from(&lines);
        }),
    );
    // Killed while it follows: AWS goes on.
    assert!(first.await.is_err());
    assert_eq!(there(&rig).1, 2);
    let told = shown(&rig, "restore-tables").await.expect("shown");
    assert!(told[0].starts_with("follow teleport-state-dr"), "{told:?}");
    walk_attempt(&rig, "restore-tables", 2, |context| {
        context.confirmed = lines;
    })
    .await
    .expect("followed");
    assert_eq!(there(&rig), (vec![STATE.to_owned(), AUDIT.to_owned()], 2));
}

#[tokio::test]
async fn nothing_is_restored_when_the_world_has_moved_on_or_somebody_else_has_the_hand() {
    let rig = region(EMPTY).await;
    let lines = shown(&rig, "restore-tables").await.expect("shown");
    let told = walk(&rig, "restore-tables", |context| {
        context.confirmed.clone_from(&lines);
        context.fence = Fence::new(|| Err("bob took this incident over".to_owned()));
    })
    .await
    .expect_err("fenced off");
    assert!(told.0.contains("bob took this incident over"), "{told}");
    rig.world.lock().recovery.storage.copies.points.clear();
    let told = walk(&rig, "restore-tables", |context| context.confirmed = lines)
        .await
        .expect_err("gone");
    assert!(told.0.contains("the world has moved on"), "{told}");
    assert_eq!(there(&rig), (Vec::new(), 0));
}

#[tokio::test]
async fn both_come_out_of_the_primary_at_one_moment_or_from_its_backups_when_the_plan_says_so() {
    for (from, call) in [
        ("pitr", "RestoreTableToPointInTime"),
        ("backups", "RestoreTableFromBackup"),
    ] {
        let mut rig = region(EMPTY).await;
        rig.plan.recovery.restore_from = relight::incident::source::Means::ALL
            .into_iter()
            .find(|way| way.word() == from);
        rig.plan.recovery.backup_role = None;
        let lines = shown(&rig, "restore-tables").await.expect("shown");
        assert!(
            lines[..2].iter().all(|line| line.starts_with(call)),
            "{lines:?}"
        );
        assert!(
            lines
                .iter()
                .any(|line| line == "state and audit lie 0s apart"),
            "{lines:?}"
        );
        // Minutes pass before it is confirmed; the moment that was shown is the one that is restored.
        walk(&rig, "restore-tables", |context| context.confirmed = lines)
            .await
            .expect(from);
        assert_eq!(there(&rig), (vec![STATE.to_owned(), AUDIT.to_owned()], 0));
    }
}

#[tokio::test]
async fn a_failed_job_is_told_with_what_aws_says_of_it_and_the_other_goes_on() {
    // Nothing runs that would write the table anew.
    let silent = format!(
        "{EMPTY}[[fault]]\nside = \"primary\"\nservice = \"dynamodb\"\nkind = \"unavailable\"\n"
    );
    let rig = region(&silent).await;
    if let Some(table) = rig.world.lock().primary.storage.table_mut("teleport-state") {
        table.name = "gone".to_owned();
    }
    let told = walk(&rig, "restore-tables", |_| {})
        .await
        .expect_err("nothing of the state");
    for part in [
        "has FAILED: The source of the recovery point is not known",
        "backup_role",
        "us-west-2",
    ] {
        assert!(told.0.contains(part), "{part}: {told}");
    }
    assert_eq!(there(&rig), (vec![AUDIT.to_owned()], 2));
}

#[tokio::test]
async fn a_wrong_table_is_neither_taken_nor_touched() {
    let rig = region("about = \"t\"\n[tables]\nrecovery = \"wrong\"\n").await;
    let before = there(&rig);
    let told = shown(&rig, "restore-tables").await.expect_err("wrong");
    assert!(
        told.0.contains("WRONG TABLE") && told.0.contains("teleport.other.example"),
        "{told}"
    );
    let told = walk(&rig, "restore-tables", |_| {})
        .await
        .expect_err("wrong");
    assert!(told.0.contains("WRONG TABLE"), "{told}");
    let told = walk(&rig, "check-state-table", |_| {})
        .await
        .expect_err("wrong");
    assert!(told.0.contains("new certificate authorities"), "{told}");
    assert_eq!(there(&rig), before);
}

#[tokio::test]
async fn a_restored_table_is_repaired_by_exactly_what_was_confirmed() {
    let rig = region(EMPTY).await;
    walk(&rig, "restore-tables", |_| {})
        .await
        .expect("restored");
    {
        let mut world = rig.world.lock();
        let audit = world.recovery.storage.table_mut(AUDIT).expect("restored");
        audit.kept.index = None;
        audit.kept.units = Some((10, 10));
    }
    let lines = shown(&rig, "repair-tables").await.expect("shown");
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.parse::<repair::Edit>().is_ok())
            .count(),
        11,
        "{lines:#?}"
    );
    // One line less is one edit less.
    let some: Vec<String> = lines
        .iter()
        .filter(|line| !line.contains("deletion protection"))
        .cloned()
        .collect();
    walk(&rig, "repair-tables", |context| {
        context.confirmed.clone_from(&some);
        context.dry_run = true;
    })
    .await
    .expect("shown only");
    walk(&rig, "repair-tables", |context| {
        context.confirmed.clone_from(&some);
        context.fence = Fence::new(|| Err("bob took this incident over".to_owned()));
    })
    .await
    .expect_err("fenced off");
    assert_eq!(shown(&rig, "repair-tables").await.expect("shown"), lines);
    walk(&rig, "repair-tables", |context| context.confirmed = some)
        .await
        .expect("repaired");
    let left = shown(&rig, "repair-tables").await.expect("shown");
    assert_eq!(
        left,
        [STATE, AUDIT].map(|name| format!("UpdateTable {name}: deletion protection on"))
    );
    walk(&rig, "repair-tables", |context| context.confirmed = left)
        .await
        .expect("repaired");
    assert_eq!(
        shown(&rig, "repair-tables").await.expect("shown"),
        ["nothing is lacking: no call is made"]
    );
    let aws = Aws::new(&rig.plan);
    let audit = look(aws.side(Side::Recovery), AUDIT, TableRole::Audit)
        .await
        .expect("described");
    let settings = audit.settings.expect("described");
    assert_eq!(settings.billing, Billing::OnDemand);
    assert_eq!(
        settings.indexes.get(AUDIT_INDEX).map(String::as_str),
        Some("ACTIVE")
    );
}

#[tokio::test]
async fn without_the_primary_a_table_gets_what_teleport_needs() {
    let scenario = format!(
        "{EMPTY}[[fault]]\nside = \"primary\"\nservice = \"dynamodb\"\nkind = \"unavailable\"\n"
    );
    let rig = region(&scenario).await;
    walk(&rig, "restore-tables", |_| {})
        .await
        .expect("restored from the vault");
    let seen = eyes(&rig).await;
    assert!(matches!(
        seen.get(&Subject::Table(Side::Recovery, TableRole::State))
            .and_then(|reading| reading.fresh()),
        Some(Fact::Table(_))
    ));
    walk(&rig, "repair-tables", |_| {}).await.expect("repaired");
    let world = rig.world.lock();
    let state = world.recovery.storage.table(STATE).expect("restored");
    assert!(state.kept.ttl && state.kept.stream && state.kept.pitr);
    assert!(
        state.kept.tags.is_empty() && !state.kept.protected,
        "nobody knows of them"
    );
}
