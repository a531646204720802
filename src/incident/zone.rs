//! Records of the hosted zone, as Route 53's control plane gives them.

use serde::{Deserialize, Serialize};

/// The record sets of the watched names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Hosted zone id, without `/hostedzone/`.
    pub id: String,
    /// Name of the zone, without the final dot.
    pub name: String,
    /// Whether it is a private zone.
    pub private: bool,
    /// The delegated name servers.
    pub nameservers: Vec<String>,
    /// Record sets of the watched names, in the order of the plan.
    pub records: Vec<RecordSet>,
}

/// One record set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSet {
    /// Name without the final dot, `\052` written as `*`.
    pub name: String,
    /// `A`, `AAAA`, `CNAME`.
    pub kind: String,
    /// TTL in seconds; `None` for an alias, which has the target's.
    pub ttl: Option<i64>,
    /// Values, or the alias target's name.
    pub values: Vec<String>,
    /// For an alias: the hosted zone id of its target.
    pub alias_zone: Option<String>,
}
