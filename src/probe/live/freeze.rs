//! Roles and locks of the Teleport cluster, by `tctl` in an Auth pod of a side, and the locks that this incident's freeze
//! made.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::{
    clients::{
        freeze::{Memory, look},
        kube,
    },
    incident::{Fact, Failure, FailureKind, Freeze, Side, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink, Targets},
};

/// How long the API server may take to say which cluster it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the Auth Service of one side.
#[derive(Debug)]
pub struct FreezeProbe {
    plan: Arc<Plan>,
    side: Side,
    targets: Targets,
}

impl FreezeProbe {
    /// The probe of a side; `targets` tells where the incident's folder is.
    #[must_use]
    pub fn new(plan: Arc<Plan>, side: Side, targets: &Targets) -> Self {
        Self {
            plan,
            side,
            targets: targets.clone(),
        }
    }

    async fn read(&self) -> Result<Freeze, Failure> {
        // A cluster that gives no answer is not asked by a program that would wait for it.
        let kube = kube::connect(&self.plan.side(self.side).kube).await?;
        let uid = kube::identity(&kube, PATIENCE).await?;
        let boxes = self.targets.boxes();
        let held = match boxes.folder() {
            Some(folder) => {
                Memory::read(folder)
                    .map_err(|error| Failure::new(FailureKind::Other, error.to_string()))?
                    .held
            }
            None => Vec::new(),
        };
        let seen = look(&self.plan, self.side).await?;
        Ok(Freeze { uid, held, ..seen })
    }
}

impl Probe for FreezeProbe {
    fn name(&self) -> String {
        format!("freeze {}", self.side)
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Freeze(self.side)]
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.plan.interval(&Subject::Freeze(self.side)),
            timeout: Some(Duration::from_secs(30)),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let seen = self.read().await?;
            sink.put(
                Subject::Freeze(self.side),
                began.elapsed(),
                Ok(Fact::Freeze(Arc::new(seen))),
            );
            Ok(())
        })
    }
}
