//! Recovery points in the recovery region's AWS Backup vault.

use std::time::Duration;

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

impl Vault {
    /// Complete recovery points that are neither in cold storage, from which a restore takes hours, nor due to be
    /// deleted by then.
    pub fn usable(&self, now: Moment) -> impl Iterator<Item = &RecoveryPoint> + '_ {
        self.points.iter().filter(move |point| {
            point.status == "COMPLETED"
                && point.cold_at.is_none_or(|at| at > now)
                && point.delete_at.is_none_or(|at| at > now)
        })
    }

    /// How often data was taken, seen from the newest points: the middle of the gaps between them. What a schedule says
    /// lives in the primary and may not be seen; what came of it is.
    #[must_use]
    pub fn cadence(&self) -> Option<Duration> {
        let newest = self.points.iter().take(CADENCE);
        let taken: Vec<Moment> = newest.map(|point| point.created).collect();
        let mut gaps: Vec<Duration> = taken.windows(2).map(|two| two[0].since(two[1])).collect();
        gaps.sort_unstable();
        gaps.get(gaps.len() / 2).copied()
    }
}

/// Points that tell how often they are made.
const CADENCE: usize = 11;

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
