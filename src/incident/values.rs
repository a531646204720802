//! The values file of the recovery release.

use serde::{Deserialize, Serialize};

use super::{
    cluster::Component,
    outline::{Outline, Path},
};

/// Most Auth instances on one `DynamoDB` table: its streams serve two readers a shard (Teleport's backend reference).
pub const MOST_AUTHS: u32 = 2;

/// The annotation by which a `ServiceAccount`'s pods get an IAM role (EKS, IAM roles for service accounts).
pub const ROLE_ANNOTATION: &str = "eks.amazonaws.com/role-arn";
/// The annotation of a Service by which its network load balancer gets certificates.
pub const SERVICE_CERTIFICATE: &str = "service.beta.kubernetes.io/aws-load-balancer-ssl-cert";
/// The annotation of an Ingress by which its application load balancer gets certificates.
pub const INGRESS_CERTIFICATE: &str = "alb.ingress.kubernetes.io/certificate-arn";

/// The recovery values as they are on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Values {
    /// Path of the file.
    pub path: String,
    /// `clusterName`.
    pub cluster_name: Option<String>,
    /// `aws.region`.
    pub region: Option<String>,
    /// `aws.backendTable`.
    pub state_table: Option<String>,
    /// `aws.auditLogTable`.
    pub audit_table: Option<String>,
    /// `aws.sessionRecordingBucket`.
    pub bucket: Option<String>,
    /// Every field that [`Field::of`] knows, in the order of its path. None of them is a secret.
    #[serde(default)]
    pub settings: Vec<Setting>,
    /// Lines that name something of the failed region.
    #[serde(default)]
    pub leftovers: Vec<Leftover>,
}

/// One field with what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Its keys from the top.
    pub path: Path,
    /// What it holds.
    pub value: String,
}

/// A line that names something of the failed region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    /// Its number, from 1.
    pub line: usize,
    /// What it names: a region, a table, a bucket, a certificate.
    pub names: String,
}

/// A field that belongs to a region, or decides what is checked before the install (facts/teleport.md, T10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `aws.region`, and the region that `auth.teleportConfig` gives the storage instead.
    Region,
    /// `aws.backendTable`, and the table that `auth.teleportConfig` gives the storage instead.
    StateTable,
    /// `aws.auditLogTable`
    AuditTable,
    /// `aws.sessionRecordingBucket`
    Bucket,
    /// `aws.athenaURL`
    Athena,
    /// A field of `aws.accessMonitoring`.
    Monitoring,
    /// ARNs of ACM certificates in an annotation, joined by commas.
    Certificates,
    /// `highAvailability.certManager.issuerName`
    Issuer,
    /// `certManager.issuerName`, where the guide puts it and the chart does not look.
    MisplacedIssuer,
    /// The IAM role of `annotations.serviceAccount`: of both, or of one of them.
    Role(Option<Component>),
    /// `….ca_key_params.aws_kms.region`
    KmsRegion,
    /// `….ca_key_params.aws_kms.account`
    KmsAccount,
    /// `….storage.audit_sessions_uri`: bucket, region, initiators and key of the recordings.
    Sessions,
    /// What else the checks look at.
    Other,
}

impl Field {
    /// Which field a path is; `None` for all that belongs to no region. `auth` and `proxy` may hold any of the chart's
    /// values for their own pods.
    #[must_use]
    pub fn of(path: &[String]) -> Option<Self> {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let (part, words) = match words.as_slice() {
            ["auth", rest @ ..] => (Some(Component::Auth), rest),
            ["proxy", rest @ ..] => (Some(Component::Proxy), rest),
            rest => (None, rest),
        };
        match words {
            ["aws", "region"] | ["teleportConfig", "teleport", "storage", "region"] => {
                Some(Self::Region)
            }
            ["aws", "backendTable"] | ["teleportConfig", "teleport", "storage", "table_name"] => {
                Some(Self::StateTable)
            }
            ["aws", "auditLogTable"] => Some(Self::AuditTable),
            ["aws", "sessionRecordingBucket"] => Some(Self::Bucket),
            ["aws", "athenaURL"] => Some(Self::Athena),
            ["aws", "accessMonitoring", _] => Some(Self::Monitoring),
            ["annotations", _, SERVICE_CERTIFICATE | INGRESS_CERTIFICATE] => {
                Some(Self::Certificates)
            }
            ["annotations", "serviceAccount", ROLE_ANNOTATION] => Some(Self::Role(part)),
            ["highAvailability", "certManager", "issuerName"] => Some(Self::Issuer),
            ["certManager", "issuerName"] => Some(Self::MisplacedIssuer),
            ["teleportConfig", .., "ca_key_params", "aws_kms", "region"] => Some(Self::KmsRegion),
            ["teleportConfig", .., "ca_key_params", "aws_kms", "account"] => Some(Self::KmsAccount),
            ["teleportConfig", .., "storage", "audit_sessions_uri"] => Some(Self::Sessions),
            ["clusterName" | "chartMode" | "acme"]
            | ["tls", "existingSecretName"]
            | ["highAvailability", "replicaCount"]
            | [
                "highAvailability",
                "certManager",
                "enabled" | "issuerKind" | "issuerGroup",
            ] => Some(Self::Other),
            _ => None,
        }
    }
}

