//! The fold of the journal.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{Approval, Offer};
use crate::{
    incident::{Evidence, Finding, Moment, RunId, StepId, Verdict},
    journal::{ArmedStep, Author, Entry, Kind, Record, Waiver},
};

/// What the first record of an incident said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Incident, drill or practice.
    pub what: Kind,
    /// When it was declared.
    pub at: Moment,
    /// When the outage began; the RTO clock runs from here.
    pub outage: Moment,
}

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Shown to the operator with what it would do.
    Armed,
    /// Left without running.
    Disarmed,
    /// The operator said yes; the runner is being started.
    Confirmed,
    /// The child runs.
    Running,
    /// The child ended; the world has not been judged yet.
    Exited,
    /// The runner is gone without an exit record; the world has not been judged yet.
    ContactLost,
    /// The verdict is in.
    Judged(Verdict, Vec<Finding>),
}

/// One attempt at a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What was armed.
    pub armed: ArmedStep,
    /// How far it has come.
    pub state: RunState,
    /// When it was armed.
    pub armed_at: Moment,
    /// What the person who did it by hand has noted.
    pub note: Option<String>,
    /// When its child was started.
    pub started: Option<Moment>,
    /// When its child ended, or contact was lost.
    pub ended: Option<Moment>,
    /// How it ended, in words.
    pub how: Option<String>,
    /// Exit code of the child.
    pub code: Option<i32>,
    /// When the operator asked it to stop.
    pub cancelled: Option<Moment>,
    /// When the verdict came.
    pub judged: Option<Moment>,
}

impl Run {
    /// Whether its child may still be changing the world.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self.state, RunState::Confirmed | RunState::Running)
    }

    /// What it was allowed to go on without.
    #[must_use]
    pub const fn waiver(&self) -> Option<&Waiver> {
        self.armed.waiver.as_ref()
    }

    /// How it came out where nothing is observed: what a person or an exit code told. Never a verdict.
    #[must_use]
    pub fn told(&self) -> Option<Evidence> {
        let evidence = self.armed.evidence;
        let ended = self.state == RunState::Exited && !self.armed.dry_run;
        let well = evidence != Evidence::Seen && self.code == Some(0);
        (ended && well).then_some(evidence)
    }

    /// Whether what comes after may build on it: seen to have worked, or told where nothing can be seen.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.state, RunState::Judged(Verdict::Pass, _)) || self.told().is_some()
    }

    /// Whether it has ended and waits for its verdict.
    #[must_use]
    pub const fn is_settling(&self) -> bool {
        matches!(self.state, RunState::Exited | RunState::ContactLost)
    }
}

/// A step passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// When.
    pub at: Moment,
    /// Why.
    pub reason: String,
    /// Who.
    pub operator: String,
}

/// What has happened so far. Changed by [`Story::apply`] alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Story {
    /// The declaration.
    pub declared: Option<Declared>,
    /// Every run, in the order of arming.
    pub runs: BTreeMap<RunId, Run>,
    /// Run ids in the order of arming.
    pub order: Vec<RunId>,
    /// Steps passed over and not run since.
    pub skipped: BTreeMap<StepId, Skip>,
    /// Who holds the incident.
    pub holder: Option<Author>,
    /// The holder's offer to hand it over, while it stands.
    pub offer: Option<Offer>,
    /// Approvals by another person, the newest of each run.
    pub approvals: BTreeMap<RunId, Approval>,
    /// Sequence number of the newest record.
    pub seq: u64,
    /// Fencing token of the newest record.
    pub token: u64,
    /// When and why the incident was closed.
    pub closed: Option<(Moment, String)>,
}

