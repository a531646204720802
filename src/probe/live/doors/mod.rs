//! The three ways to the proxy: the old load balancer, the new one, the public name.
//!
//! Each address that a door resolves to is looked at by itself, with the cluster's name as SNI and Host, so that one
//! dead address behind a living name shows. Reading the answers is [`crate::clients::web`]'s; here is where to look, and
//! how seldom the authorities are asked for.

mod behind;
mod pins;
mod steady;

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{
    FutureExt as _,
    future::{BoxFuture, join_all},
};
use tokio::sync::OnceCell;

use self::{behind::Behind, pins::Pins, steady::Steady};
use crate::{
    clients::{dns::Lookup, web::Web},
    incident::{
        Address, Door, DoorFact, Fact, Failure, FailureKind, Moment, Side, Subject, Witnessed,
    },
    plan::Plan,
    probe::{Pace, Probe, Sink, Targets, live::dns::on_wire},
};

/// Most addresses looked at behind a door: a load balancer has one or a few a zone. What is left out is said.
const ADDRESSES: usize = 16;

/// Most hosts looked up for a door. What is left out is said.
const HOSTS: usize = 16;

/// Longest that a look may take: six seconds an address, all at once, after the look-up, and the pins; or, where TCP
/// reaches no address within three, twelve for a port-forward.
const TIMEOUT: Duration = Duration::from_secs(22);

/// What the three doors share: built at the first look, off the loop, since it reads roots and `resolv.conf` from disk.
#[derive(Debug)]
struct Reach {
    web: Web,
    lookup: Result<Lookup, Failure>,
}

/// Looks at one door.
pub struct DoorProbe {
    plan: Arc<Plan>,
    door: Door,
    targets: Targets,
    reach: Arc<OnceCell<Reach>>,
    /// Hosts that the old cluster's status once named: when its Service is gone, its load balancer stays watched.
    remembered: Vec<String>,
    pins: Pins,
    steady: Steady,
    behind: Behind,
}

impl DoorProbe {
    /// A probe for each door.
    #[must_use]
    pub fn each(plan: &Arc<Plan>, targets: &Targets) -> Vec<Self> {
        let reach = Arc::new(OnceCell::new());
        Door::ALL
            .map(|door| Self {
                plan: plan.clone(),
                door,
                targets: targets.clone(),
                reach: reach.clone(),
                remembered: Vec::new(),
                pins: Pins::default(),
                steady: Steady::default(),
                behind: Behind::default(),
            })
            .into()
    }

