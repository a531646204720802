//! What a table has besides its items: what a restore drops, and how long changes of it take.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use super::scenario::secs;
use crate::incident::{Moment, TableRole};

/// How long a table is `UPDATING` after a change.
const UPDATE: Duration = Duration::from_millis(300);

/// `[tables]`: the recovery region's tables when it begins, and how long it takes to make some.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tables {
    /// What lies under the planned names in the recovery region.
    pub recovery: Standing,
    /// How long a restore takes, in seconds (twenty minutes and more at AWS).
    #[serde(deserialize_with = "secs")]
    pub restore: Duration,
    /// How long an index is filled, in seconds.
    #[serde(deserialize_with = "secs")]
    pub index: Duration,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            recovery: Standing::Ready,
            restore: Duration::from_secs(5),
            index: Duration::from_secs(1),
        }
    }
}

/// What lies under the planned names in the recovery region when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Nothing: the tables are restored from the vault.
    None,
    /// Copies of the primary's tables, to be kept as they are.
    Ready,
    /// A state table, but that of another cluster.
    Wrong,
}

/// What a table has besides its items.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own at AWS"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Items expire by `Expires`.
    pub ttl: bool,
    /// There is a stream of new images.
    pub stream: bool,
    /// Point-in-time recovery is on.
    pub pitr: bool,
    /// It cannot be deleted.
    pub protected: bool,
    /// Read and write units; `None` for on-demand.
    pub units: Option<(i64, i64)>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// From when on `timesearchV2` is filled; `None` without that index.
    pub index: Option<Moment>,
    /// Until when it is `UPDATING`.
    pub busy: Moment,
}

impl Kept {
    /// As its operators have it.
    #[must_use]
    pub fn whole(role: TableRole, since: Moment) -> Self {
        Self {
            ttl: true,
            stream: role == TableRole::State,
            pitr: true,
            protected: true,
            tags: BTreeMap::from([
                ("team".to_owned(), "platform".to_owned()),
                ("service".to_owned(), "teleport".to_owned()),
            ]),
            ..Self::restored(role, since)
        }
    }

    /// As a restore leaves it, and Teleport makes it: with its index, paid by use, and no more.
    #[must_use]
    pub fn restored(role: TableRole, since: Moment) -> Self {
        Self {
            ttl: false,
            stream: false,
            pitr: false,
            protected: false,
            units: None,
            tags: BTreeMap::new(),
            index: (role == TableRole::Audit).then_some(since),
            busy: since,
        }
    }

    /// It was changed: for a moment it takes no other change.
    pub fn changed(&mut self, now: Moment) {
        self.busy = now.plus(UPDATE);
    }
}
