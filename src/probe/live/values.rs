//! The recovery values file, as it is on disk: what the install step will read.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::{
    clients::values::read,
    incident::{Fact, Failure, FailureKind, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// Reads the recovery values file.
#[derive(Debug)]
pub struct ValuesProbe {
    plan: Arc<Plan>,
}

impl ValuesProbe {
    /// The probe of a plan.
    #[must_use]
    pub const fn new(plan: Arc<Plan>) -> Self {
        Self { plan }
    }
}

impl Probe for ValuesProbe {
    fn name(&self) -> String {
        "values".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Values]
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.plan.interval(&Subject::Values),
            timeout: Some(Duration::from_secs(5)),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let path = self.plan.recovery.values.clone().ok_or_else(|| {
                Failure::new(
                    FailureKind::NotPlanned,
                    "the plan says neither where the recovery values go nor which values file the release has; \
                     set `values` in [cluster]",
                )
            })?;
            // A folder on a dead network mount must not hold the other probes up.
            let plan = Arc::clone(&self.plan);
            let read = tokio::task::spawn_blocking(move || read(&path, &plan)).await;
            let outcome = read.unwrap_or_else(|_| {
                Err(Failure::new(
                    FailureKind::Other,
                    "reading the values file ended in a defect of Relight",
                ))
            });
            sink.put(Subject::Values, began.elapsed(), outcome.map(Fact::Values));
            Ok(())
        })
    }
}
