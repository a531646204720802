//! AWS Backup: recovery points of a table in a vault, and the schedules that feed it.

use aws_sdk_backup::{
    Client, operation::get_backup_plan::GetBackupPlanOutput, types::RecoveryPointByBackupVault,
};

use futures::future::try_join_all;

use super::{Reach, explain, from_sdk, not_planned};
use crate::{
    clients::kube::text::clean,
    incident::{Failure, FailureKind, Part, RecoveryPoint, Schedule, Side, TableRole},
    plan::Plan,
};

/// Recovery points read in a call, and how many calls are made: hourly ones of a year. The order in which they come is
/// not promised, so the newest is only known of a list that was read to its end.
const PAGE: i32 = 1000;
const PAGES: usize = 9;
/// Recovery points kept of them: hourly ones of four days.
const POINTS: usize = 100;
/// Backup plans read; each costs a call.
const PLANS: i32 = 10;

/// The ARN under which AWS Backup knows the primary's table.
///
/// # Errors
/// If the plan lacks what it is made of.
pub fn table_arn(role: TableRole, plan: &Plan) -> Result<String, Failure> {
    let primary = plan.side(Side::Primary);
    let table = primary.table(role).ok_or_else(|| {
        not_planned(
            &format!("{role} table of the primary"),
            &format!("{role}_table to [primary]"),
        )
    })?;
    let account = primary
        .account
        .as_deref()
        .ok_or_else(|| not_planned("account of the primary", "account to [primary]"))?;
    let region = &primary.region;
    let partition = match region.split('-').next() {
        Some("cn") => "aws-cn",
        Some("us") if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    Ok(format!(
        "arn:{partition}:dynamodb:{region}:{account}:table/{table}"
    ))
}

/// Reads the recovery points of one table, newest data first, at most 100, and whether there are more.
///
/// # Errors
/// If the vault cannot be read to its end.
pub async fn fetch_points(
    reach: &Reach,
    vault: &str,
    arn: &str,
) -> Result<(Vec<RecoveryPoint>, bool), Failure> {
    let client = reach.backup().await;
    let place = format!("vault {vault} in {}", reach.region());
    let mut points = Vec::new();
    let mut token = None;
    for _ in 0..PAGES {
        let said = client
            .list_recovery_points_by_backup_vault()
            .backup_vault_name(vault)
            .by_resource_arn(arn)
            .max_results(PAGE)
            .set_next_token(token.take())
            .send()
            .await
            .map_err(|error| explain("Backup ListRecoveryPointsByBackupVault", &place, &error))?;
        points.extend(interpret(said.recovery_points(), arn));
        token = said
            .next_token()
            .filter(|token| !token.is_empty())
            .map(str::to_owned);
        if token.is_none() {
            return Ok(newest(points));
        }
    }
    Err(Failure::new(
        FailureKind::Other,
        format!(
            "Backup ListRecoveryPointsByBackupVault of {place} goes on after {} recovery points of {arn}: which is the \
             newest is not known; let older ones expire",
            points.len()
        ),
    ))
}

/// The newest of all pages, and whether others were left out.
fn newest(mut points: Vec<RecoveryPoint>) -> (Vec<RecoveryPoint>, bool) {
    points.sort_by_key(|point| std::cmp::Reverse(point.created));
    let more = points.len() > POINTS;
    points.truncate(POINTS);
    (points, more)
}

fn interpret(points: &[RecoveryPointByBackupVault], arn: &str) -> Vec<RecoveryPoint> {
    points
        .iter()
        // A server that does not know the filter gives every point there is.
        .filter(|point| point.resource_arn() == Some(arn))
        .filter_map(|point| {
            let lifecycle = point.calculated_lifecycle();
            Some(RecoveryPoint {
                arn: clean(point.recovery_point_arn()?, 400),
                resource: clean(point.resource_arn()?, 400),
                status: clean(point.status().map_or("", |status| status.as_str()), 40),
                created: from_sdk(point.creation_date()?)?,
                completed: point.completion_date().and_then(from_sdk),
                cold_at: lifecycle
                    .and_then(|life| life.move_to_cold_storage_at())
                    .and_then(from_sdk),
                delete_at: lifecycle
                    .and_then(|life| life.delete_at())
                    .and_then(from_sdk),
                restored: point.last_restore_time().and_then(from_sdk),
                bytes: point.backup_size_in_bytes(),
            })
        })
        .collect()
}

/// Reads the rules of the backup plans that the recovery region knows, and keeps those that feed the vault. A plan that
/// copies from the primary lives there and is not seen from here: an empty list is no proof.
///
/// # Errors
/// If the plans cannot be read.
pub async fn fetch_schedules(reach: &Reach, vault: &str) -> Part<Vec<Schedule>> {
    let client = reach.backup().await;
    let place = format!("plans in {}", reach.region());
    let plans = client
        .list_backup_plans()
        .max_results(PLANS)
        .send()
        .await
        .map_err(|error| explain("Backup ListBackupPlans", &place, &error))?;
    let ids = plans
        .backup_plans_list()
        .iter()
        .filter_map(|plan| plan.backup_plan_id());
    let mut schedules = Vec::new();
    for plan in try_join_all(ids.map(|id| get_plan(&client, id, &place))).await? {
        schedules.extend(rules(&plan, vault));
    }
    schedules.truncate(20);
    Ok(schedules)
}

async fn get_plan(client: &Client, id: &str, place: &str) -> Result<GetBackupPlanOutput, Failure> {
    client
        .get_backup_plan()
        .backup_plan_id(id)
        .send()
        .await
        .map_err(|error| explain("Backup GetBackupPlan", place, &error))
}

fn rules(said: &GetBackupPlanOutput, vault: &str) -> Vec<Schedule> {
    let Some(plan) = said.backup_plan() else {
        return Vec::new();
    };
    plan.rules()
        .iter()
        .filter_map(|rule| {
            let copies_to: Vec<_> = rule
                .copy_actions()
                .iter()
                .map(|copy| clean(copy.destination_backup_vault_arn(), 400))
                .collect();
            let feeds = rule.target_backup_vault_name() == vault
                || copies_to
                    .iter()
                    .any(|arn| arn.ends_with(&format!(":{vault}")));
            feeds.then(|| Schedule {
                name: clean(
                    &format!("{} {}", plan.backup_plan_name(), rule.rule_name()),
                    120,
                ),
                expression: clean(rule.schedule_expression().unwrap_or_default(), 120),
                copies_to,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_backup::types::{CalculatedLifecycle, RecoveryPointStatus};

    use super::*;
    use crate::{clients::aws::to_sdk, incident::Moment};

    fn point(resource: &str, created: i64) -> RecoveryPointByBackupVault {
        RecoveryPointByBackupVault::builder()
            .recovery_point_arn(format!(
                "arn:aws:backup:us-west-2:111122223333:recovery-point:{created}"
            ))
            .resource_arn(resource)
            .status(RecoveryPointStatus::Completed)
            .creation_date(to_sdk(Moment::from_secs(created)))
            .calculated_lifecycle(
                CalculatedLifecycle::builder()
                    .delete_at(to_sdk(Moment::from_secs(created + 100)))
                    .build(),
            )
            .build()
    }

    #[test]
    fn points_of_other_tables_and_without_a_date_do_not_count() {
        let arn = "arn:aws:dynamodb:us-east-1:111122223333:table/state";
        let dateless = RecoveryPointByBackupVault::builder()
            .recovery_point_arn("arn:x")
            .resource_arn(arn)
            .build();
        let said = [point(arn, 5), point("other", 8), point(arn, 9), dateless];
        let (points, more) = newest(interpret(&said, arn));
        assert!(!more);
        let created: Vec<_> = points.iter().map(|point| point.created.secs()).collect();
        assert_eq!(created, [9, 5]);
        assert_eq!(points[0].delete_at, Some(Moment::from_secs(109)));
    }
}
