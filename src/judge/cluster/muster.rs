//! What the pods of a cluster come to: worked out once a reading, since no frame has the time to look at each of 10,000.

use std::sync::Arc;

use crate::{
    incident::{Cluster, Component, Health, Muster, Pod},
    judge::pod,
};

/// What the pods of a cluster come to, worked out once a reading.
#[must_use]
pub fn muster(cluster: &Cluster) -> &Muster {
    cluster.memo.get_or(|| count(&cluster.pods))
}

fn count(pods: &[Arc<Pod>]) -> Muster {
    let mut muster = Muster::default();
    let mut judged = Vec::with_capacity(pods.len());
    let mut worst = Health::Ok;
    for (place, pod) in pods.iter().enumerate() {
        let health = pod::health(pod);
        judged.push(health);
        if !is_member(pod) {
            continue;
        }
        muster.members += 1;
        if pod::is_ready(pod) {
            muster.ready += 1;
            muster.auth |= pod.component == Component::Auth;
            muster.proxy |= pod.component == Component::Proxy;
        }
        if muster.worst.is_none() || health >= worst {
            (muster.worst, worst) = (Some(place), health);
        }
        if muster.looping.is_none() && pod.reason == "CrashLoopBackOff" {
            muster.looping = Some(place);
        }
        if muster.lost.is_none() && pod.node_ready == Some(false) {
            muster.lost = Some(place);
        }
    }
    muster.order = (0..pods.len()).collect();
    // Stable: pods of one health keep the order of their names.
    muster
        .order
        .sort_by_key(|place| std::cmp::Reverse(judged[*place]));
    muster
}

/// The pod at a place of the muster.
pub(super) fn at(cluster: &Cluster, place: Option<usize>) -> Option<&Pod> {
    cluster.pods.get(place?).map(|pod| &**pod)
}

/// Whether it is one of the release's own, no hook's.
fn is_member(pod: &Pod) -> bool {
    pod.component != Component::Hook
}
