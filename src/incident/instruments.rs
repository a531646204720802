//! The newest reading per subject, with the last good value kept.

use std::{
    collections::{BTreeMap, VecDeque, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{Answer, DoorFact, Fact, Failure, Moment, Observation, Subject};

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

    /// The looks that make this reading again: the last good one, and the last if that is another.
    #[must_use]
    pub fn looks(&self) -> Vec<Observation> {
        let good = self.good.as_ref().filter(|_| self.last.outcome.is_err());
        let good = good.map(|(at, fact)| Observation {
            at: *at,
            outcome: Ok(fact.clone()),
            ..self.last.clone()
        });
        good.into_iter().chain([self.last.clone()]).collect()
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
    /// Takes an observation in. Of one that is older than what is known of its subject, as from a checkpoint, only a
    /// good value counts that is newer than the last good one.
    pub fn take(&mut self, mut seen: Observation) {
        if let Some(before) = self.readings.get(&seen.subject) {
            carry(before, &mut seen);
        }
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
            late(reading, seen.at, good);
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

    /// Fills in what others had seen: subjects not looked at here yet, and good values where none was seen here. What
    /// was seen here stays, so that a failed first look does not hide what the region was like before it went out.
    pub fn recall(&mut self, kept: Self) {
        for (subject, theirs) in kept.readings {
            match self.readings.entry(subject) {
                Entry::Vacant(place) => {
                    place.insert(theirs);
                }
                Entry::Occupied(mut place) => {
                    let ours = place.get_mut();
                    let fruitless = ours.good.is_none();
                    for look in theirs.looks() {
                        let good = look.outcome.ok().map(|fact| (look.at, fact));
                        late(ours, look.at, good);
                    }
                    if fruitless && theirs.failing_since.is_some() {
                        ours.failing_since = theirs.failing_since;
                    }
                }
            }
        }
    }

    /// Whether an observation tells anything but that time has passed: round trips and remaining TTLs differ at every
    /// look, and are early enough on screen with the next second.
    #[must_use]
    pub fn is_news(&self, seen: &Observation) -> bool {
        let Some(reading) = self.readings.get(&seen.subject) else {
            return true;
        };
        match (&reading.last.outcome, &seen.outcome) {
            (Err(before), Err(now)) => before.kind != now.kind,
            (Ok(before), Ok(now)) => !says_the_same(before, now),
            _ => true,
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

/// A door that is shut is a fact, too: it replaces the one before, and must not take with it what was seen there.
fn carry(before: &Reading, seen: &mut Observation) {
    let Some((_, Fact::Door(before))) = &before.good else {
        return;
    };
    if let Ok(Fact::Door(now)) = &mut seen.outcome
        && !before.witnessed.is_empty()
    {
        Arc::make_mut(now).carry(before);
    }
}

/// What an observation that comes late still adds to a reading.
fn late(reading: &mut Reading, at: Moment, good: Option<(Moment, Fact)>) {
    let Some((_, fact)) = good else {
        return;
    };
    match &mut reading.good {
        Some((newer, known)) if *newer >= at => {
            if let (Fact::Door(known), Fact::Door(before)) = (known, &fact) {
                Arc::make_mut(known).carry(before);
            }
            if let (Ok(Fact::Door(known)), Fact::Door(before)) = (&mut reading.last.outcome, &fact)
            {
                Arc::make_mut(known).carry(before);
            }
        }
        older => *older = Some((at, fact)),
    }
}

fn says_the_same(before: &Fact, now: &Fact) -> bool {
    match (before, now) {
        (Fact::Answer(before), Fact::Answer(now)) => timeless(before) == timeless(now),
        (Fact::Door(before), Fact::Door(now)) => instant(before) == instant(now),
        (before, now) => before == now,
    }
}

/// An answer without what changes at every look.
fn timeless(answer: &Answer) -> Answer {
    let mut answer = answer.clone();
    answer.asked.clear();
    answer.ttl = None;
    answer.rtt = Duration::ZERO;
    for hop in &mut answer.chain {
        hop.ttl = 0;
    }
    answer
}

/// A door without the times that it took.
fn instant(door: &DoorFact) -> DoorFact {
    let mut door = door.clone();
    let behind = door.forwarded.as_mut().and_then(|forwarded| {
        forwarded.at = Moment::default();
        forwarded.seen.as_mut().ok()
    });
    for address in door.addresses.iter_mut().chain(behind) {
        if let Ok(tcp) = &mut address.tcp {
            *tcp = Duration::ZERO;
        }
        if let Ok(ping) = &mut address.ping {
            ping.took = Duration::ZERO;
        }
        address.steady.fill(Moment::default());
        if let Ok(wildcard) = &mut address.wildcard {
            wildcard.asked.clear();
        }
    }
    for seen in &mut door.witnessed {
        seen.at = Moment::default();
    }
    door
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
    use crate::incident::{Door, DoorFact, FailureKind, Identity, Side, Witnessed};

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

    fn door(at: i64, pins: Option<&str>) -> Observation {
        let ip = std::net::IpAddr::from([192, 0, 2, 1]);
        let witnessed = pins.map(|pin| Witnessed {
            ip,
            pins: vec![pin.to_owned()],
            at: Moment::from_secs(at),
        });
        let fact = DoorFact {
            host: "old.example.com".to_owned(),
            witnessed: witnessed.into_iter().collect(),
            ..DoorFact::default()
        };
        Observation {
            subject: Subject::Door(Door::Old),
            outcome: Ok(Fact::Door(Arc::new(fact))),
            ..look(at, true)
        }
    }

    fn witnessed(instruments: &Instruments) -> Vec<String> {
        let reading = instruments
            .get(&Subject::Door(Door::Old))
            .expect("a reading");
        let (_, Fact::Door(good)) = reading.good.as_ref().expect("a good value") else {
            unreachable!("{reading:?}")
        };
        assert!(
            reading.last.outcome.is_err() || reading.fresh() == Some(&Fact::Door(good.clone())),
            "evidence tells the same"
        );
        let pins = good.witnessed.iter().flat_map(|seen| seen.pins.clone());
        pins.collect()
    }

    #[test]
    fn what_a_shut_door_once_showed_is_kept() {
        let mut instruments = Instruments::default();
        instruments.take(door(1, Some("first")));
        instruments.take(door(2, Some("second")));
        instruments.take(door(3, None));
        assert_eq!(witnessed(&instruments), ["second"]);
        let silent = Observation {
            subject: Subject::Door(Door::Old),
            ..look(4, false)
        };
        instruments.take(silent.clone());
        instruments.take(door(5, None));
        assert_eq!(witnessed(&instruments), ["second"]);
        // A cockpit that attaches has the checkpoint before or after its own first look, and that look may fail.
        instruments.take(Observation {
            at: Moment::from_secs(6),
            ..silent.clone()
        });
        let checkpoint = instruments
            .get(&Subject::Door(Door::Old))
            .expect("a reading")
            .looks();
        assert_eq!(checkpoint.len(), 2);
        let own = [
            door(9, None),
            Observation {
                at: Moment::from_secs(9),
                ..silent
            },
        ];
        for own in own {
            for first in [true, false] {
                let mut attached = Instruments::default();
                if first {
                    attached.take(own.clone());
                }
                for seen in checkpoint.clone() {
                    attached.take(seen);
                }
                attached.take(own.clone());
                assert_eq!(witnessed(&attached), ["second"], "{own:?} {first}");
            }
        }
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
    fn a_look_that_only_took_another_time_is_no_news() {
        let mut instruments = Instruments::default();
        assert!(instruments.is_news(&look(1, true)), "the first is");
        instruments.take(look(1, true));
        assert!(!instruments.is_news(&look(2, true)));
        assert!(instruments.is_news(&look(2, false)), "a failure is");
        instruments.take(look(2, false));
        assert!(!instruments.is_news(&look(3, false)), "the same again");
        assert!(instruments.is_news(&look(3, true)), "an answer is");
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
