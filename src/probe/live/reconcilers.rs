//! What would bring the old cluster back by itself: looked for before it is paused, and for as long as the incident
//! lasts, since a `GitOps` that sits elsewhere may put it back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::{
    clients::kube::{
        self,
        reconcilers::{Target, reconcilers},
    },
    incident::{Fact, Failure, Side, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// Looks for what acts by itself in the cluster of one side.
#[derive(Debug)]
pub struct ReconcilersProbe {
    plan: Arc<Plan>,
    side: Side,
}

impl ReconcilersProbe {
    /// The probe of a side.
    #[must_use]
    pub const fn new(plan: Arc<Plan>, side: Side) -> Self {
        Self { plan, side }
    }
}

impl Probe for ReconcilersProbe {
    fn name(&self) -> String {
        format!("reconcilers {}", self.side)
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Reconcilers(self.side)]
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.plan.interval(&Subject::Reconcilers(self.side)),
            timeout: Some(Duration::from_secs(20)),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let cluster = &self.plan.cluster;
            let kube = kube::connect(&self.plan.side(self.side).kube).await?;
            let target = Target {
                namespace: &cluster.namespace,
                release: &cluster.release,
                names: &self.plan.dns.names,
            };
            let seen = reconcilers(&kube, target).await?;
            sink.put(
                Subject::Reconcilers(self.side),
                began.elapsed(),
                Ok(Fact::Reconcilers(Arc::new(seen))),
            );
            Ok(())
        })
    }
}
