//! What a practice is about, read from `assets/scenarios/NAME.toml`: faults, durations, versions and names.
//!
//! A file says what differs from the calm default ([`Scenario::default`]); an unknown key is an error with line and
//! column. Durations are short, so that the whole walk takes a minute or two, but time on the wire is real.

use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

use super::{
    CacheFault, CacheSpec, Fault, Forgotten, Seed, Timing,
    agents::Comeback,
    cluster::Ills,
    controls::Arc,
    gitops::{GitOps, ownership},
    names::{Release, Site},
    settings::Tables,
};
use crate::incident::{RecordSet, Side};

/// The embedded scenarios by name, the default first.
const EMBEDDED: [(&str, &str); 15] = [
    (
        "half-alive",
        include_str!("../../../assets/scenarios/half-alive.toml"),
    ),
    (
        "clean-loss",
        include_str!("../../../assets/scenarios/clean-loss.toml"),
    ),
    (
        "api-dead",
        include_str!("../../../assets/scenarios/api-dead.toml"),
    ),
    (
        "missing-iam",
        include_str!("../../../assets/scenarios/missing-iam.toml"),
    ),
    (
        "missing-certificate",
        include_str!("../../../assets/scenarios/missing-certificate.toml"),
    ),
    (
        "gitops",
        include_str!("../../../assets/scenarios/gitops.toml"),
    ),
    (
        "external-dns",
        include_str!("../../../assets/scenarios/external-dns.toml"),
    ),
    (
        "route53-down",
        include_str!("../../../assets/scenarios/route53-down.toml"),
    ),
    (
        "apex-only",
        include_str!("../../../assets/scenarios/apex-only.toml"),
    ),
    (
        "zombie-primary",
        include_str!("../../../assets/scenarios/zombie-primary.toml"),
    ),
    (
        "wrong-table",
        include_str!("../../../assets/scenarios/wrong-table.toml"),
    ),
    (
        "crash-loop",
        include_str!("../../../assets/scenarios/crash-loop.toml"),
    ),
    (
        "dead-registry",
        include_str!("../../../assets/scenarios/dead-registry.toml"),
    ),
    (
        "agents-stay-away",
        include_str!("../../../assets/scenarios/agents-stay-away.toml"),
    ),
    ("calm", include_str!("../../../assets/scenarios/calm.toml")),
];

/// Why there is no scenario.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScenarioError {
    /// No such name.
    #[error("there is no scenario {0:?}: choose one of {names}", names = Scenario::names().collect::<Vec<_>>().join(", "))]
    Unknown(String),
    /// The text is not a scenario.
    #[error("scenario {name}: {message}")]
    Wrong {
        /// The scenario.
        name: String,
        /// What the parser says, with line, column and the offending text.
        message: String,
    },
}

/// Faults, durations, versions and names of a practice.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name: the file's, without `.toml`.
    #[serde(skip)]
    pub name: String,
    /// What has happened, for the first screen.
    pub about: String,
    /// `[cluster]`: how long things take in both Kubernetes clusters.
    #[serde(default)]
    pub cluster: Timing,
    /// `[pods]`: what ails those of the recovery cluster.
    #[serde(default)]
    pub pods: Ills,
    /// What keeps the release in the primary as Git says; nothing unless said.
    #[serde(default)]
    pub gitops: Option<GitOps>,
    /// `[arc]`: the names are failover records by routing control; nothing of it unless said.
    #[serde(default)]
    pub arc: Option<Arc>,
    /// `[dns]`
    #[serde(default)]
    pub dns: ZoneTiming,
    /// `[tables]`
    #[serde(default)]
    pub tables: Tables,
    /// `[agents]`
    #[serde(default)]
    pub agents: Comeback,
    /// `[release]`
    #[serde(default)]
    pub release: Release,
    /// `[primary]`
    #[serde(default = "Site::primary")]
    pub primary: Site,
    /// `[recovery]`
    #[serde(default = "Site::recovery")]
    pub recovery: Site,
    /// `[rights]`
    #[serde(default)]
    pub rights: Forgotten,
    /// `[[resolver]]`: caching resolvers, each with an address of its own; five of different kinds unless said.
    #[serde(default = "usual", rename = "resolver")]
    pub resolvers: Vec<CacheSpec>,
    /// `[[fault]]`, the first that applies wins.
    #[serde(default, rename = "fault")]
    pub faults: Vec<TimedFault>,
}

