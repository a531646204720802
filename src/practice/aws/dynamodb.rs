//! Amazon `DynamoDB`: tables, their backups, and the two queries by which data age is measured.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{answer::Answer, ask::Ask};
use crate::{
    incident::{Moment, Side, TableRole},
    practice::world::{Storage, Stored, World},
};

pub(super) fn describe_table(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let now = Moment::now();
    with_table(ask, side, world, |storage, table| {
        let arn = storage.names.table_arn(&table.name);
        Answer::json(&json!({"Table": described(table, &arn, now)}))
    })
}

/// No table has a policy of its own.
pub(super) fn get_resource_policy(ask: &Ask, _side: Side, _world: &mut World) -> Answer {
    let said = "Resource-based policy not found for the provided ResourceArn";
    Answer::error(ask, 400, "PolicyNotFoundException", said)
}

/// `TableDescription`, as several operations answer it.
pub(super) fn described(table: &Stored, arn: &str, now: Moment) -> Value {
    let (hash, range, range_type) = match table.role {
        TableRole::State => ("HashKey", "FullPath", "S"),
        TableRole::Audit => ("SessionID", "EventIndex", "N"),
    };
    let kept = &table.kept;
    let (read, write) = kept.units.unwrap_or_default();
    let mut described = json!({
        "TableName": table.name,
        "TableStatus": table.status(now),
        "TableArn": arn,
        "CreationDateTime": seconds(table.created),
        "AttributeDefinitions": [
            {"AttributeName": hash, "AttributeType": "S"},
            {"AttributeName": range, "AttributeType": range_type},
        ],
        "KeySchema": [
            {"AttributeName": hash, "KeyType": "HASH"},
            {"AttributeName": range, "KeyType": "RANGE"},
        ],
        "ItemCount": 4711,
        "TableSizeBytes": 48_311_296,
        "ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write},
        "DeletionProtectionEnabled": kept.protected,
    });
    if kept.units.is_none() {
        described["BillingModeSummary"] = json!({"BillingMode": "PAY_PER_REQUEST"});
    }
    if kept.stream {
        let view = json!({"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"});
        described["StreamSpecification"] = view;
    }
    if let Some(from) = kept.index {
        let status = if now >= from { "ACTIVE" } else { "CREATING" };
        described["GlobalSecondaryIndexes"] = json!([{"IndexName": "timesearchV2", "IndexStatus": status, "Backfilling": now < from}]);
    }
    if !table.active(now) {
        described["RestoreSummary"] = json!({
            "RestoreDateTime": seconds(table.created),
            "RestoreInProgress": true,
        });
    }
    if !table.replicas.is_empty() {
        described["GlobalTableVersion"] = json!("2019.11.21");
        described["Replicas"] = table
            .replicas
            .iter()
            .map(|region| json!({"RegionName": region, "ReplicaStatus": "ACTIVE"}))
            .collect();
    }
    described
}

pub(super) fn describe_continuous_backups(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let now = Moment::now();
    with_table(ask, side, world, |_, table| {
        let mut pitr = json!({"PointInTimeRecoveryStatus": "DISABLED"});
        if table.kept.pitr {
            let latest = now.minus(Duration::from_mins(5));
            pitr = json!({
                "PointInTimeRecoveryStatus": "ENABLED",
                "RecoveryPeriodInDays": 35,
                "EarliestRestorableDateTime": seconds(now.minus(Duration::from_hours(35 * 24))),
                "LatestRestorableDateTime": seconds(latest),
            });
        }
        Answer::json(&json!({"ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": pitr,
        }}))
    })
}

/// One on-demand backup a day, made by hand before the outage.
pub(super) fn list_backups(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let began = world.began;
    with_table(ask, side, world, |storage, table| {
        let arn = storage.names.table_arn(&table.name);
        let summaries: Vec<_> = (1..=3_u64)
            .filter(|_| table.newest.is_some())
            .map(|day| {
                let made = began.minus(Duration::from_secs(day * 86_400));
                json!({
                    "TableName": table.name,
                    "TableArn": arn,
                    "BackupArn": format!("{arn}/backup/{:014}-practice", made.millis()),
                    "BackupName": format!("by-hand-{day}"),
                    "BackupCreationDateTime": seconds(made),
                    "BackupStatus": "AVAILABLE",
                    "BackupType": "USER",
                    "BackupSizeBytes": 48_311_296,
                })
            })
            .collect();
        Answer::json(&json!({"BackupSummaries": summaries}))
    })
}

