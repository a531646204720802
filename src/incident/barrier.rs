//! The old load balancer as AWS itself has it: what can be shut where the cluster behind it can no longer be reached.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What Elastic Load Balancing of the primary region says about the old load balancer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Barrier {
    /// The region that was asked.
    pub region: String,
    /// The load balancers whose DNS name is one of those that led to the old cluster.
    pub balancers: Vec<Balancer>,
    /// Names that led to the old cluster and are no load balancer's of this region and account.
    pub missing: Vec<String>,
    /// What this incident's fence has written down before it shut anything; nothing where it did not act.
    #[serde(default)]
    pub taken: Taken,
}

/// What `fence-old-cluster` has written down before it took it away: what a way back puts there again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Listeners as they were.
    pub listeners: Vec<TakenListener>,
    /// Security groups as they were, by the ARN of the load balancer.
    pub groups: BTreeMap<String, Vec<String>>,
}

/// A listener that was written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenListener {
    /// Its ARN at that time: one that is made again gets another.
    pub arn: String,
    /// ARN of the load balancer that it listened for.
    pub balancer: String,
    /// Its port.
    pub port: u16,
    /// `TLS`, `TCP`, …
    pub protocol: String,
}

/// A load balancer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balancer {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// `DNSName`, as AWS gives it.
    pub dns_name: String,
    /// `network`, `application`, `gateway`.
    pub kind: String,
    /// The VPC it is in.
    pub vpc: String,
    /// Its security groups; one that was made without them can never have any.
    pub groups: Vec<String>,
    /// What it listens on; none lets nobody in.
    pub listeners: Vec<Listener>,
}

/// A listener.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Its ARN.
    pub arn: String,
    /// Its port.
    pub port: u16,
    /// `TLS`, `TCP`, `HTTPS`, …
    pub protocol: String,
    /// What of it is not in AWS's answer or not written down by Relight, so that it could not be made again.
    pub unkept: Option<String>,
}

impl Balancer {
    /// Whether its only security group is this one.
    #[must_use]
    pub fn behind(&self, group: &str) -> bool {
        self.groups == [group]
    }
}

/// Whether a host that led to the old cluster is this DNS name: as it is, or with the `dualstack.` that Route 53's
/// console puts before it. Names are compared whole and never cut.
#[must_use]
pub fn same_host(dns_name: &str, host: &str) -> bool {
    let plain = |name: &str| name.trim_end_matches('.').to_ascii_lowercase();
    let (dns_name, host) = (plain(dns_name), plain(host));
    !dns_name.is_empty() && (host == dns_name || host == format!("dualstack.{dns_name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_whole() {
        let name = "a-1.elb.us-east-1.amazonaws.com";
        for (host, same) in [
            ("A-1.elb.us-east-1.amazonaws.com.", true),
            ("dualstack.a-1.elb.us-east-1.amazonaws.com", true),
            ("a-12.elb.us-east-1.amazonaws.com", false),
            ("x.a-1.elb.us-east-1.amazonaws.com", false),
            ("a-1", false),
        ] {
            assert_eq!(same_host(name, host), same, "{host}");
        }
        assert!(!same_host("", ""));
    }
}
