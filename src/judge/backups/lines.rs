//! One line for each source of a recovery, as the Backups pane shows them.

use std::time::Duration;

use super::{
    copies::{loss, loss_words, measured_words},
    recordings::{bucket, replication},
};
use crate::{
    incident::{
        Fact, FailureKind, Health, Part, Pitr, Side, Subject, Table, TableRole, Vault, brief,
    },
    judge::{Glance, Sight, glance},
};

/// One source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its health. A source that needs the primary is never worse than DEGRADED or UNKNOWN: it is a second way.
    pub health: Health,
    /// What it is, short: `state table`.
    pub label: String,
    /// What is known of it.
    pub sentence: String,
    /// Age of the reading.
    pub age: Option<Duration>,
    /// The region it needs to be alive.
    pub needs: String,
    /// Whether that is the recovery region.
    pub recovery: bool,
}

/// Every source, those that need only the recovery region first.
#[must_use]
pub fn lines(sight: &Sight<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    for role in TableRole::BOTH {
        let subject = Subject::Table(Side::Recovery, role);
        lines.push(line(
            sight,
            &subject,
            format!("{role} table"),
            |fact| match fact {
                Fact::Table(table) => Some(recovery_table(table, sight)),
                _ => None,
            },
        ));
    }
    for role in TableRole::BOTH {
        let subject = Subject::Vault(role);
        lines.push(line(
            sight,
            &subject,
            format!("{role} copies in vault"),
            |fact| match fact {
                Fact::Vault(vault) => Some(vault_copies(vault, sight)),
                _ => None,
            },
        ));
    }
    let subject = Subject::Recordings(Side::Recovery);
    lines.push(line(
        sight,
        &subject,
        "recordings".to_owned(),
        |fact| match fact {
            Fact::Recordings(seen) => Some(bucket(seen, sight)),
            _ => None,
        },
    ));
    for role in TableRole::BOTH {
        let subject = Subject::Table(Side::Primary, role);
        lines.push(line(
            sight,
            &subject,
            format!("{role} PITR and backups"),
            |fact| match fact {
                Fact::Table(table) => Some(primary_table(table, sight)),
                _ => None,
            },
        ));
    }
    let subject = Subject::Recordings(Side::Primary);
    lines.push(line(
        sight,
        &subject,
        "recordings replication".to_owned(),
        |fact| match fact {
            Fact::Recordings(seen) => Some(replication(seen, sight)),
            _ => None,
        },
    ));
    lines
}

fn line(
    sight: &Sight<'_>,
    subject: &Subject,
    label: String,
    tell: impl Fn(&Fact) -> Option<(Health, String)>,
) -> Line {
    let side = match subject {
        Subject::Table(side, _) | Subject::Recordings(side) => *side,
        _ => Side::Recovery,
    };
    let odd = || (Health::Unknown, "the reading is of another kind".to_owned());
    let (health, sentence, age) = match glance(subject, sight) {
        Glance::Fresh(fact, age) => {
            let (health, words) = tell(fact).unwrap_or_else(odd);
            (health, words, Some(age))
        }
        Glance::Stale(fact, age) => {
            let (_, words) = tell(fact).unwrap_or_else(odd);
            (Health::Unknown, format!("{words} (stale)"), Some(age))
        }
        Glance::Failed(failure, good) => {
            let unmade =
                matches!(subject, Subject::Table(Side::Recovery, role) if restorable(*role, sight));
            if unmade && failure.kind == FailureKind::NotFound {
                let words = "not there yet: Restore tables makes it".to_owned();
                return Line {
                    health: Health::Degraded,
                    label,
                    sentence: words,
                    age: None,
                    needs: sight.plan.side(side).region.clone(),
                    recovery: true,
                };
            }
            let health = match failure.kind {
                FailureKind::NotFound if side == Side::Recovery => Health::Down,
                FailureKind::NotFound => Health::Degraded,
                _ => Health::Unknown,
            };
            match good.and_then(|(fact, age)| Some((tell(fact)?.1, age))) {
                Some((before, age)) => (
                    health,
                    format!("{}; before: {before}", failure.kind.word()),
                    Some(age),
                ),
                None => (health, failure.to_string(), None),
            }
        }
        Glance::Never => (Health::Unknown, "not looked at yet".to_owned(), None),
    };
    Line {
        health,
        label,
        sentence,
        age,
        needs: sight.plan.side(side).region.clone(),
        recovery: side == Side::Recovery,
    }
}

