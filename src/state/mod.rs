//! MIND: State = Story + Instruments + Desk, and the two functions that move it.
//!
//! * [`Story`] is the fold of the journal: only a record that is on disk changes it.
//! * [`Instruments`] hold the newest reading per subject.
//! * [`Desk`] is this terminal's focus, scroll and dialogs: nothing in it outlives the terminal.
//!
//! [`State::decide`] takes an [`Event`] and returns [`Effect`]s. It is pure: it reads no clock and does no I/O, so a
//! journal and a list of events replay to the same screen.

mod alarm;
pub mod clocks;
mod copied;
mod decide;
mod desk;
mod event;
mod operators;
mod output;
mod playback;
mod progress;
mod rows;
mod story;
mod thawed;
mod waive;
mod ways;

use std::{collections::BTreeMap, sync::Arc};

pub use alarm::{Alarm, AlarmKind};
pub use desk::{
    Confirm, Desk, Focus, Notice, Overlay, Override, Pane, PaneDesk, Reason, Scroll, Search, Tone,
    Vouch, Vouching, Why,
};
pub use event::{Effect, Event, Intent, RunEvent};
pub use operators::{Approval, Between, Holding, Offer, Plea};
pub use output::{Output, OutputLine, Wanted};
pub use playback::Playback;
pub use progress::StepState;
pub use rows::{PodKey, RowKey};
pub use story::{Declared, Run, RunState, Skip, Story};

use crate::{
    incident::{History, Instruments, Moment, Person, RunId, Runbook},
    journal::ArmedStep,
    judge::Sight,
    plan::Plan,
};

/// What this terminal may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Holds the incident's lock: may run steps.
    Operator,
    /// Holds the lock and runs `look` steps only; the sentence says why (`--read-only`).
    ReadOnly(String),
    /// Looks on: another cockpit is the operator, or the journal is not open yet. The sentence says which.
    Observer(String),
}

/// How a step would be armed, or dry-run, with the world as it is seen, prepared by the edge that can expand it: the
/// argv or the calls, or why it cannot be.
pub type Prepare = Arc<
    dyn Fn(&crate::incident::Step, bool, &Instruments) -> Result<Prepared, String> + Send + Sync,
>;

/// A step, fully expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The argv, or one line for each API call.
    pub calls: Vec<String>,
    /// The phrase to type, for a `destroy` step.
    pub phrase: Option<String>,
}

/// Everything the cockpit knows.
pub struct State {
    /// The intent.
    pub plan: Arc<Plan>,
    /// The procedure.
    pub runbook: Arc<Runbook>,
    /// What has happened.
    pub story: Story,
    /// What is seen.
    pub instruments: Instruments,
    /// What this terminal shows.
    pub desk: Desk,
    /// The part of each run's output that the screen needs.
    pub outputs: BTreeMap<RunId, Output>,
    /// Time of the newest event.
    pub now: Moment,
    /// What this terminal may do.
    pub access: Access,
    /// Who sits here.
    pub me: Person,
    /// Who holds the incident, for one who looks on.
    pub held_by: Option<Holding>,
    /// Runs of before a take-over: nothing is started before they are gone.
    pub awaited: Vec<RunId>,
    /// Why the journal cannot be written, if it cannot: stops `change` and `destroy` steps.
    pub disk: Option<String>,
    /// Why runs end with this login session, if they do or may.
    pub frail: Option<String>,
    /// Since when all postconditions of a run have held without a break.
    pub holding: BTreeMap<RunId, Moment>,
    /// How long steps took in earlier incidents of this cluster.
    pub history: History,
    /// The run that was asked to stop so that its step can go the other way.
    switching: Option<RunId>,
    /// Records asked for and not yet on disk, so that nothing is asked for twice.
    pending: Vec<Pending>,
    /// What runs have told and is not on disk yet: runs tell it once, so it is offered again until the disk takes it.
    owed: Vec<crate::journal::Entry>,
    /// Credentials that are being read again, until it was told who we are with them.
    rereading: Option<decide::Rereading>,
    /// What was asked of the operator's cockpit and not answered yet.
    plea: Option<Plea>,
    /// Who has accepted the offer, until nothing stands in the way of handing over.
    accepting: Option<crate::journal::Request>,
    /// Alarms that have been rung, and when they were last seen.
    rung: Vec<(AlarmKind, Moment)>,
    prepare: Prepare,
}

/// A transition that is on its way to the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pending {
    Overriding(crate::incident::StepId),
    Arming(Box<ArmedStep>),
    Confirming(RunId),
    Judging(RunId),
    Skipping(crate::incident::StepId),
}

impl State {
    /// A state with nothing seen and nothing done yet.
    #[must_use]
    pub fn new(
        plan: Arc<Plan>,
        runbook: Arc<Runbook>,
        access: Access,
        now: Moment,
        prepare: Prepare,
    ) -> Self {
        Self {
            plan,
            runbook,
            story: Story::default(),
            instruments: Instruments::default(),
            desk: Desk::default(),
            outputs: BTreeMap::new(),
            now,
            access,
            me: Person::default(),
            held_by: None,
            awaited: Vec::new(),
            disk: None,
            frail: None,
            holding: BTreeMap::new(),
            history: History::default(),
            switching: None,
            pending: Vec::new(),
            owed: Vec::new(),
            rereading: None,
            plea: None,
            accepting: None,
            rung: Vec::new(),
            prepare,
        }
    }

    /// The readings as the judges look at them now.
    #[must_use]
    pub fn sight(&self) -> Sight<'_> {
        self.sight_since(None)
    }

    /// The readings as evidence for something that happened at `since`.
    #[must_use]
    pub fn sight_since(&self, since: Option<Moment>) -> Sight<'_> {
        Sight {
            instruments: &self.instruments,
            plan: &self.plan,
            now: self.now,
            since,
            outage: self.story.declared.as_ref().map(|declared| declared.outage),
        }
    }

    /// A step fully expanded, as it would be armed now.
    ///
    /// # Errors
    /// If the plan lacks something it needs: what.
    pub fn prepared(
        &self,
        step: &crate::incident::Step,
        dry_run: bool,
    ) -> Result<Prepared, String> {
        (self.prepare)(&self.as_chosen(step), dry_run, &self.instruments)
    }

    /// The run whose output the output pane shows: the one chosen, else the newest.
    #[must_use]
    pub fn shown_run(&self) -> Option<&Run> {
        match &self.desk.output_run {
            Some(id) => self.story.runs.get(id),
            None => self.story.newest_run(),
        }
    }
}
