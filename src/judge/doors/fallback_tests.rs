//! What is taken where there is nothing better, and what it is worth.

use std::{net::IpAddr, path::Path, sync::Arc, time::Duration};

use super::*;
use crate::{
    incident::{
        Address, Certificate, Door, DoorFact, Failure, FailureKind, Finding, HostAuthorities,
        HostAuthority, Instruments, Observation, Outcome, Ping, Pitr, Table, Witnessed,
    },
    judge::doors::same_authorities,
    plan::Plan,
};

const OUTAGE: Moment = Moment::from_secs(1_795_000_000);
const NOW: Moment = Moment::from_secs(1_795_003_600);
const PIN: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// So long before or after the outage began, in minutes.
fn outage(minutes: i64) -> Moment {
    Moment::from_secs(OUTAGE.secs() + 60 * minutes)
}

fn plan(pins: &[&str]) -> Plan {
    let text = format!(
        "[cluster]\nname = \"t.example.com\"\nca_pins = {pins:?}\n[primary]\nregion = \"us-east-1\"\n[recovery]\n\
         region = \"us-west-2\"\n"
    );
    Plan::parse(Path::new("/p/relight.toml"), &text).expect("a plan")
}

fn kept(by: Keeper, minutes: i64, pins: &[&str]) -> Kept {
    Kept {
        by,
        path: match by {
            Keeper::Tsh => "/home/a/.tsh/keys/t/cas/t.pem",
            Keeper::Agent => "/etc/teleport.yaml",
        }
        .to_owned(),
        written: outage(minutes),
        pins: pins.iter().map(ToString::to_string).collect(),
    }
}

fn door(pin: &str) -> DoorFact {
    let failure = Failure::new(FailureKind::Other, "not told here");
    let ip = IpAddr::from([192, 0, 2, 1]);
    let mut address = Address::stopped(ip, 443, Ok(Duration::ZERO), &failure);
    address.tls = Ok(Certificate {
        issuer: String::new(),
        names: Vec::new(),
        not_before: OUTAGE,
        not_after: NOW.plus(Duration::from_hours(999)),
        problem: None,
    });
    address.ping = Ok(Ping {
        status: 200,
        cluster_name: Some("t.example.com".to_owned()),
        ..Ping::default()
    });
    address.pins = Ok(vec![pin.to_owned()]);
    DoorFact {
        addresses: vec![address],
        ..DoorFact::default()
    }
}

/// The recovery state table, whose host authority was written so many minutes after the outage began.
fn table(row: Option<i64>) -> Table {
    let not = || Failure::new(FailureKind::Other, "not asked");
    Table {
        name: "state-dr".to_owned(),
        role: TableRole::State,
        region: "us-west-2".to_owned(),
        status: "ACTIVE".to_owned(),
        restoring: false,
        created: None,
        replicas: Vec::new(),
        indexes: Vec::new(),
        pitr: Ok(Pitr {
            enabled: true,
            earliest: None,
            latest: None,
        }),
        backups: Err(not()),
        newest: Err(not()),
        newest_at: None,
        authority: Ok(HostAuthorities {
            at: NOW,
            own: Some(HostAuthority {
                timestamp: row.map(outage),
                ..HostAuthority::default()
            }),
            others: Vec::new(),
        }),
        settings: Err(not()),
    }
}

/// What this machine has, and the row's age.
struct World {
    planned: &'static [&'static str],
    old: Option<&'static str>,
    baseline: Option<Baseline>,
    row: Option<i64>,
    new: &'static str,
}

impl Default for World {
    fn default() -> Self {
        Self {
            planned: &[],
            old: None,
            baseline: None,
            row: None,
            new: PIN,
        }
    }
}