impl Story {
    /// The story that a journal tells.
    #[must_use]
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut story = Self::default();
        for record in records {
            story.apply(record);
        }
        story
    }

    /// Takes one record in. The same record twice changes nothing.
    pub fn apply(&mut self, record: &Record) {
        if record.seq <= self.seq {
            return;
        }
        self.seq = record.seq;
        self.token = record.author.token;
        let at = record.at;
        match &record.entry {
            Entry::Declared { what, outage, .. } => {
                self.declared = Some(Declared {
                    what: *what,
                    at,
                    outage: *outage,
                });
            }
            Entry::Outage { began } => {
                if let Some(declared) = &mut self.declared {
                    declared.outage = *began;
                }
            }
            Entry::Attached | Entry::Took { .. } => {
                self.offer = None;
                self.holder = Some(record.author.clone());
            }
            Entry::Detached | Entry::HandedOver { .. } => {
                self.offer = None;
                self.holder = None;
            }
            Entry::Identified { .. } => self.holder = Some(record.author.clone()),
            Entry::Offered => {
                self.offer = Some(Offer {
                    seq: record.seq,
                    by: record.author.clone(),
                    at,
                });
            }
            Entry::Withdrawn => self.offer = None,
            Entry::Approved {
                run,
                digest,
                by,
                until,
                ..
            } => {
                let approval = Approval {
                    digest: digest.clone(),
                    by: by.clone(),
                    at,
                    until: *until,
                };
                self.approvals.insert(run.clone(), approval);
            }
            Entry::Armed(armed) => self.arm(armed, at),
            Entry::Skipped { step, reason } => {
                let skip = Skip {
                    at,
                    reason: reason.clone(),
                    operator: record.author.operator.clone(),
                };
                self.skipped.insert(step.clone(), skip);
            }
            Entry::Closed { reason } => self.closed = Some((at, reason.clone())),
            entry => self.move_run(entry, at),
        }
    }

    fn arm(&mut self, armed: &ArmedStep, at: Moment) {
        let run = Run {
            armed: armed.clone(),
            state: RunState::Armed,
            armed_at: at,
            note: None,
            started: None,
            ended: None,
            how: None,
            code: None,
            cancelled: None,
            judged: None,
        };
        if self.runs.insert(armed.run.clone(), run).is_none() {
            self.order.push(armed.run.clone());
        }
    }

    fn move_run(&mut self, entry: &Entry, at: Moment) {
        match entry {
            Entry::Disarmed { run } => self.with(run, |run| run.state = RunState::Disarmed),
            Entry::Confirmed { run, note, .. } => {
                self.with(run, |run| {
                    run.state = RunState::Confirmed;
                    run.note.clone_from(note);
                });
                // To say what a step would do is not to take it up again.
                let real = self.runs.get(run).filter(|run| !run.armed.dry_run);
                if let Some(step) = real.map(|run| run.armed.step.clone()) {
                    self.skipped.remove(&step);
                }
            }
            Entry::Started { run, .. } => self.with(run, |run| {
                // Told twice, or late, after a disk that was full: what has ended does not run again.
                if run.state == RunState::Confirmed {
                    run.state = RunState::Running;
                }
                run.started.get_or_insert(at);
            }),
            Entry::Cancelled { run } => self.with(run, |run| run.cancelled = Some(at)),
            Entry::Exited { run, code, how, .. } => self.with_live(run, |run| {
                run.state = RunState::Exited;
                run.code = *code;
                run.how = Some(how.clone());
                run.ended = Some(at);
            }),
            Entry::ContactLost { run, why } => self.with_live(run, |run| {
                run.state = RunState::ContactLost;
                run.how = Some(why.clone());
                run.ended = Some(at);
            }),
            Entry::Judged {
                run,
                verdict,
                findings,
                ..
            } => self.with(run, |run| {
                run.state = RunState::Judged(*verdict, findings.clone());
                run.judged = Some(at);
            }),
            _ => {}
        }
    }

    fn with(&mut self, run: &RunId, change: impl FnOnce(&mut Run)) {
        if let Some(run) = self.runs.get_mut(run) {
            change(run);
        }
    }

    /// The end of a run is told as often as its runner's records are read: the first one counts.
    fn with_live(&mut self, run: &RunId, change: impl FnOnce(&mut Run)) {
        self.with(run, |run| {
            if run.is_live() {
                change(run);
            }
        });
    }

    /// The runs in the order of arming.
    #[must_use]
    pub fn in_order(&self) -> impl DoubleEndedIterator<Item = &Run> {
        self.order.iter().filter_map(|id| self.runs.get(id))
    }

    /// The newest run that got past its dialog and prints something: what is done by hand does not.
    #[must_use]
    pub fn newest_run(&self) -> Option<&Run> {
        self.in_order().rev().find(|run| {
            !run.armed.by_hand && !matches!(run.state, RunState::Armed | RunState::Disarmed)
        })
    }

    /// The newest real (not dry) run of a step that got past its dialog.
    #[must_use]
    pub fn run_of(&self, step: &StepId) -> Option<&Run> {
        self.in_order().rev().find(|run| {
            &run.armed.step == step
                && !run.armed.dry_run
                && !matches!(run.state, RunState::Armed | RunState::Disarmed)
        })
    }

    /// How many runs of a step there have been, dry ones included.
    #[must_use]
    pub fn attempts(&self, step: &StepId) -> u32 {
        let count = self
            .in_order()
            .filter(|run| &run.armed.step == step)
            .count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// How long each step took that was done: from its start to its verdict, or to what was told.
    pub fn durations(&self) -> impl Iterator<Item = (StepId, Duration)> {
        let steps: BTreeSet<&StepId> = self.runs.values().map(|run| &run.armed.step).collect();
        steps.into_iter().filter_map(|step| {
            let run = self.run_of(step).filter(|run| run.is_done())?;
            let end = run.judged.or(run.ended)?;
            Some((step.clone(), end.since(run.started.unwrap_or(run.armed_at))))
        })
    }
}
