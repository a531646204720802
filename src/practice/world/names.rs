//! Names and versions of a practice: what the plan that it writes declares, and what the faces answer to.

use serde::Deserialize;

use super::Names;

/// `[release]`: the Teleport cluster, the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Release {
    /// Cluster name.
    pub cluster: String,
    /// Helm release.
    pub name: String,
    /// Kubernetes namespace.
    pub namespace: String,
    /// Version of chart and Teleport.
    pub version: String,
    /// Auth and Proxy pods each (`highAvailability.replicaCount`).
    pub replicas: u8,
    /// `image` of the values, without a tag; the chart's own unless said.
    pub image: Option<String>,
    /// Hosted zone name, without the final dot.
    pub zone: String,
    /// Hosted zone id.
    pub zone_id: String,
    /// A name under the wildcard that is in use, so that caches hold it.
    pub hot_name: String,
}

impl Default for Release {
    fn default() -> Self {
        Self {
            cluster: "teleport.example.com".to_owned(),
            name: "teleport-cluster".to_owned(),
            namespace: "teleport".to_owned(),
            version: "17.7.3".to_owned(),
            replicas: 2,
            image: None,
            zone: "example.com".to_owned(),
            zone_id: "Z0PRACTICE0EXAMPLE".to_owned(),
            hot_name: "grafana.teleport.example.com".to_owned(),
        }
    }
}

/// `[primary]` or `[recovery]`: all of it, where a scenario gives one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// AWS Region.
    pub region: String,
    /// AWS account, twelve digits.
    pub account: String,
    /// Profile in the credentials file.
    pub profile: String,
    /// Kube context.
    pub context: String,
    /// UID of the `kube-system` namespace.
    pub uid: String,
    /// State table.
    pub state_table: String,
    /// Audit table.
    pub audit_table: String,
    /// Session recordings bucket.
    pub bucket: String,
    /// AWS Backup vault.
    pub vault: String,
    /// Host name of the load balancer that the chart's Service gets; the DNS face resolves it.
    pub load_balancer: String,
}

impl Site {
    /// What its storage calls things.
    #[must_use]
    pub fn names(&self) -> Names {
        Names {
            region: self.region.clone(),
            account: self.account.clone(),
            state_table: self.state_table.clone(),
            audit_table: self.audit_table.clone(),
            bucket: self.bucket.clone(),
            vault: self.vault.clone(),
        }
    }

    pub(super) fn primary() -> Self {
        Self {
            region: "us-east-1".to_owned(),
            account: "111122223333".to_owned(),
            profile: "practice-primary".to_owned(),
            context: "practice-us-east-1".to_owned(),
            uid: "0b1ec0de-0001-4000-8000-00000ea57001".to_owned(),
            state_table: "teleport-state".to_owned(),
            audit_table: "teleport-audit".to_owned(),
            bucket: "teleport-recordings-us-east-1".to_owned(),
            vault: "teleport".to_owned(),
            load_balancer: "a0ld0ld0ld0ld0ld-1111111111.elb.us-east-1.amazonaws.com".to_owned(),
        }
    }

    pub(super) fn recovery() -> Self {
        Self {
            region: "us-west-2".to_owned(),
            account: "111122223333".to_owned(),
            profile: "practice-recovery".to_owned(),
            context: "practice-us-west-2".to_owned(),
            uid: "0b1ec0de-0002-4000-8000-00000ea57002".to_owned(),
            state_table: "teleport-state-dr".to_owned(),
            audit_table: "teleport-audit-dr".to_owned(),
            bucket: "teleport-recordings-us-west-2".to_owned(),
            vault: "teleport-copies".to_owned(),
            load_balancer: "anewnewnewnewnew-2222222222.elb.us-west-2.amazonaws.com".to_owned(),
        }
    }
}
