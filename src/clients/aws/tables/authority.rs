//! Whose host certificate authority is in a state table, by keys, revision and time alone (`facts/teleport.md` 2.1).
//!
//! `Value` holds the private keys: it is never asked for. The read is consistent: what it says is what an Auth Service
//! that starts now would find.

use aws_sdk_dynamodb::{Client, types::AttributeValue};

use crate::{
    clients::{aws::explain, kube::text::clean},
    incident::{HostAuthorities, HostAuthority, Moment, Part},
};

/// Where they lie: `teleport/authorities/<type>/<cluster>`.
const PREFIX: &str = "teleport/authorities/host/";
/// Other clusters named where the cluster's own row is missing.
const OTHERS: i32 = 10;

/// Looks for the row of a cluster, and where there is none for those of others.
///
/// # Errors
/// If the table cannot be asked.
pub async fn find(
    client: &Client,
    table: &str,
    place: &str,
    cluster: &str,
    now: Moment,
) -> Part<HostAuthorities> {
    let own = format!("{PREFIX}{cluster}");
    let rows = query(client, table, place, ("FullPath = :p", &own), 1).await?;
    let found = rows
        .into_iter()
        .find(|(path, _)| *path == own)
        .map(|(_, row)| row);
    let others = if found.is_some() {
        Vec::new()
    } else {
        let condition = ("begins_with(FullPath, :p)", PREFIX);
        let rows = query(client, table, place, condition, OTHERS).await?;
        rows.iter()
            .filter_map(|(path, _)| path.strip_prefix(PREFIX))
            .map(|name| clean(name, 255))
            .collect()
    };
    Ok(HostAuthorities {
        at: now,
        own: found,
        others,
    })
}

/// The names of what lies under a prefix, by keys alone: ten at most.
///
/// # Errors
/// If the table cannot be asked.
pub async fn names_under(
    client: &Client,
    table: &str,
    place: &str,
    prefix: &str,
) -> Part<Vec<String>> {
    let condition = ("begins_with(FullPath, :p)", prefix);
    let rows = query(client, table, place, condition, OTHERS).await?;
    let names = rows
        .iter()
        .filter_map(|(path, _)| path.strip_prefix(prefix));
    Ok(names.map(|name| clean(name, 255)).collect())
}

async fn query(
    client: &Client,
    table: &str,
    place: &str,
    (condition, path): (&str, &str),
    most: i32,
) -> Part<Vec<(String, HostAuthority)>> {
    let said = client
        .query()
        .table_name(table)
        .consistent_read(true)
        .limit(most)
        .key_condition_expression(format!("HashKey = :h AND {condition}"))
        .expression_attribute_values(":h", AttributeValue::S("teleport".to_owned()))
        .expression_attribute_values(":p", AttributeValue::S(path.to_owned()))
        .expression_attribute_names("#t", "Timestamp")
        .projection_expression("FullPath, Revision, #t")
        .send()
        .await
        .map_err(|error| explain("DynamoDB Query of host authorities", place, &error))?;
    let text = |value: Option<&AttributeValue>| value?.as_s().ok().cloned();
    let rows = said.items().iter().filter_map(|item| {
        let revision = text(item.get("Revision")).map(|revision| clean(&revision, 64));
        let timestamp = item
            .get("Timestamp")
            .and_then(|value| value.as_n().ok()?.parse().ok())
            .map(Moment::from_secs);
        let row = HostAuthority {
            revision,
            timestamp,
        };
        Some((text(item.get("FullPath"))?, row))
    });
    Ok(rows.collect())
}
