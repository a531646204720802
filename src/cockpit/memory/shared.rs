//! An incident that several bastions share: this machine speaks with the table through the cockpit that holds the lock here.
//! It either holds the incident for everybody, or keeps this machine's copy of what another one writes.

use std::time::{Duration, Instant};

use super::{Keeper, Open, course::Turn};
use crate::{
    clients::aws::coordination::{Grip, Held},
    cockpit::share::{Refusal, Share},
    incident::Moment,
    journal::{self, Entry, Holder, Lock, Request, StateDir, Tie, Writer},
    state::{Access, Event},
};

/// How often what another machine writes is looked for, at the least.
const FOLLOW: Duration = Duration::from_secs(2);
/// What is said of a table that gives no answer.
const ALONE: &str = "nothing is started from here while it is so; take over to go on alone, on this machine's journal";

/// How an open incident hangs together with the table.
#[derive(Debug, Default)]
pub(super) struct Bond {
    /// Lock and writer of this machine's copy, while another machine, or nobody, holds the incident.
    pub(super) copy: Option<(Lock, Writer)>,
    /// When the table is asked next; at once unless said.
    pub(super) due: Option<Instant>,
    /// The holder goes on without the table.
    pub(super) alone: bool,
    /// The table may hold a record that this machine does not.
    pub(super) behind: bool,
    /// What was said of the table last: it is the same every time.
    told: Option<String>,
    /// Until when nothing above `look` is started after a take-over.
    quiet: Option<Instant>,
    /// The breath of the holder that was seen last.
    breath: u64,
    /// The number of the last request that was taken.
    asked: u64,
}

impl Keeper {
    /// Joins the incident that is open by the table, wherever it was begun: true if that is all there is to open.
    pub(super) fn join(&mut self, state: &StateDir) -> bool {
        let me = &self.opening.me;
        match Share::of(&self.opening.plan, &me.name(), &me.host) {
            Ok(share) => self.share = share,
            Err(error) => self.notice(format!("the coordination table cannot be used: {error}")),
        }
        let Some(share) = &mut self.share else {
            return false;
        };
        match share.look() {
            Ok(Some(row)) => {
                match state.join(&row.incident) {
                    Ok(folder) => self.attach(folder),
                    Err(error) => self.tell(Event::Access(Access::Observer(error.to_string()))),
                }
                true
            }
            Ok(None) => false,
            Err(failure) => {
                // What was begun here is opened, and looked at; whether another is open elsewhere nobody can tell.
                let here = state.find_open(&self.opening.plan);
                if here.is_ok_and(|found| !found.is_empty()) {
                    return false;
                }
                let text = format!(
                    "{}; whether an incident is open cannot be told",
                    failure.detail
                );
                self.tell(Event::Access(Access::Observer(text)));
                true
            }
        }
    }

    /// Makes the hand that this cockpit has on this machine one on the shared incident, or that of a copyist.
    pub(super) fn bind(&mut self, open: &mut Open) {
        let Some(share) = self.share.as_mut().filter(|_| open.hand.is_some()) else {
            return;
        };
        open.bond.copy = open.hand.take();
        let name = open.folder.name();
        let found = match share.look() {
            Ok(found) => found,
            Err(failure) => return self.cut_off(open, &failure.detail),
        };
        if let Some(row) = &found {
            if row.incident != name {
                let text = format!(
                    "{} on {} holds another incident of this cluster, {}: close this one, or that one, first",
                    row.operator, row.host, row.incident
                );
                return self.tell(Event::Access(Access::Observer(text)));
            }
            let before = Tie::of(&open.folder);
            // The lock was free here: the cockpit that held it under that token is gone.
            let ours = before.is_some_and(|tie| tie.token == row.token && !tie.alone);
            if row.grip == Grip::Held && !ours {
                return self.stand_by(open, row);
            }
        }
        if let Err(why) = self.grasp(open, found.as_ref(), false) {
            self.cut_off(open, &why);
        }
    }

