//! What must hold before names are pointed at the new door.

use std::{net::IpAddr, path::Path, sync::Arc, time::Duration};

use super::*;
use crate::{
    incident::{
        Certificate, DoorFact, Fact, Failure, FailureKind, Forwarded, Instruments, Moment,
        Observation, Part, Ping, Wildcard,
    },
    judge::doors::{assess, same_authorities},
};

const NOW: Moment = Moment::from_secs(1_795_000_000);
const PIN: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn plan(more: &str) -> Plan {
    let text = format!(
        "[cluster]\nname = \"t.example.com\"\nca_pins = [{PIN:?}]\n[primary]\nregion = \"us-east-1\"\n[recovery]\n\
         region = \"us-west-2\"\n{more}"
    );
    Plan::parse(Path::new("/p/relight.toml"), &text).expect("a plan")
}

fn certificate(problem: Option<&str>) -> Certificate {
    Certificate {
        issuer: "CN=R3".to_owned(),
        names: Vec::new(),
        not_before: NOW.minus(Duration::from_hours(24)),
        not_after: NOW.plus(Duration::from_hours(60 * 24)),
        problem: problem.map(str::to_owned),
    }
}

fn wildcard(problem: Option<&str>, answer: Part<u16>) -> Wildcard {
    Wildcard {
        asked: "abcdefghijkl.t.example.com".to_owned(),
        tls: certificate(problem),
        answer,
    }
}

/// An address in order, with these pins, at looks so many seconds ago.
fn address(last: u8, pin: &str, looks: &[u64]) -> Address {
    let failure = Failure::new(FailureKind::Other, "not told here");
    let ip = IpAddr::from([192, 0, 2, last]);
    let mut address = Address::stopped(ip, 443, Ok(Duration::ZERO), &failure);
    address.tls = Ok(certificate(None));
    address.ping = Ok(Ping {
        status: 200,
        cluster_name: Some("t.example.com".to_owned()),
        ..Ping::default()
    });
    address.pins = Ok(vec![pin.to_owned()]);
    address.steady = looks
        .iter()
        .map(|ago| NOW.minus(Duration::from_secs(*ago)))
        .collect();
    address.wildcard = Ok(wildcard(None, Ok(302)));
    address
}

fn seen(addresses: Vec<Address>) -> Instruments {
    instruments(DoorFact {
        host: "lb.example.com".to_owned(),
        addresses,
        ..DoorFact::default()
    })
}

fn instruments(door: DoorFact) -> Instruments {
    let mut instruments = Instruments::default();
    instruments.take(Observation {
        subject: Subject::Door(Door::New),
        at: NOW.minus(Duration::from_secs(1)),
        took: Duration::ZERO,
        outcome: Ok(Fact::Door(Arc::new(door))),
    });
    instruments
}

