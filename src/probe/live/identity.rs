//! Who the credentials of a side are: STS `GetCallerIdentity` at the region's own endpoint.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use crate::{
    clients::aws::{Reach, identity::fetch},
    incident::{Fact, Failure, Side, Subject},
    probe::{Pace, Probe, Sink},
};

/// Asks STS who we are on one side.
#[derive(Debug)]
pub struct IdentityProbe {
    side: Side,
    reach: Reach,
    interval: Duration,
}

impl IdentityProbe {
    /// A probe of the credentials of a side.
    #[must_use]
    pub const fn new(side: Side, reach: Reach, interval: Duration) -> Self {
        Self {
            side,
            reach,
            interval,
        }
    }
}

impl Probe for IdentityProbe {
    fn name(&self) -> String {
        format!("identity {}", self.side)
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Identity(self.side)]
    }

    fn pace(&self) -> Pace {
        super::aws::pace(self.interval)
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let identity = fetch(&self.reach).await?;
            sink.put(
                Subject::Identity(self.side),
                began.elapsed(),
                Ok(Fact::Identity(identity)),
            );
            Ok(())
        })
    }
}
