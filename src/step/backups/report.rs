//! Facts → lines of the report.

use std::time::Duration;

use crate::incident::{Moment, Recordings, Table, TableRole, Vault, brief};

fn ago(at: Moment, now: Moment) -> String {
    format!("{at} ({} ago)", brief(now.since(at)))
}

/// A table: state, measured age, point-in-time recovery and backups.
pub(super) fn table(table: &Table, cluster: &str, now: Moment) -> Vec<String> {
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
    if table.role == TableRole::State {
        lines.push(match &table.authority {
            Ok(found) if found.own.is_some() => format!("  host authority of {cluster} is in it"),
            Ok(found) if found.others.is_empty() => {
                format!("  WRONG TABLE: no host authority of {cluster}, nor of any other cluster")
            }
            Ok(found) => format!(
                "  WRONG TABLE: no host authority of {cluster}, but of {}",
                found.others.join(", ")
            ),
            Err(failure) => format!("  host authority: {failure}"),
        });
    }
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

/// The copies of one table in a vault: the newest three, how often they come, and what is odd about them.
pub(super) fn points(role: TableRole, vault: &Vault, rpo: Duration, now: Moment) -> Vec<String> {
    let points = &vault.points;
    let mut lines = vec![format!(
        "{role} copies in vault {}: {}{} recovery points",
        vault.vault,
        points.len(),
        if vault.more { "+" } else { "" }
    )];
    lines.extend(points.iter().take(3).map(|point| {
        let cold = point.cold_at.is_some_and(|at| at <= now);
        format!(
            "  {} data of {}{}",
            point.status,
            ago(point.created, now),
            if cold { ", in COLD storage" } else { "" }
        )
    }));
    if let Some(every) = vault.cadence() {
        let warning = if every > rpo { "WARNING: " } else { "" };
        lines.push(format!(
            "  {warning}one every {}: a copy alone loses up to that, and the RPO is {}",
            brief(every),
            brief(rpo)
        ));
    }
    if !points.is_empty() && vault.usable(now).next().is_none() {
        lines.push(
            "  WARNING: none of them can be restored at once: cold, incomplete or past its time"
                .to_owned(),
        );
    }
    let tried = points.iter().filter_map(|point| point.restored).max();
    lines.push(tried.map_or_else(
        || "  no restore was ever tried from them".to_owned(),
        |at| format!("  last restored from {}", ago(at, now)),
    ));
    lines
}
