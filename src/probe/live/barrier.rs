//! The old load balancer at AWS: whether it still listens.

use std::{sync::Arc, time::Instant};

use futures::future::BoxFuture;

use super::aws::pace;
use crate::{
    clients::aws::{
        Reach,
        balancer::{Written, fetch, hosts},
    },
    incident::{Fact, Failure, Side, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink, Targets},
};

/// Asks the primary region for the load balancers whose names led to the old cluster.
#[derive(Debug)]
pub struct BarrierProbe {
    plan: Arc<Plan>,
    reach: Reach,
    targets: Targets,
}

impl BarrierProbe {
    /// The probe of a plan; `targets` carries what the black box and the cluster's status say.
    #[must_use]
    pub fn new(plan: &Arc<Plan>, reach: Reach, targets: &Targets) -> Self {
        Self {
            plan: plan.clone(),
            reach,
            targets: targets.clone(),
        }
    }
}

impl Probe for BarrierProbe {
    fn name(&self) -> String {
        "barrier".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Barrier]
    }

    fn pace(&self) -> Pace {
        pace(self.plan.interval(&Subject::Barrier))
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let seen = async {
                let hosts = hosts(&self.plan, &self.targets.get(Side::Primary))?;
                let mut found = fetch(&self.reach, &hosts).await?.barrier;
                let boxes = self.targets.boxes();
                if let Some(folder) = boxes.folder()
                    && let Some(written) = Written::read(folder)?
                {
                    found.taken = written.taken();
                }
                Ok(found)
            }
            .await;
            let fact = seen.map(|found| Fact::Barrier(Arc::new(found)));
            sink.put(Subject::Barrier, began.elapsed(), fact);
            Ok(())
        })
    }
}
