//! What is written down: each record on disk, and where the incident is shared in the table before, until the loop is told.

use std::time::Instant;

use super::Keeper;
use crate::{
    clients::aws::coordination::Grip,
    cockpit::{disk, edge},
    incident::{Moment, Observation},
    journal::{Entry, Record},
    state::{Access, Event},
};

impl Keeper {
    /// Looks at the disk: told at once, not when the next record is due.
    pub(super) fn look_at_disk(&mut self) {
        let Some(open) = self.open.as_ref().filter(|open| open.hand.is_some()) else {
            return;
        };
        self.looked = Instant::now();
        let now = disk::cramped(open.folder.path());
        if let Some(why) = now
            .as_ref()
            .filter(|why| self.cramped.as_ref() != Some(why))
        {
            self.tell(Event::DiskFailed(why.clone()));
        }
        self.cramped = now;
    }

    /// Writes an entry and tells the loop when it is on disk. On a disk that is about to be full only what tells of what has
    /// been begun already is written.
    pub(super) fn record(&mut self, entry: Entry) -> bool {
        let begins = matches!(
            entry,
            Entry::Declared { .. }
                | Entry::Overridden { .. }
                | Entry::Armed(_)
                | Entry::Confirmed { .. }
                | Entry::Noted { .. }
        );
        if begins {
            self.look_at_disk();
            if let Some(why) = &self.cramped {
                self.tell(Event::DiskFailed(why.clone()));
                return false;
            }
        }
        self.catch_up();
        let Some(open) = self.open.as_mut().filter(|open| open.hand.is_some()) else {
            self.tell(Event::DiskFailed(
                "this cockpit only observes the incident".to_owned(),
            ));
            return false;
        };
        let Some((lock, writer)) = &mut open.hand else {
            return false;
        };
        // The loop knows its own entry; the disk's may be less.
        let kept = edge::washed(&entry);
        let written = match &mut self.share {
            Some(share) if !open.bond.alone => {
                let written = share.write(&open.folder.name(), lock, writer, kept);
                open.bond.behind = written.is_err();
                written
            }
            _ => writer.append(lock, Moment::now(), kept),
        };
        match written {
            Ok(record) => {
                self.written(Record { entry, ..record });
                if let Some(why) = &self.cramped {
                    self.tell(Event::DiskFailed(why.clone()));
                }
                true
            }
            Err(error) => {
                let lost = lock.still_mine().err();
                self.tell(Event::DiskFailed(error.to_string()));
                if let (Some(lost), Some(mut open)) = (lost, self.open.take()) {
                    self.lose(&mut open, &lost);
                    self.open = Some(open);
                }
                // Somebody may have taken it over on another machine: found out now, not with the next breath.
                if let Some(open) = &mut self.open {
                    open.bond.due = None;
                }
                false
            }
        }
    }

    /// A record of ours is on disk. With a hand-over this cockpit has written its last one: the lock is let go before
    /// anybody is told.
    fn written(&mut self, record: Record) {
        let open = self.open.as_mut();
        let given = open.and_then(|open| {
            open.course.take(&record);
            let Entry::HandedOver { to, .. } = &record.entry else {
                return None;
            };
            let hand = open.hand.take();
            open.holder = None;
            if self.share.is_some() {
                open.bond.copy = hand;
            }
            Some(format!(
                "handed over to {} on {}: its cockpit takes it",
                to.name(),
                to.host
            ))
        });
        self.tell(Event::Recorded(record));
        if let Some(text) = given {
            self.let_go(Grip::Free);
            self.tell(Event::Access(Access::Observer(text)));
        }
    }

    /// The track is a convenience: a disk that does not take it is told by the next record.
    pub(super) fn track(&mut self, seen: &[Observation]) {
        if let Some(open) = self.open.as_mut().filter(|open| open.hand.is_some()) {
            for observation in seen {
                let _ = open.track.put(observation);
            }
        }
    }
}
