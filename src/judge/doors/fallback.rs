//! What the new cluster's authorities are compared with where neither plan nor black box nor old door tells: what this
//! machine keeps for other purposes, second in rank. And what the age of the authority's row in the state table says,
//! which speaks for or against a cluster, but never proves one.

use std::collections::BTreeSet;

use crate::{
    incident::{
        Baseline, Fact, Moment, Side, Subject, TableRole,
        baseline::{Keeper, Kept},
    },
    judge::{Glance, Sight, glance},
};

/// Pins that this machine keeps, with where they are from in words.
#[derive(Debug)]
pub(super) struct Fallback {
    pub pins: BTreeSet<String>,
    pub from: String,
}

fn seen<'a>(sight: &Sight<'a>) -> Option<&'a Baseline> {
    match glance(&Subject::Baseline, sight).known()? {
        (Fact::Baseline(found), _) => Some(found),
        _ => None,
    }
}

/// Whether pins count: what was written since the outage began may have come from a cluster made anew.
fn counts(kept: &Kept, sight: &Sight<'_>) -> bool {
    sight.outage.is_none_or(|outage| kept.written < outage)
}

/// What may be compared with.
pub(super) fn known(sight: &Sight<'_>) -> Option<Fallback> {
    let counted: Vec<&Kept> = seen(sight)?
        .found
        .iter()
        .filter(|kept| counts(kept, sight))
        .collect();
    if counted.is_empty() {
        return None;
    }
    let told = counted.iter().map(|kept| {
        let whose = match kept.by {
            Keeper::Tsh => "the operator's tsh profile",
            Keeper::Agent => "an agent's ca_pin",
        };
        format!("{whose} of {} ({})", day(kept.written), kept.path)
    });
    Some(Fallback {
        from: format!(
            "of {}, in place of a black box",
            told.collect::<Vec<_>>().join(" and of ")
        ),
        pins: counted
            .iter()
            .flat_map(|kept| &kept.pins)
            .cloned()
            .collect(),
    })
}

/// What was looked at in vain, in words.
pub(super) fn in_vain(sight: &Sight<'_>) -> String {
    let Some(seen) = seen(sight) else {
        return "this machine has not been looked through yet".to_owned();
    };
    let late = seen.found.iter().filter(|kept| !counts(kept, sight)).map(|kept| {
        format!(
            "{} ({}) was written on {}, after the outage began, and may be of a cluster made anew",
            kept.by,
            kept.path,
            day(kept.written)
        )
    });
    let gaps = seen.gaps.iter().map(|gap| gap.detail.clone());
    late.chain(gaps).collect::<Vec<_>>().join("; ")
}

/// What the authority's row in the recovery state table says by its age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// Written before the outage.
    Older(String),
    /// Written since it began.
    Younger(String),
    /// No telling, and why.
    Unknown(String),
}

pub(super) fn row(sight: &Sight<'_>) -> Row {
    let unknown = |why: &str| Row::Unknown(why.to_owned());
    let subject = Subject::Table(Side::Recovery, TableRole::State);
    let Glance::Fresh(Fact::Table(table), _) = glance(&subject, sight) else {
        return unknown("the state table cannot be read just now");
    };
    let place = format!("{} in {}", table.name, table.region);
    let written = table
        .authority
        .as_ref()
        .ok()
        .and_then(|found| found.own.as_ref()?.timestamp);
    let (Some(written), Some(outage)) = (written, sight.outage) else {
        return unknown("the age of the host authority in the state table is not known");
    };
    let words = format!("the host authority in {place} was written at {written}");
    if written < outage {
        Row::Older(format!("{words}, before the outage began"))
    } else {
        Row::Younger(format!("{words}, after the outage began at {outage}"))
    }
}

/// `2026-11-23`
fn day(at: Moment) -> String {
    at.to_string().chars().take(10).collect()
}

#[cfg(test)]
#[path = "fallback_tests.rs"]
mod tests;
