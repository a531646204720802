//! Recovery points in the recovery region's AWS Backup vault.

use serde::{Deserialize, Serialize};

use super::{Moment, Part, TableRole};

/// The copies of one table that lie in the recovery region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vault {
    /// Vault name.
    pub vault: String,
    /// Region of the vault.
    pub region: String,
    /// Which of the primary's tables.
    pub role: TableRole,
    /// Recovery points of that table, newest data first, at most 100.
    pub points: Vec<RecoveryPoint>,
    /// Whether there are more, all of them older.
    #[serde(default)]
    pub more: bool,
    /// The backup plan rules that copy into this vault, or that name the table.
    pub schedules: Part<Vec<Schedule>>,
}

/// One recovery point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryPoint {
    /// ARN; `arn:aws:backup:…` for one that could be copied between regions.
    pub arn: String,
    /// ARN of the table it was made of.
    pub resource: String,
    /// `COMPLETED`, `PARTIAL`, `CREATING`, `EXPIRED`, …
    pub status: String,
    /// When the data was taken (`CreationDate`); this counts for the RPO, not the end of the copy.
    pub created: Moment,
    /// When the copy was complete.
    pub completed: Option<Moment>,
    /// When it goes to cold storage.
    pub cold_at: Option<Moment>,
    /// When it is deleted.
    pub delete_at: Option<Moment>,
    /// When a restore was last made from it: `None` means never tried.
    pub restored: Option<Moment>,
    /// Size in bytes.
    pub bytes: Option<i64>,
}

/// One rule of a backup plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Plan and rule name.
    pub name: String,
    /// `cron(0 * ? * * *)`.
    pub expression: String,
    /// Vaults that the rule copies to.
    pub copies_to: Vec<String>,
}
