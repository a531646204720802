//! The authorities: each delegated name server of the zone, asked directly.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use tokio::time::Instant;

use super::{
    Wildcards,
    ask::{Memory, Server, ask},
    delegation::{self, Found},
    names,
};
use crate::{
    clients::dns::Lookup,
    incident::{Failure, FailureKind, Rcode, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink, Targets},
};

/// A delegation is looked up again after so long: it lives for days, but it may be repaired during an incident.
const LASTS: Duration = Duration::from_mins(10);

/// The same while one of the name servers could not be located: every one counts for "published".
const LASTS_IN_PART: Duration = Duration::from_secs(30);

/// Longest that the name servers are looked for.
const DISCOVERY: Duration = Duration::from_secs(12);

/// Asks every delegated name server of the zone for every name, without recursion.
#[derive(Debug)]
pub struct Authorities {
    plan: Arc<Plan>,
    targets: Targets,
    wildcards: Wildcards,
    memory: Memory,
    found: Found,
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
            found: Found {
                servers: declared.collect(),
                lost: Vec::new(),
            },
            plan,
            targets,
            wildcards,
            memory: Memory::default(),
            looked_at: None,
        }
    }

    /// Finds the name servers where the plan does not list them. What was found before stays if nothing is found now.
    async fn discover(&mut self) -> Result<(), Failure> {
        let lasts = if self.found.lost.is_empty() {
            LASTS
        } else {
            LASTS_IN_PART
        };
        let due = self.looked_at.is_none_or(|at| at.elapsed() > lasts);
        if !self.plan.dns.nameservers.is_empty() || (!due && !self.found.servers.is_empty()) {
            return Ok(());
        }
        // Strangers answer for a private zone what they like: the plan's resolvers alone know it.
        if self.plan.dns.private {
            return Ok(());
        }
        let found = tokio::time::timeout(DISCOVERY, async {
            let lookup = Lookup::new(&self.plan)?;
            delegation::find(&self.plan, &lookup, &self.targets.nameservers()).await
        })
        .await;
        let silent = |_| {
            let limit = DISCOVERY.as_secs();
            let why = format!("looking for the zone's name servers: no answer in {limit} s");
            Err(Failure::new(FailureKind::Timeout, why))
        };
        match found.unwrap_or_else(silent) {
            Ok(found) => {
                self.found = found;
                self.looked_at = Some(Instant::now());
                Ok(())
            }
            Err(_) if !self.found.servers.is_empty() => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Tells a failure of one server for each name.
    fn lose(&self, server: &Arc<str>, failure: &Failure, sink: &Sink) {
        for name in names(&self.plan) {
            let subject = Subject::Answer {
                server: Arc::clone(server),
                name: name.as_str().into(),
            };
            sink.put(subject, Duration::ZERO, Err(failure.clone()));
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
                self.found.servers.iter().map(|server| Subject::Answer {
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
            // Nobody has been found to tell it of: the delegation stands for itself.
            if let Err(failure) = self.discover().await {
                self.lose(&Subject::DELEGATION.into(), &failure, sink);
                return Err(failure);
            }
            for (server, failure) in &self.found.lost {
                self.lose(server, failure, sink);
            }
            let names: Vec<String> = names(&self.plan).cloned().collect();
            let wildcards = self.wildcards.clone();
            ask(
                &self.found.servers,
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn authorities(dns: &str) -> Authorities {
        let text = format!(
            "practice = true\n[cluster]\nname = \"t.example.com\"\n[primary]\nregion = \"us-east-1\"\n\
             [recovery]\nregion = \"us-west-2\"\n[dns]\nlookup = [\"127.200.0.9:9\"]\n{dns}"
        );
        let plan = Arc::new(Plan::parse(Path::new("/p/relight.toml"), &text).expect("a plan"));
        Authorities::new(plan, Targets::default(), Wildcards::default())
    }

    async fn told(probe: &mut Authorities) -> (Result<(), Failure>, Vec<String>) {
        let sink = Sink::default();
        let outcome = probe.look(&sink).await;
        let seen = sink.take_now();
        assert!(seen.iter().all(|seen| seen.outcome.is_err()), "{seen:?}");
        let told = seen.iter().map(|seen| seen.subject.to_string());
        (outcome, told.collect())
    }

    #[tokio::test]
    async fn a_delegation_that_is_not_found_is_told_for_each_name() {
        let mut probe = authorities("zone = \"example.com\"\n");
        let (outcome, told) = told(&mut probe).await;
        outcome.expect_err("nobody answers");
        assert_eq!(
            told,
            [
                "answer delegation *.t.example.com",
                "answer delegation t.example.com"
            ]
        );
    }

    #[tokio::test]
    async fn a_name_server_without_an_address_is_told_at_every_look() {
        let mut probe = authorities("zone = \"example.com\"\n");
        let failure = Failure::new(FailureKind::Timeout, "no answer in 1500 ms");
        probe.found.lost = vec![("ns-2.example.net".into(), failure)];
        probe.found.servers = vec![Server {
            id: "ns-1".into(),
            address: ([127, 200, 0, 9], 9).into(),
            authority: true,
        }];
        probe.looked_at = Some(Instant::now());
        let (outcome, told) = told(&mut probe).await;
        outcome.expect("a look");
        let lost = |name: &&String| name.contains("ns-2.example.net");
        assert_eq!(told.iter().filter(lost).count(), 2, "{told:?}");
    }

    #[tokio::test]
    async fn a_private_zone_is_not_asked_for_at_strangers() {
        let mut probe = authorities("private = true\nresolvers = [\"127.200.0.8:9\"]\n");
        let (outcome, told) = told(&mut probe).await;
        outcome.expect("nothing to do");
        assert_eq!(told, Vec::<String>::new());
    }
}
