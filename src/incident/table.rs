//! A `DynamoDB` table as far as a recovery goes.

use serde::{Deserialize, Serialize};

use super::{Moment, Part, TableRole};

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
