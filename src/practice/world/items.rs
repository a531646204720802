//! The coordination table: rows under `incident` and `seq`, written by conditions.

use std::collections::BTreeMap;

use serde_json::Value;

/// What the plan of a practice may name as its coordination table, in either region.
pub const TABLE: &str = "relight-coordination";

/// The rows.
#[derive(Debug, Default)]
pub struct Items(BTreeMap<(String, u64), Value>);

impl Items {
    /// The row of a key: the key's attributes, or a row that holds them.
    #[must_use]
    pub fn get(&self, key: &Value) -> Option<&Value> {
        self.0.get(&place(key)?)
    }

    /// Puts a row in place of the one with its key, if that one is as the condition says: comparisons joined by `AND`, or
    /// `attribute_not_exists(incident)`. True if it was.
    pub fn put(&mut self, row: &Value, condition: &str, values: &Value) -> bool {
        let Some(place) = place(row) else {
            return false;
        };
        let before = self.0.get(&place);
        let holds = condition.is_empty()
            || condition.split(" AND ").all(|part| {
                part.split_once(" = ").map_or_else(
                    || before.is_none(),
                    |(name, value)| before.is_some_and(|row| row[name] == values[value]),
                )
            });
        if holds {
            self.0.insert(place, row.clone());
        }
        holds
    }

    /// The rows of an incident behind a number, in order.
    pub fn after(&self, incident: &str, seq: u64) -> impl Iterator<Item = &Value> {
        let from = (incident.to_owned(), seq.saturating_add(1));
        let until = (incident.to_owned(), u64::MAX);
        self.0.range(from..=until).map(|(_, row)| row)
    }
}

fn place(row: &Value) -> Option<(String, u64)> {
    let seq = row["seq"]["N"].as_str()?.parse().ok()?;
    Some((row["incident"]["S"].as_str()?.to_owned(), seq))
}
