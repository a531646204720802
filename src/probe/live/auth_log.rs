//! How the recovery cluster's Auth pods have started: a wrong state table shows here first.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::{
    clients::kube::{self, AuthLogs, Kube},
    incident::{Fact, Failure, Side, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// Reads the heads of the logs.
#[derive(Debug)]
pub struct AuthLogProbe {
    plan: Arc<Plan>,
    /// Kept from look to look: an exec plugin is a program, and a look comes every ten seconds.
    kube: Option<Kube>,
    logs: AuthLogs,
}

impl AuthLogProbe {
    /// The probe of a plan.
    #[must_use]
    pub fn new(plan: Arc<Plan>) -> Self {
        Self {
            plan,
            kube: None,
            logs: AuthLogs::default(),
        }
    }
}

impl Probe for AuthLogProbe {
    fn name(&self) -> String {
        "auth log".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::AuthLog]
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.plan.interval(&Subject::AuthLog),
            timeout: Some(Duration::from_secs(20)),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let cluster = &self.plan.cluster;
            let kube = match self.kube.take() {
                Some(kube) => kube,
                None => kube::connect(&self.plan.side(Side::Recovery).kube).await?,
            };
            let log = self
                .logs
                .look(&kube, &cluster.namespace, &cluster.release)
                .await?;
            self.kube = Some(kube);
            sink.put(
                Subject::AuthLog,
                began.elapsed(),
                Ok(Fact::AuthLog(Arc::new(log))),
            );
            Ok(())
        })
    }
}
