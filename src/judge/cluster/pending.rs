//! A release that a Helm has left half-way.

use super::{Sight, evidence, seen};
use crate::incident::{Finding, Release, Side};

/// What is wrong with a pending release, and the way out of it.
pub(super) fn words(side: Side, release: &Release) -> String {
    format!(
        "release {} in the {side} cluster is {} (revision {}): a Helm is at it, or was ended half-way, and Helm refuses it \
         until then. Once you know that none runs, take \"Free a pending release\"{}",
        release.name,
        release.status,
        release.revision,
        match release.deployed {
            Some(revision) => format!(", which rolls it back to revision {revision}"),
            None => ", which forgets that revision".to_owned(),
        }
    )
}

/// There is something to free: the newest revision is pending.
#[must_use]
pub fn release_pending(side: Side, sight: &Sight<'_>) -> Finding {
    match seen(side, sight).map(|cluster| &cluster.release) {
        Ok(Ok(Some(release))) if release.is_pending() => Finding::pass(
            format!(
                "release {} in the {side} cluster is {} (revision {})",
                release.name, release.status, release.revision
            ),
            evidence(side),
        ),
        Ok(Ok(Some(release))) => Finding::fail(
            format!(
                "nothing to free: release {} in the {side} cluster is {} (revision {})",
                release.name, release.status, release.revision
            ),
            evidence(side),
        ),
        Ok(Ok(None)) => Finding::fail(
            format!(
                "nothing to free: there is no release {} in the {side} cluster",
                sight.plan.cluster.release
            ),
            evidence(side),
        ),
        Ok(Err(failure)) => unread(side, failure),
        Err(finding) => finding,
    }
}

/// Helm takes its next command: the newest revision is not pending, or there is none.
#[must_use]
pub fn release_free(side: Side, sight: &Sight<'_>) -> Finding {
    match seen(side, sight).map(|cluster| &cluster.release) {
        Ok(Ok(Some(release))) if release.is_pending() => {
            Finding::fail(words(side, release), evidence(side))
        }
        Ok(Ok(Some(release))) => Finding::pass(
            format!(
                "release {} in the {side} cluster is {} (revision {}), and nothing is pending",
                release.name, release.status, release.revision
            ),
            evidence(side),
        ),
        Ok(Ok(None)) => Finding::pass(
            format!(
                "no release {} in the {side} cluster, and so none that is pending",
                sight.plan.cluster.release
            ),
            evidence(side),
        ),
        Ok(Err(failure)) => unread(side, failure),
        Err(finding) => finding,
    }
}

fn unread(side: Side, failure: &crate::incident::Failure) -> Finding {
    Finding::unknown(format!(
        "whether a release is pending in the {side} cluster: {failure}"
    ))
}
