//! Whether a kube context leads to the cluster that the plan names.

use super::{evidence, seen};
use crate::{
    incident::{Cluster, Fact, Finding, Side, Subject},
    judge::Sight,
};

/// The kube context of a side reaches the cluster that the plan names by the UID of its `kube-system` namespace.
#[must_use]
pub fn context(side: Side, sight: &Sight<'_>) -> Finding {
    let cluster = match seen(side, sight) {
        Ok(cluster) => cluster,
        Err(finding) => return finding,
    };
    let planned = sight.plan.side(side).kube.uid.as_deref();
    match (planned, cluster.uid.as_deref()) {
        (Some(planned), Some(found)) if planned == found => Finding::pass(
            format!(
                "context {} reaches the planned {side} cluster ({found})",
                cluster.context
            ),
            evidence(side),
        ),
        (Some(planned), Some(found)) => {
            Finding::fail(another(side, cluster, found, planned), evidence(side))
        }
        (None, Some(found)) => Finding::unknown(format!(
            "the plan does not say which cluster context {} should reach; if it is the right one, set \
             uid = \"{found}\" in [{side}.kube]",
            cluster.context
        )),
        (_, None) => Finding::unknown(format!(
            "context {} may not read the namespace kube-system, so there is no telling which cluster it is; ask for \
             get on it",
            cluster.context
        )),
    }
}

/// Why the kube context of a side reaches another cluster than the planned one, by the last look that told: a later look
/// that failed does not make it the right one.
#[must_use]
pub fn misplaced(side: Side, sight: &Sight<'_>) -> Option<String> {
    let planned = sight.plan.side(side).kube.uid.as_deref()?;
    let reading = sight.instruments.get(&Subject::Cluster(side))?;
    let Some((_, Fact::Cluster(cluster))) = &reading.good else {
        return None;
    };
    let found = cluster.uid.as_deref().filter(|found| *found != planned)?;
    Some(another(side, cluster, found, planned))
}

fn another(side: Side, cluster: &Cluster, found: &str, planned: &str) -> String {
    format!(
        "context {} reaches another cluster: kube-system has UID {found}, the plan says {planned}; correct the \
         kubeconfig or `uid` in [{side}.kube]",
        cluster.context
    )
}

/// Whether the reading is of another cluster than the plan names: then nothing in it counts.
pub(super) fn foreign(side: Side, cluster: &Cluster, sight: &Sight<'_>) -> Option<Finding> {
    let planned = sight.plan.side(side).kube.uid.as_deref()?;
    let found = cluster.uid.as_deref()?;
    (planned != found).then(|| {
        Finding::unknown(format!(
            "context {} reaches another cluster than the planned {side} one, so what it shows says nothing",
            cluster.context
        ))
    })
}
