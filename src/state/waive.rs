//! A way through: a step that only UNKNOWN preconditions lock can be run by phrase and reason. A FAIL is a FAIL.

use super::{Run, State};
use crate::{
    incident::{Outcome, Step, StepId},
    journal::{Waived, Waiver},
    judge,
};

impl State {
    /// The first precondition that does not hold, in words. One that is UNKNOWN and was waived by name counts as held; a
    /// FAIL never does, nor does an UNKNOWN that came up since.
    pub(super) fn unmet(&self, step: &Step, waiver: Option<&Waiver>) -> Option<String> {
        let sight = self.sight();
        let let_go = |name: &str| {
            let mut all = waiver.into_iter().flat_map(|waiver| &waiver.waived);
            all.any(|waived| waived.condition == name)
        };
        step.pre.iter().find_map(|pre| {
            let finding = judge::condition(*pre, &sight);
            let holds = match finding.outcome {
                Outcome::Pass => true,
                Outcome::Unknown => let_go(pre.name()),
                Outcome::Fail => false,
            };
            (!holds).then_some(finding.sentence)
        })
    }

    /// Why a step may not start now with these preconditions waived.
    pub(super) fn blocked_but_for(
        &self,
        step: &Step,
        dry_run: bool,
        waiver: Option<&Waiver>,
    ) -> Option<String> {
        let barrier = self.barrier(step, dry_run);
        if dry_run {
            return barrier;
        }
        barrier.or_else(|| self.unmet(step, waiver))
    }

    /// What an override of a step would be about: every precondition that is UNKNOWN, where nothing else locks it.
    ///
    /// # Errors
    /// Why it cannot be overridden, in words: another lock, a FAIL, or nothing to override.
    pub fn waivable(&self, step: &Step) -> Result<Vec<Waived>, String> {
        let step = &*self.as_chosen(step);
        if let Some(why) = self.barrier(step, false) {
            return Err(format!("that cannot be overridden: {why}"));
        }
        let sight = self.sight();
        let mut unknown = Vec::new();
        for pre in &step.pre {
            let finding = judge::condition(*pre, &sight);
            match finding.outcome {
                Outcome::Pass => {}
                Outcome::Unknown => unknown.push(Waived {
                    condition: pre.name().to_owned(),
                    sentence: finding.sentence,
                }),
                Outcome::Fail => {
                    return Err(format!("a FAIL is never overridden: {}", finding.sentence));
                }
            }
        }
        if unknown.is_empty() {
            return Err("nothing is UNKNOWN that would have to be overridden".to_owned());
        }
        Ok(unknown)
    }

    /// What the newest run of a step was allowed to go on without.
    #[must_use]
    pub fn waiver(&self, step: &StepId) -> Option<&Waiver> {
        self.story.run_of(step).and_then(Run::waiver)
    }
}
