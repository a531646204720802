//! What an isolated drill has made, and what of it is there.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::{
    clients::{aws::Aws, drill::look},
    incident::{Fact, Failure, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// Looks at what `drill.json` lists.
#[derive(Debug)]
pub struct MadeProbe {
    plan: Arc<Plan>,
    aws: Aws,
}

impl MadeProbe {
    /// The probe; there is something for it to look at in an isolated drill alone.
    #[must_use]
    pub fn new(plan: &Arc<Plan>, aws: &Aws) -> Option<Self> {
        plan.isolated()?;
        Some(Self {
            plan: Arc::clone(plan),
            aws: aws.clone(),
        })
    }
}

impl Probe for MadeProbe {
    fn name(&self) -> String {
        "what the drill made".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Made]
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.plan.interval(&Subject::Made),
            timeout: Some(Duration::from_mins(1)),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let made = Box::pin(look(&self.plan, &self.aws)).await?;
            sink.put(
                Subject::Made,
                began.elapsed(),
                Ok(Fact::Made(Arc::new(made))),
            );
            Ok(())
        })
    }
}
