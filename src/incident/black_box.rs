//! The black box: what the old side was like before anything was changed. Every later "as before" is held against it.
//!
//! It is saved in the incident's folder when the incident begins, and on every `relight black-box record`, so that a
//! primary that is dead already has left one. What the old side no longer tells is taken from the newest box before.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    Deployment, Failure, LoadBalancer, Moment, Part, RecordSet, Table, TableRole,
    agents::{Headcount, Roll},
};

/// One part of a black box: what was seen, when, and by whom it was told; or why there is nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept<T> {
    /// When it was seen; of a failure, when it was looked for.
    pub at: Moment,
    /// Who told it, such as `Route 53, zone Z1` or `the plan`.
    pub source: String,
    /// What was seen.
    pub value: Part<T>,
    /// Why a later look did not see it any more: the value is of an earlier box then.
    #[serde(default)]
    pub lapsed: Option<Failure>,
}

impl<T> Kept<T> {
    /// What a look just made has told.
    pub fn new(source: impl Into<String>, at: Moment, value: Part<T>) -> Self {
        Self {
            at,
            source: source.into(),
            value,
            lapsed: None,
        }
    }

    /// The value, if there is one.
    pub fn good(&self) -> Option<&T> {
        self.value.as_ref().ok()
    }

    /// This part, or where it holds nothing, that of another box, with the reason why this one has none.
    #[must_use]
    fn or(self, other: Option<Self>) -> Self {
        match (self.value, other) {
            (Err(why), Some(other)) if other.value.is_ok() => Self {
                lapsed: Some(why),
                ..other
            },
            (value, _) => Self { value, ..self },
        }
    }
}

/// The records of the watched names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldRecords {
    /// Hosted zone id.
    pub zone: String,
    /// Name of the zone, without the final dot.
    pub apex: String,
    /// The names that were asked for: one without a record set had none.
    pub names: Vec<String>,
    /// Their record sets of the types A, AAAA and CNAME.
    pub sets: Vec<OldRecord>,
    /// `AcceleratedRecoveryStatus` of the zone, where Route 53 told it.
    #[serde(default)]
    pub accelerated: Option<String>,
}

impl OldRecords {
    /// The longest TTL of a record: for so long caches go on with the old answer (`TTL_old`), in seconds. An alias has
    /// none of its own; load balancers publish 60.
    #[must_use]
    pub fn ttl(&self) -> Option<u32> {
        self.sets.iter().filter_map(OldRecord::ttl).max()
    }

    /// The same of one name.
    #[must_use]
    pub fn ttl_of(&self, name: &str) -> Option<u32> {
        let sets = self.sets.iter().filter(|old| old.set.name == name);
        sets.filter_map(OldRecord::ttl).max()
    }
}

/// A record set with what it takes to make exactly the same again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldRecord {
    /// Name, type, TTL and values.
    pub set: RecordSet,
    /// `EvaluateTargetHealth` of an alias.
    #[serde(default)]
    pub evaluate: bool,
    /// `SetIdentifier`, where the record set has a routing policy: that is not made again by hand.
    #[serde(default)]
    pub routed: Option<String>,
}

impl OldRecord {
    fn ttl(&self) -> Option<u32> {
        match (self.set.ttl, &self.set.alias_zone) {
            (Some(ttl), _) => u32::try_from(ttl).ok(),
            (None, Some(_)) => Some(60),
            (None, None) => None,
        }
    }
}

/// The Helm release as its newest Secret tells it, without the values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldRelease {
    /// Release name.
    pub name: String,
    /// Revision number.
    pub revision: u32,
    /// `deployed`, `failed`, …
    pub status: String,
    /// Name of the chart.
    pub chart: String,
    /// Version of the chart, such as `17.7.3`.
    pub version: String,
    /// `appVersion` of the chart: Teleport's own version.
    pub app_version: Option<String>,
    /// SHA-256 of the values, in hex. The values themselves stay in the file.
    pub digest: String,
}

