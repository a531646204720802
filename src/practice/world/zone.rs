//! The hosted zone: records, changes, and when a change reaches the authorities.

use std::time::Duration;

use crate::incident::{Moment, RecordSet};

/// How many changes are remembered; older ones have long been INSYNC.
const REMEMBERED: usize = 256;

/// The hosted zone of the cluster name.
#[derive(Clone, Debug, Default)]
pub struct Zone {
    /// Hosted zone id.
    pub id: String,
    /// Name of the zone, without the final dot.
    pub name: String,
    /// The delegated name servers.
    pub nameservers: Vec<String>,
    /// How long a change stays PENDING.
    pub insync: Duration,
    /// Whether the health checks of failover records say that their secondaries are to be served.
    pub failed_over: bool,
    /// The records as the control plane holds them now.
    records: Vec<RecordSet>,
    /// Secondaries of failover records, whose primaries are among the others.
    standby: Vec<RecordSet>,
    /// Changes that may still be on their way, oldest first, each with the records before it.
    changes: Vec<Change>,
    /// Changes made so far: ids are never reused.
    made: u32,
}

/// A batch that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `C` and digits, without `/change/`.
    pub id: String,
    /// When it was accepted.
    pub submitted: Moment,
    /// When it is INSYNC: from then on the authorities serve it.
    pub effective: Moment,
    /// The comment of the batch.
    pub comment: String,
    before: Vec<RecordSet>,
}

/// What to do with a record set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Fails if it exists.
    Create,
    /// Fails unless it exists with exactly these values and this TTL.
    Delete,
    /// Creates or replaces.
    Upsert,
}

