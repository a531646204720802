//! Where a door's probe looks.

use std::path::Path;

use super::*;

fn plan(more: &str) -> Arc<Plan> {
    let text = format!(
        "practice = true\n[cluster]\nname = \"t.example.com\"\nport = 1\n[primary]\nregion = \"us-east-1\"\n\
         load_balancer = [\"127.200.0.1\"]\n[recovery]\nregion = \"us-west-2\"\n[dns]\nlookup = [\"127.200.0.9:9\"]\n{more}"
    );
    Arc::new(Plan::parse(Path::new("/p/relight.toml"), &text).expect("a plan"))
}

fn probe(plan: &Arc<Plan>, targets: &Targets, door: Door) -> DoorProbe {
    DoorProbe::each(plan, targets)
        .into_iter()
        .find(|probe| probe.door == door)
        .expect("each door has a probe")
}

#[test]
fn hosts_come_from_the_plan_and_from_the_clusters_each_once() {
    let targets = Targets::default();
    let plan = plan("new = [\"New.example.com\"]");
    let mut new = probe(&plan, &targets, Door::New);
    assert_eq!(new.hosts(), ["new.example.com"]);
    targets.set(
        Side::Recovery,
        vec!["new.example.com.".to_owned(), "127.200.0.3".to_owned()],
    );
    assert_eq!(new.hosts(), ["new.example.com", "127.200.0.3"]);
    targets.set(Side::Recovery, Vec::new());
    assert_eq!(new.hosts(), ["new.example.com"]);
    assert_eq!(
        probe(&plan, &targets, Door::Public).hosts(),
        ["t.example.com"]
    );
}

#[test]
fn an_old_load_balancer_stays_watched_when_its_service_is_gone() {
    let targets = Targets::default();
    let plan = plan("");
    let mut old = probe(&plan, &targets, Door::Old);
    targets.set(Side::Primary, vec!["old.elb.example.com".to_owned()]);
    old.hosts();
    targets.set(Side::Primary, Vec::new());
    assert_eq!(old.hosts(), ["127.200.0.1", "old.elb.example.com"]);
}

async fn look(mut probe: DoorProbe) -> Result<Fact, Failure> {
    let sink = Sink::default();
    probe.look(&sink).await.expect("a shut door is a reading");
    let mut seen = sink.take_now();
    assert_eq!(seen.len(), 1);
    seen.remove(0).outcome
}

#[tokio::test]
async fn a_door_without_an_address_is_not_planned() {
    let plan = plan("");
    let failure = look(probe(&plan, &Targets::default(), Door::New))
        .await
        .expect_err("no address");
    assert_eq!(failure.kind, FailureKind::NotPlanned);
    assert!(
        failure.detail.contains("[recovery] load_balancer"),
        "{}",
        failure.detail
    );
}

#[tokio::test]
async fn a_shut_door_is_a_fact_with_the_address_and_the_reason() {
    let plan = plan("");
    let fact = look(probe(&plan, &Targets::default(), Door::Old))
        .await
        .expect("a fact");
    let Fact::Door(door) = fact else {
        unreachable!("{fact:?}")
    };
    assert_eq!(door.host, "127.200.0.1");
    assert_eq!(door.addresses.len(), 1);
    let refused = door.addresses[0].tcp.as_ref().expect_err("nothing listens");
    assert_eq!(refused.kind, FailureKind::Unreachable);
}

#[tokio::test]
async fn a_name_that_nobody_resolves_is_said_so() {
    let plan = plan("");
    let failure = look(probe(&plan, &Targets::default(), Door::Public))
        .await
        .expect_err("no resolver");
    assert!(
        failure.detail.contains("t.example.com"),
        "{}",
        failure.detail
    );
}
