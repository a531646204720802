//! Follows a table until it is there. `ItemCount` is no progress bar (it is refreshed every six hours): what is shown is
//! what AWS says of job and table, and for how long.

use std::time::Duration;

use aws_sdk_backup::types::RestoreJobStatus;
use tokio::time::Instant;

use super::{Say, pause, start::Started, target};
use crate::{
    clients::aws::{Aws, Reach, explain},
    incident::{FailureKind, Side, TableRole, brief},
    plan::Plan,
    step::StepError,
};

/// A restore takes twenty minutes at least and "usually less than an hour"; all of Teleport lies under one partition
/// key, which is the slowest case (`facts/recovery.md` 0.7).
const PATIENCE: Duration = Duration::from_hours(6);
/// What has not changed is told again after so long.
const TELL: Duration = Duration::from_mins(1);

/// What is known of the job.
enum Job {
    /// There is none, or it has done its part.
    Done,
    /// It is at it; in its own words.
    Going(String),
}

/// Follows the table of a role, if its restore was started or found.
pub(super) async fn follow(
    plan: &Plan,
    aws: &Aws,
    role: TableRole,
    started: &Result<Started, StepError>,
    say: Say<'_>,
) -> Result<(), StepError> {
    // That it was not started is told by whoever tried.
    let Ok(started) = started else { return Ok(()) };
    let reach = aws.side(Side::Recovery);
    let name = target(plan, role)?;
    let began = Instant::now();
    let (mut told, mut told_at) = (String::new(), began);
    while began.elapsed() < PATIENCE {
        let job = match &started.job {
            Some(job) => job_state(reach, job, name).await?,
            None => Job::Done,
        };
        let state = table_state(reach, name).await;
        let mut words = state.clone().unwrap_or_else(|| "ACTIVE".to_owned());
        match job {
            Job::Done if state.is_none() => {
                say(&format!("{name}: ACTIVE after {}", brief(began.elapsed())));
                return Ok(());
            }
            Job::Done => {}
            Job::Going(said) => words = format!("{words}, {said}"),
        }
        if words != told || told_at.elapsed() >= TELL {
            say(&format!("{name}: {words} after {}", brief(began.elapsed())));
            (told, told_at) = (words, Instant::now());
        }
        tokio::time::sleep(pause(plan)).await;
    }
    Err(StepError(format!(
        "{name} is not ACTIVE after {}: the restore goes on at AWS; look at it in the console, and run this step again to follow it",
        brief(PATIENCE)
    )))
}

/// Nothing once the table is there and whole.
async fn table_state(reach: &Reach, name: &str) -> Option<String> {
    let client = reach.dynamodb().await;
    let place = format!("{name} in {}", reach.region());
    match client.describe_table().table_name(name).send().await {
        Ok(said) => {
            let table = said.table();
            let status = table
                .and_then(|table| table.table_status())
                .map_or("without a status", |status| status.as_str());
            let restoring = table
                .and_then(|table| table.restore_summary())
                .is_some_and(aws_sdk_dynamodb::types::RestoreSummary::restore_in_progress);
            match (status, restoring) {
                ("ACTIVE", false) => None,
                (_, true) => Some(format!("{status}, being restored")),
                _ => Some(status.to_owned()),
            }
        }
        Err(error) => {
            let failure = explain("DynamoDB DescribeTable", &place, &error);
            // A job begins before its table does.
            Some(match failure.kind {
                FailureKind::NotFound => "not there yet".to_owned(),
                _ => failure.to_string(),
            })
        }
    }
}

async fn job_state(reach: &Reach, job: &str, name: &str) -> Result<Job, StepError> {
    let client = reach.backup().await;
    let place = format!("job {job} in {}", reach.region());
    let said = match client
        .describe_restore_job()
        .restore_job_id(job)
        .send()
        .await
    {
        Ok(said) => said,
        // It goes on without being asked.
        Err(error) => {
            let failure = explain("Backup DescribeRestoreJob", &place, &error);
            return Ok(Job::Going(failure.to_string()));
        }
    };
    let message = said.status_message().unwrap_or("AWS says no more");
    match said.status() {
        Some(RestoreJobStatus::Completed) => Ok(Job::Done),
        Some(status @ (RestoreJobStatus::Failed | RestoreJobStatus::Aborted)) => {
            Err(StepError(format!(
                "restore job {job} of {name} in {} has {}: {message}. Put that right (backup_role and its permissions, the key, the name), and run this step again",
                reach.region(),
                status.as_str()
            )))
        }
        status => {
            let status = status.map_or("without a status", |status| status.as_str());
            let done = said.percent_done().unwrap_or_default();
            let done = if done.is_empty() {
                String::new()
            } else {
                format!(", {done}")
            };
            let left = said
                .expected_completion_time_minutes()
                .map_or_else(String::new, |left| format!(", AWS expects {left} min"));
            Ok(Job::Going(format!("job {job} {status}{done}{left}")))
        }
    }
}
