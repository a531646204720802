//! Whose turn it is to hold the incident, as the journal tells it to a cockpit that looks on.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use crate::{
    incident::RunId,
    journal::{Author, Entry, Record, Taking},
};

/// So long an incident that was handed over is left to who accepted it; then whoever looks on goes on with it.
const LEFT: Duration = Duration::from_secs(10);

/// Whose turn it is once nobody holds the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Whoever comes first: nothing was handed over.
    Anybody,
    /// Ours: this author has handed it over to us.
    Ours(Author),
    /// Somebody else's, for a while.
    Theirs,
}

/// What of the journal tells whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Course {
    handed: Option<Handed>,
    /// What the last take-over had to wait for.
    pub(super) runs: Vec<RunId>,
}

#[derive(Debug)]
struct Handed {
    request: String,
    from: Author,
    /// When this cockpit read of it: clocks of two hosts differ.
    since: Instant,
}

impl Course {
    /// Takes a record in.
    pub(super) fn take(&mut self, record: &Record) {
        match &record.entry {
            Entry::HandedOver { request, .. } => {
                self.handed = Some(Handed {
                    request: request.clone(),
                    from: record.author.clone(),
                    since: Instant::now(),
                });
            }
            Entry::Attached => self.handed = None,
            Entry::Took { how, .. } => {
                self.handed = None;
                self.runs = match how {
                    Taking::TakeOver { runs, .. } => runs.clone(),
                    Taking::HandOver => Vec::new(),
                };
            }
            _ => {}
        }
    }

    /// Whose turn it is, for a cockpit that has asked by these requests.
    pub(super) fn turn(&self, asked: &BTreeSet<String>) -> Turn {
        match &self.handed {
            Some(handed) if asked.contains(&handed.request) => Turn::Ours(handed.from.clone()),
            Some(handed) if handed.since.elapsed() < LEFT => Turn::Theirs,
            _ => Turn::Anybody,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Moment, Person};

    fn record(entry: Entry) -> Record {
        Record {
            seq: 1,
            at: Moment::from_secs(7),
            author: Author {
                operator: "alice".to_owned(),
                host: "bastion".to_owned(),
                token: 3,
            },
            prev: String::new(),
            entry,
        }
    }

    #[test]
    fn what_was_handed_over_is_left_to_who_accepted_it() {
        let ours = BTreeSet::from(["1-7-a".to_owned()]);
        let none = BTreeSet::new();
        let mut course = Course::default();
        assert_eq!(course.turn(&none), Turn::Anybody);
        course.take(&record(Entry::Offered));
        assert_eq!(course.turn(&ours), Turn::Anybody, "an offer gives nothing");
        let handed = record(Entry::HandedOver {
            to: Person::default(),
            request: "1-7-a".to_owned(),
        });
        course.take(&handed);
        assert_eq!(course.turn(&none), Turn::Theirs);
        assert_eq!(course.turn(&ours), Turn::Ours(handed.author.clone()));
        let from = handed.author;
        let how = Taking::HandOver;
        course.take(&record(Entry::Took { from, how }));
        assert_eq!(course.turn(&none), Turn::Anybody);
    }
}
