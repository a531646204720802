//! Old doors as they may answer after a way back, and what is said of them.

use std::{path::Path, sync::Arc, time::Duration};

use super::*;
use crate::{
    incident::{
        Answer, BlackBox, Certificate, Cluster, DoorFact, Fact, Failure, Find, Instruments,
        LoadBalancer, Memo, Moment, Observation, Outcome, Ping, Rcode, Side,
        black_box::sample::sealed,
    },
    judge::dns::LOOKUP,
    plan::Plan,
};

const NOW: Moment = Moment::from_secs(1_795_000_000);
const AGAIN: &str = "again.elb.example";

fn pin(letter: &str) -> String {
    format!("sha256:{}", letter.repeat(64))
}

/// An address that answers under a name with these pins.
fn ours(last: u8, name: &str, pins: &[&str]) -> Address {
    Address {
        ip: IpAddr::from([192, 0, 2, last]),
        port: 443,
        tcp: Ok(Duration::from_millis(2)),
        tls: Ok(Certificate {
            issuer: "CN=R3".to_owned(),
            names: vec![name.to_owned()],
            not_before: NOW.minus(Duration::from_hours(24)),
            not_after: NOW.plus(Duration::from_hours(240)),
            problem: None,
        }),
        ping: Ok(Ping {
            status: 200,
            cluster_name: Some(name.to_owned()),
            ..Ping::default()
        }),
        find: Ok(Find::default()),
        pins: Ok(pins.iter().map(|letter| pin(letter)).collect()),
        steady: Vec::new(),
        wildcard: Err(Failure::new(FailureKind::NotPlanned, "not asked")),
    }
}

fn shut(last: u8) -> Address {
    let why = || Failure::new(FailureKind::Unreachable, "connection refused");
    Address {
        tcp: Err(why()),
        tls: Err(why()),
        ping: Err(why()),
        find: Err(why()),
        pins: Err(why()),
        ..ours(last, "x", &[])
    }
}

fn untrusted(last: u8) -> Address {
    let mut address = ours(last, "t.example.com", &["a"]);
    if let Ok(certificate) = &mut address.tls {
        certificate.problem = Some("expired".to_owned());
    }
    address
}

fn take(all: &mut Instruments, subject: Subject, ago: u64, outcome: Result<Fact, Failure>) {
    all.take(Observation {
        subject,
        at: NOW.minus(Duration::from_secs(ago)),
        took: Duration::from_millis(9),
        outcome,
    });
}

fn world(
    found: Option<BlackBox>,
    door: Option<(u64, Result<Vec<Address>, FailureKind>)>,
) -> Instruments {
    let mut all = Instruments::default();
    if let Some(found) = found {
        let fact = Fact::BlackBox(Arc::new(found));
        take(&mut all, Subject::BlackBox, 3, Ok(fact));
    }
    if let Some((ago, outcome)) = door {
        let fact = |addresses| {
            Fact::Door(Arc::new(DoorFact {
                host: "old".to_owned(),
                addresses,
                ..DoorFact::default()
            }))
        };
        let outcome = outcome
            .map(fact)
            .map_err(|kind| Failure::new(kind, "said so"));
        take(&mut all, Subject::Door(Door::Old), ago, outcome);
    }
    all
}

/// The old release has this load balancer now, at these addresses.
fn present(all: &mut Instruments, host: &str, addresses: &[u8]) {
    let cluster = Cluster {
        context: "east".to_owned(),
        uid: None,
        pods: Vec::new(),
        deployments: Vec::new(),
        load_balancer: Some(LoadBalancer {
            source: "Service teleport-cluster".to_owned(),
            addresses: vec![host.to_owned()],
        }),
        events: Vec::new(),
        release: Ok(None),
        gaps: Vec::new(),
        memo: Memo::default(),
    };
    let fact = Fact::Cluster(Arc::new(cluster));
    take(all, Subject::Cluster(Side::Primary), 3, Ok(fact));
    let answer = Answer {
        server: "192.0.2.53:53".to_owned(),
        authority: false,
        asked: host.to_owned(),
        rcode: Rcode::NoError,
        aa: false,
        chain: Vec::new(),
        addresses: addresses
            .iter()
            .map(|last| IpAddr::from([192, 0, 2, *last]))
            .collect(),
        ttl: Some(60),
        rtt: Duration::from_millis(9),
        transport: "udp".to_owned(),
        changed: None,
    };
    let subject = Subject::Answer {
        server: LOOKUP.into(),
        name: host.into(),
    };
    take(all, subject, 3, Ok(Fact::Answer(Arc::new(answer))));
}

