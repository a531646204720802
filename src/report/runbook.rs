//! The steps and where they stand.

use super::{Line, model::StepReport};
use crate::{
    journal::Waiver,
    state::{State, StepState},
};

/// Every step, in order.
pub fn steps(state: &State) -> Vec<StepReport> {
    let steps = (1..).zip(&state.runbook.steps);
    steps
        .map(|(number, step)| {
            let stands = state.step_state(step);
            StepReport {
                number,
                id: step.id.as_str().into(),
                title: Line::from(&step.title),
                guide: Line::from(&step.guide),
                risk: step.risk.word(),
                state: stands.word(),
                why: why(&stands).filter(|why| !why.is_empty()).map(Line::from),
                overridden: state.waiver(&step.id).map(told),
                attempts: state.story.attempts(&step.id),
                took: state.step_time(&step.id),
            }
        })
        .collect()
}

/// `tables-ready was UNKNOWN, because: IAM is down`
fn told(waiver: &Waiver) -> Line {
    let names: Vec<&str> = waiver
        .waived
        .iter()
        .map(|waived| waived.condition.as_str())
        .collect();
    format!("{} UNKNOWN, because: {}", names.join(", "), waiver.reason).into()
}

fn why(state: &StepState) -> Option<&str> {
    match state {
        StepState::Locked(why)
        | StepState::Settling(why)
        | StepState::Failed(why)
        | StepState::Unclear(why)
        | StepState::Skipped(why) => Some(why),
        StepState::Ready | StepState::Running(_) | StepState::Passed => None,
    }
}
