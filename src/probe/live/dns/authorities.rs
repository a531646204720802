//! The authorities: each delegated name server of the zone, asked directly.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use tokio::time::Instant;

use super::{
    Wildcards,
    ask::{Memory, Server, ask},
    delegation, names,
};
use crate::{
    clients::dns::Lookup,
    incident::{Failure, Rcode, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink, Targets},
};

/// A delegation is looked up again after so long: it lives for days, but it may be repaired during an incident.
const LASTS: Duration = Duration::from_secs(600);

/// Asks every delegated name server of the zone for every name, without recursion.
#[derive(Debug)]
pub struct Authorities {
    plan: Arc<Plan>,
    targets: Targets,
    wildcards: Wildcards,
    memory: Memory,
    found: Vec<Server>,
    looked_at: Option<Instant>,
}

impl Authorities {
    pub(super) fn new(plan: Arc<Plan>, targets: Targets, wildcards: Wildcards) -> Self {
        let declared = plan.dns.nameservers.iter().map(|server| Server {
            id: server.label.as_str().into(),
            address: server.address,
            authority: true,
        });
        Self {
            found: declared.collect(),
            plan,
            targets,
            wildcards,
            memory: Memory::default(),
            looked_at: None,
        }
    }

    /// Finds the name servers where the plan does not list them. What was found before stays if nothing is found now.
    async fn discover(&mut self) -> Result<(), Failure> {
        let due = self.looked_at.is_none_or(|at| at.elapsed() > LASTS);
        if !self.plan.dns.nameservers.is_empty() || (!due && !self.found.is_empty()) {
            return Ok(());
        }
        let found = async {
            let lookup = Lookup::new(&self.plan)?;
            delegation::find(&self.plan, &lookup, &self.targets.nameservers()).await
        }
        .await;
        match found {
            Ok(servers) => {
                self.found = servers;
                self.looked_at = Some(Instant::now());
                Ok(())
            }
            Err(_) if !self.found.is_empty() => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

impl Probe for Authorities {
    fn name(&self) -> String {
        "dns authorities".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        names(&self.plan)
            .flat_map(|name| {
                self.found.iter().map(|server| Subject::Answer {
                    server: Arc::clone(&server.id),
                    name: name.as_str().into(),
                })
            })
            .collect()
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.plan.dns.interval,
            timeout: Some(Duration::from_secs(20)),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.discover().await?;
            let names: Vec<String> = names(&self.plan).cloned().collect();
            let wildcards = self.wildcards.clone();
            ask(
                &self.found,
                &names,
                &mut self.memory,
                sink,
                |name, answer| {
                    // One authority that says no is enough to stop: another may only be behind.
                    let exists = answer.rcode == Rcode::NoError
                        && !(answer.addresses.is_empty() && answer.chain.is_empty());
                    wildcards.note(name, exists);
                },
            )
            .await;
            Ok(())
        })
    }
}
