//! What is done for each table, from what was seen.

use super::*;
use crate::{
    incident::{
        Billing, Failure, HostAuthorities, HostAuthority, Observation, Pitr, RecoveryPoint,
        Settings, Vault,
    },
    plan::sample::plan,
};

const NOW: i64 = 100_000;

/// What is under a planned name.
#[derive(Clone, Copy)]
enum There {
    Nothing,
    Silent,
    Right,
    Wrong,
    Coming,
}

fn table(side: Side, role: TableRole, status: &str, own: bool) -> Table {
    let plan = plan();
    let region = plan.side(side);
    Table {
        name: region.table(role).unwrap_or_default().to_owned(),
        role,
        region: region.region.clone(),
        status: status.to_owned(),
        restoring: status == "CREATING",
        created: None,
        replicas: Vec::new(),
        indexes: Vec::new(),
        pitr: Ok(Pitr {
            enabled: true,
            earliest: Some(Moment::from_secs(0)),
            latest: Some(Moment::from_secs(NOW - 300)),
        }),
        backups: Ok(Vec::new()),
        newest: Ok(Some(Moment::from_secs(NOW - 100))),
        newest_at: None,
        authority: Ok(HostAuthorities {
            at: Moment::from_secs(NOW),
            own: own.then(HostAuthority::default),
            others: vec!["other.example.com".to_owned()],
        }),
        settings: Ok(Settings {
            arn: format!("arn:aws:dynamodb:us-east-1:123456789012:table/{role}"),
            ttl: Ok(None),
            stream: None,
            billing: Billing::OnDemand,
            protected: false,
            tags: Ok(std::collections::BTreeMap::new()),
            indexes: std::collections::BTreeMap::new(),
            key: Some("arn:aws:kms:us-east-1:123456789012:key/mrk-1".to_owned()),
        }),
    }
}

fn seen(there: [There; 2], points: bool, primary: bool) -> Instruments {
    let mut seen = Instruments::default();
    let mut put = |subject: Subject, outcome: Result<Fact, Failure>| {
        seen.take(Observation {
            subject,
            at: Moment::from_secs(NOW),
            took: std::time::Duration::ZERO,
            outcome,
        });
    };
    let failed = |kind| Err(Failure::new(kind, "x"));
    for (role, there) in TableRole::BOTH.into_iter().zip(there) {
        let made = |status, own| Ok(Fact::Table(table(Side::Recovery, role, status, own).into()));
        let outcome = match there {
            There::Nothing => failed(FailureKind::NotFound),
            There::Silent => failed(FailureKind::Timeout),
            There::Right => made("ACTIVE", true),
            There::Wrong => made("ACTIVE", false),
            There::Coming => made("CREATING", false),
        };
        put(Subject::Table(Side::Recovery, role), outcome);
        let of_primary = Fact::Table(table(Side::Primary, role, "ACTIVE", true).into());
        let of_primary = if primary {
            Ok(of_primary)
        } else {
            failed(FailureKind::Timeout)
        };
        put(Subject::Table(Side::Primary, role), of_primary);
        let point = RecoveryPoint {
            arn: format!("arn:aws:backup:us-west-2:123456789012:recovery-point:{role}"),
            resource: String::new(),
            status: "COMPLETED".to_owned(),
            created: Moment::from_secs(NOW - 360 - if role == TableRole::Audit { 38 } else { 0 }),
            completed: None,
            cold_at: None,
            delete_at: None,
            restored: None,
            bytes: None,
        };
        let vault = Vault {
            vault: "west".to_owned(),
            region: "us-west-2".to_owned(),
            role,
            points: if points { vec![point] } else { Vec::new() },
            more: false,
            schedules: Ok(Vec::new()),
        };
        put(Subject::Vault(role), Ok(Fact::Vault(vault.into())));
    }
    seen
}

fn lines(plan: &Plan, seen: &Instruments) -> Result<Vec<String>, String> {
    let acts = acts(plan, seen).map_err(|error| error.0)?;
    let mut lines: Vec<String> = acts.iter().map(Act::line).collect();
    lines.extend(remarks(plan, seen, &acts));
    Ok(lines)
}

use There::{Coming, Nothing, Right, Silent, Wrong};

#[test]
fn both_are_restored_from_one_pair_and_what_is_there_stays() {
    let plan = plan();
    assert_eq!(
        lines(&plan, &seen([Nothing, Nothing], true, false)),
        Ok(vec![
            "StartRestoreJob arn:aws:backup:us-west-2:123456789012:recovery-point:state to west-state, data of 1970-01-02T03:40:40.000Z".to_owned(),
            "StartRestoreJob arn:aws:backup:us-west-2:123456789012:recovery-point:audit to west-audit, data of 1970-01-02T03:40:02.000Z".to_owned(),
            "state and audit lie 38s apart".to_owned(),
            "encrypted with a key that AWS owns".to_owned(),
        ])
    );
    let kept = lines(&plan, &seen([Right, Coming], true, false)).expect("acts");
    assert!(
        kept[0].starts_with("keep west-state") && kept[1].starts_with("follow west-audit"),
        "{kept:?}"
    );
    let mixed = lines(&plan, &seen([Right, Nothing], true, false)).expect("acts");
    assert!(mixed[1].starts_with("StartRestoreJob"), "{mixed:?}");
}

#[test]
fn what_the_failed_region_would_cost_is_said() {
    let mut plan = plan();
    let told = lines(&plan, &seen([Nothing, Nothing], false, true))
        .expect("acts")
        .join("\n");
    for part in [
        "RestoreTableToPointInTime arn:aws:dynamodb:us-east-1:123456789012:table/state to west-state, data of 1970-01-02T03:41:40.000Z",
        "it ends only if that region lives so long",
        "state: without the last 3m20s that us-east-1 had",
        "no longer with arn:aws:kms:us-east-1",
        "table_key",
    ] {
        assert!(told.contains(part), "{part}:\n{told}");
    }
    plan.recovery.table_key = Some("arn:aws:kms:us-west-2:123456789012:key/mrk-1".to_owned());
    let told = lines(&plan, &seen([Nothing, Nothing], false, true))
        .expect("acts")
        .join("\n");
    assert!(
        told.contains("encrypted with arn:aws:kms:us-west-2"),
        "{told}"
    );
}

#[test]
fn nothing_is_restored_over_a_wrong_table_an_unseen_one_or_from_nothing() {
    let mut plan = plan();
    let cases = [
        (seen([Wrong, Nothing], true, true), "WRONG TABLE"),
        (seen([Wrong, Nothing], true, true), "other.example.com"),
        (seen([Nothing, Silent], true, true), "is not known"),
        (
            seen([Nothing, Nothing], false, false),
            "nothing to restore the state table from",
        ),
        (Instruments::default(), "not looked at yet"),
    ];
    for (world, words) in cases {
        let told = lines(&plan, &world).expect_err(words);
        assert!(told.contains(words), "{told}");
    }
    plan.recovery.backup_role = None;
    let told = lines(&plan, &seen([Nothing, Nothing], true, true)).expect_err("no role");
    assert!(
        told.contains("add backup_role to [recovery] of /etc/relight.toml"),
        "{told}"
    );
    plan.recovery.restore_from = Some(Means::Backup);
    let told = lines(&plan, &seen([Nothing, Nothing], true, true)).expect_err("no backup");
    assert!(told.contains("allows backups only"), "{told}");
}
