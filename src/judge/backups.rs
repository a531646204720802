//! Tables, vault and recordings: which copies are usable without the primary, and how old their data is.

mod copies;
mod lines;
mod recordings;
mod usable;

use std::time::Duration;

use copies::early;
pub use copies::{Copy, Search, loss, search};
pub use lines::{Line, lines};
pub(super) use recordings::{bucket, replication};
pub use usable::copies_usable;

use super::{Assessment, Glance, Sight, glance};
use crate::incident::{
    Fact, Failure, FailureKind, Finding, Health, Moment, Outcome, Side, Subject, Table, TableRole,
    brief, repair::AUDIT_INDEX, source::apart,
};

/// State and audit table exist in the recovery region, ACTIVE and not restoring.
#[must_use]
pub fn tables_ready(sight: &Sight<'_>) -> Finding {
    let (mut wrong, mut unclear, mut evidence) = (Vec::new(), Vec::new(), Vec::new());
    let mut notes = Vec::new();
    for role in TableRole::BOTH {
        let subject = Subject::Table(Side::Recovery, role);
        match glance(&subject, sight) {
            Glance::Fresh(Fact::Table(table), _) => {
                match unready(table) {
                    Some(why) => wrong.push(why),
                    None => unclear.extend(empty(table, sight)),
                }
                let indexed = table.indexes.iter().any(|index| index == AUDIT_INDEX);
                if role == TableRole::Audit && !indexed {
                    notes.push(format!(
                        "{} has no active index {AUDIT_INDEX}: the audit log cannot be searched",
                        table.name
                    ));
                }
                evidence.push(subject);
            }
            Glance::Failed(failure, _) if absent(failure, &subject, sight) => {
                wrong.push(format!("{role} table: {}", failure.detail));
                evidence.push(subject);
            }
            other => unclear.push(unseen(&format!("{role} table"), other)),
        }
    }
    if !wrong.is_empty() {
        return Finding::fail(sentence(&wrong, &notes), evidence);
    }
    if !unclear.is_empty() {
        return Finding::unknown(sentence(&unclear, &notes));
    }
    let region = &sight.plan.recovery.region;
    let good = format!("state and audit table are ACTIVE in {region}");
    Finding::pass(sentence(&[good], &notes), evidence)
}

/// For both tables a copy is usable without the primary, with data no older than the RPO when the outage began.
#[must_use]
pub fn fresh(sight: &Sight<'_>) -> Finding {
    let rpo = sight.plan.objectives.rpo;
    let (mut good, mut wrong, mut unclear, mut evidence) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let searches = TableRole::BOTH.map(|role| search(role, sight));
    for (role, found) in TableRole::BOTH.into_iter().zip(&searches) {
        match found.copies.first() {
            Some(best) if best.loss(sight) <= rpo => {
                good.push(format!(
                    "{role} loses {} ({})",
                    brief(best.loss(sight)),
                    best.what
                ));
                evidence.push(best.subject.clone());
            }
            // Another copy, which could not be looked at, may be better.
            _ if !found.unseen.is_empty() => {
                unclear.push(format!("{role}: {}", found.unseen.join(", ")));
            }
            Some(best) => {
                wrong.push(format!(
                    "{role} would lose {} of {} ({})",
                    brief(best.loss(sight)),
                    brief(rpo),
                    best.what
                ));
                evidence.extend(found.seen.iter().cloned());
            }
            None => {
                wrong.push(format!("{role} has no usable copy outside the primary"));
                evidence.extend(found.seen.iter().cloned());
            }
        }
    }
    let mut notes: Vec<_> = skew(&searches).into_iter().collect();
    notes.extend(replicas(sight));
    if !wrong.is_empty() {
        wrong.extend(unclear);
        return Finding::fail(sentence(&wrong, &notes), evidence);
    }
    if !unclear.is_empty() {
        return Finding::unknown(sentence(&unclear, &notes));
    }
    Finding::pass(sentence(&good, &notes), evidence)
}

