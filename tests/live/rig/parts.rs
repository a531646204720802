//! A plan from the parts that each rig knows.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// A part of a plan, from its text.
pub fn part(text: &str) -> Table {
    text.parse()
        .unwrap_or_else(|error| unreachable!("a rig wrote no TOML: {error}\n{text}"))
}

/// The parts as one: tables are joined, and of two values the later one stands.
pub fn joined(parts: impl IntoIterator<Item = Table>) -> Table {
    parts.into_iter().fold(Table::new(), |mut whole, part| {
        join(&mut whole, part);
        whole
    })
}

fn join(whole: &mut Table, part: Table) {
    for (key, value) in part {
        match (whole.get_mut(&key), value) {
            (Some(Value::Table(there)), Value::Table(more)) => join(there, more),
            (_, value) => {
                whole.insert(key, value);
            }
        }
    }
}

/// Writes the parts as `relight.toml` into a folder.
pub fn write(folder: &Path, parts: impl IntoIterator<Item = Table>) -> PathBuf {
    let path = folder.join("relight.toml");
    std::fs::write(&path, joined(parts).to_string()).expect("a plan");
    path
}
