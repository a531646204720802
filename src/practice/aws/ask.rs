//! A request, taken apart.

use axum::{
    body::{Body, to_bytes},
    extract::{Query, Request},
    http::{HeaderMap, Method, Uri},
};
use serde_json::Value;

use super::answer::Answer;

/// A request, as far as operations look at it.
#[derive(Debug)]
pub(super) struct Ask {
    pub method: Method,
    /// Decoded segments of the path, without empty ones.
    pub path: Vec<String>,
    /// Query parameters; for STS, IAM and load balancing those of the body.
    pub query: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// From the credential scope; empty for an unsigned request.
    pub service: String,
    /// From the credential scope.
    pub region: String,
    /// From the access key; `None` if it is not one of ours.
    pub account: Option<String>,
    /// `If-None-Match: *`: only where there is nothing yet.
    pub unless: bool,
    /// The session token.
    pub token: Option<String>,
    target: String,
}

impl Ask {
    pub async fn read(request: Request<Body>, limit: usize) -> Result<Self, Answer> {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, limit)
            .await
            .map_err(|_| Answer::empty(413))?;
        let body = String::from_utf8_lossy(&body).into_owned();
        let (key, region, mut service) = scope(&head.headers).unwrap_or_default();
        // The one call that is not signed.
        if service.is_empty() && body.starts_with("Action=AssumeRoleWithWebIdentity&") {
            "sts".clone_into(&mut service);
        }
        let text = |name: &str| {
            let value = head.headers.get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let query = if matches!(service.as_str(), "sts" | "iam" | "elasticloadbalancing") {
            pairs(&format!("/?{body}"))
        } else {
            pairs(&head.uri.to_string())
        };
        Ok(Self {
            path: head
                .uri
                .path()
                .split('/')
                .filter(|part| !part.is_empty())
                .map(decode)
                .collect(),
            query,
            body,
            account: account(&key),
            service,
            region,
            unless: text("if-none-match").as_deref() == Some("*"),
            token: text("x-amz-security-token"),
            target: text("x-amz-target").unwrap_or_default(),
            method: head.method,
        })
    }

    /// Whether the service speaks JSON.
    pub fn json(&self) -> bool {
        matches!(
            self.service.as_str(),
            "dynamodb" | "backup" | "acm" | "eks" | "kms" | "route53-recovery-cluster"
        )
    }

