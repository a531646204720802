//! What there is of tables and copies, read anew: for a run, which has no instruments.

use std::time::{Duration, Instant};

use crate::{
    clients::aws::{
        Aws, not_planned,
        tables::{self, Asked, Measured},
        vault,
    },
    incident::{Fact, Failure, Instruments, Moment, Observation, Side, Subject, TableRole, Vault},
    plan::Plan,
};

/// Reads the tables of both sides and the copies of both tables, all at once: a region that hangs costs its own time-out
/// once.
pub(in crate::step) async fn survey(plan: &Plan, aws: &Aws) -> Instruments {
    let began = Instant::now();
    let table = async |side: Side, role: TableRole| {
        let fact = if let Some(name) = plan.side(side).table(role) {
            let asked = Asked {
                name,
                role,
                cluster: &plan.cluster.name,
            };
            let mut measured = Measured::default();
            tables::fetch(aws.side(side), &asked, &mut measured, Moment::now())
                .await
                .map(|table| Fact::Table(table.into()))
        } else {
            let key = format!("{role}_table to [{side}]");
            Err(not_planned(&format!("{role} table"), &key))
        };
        (Subject::Table(side, role), fact)
    };
    let copies = async |role: TableRole| (Subject::Vault(role), copies(role, plan, aws).await);
    let looks = tokio::join!(
        Box::pin(table(Side::Recovery, TableRole::State)),
        Box::pin(table(Side::Recovery, TableRole::Audit)),
        Box::pin(table(Side::Primary, TableRole::State)),
        Box::pin(table(Side::Primary, TableRole::Audit)),
        Box::pin(copies(TableRole::State)),
        Box::pin(copies(TableRole::Audit)),
    );
    let mut seen = Instruments::default();
    let took: Duration = began.elapsed();
    for (subject, outcome) in <[_; 6]>::from(looks) {
        seen.take(Observation {
            subject,
            at: Moment::now(),
            took,
            outcome,
        });
    }
    seen
}

async fn copies(role: TableRole, plan: &Plan, aws: &Aws) -> Result<Fact, Failure> {
    let reach = aws.side(Side::Recovery);
    let Some(name) = &plan.recovery.backup_vault else {
        return Err(not_planned("backup vault", "backup_vault to [recovery]"));
    };
    let arn = vault::table_arn(role, plan)?;
    let (points, more) = vault::fetch_points(reach, name, &arn).await?;
    Ok(Fact::Vault(
        Vault {
            vault: name.clone(),
            region: reach.region().to_owned(),
            role,
            points,
            more,
            schedules: Ok(Vec::new()),
        }
        .into(),
    ))
}