/// The recordings bucket of the recovery region answers and is versioned: Teleport reads the oldest version of an
/// object, which is its protection against tampering.
#[must_use]
pub fn recordings_ready(sight: &Sight<'_>) -> Finding {
    let subject = Subject::Recordings(Side::Recovery);
    match glance(&subject, sight) {
        Glance::Fresh(Fact::Recordings(seen), _) => match &seen.versioning {
            Ok(status) if status == "Enabled" => Finding::pass(
                format!("{} in {} is versioned", seen.bucket, seen.region),
                vec![subject],
            ),
            Ok(status) => Finding::fail(
                format!(
                    "{} in {} is not versioned ({}): switch versioning on before anything is recorded",
                    seen.bucket,
                    seen.region,
                    if status.is_empty() {
                        "never was"
                    } else {
                        status
                    }
                ),
                vec![subject],
            ),
            Err(failure) => Finding::unknown(failure.to_string()),
        },
        Glance::Failed(failure, _) if absent(failure, &subject, sight) => {
            Finding::fail(failure.detail.clone(), vec![subject])
        }
        other => Finding::unknown(unseen("recordings bucket", other)),
    }
}

/// The moments that the data of state and audit table is of, as chosen for their restore; `None` for one that was not
/// restored by this incident.
pub type Chosen = [Option<Moment>; 2];

/// What is lost of one table: by the restore point chosen for it, since what is written into the restored table later
/// brings nothing back, and before one is chosen by the best copy there is.
fn losses(sight: &Sight<'_>, chosen: Chosen, searches: &[Search; 2]) -> [Option<Duration>; 2] {
    let [state, audit] = searches;
    [(chosen[0], state), (chosen[1], audit)].map(|(chosen, found)| match chosen {
        Some(data) => Some(loss(data, None, sight)),
        None => found.copies.first().map(|copy| copy.loss(sight)),
    })
}

/// How much data is lost by the restore points chosen, or would be by the best copies there are of the two tables: the
/// worse of both, measured to the start of the outage. `None` while one of them has neither.
#[must_use]
pub fn worst_loss(sight: &Sight<'_>, chosen: Chosen) -> Option<Duration> {
    let searches = TableRole::BOTH.map(|role| search(role, sight));
    let [state, audit] = losses(sight, chosen, &searches);
    Some(state?.max(audit?))
}

/// The pane: the worst loss over both tables against the objective, and the worst thing besides.
#[must_use]
pub fn assessment(sight: &Sight<'_>, chosen: Chosen) -> Assessment {
    let rpo = sight.plan.objectives.rpo;
    let searches = TableRole::BOTH.map(|role| search(role, sight));
    let age = lines(sight)
        .iter()
        .filter(|line| line.recovery)
        .filter_map(|line| line.age)
        .max();
    let found = losses(sight, chosen, &searches);
    let (mut health, mut words) = if let [Some(state), Some(audit)] = found {
        let worst = state.max(audit);
        let health = if worst <= rpo {
            Health::Ok
        } else {
            Health::Degraded
        };
        (
            health,
            format!(
                "{} {} of {}",
                if chosen.iter().any(Option::is_some) {
                    "RPO by the restore point"
                } else {
                    "worst RPO"
                },
                brief(worst),
                brief(rpo)
            ),
        )
    } else {
        lacking(&searches)
    };
    if let Some(note) = replicas(sight).into_iter().next() {
        health = health.max(Health::Degraded);
        words = format!("{words} · {note}");
    }
    let recordings = recordings_ready(sight);
    if recordings.outcome == Outcome::Fail {
        health = health.max(Health::Degraded);
        words = format!("{words} · recordings: {}", recordings.sentence);
    } else if let Some(Fact::Recordings(seen)) = fact(&Subject::Recordings(Side::Recovery), sight) {
        let (worse, told) = recordings::bucket(seen, sight);
        if worse == Health::Degraded {
            health = health.max(worse);
            words = format!("{words} · recordings {told}");
        }
    }
    Assessment::new(health, words, age)
}

fn fact<'a>(subject: &Subject, sight: &Sight<'a>) -> Option<&'a Fact> {
    match glance(subject, sight) {
        Glance::Fresh(fact, _) => Some(fact),
        _ => None,
    }
}

