//! Facts → lines of the report.

use crate::incident::{Moment, Recordings, RecoveryPoint, Table, TableRole, brief};

fn ago(at: Moment, now: Moment) -> String {
    format!("{at} ({} ago)", brief(now.since(at)))
}

/// A table: state, measured age, point-in-time recovery and backups.
pub(super) fn table(table: &Table, now: Moment) -> Vec<String> {
    let mut lines = vec![format!(
        "{} table {}: {}{}",
        table.role,
        table.name,
        table.status,
        if table.restoring {
            ", being restored"
        } else {
            ""
        }
    )];
    let what = match table.role {
        TableRole::State => "newest heartbeat",
        TableRole::Audit => "newest event",
    };
    lines.push(match &table.newest {
        Ok(Some(newest)) => format!("  {what} {}", ago(*newest, now)),
        Ok(None) => format!("  {what}: none, so its age cannot be measured"),
        Err(failure) => format!("  {what}: {failure}"),
    });
    lines.push(match &table.pitr {
        Ok(pitr) if pitr.enabled => format!(
            "  point-in-time recovery on, to {}",
            pitr.latest
                .map_or_else(|| "an unknown time".to_owned(), |at| ago(at, now))
        ),
        Ok(_) => "  point-in-time recovery OFF".to_owned(),
        Err(failure) => format!("  point-in-time recovery: {failure}"),
    });
    lines.push(match &table.backups {
        Ok(backups) => backups.first().map_or_else(
            || "  no on-demand backup".to_owned(),
            |newest| {
                format!(
                    "  {} on-demand backups, newest {} {}",
                    backups.len(),
                    newest.name,
                    ago(newest.created, now)
                )
            },
        ),
        Err(failure) => format!("  on-demand backups: {failure}"),
    });
    if !table.replicas.is_empty() {
        lines.push(format!(
            "  WARNING: a global table ({}), which Teleport does not support",
            table.replicas.join(", ")
        ));
    }
    lines
}

/// A bucket: versioning, rules and newest objects.
pub(super) fn bucket(seen: &Recordings, now: Moment) -> Vec<String> {
    let versioning = match &seen.versioning {
        Ok(status) if status.is_empty() => "versioning NEVER enabled".to_owned(),
        Ok(status) => format!("versioning {status}"),
        Err(failure) => format!("versioning: {failure}"),
    };
    let mut lines = vec![format!("recordings {}: {versioning}", seen.bucket)];
    match &seen.replication {
        Ok(rules) => lines.extend(rules.iter().map(|rule| {
            format!(
                "  rule {}: {}, to {}, SSE-KMS objects {}, delete markers {}",
                rule.id,
                if rule.enabled { "enabled" } else { "DISABLED" },
                rule.destination,
                if rule.kms { "copied" } else { "NOT copied" },
                if rule.delete_markers {
                    "copied"
                } else {
                    "NOT copied"
                },
            )
        })),
        Err(failure) => lines.push(format!("  replication: {failure}")),
    }
    match &seen.newest {
        Ok(objects) => lines.extend(objects.first().map(|object| {
            format!(
                "  newest object seen {} {}",
                ago(object.modified, now),
                object.replication
            )
        })),
        Err(failure) => lines.push(format!("  objects: {failure}")),
    }
    lines
}

/// The copies of one table in a vault: the newest three.
pub(super) fn points(
    role: TableRole,
    vault: &str,
    (points, more): (&[RecoveryPoint], bool),
    now: Moment,
) -> Vec<String> {
    let mut lines = vec![format!(
        "{role} copies in vault {vault}: {}{} recovery points",
        points.len(),
        if more { "+" } else { "" }
    )];
    lines.extend(points.iter().take(3).map(|point| {
        format!(
            "  {} data of {}{}",
            point.status,
            ago(point.created, now),
            if point.cold_at.is_some_and(|at| at <= now) {
                ", in COLD storage"
            } else {
                ""
            }
        )
    }));
    let tried = points.iter().filter_map(|point| point.restored).max();
    lines.push(tried.map_or_else(
        || "  no restore was ever tried from them".to_owned(),
        |at| format!("  last restored from {}", ago(at, now)),
    ));
    lines
}
