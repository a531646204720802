//! Doors as they may look, and what is said of them.

use std::{path::Path, sync::Arc, time::Duration};

use super::*;
use crate::{
    incident::{
        Certificate, DoorFact, Fact, Failure, Find, Health, Instruments, Moment, Observation,
        Outcome, Ping, STEADY, Wildcard, Witnessed,
    },
    judge::Sight,
};

const NOW: Moment = Moment::from_secs(1_795_000_000);
const PIN: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const THIRD: &str = "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";

fn plan(pins: &[&str]) -> Plan {
    let text = format!(
        "[cluster]\nname = \"t.example.com\"\nversion = \"17.0.2\"\nca_pins = {pins:?}\n[primary]\nregion = \"us-east-1\"\n\
         [recovery]\nregion = \"us-west-2\"\n"
    );
    Plan::parse(Path::new("/p/relight.toml"), &text).expect("a plan")
}

/// How an address answers.
#[derive(Clone, Copy, Debug)]
enum Is {
    /// As this cluster, with these pins.
    Ours(&'static [&'static str]),
    /// As this cluster; the certificate has a problem.
    Untrusted,
    /// As this cluster; the certificate ends tomorrow.
    Ending,
    ProxyOnly,
    Stranger,
    Fails(FailureKind),
}

fn address(last: u8, is: Is) -> Address {
    let failure = |kind| Failure::new(kind, format!("192.0.2.{last} says so"));
    let kind = match is {
        Is::Fails(kind) => kind,
        _ => FailureKind::Server,
    };
    let mut address = Address {
        ip: IpAddr::from([192, 0, 2, last]),
        port: 443,
        tcp: Ok(Duration::from_millis(2)),
        tls: Ok(Certificate {
            issuer: "CN=R3".to_owned(),
            names: vec!["t.example.com".to_owned()],
            not_before: NOW.minus(Duration::from_hours(24)),
            not_after: NOW.plus(Duration::from_hours(60 * 24)),
            problem: None,
        }),
        ping: Err(failure(kind)),
        find: Err(failure(kind)),
        pins: Err(failure(kind)),
        steady: Vec::new(),
        wildcard: Err(failure(kind)),
    };
    let name = match is {
        Is::Fails(_) => return address,
        Is::Stranger => "other.example.com",
        _ => "t.example.com",
    };
    address.find = Ok(Find {
        status: 200,
        cluster_name: Some(name.to_owned()),
        server_version: Some("17.0.2".to_owned()),
    });
    if matches!(is, Is::ProxyOnly) {
        return address;
    }
    address.ping = Ok(Ping {
        status: 200,
        cluster_name: Some(name.to_owned()),
        server_version: Some("17.0.2".to_owned()),
        ..Ping::default()
    });
    if let Ok(certificate) = &mut address.tls {
        match is {
            Is::Untrusted => certificate.problem = Some("expired".to_owned()),
            Is::Ending => certificate.not_after = NOW.plus(Duration::from_hours(24)),
            _ => {}
        }
    }
    if let Is::Ours(pins) = is {
        address.pins = Ok(pins.iter().map(ToString::to_string).collect());
        address.steady = vec![NOW; STEADY];
    }
    address.wildcard = address.tls.clone().map(|tls| Wildcard {
        asked: "abcdefghijkl.t.example.com".to_owned(),
        tls,
        answer: Ok(302),
    });
    address
}

/// Addresses behind a door, by their last byte.
type Behind<'a> = &'a [(u8, Is)];

/// A door as it was seen so many seconds ago.
type Seen<'a> = (Door, u64, Result<Behind<'a>, FailureKind>);

/// A plan's pins, those of the old and of the new door, and what follows.
type Pins<'a> = (
    &'a [&'a str],
    &'static [&'static str],
    &'static [&'static str],
    Outcome,
    &'a str,
);

/// A door as its probe tells it.
fn fact(door: Door, ago: u64, addresses: Behind<'_>, gaps: Vec<Failure>) -> Fact {
    let addresses: Vec<Address> = addresses
        .iter()
        .map(|(last, is)| address(*last, *is))
        .collect();
    let witness = |address: &Address| Witnessed {
        ip: address.ip,
        pins: address.pins.clone().expect("pins"),
        at: NOW.minus(Duration::from_secs(ago)),
    };
    let witnessed = addresses
        .iter()
        .filter(|address| door == Door::Old && address.pins.is_ok())
        .map(witness)
        .collect();
    Fact::Door(Arc::new(DoorFact {
        host: "lb.example.com".to_owned(),
        addresses,
        witnessed,
        gaps,
        ..DoorFact::default()
    }))
}

