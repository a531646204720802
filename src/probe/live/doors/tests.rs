//! Where a door's probe looks.

use std::path::Path;

use super::*;
use crate::incident::{Certificate, Moment, Ping};

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

#[test]
fn authorities_are_witnessed_only_where_this_cluster_answers_beyond_doubt() {
    let plan = plan("");
    let mut old = probe(&plan, &Targets::default(), Door::Old);
    let moment = Moment::from_secs(1_795_000_000);
    let seen = |last: u8, name: &str, problem: Option<&str>| Address {
        ip: IpAddr::from([127, 200, 0, last]),
        port: 1,
        tcp: Ok(Duration::from_millis(1)),
        tls: Ok(Certificate {
            issuer: "CN=R3".to_owned(),
            names: Vec::new(),
            not_before: moment,
            not_after: moment,
            problem: problem.map(str::to_owned),
        }),
        ping: Ok(Ping {
            cluster_name: Some(name.to_owned()),
            ..Ping::default()
        }),
        find: Err(Failure::new(FailureKind::Timeout, "not asked")),
        pins: Ok(vec![format!("sha256:{last}")]),
        steady: Vec::new(),
        wildcard: Err(Failure::new(FailureKind::NotPlanned, "not asked")),
    };
    let addresses = [
        seen(1, "t.example.com", None),
        seen(2, "other.example.com", None),
        seen(3, "t.example.com", Some("self-signed")),
    ];
    for address in &addresses {
        old.pins.remember(address, Instant::now());
    }
    let witnessed = old.witnessed(&addresses);
    let ips: Vec<IpAddr> = witnessed.iter().map(|seen| seen.ip).collect();
    assert_eq!(ips, [addresses[0].ip]);
    assert_eq!(witnessed[0].pins, ["sha256:1"]);
    let mut new = probe(&plan, &Targets::default(), Door::New);
    new.pins.remember(&addresses[0], Instant::now());
    assert!(new.witnessed(&addresses).is_empty(), "of the old door only");
}

#[test]
fn what_is_cut_off_a_list_is_said() {
    let mut list: Vec<u8> = (0..20).collect();
    assert_eq!(cut(&mut list, 20, "addresses"), None);
    let gap = cut(&mut list, 16, "addresses").expect("a gap");
    assert_eq!(list.len(), 16);
    assert!(gap.detail.contains("20 addresses"), "{gap}");
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