impl Values {
    /// Reads the fields from a values file's text.
    ///
    /// # Errors
    /// If the text is no values file, with line and column.
    pub fn read(path: impl Into<String>, text: &str) -> Result<Self, String> {
        Ok(Self::of(path, &Outline::read(text)?))
    }

    /// The fields of a values file that has been read.
    #[must_use]
    pub fn of(path: impl Into<String>, outline: &Outline) -> Self {
        let get = |path: &[&str]| outline.get(path).map(str::to_owned);
        let known = outline.scalars.iter().filter(|(path, scalar)| {
            Field::of(path).is_some() && !matches!(scalar.value.as_str(), "" | "~" | "null")
        });
        Self {
            path: path.into(),
            cluster_name: get(&["clusterName"]),
            region: get(&["aws", "region"]),
            state_table: get(&["aws", "backendTable"]),
            audit_table: get(&["aws", "auditLogTable"]),
            bucket: get(&["aws", "sessionRecordingBucket"]),
            settings: known
                .map(|(path, scalar)| Setting {
                    path: path.clone(),
                    value: scalar.value.clone(),
                })
                .collect(),
            leftovers: Vec::new(),
        }
    }

    /// What a field holds for the pods of one kind: its own under `auth` or `proxy`, else the common one.
    #[must_use]
    pub fn get(&self, component: Component, path: &[&str]) -> Option<&str> {
        let find = |wanted: &[&str]| {
            self.settings
                .iter()
                .find(|setting| {
                    setting
                        .path
                        .iter()
                        .map(String::as_str)
                        .eq(wanted.iter().copied())
                })
                .map(|setting| setting.value.as_str())
        };
        let own: Vec<&str> = [component.word()].iter().chain(path).copied().collect();
        find(&own).or_else(|| find(path))
    }

    /// The IAM role that an annotation gives the pods of one kind.
    #[must_use]
    pub fn role(&self, component: Component) -> Option<&str> {
        self.get(
            component,
            &["annotations", "serviceAccount", ROLE_ANNOTATION],
        )
    }

    /// Whether the proxies' role is theirs alone, not the one that all of the chart's accounts are given.
    #[must_use]
    pub fn proxies_have_their_own_role(&self) -> bool {
        self.settings
            .iter()
            .any(|setting| Field::of(&setting.path) == Some(Field::Role(Some(Component::Proxy))))
    }

    /// The ARNs of the certificates that a load balancer is to take from ACM, each once.
    #[must_use]
    pub fn certificates(&self) -> Vec<&str> {
        let mut arns: Vec<&str> = self
            .settings
            .iter()
            .filter(|setting| Field::of(&setting.path) == Some(Field::Certificates))
            .flat_map(|setting| setting.value.split(','))
            .map(str::trim)
            .filter(|arn| !arn.is_empty())
            .collect();
        arns.sort_unstable();
        arns.dedup();
        arns
    }

    /// How many Auth instances the chart will run: 1 unless said.
    ///
    /// # Errors
    /// If what is written there is no number.
    pub fn auths(&self) -> Result<u32, String> {
        match self.get(Component::Auth, &["highAvailability", "replicaCount"]) {
            None => Ok(1),
            Some(text) => text.parse().map_err(|_| {
                format!("highAvailability.replicaCount is {text:?}, which is no number of pods")
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_known_for_both_kinds_of_pods_and_nothing_else_is_kept() {
        let text = "clusterName: a.b\npassword: hunter2\nhighAvailability: {replicaCount: 4}\nauth:\n  highAvailability: {replicaCount: 2}\n  teleportConfig: {auth_service: {ca_key_params: {aws_kms: {region: us-east-1}}}}\n\
                    annotations:\n  serviceAccount: {eks.amazonaws.com/role-arn: common}\n  ingress: {alb.ingress.kubernetes.io/certificate-arn: 'b, a'}\nproxy:\n  annotations: {service: {service.beta.kubernetes.io/aws-load-balancer-ssl-cert: a}}\n";
        let values = Values::read("v.yaml", text).expect("values");
        assert_eq!(values.auths(), Ok(2));
        assert_eq!(values.role(Component::Auth), Some("common"));
        assert_eq!(values.role(Component::Proxy), Some("common"));
        assert!(!values.proxies_have_their_own_role());
        assert_eq!(values.certificates(), ["a", "b"]);
        let told = format!("{values:?}");
        assert!(
            told.contains("aws_kms") && !told.contains("hunter2"),
            "{told}"
        );
        let many =
            Values::read("v.yaml", "highAvailability: {replicaCount: many}").expect("values");
        assert!(many.auths().is_err());
    }
}
