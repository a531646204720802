//! What the pods' role grants in a practice, and the certificates that ACM was asked for.

use serde::Deserialize;
use serde_json::{Value, json};

use super::World;
use crate::incident::{Moment, Side};

/// Name of the role of the Auth Service's pods, in both regions: IAM knows none.
pub const ROLE: &str = "teleport-auth";
/// The Secret that holds the proxies' certificate.
pub const SECRET: &str = "teleport-tls";

/// `[rights]`: what was forgotten before the outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Forgotten {
    /// The role's policy names the tables of the primary's region alone.
    pub only_old_region: bool,
    /// The role's trust policy names the primary cluster's provider alone.
    pub only_old_cluster: bool,
    /// The recovery cluster has no Secret with the proxies' certificate.
    pub no_certificate: bool,
}

#[expect(
    clippy::derivable_impls,
    reason = "said as what it means: nothing was forgotten"
)]
impl Default for Forgotten {
    fn default() -> Self {
        Self {
            only_old_region: false,
            only_old_cluster: false,
            no_certificate: false,
        }
    }
}

/// A certificate that ACM was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requested {
    /// Its ARN.
    pub arn: String,
    /// Its names, the first being what it is called by.
    pub names: Vec<String>,
    /// When.
    pub at: Moment,
    /// The idempotency token it was asked with.
    pub token: String,
}

impl Requested {
    /// The record that proves its names: name and value.
    #[must_use]
    pub fn record(&self) -> [String; 2] {
        let domain = self.names.first().map(String::as_str).unwrap_or_default();
        [
            format!("_practice.{domain}."),
            "_practice.acm-validations.aws.".to_owned(),
        ]
    }
}

impl World {
    /// The ARN of the Auth Service's role.
    #[must_use]
    pub fn role_arn(&self) -> String {
        format!("arn:aws:iam::{}:role/{ROLE}", self.recovery.account)
    }

    /// The issuer of a cluster's tokens.
    #[must_use]
    pub fn issuer(&self, side: Side) -> String {
        let region = &self.side(side).name;
        format!("https://oidc.eks.{region}.amazonaws.com/id/PRACTICE")
    }

    /// Whose tokens the role trusts: the clusters' providers, by the sides.
    fn trusted(&self) -> &'static [Side] {
        if self.scenario.rights.only_old_cluster {
            &[Side::Primary]
        } else {
            &Side::BOTH
        }
    }

    /// The ARN of the provider of an issuer.
    #[must_use]
    pub fn provider_arn(&self, side: Side) -> String {
        let issuer = self.issuer(side);
        let host = issuer.trim_start_matches("https://");
        format!(
            "arn:aws:iam::{}:oidc-provider/{host}",
            self.recovery.account
        )
    }

    /// The role's trust policy.
    #[must_use]
    pub fn trust_policy(&self) -> Value {
        let statements: Vec<Value> = self
            .trusted()
            .iter()
            .map(|side| {
                let issuer = self.issuer(*side);
                let host = issuer.trim_start_matches("https://");
                json!({"Effect": "Allow", "Principal": {"Federated": self.provider_arn(*side)},
                    "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {
                        "StringEquals": {format!("{host}:aud"): "sts.amazonaws.com"},
                        "StringLike": {format!("{host}:sub"): self.subjects().map(|[namespace, name]| {
                            format!("system:serviceaccount:{namespace}:{name}")})}}})
            })
            .collect();
        json!({"Version": "2012-10-17", "Statement": statements})
    }

    /// Namespace and name of the service accounts that the role trusts: the release's, and those of isolated drills.
    fn subjects(&self) -> [[String; 2]; 2] {
        let release = &self.scenario.release;
        let real = [release.namespace.clone(), release.name.clone()];
        let drills = real.clone().map(|name| format!("{name}-drill-*"));
        [real, drills]
    }

    /// A token of a service account: nothing else in a practice reads it.
    #[must_use]
    pub fn token(side: Side, namespace: &str, name: &str) -> String {
        format!("practice.{side}.{namespace}.{name}")
    }

    /// Whether the role is given for a token.
    #[must_use]
    pub fn trusts(&self, token: &str) -> bool {
        let [[namespace, name], _] = self.subjects();
        self.trusted().iter().any(|side| {
            let real = Self::token(*side, &namespace, &name);
            let drills = format!("practice.{side}.{namespace}-drill-");
            token == real
                || (token.starts_with(&drills) && token.contains(&format!(".{name}-drill-")))
        })
    }

    /// Whether the role's policy allows an action on a resource. Nothing that makes tables or buckets is allowed.
    #[must_use]
    pub fn grants(&self, action: &str, arn: &str) -> bool {
        if matches!(action, "dynamodb:CreateTable" | "s3:CreateBucket") {
            return false;
        }
        let sides: &[Side] = if self.scenario.rights.only_old_region {
            &[Side::Primary]
        } else {
            &Side::BOTH
        };
        let Some((service, _)) = action.split_once(':') else {
            return false;
        };
        match service {
            "dynamodb" => sides.iter().any(|side| {
                let region = self.side(*side);
                arn.starts_with(&format!(
                    "arn:aws:dynamodb:{}:{}:table/",
                    region.name, region.account
                ))
            }),
            "s3" => Side::BOTH.iter().any(|side| {
                let bucket = format!("arn:aws:s3:::{}", self.side(*side).storage.bucket.name);
                arn == bucket || arn.starts_with(&format!("{bucket}/"))
            }),
            "kms" => Side::BOTH.iter().any(|side| {
                let region = self.side(*side);
                let keys = format!("arn:aws:kms:{}:{}:key/", region.name, region.account);
                arn.starts_with(&keys)
            }),
            _ => false,
        }
    }
}
