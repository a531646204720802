//! `restore-tables`: state and audit table started together, from one pair of copies, and followed until both are there.
//!
//! A restore goes on at AWS whatever becomes of the run. So a run that finds its table on the way follows it, one that
//! finds it there keeps it, and no run starts a second restore of a table.

use futures::future::BoxFuture;

use super::{
    Say, drill, follow,
    plan::{Act, acts, existing, may, remarks, usable},
    start, survey, target,
};
use crate::{
    clients::aws::Aws,
    incident::{
        Fact, Instruments, Side, Subject, TableRole,
        source::{self, Means, Restore},
    },
    plan::Plan,
    step::{Context, Native, StepError},
};

/// The row of `restore-tables`.
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "restore-tables",
        needs: &["recovery.state_table", "recovery.audit_table"],
        calls,
        seen: Some(seen),
        run,
    }
}

/// What will be done, in words.
fn calls(plan: &Plan) -> Vec<String> {
    let region = &plan.recovery.region;
    let mut calls = vec![format!(
        "DynamoDB DescribeTable and its like, Backup ListRecoveryPointsByBackupVault, ListRestoreJobs: what is there now, in {region} and {}",
        plan.primary.region
    )];
    if let Some(role) = &plan.recovery.backup_role {
        calls.push(format!(
            "in {region} the calls below and no others, both at once; AWS Backup restores as {role}"
        ));
    } else {
        calls.push(format!(
            "in {region} the calls below and no others, both at once"
        ));
    }
    calls.push(format!(
        "Backup DescribeRestoreJob, DynamoDB DescribeTable in {region}: until both are ACTIVE"
    ));
    calls
}

/// What is restored from what, as it was seen last.
fn seen(plan: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    let acts = acts(plan, instruments)?;
    let mut lines: Vec<String> = acts.iter().map(Act::line).collect();
    lines.extend(remarks(plan, instruments, &acts));
    Ok(lines)
}

/// Does it.
fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let say = |line: &str| context.say(line);
        Box::pin(restore(&context, &say)).await
    })
}

async fn restore(context: &Context, say: Say<'_>) -> Result<(), StepError> {
    let plan = &context.plan;
    let aws = Aws::new(plan);
    let world = survey(plan, &aws).await;
    let acts = if context.confirmed.is_empty() {
        acts(plan, &world)?
    } else {
        confirmed(plan, &world, &context.confirmed)?
    };
    for act in &acts {
        say(&act.line());
    }
    for line in remarks(plan, &world, &acts) {
        say(&format!("  {line}"));
    }
    if context.dry_run {
        say("dry run: nothing was changed");
        return Ok(());
    }
    let [state, audit] = &acts;
    // Of both before either is asked for: what is not listed is never taken down.
    drill::note(context, &acts)?;
    let (state, audit) = tokio::join!(
        Box::pin(start::start(context, &aws, state, TableRole::State, say)),
        Box::pin(start::start(context, &aws, audit, TableRole::Audit, say)),
    );
    // One that was started goes on, whatever became of the other.
    let (followed, other) = tokio::join!(
        Box::pin(follow::follow(plan, &aws, TableRole::State, &state, say)),
        Box::pin(follow::follow(plan, &aws, TableRole::Audit, &audit, say)),
    );
    let failed: Vec<String> = [state.err(), audit.err(), followed.err(), other.err()]
        .into_iter()
        .flatten()
        .map(|error| error.0)
        .collect();
    if !failed.is_empty() {
        return Err(StepError(failed.join("; ")));
    }
    Box::pin(drill::tag(context, &aws, say)).await?;
    right(plan, &aws, say).await
}

/// What was confirmed, held against what is there now: the same, or nothing at all. A table that has come in between is
/// kept or followed, since that is what a restore of it would come to.
fn confirmed(plan: &Plan, world: &Instruments, lines: &[String]) -> Result<[Act; 2], StepError> {
    let restores: Vec<Restore> = lines.iter().filter_map(|line| line.parse().ok()).collect();
    let act = |role: TableRole| {
        if let (Some(act), _) = existing(plan, world, role)? {
            return Ok(act);
        }
        let name = target(plan, role)?;
        let Some(restore) = restores.iter().find(|restore| restore.target == name) else {
            return Err(moved(&format!("a restore of {name}")));
        };
        may(plan, &restore.source)?;
        let mut given = source::sources(role, world).into_iter();
        if given.any(|source| source.gives(&restore.source)) {
            Ok(Act::Restore(restore.clone()))
        } else {
            Err(moved(&restore.to_string()))
        }
    };
    Ok([act(TableRole::State)?, act(TableRole::Audit)?])
}

fn moved(line: &str) -> StepError {
    StepError(format!(
        "nothing was restored: the world has moved on since this was confirmed, and \"{line}\" is not what was shown or \
         is no longer to be had. Run this step again to see what it would do now"
    ))
}

/// The last look before anything is built on it: the state table holds the host authority.
async fn right(plan: &Plan, aws: &Aws, say: Say<'_>) -> Result<(), StepError> {
    let world = survey(plan, aws).await;
    for role in TableRole::BOTH {
        let reading = world.get(&Subject::Table(Side::Recovery, role));
        match reading.map(|reading| &reading.last.outcome) {
            Some(Ok(Fact::Table(table))) => {
                usable(plan, table)?;
                say(&format!(
                    "{role} table {} is ACTIVE{}",
                    table.name,
                    if role == TableRole::State {
                        ", with the host authority of the cluster"
                    } else {
                        ""
                    }
                ));
            }
            Some(Err(failure)) => return Err(super::wrong(failure)),
            _ => {}
        }
    }
    say(
        "time to live, stream, point-in-time recovery and tags are not restored: Repair tables sets them",
    );
    Ok(())
}

/// Whether a source is a recovery point, whose restore has a job of its own.
pub(super) fn by_job(restore: &Restore) -> bool {
    restore.source.means == Means::Copy
}