    /// A query parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        let (_, value) = self.query.iter().find(|(key, _)| key == name)?;
        Some(value)
    }

    /// The body as JSON; null if it is none.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Whether the operation changes something.
    pub fn changes(&self) -> bool {
        const LOOKS: [&str; 8] = [
            "Assume", "Describe", "Get", "Head", "List", "Query", "Scan", "Simulate",
        ];
        let name = self.operation().unwrap_or_default();
        !LOOKS.iter().any(|look| name.starts_with(look))
    }

    /// What it is about, as far as the request names it.
    pub fn subject(&self) -> String {
        const NAMES: [&str; 5] = [
            "TargetTableName",
            "TableName",
            "ResourceArn",
            "DomainName",
            "RecoveryPointArn",
        ];
        let said = self.value();
        if let Some(target) = said["Metadata"]["targetTableName"].as_str() {
            return target.to_owned();
        }
        // Of an object the bucket: keys have times in them.
        if self.service == "s3" {
            return self.path.first().cloned().unwrap_or_default();
        }
        let named = NAMES.iter().find_map(|name| said[name].as_str());
        let param = ["LoadBalancerArn", "ListenerArn"]
            .iter()
            .find_map(|name| self.param(name));
        named
            .or(param)
            .map_or_else(|| self.path.join("/"), str::to_owned)
    }

    /// The operation, by each service's own convention.
    pub fn operation(&self) -> Option<&str> {
        let path: Vec<_> = self.path.iter().map(String::as_str).collect();
        let post = self.method == Method::POST;
        match (self.service.as_str(), path.as_slice()) {
            ("dynamodb", _) => self.target.strip_prefix("DynamoDB_20120810."),
            ("route53-recovery-cluster", _) => self.target.strip_prefix("ToggleCustomerAPI."),
            ("kms", _) => self.target.strip_prefix("TrentService."),
            ("sts" | "iam" | "elasticloadbalancing", _) => self.param("Action"),
            ("acm", _) => self.target.strip_prefix("CertificateManager."),
            ("eks", ["clusters", _]) => Some("DescribeCluster"),
            ("eks", ["clusters", _, "pod-identity-associations"]) => {
                Some("ListPodIdentityAssociations")
            }
            ("eks", ["clusters", _, "pod-identity-associations", _]) => {
                Some("DescribePodIdentityAssociation")
            }
            ("backup", ["backup-vaults", _, "recovery-points"]) => {
                Some("ListRecoveryPointsByBackupVault")
            }
            ("backup", ["restore-jobs"]) if self.method == Method::PUT => Some("StartRestoreJob"),
            ("backup", ["restore-jobs"]) => Some("ListRestoreJobs"),
            ("backup", ["restore-jobs", _]) => Some("DescribeRestoreJob"),
            ("backup", ["restore-jobs", _, "metadata"]) => Some("GetRestoreJobMetadata"),
            ("backup", ["backup", "plans"]) => Some("ListBackupPlans"),
            ("backup", ["backup", "plans", _]) => Some("GetBackupPlan"),
            ("route53", ["2013-04-01", "hostedzone", _]) => Some("GetHostedZone"),
            ("route53", ["2013-04-01", "hostedzone", _, "rrset"]) if post => {
                Some("ChangeResourceRecordSets")
            }
            ("route53", ["2013-04-01", "hostedzone", _, "rrset"]) => Some("ListResourceRecordSets"),
            ("route53", ["2013-04-01", "change", _]) => Some("GetChange"),
            ("s3", [_]) if self.method == Method::HEAD => Some("HeadBucket"),
            ("s3", [_]) if self.param("policy").is_some() => Some("GetBucketPolicy"),
            ("s3", [_]) if self.param("versions").is_some() => Some("ListObjectVersions"),
            ("s3", [_]) if self.param("versioning").is_some() => Some("GetBucketVersioning"),
            ("s3", [_]) if self.param("replication").is_some() => Some("GetBucketReplication"),
            ("s3", [_]) if self.param("list-type") == Some("2") => Some("ListObjectsV2"),
            ("s3", [_, _, ..]) if self.method == Method::PUT => Some("PutObject"),
            ("s3", [_, _, ..]) if self.method == Method::HEAD => Some("HeadObject"),
            ("s3", [_, _, ..]) if self.method == Method::GET => Some("GetObject"),
            _ => None,
        }
    }
}

/// Access key, region and service of the signature.
fn scope(headers: &HeaderMap) -> Option<(String, String, String)> {
    let header = headers.get("authorization")?.to_str().ok()?;
    let credential = header.split("Credential=").nth(1)?.split(',').next()?;
    let mut parts = credential.split('/');
    let key = parts.next()?.to_owned();
    let (_date, region, service) = (parts.next()?, parts.next()?, parts.next()?);
    Some((key, region.to_owned(), service.to_owned()))
}

fn account(key: &str) -> Option<String> {
    let account = key
        .strip_prefix("AKIA")
        .or_else(|| key.strip_prefix("ASIA"))?;
    let fine = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    fine.then(|| account.to_owned())
}

fn pairs(uri: &str) -> Vec<(String, String)> {
    let Ok(uri) = uri.parse::<Uri>() else {
        return Vec::new();
    };
    Query::<Vec<(String, String)>>::try_from_uri(&uri)
        .map(|Query(pairs)| pairs)
        .unwrap_or_default()
}

fn decode(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%')
            .then(|| part.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        plain.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}