impl Zone {
    /// A zone with its records; a change takes `insync` to reach the authorities.
    #[must_use]
    pub fn new(
        id: &str,
        name: &str,
        nameservers: Vec<String>,
        records: Vec<RecordSet>,
        insync: Duration,
    ) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            nameservers,
            insync,
            failed_over: false,
            records,
            standby: Vec::new(),
            changes: Vec::new(),
            made: 0,
        }
    }

    /// With secondaries beside records of the same name and type.
    #[must_use]
    pub fn with_standby(mut self, standby: Vec<RecordSet>) -> Self {
        self.standby = standby;
        self
    }

    /// The secondaries of failover records.
    #[must_use]
    pub fn standby(&self) -> &[RecordSet] {
        &self.standby
    }

    /// The records as the control plane holds them: a change counts at once.
    #[must_use]
    pub fn records(&self) -> &[RecordSet] {
        &self.records
    }

    /// The record sets that the authorities serve at a moment: a change counts from its INSYNC on.
    #[must_use]
    pub fn published(&self, now: Moment) -> Vec<RecordSet> {
        let change = self.changes.iter().find(|change| change.effective > now);
        let mut served =
            change.map_or_else(|| self.records.clone(), |change| change.before.clone());
        if self.failed_over {
            for set in &mut served {
                let mut standby = self.standby.iter();
                if let Some(other) =
                    standby.find(|other| other.name == set.name && other.kind == set.kind)
                {
                    set.clone_from(other);
                }
            }
        }
        served
    }

    /// Applies a batch, all of it or nothing.
    ///
    /// # Errors
    /// With Route 53's own messages, one for each change that cannot be made.
    pub fn change(
        &mut self,
        batch: &[(Verb, RecordSet)],
        comment: &str,
        now: Moment,
    ) -> Result<Change, Vec<String>> {
        let mut records = self.records.clone();
        let wrong: Vec<String> = batch
            .iter()
            .filter_map(|(verb, set)| self.apply(&mut records, *verb, set).err())
            .collect();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        self.made += 1;
        // Changes reach the authorities in the order in which they were made.
        let last = self.changes.last().map(|change| change.effective);
        let change = Change {
            id: format!("C{:013}", self.made),
            submitted: now,
            effective: now.plus(self.insync).max(last.unwrap_or(now)),
            comment: comment.to_owned(),
            before: std::mem::replace(&mut self.records, records),
        };
        if self.changes.len() == REMEMBERED {
            self.changes.remove(0);
        }
        self.changes.push(change.clone());
        Ok(change)
    }

    /// A change by its id.
    #[must_use]
    pub fn find_change(&self, id: &str) -> Option<&Change> {
        self.changes.iter().find(|change| change.id == id)
    }

    fn apply(
        &self,
        records: &mut Vec<RecordSet>,
        verb: Verb,
        set: &RecordSet,
    ) -> Result<(), String> {
        let RecordSet { name, kind, .. } = set;
        let told = format!("[name='{name}.', type='{kind}']").replace('*', "\\052");
        if name != &self.name && !name.ends_with(&format!(".{}", self.name)) {
            return Err(format!(
                "RRSet with DNS name {name}. is not permitted in zone {}.",
                self.name
            ));
        }
        let at = records
            .iter()
            .position(|have| &have.name == name && &have.kind == kind);
        match (verb, at) {
            (Verb::Create, Some(_)) => Err(format!(
                "Tried to create resource record set {told} but it already exists"
            )),
            (Verb::Delete, None) => Err(format!(
                "Tried to delete resource record set {told} but it was not found"
            )),
            (Verb::Delete, Some(at)) => {
                if &records[at] != set {
                    return Err(format!(
                        "Tried to delete resource record set {told} but the values provided do not match the current values"
                    ));
                }
                records.remove(at);
                Ok(())
            }
            (Verb::Create | Verb::Upsert, at) => {
                let others = records
                    .iter()
                    .any(|have| &have.name == name && &have.kind != kind);
                let cname = records
                    .iter()
                    .any(|have| &have.name == name && have.kind == "CNAME");
                if kind == "CNAME" && name == &self.name {
                    return Err(format!(
                        "RRSet of type CNAME with DNS name {name}. is not permitted at apex in zone {name}."
                    ));
                }
                if (kind == "CNAME" && others) || (kind != "CNAME" && cname) {
                    return Err(format!(
                        "RRSet of type {kind} with DNS name {name}. is not permitted because a conflicting RRSet of type {} with the same DNS name already exists in zone {}.",
                        if cname { "CNAME" } else { "A" },
                        self.name
                    ));
                }
                match at {
                    Some(at) => records[at] = set.clone(),
                    None => records.push(set.clone()),
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, kind: &str, value: &str) -> RecordSet {
        RecordSet {
            name: name.to_owned(),
            kind: kind.to_owned(),
            ttl: Some(60),
            values: vec![value.to_owned()],
            alias_zone: None,
        }
    }

    fn zone() -> Zone {
        let records = vec![
            set("tele.example.com", "CNAME", "old.elb.example"),
            set("*.tele.example.com", "CNAME", "old.elb.example"),
        ];
        let servers = vec!["ns-1.example.net".to_owned()];
        Zone::new(
            "Z1",
            "example.com",
            servers,
            records,
            Duration::from_secs(30),
        )
    }

    #[test]
    fn a_change_is_published_when_it_is_in_sync() {
        let (mut zone, now) = (zone(), Moment::from_secs(1000));
        let new = set("tele.example.com", "CNAME", "new.elb.example");
        let change = zone
            .change(&[(Verb::Upsert, new.clone())], "run 1", now)
            .expect("accepted");
        assert!(zone.records().contains(&new));
        let just_before = Moment::from_millis(change.effective.millis() - 1);
        assert!(!zone.published(just_before).contains(&new));
        assert!(zone.published(change.effective).contains(&new));
        assert_eq!(change.effective, now.plus(Duration::from_secs(30)));
    }

    #[test]
    fn a_batch_is_made_whole_or_not_at_all() {
        let (mut zone, now) = (zone(), Moment::from_secs(1000));
        let before = zone.records().to_vec();
        let batch = [
            (
                Verb::Upsert,
                set("*.tele.example.com", "CNAME", "new.elb.example"),
            ),
            (Verb::Upsert, set("tele.example.com", "A", "192.0.2.7")),
        ];
        let wrong = zone.change(&batch, "", now).expect_err("CNAME and A");
        assert!(
            wrong[0].contains("conflicting RRSet of type CNAME"),
            "{wrong:?}"
        );
        assert_eq!(zone.records(), before);
        let batch = [
            (
                Verb::Delete,
                set("tele.example.com", "CNAME", "old.elb.example"),
            ),
            (Verb::Create, set("tele.example.com", "A", "192.0.2.7")),
        ];
        zone.change(&batch, "", now).expect("a change of type");
        assert_eq!(zone.published(now), before);
    }

    #[test]
    fn the_apex_takes_no_cname() {
        let (mut zone, now) = (zone(), Moment::from_secs(1000));
        let batch = [(Verb::Upsert, set("example.com", "CNAME", "x.example"))];
        let wrong = zone.change(&batch, "", now).expect_err("apex");
        assert!(wrong[0].contains("not permitted at apex"), "{wrong:?}");
    }
}