fn instruments(seen: &[Seen<'_>]) -> Instruments {
    let mut instruments = Instruments::default();
    for (door, ago, outcome) in seen {
        let outcome = match outcome {
            Ok(addresses) => Ok(fact(*door, *ago, addresses, Vec::new())),
            Err(kind) => Err(Failure::new(*kind, "said so")),
        };
        instruments.take(Observation {
            subject: Subject::Door(*door),
            at: NOW.minus(Duration::from_secs(*ago)),
            took: Duration::from_millis(20),
            outcome,
        });
    }
    instruments
}

fn judge(
    condition: fn(&Sight<'_>) -> Finding,
    pins: &[&str],
    seen: &[Seen<'_>],
    since: Option<u64>,
) -> Finding {
    let plan = plan(pins);
    let instruments = instruments(seen);
    condition(&Sight {
        instruments: &instruments,
        plan: &plan,
        now: NOW,
        outage: None,
        since: since.map(|ago| NOW.minus(Duration::from_secs(ago))),
    })
}

use Is::{Ending, Fails, Ours, ProxyOnly, Stranger, Untrusted};
use Outcome::{Fail, Pass, Unknown};

const SAME: Is = Ours(&[PIN]);

#[test]
fn the_old_door_is_shut_only_when_it_is_seen_to_be() {
    let shut = Fails(FailureKind::Unreachable);
    let cases: &[(Result<Behind<'_>, FailureKind>, Outcome, &str)] = &[
        (Ok(&[(1, shut), (2, shut)]), Pass, "192.0.2.1, 192.0.2.2"),
        (
            Ok(&[(1, shut), (2, SAME)]),
            Fail,
            "still answers as this cluster at 192.0.2.2",
        ),
        (Ok(&[(1, Untrusted)]), Fail, "still answers"),
        (Ok(&[(1, ProxyOnly)]), Fail, "old proxies are still up"),
        (Ok(&[(1, Stranger)]), Pass, "No address"),
        (
            Ok(&[(1, shut), (2, Fails(FailureKind::Timeout))]),
            Unknown,
            "not the same as shut",
        ),
        (
            Ok(&[(1, Fails(FailureKind::Server))]),
            Unknown,
            "Something answers",
        ),
        (
            Ok(&[(1, Fails(FailureKind::Garbage))]),
            Unknown,
            "Something answers",
        ),
        (Ok(&[]), Unknown, "no address"),
        (Err(FailureKind::Unresolved), Pass, "name is gone"),
        // The name stands, empty: so it looked in October 2025, with everything behind it up.
        (Err(FailureKind::Empty), Unknown, "not the same as shut"),
        (Err(FailureKind::Timeout), Unknown, "no answer"),
        (Err(FailureKind::NotPlanned), Unknown, "not planned"),
    ];
    for (seen, outcome, part) in cases {
        let finding = judge(old_shut, &[], &[(Door::Old, 3, *seen)], Some(10));
        assert_eq!(finding.outcome, *outcome, "{}", finding.sentence);
        assert!(
            finding.sentence.contains(part),
            "{} lacks {part}",
            finding.sentence
        );
    }
}

/// A door with one address, and something of it that was not looked at.
fn gap(door: Door, is: Is, kind: FailureKind) -> Observation {
    let gaps = vec![Failure::new(kind, "20 addresses, 16 looked at")];
    Observation {
        subject: Subject::Door(door),
        at: NOW,
        took: Duration::from_millis(20),
        outcome: Ok(fact(door, 0, &[(1, is)], gaps)),
    }
}

type Judge = fn(&Sight<'_>) -> Finding;

#[test]
fn a_door_that_was_not_looked_at_as_a_whole_passes_nothing() {
    let shut = Fails(FailureKind::Unreachable);
    let cases: &[(Door, Is, Judge)] = &[
        (Door::Old, shut, old_shut),
        (Door::New, SAME, new_answers),
        (Door::New, SAME, same_authorities),
        (Door::Public, SAME, public_ping),
    ];
    // A host that is gone hides nothing; one that nobody tells of may.
    for (kind, outcome) in [
        (FailureKind::Other, Unknown),
        (FailureKind::Timeout, Unknown),
        (FailureKind::Empty, Unknown),
        (FailureKind::Unresolved, Pass),
    ] {
        for (door, is, condition) in cases {
            let plan = plan(&[PIN]);
            let mut instruments = instruments(&[(Door::New, 0, Ok(&[(1, SAME)]))]);
            instruments.take(gap(*door, *is, kind));
            let finding = condition(&Sight {
                instruments: &instruments,
                plan: &plan,
                now: NOW,
                outage: None,
                since: None,
            });
            assert_eq!(finding.outcome, outcome, "{door}: {}", finding.sentence);
        }
    }
}

#[test]
fn no_evidence_from_before_and_none_that_is_stale() {
    let shut: &[(u8, Is)] = &[(1, Fails(FailureKind::Unreachable))];
    for (ago, since, outcome) in [
        (3, Some(10), Pass),
        (3, Some(2), Unknown),
        (14, None, Pass),
        (16, None, Unknown),
    ] {
        for seen in [Ok(shut), Err(FailureKind::Unresolved)] {
            let finding = judge(old_shut, &[], &[(Door::Old, ago, seen)], since);
            assert_eq!(
                finding.outcome, outcome,
                "{ago} {since:?}: {}",
                finding.sentence
            );
        }
    }
    assert_eq!(judge(old_shut, &[], &[], None).outcome, Unknown);
}

#[test]
fn the_new_door_answers_at_every_address_with_a_sound_certificate() {
    let cases: &[(Behind<'_>, Outcome, &str)] = &[
        (
            &[(1, SAME), (2, SAME)],
            Pass,
            "answers as t.example.com 17.0.2 at 192.0.2.1, 192.0.2.2",
        ),
        (
            &[(1, SAME), (2, Fails(FailureKind::Timeout))],
            Fail,
            "192.0.2.2 says so",
        ),
        (
            &[(1, Untrusted)],
            Fail,
            "certificate at 192.0.2.1 is expired",
        ),
        (&[(1, Stranger)], Fail, "as cluster other.example.com"),
        (&[(1, ProxyOnly)], Fail, "Auth is down"),
        (&[], Unknown, "no address"),
    ];
    for (addresses, outcome, part) in cases {
        let finding = judge(new_answers, &[], &[(Door::New, 1, Ok(addresses))], None);
        assert_eq!(finding.outcome, *outcome, "{}", finding.sentence);
        assert!(
            finding.sentence.contains(part),
            "{} lacks {part}",
            finding.sentence
        );
    }
}

#[test]
fn authorities_are_compared_as_sets() {
    let none: &[&str] = &[];
    // Planned, seen at the old door an hour ago, new, and what follows.
    let cases: &[Pins<'_>] = &[
        (
            &[PIN],
            &[],
            &[PIN],
            Pass,
            "has the old one's certificate authorities",
        ),
        (none, &[PIN], &[PIN], Pass, "seen at the old door 1h"),
        (&[PIN], &[], &[PIN, OTHER], Pass, "1 more"),
        (&[PIN], &[PIN], &[OTHER], Fail, "STOP"),
        (
            none,
            &[PIN],
            &[OTHER],
            Fail,
            "OTHER CERTIFICATE AUTHORITIES",
        ),
        (&[PIN, OTHER], &[], &[OTHER, THIRD], Unknown, "only some"),
        // A rotation since the plan was written: what the old door showed counts.
        (&[PIN], &[OTHER], &[OTHER], Pass, "has the old one's"),
        (none, &[], &[PIN], Unknown, "tctl status"),
    ];
    for (planned, old, new, outcome, part) in cases {
        let before: &[(u8, Is)] = &[(9, Ours(old))];
        let now: &[(u8, Is)] = &[(1, Ours(new))];
        let shut: &[(u8, Is)] = &[(9, Fails(FailureKind::Unreachable))];
        // A door that is shut is a fact of its own; a name that is gone is none. Neither takes the baseline away.
        for gone in [
            Ok(shut),
            Err(FailureKind::Unresolved),
            Err(FailureKind::Timeout),
        ] {
            let seen = [
                (Door::Old, 3600, Ok(before)),
                (Door::Old, 3, gone),
                (Door::New, 1, Ok(now)),
            ];
            let finding = judge(same_authorities, planned, &seen, Some(30));
            assert_eq!(finding.outcome, *outcome, "{gone:?}: {}", finding.sentence);
            assert!(
                finding.sentence.contains(part),
                "{} lacks {part}",
                finding.sentence
            );
        }
    }
}

#[test]
fn one_address_with_other_authorities_is_enough_to_stop() {
    let new: &[(u8, Is)] = &[(1, SAME), (2, Ours(&[OTHER]))];
    let finding = judge(same_authorities, &[PIN], &[(Door::New, 1, Ok(new))], None);
    assert_eq!(finding.outcome, Fail, "{}", finding.sentence);
}

#[test]
fn what_was_not_asked_is_unknown_and_not_other() {
    let new: &[(u8, Is)] = &[(1, ProxyOnly)];
    let finding = judge(same_authorities, &[PIN], &[(Door::New, 1, Ok(new))], None);
    assert_eq!(finding.outcome, Unknown);
    assert!(
        finding.sentence.contains("not known"),
        "{}",
        finding.sentence
    );
}

#[test]
fn the_public_name_must_lead_to_the_new_door() {
    let cases: &[(Behind<'_>, Outcome, &str)] = &[
        (&[(1, SAME)], Pass, "answers from the new load balancer"),
        (&[(9, SAME)], Fail, "still leads to the old load balancer"),
        (&[(1, SAME), (9, SAME)], Fail, "still leads to the old"),
        (&[(77, SAME)], Unknown, "not an address of the new"),
        (&[(1, ProxyOnly)], Fail, "Auth is down"),
        (&[(1, Untrusted)], Fail, "expired"),
        (&[(1, Ending)], Unknown, "have not been seen"),
        (&[(1, Ours(&[OTHER]))], Fail, "STOP"),
    ];
    for (public, outcome, part) in cases {
        let seen: [Seen<'_>; 3] = [
            (Door::Old, 900, Ok(&[(9, SAME)])),
            (Door::New, 1, Ok(&[(1, SAME), (2, SAME)])),
            (Door::Public, 1, Ok(public)),
        ];
        let finding = judge(public_ping, &[PIN], &seen, Some(5));
        assert_eq!(finding.outcome, *outcome, "{}", finding.sentence);
        assert!(
            finding.sentence.contains(part),
            "{} lacks {part}",
            finding.sentence
        );
    }
}

fn title(pins: &[&str], seen: &[Seen<'_>]) -> (Health, String) {
    let plan = plan(pins);
    let instruments = instruments(seen);
    let told = pane(&Sight {
        instruments: &instruments,
        plan: &plan,
        now: NOW,
        outage: None,
        since: None,
    });
    (told.health, told.sentence)
}

#[test]
fn the_title_tells_all_three_doors() {
    let silent: &[(u8, Is)] = &[(9, Fails(FailureKind::Timeout))];
    let shut: &[(u8, Is)] = &[(9, Fails(FailureKind::Unreachable))];
    let none = FailureKind::NotPlanned;
    let cases: &[(&[Seen<'_>], Health, &str)] = &[
        (
            &[],
            Health::Unknown,
            "old: not looked yet · new: not looked yet · public: not looked yet",
        ),
        (
            &[
                (Door::Old, 1, Ok(silent)),
                (Door::New, 1, Ok(&[(1, SAME)])),
                (Door::Public, 1, Ok(silent)),
            ],
            Health::Unknown,
            "old: no answer · new: 200 17.0.2, same CAs · public: old, no answer",
        ),
        (
            &[
                (Door::Old, 1, Ok(shut)),
                (Door::New, 1, Ok(&[(1, SAME)])),
                (Door::Public, 1, Ok(&[(1, SAME)])),
            ],
            Health::Ok,
            "old: shut · new: 200 17.0.2, same CAs · public: new",
        ),
        (
            &[
                (Door::Old, 1, Ok(&[(9, SAME)])),
                (Door::New, 1, Err(none)),
                (Door::Public, 1, Ok(&[(9, SAME)])),
            ],
            Health::Ok,
            "old: 200 17.0.2 · new: not known yet · public: old",
        ),
        (
            &[
                (Door::New, 1, Ok(&[(1, Ours(&[OTHER]))])),
                (Door::Public, 1, Ok(&[(1, Ours(&[OTHER]))])),
            ],
            Health::Down,
            "OTHER CERTIFICATE AUTHORITIES at the new door · old: not looked yet · new: 200 17.0.2, OTHER CAs · public: new",
        ),
        (
            &[
                (Door::New, 1, Ok(&[(1, ProxyOnly)])),
                (Door::Public, 1, Err(FailureKind::Unresolved)),
            ],
            Health::Down,
            "old: not looked yet · new: proxy up, Auth down · public: unresolved",
        ),
        (
            &[
                (Door::New, 1, Ok(&[(1, Ending), (2, shut[0].1)])),
                (Door::Public, 99, Ok(&[(1, SAME)])),
            ],
            Health::Unknown,
            "old: not looked yet · new: 1 of 2 answer, shut · public: stale",
        ),
    ];
    for (seen, health, sentence) in cases {
        assert_eq!(title(&[PIN], seen), (*health, (*sentence).to_owned()));
    }
}