/// Judges the new door by what is younger than so many seconds.
fn judge(
    condition: fn(&Sight<'_>) -> Finding,
    plan: &Plan,
    addresses: Vec<Address>,
    since: Option<u64>,
) -> Finding {
    condition(&Sight {
        instruments: &seen(addresses),
        plan,
        now: NOW,
        outage: None,
        since: since.map(|ago| NOW.minus(Duration::from_secs(ago))),
    })
}

use Outcome::{Fail, Pass, Unknown};

#[test]
fn three_looks_in_a_row_at_every_address_and_all_of_them_young_enough() {
    let down = |mut address: Address| {
        address.ping = Err(Failure::new(FailureKind::Server, "HTTP 504, no auth"));
        address.steady.clear();
        address
    };
    let cases: Vec<(Vec<Address>, Option<u64>, Outcome, &str)> = vec![
        (
            vec![address(1, PIN, &[3, 2, 1])],
            None,
            Pass,
            "The last 3 looks",
        ),
        (
            vec![address(1, PIN, &[3, 2, 1])],
            Some(3),
            Pass,
            "192.0.2.1",
        ),
        // The first of them is from before what they are to be evidence of.
        (
            vec![address(1, PIN, &[3, 2, 1])],
            Some(2),
            Unknown,
            "2 of 3",
        ),
        (vec![address(1, PIN, &[2, 1])], None, Unknown, "2 of 3"),
        (
            vec![address(1, PIN, &[3, 2, 1]), address(2, PIN, &[1])],
            None,
            Unknown,
            "1 of 3 looks in a row have found the new load balancer in order at 192.0.2.2",
        ),
        (vec![down(address(1, PIN, &[]))], None, Fail, "HTTP 504"),
        (
            vec![address(1, OTHER, &[3, 2, 1])],
            None,
            Fail,
            "OTHER CERTIFICATE AUTHORITIES",
        ),
        (Vec::new(), None, Unknown, "no address"),
    ];
    for (addresses, since, outcome, part) in cases {
        let finding = judge(new_steady, &plan(""), addresses, since);
        assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
        assert!(
            finding.sentence.contains(part),
            "{} lacks {part}",
            finding.sentence
        );
    }
}

#[test]
fn steady_without_anything_to_compare_with_is_not_known_to_be_right() {
    let text = "[cluster]\nname = \"t.example.com\"\n[primary]\nregion = \"us-east-1\"\n[recovery]\nregion = \"us-west-2\"\n";
    let plan = Plan::parse(Path::new("/p/relight.toml"), text).expect("a plan");
    let finding = judge(new_steady, &plan, vec![address(1, PIN, &[3, 2, 1])], None);
    assert_eq!(finding.outcome, Unknown, "{}", finding.sentence);
    assert!(
        finding.sentence.contains("same-authorities"),
        "{}",
        finding.sentence
    );
}

#[test]
fn a_name_under_the_clusters_gets_a_valid_certificate_and_any_answer() {
    let timeout = || Failure::new(FailureKind::Timeout, "GET /: nothing within 6000 ms");
    let all = "";
    let name_only = "[dns]\nnames = [\"t.example.com\"]\n";
    let cases = [
        (Ok(wildcard(None, Ok(302))), all, Pass, "valid certificate"),
        (Ok(wildcard(None, Ok(404))), all, Pass, "192.0.2.1"),
        (Ok(wildcard(None, Ok(503))), all, Pass, "an answer"),
        (
            Ok(wildcard(
                Some("not valid for a name under the cluster's"),
                Ok(302),
            )),
            all,
            Fail,
            "must be for t.example.com and *.t.example.com",
        ),
        (
            Ok(wildcard(None, Err(timeout()))),
            all,
            Fail,
            "nothing within",
        ),
        (Err(timeout()), all, Unknown, "not known"),
        (
            Ok(wildcard(Some("expired"), Ok(302))),
            name_only,
            Pass,
            "does not switch *.t.example.com",
        ),
    ];
    for (wildcard, names, outcome, part) in cases {
        let mut address = address(1, PIN, &[3, 2, 1]);
        address.wildcard = wildcard;
        let finding = judge(wildcard_answers, &plan(names), vec![address], Some(2));
        assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
        assert!(
            finding.sentence.contains(part),
            "{} lacks {part}",
            finding.sentence
        );
    }
    let old = judge(
        wildcard_answers,
        &plan(all),
        vec![address(1, PIN, &[])],
        Some(0),
    );
    assert_eq!(old.outcome, Unknown, "a look from before: {}", old.sentence);
}

#[test]
fn the_pane_says_what_is_missing_yet_and_nothing_once_all_is_well() {
    let untrusted = {
        let mut address = address(1, PIN, &[3, 2, 1]);
        address.wildcard = Ok(wildcard(Some("expired"), Ok(302)));
        address
    };
    let cases = [
        (address(1, PIN, &[3, 2, 1]), Health::Ok, "same CAs"),
        (address(1, PIN, &[1]), Health::Ok, "same CAs, 1 of 3 looks"),
        (untrusted, Health::Degraded, "same CAs, *.: expired"),
    ];
    for (address, health, ends) in cases {
        let told = assess(
            Door::New,
            &Sight {
                instruments: &seen(vec![address]),
                plan: &plan(""),
                now: NOW,
                outage: None,
                since: None,
            },
        );
        assert_eq!(told.health, health, "{}", told.sentence);
        assert!(
            told.sentence.ends_with(ends),
            "{} lacks {ends}",
            told.sentence
        );
    }
}

/// A load balancer that cannot be reached, and what a port-forward showed so many seconds ago.
fn away(ago: u64, pin: &str) -> DoorFact {
    let silent = Failure::new(
        FailureKind::Timeout,
        "TCP to 192.0.2.1:443: nothing within 3000 ms",
    );
    let ip = IpAddr::from([192, 0, 2, 1]);
    DoorFact {
        host: "internal.example.com".to_owned(),
        addresses: vec![Address::stopped(ip, 443, Err(silent.clone()), &silent)],
        forwarded: Some(Forwarded {
            through: "deployment/tc-proxy in context west".to_owned(),
            at: NOW.minus(Duration::from_secs(ago)),
            seen: Ok(address(9, pin, &[])),
        }),
        ..DoorFact::default()
    }
}

#[test]
fn through_a_port_forward_the_authorities_are_known_and_the_load_balancer_is_not() {
    type Judge = fn(&Sight<'_>) -> Finding;
    let cases: [(Judge, DoorFact, Option<u64>, Outcome, &str); 7] = [
        (
            same_authorities,
            away(40, PIN),
            None,
            Pass,
            "has the old one's",
        ),
        (same_authorities, away(40, OTHER), None, Fail, "STOP"),
        // From before what it is to be evidence of, and older than two port-forwards.
        (
            same_authorities,
            away(40, PIN),
            Some(30),
            Unknown,
            "not known",
        ),
        (same_authorities, away(200, PIN), None, Unknown, "not known"),
        (
            new_answers,
            away(40, PIN),
            None,
            Unknown,
            "was not reached from here (TCP to 192.0.2.1:443: nothing within 3000 ms); through a port-forward to deployment/tc-proxy in context west",
        ),
        (
            new_steady,
            away(40, PIN),
            None,
            Unknown,
            "override by phrase and reason",
        ),
        (wildcard_answers, away(40, PIN), None, Unknown, "not known"),
    ];
    for (judge, door, since, outcome, part) in cases {
        let finding = judge(&Sight {
            instruments: &instruments(door),
            plan: &plan(""),
            now: NOW,
            outage: None,
            since: since.map(|ago| NOW.minus(Duration::from_secs(ago))),
        });
        assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
        assert!(
            finding.sentence.contains(part),
            "{} lacks {part}",
            finding.sentence
        );
    }
    let told = assess(
        Door::New,
        &Sight {
            instruments: &instruments(away(40, PIN)),
            plan: &plan(""),
            now: NOW,
            outage: None,
            since: None,
        },
    );
    assert_eq!(
        told.sentence,
        "no answer from here, by port-forward 200 of unknown version, same CAs"
    );
    assert_eq!(told.health, Health::Unknown);
}
