//! AWS Backup: recovery points and plans.

use serde_json::{Value, json};

use super::{answer::Answer, ask::Ask, dynamodb::seconds};
use crate::{
    incident::{Moment, RecoveryPoint, Side},
    practice::world::{Job, World},
};

const PLAN: &str = "11111111-2222-4333-8444-555555555555";

pub(super) fn list_recovery_points(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let copies = &world.side(side).storage.copies;
    let vault = ask.path.get(1).map(String::as_str).unwrap_or_default();
    if vault != copies.vault {
        let said = format!("Backup vault {vault} does not exist");
        return Answer::error(ask, 400, "ResourceNotFoundException", &said);
    }
    let of = ask.param("resourceArn");
    let most = ask
        .param("maxResults")
        .and_then(|text| text.parse().ok())
        .unwrap_or(1000);
    let points: Vec<_> = copies
        .points
        .iter()
        .filter(|point| of.is_none_or(|arn| arn == point.resource))
        .take(most)
        .map(|point| wire(point, vault))
        .collect();
    Answer::json(&json!({"RecoveryPoints": points}))
}

fn wire(point: &RecoveryPoint, vault: &str) -> Value {
    let mut said = json!({
        "RecoveryPointArn": point.arn,
        "BackupVaultName": vault,
        "ResourceArn": point.resource,
        "ResourceType": "DynamoDB",
        "Status": point.status,
        "CreationDate": seconds(point.created),
        "BackupSizeInBytes": point.bytes,
        "CalculatedLifecycle": {},
    });
    if let Some(at) = point.completed {
        said["CompletionDate"] = seconds(at);
    }
    if let Some(at) = point.restored {
        said["LastRestoreTime"] = seconds(at);
    }
    if let Some(at) = point.cold_at {
        said["CalculatedLifecycle"]["MoveToColdStorageAt"] = seconds(at);
    }
    if let Some(at) = point.delete_at {
        said["CalculatedLifecycle"]["DeleteAt"] = seconds(at);
    }
    said
}

pub(super) fn list_plans(_ask: &Ask, side: Side, world: &mut World) -> Answer {
    let any = !world.side(side).storage.copies.schedules.is_empty();
    let plans: Vec<_> = any
        .then(|| json!({"BackupPlanId": PLAN, "BackupPlanName": "teleport"}))
        .into_iter()
        .collect();
    Answer::json(&json!({"BackupPlansList": plans}))
}

pub(super) fn get_plan(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let copies = &world.side(side).storage.copies;
    if ask.path.get(2).map(String::as_str) != Some(PLAN) || copies.schedules.is_empty() {
        return Answer::error(
            ask,
            400,
            "ResourceNotFoundException",
            "Cannot find Backup plan",
        );
    }
    let rules: Vec<_> = copies
        .schedules
        .iter()
        .map(|rule| {
            let to: Vec<_> = rule
                .copies_to
                .iter()
                .map(|arn| json!({"DestinationBackupVaultArn": arn}))
                .collect();
            json!({
                "RuleName": rule.name,
                "RuleId": "1",
                "TargetBackupVaultName": copies.vault,
                "ScheduleExpression": rule.expression,
                "CopyActions": to,
            })
        })
        .collect();
    Answer::json(&json!({
        "BackupPlan": {"BackupPlanName": "teleport", "Rules": rules},
        "BackupPlanId": PLAN,
    }))
}

/// A table is made of a recovery point. The same token gives the job that was started by it; a name that is taken makes
/// one that fails, as AWS Backup has it.
pub(super) fn start_restore(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let (said, now) = (ask.value(), Moment::now());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (arn, role) = (text(&said["RecoveryPointArn"]), text(&said["IamRoleArn"]));
    let (token, target) = (
        text(&said["IdempotencyToken"]),
        text(&said["Metadata"]["targetTableName"]),
    );
    if role.is_empty() || target.is_empty() {
        let missing = "Invalid or missing IamRoleArn or targetTableName";
        return Answer::error(ask, 400, "InvalidParameterValueException", missing);
    }
    let done = now.plus(world.scenario.tables.restore);
    let copies = &world.side(side).storage.copies;
    let known = copies
        .jobs
        .iter()
        .find(|job| !token.is_empty() && job.token == token);
    if let Some(job) = known {
        return Answer::json(&json!({"RestoreJobId": job.id}));
    }
    let (point, number) = (
        copies.points.iter().find(|point| point.arn == arn),
        copies.jobs.len(),
    );
    let Some(point) = point else {
        let missing = format!("Recovery point {arn} does not exist");
        return Answer::error(ask, 400, "ResourceNotFoundException", &missing);
    };
    let (data, of) = (point.created, super::tables::of_arn(world, &point.resource));
    let storage = &mut world.side_mut(side).storage;
    let failed = match of {
        Some(of) if storage.table(&target).is_none() => {
            storage.restore(&target, &of, data, [now, done]);
            None
        }
        Some(_) => Some(format!("Table already exists: {target}")),
        None => Some("The source of the recovery point is not known".to_owned()),
    };
    let id = format!("{number:08X}-0000-4000-8000-000000000000");
    storage.copies.jobs.push(Job {
        id: id.clone(),
        token,
        point: arn,
        target,
        role,
        times: [now, done],
        failed,
    });
    Answer::json(&json!({"RestoreJobId": id}))
}

fn job(job: &Job, account: &str, now: Moment) -> Value {
    let mut said = json!({
        "AccountId": account,
        "RestoreJobId": job.id,
        "RecoveryPointArn": job.point,
        "CreationDate": seconds(job.times[0]),
        "Status": job.status(now),
        "IamRoleArn": job.role,
        "ResourceType": "DynamoDB",
        "PercentDone": if now >= job.times[1] { "100.0%" } else { "0.00%" },
    });
    match &job.failed {
        Some(why) => said["StatusMessage"] = json!(why),
        None if now >= job.times[1] => said["CompletionDate"] = seconds(job.times[1]),
        None => {}
    }
    said
}

pub(super) fn list_restores(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let (now, region) = (Moment::now(), world.side(side));
    let status = ask.param("status");
    let jobs = region.storage.copies.jobs.iter();
    let listed: Vec<_> = jobs
        .filter(|job| status.is_none_or(|status| status == job.status(now)))
        .map(|one| job(one, &region.account, now))
        .collect();
    Answer::json(&json!({"RestoreJobs": listed}))
}

pub(super) fn describe_restore(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let account = world.side(side).account.clone();
    of_job(ask, side, world, |one| job(one, &account, Moment::now()))
}

pub(super) fn restore_metadata(ask: &Ask, side: Side, world: &mut World) -> Answer {
    of_job(
        ask,
        side,
        world,
        |job| json!({"RestoreJobId": job.id, "Metadata": {"targetTableName": job.target}}),
    )
}

fn of_job(ask: &Ask, side: Side, world: &World, tell: impl Fn(&Job) -> Value) -> Answer {
    let jobs = &world.side(side).storage.copies.jobs;
    let asked = ask.path.get(1).map(String::as_str).unwrap_or_default();
    if let Some(job) = jobs.iter().find(|job| job.id == asked) {
        return Answer::json(&tell(job));
    }
    let missing = format!("Restore job {asked} does not exist");
    Answer::error(ask, 400, "ResourceNotFoundException", &missing)
}
