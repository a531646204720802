//! Where each step stands, and why it may not start.

use crate::{
    incident::{Evidence, Moment, Outcome, Risk, RunId, Side, Step, StepId, Verdict},
    judge,
};

use super::{Access, Pending, Run, RunState, State};

/// Where a step stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepState {
    /// May not start; the sentence says why.
    Locked(String),
    /// May start.
    Ready,
    /// Its child runs since this moment.
    Running(Moment),
    /// Its child has ended; the world has not caught up yet. What is still missing.
    Settling(String),
    /// Seen to have worked.
    Passed,
    /// Seen not to have worked; what is missing.
    Failed(String),
    /// No telling whether it worked; what could not be seen.
    Unclear(String),
    /// Done, as a person or an exit code tells; nothing was seen. What was told.
    Told(Evidence, String),
    /// Passed over; why.
    Skipped(String),
}

impl StepState {
    /// The word that is shown beside the symbol.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Locked(_) => "locked",
            Self::Ready => "ready",
            Self::Running(_) => "running",
            Self::Settling(_) => "settling",
            Self::Passed => "PASS",
            Self::Failed(_) => "FAIL",
            Self::Unclear(_) => "UNKNOWN",
            Self::Told(evidence, _) => evidence.word(),
            Self::Skipped(_) => "skipped",
        }
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Passed | Self::Told(..) | Self::Skipped(_))
    }

    /// The sentence that belongs to the word, where there is one.
    #[must_use]
    pub const fn why(&self) -> Option<&str> {
        match self {
            Self::Locked(why)
            | Self::Settling(why)
            | Self::Failed(why)
            | Self::Unclear(why)
            | Self::Told(_, why)
            | Self::Skipped(why) => Some(why.as_str()),
            Self::Ready | Self::Running(_) | Self::Passed => None,
        }
    }
}

impl State {
    /// Where a step stands.
    #[must_use]
    pub fn step_state(&self, step: &Step) -> StepState {
        if let Some(skip) = self.story.skipped.get(&step.id) {
            return StepState::Skipped(skip.reason.clone());
        }
        let Some(run) = self.story.run_of(&step.id) else {
            return match self.blocked(step, false) {
                Some(why) => StepState::Locked(why),
                None => StepState::Ready,
            };
        };
        match &run.state {
            RunState::Judged(Verdict::Pass, _) => match self.again(step) {
                Some(why) => StepState::Unclear(why),
                None => StepState::Passed,
            },
            RunState::Judged(verdict, findings) => {
                let missing = findings
                    .iter()
                    .find(|finding| finding.outcome != Outcome::Pass);
                let sentence = missing.map_or_else(String::new, |finding| finding.sentence.clone());
                if *verdict == Verdict::Fail {
                    StepState::Failed(sentence)
                } else {
                    StepState::Unclear(sentence)
                }
            }
            RunState::Exited | RunState::ContactLost => self.ended_state(step, run),
            _ => StepState::Running(run.started.unwrap_or(run.armed_at)),
        }
    }

    /// Where a step stands whose run has ended and has no verdict.
    fn ended_state(&self, step: &Step, run: &Run) -> StepState {
        let how = run.how.clone().unwrap_or_default();
        if let Some(told) = run.told() {
            let text = match told {
                // The word beside it says that already.
                Evidence::Exit => "nothing is observed of it".to_owned(),
                _ => how,
            };
            return StepState::Told(told, text);
        }
        match run.armed.evidence {
            Evidence::Seen => {
                let step = step.by(run.armed.way);
                StepState::Settling(self.missing(&step, run))
            }
            _ if run.state == RunState::ContactLost => StepState::Unclear(how),
            _ => StepState::Failed(format!("{how}, and nothing is observed of it")),
        }
    }

    /// How long a step has taken or took: from its start to its verdict, over its newest run.
    #[must_use]
    pub fn step_time(&self, step: &StepId) -> Option<std::time::Duration> {
        let run = self.story.run_of(step)?;
        let told = run.told().and(run.ended);
        Some(
            run.judged
                .or(told)
                .unwrap_or(self.now)
                .since(run.started.unwrap_or(run.armed_at)),
        )
    }

    /// The first postcondition of an ended run that does not hold yet, in words.
    fn missing(&self, step: &Step, run: &Run) -> String {
        let sight = self.sight_since(run.ended);
        let findings: Vec<_> = step
            .post
            .iter()
            .map(|post| judge::condition(*post, &sight))
            .collect();
        let open = findings
            .iter()
            .find(|finding| finding.outcome != Outcome::Pass);
        match (open, self.not_looked_since(run, &findings)) {
            (Some(finding), _) => finding.sentence.clone(),
            (None, Some(subject)) => format!("waiting for a new look at: {subject}"),
            (None, None) => "holding".to_owned(),
        }
    }

    /// Why a step may not start now; `None` if it may. A dry run only needs a plan that can be expanded.
    #[must_use]
    pub fn blocked(&self, step: &Step, dry_run: bool) -> Option<String> {
        self.blocked_but_for(&self.as_chosen(step), dry_run, None)
    }

