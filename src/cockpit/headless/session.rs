//! The loop of a script: the same sources as the cockpit's, but keys.

use std::{collections::BTreeSet, io, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use super::{
    super::{
        INBOX, Setup,
        clock::Clock,
        edge::Edge,
        once::{ECHO, PATIENCE},
    },
    Order, Tell,
};
use crate::{
    incident::{Condition, Moment, Observation, Risk, RunId, Side, Step, StepId, Subject, Way},
    journal::{ArmedStep, Entry},
    probe::{self, Targets},
    report::Told,
    state::{Effect, Event, Intent, Pane, RowKey, State},
    step,
    term::{Signal, Signals, stop_group},
};

/// A size at which the dialog would be seen; nothing is drawn.
const SIZE: (u16, u16) = (200, 60);

/// Asked to leave by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone;

/// A cockpit without a screen.
pub(super) struct Session<'a> {
    pub(super) state: State,
    edge: Edge,
    inbox: mpsc::Receiver<Event>,
    signals: Signals,
    clock: Clock,
    tell: Tell<'a>,
    /// What this process has not looked at yet.
    unseen: BTreeSet<Subject>,
    /// When everything had been looked at once.
    looked: Option<Instant>,
    begun: Instant,
    /// When the journal had been opened, or found to be another's.
    opened: Option<Moment>,
    /// The run that the last intent armed.
    pub(super) armed: Option<RunId>,
    /// What was asked to be recorded and is not on disk yet. (The journal's side writes records of its own, too.)
    waiting: Vec<Entry>,
    /// The run that goes on without us if we leave.
    live: Option<RunId>,
}

/// Whether a look at it takes in what the incident's folder holds: one from before that was known does not count.
const fn written(subject: &Subject) -> bool {
    matches!(
        subject,
        Subject::BlackBox | Subject::Barrier | Subject::Freeze(_) | Subject::Agents
    )
}

/// How much longer a step may be waited for that wants several looks in a row: each process counts its own, and what only
/// wants for the next look is not to be overridden for it.
fn counting(step: &Step) -> Duration {
    let counts = [Way::Graceful, Way::Ungraceful]
        .iter()
        .any(|way| step.by(*way).pre.contains(&Condition::NewDoorSteady));
    if counts { PATIENCE } else { Duration::ZERO }
}

impl<'a> Session<'a> {
    /// Starts journal, runs and probes.
    ///
    /// # Errors
    /// If signals cannot be listened to, or a thread not be started.
    pub(super) fn open(setup: &Setup, tell: Tell<'a>) -> io::Result<Self> {
        let signals = Signals::listen()?;
        let (events, inbox) = mpsc::channel(INBOX);
        let mut state = setup.state();
        state.desk.size = SIZE;
        let probes = probe::all(&setup.plan, &Targets::default());
        let unseen = probes.iter().flat_map(|probe| probe.subjects()).collect();
        Ok(Self {
            state,
            edge: Edge::start(setup, events)?,
            inbox,
            signals,
            clock: Clock::new(),
            tell,
            unseen,
            looked: None,
            begun: Instant::now(),
            opened: None,
            armed: None,
            waiting: Vec::new(),
            live: None,
        })
    }

    /// Lets everything go; runs go on.
    pub(super) fn close(mut self) {
        // Whoever has something to tell does not wait for us any more.
        self.inbox.close();
        self.edge.close(&self.state);
    }

    /// Takes one event in.
    pub(super) async fn turn(&mut self) -> Result<(), Gone> {
        tokio::select! {
            biased;
            signal = self.signals.next() => match signal {
                Signal::Hangup | Signal::Leave => return Err(Gone),
                Signal::Stop => stop_group(),
                Signal::Continue | Signal::Resize => {}
            },
            Some(event) = self.inbox.recv() => self.event(event),
            seen = self.edge.sink.take() => {
                self.edge.seen(&seen);
                self.saw(&seen);
                self.event(Event::Observed(seen, Moment::now()));
            }
            () = self.clock.tick() => {
                self.edge.beat(&self.state);
                self.event(Event::Tick(Moment::now()));
            }
        }
        Ok(())
    }

    fn saw(&mut self, seen: &[Observation]) {
        for observation in seen {
            let began = observation.at.minus(observation.took);
            if !written(&observation.subject) || self.opened.is_some_and(|opened| began >= opened) {
                self.unseen.remove(&observation.subject);
            }
        }
        if self.unseen.is_empty() && self.looked.is_none() {
            self.looked = Some(Instant::now());
            // What follows from the first looks: the load balancer found in a cluster is looked up and asked.
            self.look_again();
        }
    }

    /// Every probe looks now.
    pub(super) fn look_again(&self) {
        self.edge.perform(Effect::ProbeNow, &self.state);
    }

    fn event(&mut self, event: Event) {
        match &event {
            Event::Access(access) => {
                self.edge.access(access);
                if self.opened.is_none() {
                    self.opened = Some(Moment::now());
                    self.look_again();
                }
            }
            Event::Recalled(kept) => self.edge.recalled(kept),
            Event::Notice(text, _) => self.tell(&Told::Notice { text: text.into() }),
            Event::Recorded(record) => self.waiting.retain(|entry| *entry != record.entry),
            Event::DiskFailed(_) => self.waiting.clear(),
            _ => {}
        }
        for effect in self.state.decide(event) {
            match &effect {
                Effect::Record(entry) => {
                    self.waiting.push(entry.clone());
                    if let Entry::Armed(armed) = entry {
                        self.armed = Some(armed.run.clone());
                    }
                }
                // The screen's window on the output: here every line is read, once.
                Effect::Fetch(..) => continue,
                _ => {}
            }
            self.edge.perform(effect, &self.state);
        }
    }

