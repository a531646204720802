//! Records of the hosted zone, as Route 53's control plane gives them.

use serde::{Deserialize, Serialize};

use super::Part;

/// The record sets of the watched names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Those among them that have a routing policy.
    #[serde(default)]
    pub routed: Vec<Routed>,
    /// `AcceleratedRecoveryStatus`, as Route 53 writes it: whether its control plane may fail over for this zone. `None`
    /// where it says nothing of it.
    #[serde(default)]
    pub accelerated: Option<String>,
    /// Who has written down that the watched names are theirs; `None` if nobody looked.
    #[serde(default)]
    pub owners: Option<Part<Vec<Ownership>>>,
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

/// The routing policy of a record set: what moves a name without any change of records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routed {
    /// The name.
    pub name: String,
    /// `SetIdentifier`.
    pub set: String,
    /// `PRIMARY` or `SECONDARY` of a failover pair; `None` for another policy, such as a weight.
    pub failover: Option<String>,
    /// Id of the health check that it hangs on.
    pub health_check: Option<String>,
    /// Where it leads.
    pub values: Vec<String>,
}

/// A TXT record by which an external-dns says that a name is its own (`heritage=external-dns,external-dns/owner=…`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// The watched name.
    pub name: String,
    /// Name of the TXT record, such as `cname-teleport.example.com`.
    pub record: String,
    /// The owner's id (`--txt-owner-id`).
    pub owner: String,
    /// What it was made for, such as `service/teleport/teleport`.
    pub resource: Option<String>,
}
