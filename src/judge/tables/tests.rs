//! The gate that nothing gets around, and what a table lacks.

use std::{collections::BTreeMap, time::Duration};

use super::*;
use crate::{
    incident::{
        Billing, Failure, FailureKind, HostAuthority, Instruments, Observation, Outcome, Pitr,
        Settings,
    },
    judge::backups::tests::plan,
};

const NOW: i64 = 100_000;

fn table(side: Side, role: TableRole) -> Table {
    Table {
        name: format!("teleport-{role}"),
        role,
        region: "us-west-2".to_owned(),
        status: "ACTIVE".to_owned(),
        restoring: false,
        created: Some(Moment::from_secs(NOW - 1_000)),
        replicas: Vec::new(),
        indexes: Vec::new(),
        pitr: Ok(Pitr {
            enabled: true,
            earliest: None,
            latest: None,
        }),
        backups: Ok(Vec::new()),
        newest: Ok(None),
        newest_at: None,
        authority: Ok(HostAuthorities {
            at: Moment::from_secs(NOW - 60),
            own: Some(HostAuthority {
                revision: Some("r1".to_owned()),
                ..HostAuthority::default()
            }),
            others: Vec::new(),
        }),
        settings: Ok(Settings {
            arn: format!("arn:{side}"),
            ttl: Ok(Some("Expires".to_owned())),
            stream: Some("NEW_IMAGE".to_owned()),
            billing: Billing::OnDemand,
            protected: true,
            tags: Ok(BTreeMap::new()),
            indexes: BTreeMap::from([(AUDIT_INDEX.to_owned(), "ACTIVE".to_owned())]),
            key: None,
        }),
    }
}

fn put(
    instruments: &mut Instruments,
    side: Side,
    outcome: Result<Table, Failure>,
    role: TableRole,
) {
    instruments.take(Observation {
        subject: Subject::Table(side, role),
        at: Moment::from_secs(NOW - 3),
        took: Duration::ZERO,
        outcome: outcome.map(|table| Fact::Table(table.into())),
    });
}

