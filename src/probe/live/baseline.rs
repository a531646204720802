//! What this machine has of the cluster's certificate authorities: read from disk, seldom, since it changes with a login.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::{
    clients::baseline::{Places, look},
    incident::{Fact, Failure, FailureKind, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// Reads the operator's `tsh` profile and agents' configurations.
#[derive(Debug)]
pub struct BaselineProbe {
    plan: Arc<Plan>,
    places: Places,
}

impl BaselineProbe {
    /// The probe of a plan.
    #[must_use]
    pub fn new(plan: Arc<Plan>) -> Self {
        let places = Places::of(&plan, |name| std::env::var(name).ok());
        Self { plan, places }
    }
}

impl Probe for BaselineProbe {
    fn name(&self) -> String {
        "baseline".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Baseline]
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.plan.interval(&Subject::Baseline),
            timeout: Some(Duration::from_secs(5)),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let (places, cluster) = (self.places.clone(), self.plan.cluster.name.clone());
            // A home folder on a dead network mount must not hold the other probes up.
            let read = tokio::task::spawn_blocking(move || look(&places, &cluster)).await;
            let outcome = read.map_err(|_| {
                Failure::new(
                    FailureKind::Other,
                    "looking for the authorities that this machine knows ended in a defect of Relight",
                )
            });
            sink.put(
                Subject::Baseline,
                began.elapsed(),
                outcome.map(|found| Fact::Baseline(Arc::new(found))),
            );
            Ok(())
        })
    }
}
