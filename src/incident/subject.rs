//! What an observation is about.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Door, Side, TableRole};

/// The identity of one watched thing. Newer observations of a subject replace older ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Who the AWS credentials of a side are (STS) and until when.
    Identity(Side),
    /// The Kubernetes cluster of a side, as far as the Teleport release goes.
    Cluster(Side),
    /// What would bring the release back by itself in the Kubernetes cluster of a side.
    Reconcilers(Side),
    /// Roles and locks of the Teleport cluster, as the Auth Service of a side tells them.
    Freeze(Side),
    /// Teleport's dynamic resources in the recovery cluster, and what the operator has made of them.
    Resources,
    /// Bots, and the locks that a restore makes on them, as the recovery cluster's Auth Service tells them.
    Bots,
    /// Agents with a heartbeat of since the relaunch, by the recovery region's state table.
    Agents,
    /// How the recovery cluster's Auth pods have started, by their logs.
    AuthLog,
    /// The ways through the Teleport cluster that this session uses.
    Session,
    /// A `DynamoDB` table in the region of a side.
    Table(Side, TableRole),
    /// The recovery points of one of the primary's tables in the recovery region's backup vault.
    Vault(TableRole),
    /// The session recordings bucket of a side.
    Recordings(Side),
    /// What one DNS server answers for one name.
    Answer {
        /// The server as listed: an authority's name, a resolver's address, or `lookup` for Relight's own.
        server: Arc<str>,
        /// The name asked for, without the final dot; `*.` names stand for a fresh random label.
        name: Arc<str>,
    },
    /// The hosted zone's records as Route 53's control plane gives them.
    Zone,
    /// A way to the Teleport proxy: the old load balancer, the new one, the public name.
    Door(Door),
    /// The old load balancer, as AWS itself has it.
    Barrier,
    /// What must be in place in the recovery region before the install.
    Prerequisites,
    /// The black box of this incident, or the newest one kept before it.
    BlackBox,
    /// What this machine keeps of the cluster's certificate authorities for other purposes.
    Baseline,
    /// What an isolated drill has made.
    Made,
    /// The values file written for the recovery release.
    Values,
    /// What the recovery cluster's pods may do at AWS.
    Rights,
    /// Where the recovery cluster's proxies get their certificate from.
    Tls,
}

impl Subject {
    /// The server in [`Subject::Answer`] that stands for the zone's delegation: observed only when no name server could
    /// be found, since then there is nobody else to tell it of.
    pub const DELEGATION: &'static str = "delegation";
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity(side) => write!(f, "identity {side}"),
            Self::Cluster(side) => write!(f, "cluster {side}"),
            Self::Reconcilers(side) => write!(f, "reconcilers {side}"),
            Self::Freeze(side) => write!(f, "freeze {side}"),
            Self::Resources => f.write_str("resources"),
            Self::Bots => f.write_str("bots"),
            Self::Agents => f.write_str("agents"),
            Self::AuthLog => f.write_str("auth log"),
            Self::Session => f.write_str("session"),
            Self::Table(side, role) => write!(f, "table {side} {role}"),
            Self::Vault(role) => write!(f, "vault {role}"),
            Self::Recordings(side) => write!(f, "recordings {side}"),
            Self::Answer { server, name } => write!(f, "answer {server} {name}"),
            Self::Zone => f.write_str("zone"),
            Self::Door(door) => write!(f, "door {door}"),
            Self::Barrier => f.write_str("barrier"),
            Self::Prerequisites => f.write_str("prerequisites"),
            Self::BlackBox => f.write_str("black box"),
            Self::Baseline => f.write_str("baseline"),
            Self::Made => f.write_str("made"),
            Self::Values => f.write_str("values"),
            Self::Rights => f.write_str("rights"),
            Self::Tls => f.write_str("tls"),
        }
    }
}
