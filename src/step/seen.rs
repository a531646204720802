//! What was seen, shown and confirmed is done, and nothing else.

use std::time::Duration;

use super::{Context, StepError};
use crate::{
    clients::kube::{self, Kube},
    incident::{Cluster, Fact, Failure, Instruments, Reading, Side, Subject},
};

/// How long the cluster may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// The recovery cluster as it was seen last, for what is shown before it is confirmed.
///
/// # Errors
/// Why it was not seen.
pub(super) fn recovery_cluster(instruments: &Instruments) -> Result<&Cluster, StepError> {
    let reading = instruments.get(&Subject::Cluster(Side::Recovery));
    match reading.and_then(|reading| reading.good.as_ref()) {
        Some((_, Fact::Cluster(cluster))) => Ok(cluster),
        _ => Err(StepError(reading.and_then(Reading::failure).map_or_else(
            || "the recovery cluster has not been read yet".to_owned(),
            ToString::to_string,
        ))),
    }
}

/// A way into the cluster of a side, which has said that it is the planned one.
///
/// # Errors
/// If it cannot be reached, or is another one.
pub(super) async fn planned(context: &Context, side: Side) -> Result<Kube, StepError> {
    let kube = kube::connect(&context.plan.side(side).kube)
        .await
        .map_err(|why| failed(&why))?;
    let uid = kube::identity(&kube, PATIENCE)
        .await
        .map_err(|why| failed(&why))?;
    planned_cluster(context, side, &kube, uid.as_deref())?;
    Ok(kube)
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
