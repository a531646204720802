//! Ways to the Teleport proxy, stage by stage: DNS, TCP, TLS, HTTP.

use std::{fmt, net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Failure, FailureKind, Moment, Part};

/// A way to the proxy. Always with SNI and Host of the cluster name; only the address differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// The primary's load balancer.
    Old,
    /// The recovery region's load balancer.
    New,
    /// The public name, as this machine resolves it.
    Public,
}

impl Door {
    /// All doors in the order of the pane.
    pub const ALL: [Self; 3] = [Self::Old, Self::New, Self::Public];

    /// The word used on screen and in the journal.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
            Self::Public => "public",
        }
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// What was seen at a door.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DoorFact {
    /// The host name that was resolved for this door; the address itself where the plan or the status gives one.
    pub host: String,
    /// One entry for each address it resolved to, sorted by address.
    pub addresses: Vec<Address>,
    /// At the old door: whose authorities were last seen, at each address that answered as this cluster with a trusted
    /// certificate. What this look did not see again, [`super::Instruments`] carries over from the looks before, since
    /// shutting the old door must not erase what the new one is compared with.
    #[serde(default)]
    pub witnessed: Vec<Witnessed>,
    /// What of this door was not looked at, and why: a host that did not resolve while another did, addresses beyond
    /// the most that are looked at.
    #[serde(default)]
    pub gaps: Vec<Failure>,
    /// At the new door, where none of its addresses can be reached from here: what a proxy pod answers instead.
    #[serde(default)]
    pub forwarded: Option<Forwarded>,
}

/// What a proxy pod answers through a Kubernetes port-forward: of the authorities as good as the door itself, of the load
/// balancer it says nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forwarded {
    /// Where it leads: `deployment/teleport-cluster-proxy in context west`.
    pub through: String,
    /// When it was looked through: more seldom than at the door.
    pub at: Moment,
    /// What was seen, at 127.0.0.1.
    pub seen: Part<Address>,
}

/// Most addresses whose authorities are remembered.
const WITNESSED: usize = 64;

impl DoorFact {
    /// Takes over what an earlier look saw and this one did not.
    pub(super) fn carry(&mut self, before: &Self) {
        for old in &before.witnessed {
            let again = self.witnessed.iter().any(|seen| seen.ip == old.ip);
            if !again && self.witnessed.len() < WITNESSED {
                self.witnessed.push(old.clone());
            }
        }
    }
}

/// The certificate authorities that an address showed while it answered as this cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witnessed {
    /// The address.
    pub ip: IpAddr,
    /// CA pins of the host CA, sorted.
    pub pins: Vec<String>,
    /// When they were asked for.
    pub at: Moment,
}

/// One address behind a door, as far as it was reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Address {
    /// The address and port connected to.
    pub ip: IpAddr,
    /// TCP port.
    pub port: u16,
    /// Time to connect.
    pub tcp: Part<Duration>,
    /// The certificate presented, valid or not. `Err` when no handshake came about.
    pub tls: Part<Certificate>,
    /// `GET /webapi/ping`: needs the Auth Service.
    pub ping: Part<Ping>,
    /// `GET /webapi/find`: the proxy alone.
    pub find: Part<Find>,
    /// CA pins of the host CA from `/webapi/auth/export?type=tls-host`, sorted; fetched once a stage.
    pub pins: Part<Vec<String>>,
    /// At the new door: when it was found in order, look after look without a break, oldest first, at most the last
    /// [`STEADY`] of them.
    #[serde(default)]
    pub steady: Vec<Moment>,
    /// At the new and at the public door: what a name under the cluster's gets.
    #[serde(default = "not_asked")]
    pub wildcard: Part<Wildcard>,
}

/// So many looks in a row must find the new door in order before names are pointed at it (guide, step 4/4: "ensure the
/// cluster is up and running").
pub const STEADY: usize = 3;

impl Address {
    /// An address at which a stage failed: the later ones were stopped by the same failure.
    #[must_use]
    pub fn stopped(ip: IpAddr, port: u16, tcp: Part<Duration>, failure: &Failure) -> Self {
        Self {
            ip,
            port,
            tcp,
            tls: Err(failure.clone()),
            ping: Err(failure.clone()),
            find: Err(failure.clone()),
            pins: Err(failure.clone()),
            steady: Vec::new(),
            wildcard: not_asked(),
        }
    }
}

/// A wildcard that nobody asked: at the old door, or by an older Relight.
pub(crate) fn not_asked() -> Part<Wildcard> {
    Err(Failure::new(
        FailureKind::NotPlanned,
        "no name under the cluster's has been asked for",
    ))
}

/// What a fresh random name under the cluster's gets: applications are reached by such names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wildcard {
    /// The name, in SNI and Host: another one at each look.
    pub asked: String,
    /// The certificate presented for it.
    pub tls: Certificate,
    /// HTTP status of `GET /`. Any will do: a proxy that has no such application redirects or refuses.
    pub answer: Part<u16>,
}

/// A server certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Issuer, as a distinguished name.
    pub issuer: String,
    /// DNS names and addresses it is valid for.
    pub names: Vec<String>,
    /// Start of validity.
    pub not_before: Moment,
    /// End of validity.
    pub not_after: Moment,
    /// `None` if this machine trusts it for the cluster name, else why not.
    pub problem: Option<String>,
}

/// `/webapi/ping`, the fields that are asserted on. Everything else is ignored, over versions 12 to 18.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// HTTP status.
    pub status: u16,
    /// `cluster_name`.
    pub cluster_name: Option<String>,
    /// `server_version`: the proxy's.
    pub server_version: Option<String>,
    /// `auth.type`.
    pub auth_type: Option<String>,
    /// `auth.webauthn.rp_id`.
    pub rp_id: Option<String>,
    /// `proxy.ssh.public_addr`.
    pub public_addr: Option<String>,
    /// `proxy.tls_routing_enabled`.
    pub tls_routing: Option<bool>,
    /// Round trip.
    #[serde(with = "super::millis")]
    pub took: Duration,
}

/// `/webapi/find`: discovery by the proxy alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Find {
    /// HTTP status.
    pub status: u16,
    /// `cluster_name`, where the version gives it.
    pub cluster_name: Option<String>,
    /// `server_version`.
    pub server_version: Option<String>,
}
