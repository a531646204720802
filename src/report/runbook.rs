//! The steps and where they stand.

use super::{Line, model::StepReport};
use crate::{incident::Step, journal::Waiver, state::State};

/// The line before the step from which there is no way back.
pub const NO_RETURN: &str = "point of no return";
/// The line before the steps that are no part of the way.
pub const ASIDE: &str = "way back";

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
                why: stands.why().filter(|why| !why.is_empty()).map(Line::from),
                way: way(state, step),
                no_return: step.no_return,
                aside: step.aside,
                optional: step.optional,
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

/// Which way a step with two ways went, or would go, and why.
fn way(state: &State, step: &Step) -> Option<Line> {
    if !step.has_two_ways() {
        return None;
    }
    let (way, because) = match state.story.run_of(&step.id) {
        Some(run) => (run.armed.way, run.armed.because.clone()),
        None => state.way(step),
    };
    Some(format!("{way}: {because}").into())
}
