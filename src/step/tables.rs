//! What is done with the tables: restored, repaired, and looked at before anything runs on them.

mod authority;
mod drill;
mod follow;
mod plan;
mod repair;
mod restore;
mod start;
mod survey;

pub(super) use authority::native as authority;
pub(super) use repair::native as repair;
pub(super) use restore::native as restore;
pub(super) use survey::survey;

use std::time::Duration;

use crate::{
    incident::{Failure, TableRole},
    plan::Plan,
    step::StepError,
};

/// Between two questions about a table that is being made.
const POLL: Duration = Duration::from_secs(10);
/// The same in the practice region, where that takes seconds.
const POLL_PRACTICE: Duration = Duration::from_millis(300);

/// Where lines of output go.
type Say<'a> = &'a (dyn Fn(&str) + Send + Sync);

const fn pause(plan: &Plan) -> Duration {
    if plan.practice { POLL_PRACTICE } else { POLL }
}

fn wrong(failure: &Failure) -> StepError {
    StepError(failure.to_string())
}

/// The recovery table of a role, or that the plan does not name it.
fn target(plan: &Plan, role: TableRole) -> Result<&str, StepError> {
    plan.recovery.table(role).ok_or_else(|| {
        StepError(format!(
            "the plan names no {role} table to restore to: add {role}_table to [recovery] of {}",
            plan.path.display()
        ))
    })
}
