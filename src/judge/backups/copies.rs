//! The copies of a table that could be used without the primary, by how old their data is.

use std::time::Duration;

use super::unseen;
use crate::{
    incident::{
        Fact, FailureKind, Moment, RecoveryPoint, Side, Subject, Table, TableRole, Vault, brief,
    },
    judge::{Glance, Sight, glance},
};

/// A copy of a table in the recovery region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// What it is, in words.
    pub what: String,
    /// The moment up to which it holds data.
    pub data: Moment,
    /// The reading that shows it.
    pub subject: Subject,
    /// Whether it must be restored first: 20 minutes and more.
    pub restore: bool,
    /// When its data was measured. What was written since is not known of: the age grows by measuring only.
    pub measured: Option<Moment>,
}

impl Copy {
    /// What would be lost with it: see [`loss`].
    #[must_use]
    pub fn loss(&self, sight: &Sight<'_>) -> Duration {
        loss(self.data, self.measured, sight)
    }
}

/// What a look for copies found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Usable copies, newest data first.
    pub copies: Vec<Copy>,
    /// Why other copies could not be looked at: any of them might be better.
    pub unseen: Vec<String>,
    /// The readings that could be used.
    pub seen: Vec<Subject>,
}

/// What would be lost with data up to a moment: to the outage, or while none is declared to when it was measured, and to
/// now for a copy that nothing is written to. Zero for a table that has been written since.
#[must_use]
pub fn loss(data: Moment, measured: Option<Moment>, sight: &Sight<'_>) -> Duration {
    sight.outage.or(measured).unwrap_or(sight.now).since(data)
}

/// How old a measurement is that was made before what it is to be evidence of; `None` if it counts. It is billed, and
/// so older than the look that carries it.
pub(super) fn early(table: &Table, sight: &Sight<'_>) -> Option<Duration> {
    let since = sight.since?;
    let at = table.newest_at.filter(|at| *at < since)?;
    Some(sight.now.since(at))
}

/// Looks for the usable copies of a table: the table in the recovery region, and recovery points in its vault.
#[must_use]
pub fn search(role: TableRole, sight: &Sight<'_>) -> Search {
    let mut found = Search::default();
    let subject = Subject::Table(Side::Recovery, role);
    match glance(&subject, sight) {
        Glance::Fresh(Fact::Table(table), _) => {
            match &table.newest {
                Ok(_) if early(table, sight).is_some() => found.unseen.push(format!(
                    "data age of {}: last measured {} ago, waiting for a new measurement",
                    table.name,
                    brief(early(table, sight).unwrap_or_default())
                )),
                Ok(newest) => found.copies.extend(
                    newest
                        .filter(|_| table.usable() && !table.wrong())
                        .map(|data| of_table(table, data, &subject)),
                ),
                Err(failure) => found
                    .unseen
                    .push(format!("data age of {}: {failure}", table.name)),
            }
            found.seen.push(subject);
        }
        other => note(&mut found, "table", other),
    }
    let subject = Subject::Vault(role);
    match glance(&subject, sight) {
        Glance::Fresh(Fact::Vault(vault), _) => {
            found.copies.extend(
                vault
                    .usable(sight.now)
                    .map(|point| of_point(vault, point, &subject)),
            );
            found.seen.push(subject);
        }
        other => note(&mut found, "vault", other),
    }
    found
        .copies
        .sort_by_key(|copy| (std::cmp::Reverse(copy.data), copy.restore));
    found
}

/// A source that is not planned or is not there cannot hold a better copy; any other might.
fn note(found: &mut Search, what: &str, seen: Glance<'_>) {
    let settled = matches!(
        seen,
        Glance::Failed(failure, _)
            if matches!(failure.kind, FailureKind::NotPlanned | FailureKind::NotFound)
    );
    if !settled {
        found.unseen.push(unseen(what, seen));
    }
}

fn of_table(table: &Table, data: Moment, subject: &Subject) -> Copy {
    Copy {
        what: format!("table {} in {}", table.name, table.region),
        data,
        subject: subject.clone(),
        restore: false,
        measured: table.newest_at,
    }
}

fn of_point(vault: &Vault, point: &RecoveryPoint, subject: &Subject) -> Copy {
    Copy {
        what: format!(
            "recovery point of {} in vault {}",
            point.created.clock(),
            vault.vault
        ),
        data: point.created,
        subject: subject.clone(),
        restore: true,
        measured: None,
    }
}

/// `4m12s before the outage`, or that the copy is newer than it.
pub(super) fn loss_words(data: Moment, sight: &Sight<'_>) -> String {
    let lost = brief(loss(data, None, sight));
    match sight.outage {
        Some(outage) if data > outage => "written since the outage".to_owned(),
        Some(_) => format!("{lost} before the outage"),
        None => format!("{lost} ago"),
    }
}

/// The same of a measured table: `58s old when measured 3m ago`, so that it does not seem to age by itself.
pub(super) fn measured_words(data: Moment, table: &Table, sight: &Sight<'_>) -> String {
    match (sight.outage, table.newest_at) {
        (None, Some(at)) => format!(
            "{} old when measured {} ago",
            brief(at.since(data)),
            brief(sight.now.since(at))
        ),
        _ => loss_words(data, sight),
    }
}
