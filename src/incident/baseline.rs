//! What else this machine has of the certificate authorities that the cluster had: for when neither plan nor black box nor
//! old door tells. Public certificates and pins alone.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Failure, Moment};

/// What was found on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// Pins by where they are from.
    pub found: Vec<Kept>,
    /// Where there are none, and why.
    pub gaps: Vec<Failure>,
}

/// Pins that were written down on this machine, for another purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What keeps them.
    pub by: Keeper,
    /// The file.
    pub path: String,
    /// When it was last written: what was written after the outage began may be of a cluster made anew.
    pub written: Moment,
    /// CA pins of the host CA, sorted.
    pub pins: Vec<String>,
}

/// What keeps pins for a purpose of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeper {
    /// The profile of `tsh`: the host authorities that it trusts for the cluster since the last login.
    Tsh,
    /// `ca_pin` in an agent's configuration.
    Agent,
}

impl fmt::Display for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tsh => "the tsh profile",
            Self::Agent => "an agent's ca_pin",
        })
    }
}
