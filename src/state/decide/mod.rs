//! Events in, effects out. Split by noun: keys, dialogs, steps, runs.

mod dialog;
mod keys;
mod overrides;
mod runs;
mod steps;
mod switch;
mod turns;

use std::time::Duration;

use super::{Effect, Event, Notice, Pending, RunEvent, State, Tone, Wanted};
use crate::{
    incident::Moment,
    journal::{Entry, Record},
};

/// How long a notice stays.
const NOTICE: Duration = Duration::from_secs(10);

impl State {
    /// Takes an event in and says what is to be done. Reads no clock: events carry their time.
    pub fn decide(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Tick(now) => self.tick(now),
            Event::Intent(intent, now) => {
                self.now = self.now.max(now);
                self.intend(intent)
            }
            Event::Resize(columns, rows) => {
                self.desk.size = (columns, rows);
                self.fetch_shown()
            }
            Event::Drawn => {
                // A terminal too small for the panes shows a notice and no dialog.
                let seen = crate::layout::shows_panes(self.desk.size);
                match &mut self.desk.overlay {
                    Some(super::Overlay::Confirm(confirm)) => confirm.drawn = seen,
                    Some(super::Overlay::Override(asked)) => asked.drawn = seen,
                    Some(super::Overlay::Vouch(asked)) => asked.drawn = seen,
                    _ => {}
                }
                Vec::new()
            }
            Event::Observed(seen, now) => {
                self.now = self.now.max(now);
                let mut effects = self.identified(&seen);
                for observation in seen {
                    self.instruments.take(observation);
                }
                effects.extend(self.judge_runs());
                effects.extend(self.ring());
                effects
            }
            Event::Recalled(kept) => {
                self.instruments.recall(kept);
                Vec::new()
            }
            Event::History(history) => {
                self.history = history;
                Vec::new()
            }
            Event::Access(access) => self.turned(access),
            Event::Held(holding) => {
                self.held_by = Some(*holding);
                Vec::new()
            }
            Event::Awaiting(runs) => {
                if runs.is_empty() && !self.awaited.is_empty() {
                    let text = "the runs of before the take-over have ended: steps may be started";
                    self.notify(Tone::Info, text);
                }
                self.awaited = runs;
                Vec::new()
            }
            Event::Asked(request) => self.asked(*request),
            Event::Replayed(records) => {
                for record in &records {
                    self.now = self.now.max(record.at);
                    self.story.apply(record);
                    self.heard(record);
                }
                self.fetch_shown()
            }
            Event::Recorded(record) => self.recorded(&record),
            Event::DiskFailed(why) => {
                self.pending.clear();
                // Offered again each second: said and rung once.
                if self.disk.as_ref() == Some(&why) {
                    return Vec::new();
                }
                self.notify(Tone::Warn, format!("not recorded, and so not done: {why}"));
                self.disk = Some(why);
                vec![Effect::Bell]
            }
            Event::Run(event) => self.run_event(event),
            Event::Output(run, output) => {
                self.outputs.insert(run, output);
                Vec::new()
            }
            Event::Found(run, line) => self.found(run, line),
            Event::Notice(text, now) => {
                self.now = self.now.max(now);
                self.notify(Tone::Info, text);
                Vec::new()
            }
            Event::Saved(text, last, now) => {
                self.now = self.now.max(now);
                self.notify(Tone::Info, text);
                // An empty text would empty the clipboard.
                let some = (!last.is_empty()).then_some(Effect::Offer(last));
                some.into_iter().collect()
            }
        }
    }

    fn tick(&mut self, now: Moment) -> Vec<Effect> {
        self.now = self.now.max(now);
        let old = |notice: &Notice| self.now.since(notice.at) > NOTICE;
        if self.desk.notice.as_ref().is_some_and(old) {
            self.desk.notice = None;
        }
        self.plead_in_vain();
        let mut effects = self.offer_again();
        effects.extend(self.judge_runs());
        effects.extend(self.hand_over());
        effects
    }

    /// While the disk takes nothing: what runs have told, or else a note by which it is found out that it does again.
    fn offer_again(&self) -> Vec<Effect> {
        let operator = !matches!(self.access, super::Access::Observer(_));
        if self.disk.is_none() || !operator || self.story.declared.is_none() {
            return Vec::new();
        }
        if self.owed.is_empty() {
            let text = "the journal can be written again".to_owned();
            return vec![Effect::Record(Entry::Noted { text })];
        }
        self.owed.iter().cloned().map(Effect::Record).collect()
    }

    /// Runs that were confirmed and never told to have started: a cockpit may have ended in between.
    pub(super) fn unsettled(&self) -> Vec<Effect> {
        if matches!(self.access, super::Access::Observer(_)) {
            return Vec::new();
        }
        let confirmed = self
            .story
            .in_order()
            .filter(|run| run.state == super::RunState::Confirmed);
        confirmed
            .map(|run| {
                if run.armed.by_hand {
                    Effect::Record(steps::by_hand(run))
                } else {
                    Effect::Settle(run.armed.run.clone())
                }
            })
            .collect()
    }

    fn recorded(&mut self, record: &Record) -> Vec<Effect> {
        if self.disk.take().is_some() {
            self.notify(Tone::Info, "the journal can be written again");
        }
        self.owed.retain(|entry| *entry != record.entry);
        self.now = self.now.max(record.at);
        self.story.apply(record);
        match &record.entry {
            Entry::Overridden { step, waiver, .. }
                if self.settle(&Pending::Overriding(step.clone())) =>
            {
                self.arm_with(Some(step), false, Some(waiver.clone()))
            }
            Entry::Armed(armed) if self.settle(&Pending::Arming(armed.clone())) => {
                self.armed(armed)
            }
            Entry::Confirmed { run, .. } if self.settle(&Pending::Confirming(run.clone())) => {
                self.confirmed(run)
            }
            Entry::Judged { run, verdict, .. } => {
                self.settle(&Pending::Judging(run.clone()));
                self.judged(run, *verdict)
            }
            Entry::Skipped { step, .. } => {
                self.settle(&Pending::Skipping(step.clone()));
                Vec::new()
            }
            Entry::Cancelled { run } => vec![Effect::Cancel(run.clone())],
            Entry::Approved { by, .. } => self.approved(by),
            Entry::HandedOver { to, .. } => {
                // The last record of this cockpit: nothing is decided here from now on.
                let text = format!("handed over to {} on {}", to.name(), to.host);
                self.turned(super::Access::Observer(text))
            }
            Entry::Closed { .. } => {
                self.notify(
                    Tone::Info,
                    "the incident is closed; leave and start again to begin another",
                );
                Vec::new()
            }
            Entry::Exited { run, .. } | Entry::ContactLost { run, .. } => {
                let mut effects = vec![Effect::ProbeNow];
                effects.extend(self.judge_runs());
                self.ended(run);
                effects.extend(self.switched(run));
                effects
            }
            _ => Vec::new(),
        }
    }

    /// Takes a transition off the list of those on their way to disk; false if it was not this terminal's.
    fn settle(&mut self, done: &Pending) -> bool {
        let before = self.pending.len();
        self.pending.retain(|pending| pending != done);
        self.pending.len() < before
    }

    /// Puts a sentence into the notice line.
    pub(super) fn notify(&mut self, tone: Tone, text: impl Into<String>) {
        self.desk.notice = Some(Notice {
            text: text.into(),
            at: self.now,
            tone,
        });
    }

    /// Refuses something, in words.
    pub(super) fn refuse(&mut self, why: impl Into<String>) -> Vec<Effect> {
        self.notify(Tone::Warn, why);
        Vec::new()
    }

    fn run_event(&mut self, event: RunEvent) -> Vec<Effect> {
        match event {
            RunEvent::Grew { run, lines } => {
                let output = self.outputs.entry(run.clone()).or_default();
                output.total = output.total.max(lines);
                if self.shown_run().is_some_and(|shown| shown.armed.run == run) {
                    self.fetch_shown()
                } else {
                    Vec::new()
                }
            }
            event => self.run_moved(event),
        }
    }

    /// Asks for the part of the shown run's output that the screen needs and the window does not hold.
    pub(super) fn fetch_shown(&self) -> Vec<Effect> {
        let Some(run) = self.shown_run() else {
            return Vec::new();
        };
        let run = run.armed.run.clone();
        let wanted = match self.desk.pane(super::Pane::Output).scroll {
            super::Scroll::Follow => Wanted::Tail,
            super::Scroll::Line(line) => {
                let height = u64::from(self.desk.size.1);
                if self
                    .outputs
                    .get(&run)
                    .is_some_and(|output| output.holds(line, height))
                {
                    return Vec::new();
                }
                Wanted::Around(line)
            }
        };
        vec![Effect::Fetch(run, wanted)]
    }

    /// The time of the newest event, for records that the edge stamps.
    #[must_use]
    pub const fn now(&self) -> Moment {
        self.now
    }
}
