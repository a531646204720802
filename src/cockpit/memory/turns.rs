//! How the incident goes from one cockpit to another: inherited, handed over, taken over; and what observers ask.

use std::time::Duration;

use super::{Keeper, Open, course::Turn};
use crate::{
    incident::{Person, RunId},
    journal::{self, Author, Entry, Folder, Holder, Lock, LockError, Request, Taking, Wish},
    run,
    state::{Access, Event, Holding},
};

impl Keeper {
    /// What there is to look after every half second: what observers ask and whether the lock is still ours; or, of one
    /// who looks on, what was written and whether the incident is free.
    pub(super) fn look(&mut self) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        if open.hand.is_some() {
            self.hold_on(&mut open);
            self.open = Some(open);
            return;
        }
        let mut course = std::mem::take(&mut open.course);
        self.follow(&mut open.replay, &mut course);
        open.course = course;
        let taken = self.inherit(&mut open);
        if taken.is_none() {
            self.look_at_holder(&mut open);
        }
        self.open = Some(open);
        if let Some(entry) = taken {
            self.allow();
            self.record(entry);
        }
    }

    fn hold_on(&self, open: &mut Open) {
        let Some((lock, _)) = &open.hand else { return };
        if let Err(lost @ LockError::Lost(_)) = lock.still_mine() {
            self.lose(open, &lost);
            return;
        }
        let token = lock.token();
        match journal::asked(&open.folder, token) {
            Ok(asked) => {
                for request in asked {
                    self.tell(Event::Asked(Box::new(request)));
                }
            }
            Err(error) => {
                let text = format!(
                    "what observers ask cannot be read in {}: {error}",
                    open.folder.path().display()
                );
                // Said once: it is the same every half second.
                if open.trouble.as_ref() != Some(&text) {
                    self.notice(text.clone());
                    open.trouble = Some(text);
                }
            }
        }
        if !open.awaited.is_empty() {
            let left = live(&open.folder, &open.awaited);
            if left != open.awaited {
                self.tell(Event::Awaiting(left.clone()));
                open.awaited = left;
            }
        }
    }

    /// Somebody took over: from here on this cockpit looks on.
    pub(super) fn lose(&self, open: &mut Open, lost: &LockError) {
        open.hand = None;
        open.holder = None;
        self.tell(Event::Access(Access::Observer(lost.to_string())));
    }

    /// Takes the lock of an incident whose holder has left, or handed it over to us: what to write down of it. `None` while
    /// it is held, or somebody else's turn; a race for it is lost without a word, and looked at again.
    fn inherit(&self, open: &mut Open) -> Option<Entry> {
        let held = journal::holder(&open.folder)
            .map_or(true, |holder| holder.is_some_and(|holder| holder.held));
        if held || open.course.turn(&open.asked) == Turn::Theirs {
            return None;
        }
        let lock = Lock::take(&open.folder, &self.claim(open.replay.tail().token)).ok()?;
        self.take_hand(open, lock);
        open.hand.as_ref()?;
        let entry = match open.course.turn(&open.asked) {
            // Handed over between the last look and the lock: not to us.
            Turn::Theirs => {
                open.hand = None;
                return None;
            }
            Turn::Ours(from) => {
                self.notice("the incident was handed over: this cockpit holds it now");
                let how = Taking::HandOver;
                Entry::Took { from, how }
            }
            Turn::Anybody => {
                self.notice("the operator has left: this cockpit holds the incident now");
                Entry::Attached
            }
        };
        self.wait_for_taken(open);
        Some(entry)
    }

    /// What an earlier take-over had to wait for, and this cockpit has yet to.
    pub(super) fn wait_for_taken(&self, open: &mut Open) {
        open.asked.clear();
        open.awaited = live(&open.folder, &open.course.runs);
        if !open.awaited.is_empty() {
            self.tell(Event::Awaiting(open.awaited.clone()));
        }
    }

    /// Takes the incident from whoever holds it. Nothing is started before every run that is there now has gone: a runner
    /// looks at the token while it holds its run's lock, so that either it sees the new one or it is seen here.
    pub(super) fn take_over(&mut self, phrase: String, silent: Duration) {
        if self.opening.read_only {
            return self.notice("opened with --read-only: it is not taken over from here");
        }
        let Some(mut open) = self.open.take() else {
            return;
        };
        if open.hand.is_some() {
            self.open = Some(open);
            return;
        }
        let before = journal::holder(&open.folder).ok().flatten();
        let taken = Lock::take_over(&open.folder, &self.claim(open.replay.tail().token));
        let lock = match taken {
            Ok(lock) => lock,
            Err(error) => {
                self.open = Some(open);
                return self.notice(format!("not taken over: {error}"));
            }
        };
        self.take_hand(&mut open, lock);
        if open.hand.is_none() {
            self.open = Some(open);
            return;
        }
        let runs = live(&open.folder, &every(&open.folder));
        open.asked.clear();
        open.awaited.clone_from(&runs);
        open.course.runs.clone_from(&runs);
        self.tell(Event::Awaiting(runs.clone()));
        self.open = Some(open);
        self.allow();
        self.notice("taken over: this cockpit holds the incident now");
        let from = before.map_or_else(
            || Author {
                operator: "nobody".to_owned(),
                host: "this host".to_owned(),
                token: 0,
            },
            |holder| Author {
                operator: holder.operator,
                host: holder.host,
                token: holder.token,
            },
        );
        self.record(Entry::Took {
            from,
            how: Taking::TakeOver {
                phrase,
                silent: silent.as_secs(),
                runs,
            },
        });
    }

    /// Asks the holder for something. What comes of it stands in the journal.
    pub(super) fn ask(&mut self, wish: Wish) {
        let accepts = matches!(wish, Wish::Accept { .. });
        if accepts && self.opening.read_only {
            return self.notice("opened with --read-only: an offer is not accepted from here");
        }
        let me = self.opening.me.clone();
        let Some(open) = self.open.as_mut().filter(|open| open.hand.is_none()) else {
            return;
        };
        let asked = match journal::holder(&open.folder) {
            Ok(Some(holder)) => {
                let request = Request::new(holder.token, me, wish);
                let path = open.folder.path().display().to_string();
                match journal::ask(&open.folder, &request) {
                    Ok(()) => {
                        open.asked.insert(request.id);
                        Ok(())
                    }
                    Err(error) => Err(format!("cannot be asked for in {path}: {error}")),
                }
            }
            Ok(None) => Err("nobody holds the incident".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = asked {
            self.notice(why);
        }
    }

    /// STS has said who we are: from here on records carry it, and the lock's file.
    pub(super) fn identify(&mut self, me: Person) {
        let name = me.name();
        self.opening.me = me.clone();
        let Some((lock, _)) = self.open.as_mut().and_then(|open| open.hand.as_mut()) else {
            return;
        };
        if lock.author().operator == name {
            return;
        }
        if let Err(error) = lock.rename(&name) {
            self.notice(format!("the lock does not name {name}: {error}"));
        }
        self.record(Entry::Identified { who: me });
    }

    /// Tells who holds the incident and what runs, when it is news.
    pub(super) fn look_at_holder(&self, open: &mut Open) {
        let Ok(Some(holder)) = journal::holder(&open.folder) else {
            return;
        };
        let other =
            |known: &Holder| (known.token, &known.operator) != (holder.token, &holder.operator);
        if open.holder.as_ref() == Some(&holder) {
            return;
        }
        let news = holder.held && open.holder.as_ref().is_none_or(other);
        open.holder = Some(holder.clone());
        let live = live(&open.folder, &every(&open.folder));
        let held = LockError::Held(Box::new(holder.clone()));
        self.tell(Event::Held(Box::new(Holding { holder, live })));
        if news {
            self.tell(Event::Access(Access::Observer(held.to_string())));
        }
    }
}

/// Every run that has a folder.
fn every(folder: &Folder) -> Vec<RunId> {
    let dirs = run::all(folder).unwrap_or_default();
    dirs.iter().filter_map(run::RunDir::run).collect()
}

/// Those of the runs whose runner or command is there; one that cannot be told counts.
fn live(folder: &Folder, among: &[RunId]) -> Vec<RunId> {
    let is_live = |run: &&RunId| run::RunDir::of(folder, run).is_live().unwrap_or(true);
    among.iter().filter(is_live).cloned().collect()
}
