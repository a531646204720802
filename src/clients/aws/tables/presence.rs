//! Heartbeat rows of a state table, by key, `Timestamp` and `Expires` alone.
//!
//! Read from the table and not by `tctl`: that works without exec, costs one query a kind, tells when a row was last
//! renewed (which `tctl get nodes` does not), and is the same before the outage and after it. `Value` is never asked for.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    clients::{
        aws::{Reach, explain},
        kube::text::clean,
    },
    incident::{
        Failure, Moment,
        agents::{AgentKind, Beat, Beats},
    },
};

/// Pages read of one kind, each up to 1 MB: tens of thousands of agents.
const PAGES: usize = 40;

/// The heartbeats of a table, and whether rows were left unread.
///
/// # Errors
/// If the table cannot be asked.
pub async fn beats(reach: &Reach, table: &str) -> Result<(Beats, bool), Failure> {
    let client = reach.dynamodb().await;
    let place = format!("{table} in {}", reach.region());
    let mut beats = Beats::new();
    let mut cut = false;
    for kind in AgentKind::ALL {
        let prefix = format!("teleport/{}", kind.prefix());
        let rows = beats.entry(kind).or_default();
        let mut next = None;
        for page in 0..PAGES {
            let said = client
                .query()
                .table_name(table)
                .consistent_read(false)
                .key_condition_expression("HashKey = :h AND begins_with(FullPath, :p)")
                .expression_attribute_values(":h", AttributeValue::S("teleport".to_owned()))
                .expression_attribute_values(":p", AttributeValue::S(prefix.clone()))
                .projection_expression("FullPath, #Timestamp, Expires")
                .expression_attribute_names("#Timestamp", "Timestamp")
                .set_exclusive_start_key(next.take())
                .send()
                .await
                .map_err(|error| explain("DynamoDB Query", &place, &error))?;
            rows.extend(said.items().iter().filter_map(|item| beat(item, &prefix)));
            next = said.last_evaluated_key().cloned();
            if next.is_none() {
                break;
            }
            cut |= page + 1 == PAGES;
        }
    }
    Ok((beats, cut))
}

fn beat(item: &HashMap<String, AttributeValue>, prefix: &str) -> Option<Beat> {
    let seconds = |name: &str| -> Option<Moment> {
        let secs: i64 = item.get(name)?.as_n().ok()?.parse().ok()?;
        (secs > 0).then(|| Moment::from_secs(secs))
    };
    let path = item.get("FullPath")?.as_s().ok()?;
    Some(Beat {
        id: clean(path.strip_prefix(prefix)?, 255),
        at: seconds("Timestamp"),
        until: seconds("Expires")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_its_key_and_its_times_and_one_that_never_expires_is_no_agent() {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let number = |value: &str| AttributeValue::N(value.to_owned());
        let mut item = HashMap::from([
            ("FullPath".to_owned(), text("teleport/nodes/default/6f1c")),
            ("Timestamp".to_owned(), number("100")),
            ("Expires".to_owned(), number("700")),
        ]);
        let seen = beat(&item, "teleport/nodes/").expect("a heartbeat");
        assert_eq!(seen.id, "default/6f1c");
        assert_eq!(seen.at, Some(Moment::from_secs(100)));
        assert_eq!(seen.until, Moment::from_secs(700));
        assert_eq!(beat(&item, "teleport/proxies/"), None);
        item.remove("Expires");
        assert_eq!(beat(&item, "teleport/nodes/"), None);
    }
}
