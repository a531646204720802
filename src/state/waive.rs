//! A way through: a step that only UNKNOWN preconditions lock can be run by phrase and reason. A FAIL is a FAIL.

use super::{Run, State};
use crate::{
    incident::{Action, Condition, Finding, Outcome, Risk, Side, Step, StepId},
    journal::{Waived, Waiver},
    judge,
};

/// What is waived where credentials end too soon. No condition of the runbook: it holds for every step that changes
/// something.
const CREDENTIALS: &str = "credentials-last";

impl State {
    /// The first precondition that does not hold, in words. One that is UNKNOWN and was waived by name counts as held; a
    /// FAIL never does, nor does an UNKNOWN that came up since.
    pub(super) fn unmet(&self, step: &Step, waiver: Option<&Waiver>) -> Option<String> {
        let sight = self.sight();
        let let_go = |name: &str| {
            let mut all = waiver.into_iter().flat_map(|waiver| &waiver.waived);
            all.any(|waived| waived.condition == name)
        };
        let unmet = step.pre.iter().find_map(|pre| {
            let finding = judge::condition(*pre, &sight);
            let holds = match finding.outcome {
                Outcome::Pass => true,
                Outcome::Unknown => let_go(pre.name()),
                Outcome::Fail => false,
            };
            (!holds).then_some(finding.sentence)
        });
        unmet.or_else(|| {
            let finding = self.outlived(step).filter(|_| !let_go(CREDENTIALS))?;
            Some(finding.sentence)
        })
    }

    /// The credentials that a step needs end before it would be done, by what it took in earlier incidents nine times out of
    /// ten: those of each side whose account is among its preconditions. What was never done has no forecast.
    fn outlived(&self, step: &Step) -> Option<Finding> {
        if step.risk == Risk::Look || matches!(step.action, Action::Manual(_)) {
            return None;
        }
        let takes = self.history.usual(&step.id)?.p90;
        let sight = self.sight();
        let sides = [
            (Condition::RecoveryAccount, Side::Recovery),
            (Condition::PrimaryAccount, Side::Primary),
        ];
        let needed = sides.iter().filter(|(pre, _)| step.pre.contains(pre));
        needed
            .map(|(_, side)| *side)
            .find_map(|side| judge::identity::outlived(side, takes, &sight))
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
        let early = self.outlived(step).map(|finding| Waived {
            condition: CREDENTIALS.to_owned(),
            sentence: finding.sentence,
        });
        unknown.extend(early);
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
