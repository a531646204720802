//! Readings → findings, as data.

use std::time::Duration;

use super::*;
use crate::{
    incident::{Instruments, Moment, Observation, Outcome, Recordings, RecoveryPoint, Vault},
    plan::Plan,
};

const OUTAGE: i64 = 100_000;
const NOW: i64 = OUTAGE + 2_520;

pub(crate) fn plan() -> Plan {
    let text = include_str!("../../../tests/fixtures/plan/aws.toml");
    Plan::parse(std::path::Path::new("/plans/relight.toml"), text).expect("a valid plan")
}

#[derive(Clone, Copy)]
enum Seen {
    /// Status and seconds before the outage of the newest item.
    Table(&'static str, Option<i64>),
    /// The data age could not be read.
    Ageless,
    /// The look failed.
    Failed(FailureKind),
    /// Never looked at.
    Nothing,
}

use Seen::{Ageless, Failed, Nothing, Table as Tab};

fn put(instruments: &mut Instruments, subject: Subject, outcome: Result<Fact, Failure>) {
    instruments.take(Observation {
        subject,
        at: Moment::from_secs(NOW - 3),
        took: Duration::from_millis(9),
        outcome,
    });
}

fn table(role: TableRole, status: &str) -> Table {
    Table {
        name: format!("teleport-{role}"),
        role,
        region: "us-west-2".to_owned(),
        status: status.to_owned(),
        restoring: status == "CREATING",
        created: None,
        replicas: Vec::new(),
        indexes: vec![AUDIT_INDEX.to_owned()],
        pitr: Err(Failure::new(FailureKind::Timeout, "x")),
        backups: Ok(Vec::new()),
        newest: Ok(None),
        newest_at: None,
        authority: Err(Failure::new(FailureKind::Timeout, "x")),
        settings: Err(Failure::new(FailureKind::Timeout, "x")),
    }
}

fn put_table(instruments: &mut Instruments, role: TableRole, seen: Seen) {
    let outcome = match seen {
        Nothing => return,
        Failed(kind) => Err(Failure::new(kind, "DescribeTable did not work")),
        Ageless => {
            let mut table = table(role, "ACTIVE");
            table.newest = Err(Failure::new(FailureKind::Forbidden, "no Query"));
            Ok(table)
        }
        Tab(status, before) => {
            let mut table = table(role, status);
            table.newest = Ok(before.map(|secs| Moment::from_secs(OUTAGE - secs)));
            Ok(table)
        }
    };
    put(
        instruments,
        Subject::Table(Side::Recovery, role),
        outcome.map(|table| Fact::Table(table.into())),
    );
}

fn put_vault(instruments: &mut Instruments, role: TableRole, points: &[(&str, i64, Option<i64>)]) {
    let points = points
        .iter()
        .map(|(status, before, cold)| RecoveryPoint {
            arn: "arn:aws:backup:us-west-2:111122223333:recovery-point:x".to_owned(),
            resource: "arn".to_owned(),
            status: (*status).to_owned(),
            created: Moment::from_secs(OUTAGE - before),
            completed: None,
            cold_at: cold.map(Moment::from_secs),
            delete_at: None,
            restored: None,
            bytes: None,
        })
        .collect();
    let vault = Vault {
        vault: "dr".to_owned(),
        region: "us-west-2".to_owned(),
        role,
        points,
        more: false,
        schedules: Ok(Vec::new()),
    };
    put(
        instruments,
        Subject::Vault(role),
        Ok(Fact::Vault(vault.into())),
    );
}

fn look<T>(instruments: &Instruments, plan: &Plan, judge: impl Fn(&Sight<'_>) -> T) -> T {
    judge(&Sight {
        instruments,
        plan,
        now: Moment::from_secs(NOW),
        since: None,
        outage: Some(Moment::from_secs(OUTAGE)),
    })
}

#[test]
fn tables_are_ready_when_both_are_seen_active() {
    let cases = [
        (
            Tab("ACTIVE", Some(1)),
            Tab("ACTIVE", None),
            Outcome::Pass,
            "are ACTIVE in us-west-2",
        ),
        (
            Tab("ACTIVE", Some(1)),
            Tab("CREATING", None),
            Outcome::Fail,
            "still being restored",
        ),
        (
            Tab("DELETING", Some(1)),
            Tab("ACTIVE", None),
            Outcome::Fail,
            "is DELETING, not ACTIVE",
        ),
        (
            Failed(FailureKind::NotFound),
            Nothing,
            Outcome::Fail,
            "state table",
        ),
        (
            Tab("ACTIVE", Some(1)),
            Failed(FailureKind::Timeout),
            Outcome::Unknown,
            "no answer",
        ),
        (
            Failed(FailureKind::Forbidden),
            Tab("ACTIVE", None),
            Outcome::Unknown,
            "forbidden",
        ),
        // An empty state table makes a new cluster of it.
        (
            Tab("ACTIVE", None),
            Tab("ACTIVE", None),
            Outcome::Unknown,
            "no heartbeat",
        ),
        (
            Ageless,
            Tab("ACTIVE", None),
            Outcome::Unknown,
            "not known: forbidden",
        ),
        (Nothing, Nothing, Outcome::Unknown, "not looked at yet"),
    ];
    let plan = plan();
    for (state, audit, outcome, words) in cases {
        let mut instruments = Instruments::default();
        put_table(&mut instruments, TableRole::State, state);
        put_table(&mut instruments, TableRole::Audit, audit);
        let finding = look(&instruments, &plan, tables_ready);
        assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
        assert!(finding.sentence.contains(words), "{}", finding.sentence);
    }
}

#[test]
fn backups_are_fresh_by_the_best_copy_of_each_table() {
    let plan = plan();
    // State table, audit table, audit recovery points; no vault for the state table is planned in these.
    let none: &[(&str, i64, Option<i64>)] = &[];
    let cases = [
        (
            Tab("ACTIVE", Some(252)),
            Tab("ACTIVE", Some(290)),
            none,
            Outcome::Pass,
            "state loses 4m12s",
        ),
        (
            Tab("ACTIVE", Some(252)),
            Tab("ACTIVE", Some(290)),
            none,
            Outcome::Pass,
            "nearest pair 38s apart",
        ),
        // Written since the outage: nothing is lost.
        (
            Tab("ACTIVE", Some(-60)),
            Tab("ACTIVE", Some(0)),
            none,
            Outcome::Pass,
            "state loses 0s",
        ),
        (
            Tab("ACTIVE", Some(252)),
            Tab("ACTIVE", Some(4000)),
            none,
            Outcome::Fail,
            "audit would lose 1h06m of 15m",
        ),
        (
            Tab("ACTIVE", Some(252)),
            Tab("ACTIVE", Some(4000)),
            &[("COMPLETED", 600, None)],
            Outcome::Pass,
            "recovery point",
        ),
        (
            Tab("ACTIVE", Some(252)),
            Tab("CREATING", None),
            &[("COMPLETED", 600, None)],
            Outcome::Pass,
            "audit loses 10m",
        ),
        // Neither an unfinished copy nor one in cold storage is usable in time.
        (
            Tab("ACTIVE", Some(252)),
            Tab("CREATING", None),
            &[("CREATING", 60, None), ("COMPLETED", 70, Some(NOW - 1))],
            Outcome::Fail,
            "no usable copy",
        ),
        (
            Tab("ACTIVE", Some(252)),
            Ageless,
            none,
            Outcome::Unknown,
            "data age",
        ),
        (
            Tab("ACTIVE", Some(252)),
            Failed(FailureKind::Timeout),
            none,
            Outcome::Unknown,
            "no answer",
        ),
        // What is certainly wrong is said even if the other table cannot be seen.
        (
            Tab("ACTIVE", Some(4000)),
            Failed(FailureKind::Timeout),
            none,
            Outcome::Fail,
            "state would lose",
        ),
        (
            Nothing,
            Nothing,
            none,
            Outcome::Unknown,
            "not looked at yet",
        ),
    ];
    for (state, audit, points, outcome, words) in cases {
        let mut instruments = Instruments::default();
        put_table(&mut instruments, TableRole::State, state);
        put_table(&mut instruments, TableRole::Audit, audit);
        put_vault(&mut instruments, TableRole::State, &[]);
        put_vault(&mut instruments, TableRole::Audit, points);
        let finding = look(&instruments, &plan, fresh);
        assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
        assert!(finding.sentence.contains(words), "{}", finding.sentence);
    }
}

/// A state table measured `ago` seconds before now, when its newest item was `old` seconds old.
fn measured(ago: i64, old: i64) -> Table {
    let mut table = table(TableRole::State, "ACTIVE");
    let at = Moment::from_secs(NOW - ago);
    table.newest_at = Some(at);
    table.newest = Ok(Some(Moment::from_secs(NOW - ago - old)));
    table
}

#[test]
fn a_measurement_from_before_is_no_evidence_however_young_the_look_is() {
    let plan = plan();
    for (ago, outcome) in [(200, Outcome::Unknown), (5, Outcome::Pass)] {
        let mut instruments = Instruments::default();
        let subject = Subject::Table(Side::Recovery, TableRole::State);
        put(
            &mut instruments,
            subject,
            Ok(Fact::Table(measured(ago, 1).into())),
        );
        put_table(&mut instruments, TableRole::Audit, Tab("ACTIVE", Some(1)));
        put_vault(&mut instruments, TableRole::State, &[]);
        put_vault(&mut instruments, TableRole::Audit, &[]);
        let sight = Sight {
            instruments: &instruments,
            plan: &plan,
            now: Moment::from_secs(NOW),
            since: Some(Moment::from_secs(NOW - 60)),
            outage: None,
        };
        for finding in [tables_ready(&sight), fresh(&sight)] {
            // The audit table's age is of no interest here: its copy is 42 minutes old.
            let state = finding.sentence.contains("waiting for a new measurement")
                || finding.sentence.contains("last measured");
            assert_eq!(
                state,
                outcome == Outcome::Unknown,
                "{ago}: {}",
                finding.sentence
            );
        }
        assert_eq!(tables_ready(&sight).outcome, outcome);
    }
}

#[test]
fn an_age_grows_by_measuring_and_not_by_itself() {
    let plan = plan();
    let mut instruments = Instruments::default();
    let subject = Subject::Table(Side::Recovery, TableRole::State);
    put(
        &mut instruments,
        subject,
        Ok(Fact::Table(measured(280, 58).into())),
    );
    let sight = Sight {
        instruments: &instruments,
        plan: &plan,
        now: Moment::from_secs(NOW),
        since: None,
        outage: None,
    };
    let best = &search(TableRole::State, &sight).copies[0];
    assert_eq!(best.loss(&sight), Duration::from_secs(58));
    let line = &lines(&sight)[0];
    assert_eq!(
        line.sentence,
        "ACTIVE, newest item 58s old when measured 4m40s ago"
    );
    // What was written between the measurement and the outage is not known of: counted as lost.
    let outage = Sight {
        outage: Some(Moment::from_secs(NOW - 100)),
        ..sight
    };
    let best = &search(TableRole::State, &outage).copies[0];
    assert_eq!(best.loss(&outage), Duration::from_secs(238));
}

#[test]
fn a_schedule_that_could_not_be_read_is_said_so() {
    let plan = plan();
    let mut instruments = Instruments::default();
    put_vault(
        &mut instruments,
        TableRole::State,
        &[("COMPLETED", 60, None)],
    );
    let subject = Subject::Vault(TableRole::State);
    let reading = instruments.get(&subject).expect("a reading");
    let Ok(Fact::Vault(vault)) = &reading.last.outcome else {
        unreachable!("{reading:?}")
    };
    let vault = Vault {
        schedules: Err(Failure::new(FailureKind::Forbidden, "ListBackupPlans")),
        more: true,
        ..(**vault).clone()
    };
    put(&mut instruments, subject, Ok(Fact::Vault(vault.into())));
    let line = look(&instruments, &plan, |sight| lines(sight)[2].clone());
    assert!(
        line.sentence
            .contains("1+ kept, schedules unknown (forbidden)"),
        "{}",
        line.sentence
    );
}

/// The pane while nothing is chosen yet.
fn best(sight: &Sight<'_>) -> Assessment {
    assessment(sight, [None, None])
}

#[test]
fn the_pane_names_the_worst_loss_against_the_objective() {
    let plan = plan();
    let mut instruments = Instruments::default();
    assert_eq!(look(&instruments, &plan, best).health, Health::Unknown);
    put_table(&mut instruments, TableRole::State, Tab("ACTIVE", Some(252)));
    put_table(&mut instruments, TableRole::Audit, Tab("ACTIVE", Some(290)));
    let said = look(&instruments, &plan, best);
    assert_eq!(said.sentence, "worst RPO 4m50s of 15m");
    assert_eq!(said.health, Health::Ok);
    let mut global = table(TableRole::State, "ACTIVE");
    global.newest = Ok(Some(Moment::from_secs(OUTAGE - 252)));
    global.replicas = vec!["us-east-1".to_owned()];
    let subject = Subject::Table(Side::Recovery, TableRole::State);
    put(&mut instruments, subject, Ok(Fact::Table(global.into())));
    let said = look(&instruments, &plan, best);
    assert_eq!(said.health, Health::Degraded);
    assert!(said.sentence.contains("global table"), "{}", said.sentence);
}

#[test]
fn what_is_lost_is_counted_from_the_restore_point_once_it_is_chosen() {
    let plan = plan();
    let mut instruments = Instruments::default();
    let at = |before: i64| Some(Moment::from_secs(OUTAGE - before));
    // Of the best there is, one is unknown; of the restore points none is.
    put_table(&mut instruments, TableRole::State, Tab("ACTIVE", Some(60)));
    for (chosen, lost) in [
        ([None, None], None),
        ([at(300), None], None),
        ([None, at(420)], Some(420)),
        ([at(300), at(420)], Some(420)),
        ([at(1200), at(420)], Some(1200)),
    ] {
        let found = look(&instruments, &plan, |sight| worst_loss(sight, chosen));
        assert_eq!(found.map(|lost| lost.as_secs()), lost, "{chosen:?}");
    }
    let said = look(&instruments, &plan, |sight| {
        assessment(sight, [at(1200), at(420)])
    });
    assert_eq!(said.sentence, "RPO by the restore point 20m of 15m");
    assert_eq!(said.health, Health::Degraded);
}

#[test]
fn every_line_says_which_region_it_needs_and_none_is_green_unseen() {
    let plan = plan();
    let lines = look(&Instruments::default(), &plan, lines);
    assert_eq!(lines.len(), 8);
    for line in &lines {
        assert_eq!(line.health, Health::Unknown, "{line:?}");
        assert_eq!(line.needs == "us-west-2", line.recovery, "{line:?}");
    }
}

#[test]
fn recordings_are_ready_only_when_versioned() {
    let plan = plan();
    let garbage = || Failure::new(FailureKind::Garbage, "no XML");
    let cases = [
        (Ok("Enabled".to_owned()), Outcome::Pass),
        (Ok("Suspended".to_owned()), Outcome::Fail),
        (Ok(String::new()), Outcome::Fail),
        (Err(garbage()), Outcome::Unknown),
    ];
    for (versioning, outcome) in cases {
        let seen = Recordings {
            read: None,
            bucket: "recordings".to_owned(),
            region: "us-west-2".to_owned(),
            versioning,
            replication: Ok(Vec::new()),
            newest: Ok(Vec::new()),
        };
        let mut instruments = Instruments::default();
        let subject = Subject::Recordings(Side::Recovery);
        put(&mut instruments, subject, Ok(Fact::Recordings(seen.into())));
        let finding = look(&instruments, &plan, recordings_ready);
        assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
    }
}
