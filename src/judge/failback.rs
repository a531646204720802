//! May the names simply be pointed back to the old region? Not once something was written in the recovery region: the
//! old tables do not have it, and two clusters of the same authorities would go on with two states.

use super::{Glance, Sight, glance};
use crate::incident::{Fact, FailureKind, Moment, Side, Subject, TableRole, brief};

/// How the tables of the two regions stand to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Divergence {
    /// Something was written in the recovery region that the old tables do not have, in words.
    Diverged(Vec<String>),
    /// Nothing was, for each table in words.
    Same(Vec<String>),
    /// It cannot be told of at least one table, in words; to be taken for diverged.
    Unknown(Vec<String>),
}

impl Divergence {
    /// The reasons.
    #[must_use]
    pub fn reasons(&self) -> &[String] {
        match self {
            Self::Diverged(why) | Self::Same(why) | Self::Unknown(why) => why,
        }
    }
}

/// Compares the newest items of both regions' tables: heartbeats are rewritten every minute, so that an Auth Service
/// that ran on a table shows in it.
#[must_use]
pub fn divergence(sight: &Sight<'_>) -> Divergence {
    let (mut diverged, mut same, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for role in TableRole::BOTH {
        match table(role, sight) {
            Ok((true, why)) => diverged.push(why),
            Ok((false, why)) => same.push(why),
            Err(why) => unknown.push(why),
        }
    }
    if !diverged.is_empty() {
        diverged.extend(unknown);
        Divergence::Diverged(diverged)
    } else if unknown.is_empty() {
        Divergence::Same(same)
    } else {
        Divergence::Unknown(unknown)
    }
}

/// Whether a table has something that the old one does not, in words; or why that cannot be told.
fn table(role: TableRole, sight: &Sight<'_>) -> Result<(bool, String), String> {
    let region = |side| &sight.plan.side(side).region;
    let here = region(Side::Recovery);
    let new = match newest(Side::Recovery, role, sight) {
        Ok(Some(new)) => new,
        Ok(None) => {
            return Ok((
                false,
                format!("the {role} table of {here} is not there, or holds nothing"),
            ));
        }
        Err(why) => return Err(format!("the {role} table of {here}: {why}")),
    };
    let old = newest(Side::Primary, role, sight);
    let ago = |at: Moment| format!("{at} ({} ago)", brief(sight.now.since(at)));
    // Without the old table the start of the outage stands for where it ends.
    let (end, whose) = match (&old, sight.outage) {
        (Ok(Some(old)), _) => (*old, format!("that of {} ends", region(Side::Primary))),
        (_, Some(outage)) => (outage, "the outage began".to_owned()),
        (Ok(None), None) => {
            let there = region(Side::Primary);
            return Ok((true, format!("the {role} table of {there} holds nothing")));
        }
        (Err(why), None) => {
            return Err(format!(
                "the {role} table of {}: {why}",
                region(Side::Primary)
            ));
        }
    };
    let words = format!(
        "the {role} table of {here} was written {}; {whose} {}",
        ago(new),
        ago(end)
    );
    Ok((new > end, words))
}

/// When a table was last written; `None` if it is not there or holds nothing.
fn newest(side: Side, role: TableRole, sight: &Sight<'_>) -> Result<Option<Moment>, String> {
    match glance(&Subject::Table(side, role), sight) {
        Glance::Fresh(Fact::Table(table), _) => match &table.newest {
            Ok(newest) => Ok(*newest),
            Err(failure) => Err(failure.to_string()),
        },
        Glance::Failed(failure, _) if failure.kind == FailureKind::NotFound => Ok(None),
        Glance::Failed(failure, _) => Err(failure.to_string()),
        Glance::Fresh(..) | Glance::Stale(..) | Glance::Never => {
            Err("it has not been looked at lately".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        incident::{Failure, Instruments, Observation, Part, Table},
        plan::sample,
    };

    const NOW: Moment = Moment::from_secs(100_000);
    const OUTAGE: Moment = Moment::from_secs(50_000);

    fn seen(newest: Part<Option<Moment>>) -> Fact {
        Fact::Table(Arc::new(Table {
            name: "t".to_owned(),
            role: TableRole::State,
            region: "r".to_owned(),
            status: "ACTIVE".to_owned(),
            restoring: false,
            created: None,
            replicas: Vec::new(),
            indexes: Vec::new(),
            pitr: Err(failure(FailureKind::Other)),
            backups: Err(failure(FailureKind::Other)),
            newest,
            newest_at: Some(NOW),
            authority: Err(failure(FailureKind::Other)),
            settings: Err(failure(FailureKind::Other)),
        }))
    }

    fn failure(kind: FailureKind) -> Failure {
        Failure::new(kind, "tried")
    }

    /// The same of both tables of a region.
    fn judged(old: &Part<Fact>, new: &Part<Fact>, outage: Option<Moment>) -> Divergence {
        let mut instruments = Instruments::default();
        for role in TableRole::BOTH {
            for (side, outcome) in [(Side::Primary, old), (Side::Recovery, new)] {
                instruments.take(Observation {
                    subject: Subject::Table(side, role),
                    at: NOW,
                    took: Duration::ZERO,
                    outcome: outcome.clone(),
                });
            }
        }
        let plan = sample::plan();
        divergence(&Sight {
            instruments: &instruments,
            plan: &plan,
            now: NOW,
            since: None,
            outage,
        })
    }

    #[test]
    fn only_what_is_seen_to_hold_nothing_new_is_the_same() {
        let at = |secs| Ok(seen(Ok(Some(Moment::from_secs(secs)))));
        let silent = || Err(failure(FailureKind::Timeout));
        let absent = || Err(failure(FailureKind::NotFound));
        let cases = [
            (at(49_000), at(60_000), None, "diverged"),
            (at(49_000), at(49_000), None, "same"),
            (at(49_000), at(48_000), Some(OUTAGE), "same"),
            // The old region is silent: whatever is newer than the outage is not in it.
            (silent(), at(60_000), Some(OUTAGE), "diverged"),
            (silent(), at(49_000), Some(OUTAGE), "same"),
            (silent(), at(60_000), None, "unknown"),
            (at(49_000), silent(), Some(OUTAGE), "unknown"),
            (at(49_000), absent(), Some(OUTAGE), "same"),
            (absent(), at(60_000), None, "diverged"),
            (
                at(49_000),
                Ok(seen(Err(failure(FailureKind::Forbidden)))),
                Some(OUTAGE),
                "unknown",
            ),
        ];
        for (index, (old, new, outage, wanted)) in cases.into_iter().enumerate() {
            let divergence = judged(&old, &new, outage);
            let word = match divergence {
                Divergence::Diverged(_) => "diverged",
                Divergence::Same(_) => "same",
                Divergence::Unknown(_) => "unknown",
            };
            assert_eq!(word, wanted, "case {index}: {divergence:?}");
            assert_eq!(divergence.reasons().len(), 2, "each table has its sentence");
        }
    }
}
