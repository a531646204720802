//! What a restored table lacks, and that edits read back as they were shown.

use super::*;
use crate::incident::{Failure, FailureKind, HostAuthorities, Pitr, Settings};

fn table(role: TableRole) -> Table {
    Table {
        name: format!("teleport-{role}-dr"),
        role,
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
        backups: Ok(Vec::new()),
        newest: Ok(None),
        newest_at: None,
        authority: Ok(HostAuthorities {
            at: crate::incident::Moment::from_secs(1),
            own: None,
            others: Vec::new(),
        }),
        settings: Ok(Settings {
            arn: "arn:aws:dynamodb:us-west-2:111122223333:table/x".to_owned(),
            ttl: Ok(Some(EXPIRES.to_owned())),
            stream: (role == TableRole::State).then(|| STREAM.to_owned()),
            billing: Billing::OnDemand,
            protected: true,
            tags: Ok(BTreeMap::from([
                ("team".to_owned(), "platform: core = 1".to_owned()),
                ("env".to_owned(), "prod".to_owned()),
            ])),
            indexes: BTreeMap::from([(AUDIT_INDEX.to_owned(), "ACTIVE".to_owned())]),
            key: None,
        }),
    }
}

/// As a restore leaves it.
fn bare(role: TableRole, billing: Billing) -> Table {
    let mut table = table(role);
    table.pitr = Ok(Pitr {
        enabled: false,
        earliest: None,
        latest: None,
    });
    if let Ok(settings) = &mut table.settings {
        settings.ttl = Ok(None);
        settings.stream = None;
        settings.protected = false;
        settings.tags = Ok(BTreeMap::new());
        settings.billing = billing;
        settings.indexes.clear();
    }
    table
}

fn lines(table: &Table, base: Option<&Table>) -> Vec<String> {
    let lack = lack(table, base);
    assert_eq!(lack.unclear, Vec::<String>::new());
    lack.edits.iter().map(ToString::to_string).collect()
}

#[test]
fn a_restored_table_lacks_what_the_primarys_has_and_teleport_needs() {
    let slow = Billing::Provisioned {
        read: 10,
        write: 10,
    };
    let state = lines(
        &bare(TableRole::State, Billing::OnDemand),
        Some(&table(TableRole::State)),
    );
    assert_eq!(
        state,
        [
            "UpdateTimeToLive teleport-state-dr: on, by Expires",
            "UpdateTable teleport-state-dr: stream NEW_IMAGE",
            "UpdateContinuousBackups teleport-state-dr: point-in-time recovery on",
            "UpdateTable teleport-state-dr: deletion protection on",
            r#"TagResource teleport-state-dr: {"env":"prod","team":"platform: core = 1"}"#,
        ]
    );
    let audit = lines(&bare(TableRole::Audit, slow), None);
    assert_eq!(
        audit,
        [
            "UpdateTable teleport-audit-dr: billing PAY_PER_REQUEST",
            "UpdateTable teleport-audit-dr: create index timesearchV2",
            "UpdateTimeToLive teleport-audit-dr: on, by Expires",
            "UpdateContinuousBackups teleport-audit-dr: point-in-time recovery on",
        ]
    );
    for role in TableRole::BOTH {
        assert_eq!(
            lines(&table(role), Some(&table(role))),
            Vec::<String>::new()
        );
    }
}

#[test]
fn capacity_is_as_before_unless_it_is_teleports_own_small_one() {
    let given = |read| Billing::Provisioned { read, write: read };
    let cases = [
        (TableRole::State, given(5), Some(given(40)), Some(given(40))),
        (TableRole::State, given(5), None, None),
        (TableRole::State, Billing::OnDemand, Some(given(40)), None),
        (
            TableRole::State,
            given(5),
            Some(Billing::OnDemand),
            Some(Billing::OnDemand),
        ),
        (
            TableRole::Audit,
            given(10),
            Some(given(10)),
            Some(Billing::OnDemand),
        ),
        (TableRole::Audit, given(40), None, None),
    ];
    for (role, now, before, wanted) in cases {
        let with = |billing| {
            let mut table = table(role);
            if let Ok(settings) = &mut table.settings {
                settings.billing = billing;
            }
            table
        };
        let base = before.map(with);
        let found = lack(&with(now), base.as_ref());
        let edits: Vec<_> = found.edits.into_iter().map(|edit| edit.change).collect();
        let wanted: Vec<_> = wanted.into_iter().map(Change::Billing).collect();
        assert_eq!(edits, wanted, "{role} {now:?} {before:?}");
        let noted = matches!(before, Some(Billing::Provisioned { .. }));
        assert_eq!(
            found.notes.iter().any(|note| note.contains("autoscaling")),
            noted
        );
    }
}

#[test]
fn what_cannot_be_read_is_not_taken_for_repaired() {
    let silent = || Failure::new(FailureKind::Forbidden, "no");
    let mut blind = table(TableRole::State);
    blind.settings = Err(silent());
    assert_eq!(lack(&blind, None).unclear.len(), 1);
    let mut half = table(TableRole::State);
    half.pitr = Err(silent());
    if let Ok(settings) = &mut half.settings {
        settings.ttl = Err(silent());
        settings.tags = Err(silent());
    }
    assert_eq!(lack(&half, Some(&table(TableRole::State))).unclear.len(), 3);
    assert_eq!(
        lack(&half, None).unclear.len(),
        2,
        "no tags are wanted then"
    );
}

#[test]
fn an_edit_reads_back_as_it_was_shown_and_nothing_else_is_one() {
    let slow = Billing::Provisioned { read: 7, write: 8 };
    let fast = Billing::Provisioned {
        read: 70,
        write: 80,
    };
    let mut audit = table(TableRole::Audit);
    if let Ok(settings) = &mut audit.settings {
        settings.billing = fast;
    }
    let mut edits = lack(&bare(TableRole::Audit, slow), Some(&audit)).edits;
    let state = bare(TableRole::State, slow);
    edits.extend(lack(&state, Some(&table(TableRole::State))).edits);
    assert_eq!(edits.len(), 12);
    for edit in edits {
        assert_eq!(edit.to_string().parse(), Ok(edit.clone()));
        assert!(!done(&edit, &state) || edit.table != state.name, "{edit}");
        let whole = if edit.table == state.name {
            table(TableRole::State)
        } else {
            audit.clone()
        };
        assert!(done(&edit, &whole), "{edit}");
    }
    for text in [
        "",
        "UpdateTable x: billing PROVISIONED many read 1 write",
        "UpdateTable x: stream KEYS_ONLY",
        "UpdateTable x: create index other",
        "TagResource x: {\"a\":1}",
        "DeleteTable x: now",
        "DynamoDB UpdateTable: tables",
    ] {
        assert_eq!(text.parse::<Edit>(), Err(()), "{text}");
    }
}