fn both(all: &Instruments) -> [Finding; 2] {
    let text = "[cluster]\nname = \"t.example.com\"\n[primary]\nregion = \"us-east-1\"\n[recovery]\nregion = \"us-west-2\"\n";
    let plan = Plan::parse(Path::new("/p/relight.toml"), text).expect("a plan");
    let sight = Sight {
        instruments: all,
        plan: &plan,
        now: NOW,
        since: None,
        outage: None,
    };
    [answers_as_before(&sight), side_answers(&sight)]
}

/// With the authorities that [`pin`] of "a" stands for.
fn found() -> BlackBox {
    sealed(NOW.minus(Duration::from_mins(9))).seen
}

#[test]
fn there_is_something_to_go_back_to_only_where_every_address_is_the_cluster_of_before() {
    use Outcome::{Fail, Pass, Unknown};
    let good = || ours(1, "t.example.com", &["a"]);
    let mut pinless = found();
    pinless.pins.value = Err(Failure::new(FailureKind::Timeout, "5s"));
    let mut unseen = good();
    unseen.pins = Err(Failure::new(FailureKind::Server, "HTTP 500"));
    let cases = [
        (
            world(None, Some((3, Ok(vec![good()])))),
            Unknown,
            "no black box",
        ),
        (
            world(Some(pinless), Some((3, Ok(vec![good()])))),
            Unknown,
            "holds no CA pins",
        ),
        (world(Some(found()), None), Unknown, "no look at"),
        (
            world(Some(found()), Some((90, Ok(vec![good()])))),
            Unknown,
            "new look",
        ),
        (
            world(Some(found()), Some((3, Err(FailureKind::NotPlanned)))),
            Unknown,
            "said so",
        ),
        (
            world(Some(found()), Some((3, Err(FailureKind::Timeout)))),
            Fail,
            "does not answer",
        ),
        (
            world(Some(found()), Some((3, Ok(vec![])))),
            Unknown,
            "no address",
        ),
        (
            world(Some(found()), Some((3, Ok(vec![good()])))),
            Pass,
            "answers as t.example.com with the authorities of the black box, seen 9m00s ago",
        ),
        // A rotation since adds some.
        (
            world(
                Some(found()),
                Some((3, Ok(vec![ours(1, "t.example.com", &["a", "b"])]))),
            ),
            Pass,
            "answers as",
        ),
        (
            world(
                Some(found()),
                Some((3, Ok(vec![good(), ours(2, "t.example.com", &["b"])]))),
            ),
            Fail,
            "192.0.2.2 answers with OTHER CERTIFICATE AUTHORITIES",
        ),
        (
            world(
                Some(found()),
                Some((3, Ok(vec![ours(1, "other.example.com", &["a"])]))),
            ),
            Fail,
            "somebody else's now",
        ),
        (
            world(Some(found()), Some((3, Ok(vec![untrusted(1)])))),
            Fail,
            "is expired",
        ),
        (
            world(Some(found()), Some((3, Ok(vec![good(), shut(2)])))),
            Fail,
            "192.0.2.2 is shut",
        ),
        (
            world(Some(found()), Some((3, Ok(vec![unseen])))),
            Unknown,
            "are not known",
        ),
    ];
    for (all, outcome, words) in cases {
        for finding in both(&all) {
            assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
            assert!(finding.sentence.contains(words), "{}", finding.sentence);
        }
    }
}

#[test]
fn after_a_way_back_the_load_balancer_that_is_there_counts_and_no_other() {
    use Outcome::{Fail, Pass, Unknown};
    let good = ours(7, "t.example.com", &["a"]);
    let wrong = ours(7, "t.example.com", &["b"]);
    for (addresses, at, host, strict, back, words) in [
        (
            vec![shut(1), good.clone()],
            &[7][..],
            AGAIN,
            Fail,
            Pass,
            "has now",
        ),
        (vec![shut(1), wrong], &[7], AGAIN, Fail, Fail, "OTHER"),
        (
            vec![shut(1), good.clone()],
            &[],
            AGAIN,
            Fail,
            Unknown,
            "not known yet",
        ),
        (
            vec![shut(1)],
            &[7],
            AGAIN,
            Fail,
            Unknown,
            "no address to look at",
        ),
        // The same as before: every address counts.
        (
            vec![shut(1), good],
            &[7],
            "OLD.elb.example.",
            Fail,
            Fail,
            "is shut",
        ),
    ] {
        let mut all = world(Some(found()), Some((3, Ok(addresses))));
        present(&mut all, host, at);
        let [before, now] = both(&all);
        assert_eq!(before.outcome, strict, "{}", before.sentence);
        assert_eq!(now.outcome, back, "{}", now.sentence);
        assert!(now.sentence.contains(words), "{}", now.sentence);
    }
}
