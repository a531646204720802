//! Teleport's dynamic resources in the recovery cluster, and what the operator has made of them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::{
    clients::kube::{self, resources::resources},
    incident::{Fact, Failure, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// Looks at every object of the operator's group.
#[derive(Debug)]
pub struct ResourcesProbe {
    plan: Arc<Plan>,
}

impl ResourcesProbe {
    /// The probe.
    #[must_use]
    pub const fn new(plan: Arc<Plan>) -> Self {
        Self { plan }
    }
}

impl Probe for ResourcesProbe {
    fn name(&self) -> String {
        "resources".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Resources]
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.plan.interval(&Subject::Resources),
            timeout: Some(Duration::from_secs(30)),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let cluster = &self.plan.cluster;
            let kube = kube::connect(&self.plan.recovery.kube).await?;
            let flux = &self.plan.resources.flux;
            let seen = resources(&kube, &cluster.namespace, &cluster.release, flux).await?;
            sink.put(
                Subject::Resources,
                began.elapsed(),
                Ok(Fact::Resources(Arc::new(seen))),
            );
            Ok(())
        })
    }
}
