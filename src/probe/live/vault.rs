//! Recovery points of the primary's tables in the recovery region's AWS Backup vault, and the schedules behind them.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use crate::{
    clients::aws::{
        Reach, not_planned,
        vault::{fetch_points, fetch_schedules, table_arn},
    },
    incident::{Fact, Failure, Moment, Part, Schedule, Subject, TableRole, Vault},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// How often the schedules are read again: they change by hand.
const SCHEDULES: Duration = Duration::from_mins(15);

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
            let (at, schedules) = match kept {
                Some(kept) => kept,
                None => (now, fetch_schedules(&self.reach, name).await),
            };
            self.schedules = Some((at, schedules.clone()));
            let vault = Vault {
                vault: name.clone(),
                region: self.reach.region().to_owned(),
                role: self.role,
                points: fetch_points(&self.reach, name, &arn).await?,
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
