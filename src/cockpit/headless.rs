//! The cockpit without a screen: the same state, journal, probes and runs, driven by one order from a script instead of
//! by keys.
//!
//! Nothing of what a step may do is decided here. An order becomes the intents that keys would have become (arm, read the
//! dialog, type the phrase, answer), so that every guard of [`State::decide`] stands between a script and the world. What
//! is added is patience: a script cannot look at the panes first, so that nothing is armed before the process itself has
//! seen what the guards look at.

mod follow;
mod session;

use std::{
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use self::session::{Gone, Session};
use super::Setup;
use crate::{
    incident::{Action, Evidence, Moment, Risk, Step, StepId, Verdict, Way},
    journal::StateDir,
    report::Told,
    state::{Access, Intent, Overlay, Run, RunState, State},
    step::expand,
};

/// What a script asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Run a step and wait for its verdict.
    Run {
        /// The step.
        step: StepId,
        /// What its dialog asks for.
        answer: Answer,
        /// Which way it goes; as the instruments say unless said.
        way: Option<Way>,
        /// How long it may take to become ready; unless said, until everything has been looked at once.
        wait: Option<Duration>,
        /// The way through, should preconditions be UNKNOWN.
        through: Option<Through>,
    },
    /// Say what a step would do and change nothing.
    DryRun(StepId),
    /// Say what every step would do, in order, and change nothing.
    DryRunAll,
    /// Come back to the newest run of a step and wait for its verdict.
    Wait(StepId),
    /// Ask the live run of a step to stop, and wait for its verdict.
    Cancel(StepId),
    /// Pass a step over.
    Skip {
        /// The step.
        step: StepId,
        /// Why; only an optional step may do without.
        reason: String,
    },
}

/// The answer to a step's dialog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Nothing said, yes, or yes with the phrase.
    pub yes: Option<String>,
    /// The note of who does it by hand.
    pub note: Option<String>,
}

/// What is typed to run a step although preconditions are UNKNOWN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Through {
    /// The phrase of the override's dialog.
    pub phrase: String,
    /// The reason, which stands in the journal.
    pub reason: String,
}

/// A script's order, and how to come back to what it started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// What to do.
    pub order: Order,
    /// The command line up to `step`, by which the same incident is opened again.
    pub again: Vec<String>,
}

/// What an order came to; the exit code of `relight step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// PASS; of a dry run, a skip, and a step of which nothing is observed: done.
    Pass,
    /// FAIL; of a dry run, and of a step of which nothing is observed: its command failed.
    Fail,
    /// UNKNOWN: there was no telling.
    Unknown,
    /// Locked or refused: nothing was started.
    Refused,
    /// Asked to leave before the verdict; what was started goes on.
    Left,
}

impl End {
    /// The exit code, as `relight step run --help` and the README tell it.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Unknown => 2,
            Self::Refused => 3,
            Self::Left => 4,
        }
    }

    const fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Fail => Self::Fail,
            Verdict::Unknown => Self::Unknown,
        }
    }
}

/// Whoever listens to what happens on the way.
type Tell<'a> = &'a mut dyn FnMut(Moment, &Told);

/// Carries out a script's order and lets the incident go again.
///
/// # Errors
/// If signals cannot be listened to, or a thread not be started.
pub async fn headless(setup: &Setup, script: &Script, tell: Tell<'_>) -> io::Result<End> {
    let scratch = match script.order {
        Order::DryRun(_) | Order::DryRunAll => Scratch::beside(setup),
        _ => None,
    };
    let aside = scratch.as_ref().map(|scratch| {
        let mut setup = setup.clone();
        setup.open.state_dir = Some(scratch.path.clone());
        setup
    });
    let mut session = Session::open(aside.as_ref().unwrap_or(setup), tell)?;
    let end = session.obey(&script.order).await;
    if end.is_err() {
        session.tell_left(&expand::shown(&script.again), &script.order);
    }
    session.close();
    if let Some(scratch) = scratch.filter(|_| end.is_ok()) {
        scratch.remove();
    }
    Ok(end.unwrap_or(End::Left))
}

