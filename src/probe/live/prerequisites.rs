//! What the recovery region must have before the install. Every pod of the cluster is listed for it, and registries and
//! Helm's repositories are asked: so every five minutes, and when it is asked for.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::{
    clients::prerequisites::fetch,
    incident::{Fact, Failure, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// Looks at them.
#[derive(Debug)]
pub struct PrerequisitesProbe {
    plan: Arc<Plan>,
}

impl PrerequisitesProbe {
    /// The probe of a plan.
    #[must_use]
    pub const fn new(plan: Arc<Plan>) -> Self {
        Self { plan }
    }
}

impl Probe for PrerequisitesProbe {
    fn name(&self) -> String {
        "prerequisites".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Prerequisites]
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.plan.interval(&Subject::Prerequisites),
            timeout: Some(Duration::from_secs(45)),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let seen = Box::pin(fetch(&self.plan)).await?;
            sink.put(
                Subject::Prerequisites,
                began.elapsed(),
                Ok(Fact::Prerequisites(Arc::new(seen))),
            );
            Ok(())
        })
    }
}
