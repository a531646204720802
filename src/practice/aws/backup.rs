//! AWS Backup: recovery points and plans.

use serde_json::{Value, json};

use super::{answer::Answer, ask::Ask, dynamodb::seconds};
use crate::{
    incident::{RecoveryPoint, Side},
    practice::world::World,
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
