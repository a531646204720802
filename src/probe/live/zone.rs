//! The hosted zone's records, as Route 53's control plane gives them.
//!
//! That control plane lives in us-east-1: it may be down while the zone itself is served everywhere. What resolvers see
//! is another probe's business.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use crate::{
    clients::aws::{Reach, not_planned, zone::fetch},
    incident::{Fact, Failure, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// Looks at the records of the watched names.
#[derive(Debug)]
pub struct ZoneProbe {
    id: Option<String>,
    names: Vec<String>,
    reach: Reach,
    interval: Duration,
}

impl ZoneProbe {
    /// A probe of the plan's hosted zone.
    #[must_use]
    pub fn new(plan: &Plan, reach: Reach) -> Self {
        Self {
            id: plan.dns.zone_id.clone(),
            names: plan.dns.names.clone(),
            reach,
            interval: plan.interval(&Subject::Zone),
        }
    }
}

impl Probe for ZoneProbe {
    fn name(&self) -> String {
        "zone".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Zone]
    }

    fn pace(&self) -> Pace {
        super::aws::pace(self.interval)
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let Some(id) = &self.id else {
                return Err(not_planned("hosted zone", "zone_id to [dns]"));
            };
            let zone = fetch(&self.reach, id, &self.names).await?;
            sink.put(Subject::Zone, began.elapsed(), Ok(Fact::Zone(zone.into())));
            Ok(())
        })
    }
}
