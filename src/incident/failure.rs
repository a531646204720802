//! Why there is no fact.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::plain;

/// The class of a failure. *Unknown*, *empty*, *forbidden* and *failed* are four things: an empty answer is a
/// fact, everything here is a reason why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The plan does not say where to look.
    NotPlanned,
    /// Nothing answered in time.
    Timeout,
    /// The name did not resolve.
    Unresolved,
    /// The name exists and has no address: how the outage of October 2025 looked, so no sign that a thing is gone.
    Empty,
    /// The connection was refused, reset or unroutable.
    Unreachable,
    /// TLS could not be established.
    Tls,
    /// Credentials are missing or expired.
    Credentials,
    /// The other side knows us and says no.
    Forbidden,
    /// The thing asked for does not exist.
    NotFound,
    /// The other side asks us to slow down.
    Throttled,
    /// The other side failed (5xx).
    Server,
    /// The answer could not be understood.
    Garbage,
    /// Not one of the above, or a defect in Relight itself.
    Other,
}

impl FailureKind {
    /// The word shown in panes.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotPlanned => "not planned",
            Self::Timeout => "no answer",
            Self::Unresolved => "unresolved",
            Self::Empty => "no address",
            Self::Unreachable => "unreachable",
            Self::Tls => "TLS failed",
            Self::Credentials => "no credentials",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not found",
            Self::Throttled => "throttled",
            Self::Server => "server error",
            Self::Garbage => "garbage",
            Self::Other => "failed",
        }
    }
}

/// Why there is no fact: its class, and a sentence that says what failed, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The class.
    pub kind: FailureKind,
    /// What failed, where (region, cluster, server), and what to do about it, in one line without control bytes.
    pub detail: String,
}

impl Failure {
    /// A failure with its sentence. Control characters are replaced, so that it may be shown as it is.
    #[must_use]
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        let detail = plain::blanked(&detail.into(), usize::MAX);
        Self { kind, detail }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.word(), self.detail)
    }
}