/// How long DNS takes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ZoneTiming {
    /// From a Route 53 change until INSYNC, in seconds (up to 60 s at AWS).
    #[serde(deserialize_with = "secs")]
    pub insync: Duration,
    /// TTL of the records, before the change and after it, in whole seconds; real on the wire (the guide asks for a
    /// minute).
    pub record_ttl: u32,
    /// The name leads to the recovery region already, and its wildcard does not.
    pub apex_moved: bool,
}

impl Default for ZoneTiming {
    fn default() -> Self {
        Self {
            insync: Duration::from_secs(3),
            record_ttl: 20,
            apex_moved: false,
        }
    }
}

fn usual() -> Vec<CacheSpec> {
    let delayed = |label: &str, delay| CacheSpec {
        delay,
        ..CacheSpec::honest(label)
    };
    vec![
        delayed("VPC resolver", 1),
        delayed("Office resolver", 8),
        CacheSpec {
            caches: 3,
            ..delayed("Anycast, 3 caches", 12)
        },
        CacheSpec {
            min_ttl: 30,
            ..delayed("Branch, keeps 30s", 24)
        },
        CacheSpec {
            fault: CacheFault::Refused,
            ..delayed("Refuses strangers", 15)
        },
    ]
}

/// A fault and when it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimedFault {
    /// On which side.
    pub side: Side,
    /// In which service.
    pub service: FaultyService,
    /// What it does instead of answering.
    pub kind: Fault,
    /// From so many seconds after the beginning; 0 unless said.
    #[serde(default, deserialize_with = "secs")]
    pub from: Duration,
    /// Until so many seconds after the beginning; for ever unless said.
    #[serde(default, deserialize_with = "maybe_secs")]
    pub to: Option<Duration>,
    /// It comes and goes: once in so many seconds …
    #[serde(default, deserialize_with = "maybe_secs")]
    pub every: Option<Duration>,
    /// … and each time for so many seconds; for ever unless said.
    #[serde(default, rename = "for", deserialize_with = "maybe_secs")]
    pub lasting: Option<Duration>,
}

impl TimedFault {
    /// Whether it applies so long after the beginning.
    #[must_use]
    pub fn applies(&self, elapsed: Duration) -> bool {
        let Some(into) = elapsed.checked_sub(self.from) else {
            return false;
        };
        if self.to.is_some_and(|to| elapsed >= to) {
            return false;
        }
        match (self.every, self.lasting) {
            (Some(every), Some(lasting)) if !every.is_zero() => {
                into.as_nanos() % every.as_nanos() < lasting.as_nanos()
            }
            (None, Some(lasting)) => into < lasting,
            _ => true,
        }
    }
}

/// A service that can fail on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultyService {
    /// AWS Certificate Manager.
    Acm,
    /// AWS Backup.
    Backup,
    /// The authorities of the zone; a side tells nothing apart here, faults of both apply.
    Dns,
    /// Amazon `DynamoDB`.
    DynamoDb,
    /// Amazon EKS.
    Eks,
    /// Elastic Load Balancing v2.
    ElasticLoadBalancing,
    /// AWS IAM.
    Iam,
    /// The Kubernetes API.
    Kubernetes,
    /// The load balancer and the Teleport proxies behind it.
    Proxy,
    /// Amazon Route 53.
    Route53,
    /// Amazon S3.
    S3,
    /// AWS STS.
    Sts,
}

