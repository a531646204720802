//! What the recovery cluster's pods may do at AWS. Looked at every five minutes and when asked: IAM limits simulations.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::{
    clients::{aws::Reach, kube, rights::look, values},
    incident::{Fact, Failure, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// A look makes about twenty calls, one after another, since IAM slows down who asks faster.
const PATIENCE: Duration = Duration::from_secs(90);

/// Looks at roles, trust and policies.
#[derive(Debug)]
pub struct RightsProbe {
    plan: Arc<Plan>,
    reach: Reach,
}

impl RightsProbe {
    /// The probe of a plan's recovery side.
    #[must_use]
    pub const fn new(plan: Arc<Plan>, reach: Reach) -> Self {
        Self { plan, reach }
    }
}

impl Probe for RightsProbe {
    fn name(&self) -> String {
        "rights".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Rights]
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.plan.interval(&Subject::Rights),
            timeout: Some(PATIENCE),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let values = values::expected(&self.plan).await;
            let kube = kube::connect(&self.plan.recovery.kube).await;
            // On the heap: the SDK's futures are large.
            let rights = Box::pin(look(&self.plan, &values, &kube, &self.reach)).await;
            let fact = Fact::Rights(Arc::new(rights));
            sink.put(Subject::Rights, began.elapsed(), Ok(fact));
            Ok(())
        })
    }
}
