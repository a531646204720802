//! What a reading is worth at a moment.

use std::time::Duration;

use super::Sight;
use crate::incident::{Fact, Failure, FailureKind, Reading, Subject};

/// A subject's reading as a judge may use it.
#[derive(Clone, Copy, Debug)]
pub enum Glance<'a> {
    /// Seen, young enough, and after [`Sight::since`].
    Fresh(&'a Fact, Duration),
    /// Last seen so long ago that it only counts as history.
    Stale(&'a Fact, Duration),
    /// The last look failed; the last good value, if any, with its age.
    Failed(&'a Failure, Option<(&'a Fact, Duration)>),
    /// Not looked at yet.
    Never,
}

impl<'a> Glance<'a> {
    /// The newest value known, whatever its age.
    #[must_use]
    pub const fn known(self) -> Option<(&'a Fact, Duration)> {
        match self {
            Self::Fresh(fact, age) | Self::Stale(fact, age) => Some((fact, age)),
            Self::Failed(_, good) => good,
            Self::Never => None,
        }
    }
}

/// Looks a subject up and weighs its age.
#[must_use]
pub fn glance<'a>(subject: &Subject, sight: &Sight<'a>) -> Glance<'a> {
    let Some(reading) = sight.instruments.get(subject) else {
        return Glance::Never;
    };
    match &reading.last.outcome {
        Ok(fact) => {
            let age = sight.now.since(reading.last.at);
            let early = sight.since.is_some_and(|since| reading.last.at < since);
            if early || age > sight.plan.stale_after(subject) {
                Glance::Stale(fact, age)
            } else {
                Glance::Fresh(fact, age)
            }
        }
        // A thing that is not planned was never looked at, however often the schedule said so.
        Err(failure) if failure.kind == FailureKind::NotPlanned => Glance::Failed(failure, None),
        Err(failure) => Glance::Failed(failure, last_good(reading, sight)),
    }
}

fn last_good<'a>(reading: &'a Reading, sight: &Sight<'a>) -> Option<(&'a Fact, Duration)> {
    reading
        .good
        .as_ref()
        .map(|(at, fact)| (fact, sight.now.since(*at)))
}
