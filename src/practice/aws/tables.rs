//! Amazon `DynamoDB`: tables that are made from copies and changed, and the settings that a restore drops.

use std::time::Duration;

use serde_json::{Value, json};

use super::{answer::Answer, ask::Ask, dynamodb::described};
use crate::{
    incident::{Moment, Side},
    practice::world::{Stored, World},
};

/// The table that an ARN is of, wherever it lies. One of a backup names its table as well.
pub(super) fn of_arn(world: &World, arn: &str) -> Option<Stored> {
    let parts: Vec<&str> = arn.split(':').collect();
    let (region, table) = (parts.get(3)?, parts.get(5)?.split('/').nth(1)?);
    let side = Side::BOTH
        .into_iter()
        .find(|side| world.side(*side).name == **region)?;
    world.side(side).storage.table(table).cloned()
}

pub(super) fn restore_from_backup(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let said = ask.value();
    let arn = said["BackupArn"].as_str().unwrap_or_default();
    let made = arn
        .rsplit('/')
        .next()
        .and_then(|name| name.split('-').next());
    let made = made.and_then(|millis| millis.parse().ok());
    let (Some(of), Some(made)) = (of_arn(world, arn), made) else {
        let missing = format!("Backup not found: {arn}");
        return Answer::error(ask, 400, "BackupNotFoundException", &missing);
    };
    make(ask, side, world, (&of, Moment::from_millis(made)))
}

pub(super) fn restore_to_point_in_time(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let (said, now) = (ask.value(), Moment::now());
    let arn = said["SourceTableArn"].as_str().unwrap_or_default();
    let Some(of) = of_arn(world, arn) else {
        let missing = format!("Table not found: {arn}");
        return Answer::error(ask, 400, "TableNotFoundException", &missing);
    };
    if !of.kept.pitr {
        let off = "Point in time recovery is not enabled for this table";
        return Answer::error(ask, 400, "PointInTimeRecoveryUnavailableException", off);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "epoch seconds are far below 2^53"
    )]
    let at = said["RestoreDateTime"].as_f64().unwrap_or_default() as i64;
    let at = Moment::from_secs(at);
    if at > now.minus(Duration::from_mins(5)) {
        let late = "RestoreDateTime is later than LatestRestorableDateTime";
        return Answer::error(ask, 400, "InvalidRestoreTimeException", late);
    }
    make(ask, side, world, (&of, at))
}

fn make(ask: &Ask, side: Side, world: &mut World, (of, data): (&Stored, Moment)) -> Answer {
    let (said, now) = (ask.value(), Moment::now());
    let target = said["TargetTableName"].as_str().unwrap_or_default();
    let done = now.plus(world.scenario.tables.restore);
    let storage = &mut world.side_mut(side).storage;
    if storage.table(target).is_some() {
        let there = format!("Table already exists: {target}");
        return Answer::error(ask, 400, "TableAlreadyExistsException", &there);
    }
    storage.restore(target, of, data, [now, done]);
    answer(
        ask,
        side,
        world,
        target,
        |table, arn| json!({"TableDescription": described(table, arn, now)}),
    )
}

fn answer(
    ask: &Ask,
    side: Side,
    world: &World,
    name: &str,
    tell: impl FnOnce(&Stored, &str) -> Value,
) -> Answer {
    let storage = &world.side(side).storage;
    match storage.table(name) {
        Some(table) => Answer::json(&tell(table, &storage.names.table_arn(name))),
        None => missing(ask, name),
    }
}

fn missing(ask: &Ask, name: &str) -> Answer {
    let code = if ask.operation() == Some("UpdateContinuousBackups") {
        "TableNotFoundException"
    } else {
        "ResourceNotFoundException"
    };
    let said = format!("Requested resource not found: Table: {name} not found");
    Answer::error(ask, 400, code, &said)
}

/// Changes a table that is there and takes changes.
fn change(
    ask: &Ask,
    side: Side,
    world: &mut World,
    name: &str,
    make: impl FnOnce(&mut Stored, Moment),
) -> Result<(), Answer> {
    let now = Moment::now();
    let Some(table) = world.side_mut(side).storage.table_mut(name) else {
        return Err(missing(ask, name));
    };
    if table.status(now) != "ACTIVE" {
        let busy = format!("Attempt to change a resource which is still in use: Table: {name}");
        let code = if ask.operation() == Some("UpdateContinuousBackups") {
            "ContinuousBackupsUnavailableException"
        } else {
            "ResourceInUseException"
        };
        return Err(Answer::error(ask, 400, code, &busy));
    }
    make(table, now);
    Ok(())
}