/// What to say when a table has no usable copy.
fn lacking(searches: &[Search; 2]) -> (Health, String) {
    let lacking = TableRole::BOTH
        .into_iter()
        .zip(searches)
        .find(|(_, found)| found.copies.is_empty());
    match lacking {
        Some((role, found)) if found.unseen.is_empty() => (
            Health::Down,
            format!("no usable copy of the {role} table outside the primary"),
        ),
        Some((role, found)) => (
            Health::Unknown,
            format!("{role} copies unknown: {}", found.unseen.join(", ")),
        ),
        None => (Health::Unknown, "not looked at yet".to_owned()),
    }
}

/// Global-table replicas, in words: Teleport does not support them, since they are last-writer-wins.
fn replicas(sight: &Sight<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for side in Side::BOTH {
        for role in TableRole::BOTH {
            let known = glance(&Subject::Table(side, role), sight).known();
            if let Some((Fact::Table(table), _)) = known
                && !table.replicas.is_empty()
            {
                found.push(format!(
                    "{} is a global table ({}): Teleport does not support them",
                    table.name,
                    table.replicas.join(", ")
                ));
            }
        }
    }
    found
}

/// How far the newest state and the audit log nearest to it lie apart: restored as a pair, the two tell of different
/// moments by this much.
fn skew(searches: &[Search; 2]) -> Option<String> {
    let [state, audit] = searches;
    let newest = state.copies.first()?.data;
    let nearest = audit
        .copies
        .iter()
        .map(|copy| apart(newest, copy.data))
        .min()?;
    Some(format!("nearest pair {} apart", brief(nearest)))
}

fn unready(table: &Table) -> Option<String> {
    if table.restoring {
        Some(format!(
            "{} in {} is still being restored: wait for it",
            table.name, table.region
        ))
    } else if table.status != "ACTIVE" {
        Some(format!(
            "{} in {} is {}, not ACTIVE",
            table.name, table.region, table.status
        ))
    } else {
        None
    }
}

/// Whether a state table can be told from an empty one, on which Teleport starts as a new cluster with new certificate
/// authorities. An audit table may well be without an event of today.
fn empty(table: &Table, sight: &Sight<'_>) -> Option<String> {
    if table.role == TableRole::Audit {
        return None;
    }
    let place = format!("{} in {}", table.name, table.region);
    match &table.newest {
        // Heartbeats expire, the host authority does not: a table that holds it is not empty.
        Ok(_) | Err(_) if matches!(&table.authority, Ok(found) if found.own.is_some() && sight.since.is_none_or(|since| found.at >= since)) => {
            None
        }
        Ok(_) if let Some(age) = early(table, sight) => Some(format!(
            "{place} is ACTIVE; waiting for a new measurement of what is in it, the last was made {} ago",
            brief(age)
        )),
        Ok(Some(_)) => None,
        Ok(None) => Some(format!(
            "{place} is ACTIVE and no heartbeat was found in it: on an empty table Teleport starts as another cluster, \
             with other certificate authorities"
        )),
        Err(failure) => Some(format!(
            "{place} is ACTIVE, whether anything is in it is not known: {failure}"
        )),
    }
}

/// Whether a failed look is itself evidence: the other side answered, lately, that there is no such thing.
pub(super) fn absent(failure: &Failure, subject: &Subject, sight: &Sight<'_>) -> bool {
    failure.kind == FailureKind::NotFound
        && sight.instruments.get(subject).is_some_and(|reading| {
            let at = reading.last.at;
            sight.since.is_none_or(|since| at >= since)
                && sight.now.since(at) <= sight.plan.stale_after(subject)
        })
}

/// Why a glance tells nothing about now.
pub(super) fn unseen(what: &str, seen: Glance<'_>) -> String {
    match seen {
        Glance::Fresh(..) => format!("{what}: the reading is of another kind"),
        Glance::Stale(_, age) => format!("{what} last seen {} ago", brief(age)),
        Glance::Failed(failure, Some((_, age))) => {
            format!("{what} last seen {} ago, now {failure}", brief(age))
        }
        Glance::Failed(failure, None) => format!("{what}: {failure}"),
        Glance::Never => format!("{what} not looked at yet"),
    }
}

pub(super) fn sentence(parts: &[String], notes: &[String]) -> String {
    let all: Vec<_> = parts.iter().chain(notes).map(String::as_str).collect();
    all.join("; ")
}

#[cfg(test)]
pub(crate) mod tests;