    /// Why a step may not start, whatever its own preconditions say. The step is taken as it is given: which of its ways it
    /// goes has been decided.
    pub(super) fn barrier(&self, step: &Step, dry_run: bool) -> Option<String> {
        if let Some((_, reason)) = &self.story.closed {
            return Some(format!("the incident is closed: {reason}"));
        }
        if let Some(why) = step.bar() {
            return Some(why);
        }
        if let Err(why) = (self.prepare)(step, dry_run, &self.instruments) {
            return Some(why);
        }
        match &self.access {
            Access::Observer(why) => return Some(format!("observing: {why}")),
            Access::ReadOnly(why) if step.risk > Risk::Look && !dry_run => {
                return Some(format!("read-only: {why}"));
            }
            Access::ReadOnly(_) | Access::Operator => {}
        }
        if let Some(why) = self.awaiting() {
            return Some(why);
        }
        // Before there is a journal, the next attempt is what finds out whether there can be one.
        if let Some(why) = self.disk.as_ref().filter(|_| self.story.declared.is_some()) {
            return Some(format!("the journal cannot be written: {why}"));
        }
        if self.is_busy(&step.id) {
            return Some("it is already running".to_owned());
        }
        if dry_run {
            return None;
        }
        self.not_alone(step)
            .or_else(|| self.needs(step))
            .or_else(|| self.wrong_place(step))
    }

    fn is_busy(&self, step: &StepId) -> bool {
        let live = self
            .story
            .in_order()
            .any(|run| &run.armed.step == step && run.is_live());
        live || self.pending.iter().any(|pending| match pending {
            Pending::Overriding(id) => id == step,
            Pending::Arming(armed) => &armed.step == step,
            Pending::Confirming(run) => self
                .story
                .runs
                .get(run)
                .is_some_and(|run| &run.armed.step == step),
            Pending::Judging(_) | Pending::Skipping(_) => false,
        })
    }

    /// A `destroy` step runs alone: not beside a live one, and nothing beside it.
    fn not_alone(&self, step: &Step) -> Option<String> {
        let live = self
            .story
            .in_order()
            .filter(|run| (run.is_live() || self.is_confirming(run)) && !run.armed.dry_run);
        let other = live
            .filter(|run| run.armed.step != step.id)
            .find(|run| step.risk == Risk::Destroy || run.armed.risk == Risk::Destroy)?;
        Some(format!(
            "a destroy step runs alone: wait for {} or cancel it",
            other.armed.step
        ))
    }

    /// Whether a run's confirmation is on its way to the disk: it will start, whatever else is pressed meanwhile.
    fn is_confirming(&self, run: &Run) -> bool {
        let id = &run.armed.run;
        self.pending
            .iter()
            .any(|pending| matches!(pending, Pending::Confirming(of) if of == id))
    }

    fn needs(&self, step: &Step) -> Option<String> {
        let open = step.needs.iter().find(|need| {
            let done = self.story.run_of(need).is_some_and(Run::is_done);
            !done && !self.story.skipped.contains_key(*need)
        })?;
        let title = self
            .runbook
            .get(open)
            .map_or(open.as_str(), |step| step.title.as_str());
        Some(format!(
            "needs \"{title}\" to pass first, or to be skipped with a reason"
        ))
    }

    /// Wrong account or wrong cluster: everything above `look` is locked, whatever the step's own preconditions are.
    fn wrong_place(&self, step: &Step) -> Option<String> {
        if step.risk == Risk::Look {
            return None;
        }
        let sight = self.sight();
        [Side::Recovery, Side::Primary]
            .into_iter()
            .find_map(|side| {
                judge::identity::misplaced(side, &sight)
                    .or_else(|| judge::cluster::misplaced(side, &sight))
            })
    }

    /// The selected step: the chosen row of the runbook, else the first that is not done; of a filtered runbook always
    /// one of the rows that are shown.
    #[must_use]
    pub fn selected_step(&self) -> Option<&Step> {
        let pane = self.desk.pane(super::Pane::Runbook);
        let wanted = match pane.selected {
            Some(super::RowKey::Step(id)) => self.runbook.get(&id),
            _ => self.next_step().or_else(|| self.runbook.steps.first()),
        };
        if pane.filter.is_empty() {
            return wanted;
        }
        let rows = self.rows(super::Pane::Runbook);
        let is_shown = |step: &&Step| rows.contains(&super::RowKey::Step(step.id.clone()));
        wanted.filter(is_shown).or_else(|| match rows.first() {
            Some(super::RowKey::Step(id)) => self.runbook.get(id),
            _ => None,
        })
    }

    /// The first step that is not done; before it a change freeze that has gone with the restore. A way back is never next, nor an optional step that was passed by: of those only
    /// what stands after all others, once they are done and while it could be run.
    #[must_use]
    pub fn next_step(&self) -> Option<&Step> {
        let steps = &self.runbook.steps;
        if let Some(frozen) = steps.iter().find(|step| self.again(step).is_some()) {
            return Some(frozen);
        }
        let ordered = |step: &&Step| !step.aside && !step.optional && !step.barred;
        let first = steps
            .iter()
            .filter(ordered)
            .find(|step| !self.step_state(step).is_done());
        let after = steps
            .iter()
            .rposition(|step| ordered(&step))
            .map_or(0, |last| last + 1);
        first.or_else(|| {
            steps[after..]
                .iter()
                .filter(|step| step.optional && !step.barred)
                .find(|step| {
                    let state = self.step_state(step);
                    !matches!(state, StepState::Locked(_)) && !state.is_done()
                })
        })
    }

    /// Runs whose child may still be changing the world.
    pub fn live_runs(&self) -> impl Iterator<Item = &RunId> {
        self.story
            .in_order()
            .filter(|run| run.is_live())
            .map(|run| &run.armed.run)
    }
}
