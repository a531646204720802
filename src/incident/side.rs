//! The two regions of a recovery and the two tables in each.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which of the two regions: the one that failed or the one we move to.
///
/// A side is not a region name: in a zonal outage both sides may lie in the same AWS Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The region that failed.
    Primary,
    /// The region we move to.
    Recovery,
}

impl Side {
    /// Both sides, primary first, as the panes list them.
    pub const BOTH: [Self; 2] = [Self::Primary, Self::Recovery];

    /// The word used in plan, screen and journal.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Recovery => "recovery",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a `DynamoDB` table holds for the Auth Service: cluster state or audit events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TableRole {
    /// `aws.backendTable`: certificate authorities, users, roles, presence.
    State,
    /// `aws.auditLogTable`: audit events.
    Audit,
}

impl TableRole {
    /// Both tables, state first.
    pub const BOTH: [Self; 2] = [Self::State, Self::Audit];

    /// The word used in plan, screen and journal.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Audit => "audit",
        }
    }
}

impl fmt::Display for TableRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
