//! A change freeze that has gone with the restore: its locks lie in the state table, and a copy made before them holds none.

use super::{State, story::RunState};
use crate::incident::{Fact, Side, Step, Subject, Verdict};

/// The step that locks.
const FREEZE: &str = "freeze-changes";
/// The step that unlocks.
const LIFT: &str = "lift-freeze";

impl State {
    /// Why the freeze must be made again; `None` while it stands, was never made, or was lifted. Told by what the recovery
    /// cluster's Auth Service has, so that it is known as soon as that answers.
    #[must_use]
    pub fn thawed(&self) -> Option<String> {
        let freeze = self.passed(FREEZE)?;
        let lifted = self.passed(LIFT).is_some_and(|at| at >= freeze);
        if lifted || self.story.skipped.keys().any(|id| id.as_str() == LIFT) {
            return None;
        }
        let reading = self.instruments.get(&Subject::Freeze(Side::Recovery))?;
        let Some(Fact::Freeze(seen)) = reading.fresh() else {
            return None;
        };
        let mut open: Vec<&str> = seen.held.iter().map(|held| held.role.as_str()).collect();
        open.retain(|role| seen.holds(role, self.now).is_none());
        open.sort_unstable();
        open.dedup();
        if open.is_empty() || reading.last.at < freeze {
            return None;
        }
        let copy = match self.chosen()[0] {
            Some(copy) if copy < freeze => format!(
                ": its state is a copy of {}, and they were made by {}",
                copy.clock(),
                freeze.clock()
            ),
            _ => String::new(),
        };
        Some(format!(
            "it has gone: context {} has no lock of this freeze on {}{copy}. Run it again",
            seen.context,
            open.join(", ")
        ))
    }

    /// When the newest run of a step passed.
    fn passed(&self, id: &str) -> Option<crate::incident::Moment> {
        let step = self
            .runbook
            .steps
            .iter()
            .find(|step| step.id.as_str() == id)?;
        let run = self.story.run_of(&step.id)?;
        matches!(run.state, RunState::Judged(Verdict::Pass, _)).then_some(run.judged)?
    }

    /// Whether it is this step that must be run again.
    pub(super) fn again(&self, step: &Step) -> Option<String> {
        (step.id.as_str() == FREEZE).then(|| self.thawed())?
    }
}
