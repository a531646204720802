//! A `DynamoDB` table as far as a recovery goes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Failure, FailureKind, Moment, Part, TableRole};

/// What is known of a table. Parts that are fetched by calls of their own fail on their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Table name.
    pub name: String,
    /// What it holds.
    pub role: TableRole,
    /// AWS Region.
    pub region: String,
    /// `DescribeTable` → `TableStatus`: `CREATING`, `ACTIVE`, …
    pub status: String,
    /// `RestoreSummary.RestoreInProgress`.
    pub restoring: bool,
    /// When the table was created.
    pub created: Option<Moment>,
    /// Global-table replicas: Teleport does not support them, so any is a warning.
    pub replicas: Vec<String>,
    /// Names of the secondary indexes that are `ACTIVE`.
    pub indexes: Vec<String>,
    /// `DescribeContinuousBackups`. Needs this table's region alive.
    pub pitr: Part<Pitr>,
    /// On-demand backups (`ListBackups`, `BackupType=ALL`), newest first. Needs this table's region alive.
    pub backups: Part<Vec<Backup>>,
    /// The *measured* data age: timestamp of the newest item seen under the presence prefixes (state) or of the
    /// newest event in `timesearchV2` (audit). `Ok(None)`: the table answers and holds no such item.
    pub newest: Part<Option<Moment>>,
    /// When `newest` was asked for: it is billed, so it is asked at most every five minutes.
    pub newest_at: Option<Moment>,
    /// Whose host certificate authority is in a state table, by keys alone (`facts/teleport.md` 2.1); billed as well.
    #[serde(default = "not_asked")]
    pub authority: Part<HostAuthorities>,
    /// What a restore drops, as far as `DescribeTable` and its like tell it.
    #[serde(default = "not_asked")]
    pub settings: Part<Settings>,
}

impl Table {
    /// Whether the table can be used: `ACTIVE`, and nothing is written into it by a restore any more.
    #[must_use]
    pub fn usable(&self) -> bool {
        self.status == "ACTIVE" && !self.restoring
    }

    /// Whether the table was seen to hold no host certificate authority of the cluster: on such a one Teleport makes
    /// new authorities and says nothing.
    #[must_use]
    pub fn wrong(&self) -> bool {
        self.role == TableRole::State
            && matches!(&self.authority, Ok(HostAuthorities { own: None, .. }))
    }
}

/// A part that was not asked for: by an older Relight, or of a table that has no such thing.
fn not_asked<T>() -> Part<T> {
    Err(Failure::new(FailureKind::Other, "not asked"))
}

/// The host certificate authorities in a state table: keys and revisions, never a `Value`, which holds private keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostAuthorities {
    /// When the table was asked, by a consistent read.
    pub at: Moment,
    /// The row `teleport/authorities/host/<clusterName>`; `None` if the table answers and has none.
    pub own: Option<HostAuthority>,
    /// Other clusters that have such a row; asked for only where the cluster's own is missing, since the rows of leaf
    /// clusters lie beside it.
    pub others: Vec<String>,
}

/// A cluster's row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostAuthority {
    /// `Revision`: made anew with each write, so that an equal one on both sides is the same object.
    pub revision: Option<String>,
    /// `Timestamp`: when the row was last written, in whole seconds.
    #[serde(default)]
    pub timestamp: Option<Moment>,
}

/// What a restore drops (`RestoreTableFromBackup` in the API reference), and what it is encrypted with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// ARN of the table.
    pub arn: String,
    /// The attribute by which items expire (`DescribeTimeToLive`); `None` if that is off.
    pub ttl: Part<Option<String>>,
    /// What the stream carries (`NEW_IMAGE`); `None` without a stream.
    pub stream: Option<String>,
    /// How the table is paid for.
    pub billing: Billing,
    /// `DeletionProtectionEnabled`.
    pub protected: bool,
    /// Tags, without those of AWS itself (`ListTagsOfResource`).
    pub tags: Part<BTreeMap<String, String>>,
    /// Secondary indexes in whatever state, with their `IndexStatus`.
    pub indexes: BTreeMap<String, String>,
    /// ARN of the KMS key; `None` for a key that AWS owns.
    pub key: Option<String>,
}

/// How a table is paid for, which bounds what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Billing {
    /// `PAY_PER_REQUEST`: no bound of its own.
    OnDemand,
    /// `PROVISIONED`: so many units a second.
    Provisioned {
        /// Read capacity units.
        read: i64,
        /// Write capacity units.
        write: i64,
    },
}

/// Point-in-time recovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pitr {
    /// `PointInTimeRecoveryStatus == ENABLED`.
    pub enabled: bool,
    /// Earliest restorable time.
    pub earliest: Option<Moment>,
    /// Latest restorable time, typically five minutes ago.
    pub latest: Option<Moment>,
}

/// An on-demand backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// ARN.
    pub arn: String,
    /// Name.
    pub name: String,
    /// `AVAILABLE`, `CREATING`, `DELETED`.
    pub status: String,
    /// `USER`, `SYSTEM` or `AWS_BACKUP`.
    pub kind: String,
    /// When it was made.
    pub created: Moment,
    /// Size in bytes, when known.
    pub bytes: Option<i64>,
}
