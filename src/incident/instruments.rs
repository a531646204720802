//! The newest reading per subject, with the last good value kept.

use std::collections::{BTreeMap, VecDeque, btree_map::Entry};

use serde::{Deserialize, Serialize};

use super::{Fact, Failure, Moment, Observation, Subject};

/// How many earlier readings of a subject are kept for strips and curves.
const HISTORY: usize = 64;

/// What is known of one subject: the last look, and the last good value with its age.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The last look, good or not.
    pub last: Observation,
    /// The last good value and when it was seen. A failure never erases it.
    pub good: Option<(Moment, Fact)>,
    /// Since when looks have been failing without a break.
    pub failing_since: Option<Moment>,
    /// When earlier looks were made and whether they gave a fact, oldest first, at most 64.
    pub history: VecDeque<(Moment, bool)>,
}

impl Reading {
    /// The value if the last look gave one.
    #[must_use]
    pub fn fresh(&self) -> Option<&Fact> {
        self.last.outcome.as_ref().ok()
    }

    /// Why the last look gave nothing.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.last.outcome.as_ref().err()
    }
}

/// Every reading the cockpit has. Replaced piece by piece by observations, never emptied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Instruments {
    readings: BTreeMap<Subject, Reading>,
}

impl Instruments {
    /// Takes an observation in. One that is older than what is known of its subject is ignored.
    pub fn take(&mut self, seen: Observation) {
        let good = seen
            .outcome
            .as_ref()
            .ok()
            .map(|fact| (seen.at, fact.clone()));
        let Some(reading) = self.readings.get_mut(&seen.subject) else {
            let failing_since = good.is_none().then_some(seen.at);
            let history = VecDeque::from([(seen.at, good.is_some())]);
            let subject = seen.subject.clone();
            self.readings.insert(
                subject,
                Reading {
                    last: seen,
                    good,
                    failing_since,
                    history,
                },
            );
            return;
        };
        if seen.at < reading.last.at {
            return;
        }
        if reading.history.len() == HISTORY {
            reading.history.pop_front();
        }
        reading.history.push_back((seen.at, good.is_some()));
        reading.failing_since = if good.is_some() {
            None
        } else {
            reading.failing_since.or(Some(seen.at))
        };
        if good.is_some() {
            reading.good = good;
        }
        reading.last = seen;
    }

    /// Fills in what others had seen: subjects not looked at here yet, and good values older than any seen here. What
    /// was seen here stays, so that a failed first look does not hide what the region was like before it went out.
    pub fn recall(&mut self, kept: Self) {
        for (subject, theirs) in kept.readings {
            match self.readings.entry(subject) {
                Entry::Vacant(place) => {
                    place.insert(theirs);
                }
                Entry::Occupied(mut place) => {
                    let ours = place.get_mut();
                    if ours.good.is_none() {
                        ours.good = theirs.good;
                        if ours.failing_since.is_some() && theirs.failing_since.is_some() {
                            ours.failing_since = theirs.failing_since;
                        }
                    }
                }
            }
        }
    }

    /// The reading of a subject.
    #[must_use]
    pub fn get(&self, subject: &Subject) -> Option<&Reading> {
        self.readings.get(subject)
    }

    /// Every reading, ordered by subject.
    pub fn iter(&self) -> impl Iterator<Item = (&Subject, &Reading)> {
        self.readings.iter()
    }

    /// Whether nothing has been observed yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.readings.is_empty()
    }
}

impl FromIterator<Reading> for Instruments {
    /// Instruments as a checkpoint kept them.
    fn from_iter<I: IntoIterator<Item = Reading>>(readings: I) -> Self {
        let readings = readings
            .into_iter()
            .map(|mut reading| {
                let surplus = reading.history.len().saturating_sub(HISTORY);
                reading.history.drain(..surplus);
                (reading.last.subject.clone(), reading)
            })
            .collect();
        Self { readings }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::incident::{FailureKind, Identity, Side};

    fn look(at: i64, good: bool) -> Observation {
        let outcome = if good {
            Ok(Fact::Identity(Identity::default()))
        } else {
            Err(Failure::new(
                FailureKind::Timeout,
                "STS in us-east-1 gave no answer in 3s",
            ))
        };
        let subject = Subject::Identity(Side::Primary);
        Observation {
            subject,
            at: Moment::from_secs(at),
            took: Duration::from_millis(3),
            outcome,
        }
    }

    #[test]
    fn a_failure_keeps_the_last_good_value_and_dates_itself() {
        let mut instruments = Instruments::default();
        for seen in [look(1, true), look(2, false), look(3, false)] {
            instruments.take(seen);
        }
        let reading = instruments
            .get(&Subject::Identity(Side::Primary))
            .expect("a reading");
        assert!(reading.fresh().is_none());
        assert_eq!(
            reading.good.as_ref().map(|good| good.0),
            Some(Moment::from_secs(1))
        );
        assert_eq!(reading.failing_since, Some(Moment::from_secs(2)));
    }

    #[test]
    fn a_failed_first_look_does_not_hide_what_others_had_seen() {
        let mut kept = Instruments::default();
        kept.take(look(1, true));
        kept.take(look(2, false));
        let mut instruments = Instruments::default();
        instruments.take(look(9, false));
        instruments.recall(kept.clone());
        let reading = instruments
            .get(&Subject::Identity(Side::Primary))
            .expect("a reading");
        assert_eq!(reading.last.at, Moment::from_secs(9));
        assert_eq!(
            reading.good.as_ref().map(|good| good.0),
            Some(Moment::from_secs(1))
        );
        assert_eq!(reading.failing_since, Some(Moment::from_secs(2)));
        let mut fresh = Instruments::default();
        fresh.recall(kept.clone());
        assert_eq!(fresh, kept, "with nothing seen here all of it is taken");
    }

    #[test]
    fn an_older_observation_changes_nothing() {
        let mut instruments = Instruments::default();
        instruments.take(look(5, true));
        let before = instruments.clone();
        instruments.take(look(4, false));
        assert_eq!(instruments, before);
    }
}