impl FaultyService {
    /// The word used in scenarios.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Acm => "acm",
            Self::Backup => "backup",
            Self::Dns => "dns",
            Self::DynamoDb => "dynamodb",
            Self::Eks => "eks",
            Self::ElasticLoadBalancing => "elasticloadbalancing",
            Self::Iam => "iam",
            Self::Kubernetes => "kubernetes",
            Self::Proxy => "proxy",
            Self::Route53 => "route53",
            Self::S3 => "s3",
            Self::Sts => "sts",
        }
    }
}

impl Default for Scenario {
    /// Calm: nothing is wrong.
    fn default() -> Self {
        Self {
            tables: Tables::default(),
            name: "calm".to_owned(),
            about: "Nothing is wrong.".to_owned(),
            cluster: Timing::default(),
            pods: Ills::default(),
            gitops: None,
            arc: None,
            dns: ZoneTiming::default(),
            agents: Comeback::default(),
            release: Release::default(),
            primary: Site::primary(),
            recovery: Site::recovery(),
            rights: Forgotten::default(),
            resolvers: usual(),
            faults: Vec::new(),
        }
    }
}

impl Scenario {
    /// The names of the embedded scenarios, the default first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(name, _)| *name)
    }

    /// The name of the default scenario: the primary has just failed.
    pub const DEFAULT: &str = EMBEDDED[0].0;

    /// The embedded scenario of that name.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn named(name: &str) -> Result<Self, ScenarioError> {
        let text = EMBEDDED
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| *text)
            .ok_or_else(|| ScenarioError::Unknown(name.to_owned()))?;
        Self::parse(name, text)
    }

    /// Reads a scenario from its text.
    ///
    /// # Errors
    /// If the text is not a scenario: with line, column and the offending text.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text).map_err(|error| ScenarioError::Wrong {
            name: name.to_owned(),
            message: error.to_string(),
        })?;
        Ok(Self {
            name: name.to_owned(),
            ..scenario
        })
    }

    /// The names of a side.
    #[must_use]
    pub const fn site(&self, side: Side) -> &Site {
        match side {
            Side::Primary => &self.primary,
            Side::Recovery => &self.recovery,
        }
    }

    /// The release that runs in the primary when it begins.
    #[must_use]
    pub fn running(&self) -> Seed {
        let (release, site) = (&self.release, &self.primary);
        Seed {
            release: release.name.clone(),
            namespace: release.namespace.clone(),
            version: release.version.clone(),
            cluster_name: release.cluster.clone(),
            region: site.region.clone(),
            state_table: site.state_table.clone(),
            audit_table: site.audit_table.clone(),
            bucket: site.bucket.clone(),
            age: Duration::from_hours(12 * 24),
        }
    }

    /// The records at the beginning: name and wildcard point to the primary's load balancer (guide, step 4/4).
    #[must_use]
    pub fn records(&self) -> Vec<RecordSet> {
        let cluster = &self.release.cluster;
        let names = [cluster.clone(), format!("*.{cluster}")];
        let record = |name: &String| RecordSet {
            name: name.clone(),
            kind: "CNAME".to_owned(),
            ttl: Some(self.dns.record_ttl.into()),
            values: vec![self.primary.load_balancer.clone()],
            alias_zone: None,
        };
        let mut records: Vec<_> = names.iter().map(record).collect();
        if self.dns.apex_moved {
            records[0].values = vec![self.recovery.load_balancer.clone()];
        }
        if self.gitops == Some(GitOps::ExternalDns) {
            records.extend(ownership(&names, &self.release.name));
        }
        records
    }

    /// The secondaries of the same records, where routing controls move them.
    #[must_use]
    pub fn standby(&self) -> Vec<RecordSet> {
        if self.arc.is_none() {
            return Vec::new();
        }
        let new = vec![self.recovery.load_balancer.clone()];
        let standby = self.records().into_iter().map(|set| RecordSet {
            values: new.clone(),
            ..set
        });
        standby.collect()
    }

    /// What is wrong with a service (`dynamodb`, `s3`, `route53`, `backup`, `sts`, `kubernetes`, `proxy`, `dns`) of a
    /// side, so long after the beginning.
    #[must_use]
    pub fn fault(&self, side: Side, service: &str, elapsed: Duration) -> Fault {
        self.faults
            .iter()
            .find(|fault| {
                fault.side == side && fault.service.word() == service && fault.applies(elapsed)
            })
            .map_or(Fault::None, |fault| fault.kind)
    }
}