    /// The hosts of this door as declared and as the clusters' status names them; each once.
    fn hosts(&mut self) -> Vec<String> {
        let (declared, more, side) = match self.door {
            Door::Public => return vec![self.plan.cluster.name.clone()],
            Door::Old => (
                &self.plan.primary.load_balancer,
                &self.plan.dns.old,
                Side::Primary,
            ),
            Door::New => (
                &self.plan.recovery.load_balancer,
                &self.plan.dns.new,
                Side::Recovery,
            ),
        };
        let known = self.targets.get(side);
        if self.door == Door::Old {
            for host in &known {
                if !self.remembered.contains(host) && self.remembered.len() < 2 * HOSTS {
                    self.remembered.push(host.clone());
                }
            }
        }
        let mut hosts: Vec<String> = Vec::new();
        for host in declared
            .iter()
            .chain(more)
            .chain(&known)
            .chain(&self.remembered)
        {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        hosts
    }

    /// The authorities seen at the old door, at addresses that are this cluster's beyond doubt.
    fn witnessed(&self, seen: &[Address]) -> Vec<Witnessed> {
        if self.door != Door::Old {
            return Vec::new();
        }
        let ours = |address: &&Address| {
            let name = address.ping.as_ref().ok()?.cluster_name.as_ref()?;
            let trusted = address.tls.as_ref().ok()?.problem.is_none();
            (trusted && name.eq_ignore_ascii_case(&self.plan.cluster.name)).then_some(())
        };
        seen.iter()
            .filter(|address| ours(address).is_some())
            .filter_map(|address| self.pins.witnessed(address))
            .collect()
    }

    async fn fact(&mut self) -> Result<DoorFact, Failure> {
        let mut hosts = self.hosts();
        if hosts.is_empty() {
            return Err(unknown_door(self.door));
        }
        let mut gaps: Vec<Failure> = cut(&mut hosts, HOSTS, "hosts").into_iter().collect();
        let plan = self.plan.clone();
        let reach = self
            .reach
            .get_or_try_init(|| async {
                tokio::task::spawn_blocking(move || Reach {
                    web: Web::load(&plan),
                    lookup: Lookup::new(&plan),
                })
                .await
                .map_err(|error| {
                    Failure::new(
                        FailureKind::Other,
                        format!("TLS could not be set up: {error}"),
                    )
                })
            })
            .await?;
        let (mut addresses, unresolved) = resolve(&hosts, reach).await;
        gaps.extend(unresolved);
        gaps.extend(cut(&mut addresses, ADDRESSES, "addresses"));
        // What keeps an address from being known outweighs a name that is gone.
        if addresses.is_empty()
            && let Some(failure) = gaps
                .iter()
                .find(|gap| gap.kind != FailureKind::Unresolved)
                .or(gaps.first())
        {
            return Err(failure.clone());
        }
        let asks = self.door != Door::Old;
        let wildcard = format!("*.{}", self.plan.cluster.name);
        let mut seen = join_all(addresses.iter().map(|ip| async {
            let Reach { web, .. } = reach;
            if !asks {
                return web.visit(*ip).await;
            }
            let name = on_wire(&wildcard);
            let (mut address, told) = futures::join!(web.visit(*ip), web.wildcard(*ip, &name));
            address.wildcard = told;
            address
        }))
        .await;
        self.pins.fill(&reach.web, &mut seen, Instant::now()).await;
        let forwarded = if self.door == Door::New {
            self.behind.look(&self.plan, &reach.web, &seen).await
        } else {
            None
        };
        Ok(DoorFact {
            host: hosts.join(", ").chars().take(300).collect(),
            witnessed: self.witnessed(&seen),
            addresses: seen,
            gaps,
            forwarded,
        })
    }
}

impl Probe for DoorProbe {
    fn name(&self) -> String {
        format!("web {}", self.door)
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Door(self.door)]
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self
                .steady
                .interval(self.plan.interval(&Subject::Door(self.door))),
            timeout: Some(TIMEOUT),
        }
    }

    /// A run has ended or somebody asks: what counts from now on is wanted soon.
    fn asked(&mut self) {
        if self.door == Door::New {
            self.steady.hurry();
            self.behind.wanted();
        }
    }

    /// A door that is shut is a reading, not a look that failed: it is looked at again as soon as one that is open.
    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        async move {
            let began = Instant::now();
            // Taken out: a look that is given up in the middle, or fails, ends what ran.
            let steady = std::mem::take(&mut self.steady);
            let mut fact = self.fact().await;
            if self.door == Door::New {
                let seen = fact
                    .as_mut()
                    .map_or(&mut [][..], |fact| &mut fact.addresses);
                self.steady = steady.after(&self.plan.cluster.name, seen, Moment::now());
            }
            let outcome = fact.map(|fact| Fact::Door(Arc::new(fact)));
            sink.put(Subject::Door(self.door), began.elapsed(), outcome);
            Ok(())
        }
        .boxed()
    }
}

/// Cuts a list, and says so.
fn cut<T>(list: &mut Vec<T>, most: usize, what: &str) -> Option<Failure> {
    let all = list.len();
    list.truncate(most);
    (all > most).then(|| {
        Failure::new(
            FailureKind::Other,
            format!("it has {all} {what}, of which only {most} are looked at"),
        )
    })
}

/// Looks the hosts up, all at once: their addresses, and why a host has none.
async fn resolve(hosts: &[String], reach: &Reach) -> (Vec<IpAddr>, Vec<Failure>) {
    let looked = join_all(hosts.iter().map(|host| async move {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![address]);
        }
        let lookup = reach.lookup.as_ref().map_err(Clone::clone)?;
        lookup.lookup(host).await.map(|found| found.addresses)
    }))
    .await;
    let mut addresses = Vec::new();
    let mut failures = Vec::new();
    for found in looked {
        match found {
            Ok(found) => addresses.extend(found),
            Err(why) => failures.push(why),
        }
    }
    addresses.sort_unstable();
    addresses.dedup();
    (addresses, failures)
}

fn unknown_door(door: Door) -> Failure {
    let detail = match door {
        Door::Old => {
            "no address of the old load balancer is known: declare [primary] load_balancer, or let the primary's \
             Kubernetes API answer"
        }
        Door::New => {
            "no address of the new load balancer is known yet: the recovery cluster's Service or Ingress gives it, or \
             [recovery] load_balancer"
        }
        Door::Public => "the plan names no cluster",
    };
    Failure::new(FailureKind::NotPlanned, detail)
}

#[cfg(test)]
mod tests;