pub(super) fn query(ask: &Ask, side: Side, world: &mut World) -> Answer {
    if let Some(answer) = super::items::query(ask, world) {
        return answer;
    }
    let now = Moment::now();
    with_table(ask, side, world, |_, table| {
        let said = ask.value();
        let newest = table.newest(now);
        if !table.active(now) {
            let said = "Cannot do operations on a non-existent table";
            return Answer::error(ask, 400, "ResourceNotFoundException", said);
        }
        let value = |name: &str| said["ExpressionAttributeValues"][name]["S"].as_str();
        let mut items = match (table.role, value(":p"), value(":d")) {
            (TableRole::State, Some(path), _) => {
                let part = text(&said["KeyConditionExpression"]).contains("begins_with");
                let fits = |own: &str| {
                    if part {
                        own.starts_with(path)
                    } else {
                        own == path
                    }
                };
                let mut rows = authorities(table);
                rows.extend(presence(world, side, table, now));
                rows.retain(|row| fits(text(&row["FullPath"]["S"])));
                rows
            }
            (TableRole::Audit, _, Some(day))
                if said["IndexName"] == "timesearchV2" && table.kept.index.is_some() =>
            {
                events(newest, day)
            }
            _ => {
                return Answer::error(
                    ask,
                    400,
                    "ValidationException",
                    "Query condition missed key schema element",
                );
            }
        };
        if said["ScanIndexForward"] == json!(false) {
            items.reverse();
        }
        let limit = said["Limit"].as_u64().unwrap_or(1000);
        items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let items: Vec<_> = items.iter().map(|item| project(item, &said)).collect();
        Answer::json(&json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items}))
    })
}

fn with_table(
    ask: &Ask,
    side: Side,
    world: &World,
    answer: impl FnOnce(&Storage, &Stored) -> Answer,
) -> Answer {
    let region = world.side(side);
    let said = ask.value();
    let name = said["TableName"].as_str().unwrap_or_default();
    let own = ask.account.as_deref() == Some(region.account.as_str());
    let found = region.storage.table(name).filter(|_| own);
    match (found, ask.operation()) {
        (Some(table), _) => answer(&region.storage, table),
        // The other operations have an error of their own for it.
        (None, Some("DescribeContinuousBackups")) => Answer::error(
            ask,
            400,
            "TableNotFoundException",
            &format!("Table not found: {name}"),
        ),
        (None, Some("ListBackups")) => Answer::json(&json!({"BackupSummaries": []})),
        (None, _) => Answer::error(
            ask,
            400,
            "ResourceNotFoundException",
            &format!("Requested resource not found: Table: {name} not found"),
        ),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The row of the host certificate authority. Written at once with it, its revision is told by what it is.
fn authorities(table: &Stored) -> Vec<Value> {
    let row = table.authority.as_ref().map(|(cluster, seed)| {
        let mark = seed.bytes().fold(17_u32, |mark, byte| {
            mark.wrapping_mul(31).wrapping_add(u32::from(byte))
        });
        json!({
            "HashKey": {"S": "teleport"},
            "FullPath": {"S": format!("teleport/authorities/host/{cluster}")},
            "Timestamp": {"N": "1700000000"},
            "Revision": {"S": format!("{mark:08x}-0000-4000-8000-000000000000")},
            "Value": {"B": "c2VjcmV0"},
        })
    });
    row.into_iter().collect()
}

/// Heartbeats, ordered by key.
fn presence(world: &World, side: Side, table: &Stored, now: Moment) -> Vec<Value> {
    let rows = world.heartbeats(side, table, now).into_iter();
    rows.map(|(path, at, until)| {
        json!({
            "HashKey": {"S": "teleport"},
            "FullPath": {"S": path},
            "Timestamp": {"N": at.secs().to_string()},
            "Expires": {"N": until.secs().to_string()},
            "Revision": {"S": "00000000-0000-4000-8000-000000000000"},
            "Value": {"B": "c2VjcmV0"},
        })
    })
    .collect()
}

/// An event every twenty minutes for two days, ordered by time.
fn events(newest: Option<Moment>, day: &str) -> Vec<Value> {
    let Some(newest) = newest else {
        return Vec::new();
    };
    (0..144_u64)
        .rev()
        .map(|n| newest.minus(Duration::from_secs(n * 1200)))
        .filter(|at| at.to_string().starts_with(day))
        .map(|at| {
            json!({
                "SessionID": {"S": "00000000-0000-4000-8000-000000000000"},
                "EventIndex": {"N": "0"},
                "CreatedAtDate": {"S": day},
                "CreatedAt": {"N": at.secs().to_string()},
                "EventType": {"S": "user.login"},
                "FieldsMap": {"M": {}},
            })
        })
        .collect()
}

/// Only what the projection expression asks for, with its `#names` resolved.
fn project(item: &Value, said: &Value) -> Value {
    let Some(wanted) = said["ProjectionExpression"].as_str() else {
        return item.clone();
    };
    wanted
        .split(',')
        .map(str::trim)
        .filter_map(|name| {
            let name = said["ExpressionAttributeNames"][name]
                .as_str()
                .unwrap_or(name);
            Some((name.to_owned(), item.get(name)?.clone()))
        })
        .collect::<Map<_, _>>()
        .into()
}

/// Epoch seconds with milliseconds, as AWS JSON has its times.
pub(super) fn seconds(at: Moment) -> Value {
    let text = format!("{}.{:03}", at.secs(), at.millis().rem_euclid(1000));
    text.parse::<f64>().map_or(Value::Null, Value::from)
}