/// A folder for the journal of a dry run while no incident is open: to say what would be done is not to declare one, and
/// the clock of a real outage does not begin with it.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// A folder of its own, unless an incident is open, where the dry run is written down as in the cockpit.
    fn beside(setup: &Setup) -> Option<Self> {
        let is_open = StateDir::locate(setup.open.state_dir.as_deref())
            .and_then(|state| state.find_open(&setup.plan))
            // What is wrong with the folder is told by the attempt to open it.
            .map_or(true, |found| !found.is_empty());
        if is_open || setup.plan.practice {
            return None;
        }
        let name = format!(
            "relight-dry-run-{}-{:08x}",
            std::process::id(),
            fastrand::u32(..)
        );
        let path = std::env::temp_dir().join(name);
        Some(Self { path })
    }

    /// Removes it: what the dry run said has been told.
    fn remove(&self) {
        let _ = std::fs::remove_dir_all(Path::new(&self.path));
    }
}

impl Session<'_> {
    async fn obey(&mut self, order: &Order) -> Result<End, Gone> {
        self.opened().await?;
        match order {
            Order::Run {
                step,
                answer,
                way,
                wait,
                through,
            } => {
                if let Some(way) = way
                    && let Some(why) = self.go(step, *way)
                {
                    return Ok(self.refuse(step, why));
                }
                self.run(step, answer, *wait, through.as_ref()).await
            }
            Order::DryRun(step) => self.dry_run(step).await,
            Order::DryRunAll => self.dry_run_all().await,
            Order::Wait(step) => self.wait(step).await,
            Order::Cancel(step) => self.cancel(step).await,
            Order::Skip { step, reason } => self.skip(step, reason).await,
        }
    }

    async fn run(
        &mut self,
        id: &StepId,
        answer: &Answer,
        wait: Option<Duration>,
        through: Option<&Through>,
    ) -> Result<End, Gone> {
        let Some(step) = self.state.runbook.get(id).cloned() else {
            return Ok(self.refuse(id, "it is not in the runbook"));
        };
        if let Some(why) = self.observes() {
            return Ok(self.refuse(id, why));
        }
        if self
            .state
            .wants_approval(id, self.state.as_chosen(&step).risk)
        {
            let text = format!(
                "{} needs another person's approval ([approvals] in the plan), who looks at what is armed: run it in the cockpit, `relight` on this host, where a colleague on a second cockpit approves it by Y",
                step.title
            );
            return Ok(self.refuse(id, text));
        }
        let locked = self.locked(&step, wait).await?;
        if let (Some(why), None) = (&locked, through) {
            let mut text = format!("{} is locked: {why}", step.title);
            if self.state.waivable(&step).is_ok() {
                let _ = write!(
                    text,
                    " (UNKNOWN, not FAIL: --override \"override {id}\" --reason TEXT runs it all the same)"
                );
            }
            return Ok(self.refuse(id, text));
        }
        // Asked before anything is written, so that a script that lacks the answer leaves no trace.
        if let Err(why) = answered(&self.state, &step, answer) {
            return Ok(self.refuse(id, why));
        }
        match through.filter(|_| locked.is_some()) {
            None => self.intend(Intent::Run(Some(id.clone()))),
            Some(through) => self.go_through(id, through),
        }
        self.carry_out(&step, answer).await
    }

    /// Lets a step go a way, whatever the instruments say; why not, where it has but one.
    fn go(&mut self, id: &StepId, way: Way) -> Option<String> {
        let step = self.state.runbook.get(id)?.clone();
        if self.state.way(&step).0 != way {
            self.select(id);
            self.intend(Intent::OtherWay);
        }
        (self.state.way(&step).0 != way).then(|| self.notice())
    }

    /// Answers the dialog that stands before a step whose preconditions are UNKNOWN. When that is on disk, it is armed.
    fn go_through(&mut self, id: &StepId, through: &Through) {
        self.select(id);
        self.intend(Intent::Override);
        for text in [&through.phrase, &through.reason] {
            if !matches!(self.state.desk.overlay, Some(Overlay::Override(_))) {
                return;
            }
            self.show();
            self.intend(Intent::Paste(text.clone()));
            self.intend(Intent::Accept);
        }
        // Still open: phrase or reason was not taken, and the notice says which.
        self.state.desk.overlay = None;
    }

    async fn dry_run(&mut self, id: &StepId) -> Result<End, Gone> {
        if let Some(why) = self.observes() {
            return Ok(self.refuse(id, why));
        }
        self.looked().await?;
        self.rehearse(id).await
    }

    async fn dry_run_all(&mut self) -> Result<End, Gone> {
        let steps: Vec<StepId> = self
            .state
            .runbook
            .steps
            .iter()
            .map(|step| step.id.clone())
            .collect();
        if let (Some(why), Some(first)) = (self.observes(), steps.first()) {
            return Ok(self.refuse(first, why));
        }
        self.looked().await?;
        let mut worst = End::Pass;
        for step in &steps {
            worst = worst.max(self.rehearse(step).await?);
        }
        Ok(worst)
    }

    async fn rehearse(&mut self, id: &StepId) -> Result<End, Gone> {
        let Some(step) = self.state.runbook.get(id).cloned() else {
            return Ok(self.refuse(id, "it is not in the runbook"));
        };
        self.select(id);
        let chosen = self.state.as_chosen(&step);
        if matches!(chosen.action, Action::Manual(_)) {
            let calls = self.state.prepared(&step, true).map(|done| done.calls);
            let text = match calls {
                Ok(calls) => format!("{} is done by hand: {}", step.title, calls.join(" ")),
                Err(why) => return Ok(self.refuse(id, why)),
            };
            self.tell(&Told::Notice { text: text.into() });
            return Ok(End::Pass);
        }
        self.intend(Intent::DryRun);
        self.carry_out(&step, &Answer::default()).await
    }

    /// Waits until what was asked for is armed, answers its dialog, and follows the run to its verdict.
    async fn carry_out(&mut self, step: &Step, answer: &Answer) -> Result<End, Gone> {
        self.until(Session::is_settled).await?;
        let run = self.armed.take();
        let run = run.and_then(|run| self.state.story.runs.get(&run));
        let Some(armed) = run.map(|run| run.armed.clone()) else {
            let why = self.state.disk.clone().unwrap_or_else(|| self.notice());
            return Ok(self.refuse(&step.id, why));
        };
        self.tell_armed(&armed, &step.title);
        if matches!(self.state.desk.overlay, Some(Overlay::Confirm(_))) {
            // What the dialog shows has just been told.
            self.show();
            let yes = answer.yes.as_ref().filter(|_| armed.phrase.is_some());
            let note = answer.note.as_ref().filter(|_| armed.by_hand);
            let typed: Vec<String> = yes.into_iter().chain(note).cloned().collect();
            if typed.is_empty() {
                self.intend(Intent::Button);
                self.intend(Intent::Accept);
            }
            for text in typed {
                self.intend(Intent::Paste(text));
                self.intend(Intent::Accept);
            }
            if self.state.desk.overlay.is_some() {
                let why = self.notice();
                self.intend(Intent::Dismiss);
                return Ok(self.refuse(&step.id, why));
            }
        }
        self.follow(&step.id, &armed.run).await
    }

    async fn wait(&mut self, id: &StepId) -> Result<End, Gone> {
        let newest = self.state.story.run_of(id).map(|run| run.armed.clone());
        let Some(armed) = newest else {
            return Ok(self.refuse(id, "it has not been run yet: there is nothing to wait for"));
        };
        let title = self.title(id);
        self.tell_armed(&armed, &title);
        self.follow(id, &armed.run).await
    }

    async fn cancel(&mut self, id: &StepId) -> Result<End, Gone> {
        if let Some(why) = self.observes() {
            return Ok(self.refuse(id, why));
        }
        if !self.state.story.run_of(id).is_some_and(Run::is_live) {
            return Ok(self.refuse(id, "it is not running: there is nothing to cancel"));
        }
        self.select(id);
        self.intend(Intent::Cancel);
        self.until(Session::is_settled).await?;
        self.wait(id).await
    }

    async fn skip(&mut self, id: &StepId, reason: &str) -> Result<End, Gone> {
        if let Some(why) = self.observes() {
            return Ok(self.refuse(id, why));
        }
        self.select(id);
        self.intend(Intent::Skip);
        if self.state.desk.overlay.is_some() {
            self.intend(Intent::Paste(reason.to_owned()));
            self.intend(Intent::Accept);
        }
        if self.state.desk.overlay.take().is_some() {
            let why = self.notice();
            return Ok(self.refuse(id, why));
        }
        self.until(Session::is_settled).await?;
        let Some(skip) = self.state.story.skipped.get(id).cloned() else {
            let why = self.state.disk.clone().unwrap_or_else(|| self.notice());
            return Ok(self.refuse(id, why));
        };
        self.tell(&Told::Skipped {
            step: id.clone(),
            reason: skip.reason,
        });
        Ok(End::Pass)
    }

    /// Why nothing can be run from here, if somebody else holds the incident.
    fn observes(&self) -> Option<String> {
        match &self.state.access {
            Access::Observer(why) => Some(format!(
                "{why}. In the cockpit, `relight` on this host, they hand it over (H, then A), or it is taken over from one that hangs (V, by phrase)"
            )),
            Access::Operator | Access::ReadOnly(_) => None,
        }
    }

    fn refuse(&mut self, step: &StepId, why: impl Into<String>) -> End {
        self.tell(&Told::Refused {
            step: step.clone(),
            why: why.into(),
        });
        End::Refused
    }

    /// Whether a run has come to its end, and to which; `None` while it goes on.
    fn end_of(&self, run: &crate::incident::RunId) -> Option<End> {
        let run = self.state.story.runs.get(run)?;
        let dry = run.armed.dry_run;
        let judged = !dry && run.armed.evidence == Evidence::Seen;
        match &run.state {
            RunState::Judged(verdict, _) => Some(End::of(*verdict)),
            RunState::Disarmed => Some(End::Refused),
            RunState::Exited if dry && run.code == Some(0) => Some(End::Pass),
            RunState::Exited if run.told().is_some() => Some(End::Pass),
            RunState::Exited if !judged => Some(End::Fail),
            RunState::ContactLost if !judged => Some(End::Unknown),
            _ => None,
        }
    }
}

