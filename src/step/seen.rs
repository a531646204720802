//! What was seen, shown and confirmed is done, and nothing else.

use super::{Context, StepError};
use crate::{
    clients::kube::Kube,
    incident::{Failure, Side},
};

/// Refuses lines that were not among those confirmed: the world has moved on since. Where nobody was asked, everything
/// goes.
///
/// # Errors
/// With the first line that was not confirmed.
pub(super) fn only_confirmed<'a>(
    lines: impl IntoIterator<Item = &'a String>,
    confirmed: &[String],
) -> Result<(), StepError> {
    let other = lines
        .into_iter()
        .find(|line| !confirmed.is_empty() && !confirmed.contains(line));
    match other {
        None => Ok(()),
        Some(line) => Err(StepError(format!(
            "nothing was changed: \"{line}\" was not among what was confirmed, so things have changed since. Run this step again to see what it would do now"
        ))),
    }
}

/// Refuses a cluster that is not the planned one by the UID of its `kube-system`: the kubeconfig may have been changed
/// since the dialog.
///
/// # Errors
/// If the UID is another than the plan's.
pub(super) fn planned_cluster(
    context: &Context,
    side: Side,
    kube: &Kube,
    uid: Option<&str>,
) -> Result<(), StepError> {
    let planned = context.plan.side(side).kube.uid.as_deref();
    match (planned, uid) {
        (Some(planned), Some(found)) if planned != found => Err(StepError(format!(
            "nothing was changed: {} is another cluster (kube-system has UID {found}) than the planned {side} one ({planned}); correct the kubeconfig",
            kube.place
        ))),
        _ => Ok(()),
    }
}

/// A failure as the last line of a step.
pub(super) fn failed(failure: &Failure) -> StepError {
    StepError(failure.to_string())
}
