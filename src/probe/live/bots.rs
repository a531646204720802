//! Bots and the locks that a restore makes on them, by `tctl` in an Auth pod of the recovery cluster.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::{
    clients::{agents::relaunched, bots::look, kube},
    incident::{Bots, Fact, Failure, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// How long the API server may take to say which cluster it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the recovery cluster's Auth Service.
#[derive(Debug)]
pub struct BotsProbe {
    plan: Arc<Plan>,
}

impl BotsProbe {
    /// The probe.
    #[must_use]
    pub const fn new(plan: Arc<Plan>) -> Self {
        Self { plan }
    }

    async fn read(&self) -> Result<Bots, Failure> {
        // A cluster that gives no answer is not asked by a program that would wait for it.
        let kube = kube::connect(&self.plan.recovery.kube).await?;
        let uid = kube::identity(&kube, PATIENCE).await?;
        let since = relaunched(&self.plan, &kube).await?;
        let seen = look(&self.plan).await?;
        Ok(Bots { uid, since, ..seen })
    }
}

impl Probe for BotsProbe {
    fn name(&self) -> String {
        "bots".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Bots]
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.plan.interval(&Subject::Bots),
            timeout: Some(Duration::from_mins(1)),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let seen = self.read().await?;
            sink.put(
                Subject::Bots,
                began.elapsed(),
                Ok(Fact::Bots(Arc::new(seen))),
            );
            Ok(())
        })
    }
}
