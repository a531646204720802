//! The load balancers' own names: what they resolve to is what NEW and OLD mean.

use std::{sync::Arc, time::Duration};

use futures::future::{BoxFuture, join_all};

use crate::{
    clients::dns::Lookup,
    incident::{Answer, Fact, Failure, Rcode, Side, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink, Targets},
};

/// The server in [`Subject::Answer`] for Relight's own look-ups.
const LOOKUP: &str = "lookup";

/// Most hosts looked up: two sides with a handful of names each.
const MOST: usize = 32;

/// Looks the hosts of both sides' load balancers up, as the plan and the clusters' status name them.
#[derive(Debug)]
pub struct Lookups {
    plan: Arc<Plan>,
    targets: Targets,
    lookup: Option<Lookup>,
}

impl Lookups {
    pub(super) fn new(plan: Arc<Plan>, targets: Targets) -> Self {
        Self {
            plan,
            targets,
            lookup: None,
        }
    }

    /// The hosts, without what is an address already.
    fn hosts(&self) -> Vec<String> {
        let mut hosts = Vec::new();
        for side in Side::BOTH {
            let declared = match side {
                Side::Primary => &self.plan.dns.old,
                Side::Recovery => &self.plan.dns.new,
            };
            let balancers = &self.plan.side(side).load_balancer;
            let told = self.targets.get(side);
            for host in declared.iter().chain(balancers).chain(&told) {
                let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
                let is_address = host.parse::<std::net::IpAddr>().is_ok();
                if !host.is_empty() && !is_address && !hosts.contains(&host) && hosts.len() < MOST {
                    hosts.push(host);
                }
            }
        }
        hosts
    }
}

fn subject(host: &str) -> Subject {
    Subject::Answer {
        server: LOOKUP.into(),
        name: host.into(),
    }
}

impl Probe for Lookups {
    fn name(&self) -> String {
        "dns look-ups".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        self.hosts().iter().map(|host| subject(host)).collect()
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.plan.dns.interval,
            timeout: Some(Duration::from_secs(15)),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let hosts = self.hosts();
            if hosts.is_empty() {
                return Ok(());
            }
            let lookup = match &self.lookup {
                Some(lookup) => lookup,
                None => self.lookup.insert(Lookup::new(&self.plan)?),
            };
            join_all(hosts.iter().map(|host| async move {
                // A name that is gone is a failure, not an empty fact: the last addresses stay known as the target.
                let looked = lookup.lookup(host).await;
                let took = looked.as_ref().map_or(Duration::ZERO, |looked| looked.took);
                let outcome = looked.map(|looked| {
                    Fact::Answer(Arc::new(Answer {
                        server: LOOKUP.to_owned(),
                        authority: false,
                        asked: host.clone(),
                        rcode: Rcode::NoError,
                        aa: false,
                        chain: looked.chain,
                        addresses: looked.addresses,
                        ttl: looked.ttl,
                        rtt: looked.took,
                        transport: LOOKUP.to_owned(),
                        changed: None,
                    }))
                });
                sink.put(subject(host), took, outcome);
            }))
            .await;
            Ok(())
        })
    }
}
