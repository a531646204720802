//! Who of the cluster's agents has come back. Every row read is billed, so that a table with many is read every five
//! minutes only, and when it is asked for.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::{
    clients::{agents, aws::Reach},
    incident::{Agents, Fact, Failure, Moment, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink, Targets},
};

/// From so many rows on a look is heavy …
const HEAVY: usize = 1_000;
/// … and made no more often than this.
const SELDOM: Duration = Duration::from_mins(5);

/// Counts heartbeats in the recovery region's state table.
#[derive(Debug)]
pub struct AgentsProbe {
    plan: Arc<Plan>,
    reach: Reach,
    targets: Targets,
    heavy: Option<Agents>,
    asked: bool,
}

impl AgentsProbe {
    /// The probe; `targets` tells where the black boxes lie.
    #[must_use]
    pub fn new(plan: Arc<Plan>, reach: Reach, targets: &Targets) -> Self {
        Self {
            plan,
            reach,
            targets: targets.clone(),
            heavy: None,
            asked: false,
        }
    }
}

impl Probe for AgentsProbe {
    fn name(&self) -> String {
        "agents".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Agents]
    }

    fn pace(&self) -> Pace {
        super::aws::pace(self.plan.interval(&Subject::Agents))
    }

    fn asked(&mut self) {
        self.asked = true;
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let spared = self
                .heavy
                .take()
                .filter(|seen| !self.asked && Moment::now().since(seen.at) < SELDOM);
            self.asked = false;
            let seen = if let Some(seen) = spared {
                self.heavy = Some(seen.clone());
                seen
            } else {
                let boxes = self.targets.boxes();
                let (seen, rows) = Box::pin(agents::look(&self.plan, &self.reach, &boxes)).await?;
                self.heavy = (rows >= HEAVY).then(|| seen.clone());
                seen
            };
            sink.put(
                Subject::Agents,
                began.elapsed(),
                Ok(Fact::Agents(Arc::new(seen))),
            );
            Ok(())
        })
    }
}