fn judged(
    instruments: &Instruments,
    since: Option<i64>,
    judge: fn(&Sight<'_>) -> Finding,
) -> Finding {
    judge(&Sight {
        instruments,
        plan: &plan(),
        now: Moment::from_secs(NOW),
        since: since.map(Moment::from_secs),
        outage: None,
    })
}

/// The state table, changed, and seen as the gate sees it.
fn gate(change: impl FnOnce(&mut Table), since: Option<i64>) -> Finding {
    let mut instruments = Instruments::default();
    let mut seen = table(Side::Recovery, TableRole::State);
    change(&mut seen);
    put(&mut instruments, Side::Recovery, Ok(seen), TableRole::State);
    judged(&instruments, since, right)
}

fn others(names: &[&str]) -> impl FnOnce(&mut Table) {
    let names = names.iter().map(ToString::to_string).collect();
    move |table| {
        table.authority = Ok(HostAuthorities {
            at: Moment::from_secs(NOW - 60),
            own: None,
            others: names,
        });
    }
}

#[test]
fn only_the_row_itself_seen_lately_opens_the_gate() {
    let fine = gate(|_| {}, None);
    assert_eq!(fine.outcome, Outcome::Pass, "{}", fine.sentence);
    assert!(!fine.evidence.is_empty());
    let cases: [(Finding, Outcome, &str); 8] = [
        (
            gate(others(&[]), None),
            Outcome::Fail,
            "no host authority at all",
        ),
        (
            gate(others(&["other.example.com"]), None),
            Outcome::Fail,
            "those of other.example.com",
        ),
        (
            gate(others(&["a", "b", "c", "d", "e", "f"]), None),
            Outcome::Fail,
            "a, b, c, d, e, …",
        ),
        (
            gate(
                |table| table.authority = Err(Failure::new(FailureKind::Forbidden, "no Query")),
                None,
            ),
            Outcome::Unknown,
            "not known",
        ),
        (
            gate(|table| table.restoring = true, None),
            Outcome::Unknown,
            "being restored",
        ),
        // The row of the table that was there before.
        (
            gate(
                |table| table.created = Some(Moment::from_secs(NOW - 30)),
                None,
            ),
            Outcome::Unknown,
            "waiting for a new look",
        ),
        (
            gate(|_| {}, Some(NOW - 20)),
            Outcome::Unknown,
            "waiting for a new look",
        ),
        (
            gate(
                |table| {
                    if let Ok(found) = &mut table.authority {
                        found.at = Moment::from_secs(NOW - 700);
                    }
                },
                None,
            ),
            Outcome::Unknown,
            "waiting for a new look",
        ),
    ];
    for (finding, outcome, words) in cases {
        assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
        assert!(finding.sentence.contains(words), "{}", finding.sentence);
        if outcome == Outcome::Fail {
            for part in [
                "no way round",
                "new certificate authorities",
                "state_table",
                "/plans/relight.toml",
            ] {
                let said = finding.sentence.replace('\n', " ");
                assert!(said.contains(part), "{part}: {said}");
            }
        }
    }
}

#[test]
fn a_missing_table_is_a_fail_and_a_silent_region_is_not() {
    for (kind, outcome) in [
        (FailureKind::NotFound, Outcome::Fail),
        (FailureKind::Timeout, Outcome::Unknown),
        (FailureKind::Forbidden, Outcome::Unknown),
    ] {
        let mut instruments = Instruments::default();
        put(
            &mut instruments,
            Side::Recovery,
            Err(Failure::new(kind, "x")),
            TableRole::State,
        );
        assert_eq!(judged(&instruments, None, right).outcome, outcome);
    }
    assert_eq!(
        judged(&Instruments::default(), None, right).outcome,
        Outcome::Unknown
    );
}

#[test]
fn the_primarys_revision_is_told_and_decides_nothing() {
    for (revision, words) in [("r1", "the very object"), ("r2", "another revision")] {
        let mut instruments = Instruments::default();
        let mut before = table(Side::Primary, TableRole::State);
        if let Ok(found) = &mut before.authority {
            found.own = Some(HostAuthority {
                revision: Some(revision.to_owned()),
                ..HostAuthority::default()
            });
        }
        put(
            &mut instruments,
            Side::Primary,
            Ok(before),
            TableRole::State,
        );
        let ours = table(Side::Recovery, TableRole::State);
        put(&mut instruments, Side::Recovery, Ok(ours), TableRole::State);
        let finding = judged(&instruments, None, right);
        assert_eq!(finding.outcome, Outcome::Pass);
        assert!(finding.sentence.contains(words), "{}", finding.sentence);
    }
}

#[test]
fn tables_are_repaired_when_nothing_is_lacking_and_the_index_is_filled() {
    let look = |change: &dyn Fn(&mut Table)| {
        let mut instruments = Instruments::default();
        for role in TableRole::BOTH {
            let mut seen = table(Side::Recovery, role);
            change(&mut seen);
            put(&mut instruments, Side::Recovery, Ok(seen), role);
            put(
                &mut instruments,
                Side::Primary,
                Ok(table(Side::Primary, role)),
                role,
            );
        }
        judged(&instruments, None, repaired)
    };
    let with = |change: fn(&mut Settings)| {
        look(&move |table: &mut Table| {
            if let Ok(settings) = &mut table.settings {
                change(settings);
            }
        })
    };
    assert_eq!(look(&|_| {}).outcome, Outcome::Pass);
    let cases = [
        (
            with(|settings| settings.protected = false),
            Outcome::Fail,
            "deletion protection on",
        ),
        (
            with(|settings| settings.ttl = Ok(None)),
            Outcome::Fail,
            "UpdateTimeToLive teleport-state",
        ),
        (
            with(|settings| {
                settings
                    .indexes
                    .insert(AUDIT_INDEX.to_owned(), "CREATING".to_owned());
            }),
            Outcome::Unknown,
            "is being filled",
        ),
        (
            with(|settings| settings.ttl = Err(Failure::new(FailureKind::Forbidden, "x"))),
            Outcome::Unknown,
            "time to live",
        ),
    ];
    for (finding, outcome, words) in cases {
        assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
        assert!(finding.sentence.contains(words), "{}", finding.sentence);
    }
}