/// The IAM role that a service account's pods act as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldRole {
    /// Name of the service account.
    pub account: String,
    /// ARN, from the annotation `eks.amazonaws.com/role-arn`.
    pub arn: String,
}

/// Where a box lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the folder of the incident.
    Incident,
    /// Beside the incidents, kept by `relight black-box record`.
    #[default]
    Kept,
}

/// A copy that does not lie on this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// `s3://bucket/key`
    pub to: String,
    /// When it was made.
    pub at: Moment,
}

/// A black box, without anything secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlackBox {
    /// Cluster name.
    pub cluster: String,
    /// When it was recorded.
    pub at: Moment,
    /// The host that it was recorded on.
    pub host: String,
    /// Where it lies; told by whoever reads it.
    #[serde(default)]
    pub place: Place,
    /// Its file; told by whoever reads it.
    #[serde(default)]
    pub path: String,
    /// DNS records with their TTLs.
    pub records: Kept<OldRecords>,
    /// Addresses of the old load balancer.
    pub load_balancer: Kept<LoadBalancer>,
    /// Pins of the host authorities, sorted: a set.
    pub pins: Kept<Vec<String>>,
    /// The Helm release.
    pub release: Kept<OldRelease>,
    /// Deployments with their replicas.
    pub deployments: Kept<Vec<Deployment>>,
    /// The state table with the settings that a restore drops.
    pub state_table: Kept<Table>,
    /// The audit table, the same way.
    pub audit_table: Kept<Table>,
    /// IAM roles of the release's pods.
    pub roles: Kept<Vec<OldRole>>,
    /// UID of the primary's `kube-system`.
    pub primary_uid: Kept<String>,
    /// UID of the recovery cluster's `kube-system`.
    pub recovery_uid: Kept<String>,
    /// How many agents were connected, by kind; `None` in a box of an older Relight.
    #[serde(default)]
    pub agents: Option<Kept<Headcount>>,
    /// The copy off this host: where, or why there is none; `None` where the plan wants none.
    #[serde(default)]
    pub copied: Option<Part<Copied>>,
}

impl BlackBox {
    /// The primary's table of a role.
    #[must_use]
    pub const fn table(&self, role: TableRole) -> &Kept<Table> {
        match role {
            TableRole::State => &self.state_table,
            TableRole::Audit => &self.audit_table,
        }
    }

    /// Every part by name, with its time, and why it holds nothing or nothing newer.
    #[must_use]
    pub fn parts(&self) -> Vec<(&'static str, Holding<'_>)> {
        let mut parts = vec![
            ("DNS records", holding(&self.records)),
            ("load balancer", holding(&self.load_balancer)),
            ("CA pins", holding(&self.pins)),
            ("Helm release and values", holding(&self.release)),
            ("Deployments", holding(&self.deployments)),
            ("state table", holding(&self.state_table)),
            ("audit table", holding(&self.audit_table)),
            ("IAM roles", holding(&self.roles)),
            ("primary cluster", holding(&self.primary_uid)),
            ("recovery cluster", holding(&self.recovery_uid)),
        ];
        parts.extend(self.agents.iter().map(|agents| ("agents", holding(agents))));
        parts
    }

    /// How old it is at a moment, and where it lies: `recorded 3m ago in this incident`.
    #[must_use]
    pub fn told(&self, now: Moment) -> String {
        let place = match self.place {
            Place::Incident => "in this incident",
            Place::Kept => "by relight black-box record, before this incident",
        };
        let age = super::brief(now.since(self.at));
        format!("black box recorded {age} ago {place}")
    }

    /// The records and addresses that led to the old side: what OLD means in DNS.
    #[must_use]
    pub fn ends(&self) -> Vec<&str> {
        let balancer = self.load_balancer.good().into_iter();
        let records = self.records.good().into_iter();
        balancer
            .flat_map(|balancer| &balancer.addresses)
            .chain(records.flat_map(|old| old.sets.iter().flat_map(|old| &old.set.values)))
            .map(String::as_str)
            .collect()
    }
}

