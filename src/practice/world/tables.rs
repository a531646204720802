//! Tables of a region, and with them everything else that a region stores.

use std::time::Duration;

use super::{Bucket, Copies, Kept, Standing};
use crate::incident::{Moment, Side, TableRole};

/// How far the copies in the recovery region lag behind the primary when the outage begins.
const LAG: Duration = Duration::from_secs(4 * 60 + 12);
/// How often a running cluster rewrites its presence items.
const HEARTBEAT: i64 = 60;

/// What things are called on one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// `us-east-1`.
    pub region: String,
    /// Twelve digits.
    pub account: String,
    /// `aws.backendTable` of that side.
    pub state_table: String,
    /// `aws.auditLogTable` of that side.
    pub audit_table: String,
    /// `aws.sessionRecordingBucket` of that side.
    pub bucket: String,
    /// AWS Backup vault of that side; the recovery side's holds the copies.
    pub vault: String,
}

impl Names {
    /// ARN of a table in this account and region.
    #[must_use]
    pub fn table_arn(&self, table: &str) -> String {
        format!(
            "arn:aws:dynamodb:{}:{}:table/{table}",
            self.region, self.account
        )
    }

    /// The name of the table of that role.
    #[must_use]
    pub fn table(&self, role: TableRole) -> &str {
        match role {
            TableRole::State => &self.state_table,
            TableRole::Audit => &self.audit_table,
        }
    }
}

/// What a region stores.
#[derive(Clone, Debug)]
pub struct Storage {
    /// What things are called here.
    pub names: Names,
    /// The tables.
    pub tables: Vec<Stored>,
    /// The session recordings bucket.
    pub bucket: Bucket,
    /// The backup vault.
    pub copies: Copies,
}

/// How the seed of an authority begins that an Auth Service made.
pub(super) const MADE: &str = "authority made";

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Name.
    pub name: String,
    /// What it holds.
    pub role: TableRole,
    /// When it was created.
    pub created: Moment,
    /// `ACTIVE` from this moment on, `CREATING` before: a restore takes its time.
    pub active_from: Moment,
    /// What it has besides its items.
    pub kept: Kept,
    /// Regions of global-table replicas.
    pub replicas: Vec<String>,
    /// The newest item when writing stopped; `None` for an empty table.
    pub newest: Option<Moment>,
    /// Since when a running cluster writes heartbeats and events into it; then `newest` moves on with the clock.
    pub written_since: Option<Moment>,
    /// Whether an Auth Service made it because there was none.
    pub made_by_auth: bool,
    /// Opaque seed of the host authority it holds, by cluster name.
    pub authority: Option<(String, String)>,
}

impl Stored {
    /// The newest presence item or event at a moment.
    #[must_use]
    pub fn newest(&self, now: Moment) -> Option<Moment> {
        match self.written_since {
            Some(since) => Some(since.max(Moment::from_secs(
                now.secs().div_euclid(HEARTBEAT) * HEARTBEAT,
            ))),
            None => self.newest,
        }
    }

    /// Whether it can be used at a moment.
    #[must_use]
    pub fn active(&self, now: Moment) -> bool {
        now >= self.active_from
    }

    /// `TableStatus` at a moment.
    #[must_use]
    pub fn status(&self, now: Moment) -> &'static str {
        if !self.active(now) {
            "CREATING"
        } else if now < self.kept.busy {
            "UPDATING"
        } else {
            "ACTIVE"
        }
    }
}

impl Storage {
    /// What a side stores when the outage begins: the primary's tables stand at the outage, the recovery region's
    /// copies four minutes before it, its vault holds hourly recovery points of the primary's tables.
    #[must_use]
    pub fn seed(
        side: Side,
        primary: &Names,
        recovery: &Names,
        cluster: &str,
        outage: Moment,
    ) -> Self {
        let names = match side {
            Side::Primary => primary,
            Side::Recovery => recovery,
        };
        let newest = match side {
            Side::Primary => outage,
            Side::Recovery => outage.minus(LAG),
        };
        let year = Duration::from_hours(300 * 24);
        let tables = TableRole::BOTH.map(|role| Stored {
            name: names.table(role).to_owned(),
            role,
            created: outage.minus(year),
            active_from: outage.minus(year),
            kept: Kept::whole(role, outage.minus(year)),
            replicas: Vec::new(),
            // The audit copy stands a little further back: the skew between the two is to be seen.
            newest: Some(newest.minus(match role {
                TableRole::State => Duration::ZERO,
                TableRole::Audit => Duration::from_secs(38),
            })),
            written_since: None,
            made_by_auth: false,
            authority: (role == TableRole::State)
                .then(|| (cluster.to_owned(), format!("authority of {cluster}"))),
        });
        Self {
            names: names.clone(),
            tables: tables.into(),
            bucket: Bucket::seed(side, primary, recovery, newest),
            copies: Copies::seed(side, primary, recovery, outage),
        }
    }

    /// Makes of the copies that stand ready what a scenario has instead.
    pub fn standing(&mut self, what: Standing) {
        match what {
            Standing::Ready => {}
            Standing::None => self.tables.clear(),
            Standing::Wrong => {
                for table in &mut self.tables {
                    let other = "teleport.other.example".to_owned();
                    let seed = format!("authority of {other}");
                    table.authority = table.authority.take().map(|_| (other, seed));
                }
            }
        }
    }