/// Whether there is a copy to make a table from: then one that is missing is work to be done, and no loss.
fn restorable(role: TableRole, sight: &Sight<'_>) -> bool {
    matches!(
        glance(&Subject::Vault(role), sight),
        Glance::Fresh(Fact::Vault(vault), _) if vault.usable(sight.now).next().is_some()
    )
}

fn recovery_table(table: &Table, sight: &Sight<'_>) -> (Health, String) {
    let (health, mut words) = if table.restoring {
        (Health::Degraded, "being restored".to_owned())
    } else if table.usable() && table.wrong() {
        (
            Health::Down,
            format!(
                "WRONG TABLE: no host authority of {}",
                sight.plan.cluster.name
            ),
        )
    } else if table.status == "ACTIVE" {
        match &table.newest {
            Ok(Some(newest)) => {
                let fine = loss(*newest, table.newest_at, sight) <= sight.plan.objectives.rpo;
                let health = if fine { Health::Ok } else { Health::Degraded };
                let what = match table.role {
                    TableRole::State => "newest item",
                    TableRole::Audit => "newest event",
                };
                (
                    health,
                    format!("ACTIVE, {what} {}", measured_words(*newest, table, sight)),
                )
            }
            Ok(None) => (Health::Unknown, format!("ACTIVE, {}", nothing(table.role))),
            Err(failure) => (
                Health::Unknown,
                format!("ACTIVE, data age unknown ({})", failure.kind.word()),
            ),
        }
    } else {
        (Health::Degraded, table.status.clone())
    };
    if table.replicas.is_empty() {
        return (health, words);
    }
    words.push_str("; global table, which Teleport does not support");
    (health.max(Health::Degraded), words)
}

const fn nothing(role: TableRole) -> &'static str {
    match role {
        TableRole::State => "no heartbeat in it to measure its age by",
        TableRole::Audit => "no event of today or yesterday in it",
    }
}

fn vault_copies(vault: &Vault, sight: &Sight<'_>) -> (Health, String) {
    let Some(newest) = vault.usable(sight.now).next() else {
        let words = format!(
            "no usable recovery point in {} ({} seen)",
            vault.vault,
            vault.points.len()
        );
        return (Health::Degraded, words);
    };
    let fine = loss(newest.created, None, sight) <= sight.plan.objectives.rpo;
    let tried = vault.points.iter().filter_map(|point| point.restored).max();
    let tried = tried.map_or_else(
        || "never tried".to_owned(),
        |at| format!("last restored {} ago", brief(sight.now.since(at))),
    );
    let schedule = match &vault.schedules {
        Ok(rules) => rules
            .first()
            .map(|rule| format!(", {}", rule.expression))
            .unwrap_or_default(),
        Err(failure) => format!(", schedules unknown ({})", failure.kind.word()),
    };
    let every = vault
        .cadence()
        .map(|every| format!(", one every {}", brief(every)))
        .unwrap_or_default();
    let words = format!(
        "newest {}, {}{} kept{every}{schedule}, {tried}",
        loss_words(newest.created, sight),
        vault.usable(sight.now).count(),
        if vault.more { "+" } else { "" }
    );
    (if fine { Health::Ok } else { Health::Degraded }, words)
}

fn primary_table(table: &Table, sight: &Sight<'_>) -> (Health, String) {
    let (health, pitr) = pitr(&table.pitr, sight);
    let backups = match &table.backups {
        Ok(backups) => backups.first().map_or_else(
            || "no on-demand backup".to_owned(),
            |newest| {
                format!(
                    "{} on-demand, newest {}",
                    backups.len(),
                    loss_words(newest.created, sight)
                )
            },
        ),
        Err(failure) => format!("on-demand backups unknown ({})", failure.kind.word()),
    };
    (health, format!("{pitr}; {backups}"))
}

fn pitr(part: &Part<Pitr>, sight: &Sight<'_>) -> (Health, String) {
    match part {
        Ok(Pitr {
            enabled: true,
            latest: Some(latest),
            ..
        }) => (
            Health::Ok,
            format!("PITR to {}", loss_words(*latest, sight)),
        ),
        Ok(Pitr { enabled: true, .. }) => (Health::Ok, "PITR on".to_owned()),
        Ok(_) => (Health::Degraded, "PITR off".to_owned()),
        Err(failure) => (
            Health::Unknown,
            format!("PITR unknown ({})", failure.kind.word()),
        ),
    }
}
