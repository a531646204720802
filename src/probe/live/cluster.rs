//! The Teleport release in a Kubernetes cluster: watched, not polled.
//!
//! Seven kinds are listed in pages and then watched. Pods are vital: without them there is no fact. Deployments,
//! Services, Ingresses, Events, Nodes and release Secrets may be forbidden one by one; what is missing is named in
//! [`Cluster::gaps`](crate::incident::Cluster::gaps). Since a quiet watch and a dead one look the same, each interval a
//! cheap, consistent read confirms who the cluster is and whether there are pods at all.

mod follow;
mod shelf;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use tokio::sync::Notify;

use self::{follow::Shared, shelf::Shelf};
use crate::{
    clients::kube::{self, Query},
    incident::{ClusterKind, Fact, Failure, FailureKind, Side, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// The kinds that an observation waits for, for a moment.
const KINDS: [ClusterKind; 7] = [
    ClusterKind::Pods,
    ClusterKind::Deployments,
    ClusterKind::Services,
    ClusterKind::Ingresses,
    ClusterKind::Events,
    ClusterKind::Nodes,
    ClusterKind::Secrets,
];

/// How patient the probe is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// Between two confirmations.
    pub confirm: Duration,
    /// How long one request may take.
    pub request: Duration,
    /// A watch without a line for so long is taken for dead; the API server sends bookmarks about once a minute.
    pub silence: Duration,
    /// Least time between two observations.
    pub emit: Duration,
    /// First pause after a lost watch.
    pub back_off: Duration,
    /// Longest pause after lost watches.
    pub back_off_cap: Duration,
}

impl Rhythm {
    /// As the plan has it.
    #[must_use]
    pub fn of(plan: &Plan, side: Side) -> Self {
        Self {
            confirm: plan.interval(&Subject::Cluster(side)),
            request: Duration::from_secs(5),
            silence: Duration::from_secs(150),
            emit: Duration::from_millis(250),
            back_off: Duration::from_millis(250),
            back_off_cap: Duration::from_secs(10),
        }
    }
}

/// Watches the release in the cluster of one side.
#[derive(Debug)]
pub struct ClusterProbe {
    plan: Arc<Plan>,
    side: Side,
    rhythm: Rhythm,
}

impl ClusterProbe {
    /// The probe of a side.
    #[must_use]
    pub fn new(plan: Arc<Plan>, side: Side) -> Self {
        let rhythm = Rhythm::of(&plan, side);
        Self::with_rhythm(plan, side, rhythm)
    }

    /// The probe of a side with a patience of its own.
    #[must_use]
    pub const fn with_rhythm(plan: Arc<Plan>, side: Side, rhythm: Rhythm) -> Self {
        Self { plan, side, rhythm }
    }

    async fn watch(&self, out: &Sink) -> Failure {
        let began = Instant::now();
        // Built anew each time: a look ends when the API is lost, and what comes back may have new credentials.
        let kube = match kube::connect(&self.plan.side(self.side).kube).await {
            Ok(kube) => kube,
            Err(failure) => return failure,
        };
        let namespace = &self.plan.cluster.namespace;
        let release = &self.plan.cluster.release;
        let kept = Mutex::new(Shelf::default());
        let (changed, again, took) = (Notify::new(), Notify::new(), Mutex::new(Duration::ZERO));
        let shared = Shared {
            kube: &kube,
            rhythm: &self.rhythm,
            shelf: &kept,
            changed: &changed,
            again: &again,
        };
        let pods = Query::pods(namespace, release);
        if let Err(failure) = confirm(&shared, &pods, &took).await {
            return failure;
        }
        let queries = (
            Query::deployments(namespace, release),
            Query::services(namespace, release),
            Query::ingresses(namespace, release),
            Query::events(namespace),
            Query::nodes(),
            Query::releases(namespace, release),
        );
        let confirming = async {
            loop {
                tokio::time::sleep(self.rhythm.confirm).await;
                match confirm(&shared, &pods, &took).await {
                    // A watch that missed something: look again before saying anything.
                    Ok(there) if there != lock(&kept).has_pods() => again.notify_waiters(),
                    Ok(_) => changed.notify_one(),
                    Err(failure) => return failure,
                }
            }
        };
        let emitting = async {
            loop {
                changed.notified().await;
                let cluster = {
                    let held = lock(&kept);
                    let first = began.elapsed() < Duration::from_secs(1);
                    if !held.settled(&[ClusterKind::Pods]) || (first && !held.settled(&KINDS)) {
                        None
                    } else {
                        Some(held.cluster(&kube.context))
                    }
                };
                if let Some(cluster) = cluster {
                    out.put(
                        Subject::Cluster(self.side),
                        *lock(&took),
                        Ok(Fact::Cluster(Arc::new(cluster))),
                    );
                }
                tokio::time::sleep(self.rhythm.emit).await;
            }
        };
        let not_waiting_longer = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            changed.notify_one();
            std::future::pending::<Failure>().await
        };
        tokio::select! {
            failure = not_waiting_longer => failure,
            failure = shared.follow(&pods, true, Shelf::pods) => failure,
            failure = shared.follow(&queries.0, false, Shelf::deployments) => failure,
            failure = shared.follow(&queries.1, false, Shelf::services) => failure,
            failure = shared.follow(&queries.2, false, Shelf::ingresses) => failure,
            failure = shared.follow(&queries.3, false, Shelf::events) => failure,
            failure = shared.follow(&queries.4, false, Shelf::nodes) => failure,
            failure = shared.follow(&queries.5, false, Shelf::releases) => failure,
            failure = confirming => failure,
            failure = emitting => failure,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks who the cluster is and whether there are pods: fresh reads, not from the API server's cache.
async fn confirm(
    shared: &Shared<'_>,
    pods: &Query,
    took: &Mutex<Duration>,
) -> Result<bool, Failure> {
    let began = Instant::now();
    let there = kube::any(shared.kube, pods, shared.rhythm.request).await?;
    *lock(took) = began.elapsed();
    match kube::identity(shared.kube, shared.rhythm.request).await {
        Ok(uid) => shared.change(|shelf| {
            let changed = shelf.uid != uid;
            shelf.uid = uid;
            changed | shelf.have(ClusterKind::Namespaces)
        }),
        // Reading `kube-system` is a right of its own; without it the cluster is there and cannot be told from another.
        Err(failure) if matches!(failure.kind, FailureKind::Forbidden | FailureKind::NotFound) => {
            shared.change(|shelf| {
                shelf.uid = None;
                shelf.lack(ClusterKind::Namespaces, failure)
            });
        }
        Err(failure) => return Err(failure),
    }
    Ok(there)
}

impl Probe for ClusterProbe {
    fn name(&self) -> String {
        format!("pods {}", self.side)
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Cluster(self.side)]
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: Duration::from_secs(2),
            timeout: None,
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async { Err(self.watch(sink).await) })
    }
}