/// It is gone at once; a table that is protected or busy stays.
pub(super) fn delete_table(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let (name, now) = (named(ask), Moment::now());
    let storage = &mut world.side_mut(side).storage;
    let Some(at) = storage.tables.iter().position(|table| table.name == name) else {
        return missing(ask, &name);
    };
    if storage.tables[at].kept.protected {
        let said = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.";
        return Answer::error(ask, 400, "ValidationException", said);
    }
    if storage.tables[at].status(now) != "ACTIVE" {
        let busy = format!("Attempt to change a resource which is still in use: Table: {name}");
        return Answer::error(ask, 400, "ResourceInUseException", &busy);
    }
    let table = storage.tables.remove(at);
    let mut told = described(&table, &storage.names.table_arn(&name), now);
    told["TableStatus"] = json!("DELETING");
    Answer::json(&json!({"TableDescription": told}))
}

fn named(ask: &Ask) -> String {
    ask.value()["TableName"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

pub(super) fn describe_time_to_live(ask: &Ask, side: Side, world: &mut World) -> Answer {
    answer(ask, side, world, &named(ask), |table, _| {
        let said = if table.kept.ttl {
            json!({"TimeToLiveStatus": "ENABLED", "AttributeName": "Expires"})
        } else {
            json!({"TimeToLiveStatus": "DISABLED"})
        };
        json!({"TimeToLiveDescription": said})
    })
}

pub(super) fn update_time_to_live(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let said = ask.value()["TimeToLiveSpecification"].clone();
    if said["AttributeName"] != json!("Expires") {
        let wrong = "the practice knows items that expire by Expires";
        return Answer::error(ask, 400, "ValidationException", wrong);
    }
    let on = said["Enabled"] == json!(true);
    match change(ask, side, world, &named(ask), |table, _| {
        table.kept.ttl = on;
    }) {
        Ok(()) => Answer::json(&json!({"TimeToLiveSpecification": said})),
        Err(refused) => refused,
    }
}

pub(super) fn update_continuous_backups(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let said = ask.value();
    let on = said["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] == json!(true);
    match change(ask, side, world, &named(ask), |table, _| {
        table.kept.pitr = on;
    }) {
        Ok(()) => super::dynamodb::describe_continuous_backups(ask, side, world),
        Err(refused) => refused,
    }
}

/// One change at a time, as at AWS: stream, protection, billing, or the index.
pub(super) fn update_table(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let (said, name) = (ask.value(), named(ask));
    let filled = world.scenario.tables.index;
    let done = change(ask, side, world, &name, |table, now| {
        let kept = &mut table.kept;
        if said["StreamSpecification"]["StreamEnabled"] == json!(true) {
            kept.stream = true;
        }
        if let Some(on) = said["DeletionProtectionEnabled"].as_bool() {
            kept.protected = on;
        }
        match said["BillingMode"].as_str() {
            Some("PAY_PER_REQUEST") => kept.units = None,
            Some(_) => {
                let units = |key: &str| said["ProvisionedThroughput"][key].as_i64().unwrap_or(1);
                kept.units = Some((units("ReadCapacityUnits"), units("WriteCapacityUnits")));
            }
            None => {}
        }
        if said["GlobalSecondaryIndexUpdates"][0]["Create"]["IndexName"] == json!("timesearchV2") {
            kept.index = Some(now.plus(filled));
        }
        kept.changed(now);
    });
    match done {
        Ok(()) => answer(
            ask,
            side,
            world,
            &name,
            |table, arn| json!({"TableDescription": described(table, arn, Moment::now())}),
        ),
        Err(refused) => refused,
    }
}

/// The table that the ARN in a request about tags is of.
fn tagged(ask: &Ask) -> String {
    let said = ask.value();
    let arn = said["ResourceArn"].as_str().unwrap_or_default();
    arn.rsplit('/').next().unwrap_or_default().to_owned()
}

pub(super) fn list_tags(ask: &Ask, side: Side, world: &mut World) -> Answer {
    answer(ask, side, world, &tagged(ask), |table, _| {
        let tags = table.kept.tags.iter();
        let tags: Vec<_> = tags
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        json!({"Tags": tags})
    })
}

pub(super) fn tag(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let said = ask.value();
    let pairs = said["Tags"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let done = change(ask, side, world, &tagged(ask), |table, _| {
        let pairs = pairs
            .iter()
            .map(|tag| (text(&tag["Key"]), text(&tag["Value"])));
        table.kept.tags.extend(pairs);
    });
    match done {
        Ok(()) => Answer::empty(200),
        Err(refused) => refused,
    }
}