fn judged(world: World) -> Finding {
    let mut all = Instruments::default();
    let mut take = |subject, fact| {
        all.take(Observation {
            subject,
            at: NOW,
            took: Duration::ZERO,
            outcome: Ok(fact),
        });
    };
    take(
        Subject::Door(Door::New),
        Fact::Door(Arc::new(door(world.new))),
    );
    if let Some(pin) = world.old {
        let mut seen = door(pin);
        let ip = IpAddr::from([192, 0, 2, 9]);
        seen.addresses[0].ip = ip;
        seen.witnessed = vec![Witnessed {
            ip,
            pins: vec![pin.to_owned()],
            at: NOW,
        }];
        take(Subject::Door(Door::Old), Fact::Door(Arc::new(seen)));
    }
    if let Some(baseline) = world.baseline {
        take(Subject::Baseline, Fact::Baseline(Arc::new(baseline)));
    }
    take(
        Subject::Table(Side::Recovery, TableRole::State),
        Fact::Table(Arc::new(table(world.row))),
    );
    same_authorities(&Sight {
        instruments: &all,
        plan: &plan(world.planned),
        now: NOW,
        outage: Some(OUTAGE),
        since: None,
    })
}

fn is(finding: &Finding, outcome: Outcome, part: &str) {
    assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
    assert!(
        finding.sentence.contains(part),
        "{} lacks {part}",
        finding.sentence
    );
}

fn found(found: Vec<Kept>) -> Baseline {
    Baseline {
        found,
        gaps: vec![Failure::new(
            FailureKind::NotFound,
            "there is no /etc/teleport.yaml",
        )],
    }
}

use Outcome::{Fail, Pass, Unknown};

#[test]
fn a_tsh_profile_or_an_agent_from_before_the_outage_is_a_baseline() {
    let cases = [
        (Keeper::Tsh, PIN, Pass, "tsh profile of 2026-11-1"),
        (Keeper::Agent, PIN, Pass, "ca_pin of 2026-11-1"),
        (Keeper::Tsh, OTHER, Fail, "OTHER CERTIFICATE AUTHORITIES"),
        (Keeper::Agent, OTHER, Fail, "in place of a black box"),
    ];
    for (by, pin, outcome, part) in cases {
        let finding = judged(World {
            baseline: Some(found(vec![kept(by, -100, &[pin])])),
            ..World::default()
        });
        is(&finding, outcome, part);
        assert!(finding.evidence.contains(&Subject::Baseline), "{finding:?}");
    }
    let both = judged(World {
        baseline: Some(found(vec![
            kept(Keeper::Tsh, -9, &[PIN]),
            kept(Keeper::Agent, -99, &[OTHER]),
        ])),
        ..World::default()
    });
    is(&both, Unknown, "only some");
}

#[test]
fn what_is_better_known_outweighs_what_this_machine_keeps() {
    let stray = || found(vec![kept(Keeper::Tsh, -100, &[OTHER])]);
    let planned = judged(World {
        planned: &[PIN],
        baseline: Some(stray()),
        ..World::default()
    });
    is(&planned, Pass, "compared with the plan's pins");
    let seen = judged(World {
        old: Some(PIN),
        baseline: Some(stray()),
        ..World::default()
    });
    is(&seen, Pass, "seen at the old door");
}

#[test]
fn what_was_written_since_the_outage_proves_nothing() {
    let finding = judged(World {
        baseline: Some(found(vec![kept(Keeper::Tsh, 10, &[PIN])])),
        ..World::default()
    });
    is(
        &finding,
        Unknown,
        "after the outage began, and may be of a cluster made anew",
    );
    is(&finding, Unknown, "there is no /etc/teleport.yaml");
}

#[test]
fn the_rows_age_speaks_for_or_against_a_cluster_and_never_passes() {
    for (row, outcome, part) in [
        (Some(-1), Unknown, "before the outage began"),
        (Some(0), Fail, "after the outage began"),
        (Some(30), Fail, "ca_pins of the plan"),
        (
            None,
            Unknown,
            "age of the host authority in the state table is not known",
        ),
    ] {
        let finding = judged(World {
            row,
            ..World::default()
        });
        is(&finding, outcome, part);
        let known = judged(World {
            row,
            planned: &[PIN],
            ..World::default()
        });
        is(&known, Pass, "compared with the plan's pins");
    }
    is(
        &judged(World::default()),
        Unknown,
        "this machine has not been looked through yet",
    );
}