pub(super) fn secs<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let secs = f64::deserialize(deserializer)?;
    Duration::try_from_secs_f64(secs).map_err(|_| {
        serde::de::Error::custom(format!(
            "{secs} is no number of seconds: give zero or more, such as 0.5"
        ))
    })
}

fn maybe_secs<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    secs(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_scenario_reads() {
        for name in Scenario::names() {
            let scenario = Scenario::named(name).expect(name);
            assert_eq!(scenario.name, name);
            assert!(!scenario.about.trim().is_empty(), "{name} says nothing");
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = Scenario::named("flood").expect_err("no such scenario");
        assert_eq!(
            error.to_string(),
            "there is no scenario \"flood\": choose one of half-alive, clean-loss, api-dead, missing-iam, missing-certificate, gitops, external-dns, route53-down, apex-only, zombie-primary, wrong-table, crash-loop, dead-registry, agents-stay-away, calm"
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_line_and_column() {
        let cases = [
            ("about = \"x\"\ncolour = 1\n", "line 2, column 1"),
            (
                "about = \"x\"\n[[fault]]\nside = \"primary\"\nservice = \"lambda\"\nkind = \"hang\"\n",
                "line 4, column 11",
            ),
            ("about = \"x\"\n[dns]\ninsync = -1\n", "line 3, column 10"),
            (
                "about = \"x\"\n[[resolver]]\nlabel = \"r\"\ncolor = 1\n",
                "line 4, column 1",
            ),
        ];
        for (text, place) in cases {
            let error = Scenario::parse("try", text).expect_err(text).to_string();
            assert!(
                error.contains(place) && error.starts_with("scenario try: "),
                "{error}"
            );
        }
    }

    #[test]
    fn faults_come_in_their_time_and_the_first_one_wins() {
        let text = "about = \"x\"\n\
            [[fault]]\nside = \"primary\"\nservice = \"proxy\"\nkind = \"reset\"\nevery = 10\nfor = 2\n\
            [[fault]]\nside = \"primary\"\nservice = \"proxy\"\nkind = \"hang\"\nfrom = 5\nto = 25\n";
        let scenario = Scenario::parse("try", text).expect("a scenario");
        let cases = [
            (0, Fault::Reset),
            (2, Fault::None),
            (5, Fault::Hang),
            (10, Fault::Reset),
            (12, Fault::Hang),
            (25, Fault::None),
            (31, Fault::Reset),
        ];
        for (at, fault) in cases {
            let elapsed = Duration::from_secs(at);
            assert_eq!(
                scenario.fault(Side::Primary, "proxy", elapsed),
                fault,
                "at {at}s"
            );
            assert_eq!(
                scenario.fault(Side::Recovery, "proxy", elapsed),
                Fault::None
            );
            assert_eq!(scenario.fault(Side::Primary, "s3", elapsed), Fault::None);
        }
    }

    #[test]
    fn half_alive_leaves_the_way_to_stop_the_old_cluster_open() {
        let scenario = Scenario::named(Scenario::DEFAULT).expect("the default");
        for at in 0..60 {
            let elapsed = Duration::from_secs(at);
            assert_eq!(
                scenario.fault(Side::Primary, "kubernetes", elapsed),
                Fault::None
            );
            assert_ne!(
                scenario.fault(Side::Primary, "dynamodb", elapsed),
                Fault::None
            );
            assert_ne!(scenario.fault(Side::Primary, "proxy", elapsed), Fault::None);
        }
    }
}
