//! What one DNS server answers for one name.

use std::{fmt, net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};

use super::Moment;

/// Response code, as far as the judges tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Rcode {
    /// An answer, perhaps an empty one.
    NoError,
    /// The name does not exist.
    NxDomain,
    /// The server failed.
    ServFail,
    /// The server will not answer us.
    Refused,
    /// Any other code.
    Other,
}

impl fmt::Display for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NoError => "NOERROR",
            Self::NxDomain => "NXDOMAIN",
            Self::ServFail => "SERVFAIL",
            Self::Refused => "REFUSED",
            Self::Other => "OTHER",
        })
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The address that was asked.
    pub server: String,
    /// Whether the server is one of the zone's delegated authorities (asked without recursion).
    pub authority: bool,
    /// The name that went over the wire (a fresh random label stands for a wildcard).
    pub asked: String,
    /// Response code.
    pub rcode: Rcode,
    /// Authoritative answer bit.
    pub aa: bool,
    /// CNAME hops in order.
    pub chain: Vec<Hop>,
    /// Addresses at the end of the chain, sorted.
    pub addresses: Vec<IpAddr>,
    /// The least TTL over chain and addresses, in seconds; for a negative answer the SOA's (RFC 2308 section 5).
    pub ttl: Option<u32>,
    /// Round trip.
    #[serde(with = "super::millis")]
    pub rtt: Duration,
    /// `udp` or `tcp`.
    pub transport: String,
    /// The last change that was seen here while this server was being watched; `None` if there was none.
    #[serde(default)]
    pub changed: Option<Change>,
}

/// A server began to answer something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When the new answer was first seen.
    pub at: Moment,
    /// The TTL of the answer before, as this server last gave it: at an authority, how long caches may go on with it.
    pub ttl_before: Option<u32>,
}

/// One CNAME of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// Where it points to, lower case, without the final dot.
    pub target: String,
    /// Remaining TTL in seconds.
    pub ttl: u32,
}
