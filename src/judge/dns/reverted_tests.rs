//! Zones as they may be after a way back, and what is said of them.

use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    incident::{
        BlackBox, Cluster, Failure, FailureKind, LoadBalancer, Memo, Observation, Outcome,
        black_box::sample::sealed,
    },
    judge::dns::{
        LOOKUP,
        fixture::{AUTHORITIES, NAMES, NOW, Readings, answer, plan},
    },
};

const OLD: &[&str] = &["192.0.2.1"];
const NEW: &[&str] = &["198.51.100.1"];
const AGAIN: &[&str] = &["203.0.113.7"];
const OLD_HOST: &str = "old.elb.us-east-1.amazonaws.com";
const AGAIN_HOST: &str = "again.elb.us-east-1.amazonaws.com";

fn set(name: &str, value: &str, ttl: i64) -> RecordSet {
    RecordSet {
        name: name.to_owned(),
        kind: "CNAME".to_owned(),
        ttl: Some(ttl),
        values: vec![value.to_owned()],
        alias_zone: None,
    }
}

/// A box with a CNAME for each name.
fn black_box() -> BlackBox {
    let mut found = sealed(NOW.minus(Duration::from_mins(9))).seen;
    if let Ok(records) = &mut found.records.value {
        records.names = NAMES.map(str::to_owned).to_vec();
        for (old, name) in records.sets.iter_mut().zip(NAMES) {
            old.set = set(name, OLD_HOST, 300);
        }
    }
    if let Ok(balancer) = &mut found.load_balancer.value {
        balancer.addresses = vec![OLD_HOST.to_owned()];
    }
    found
}

fn put(readings: &mut Readings, subject: Subject, ago: u64, outcome: Result<Fact, Failure>) {
    readings.0.take(Observation {
        subject,
        at: NOW.minus(Duration::from_secs(ago)),
        took: Duration::from_millis(9),
        outcome,
    });
}

fn zone(readings: &mut Readings, records: Vec<RecordSet>) {
    let zone = Zone {
        id: "Z1".to_owned(),
        name: "example.com".to_owned(),
        private: false,
        nameservers: Vec::new(),
        records,
        ..Zone::default()
    };
    put(readings, Subject::Zone, 3, Ok(Fact::Zone(Arc::new(zone))));
}

/// The old release with a load balancer, seen so many seconds ago.
fn primary(readings: &mut Readings, host: &str, ago: u64) {
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
    put(readings, Subject::Cluster(Side::Primary), ago, Ok(fact));
    readings.put(LOOKUP, host, 3, answer(AGAIN));
}

/// The box, these answers of everybody, and this record for each name.
fn world(served: &[&str], leads: &str) -> Readings {
    let mut readings = Readings::all(served);
    let found = Fact::BlackBox(Arc::new(black_box()));
    put(&mut readings, Subject::BlackBox, 3, Ok(found));
    zone(
        &mut readings,
        NAMES.map(|name| set(name, leads, 300)).to_vec(),
    );
    readings
}

fn both(readings: &Readings) -> [Finding; 2] {
    let plan = plan();
    let sight = readings.sight(&plan);
    [reverted(&sight), back(&sight)]
}

#[test]
fn the_records_are_those_of_the_box_and_served_or_it_is_no_way_back() {
    use Outcome::{Fail, Pass, Unknown};
    let but = |change: &dyn Fn(&mut Readings)| {
        let mut readings = world(OLD, OLD_HOST);
        change(&mut readings);
        readings
    };
    let gone = || Failure::new(FailureKind::Timeout, "no answer in 8 s");
    let cases: Vec<(Readings, Outcome, &str)> = vec![
        (Readings::all(OLD), Unknown, "there is no black box"),
        (
            but(&|all| {
                let mut found = black_box();
                found.records.value = Err(gone());
                let fact = Fact::BlackBox(Arc::new(found));
                put(all, Subject::BlackBox, 1, Ok(fact));
            }),
            Unknown,
            "holds no DNS records",
        ),
        (
            but(&|all| put(all, Subject::Zone, 1, Err(gone()))),
            Unknown,
            "no answer",
        ),
        (world(OLD, OLD_HOST), Pass, "all 2 authorities answer OLD"),
        (
            world(NEW, "new.elb.us-west-2.amazonaws.com"),
            Fail,
            "tele.example.com has other records",
        ),
        (
            but(&|all| {
                let records = [set(NAMES[0], OLD_HOST, 300), set(NAMES[1], OLD_HOST, 60)];
                zone(all, records.to_vec());
            }),
            Fail,
            "*.tele.example.com has other records",
        ),
        (
            but(&|all| zone(all, vec![set(NAMES[0], OLD_HOST, 300)])),
            Fail,
            "*.tele.example.com has other records",
        ),
        (
            but(&|all| {
                let mut more = NAMES.map(|name| set(name, OLD_HOST, 300)).to_vec();
                more.push(RecordSet {
                    kind: "TXT".to_owned(),
                    ..set(NAMES[0], "x", 300)
                });
                zone(all, more);
            }),
            Fail,
            "tele.example.com has other records",
        ),
        (
            world(NEW, OLD_HOST),
            Fail,
            "the records are back and not served yet",
        ),
        (
            but(&|all| {
                for name in NAMES {
                    all.silent(AUTHORITIES[1], name, 1);
                }
            }),
            Unknown,
            "not seen at every authority",
        ),
    ];
    for (readings, outcome, words) in cases {
        // Without another load balancer than before, a way back is judged as strictly.
        for finding in both(&readings) {
            assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
            assert!(finding.sentence.contains(words), "{}", finding.sentence);
        }
    }
}

#[test]
fn another_load_balancer_of_the_old_release_counts_for_a_way_back_and_not_for_revert_dns() {
    use Outcome::{Fail, Pass};
    let mut there = world(AGAIN, AGAIN_HOST);
    primary(&mut there, AGAIN_HOST, 3);
    // The records are the box's, whose load balancer is gone.
    let mut gone = world(OLD, OLD_HOST);
    primary(&mut gone, AGAIN_HOST, 3);
    let mut half = world(AGAIN, AGAIN_HOST);
    primary(&mut half, AGAIN_HOST, 3);
    zone(&mut half, vec![set(NAMES[0], AGAIN_HOST, 300)]);
    let mut served = world(NEW, AGAIN_HOST);
    primary(&mut served, AGAIN_HOST, 3);
    // What it has now was last seen too long ago to go by.
    let mut stale = world(AGAIN, AGAIN_HOST);
    primary(&mut stale, AGAIN_HOST, 4000);
    for (name, readings, strict, back, words) in [
        ("there", there, Fail, Pass, "has now (again.elb"),
        ("gone", gone, Pass, Fail, "does not lead to"),
        ("half", half, Fail, Fail, "*.tele.example.com does not lead"),
        ("served", served, Fail, Fail, "not served yet"),
        ("stale", stale, Fail, Fail, "has other records"),
    ] {
        let [reverted, returned] = both(&readings);
        assert_eq!(reverted.outcome, strict, "{name}: {}", reverted.sentence);
        assert_eq!(returned.outcome, back, "{name}: {}", returned.sentence);
        assert!(returned.sentence.contains(words), "{}", returned.sentence);
    }
}
