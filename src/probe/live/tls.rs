//! Where the recovery cluster's proxies get their certificate from.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::{
    clients::{aws::Reach, issued::look, kube, values},
    incident::{Fact, Failure, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// ACM is asked for each certificate of the name.
const PATIENCE: Duration = Duration::from_secs(45);

/// Looks at ACM, at cert-manager and at the Secret, whichever the values name.
#[derive(Debug)]
pub struct TlsProbe {
    plan: Arc<Plan>,
    reach: Reach,
}

impl TlsProbe {
    /// The probe of a plan's recovery side.
    #[must_use]
    pub const fn new(plan: Arc<Plan>, reach: Reach) -> Self {
        Self { plan, reach }
    }
}

impl Probe for TlsProbe {
    fn name(&self) -> String {
        "tls".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Tls]
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.plan.interval(&Subject::Tls),
            timeout: Some(PATIENCE),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let values = values::expected(&self.plan).await;
            let kube = kube::connect(&self.plan.recovery.kube).await;
            let seen = Box::pin(look(&self.plan, &values, &kube, &self.reach)).await;
            let fact = seen.map(|tls| Fact::Tls(Arc::new(tls)));
            sink.put(Subject::Tls, began.elapsed(), fact);
            Ok(())
        })
    }
}