/// Whether `--yes` and `--note` answer what the step's dialog will ask; else what is missing.
fn answered(state: &State, step: &Step, answer: &Answer) -> Result<(), String> {
    let phrase = state.prepared(step, false)?.phrase;
    let step = state.as_chosen(step);
    let (title, risk) = (&step.title, step.risk);
    let by_hand = matches!(step.action, Action::Manual(_));
    match (by_hand, answer.note.as_deref().map(str::trim)) {
        (true, None | Some("")) => {
            return Err(format!(
                "{title} is done by hand and asks what was done: --note TEXT"
            ));
        }
        (false, Some(_)) => return Err(format!("{title} is not done by hand: it takes no --note")),
        _ => {}
    }
    let asks = risk > Risk::Look && !by_hand;
    match (phrase, answer.yes.as_deref().map(str::trim)) {
        (Some(phrase), Some(yes)) if yes == phrase => Ok(()),
        (Some(phrase), _) => Err(format!("{title} asks for its phrase: --yes {phrase:?}")),
        (None, None) if asks => Err(format!(
            "{title} is a {} step and asks first: give --yes",
            risk.word()
        )),
        (None, None | Some("")) => Ok(()),
        (None, Some(_)) => Err(format!("{title} has no phrase: give --yes alone")),
    }
}