/// What a part holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding<'a> {
    /// When it was seen or looked for.
    pub at: Moment,
    /// Who told it.
    pub source: &'a str,
    /// Whether there is a value.
    pub good: bool,
    /// Why there is none, or none newer.
    pub why: Option<&'a Failure>,
}

fn holding<T>(kept: &Kept<T>) -> Holding<'_> {
    Holding {
        at: kept.at,
        source: &kept.source,
        good: kept.value.is_ok(),
        why: kept.value.as_ref().err().or(kept.lapsed.as_ref()),
    }
}

/// A black box as it lies on disk: with the Helm values, which may hold secrets and are shown nowhere.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Sealed {
    /// Version of this form.
    pub format: u32,
    /// What may be seen.
    pub seen: BlackBox,
    /// The values that the release was installed with, as JSON (which is YAML).
    pub values: Kept<String>,
    /// Who the agents were: too many for what is shown.
    #[serde(default)]
    pub roll: Option<Kept<Roll>>,
}

impl Sealed {
    /// The form that this version writes.
    pub const FORMAT: u32 = 1;

    /// This box with what it lacks taken from another: what the old side no longer tells, an earlier box may hold.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let (mine, theirs) = (self.seen, other.seen);
        // The values go with their release: never those of one box and the version of another.
        let values = if mine.release.value.is_err() && theirs.release.value.is_ok() {
            self.values.or(Some(other.values))
        } else {
            self.values
        };
        // Who they were goes with how many there were.
        let roll = match &mine.agents {
            Some(agents) if agents.value.is_ok() => self.roll,
            _ => other.roll.or(self.roll),
        };
        let agents = match (mine.agents, theirs.agents) {
            (Some(mine), theirs) => Some(mine.or(theirs)),
            (None, theirs) => theirs,
        };
        Self {
            format: Self::FORMAT,
            values,
            roll,
            seen: BlackBox {
                records: mine.records.or(Some(theirs.records)),
                load_balancer: mine.load_balancer.or(Some(theirs.load_balancer)),
                pins: mine.pins.or(Some(theirs.pins)),
                release: mine.release.or(Some(theirs.release)),
                deployments: mine.deployments.or(Some(theirs.deployments)),
                state_table: mine.state_table.or(Some(theirs.state_table)),
                audit_table: mine.audit_table.or(Some(theirs.audit_table)),
                roles: mine.roles.or(Some(theirs.roles)),
                primary_uid: mine.primary_uid.or(Some(theirs.primary_uid)),
                recovery_uid: mine.recovery_uid.or(Some(theirs.recovery_uid)),
                agents,
                ..mine
            },
        }
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the values: they may hold secrets.
        f.debug_struct("Sealed")
            .field("format", &self.format)
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod sample {
    use super::*;
    use crate::incident::{Component, FailureKind};

    /// A whole box, recorded at a moment.
    pub(crate) fn sealed(at: Moment) -> Sealed {
        let set = |name: &str| OldRecord {
            set: RecordSet {
                name: name.to_owned(),
                kind: "CNAME".to_owned(),
                ttl: Some(300),
                values: vec!["old.elb.example".to_owned()],
                alias_zone: None,
            },
            evaluate: false,
            routed: None,
        };
        let names = ["teleport.example.com", "*.teleport.example.com"];
        let records = OldRecords {
            zone: "Z1".to_owned(),
            apex: "example.com".to_owned(),
            names: names.map(str::to_owned).to_vec(),
            sets: names.map(set).to_vec(),
            accelerated: None,
        };
        let table = |role: TableRole| Table {
            name: format!("east-{role}"),
            role,
            region: "us-east-1".to_owned(),
            status: "ACTIVE".to_owned(),
            restoring: false,
            created: None,
            replicas: Vec::new(),
            indexes: Vec::new(),
            pitr: Err(silence()),
            backups: Ok(Vec::new()),
            newest: Ok(None),
            newest_at: None,
            authority: Err(silence()),
            settings: Err(silence()),
        };
        let seen = BlackBox {
            cluster: "teleport.example.com".to_owned(),
            at,
            host: "bastion".to_owned(),
            place: Place::Kept,
            path: String::new(),
            records: Kept::new("Route 53, zone Z1", at, Ok(records)),
            load_balancer: Kept::new(
                "Service teleport-cluster",
                at,
                Ok(LoadBalancer {
                    source: "Service teleport-cluster".to_owned(),
                    addresses: vec!["old.elb.example".to_owned()],
                }),
            ),
            pins: Kept::new(
                "192.0.2.1",
                at,
                Ok(vec![format!("sha256:{}", "a".repeat(64))]),
            ),
            release: Kept::new(
                "Secret sh.helm.release.v1.teleport-cluster.v3",
                at,
                Ok(OldRelease {
                    name: "teleport-cluster".to_owned(),
                    revision: 3,
                    status: "deployed".to_owned(),
                    chart: "teleport-cluster".to_owned(),
                    version: "17.0.2".to_owned(),
                    app_version: Some("17.0.2".to_owned()),
                    digest: "d".repeat(64),
                }),
            ),
            deployments: Kept::new(
                "context east",
                at,
                Ok(vec![Deployment {
                    name: "teleport-cluster-auth".to_owned(),
                    component: Component::Auth,
                    desired: 2,
                    available: 2,
                    updated: 2,
                    observed: true,
                    restarted: None,
                }]),
            ),
            state_table: Kept::new("us-east-1", at, Ok(table(TableRole::State))),
            audit_table: Kept::new("us-east-1", at, Ok(table(TableRole::Audit))),
            roles: Kept::new("context east", at, Ok(Vec::new())),
            primary_uid: Kept::new("context east", at, Ok("u-east".to_owned())),
            recovery_uid: Kept::new("context west", at, Ok("u-west".to_owned())),
            agents: None,
            copied: None,
        };
        Sealed {
            format: Sealed::FORMAT,
            seen,
            values: Kept::new("Helm", at, Ok("{\"secret\":\"hunter2\"}".to_owned())),
            roll: None,
        }
    }

    /// Why a dead primary tells nothing.
    pub(crate) fn silence() -> Failure {
        Failure::new(FailureKind::Timeout, "us-east-1 gave no answer in 8 s")
    }
}

#[cfg(test)]
mod tests {
    use super::{sample::*, *};