    /// Whether everything asked for so far is on disk, with what followed from it, or will not get there.
    pub(super) fn is_settled(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Turns until something holds.
    pub(super) async fn until(&mut self, holds: impl Fn(&Self) -> bool) -> Result<(), Gone> {
        while !holds(self) {
            self.turn().await?;
        }
        Ok(())
    }

    /// Turns until something holds or the time is up; whether it holds.
    async fn until_or(
        &mut self,
        deadline: impl Fn(&Self) -> Instant,
        holds: impl Fn(&Self) -> bool,
    ) -> Result<bool, Gone> {
        loop {
            if holds(self) {
                return Ok(true);
            }
            let deadline = deadline(self);
            if Instant::now() >= deadline {
                return Ok(false);
            }
            // A turn may be dropped at any time: what it waits for is kept where it comes from.
            if let Ok(turned) = timeout_at(deadline, self.turn()).await {
                turned?;
            }
        }
    }

    /// Waits until the journal has been opened, or is found to be another's.
    pub(super) async fn opened(&mut self) -> Result<(), Gone> {
        self.until(|session| session.opened.is_some()).await
    }

    /// Waits until everything has been looked at, what follows from that included, or has had the time to be.
    pub(super) async fn looked(&mut self) -> Result<(), Gone> {
        self.until_or(Self::looked_by, |_| false).await.map(|_| ())
    }

    fn looked_by(&self) -> Instant {
        let latest = self.begun + PATIENCE;
        self.looked
            .map_or(latest, |looked| latest.min(looked + ECHO))
    }

    /// Why a step is locked; `None` as soon as it may start. Nothing above `look` does before this process has seen
    /// itself where it is: the guards against the wrong account and the wrong cluster lock by what was seen. And what is
    /// done as the world was seen last is armed by what this process has seen, not by what an earlier one left behind:
    /// the world may have moved on since, and the step would refuse what was confirmed.
    pub(super) async fn locked(
        &mut self,
        step: &Step,
        wait: Option<Duration>,
    ) -> Result<Option<String>, Gone> {
        if step.risk > Risk::Look {
            let places = Side::BOTH.map(|side| [Subject::Identity(side), Subject::Cluster(side)]);
            let shown = step::shows(step);
            let unseen = |session: &Self| {
                let mut places = places.iter().flatten();
                (shown && !session.unseen.is_empty())
                    || places.any(|place| session.unseen.contains(place))
            };
            self.until_or(Self::looked_by, |session| !unseen(session))
                .await?;
        }
        let until = wait.map(|wait| self.begun + wait);
        let deadline =
            |session: &Self| until.unwrap_or_else(|| session.looked_by() + counting(step));
        self.until_or(deadline, |session| {
            session.state.blocked(step, false).is_none()
        })
        .await?;
        Ok(self.state.blocked(step, false))
    }

    /// Gives an intent, as a key would.
    pub(super) fn intend(&mut self, intent: Intent) {
        self.state.desk.notice = None;
        self.event(Event::Intent(intent, Moment::now()));
    }

    /// Puts the runbook's cursor on a step.
    pub(super) fn select(&mut self, step: &StepId) {
        let pane = self.state.desk.pane_mut(Pane::Runbook);
        pane.selected = Some(RowKey::Step(step.clone()));
    }

    /// The dialog has been shown: from here on it takes an answer.
    pub(super) fn show(&mut self) {
        self.event(Event::Drawn);
    }

    /// What the last intent was refused with.
    pub(super) fn notice(&self) -> String {
        let notice = self.state.desk.notice.as_ref();
        notice.map_or_else(String::new, |notice| notice.text.clone())
    }

    pub(super) fn tell(&mut self, told: &Told) {
        (self.tell)(Moment::now(), told);
    }

    /// The same for something that happened at a moment.
    pub(super) fn tell_at(&mut self, at: Moment, told: &Told) {
        (self.tell)(at, told);
    }

    pub(super) fn tell_armed(&mut self, armed: &ArmedStep, title: &str) {
        let folder = self.edge.folder();
        let folder = folder.map(|folder| folder.path().to_owned());
        self.tell(&Told::armed(armed, title, folder.unwrap_or_default()));
    }

    /// Says that a signal ended this, and how to come back.
    pub(super) fn tell_left(&mut self, again: &str, order: &Order) {
        let run = self.live.clone();
        let step = match order {
            Order::Run { step, .. }
            | Order::DryRun(step)
            | Order::Wait(step)
            | Order::Cancel(step)
            | Order::Skip { step, .. } => step.as_str(),
            Order::DryRunAll => "",
        };
        let again = format!("{again} step wait {step}");
        self.tell(&Told::Left { run, again });
    }

    /// Names the run that goes on if this process leaves.
    pub(super) fn set_live(&mut self, run: Option<RunId>) {
        self.live = run;
    }

    /// The incident's folder.
    pub(super) fn folder(&self) -> Option<crate::journal::Folder> {
        self.edge.folder()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Runbook;

    #[test]
    fn only_what_wants_several_looks_is_waited_for_longer() {
        let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the runbook");
        let longer: Vec<&str> = runbook
            .steps
            .iter()
            .filter(|step| !counting(step).is_zero())
            .map(|step| step.id.as_str())
            .collect();
        assert_eq!(longer, ["switch-dns", "route-by-arc"]);
    }
}
