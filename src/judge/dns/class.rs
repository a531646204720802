//! What one answer is, held against the two sets.

use std::fmt;

use super::sets::{Sets, plain};
use crate::incident::{Answer, Failure, FailureKind, Rcode};

/// What a server's answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// All of it points to the recovery's load balancers.
    New,
    /// All of it points to the primary's.
    Old,
    /// Some of it does, some of it does not.
    Mixed,
    /// The name exists and has no address.
    Empty,
    /// The name does not exist.
    NxDomain,
    /// The server failed.
    ServFail,
    /// The server will not answer us.
    Refused,
    /// No answer in time.
    Timeout,
    /// There is no getting through to the server: nothing listens, or no route.
    Blocked,
    /// It points somewhere that is in neither set or in both, or the code is none of the above.
    Other,
    /// Not seen, or too long ago.
    Unknown,
}

impl Class {
    /// The word that is always shown beside symbol and colour.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Old => "OLD",
            Self::Mixed => "MIXED",
            Self::Empty => "EMPTY",
            Self::NxDomain => "NXDOMAIN",
            Self::ServFail => "SERVFAIL",
            Self::Refused => "REFUSED",
            Self::Timeout => "TIMEOUT",
            Self::Blocked => "BLOCKED",
            Self::Other => "OTHER",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Whether whoever asks there is still sent to the primary, wholly or in part.
    #[must_use]
    pub const fn holds_old(self) -> bool {
        matches!(self, Self::Old | Self::Mixed)
    }

    /// Whether the server gives no usable answer at all, old or new: it fails, which is another matter than staleness.
    #[must_use]
    pub const fn fails(self) -> bool {
        matches!(
            self,
            Self::ServFail | Self::Refused | Self::Timeout | Self::Blocked
        )
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Classifies an answer.
///
/// A CNAME to a load balancer's host counts by its name, so that it is known before its addresses are. An old CNAME
/// stays OLD even if its target is gone, because the copy keeps people away from the new one; a new CNAME is NEW only
/// if the code says that all is well. An address or host in both sets tells nothing.
#[must_use]
pub fn classify(answer: &Answer, sets: &Sets) -> Class {
    let (mut old, mut new, mut other) = (false, false, false);
    for hop in &answer.chain {
        let Some(host) = plain(&hop.target) else {
            continue;
        };
        match (
            sets.old.hosts.contains(&host),
            sets.new.hosts.contains(&host),
        ) {
            (true, false) => old = true,
            (false, true) => new = true,
            _ => {}
        }
    }
    let named = old != new;
    for address in &answer.addresses {
        match (
            sets.old.addresses.contains(address),
            sets.new.addresses.contains(address),
        ) {
            (true, false) => old = true,
            (false, true) => new = true,
            // Behind a load balancer's own name its addresses need not be known: they change as it scales.
            (false, false) if named => {}
            _ => other = true,
        }
    }
    let negative = match answer.rcode {
        Rcode::NoError => None,
        Rcode::NxDomain => Some(Class::NxDomain),
        Rcode::ServFail => Some(Class::ServFail),
        Rcode::Refused => Some(Class::Refused),
        Rcode::Other => Some(Class::Other),
    };
    match (old, new, other, negative) {
        (true, true, _, _) | (true, false, true, _) | (false, true, true, None) => Class::Mixed,
        (true, false, false, _) => Class::Old,
        (false, _, _, Some(class)) => class,
        (false, true, false, None) => Class::New,
        (false, false, false, None) if answer.chain.is_empty() => Class::Empty,
        (false, false, _, None) => Class::Other,
    }
}

/// Classifies the lack of an answer.
#[must_use]
pub const fn lacking(failure: &Failure) -> Class {
    match failure.kind {
        FailureKind::Timeout => Class::Timeout,
        FailureKind::Unreachable => Class::Blocked,
        FailureKind::Server => Class::ServFail,
        FailureKind::Forbidden => Class::Refused,
        FailureKind::Garbage => Class::Other,
        _ => Class::Unknown,
    }
}

#[cfg(test)]
#[path = "class_tests.rs"]
mod tests;