    /// Takes the shared incident, which nobody else holds or, with `over`, somebody does; brings both journals to one length.
    fn grasp(&mut self, open: &mut Open, seen: Option<&Held>, over: bool) -> Result<(), String> {
        let claim = self.claim(0);
        let Some((share, (lock, _))) = self.share.as_mut().zip(open.bond.copy.as_mut()) else {
            return Err("this cockpit does not speak for this machine".to_owned());
        };
        let name = open.folder.name();
        let floor = lock.token().max(open.replay.tail().token);
        let (token, honours) = share
            .take(seen, &name, floor, over)
            .map_err(|refusal| refusal.to_string())?;
        Tie {
            token,
            alone: false,
        }
        .keep(&open.folder)?;
        lock.stand(&claim, token, honours)
            .map_err(|error| format!("cannot write the lock: {error}"))?;
        self.copy(open)?;
        self.push(open)?;
        open.bond.alone = false;
        open.bond.told = None;
        open.hand = open.bond.copy.take();
        Ok(())
    }

    /// Brings what others wrote to this machine, and to the loop.
    fn copy(&self, open: &mut Open) -> Result<(), String> {
        let hand = open.bond.copy.as_mut().or(open.hand.as_mut());
        let Some((share, (lock, writer))) = self.share.as_ref().zip(hand) else {
            return Ok(());
        };
        let lines = share
            .after(&open.folder.name(), writer.seq())
            .map_err(|failure| failure.detail)?;
        for (_, line) in &lines {
            writer.copy(lock, line).map_err(|error| error.to_string())?;
        }
        open.bond.behind = false;
        let mut course = std::mem::take(&mut open.course);
        self.follow(&mut open.replay, &mut course);
        open.course = course;
        Ok(())
    }

    /// Brings what only this machine has to the table: an incident that was begun without one, or gone on with alone.
    fn push(&mut self, open: &mut Open) -> Result<(), String> {
        let hand = open.bond.copy.as_ref().or(open.hand.as_ref());
        let Some((share, (_, writer))) = self.share.as_mut().zip(hand) else {
            return Ok(());
        };
        let name = open.folder.name();
        let text = |error: std::io::Error| format!("cannot read the journal: {error}");
        let journal = std::fs::read_to_string(open.folder.journal()).map_err(text)?;
        let there = share
            .last(&name, writer.seq())
            .map_err(|failure| failure.detail)?;
        let lines = (1..).zip(journal.lines());
        for (seq, line) in lines.skip_while(|(seq, _)| *seq <= there) {
            share
                .put(&name, seq, line)
                .map_err(|refusal| refusal.to_string())?;
        }
        Ok(())
    }

    /// Has this machine's lock tell of the holder on another one.
    fn stand_by(&self, open: &mut Open, row: &Held) {
        if let Some((lock, _)) = &mut open.bond.copy
            && open.bond.breath != row.nonce
        {
            open.bond.breath = row.nonce;
            if lock.token() != row.token || lock.author().operator != row.operator {
                let holder = Holder {
                    token: row.token,
                    operator: row.operator.clone(),
                    host: row.host.clone(),
                    pid: 0,
                    at: row.at,
                    honours: row.honours,
                    spoke: Moment::now(),
                    held: true,
                };
                if let Err(error) = lock.stand_for(&holder) {
                    self.notice(format!("the lock does not name {}: {error}", row.operator));
                }
            }
            lock.beat();
        }
        let copied = self.copy(open);
        self.look_at_holder(open);
        match copied {
            Ok(()) => {
                if open.bond.told.take().is_some() {
                    open.holder = None;
                    self.look_at_holder(open);
                }
            }
            Err(why) => self.cut_off(open, &why),
        }
    }

    /// The table gives no answer, or none that fits: this cockpit looks on until it does, or somebody goes on alone.
    fn cut_off(&self, open: &mut Open, why: &str) {
        if let Some(hand) = open.hand.take() {
            open.bond.copy = Some(hand);
        }
        if open.bond.told.as_deref() != Some(why) {
            open.bond.told = Some(why.to_owned());
            let text = format!("{why}: {ALONE}");
            self.tell(Event::Access(Access::Observer(text)));
        }
    }

