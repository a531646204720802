//! Starts the restore of one table, unless it is on its way already.

use aws_sdk_backup::types::RestoreJobStatus;
use aws_sdk_dynamodb::types::{SseSpecification, SseType};

use super::{Say, plan::Act, restore::by_job, wrong};
use crate::{
    clients::aws::{Aws, Reach, explain, to_sdk},
    incident::{
        FailureKind, Side, TableRole,
        source::{Means, Restore},
    },
    plan::Plan,
    step::{Context, StepError},
};

/// Restore jobs that are looked through for one of ours.
const JOBS: i32 = 100;

/// What was started, or found on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Started {
    /// The job of AWS Backup, if it is one.
    pub job: Option<String>,
}

/// Starts what is to be started.
pub(super) async fn start(
    context: &Context,
    aws: &Aws,
    act: &Act,
    role: TableRole,
    say: Say<'_>,
) -> Result<Started, StepError> {
    let reach = aws.side(Side::Recovery);
    match act {
        Act::Adopt(_) => Ok(Started { job: None }),
        Act::Follow(name) => Ok(Started {
            job: running(reach, name, None).await.unwrap_or_default(),
        }),
        Act::Restore(restore) if by_job(restore) => job(context, reach, restore, role, say).await,
        Act::Restore(restore) => table(context, reach, restore, say).await,
    }
}

/// By AWS Backup. The token is the run's: asked again with it, AWS starts nothing new; a job of an earlier run is found.
async fn job(
    context: &Context,
    reach: &Reach,
    restore: &Restore,
    role: TableRole,
    say: Say<'_>,
) -> Result<Started, StepError> {
    let target = &restore.target;
    let arn = &restore.source.arn;
    if let Some(job) = running(reach, target, Some(arn)).await? {
        say(&format!(
            "{target}: restore job {job} is at it already and is followed"
        ));
        return Ok(Started { job: Some(job) });
    }
    let place = format!("{target} in {}", reach.region());
    let plan = &context.plan;
    let mut call = reach
        .backup()
        .await
        .start_restore_job()
        .recovery_point_arn(arn)
        .set_iam_role_arn(plan.recovery.backup_role.clone())
        .idempotency_token(context.token(&format!("restore {role}")))
        .resource_type("DynamoDB")
        .metadata("targetTableName", target);
    // Without it the table is encrypted with a key that AWS owns, whatever the source was encrypted with.
    if let Some(key) = &plan.recovery.table_key {
        call = call
            .metadata("encryptionType", "KMS")
            .metadata("kmsMasterKeyArn", key);
    }
    context.fence.look()?;
    let said = call
        .send()
        .await
        .map_err(|error| wrong(&explain("Backup StartRestoreJob", &place, &error)))?;
    let Some(job) = said.restore_job_id() else {
        return Err(StepError(format!(
            "Backup StartRestoreJob of {place} was accepted without a job: run this step again, it follows what is there"
        )));
    };
    say(&format!("{target}: restore job {job} started from {arn}"));
    Ok(Started {
        job: Some(job.to_owned()),
    })
}

/// A job that makes a table of that name, or nothing. Its metadata alone says for which table it is.
async fn running(
    reach: &Reach,
    target: &str,
    arn: Option<&str>,
) -> Result<Option<String>, StepError> {
    let client = reach.backup().await;
    let place = format!("restore jobs in {}", reach.region());
    for status in [RestoreJobStatus::Running, RestoreJobStatus::Pending] {
        let said = client
            .list_restore_jobs()
            .by_status(status)
            .by_resource_type("DynamoDB")
            .max_results(JOBS)
            .send()
            .await
            .map_err(|error| wrong(&explain("Backup ListRestoreJobs", &place, &error)))?;
        let of_source = said
            .restore_jobs()
            .iter()
            .filter(|job| arn.is_none_or(|arn| job.recovery_point_arn() == Some(arn)));
        for job in of_source.filter_map(|job| job.restore_job_id()) {
            let said = client
                .get_restore_job_metadata()
                .restore_job_id(job)
                .send()
                .await
                .map_err(|error| wrong(&explain("Backup GetRestoreJobMetadata", &place, &error)))?;
            let names = said.metadata().into_iter().flatten();
            let ours = names
                .into_iter()
                .any(|(key, name)| key.eq_ignore_ascii_case("targetTableName") && name == target);
            if ours {
                return Ok(Some(job.to_owned()));
            }
        }
    }
    Ok(None)
}

/// By `DynamoDB` itself. There is no token: asked twice, it says that the table is there, and it is followed.
async fn table(
    context: &Context,
    reach: &Reach,
    restore: &Restore,
    say: Say<'_>,
) -> Result<Started, StepError> {
    let client = reach.dynamodb().await;
    let (target, source) = (&restore.target, &restore.source);
    let place = format!("{target} in {}", reach.region());
    let encryption = encryption(&context.plan);
    context.fence.look()?;
    let failure = match source.means {
        Means::Pitr => client
            .restore_table_to_point_in_time()
            .source_table_arn(&source.arn)
            .target_table_name(target)
            .restore_date_time(to_sdk(source.data))
            .sse_specification_override(encryption)
            .send()
            .await
            .err()
            .map(|error| {
                let there = error.as_service_error().is_some_and(|said| {
                    said.is_table_already_exists_exception() || said.is_table_in_use_exception()
                });
                (
                    there,
                    explain("DynamoDB RestoreTableToPointInTime", &place, &error),
                )
            }),
        Means::Backup | Means::Copy => client
            .restore_table_from_backup()
            .backup_arn(&source.arn)
            .target_table_name(target)
            .sse_specification_override(encryption)
            .send()
            .await
            .err()
            .map(|error| {
                let there = error.as_service_error().is_some_and(|said| {
                    said.is_table_already_exists_exception() || said.is_table_in_use_exception()
                });
                (
                    there,
                    explain("DynamoDB RestoreTableFromBackup", &place, &error),
                )
            }),
    };
    match failure {
        None => say(&format!("{target}: restore started from {}", source.arn)),
        Some((true, _)) => say(&format!(
            "{target}: it is being made already and is followed"
        )),
        // No answer is not "no": it may have been started.
        Some((_, failure))
            if matches!(
                failure.kind,
                FailureKind::Timeout | FailureKind::Unreachable | FailureKind::Garbage
            ) =>
        {
            return Err(StepError(format!(
                "{failure}. The restore may or may not have been started: run this step again, it follows what is there"
            )));
        }
        Some((_, failure)) => return Err(wrong(&failure)),
    }
    Ok(Started { job: None })
}

/// Always said: without it the table would need the key of the source, which may lie in the region that failed.
fn encryption(plan: &Plan) -> SseSpecification {
    match &plan.recovery.table_key {
        Some(key) => SseSpecification::builder()
            .enabled(true)
            .sse_type(SseType::Kms)
            .kms_master_key_id(key)
            .build(),
        None => SseSpecification::builder().enabled(false).build(),
    }
}
