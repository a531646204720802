//! The caches: the plan's resolvers, the system's, and public ones.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;

use super::{
    Wildcards,
    ask::{Memory, Server, ask},
    names,
};
use crate::{
    clients::dns::system_servers,
    incident::{Failure, Subject},
    plan::{Plan, panel::address_text},
    probe::{Pace, Probe, Sink},
};

/// Asks every watched resolver for every name, with recursion.
#[derive(Debug)]
pub struct Resolvers {
    plan: Arc<Plan>,
    wildcards: Wildcards,
    memory: Memory,
}

impl Resolvers {
    pub(super) fn new(plan: Arc<Plan>, wildcards: Wildcards) -> Self {
        Self {
            plan,
            wildcards,
            memory: Memory::default(),
        }
    }

    /// Who is asked: the plan's own and public resolvers, and the system's unless this is a practice.
    fn servers(&self) -> Vec<Server> {
        let planned = self.plan.watched_resolvers();
        let mut addresses: Vec<_> = planned.into_iter().map(|known| known.address).collect();
        if !self.plan.practice {
            // A machine without a usable resolv.conf has no resolver of its own to watch; look-ups tell why.
            for address in system_servers().unwrap_or_default() {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
        }
        addresses
            .into_iter()
            .map(|address| Server {
                id: address_text(address).into(),
                address,
                authority: false,
            })
            .collect()
    }
}

impl Probe for Resolvers {
    fn name(&self) -> String {
        "dns resolvers".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        let servers = self.plan.watched_resolvers();
        let names = names(&self.plan).filter(|name| !name.starts_with("*."));
        names
            .flat_map(|name| {
                servers.iter().map(|server| Subject::Answer {
                    server: address_text(server.address).into(),
                    name: name.as_str().into(),
                })
            })
            .collect()
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.plan.dns.interval,
            timeout: Some(Duration::from_secs(15)),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let names: Vec<String> = names(&self.plan)
                .filter(|name| self.wildcards.may_ask(name))
                .cloned()
                .collect();
            ask(&self.servers(), &names, &mut self.memory, sink, |_, _| {}).await;
            Ok(())
        })
    }
}