    /// Asks the table when it is time to: whether the incident is still ours, or what another writes and whether it has let
    /// go. What to write down if this cockpit holds it from now on.
    pub(super) fn ask_table(&mut self, open: &mut Open) -> Option<Entry> {
        self.forward(open);
        let share = self.share.as_mut()?;
        if open.hand.is_none() && open.bond.copy.is_none() {
            return None;
        }
        if open.bond.due.is_some_and(|due| Instant::now() < due) {
            return None;
        }
        // An observer follows what is written; a holder only breathes.
        let pace = if open.hand.is_some() {
            share.pace()
        } else {
            share.pace().min(FOLLOW)
        };
        open.bond.due = Some(Instant::now() + pace);
        if open.hand.is_some() {
            self.breathe(open);
            return None;
        }
        match share.look() {
            Err(failure) => {
                self.cut_off(open, &failure.detail);
                None
            }
            Ok(None) => {
                // Closed for everybody: its end is copied, and there is nothing left to hold.
                let _ = self.copy(open);
                None
            }
            Ok(Some(row)) => self.met(open, &row),
        }
    }

    /// Another machine's row, or ours of before the table fell silent.
    fn met(&mut self, open: &mut Open, row: &Held) -> Option<Entry> {
        let tie = Tie::of(&open.folder);
        let ours = tie.is_some_and(|tie| tie.token == row.token && !tie.alone);
        let free = row.grip == Grip::Free;
        if !free && !ours {
            self.stand_by(open, row);
            return None;
        }
        if let Err(why) = self.copy(open) {
            self.cut_off(open, &why);
            return None;
        }
        if free && open.course.turn(&open.asked) == Turn::Theirs {
            return None;
        }
        match self.grasp(open, Some(row), false) {
            Ok(()) if free => self.inherited(open),
            Ok(()) => {
                self.notice(format!("{} answers again", self.place()));
                Some(Entry::Together)
            }
            Err(why) => {
                self.cut_off(open, &why);
                None
            }
        }
    }

    /// Breathes for everybody to see, and takes what others ask. Alone, it looks whether the table is back.
    fn breathe(&mut self, open: &mut Open) {
        let Some(share) = &mut self.share else { return };
        if open.bond.alone {
            return self.back(open);
        }
        match share.breathe() {
            Ok(()) => self.take_asked(open),
            Err(Refusal::Other(row)) => {
                open.bond.copy = open.hand.take();
                open.holder = None;
                self.notice(Refusal::Other(row.clone()).to_string());
                self.stand_by(open, &row);
            }
            Err(Refusal::Silent(why) | Refusal::Apart(why)) => {
                if !share.is_fresh() {
                    self.cut_off(open, &why);
                }
            }
        }
        if open.bond.quiet.is_some_and(|until| Instant::now() >= until) {
            open.bond.quiet = None;
            self.allow();
        }
    }

    /// Whether the table is back, and what it says of who went on meanwhile.
    fn back(&mut self, open: &mut Open) {
        let Some(share) = &mut self.share else { return };
        let Ok(found) = share.look() else { return };
        // The row that was there when the table fell silent, ours or another's, says that nobody has had it since.
        let known = [share.breath(), Some(open.bond.breath)];
        if let Some(row) = found
            .as_ref()
            .filter(|row| !known.contains(&Some(row.nonce)))
        {
            open.hand = None;
            let text = format!(
                "{} on {} took this incident meanwhile (token {}): what was done here alone is in {}, and not in the table; \
                 tell them, then open it again",
                row.operator,
                row.host,
                row.token,
                open.folder.journal().display()
            );
            return self.tell(Event::Access(Access::Observer(text)));
        }
        open.bond.copy = open.hand.take();
        match self.grasp(open, found.as_ref(), false) {
            Ok(()) => self.notice(format!("{} answers again and has everything", self.place())),
            Err(why) => {
                open.hand = open.bond.copy.take();
                self.notice(why);
            }
        }
    }

    /// Takes the incident from whoever holds it: at the table where there is one, and on this machine. Where the table gives
    /// no answer it is gone on with alone.
    pub(super) fn seize(&mut self, open: &mut Open) -> Result<(), String> {
        if open.bond.copy.is_none() {
            let lock = Lock::take_over(&open.folder, &self.claim(open.replay.tail().token));
            self.take_hand(open, lock.map_err(|error| error.to_string())?);
            if self.share.is_none() {
                return Ok(());
            }
            open.bond.copy = open.hand.take();
        }
        let Some(share) = &mut self.share else {
            return Ok(());
        };
        match share.look() {
            Ok(seen) => {
                self.copy(open)?;
                let silent = self.share.as_ref().map_or(Duration::ZERO, Share::lease);
                self.grasp(open, seen.as_ref(), true)?;
                open.bond.quiet = Some(Instant::now() + silent);
                Ok(())
            }
            Err(failure) => self.alone(open, &failure.detail),
        }
    }

