//! Rows of the coordination table, read and written one by one.

use serde_json::{Value, json};

use super::{answer::Answer, ask::Ask};
use crate::{
    incident::Side,
    practice::world::{World, items::TABLE},
};

pub(super) fn get(ask: &Ask, _side: Side, world: &mut World) -> Answer {
    let said = ask.value();
    if said["TableName"] != TABLE {
        return missing(ask);
    }
    let found = world.items.get(&said["Key"]);
    Answer::json(&found.map_or_else(|| json!({}), |row| json!({"Item": row})))
}

pub(super) fn put(ask: &Ask, _side: Side, world: &mut World) -> Answer {
    let said = ask.value();
    if said["TableName"] != TABLE {
        return missing(ask);
    }
    let condition = said["ConditionExpression"].as_str().unwrap_or_default();
    let values = &said["ExpressionAttributeValues"];
    if world.items.put(&said["Item"], condition, values) {
        return Answer::json(&json!({}));
    }
    let said = "The conditional request failed";
    Answer::error(ask, 400, "ConditionalCheckFailedException", said)
}

/// `None` for a query of another table.
pub(super) fn query(ask: &Ask, world: &World) -> Option<Answer> {
    /// What a page holds at most.
    const PAGE: usize = 100;

    let said = ask.value();
    if said["TableName"] != TABLE {
        return None;
    }
    let value = |name: &str, kind: &str| said["ExpressionAttributeValues"][name][kind].as_str();
    let incident = value(":incident", "S").unwrap_or_default();
    let seq = value(":seq", "N").and_then(|seq| seq.parse().ok());
    let limit = said["Limit"]
        .as_u64()
        .and_then(|limit| usize::try_from(limit).ok());
    let limit = limit.unwrap_or(PAGE).min(PAGE);
    let mut rows: Vec<&Value> = world
        .items
        .after(incident, seq.unwrap_or_default())
        .take(limit + 1)
        .collect();
    let more = rows.len() > limit;
    rows.truncate(limit);
    let mut answer = json!({"Count": rows.len(), "ScannedCount": rows.len(), "Items": rows});
    if let Some(last) = rows.last().filter(|_| more) {
        answer["LastEvaluatedKey"] = json!({"incident": last["incident"], "seq": last["seq"]});
    }
    Some(Answer::json(&answer))
}

fn missing(ask: &Ask) -> Answer {
    let said = "Requested resource not found";
    Answer::error(ask, 400, "ResourceNotFoundException", said)
}
