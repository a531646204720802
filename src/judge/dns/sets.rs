//! What the names pointed to, and what they are to point to: two sets, declared and looked up, never a majority.

use std::{collections::BTreeSet, net::IpAddr};

use crate::{
    incident::{Fact, Side, Subject},
    judge::{Glance, Sight, black_box, glance},
};

/// The server under which Relight's own look-ups are observed.
pub const LOOKUP: &str = "lookup";

/// Hosts and addresses of one side's load balancers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Host names, lower case, without the final dot.
    pub hosts: BTreeSet<String>,
    /// Addresses, declared or looked up.
    pub addresses: BTreeSet<IpAddr>,
}

impl Ends {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.addresses.is_empty()
    }

    /// Its host names; its addresses where it has none.
    #[must_use]
    pub fn told(&self) -> String {
        if self.hosts.is_empty() {
            let all: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
            return all.join(", ");
        }
        let hosts: Vec<&str> = self.hosts.iter().map(String::as_str).collect();
        hosts.join(", ")
    }

    fn add(&mut self, end: &str) {
        if let Ok(address) = end.parse() {
            self.addresses.insert(address);
        } else if let Some(host) = plain(end) {
            self.hosts.insert(host);
        }
    }
}

/// Where the names pointed before, and where they are to point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sets {
    /// The primary's load balancers.
    pub old: Ends,
    /// The recovery's load balancers.
    pub new: Ends,
}

/// Both sets: what the plan declares, what the black box has of before, what the clusters' status says, and the addresses that Relight's own look-ups
/// last found for the hosts among them. An old value counts as well as a fresh one: a deleted load balancer's
/// addresses stay OLD.
#[must_use]
pub fn sets(sight: &Sight<'_>) -> Sets {
    Sets {
        old: ends(Side::Primary, &sight.plan.dns.old, sight),
        new: ends(Side::Recovery, &sight.plan.dns.new, sight),
    }
}

fn ends(side: Side, declared: &[String], sight: &Sight<'_>) -> Ends {
    let mut ends = Ends::default();
    for end in declared.iter().chain(&sight.plan.side(side).load_balancer) {
        ends.add(end);
    }
    if side == Side::Primary
        && let Some(found) = black_box::known(sight)
    {
        for end in found.ends() {
            ends.add(end.strip_prefix("dualstack.").unwrap_or(end));
        }
    }
    if let Some((Fact::Cluster(cluster), _)) = glance(&Subject::Cluster(side), sight).known()
        && let Some(balancer) = &cluster.load_balancer
    {
        for end in &balancer.addresses {
            ends.add(end);
        }
    }
    resolved(ends, sight)
}

/// With the addresses that Relight's own look-ups last found for the hosts.
fn resolved(mut ends: Ends, sight: &Sight<'_>) -> Ends {
    for host in ends.hosts.clone() {
        let subject = Subject::Answer {
            server: LOOKUP.into(),
            name: host.as_str().into(),
        };
        if let Some((Fact::Answer(answer), _)) = glance(&subject, sight).known() {
            ends.addresses.extend(&answer.addresses);
            ends.hosts
                .extend(answer.chain.iter().filter_map(|hop| plain(&hop.target)));
        }
    }
    ends
}

/// The load balancer that the old release has now, by a fresh look at the primary's cluster, where it is another one than
/// the black box has: a chart that is installed anew gets one of another name.
#[must_use]
pub fn other_ends(sight: &Sight<'_>) -> Option<Ends> {
    let before = black_box::known(sight)?.load_balancer.good()?;
    let Glance::Fresh(Fact::Cluster(cluster), _) = glance(&Subject::Cluster(Side::Primary), sight)
    else {
        return None;
    };
    let mut now = Ends::default();
    let mut was = Ends::default();
    for end in &cluster.load_balancer.as_ref()?.addresses {
        now.add(end);
    }
    for end in &before.addresses {
        was.add(end);
    }
    let same = now.hosts.is_subset(&was.hosts) && now.addresses.is_subset(&was.addresses);
    (!now.is_empty() && !same).then(|| resolved(now, sight))
}

/// A host name in lower case without the final dot; `None` for an empty one.
pub(super) fn plain(host: &str) -> Option<String> {
    let host = host.strip_suffix('.').unwrap_or(host);
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}