    /// Goes on with this machine's journal, under a token that is new here.
    fn alone(&self, open: &mut Open, why: &str) -> Result<(), String> {
        let claim = self.claim(0);
        let Some((lock, _)) = &mut open.bond.copy else {
            return Err("this cockpit does not speak for this machine".to_owned());
        };
        let token = lock.token().max(open.replay.tail().token).saturating_add(1);
        Tie { token, alone: true }.keep(&open.folder)?;
        lock.stand(&claim, token, token)
            .map_err(|error| format!("cannot write the lock: {error}"))?;
        open.bond.alone = true;
        open.bond.told = Some(why.to_owned());
        open.hand = open.bond.copy.take();
        Ok(())
    }

    /// Writes down that it is gone on alone.
    pub(super) fn record_alone(&mut self) {
        let alone = self.open.as_ref().filter(|open| open.bond.alone);
        let why = alone.and_then(|open| open.bond.told.clone());
        if let Some(why) = why {
            self.record(Entry::Alone { why });
        }
    }

    /// Lets this cockpit work, after a take-over once the holder of before cannot believe any more that it is one.
    pub(super) fn allow_after_lease(&self) {
        let quiet = self.open.as_ref().and_then(|open| open.bond.quiet);
        match quiet {
            None => self.allow(),
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now()).as_secs() + 1;
                let text = format!(
                    "taken over: nothing is started for another {left} s, until the cockpit of before knows; a command that it \
                     started on its machine may still write"
                );
                self.tell(Event::Access(Access::ReadOnly(text)));
            }
        }
    }

    /// Before anything is written: what the table has and this machine has not.
    pub(super) fn catch_up(&mut self) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        if open.bond.behind
            && !open.bond.alone
            && let Err(why) = self.copy(&mut open)
        {
            self.notice(why);
        }
        self.open = Some(open);
    }

    /// Lets the incident go at the table.
    pub(super) fn let_go(&mut self, grip: Grip) {
        if let Some(share) = self.share.as_mut().filter(|share| share.token().is_some()) {
            // Not heard: others wait for the lease.
            let _ = share.release(grip);
        }
    }

    /// This cockpit leaves.
    pub(super) fn leave(&mut self) {
        let Some(open) = self.open.as_ref().filter(|open| open.hand.is_some()) else {
            return;
        };
        let grip = if open.folder.closed() {
            Grip::Closed
        } else {
            Grip::Free
        };
        self.let_go(grip);
    }

    fn place(&self) -> String {
        self.share.as_ref().map_or_else(String::new, Share::place)
    }

    /// What is asked on this machine of a holder on another one.
    fn forward(&self, open: &Open) {
        let Some((share, (lock, _))) = self.share.as_ref().zip(open.bond.copy.as_ref()) else {
            return;
        };
        for request in journal::asked(&open.folder, lock.token()).unwrap_or_default() {
            let sent = serde_json::to_string(&request)
                .map_err(|error| error.to_string())
                .and_then(|text| {
                    share
                        .ask(&open.folder.name(), &text)
                        .map_err(|failure| failure.detail)
                });
            if let Err(why) = sent {
                self.notice(format!("not asked for: {why}"));
            }
        }
    }

    /// What is asked on other machines of this cockpit: put where what is asked here is found.
    fn take_asked(&self, open: &mut Open) {
        let Some((share, (lock, _))) = self.share.as_ref().zip(open.hand.as_ref()) else {
            return;
        };
        for (seq, text) in share
            .asked(&open.folder.name(), open.bond.asked)
            .unwrap_or_default()
        {
            open.bond.asked = open.bond.asked.max(seq);
            let request = serde_json::from_str::<Request>(&text);
            if let Ok(request) = request
                && request.to == lock.token()
                && let Err(error) = journal::ask(&open.folder, &request)
            {
                self.notice(format!(
                    "what was asked on {} is lost: {error}",
                    request.by.host
                ));
            }
        }
    }
}
