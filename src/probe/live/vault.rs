//! Recovery points of the primary's tables in the recovery region's AWS Backup vault, and the schedules behind them.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use crate::{
    clients::aws::{
        Reach, not_planned,
        vault::{fetch_points, fetch_schedules, table_arn},
    },
    incident::{Fact, Failure, FailureKind, Moment, Part, Schedule, Subject, TableRole, Vault},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// How often the schedules are read again: they change by hand.
const SCHEDULES: Duration = Duration::from_mins(15);

/// Longest that a look waits for them: it has 20 s, and the points are worth more.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks for the copies of one table.
#[derive(Debug)]
pub struct VaultProbe {
    role: TableRole,
    vault: Option<String>,
    table: Result<String, Failure>,
    reach: Reach,
    interval: Duration,
    schedules: Option<(Moment, Part<Vec<Schedule>>)>,
}

impl VaultProbe {
    /// A probe of the copies of the primary's table of that role.
    #[must_use]
    pub fn new(role: TableRole, plan: &Plan, reach: Reach) -> Self {
        Self {
            role,
            vault: plan.recovery.backup_vault.clone(),
            table: table_arn(role, plan),
            reach,
            interval: plan.interval(&Subject::Vault(role)),
            schedules: None,
        }
    }
}

impl Probe for VaultProbe {
    fn name(&self) -> String {
        format!("vault {}", self.role)
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Vault(self.role)]
    }

    fn pace(&self) -> Pace {
        super::aws::pace(self.interval)
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let Some(name) = &self.vault else {
                return Err(not_planned("backup vault", "backup_vault to [recovery]"));
            };
            let arn = self.table.clone()?;
            let now = Moment::now();
            let kept = self
                .schedules
                .take()
                .filter(|(at, part)| part.is_ok() && now.since(*at) < SCHEDULES);
            let schedules = async {
                match kept {
                    Some(kept) => kept,
                    None => (now, schedules(&self.reach, name).await),
                }
            };
            // At once: the points are what counts, and must not wait for a slow answer about schedules.
            let ((at, schedules), points) = tokio::join!(
                Box::pin(schedules),
                Box::pin(fetch_points(&self.reach, name, &arn))
            );
            self.schedules = Some((at, schedules.clone()));
            let (points, more) = points?;
            let vault = Vault {
                vault: name.clone(),
                region: self.reach.region().to_owned(),
                role: self.role,
                points,
                more,
                schedules,
            };
            sink.put(
                Subject::Vault(self.role),
                began.elapsed(),
                Ok(Fact::Vault(vault.into())),
            );
            Ok(())
        })
    }
}

/// The schedules, or that they did not come in time.
async fn schedules(reach: &Reach, vault: &str) -> Part<Vec<Schedule>> {
    let fetched = tokio::time::timeout(PATIENCE, fetch_schedules(reach, vault)).await;
    fetched.unwrap_or_else(|_| {
        let why = format!(
            "Backup plans in {} were not read within {} s",
            reach.region(),
            PATIENCE.as_secs()
        );
        Err(Failure::new(FailureKind::Timeout, why))
    })
}