    #[test]
    fn what_a_dead_primary_no_longer_tells_is_of_the_box_before_with_its_own_time() {
        let (before, now) = (Moment::from_secs(1_000), Moment::from_secs(9_000));
        let mut dead = sealed(now);
        dead.seen.pins = Kept::new("192.0.2.1", now, Err(silence()));
        dead.seen.release = Kept::new("context east", now, Err(silence()));
        dead.values = Kept::new("Helm", now, Err(silence()));
        let filled = dead.or(sealed(before));
        assert_eq!((filled.seen.at, filled.seen.records.at), (now, now));
        assert_eq!((filled.seen.pins.at, filled.values.at), (before, before));
        assert_eq!(filled.seen.pins.lapsed, Some(silence()));
        assert!(filled.seen.release.good().is_some());
        assert!(filled.values.good().is_some());
    }

    #[test]
    fn values_are_never_of_another_release_than_the_one_beside_them() {
        let (before, now) = (Moment::from_secs(1_000), Moment::from_secs(9_000));
        let mut half = sealed(now);
        half.values = Kept::new("Helm", now, Err(silence()));
        let filled = half.or(sealed(before));
        assert_eq!(filled.seen.release.at, now);
        assert_eq!(filled.values.good(), None);
    }

    #[test]
    fn the_values_are_in_no_debug_output_and_survive_their_own_text() {
        let sealed = sealed(Moment::from_secs(7));
        assert!(!format!("{sealed:?}").contains("hunter2"));
        let text = serde_json::to_string(&sealed).expect("JSON");
        assert!(text.contains("hunter2"));
        assert_eq!(serde_json::from_str::<Sealed>(&text).expect("read"), sealed);
        assert_eq!(
            sealed.seen.records.good().and_then(OldRecords::ttl),
            Some(300)
        );
        assert_eq!(sealed.seen.ends(), vec!["old.elb.example"; 3]);
    }
}
