//! The AWS Backup vault of a region and the plan that copies into it.

use std::time::Duration;

use super::Names;
use crate::incident::{Moment, RecoveryPoint, Schedule, Side, TableRole};

/// How many hourly recovery points are kept.
const KEPT: u64 = 24;

/// A backup vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copies {
    /// Vault name.
    pub vault: String,
    /// Recovery points, in no order.
    pub points: Vec<RecoveryPoint>,
    /// Rules of the one backup plan; they exist where the plan does, in the primary.
    pub schedules: Vec<Schedule>,
    /// Restores that were asked for, oldest first.
    pub jobs: Vec<Job>,
}

/// A restore of a recovery point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// `RestoreJobId`.
    pub id: String,
    /// What makes it the same as one asked for before.
    pub token: String,
    /// ARN of the recovery point.
    pub point: String,
    /// Which table is made.
    pub target: String,
    /// Role it is done with.
    pub role: String,
    /// When it was asked for, and when it is done.
    pub times: [Moment; 2],
    /// Why it came to nothing.
    pub failed: Option<String>,
}

impl Job {
    /// `Status` at a moment.
    #[must_use]
    pub fn status(&self, now: Moment) -> &'static str {
        if self.failed.is_some() {
            "FAILED"
        } else if now >= self.times[1] {
            "COMPLETED"
        } else {
            "RUNNING"
        }
    }
}

impl Copies {
    /// Hourly copies of the primary's tables in the recovery region, the newest six minutes old at the outage. The
    /// primary's own vault holds nothing that would outlive it.
    #[must_use]
    pub fn seed(side: Side, primary: &Names, recovery: &Names, outage: Moment) -> Self {
        let vault = match side {
            Side::Primary => &primary.vault,
            Side::Recovery => &recovery.vault,
        };
        let schedule = Schedule {
            name: "hourly".to_owned(),
            expression: "cron(0 * ? * * *)".to_owned(),
            copies_to: vec![format!(
                "arn:aws:backup:{}:{}:backup-vault:{}",
                recovery.region, recovery.account, recovery.vault
            )],
        };
        let points = match side {
            Side::Primary => Vec::new(),
            Side::Recovery => TableRole::BOTH
                .into_iter()
                .flat_map(|role| (0..KEPT).map(move |hour| (role, hour)))
                .map(|(role, hour)| point(primary, recovery, role, hour, outage))
                .collect(),
        };
        Self {
            vault: vault.clone(),
            points,
            schedules: match side {
                Side::Primary => vec![schedule],
                Side::Recovery => Vec::new(),
            },
            jobs: Vec::new(),
        }
    }
}

fn point(
    primary: &Names,
    recovery: &Names,
    role: TableRole,
    hour: u64,
    outage: Moment,
) -> RecoveryPoint {
    // The audit table is copied a little before: the skew between the two is to be seen.
    let before = match role {
        TableRole::State => 0,
        TableRole::Audit => 38,
    };
    let created = outage.minus(Duration::from_secs(6 * 60 + before + hour * 3600));
    RecoveryPoint {
        arn: format!(
            "arn:aws:backup:{}:{}:recovery-point:{role}-{:08x}",
            recovery.region,
            recovery.account,
            created.secs()
        ),
        resource: primary.table_arn(primary.table(role)),
        status: "COMPLETED".to_owned(),
        created,
        completed: Some(created.plus(Duration::from_mins(7))),
        cold_at: None,
        delete_at: Some(created.plus(Duration::from_hours(35 * 24))),
        restored: (hour == KEPT - 1).then(|| outage.minus(Duration::from_hours(9 * 24))),
        bytes: Some(match role {
            TableRole::State => 48_311_296,
            TableRole::Audit => 2_147_483_648,
        }),
    }
}