    /// Makes a table from a copy of one: its items of that moment, and nothing else of it.
    pub fn restore(&mut self, name: &str, of: &Stored, data: Moment, [now, done]: [Moment; 2]) {
        self.tables.push(Stored {
            name: name.to_owned(),
            role: of.role,
            created: now,
            active_from: done,
            kept: Kept {
                index: of.kept.index.map(|_| now),
                units: of.kept.units,
                ..Kept::restored(of.role, now)
            },
            replicas: Vec::new(),
            newest: of.newest.map(|newest| newest.min(data)),
            written_since: None,
            made_by_auth: false,
            authority: of.authority.clone(),
        });
    }

    /// A table to be changed, by name.
    pub fn table_mut(&mut self, name: &str) -> Option<&mut Stored> {
        self.tables.iter_mut().find(|table| table.name == name)
    }

    /// A table by name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Stored> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// An Auth Service starts on a state and an audit table. As the real one does, it creates what is missing and makes
    /// new certificate authorities where it finds none: nothing fails. From now on both tables are written.
    pub fn auth_starts(
        &mut self,
        state_table: &str,
        audit_table: &str,
        cluster: &str,
        now: Moment,
    ) {
        for (role, name) in [
            (TableRole::State, state_table),
            (TableRole::Audit, audit_table),
        ] {
            let table = self.table_or_new(name, role, now);
            table.written_since = Some(now);
            if role == TableRole::State && table.authority.is_none() {
                let seed = format!("{MADE} at {now} for {cluster}");
                table.authority = Some((cluster.to_owned(), seed));
            }
        }
    }

    /// The Auth Service on these tables has stopped: the newest items stand still.
    pub fn auth_stops(&mut self, state_table: &str, audit_table: &str, now: Moment) {
        for table in &mut self.tables {
            if table.name == state_table || table.name == audit_table {
                table.newest = table.newest(now);
                table.written_since = None;
            }
        }
    }

    /// The host certificate authority that the table holds for a cluster: an opaque seed for the proxy's key material.
    /// `None` if there is no such table or no such row, so that an Auth Service would make new ones.
    #[must_use]
    pub fn host_authority(&self, table: &str, cluster: &str) -> Option<String> {
        let (owner, seed) = self.table(table)?.authority.as_ref()?;
        (owner == cluster).then(|| seed.clone())
    }

    fn table_or_new(&mut self, name: &str, role: TableRole, now: Moment) -> &mut Stored {
        let at = self
            .tables
            .iter()
            .position(|table| table.name == name)
            .unwrap_or_else(|| {
                self.tables.push(Stored {
                    name: name.to_owned(),
                    role,
                    created: now,
                    active_from: now,
                    kept: Kept::restored(role, now),
                    replicas: Vec::new(),
                    newest: None,
                    written_since: None,
                    made_by_auth: true,
                    authority: None,
                });
                self.tables.len() - 1
            });
        &mut self.tables[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(region: &str) -> Names {
        Names {
            region: region.to_owned(),
            account: "111122223333".to_owned(),
            state_table: format!("state-{region}"),
            audit_table: format!("audit-{region}"),
            bucket: format!("recordings-{region}"),
            vault: "teleport".to_owned(),
        }
    }

    fn recovery(outage: Moment) -> Storage {
        let (primary, recovery) = (names("us-east-1"), names("us-west-2"));
        Storage::seed(Side::Recovery, &primary, &recovery, "tele.example", outage)
    }

    #[test]
    fn the_recovery_copy_stands_still_until_a_cluster_runs_on_it() {
        let outage = Moment::from_secs(1_795_000_000);
        let mut storage = recovery(outage);
        let later = outage.plus(Duration::from_mins(15));
        let newest = |storage: &Storage, now| {
            storage
                .table("state-us-west-2")
                .and_then(|table| table.newest(now))
        };
        assert_eq!(newest(&storage, later), Some(outage.minus(LAG)));
        storage.auth_starts("state-us-west-2", "audit-us-west-2", "tele.example", later);
        let end = later.plus(Duration::from_mins(10));
        assert!(newest(&storage, end).is_some_and(|at| end.since(at) < Duration::from_mins(1)));
        storage.auth_stops("state-us-west-2", "audit-us-west-2", end);
        assert_eq!(
            newest(&storage, end.plus(Duration::from_hours(1))),
            newest(&storage, end)
        );
    }

    #[test]
    fn a_wrong_table_gets_new_authorities_and_nothing_fails() {
        let outage = Moment::from_secs(1_795_000_000);
        let mut storage = recovery(outage);
        let right = storage.host_authority("state-us-west-2", "tele.example");
        assert!(right.is_some());
        assert_eq!(storage.host_authority("typo", "tele.example"), None);
        storage.auth_starts("typo", "audit-us-west-2", "tele.example", outage);
        let wrong = storage.host_authority("typo", "tele.example");
        assert!(wrong.is_some() && wrong != right);
    }
}
