//! The objects that the `teleport-cluster` chart makes, with its names and labels (facts/teleport.md, 1.3).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Resource;

/// A release with the values that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Release name: `R` in the names of its objects.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Chart version.
    pub version: String,
    /// `clusterName`
    pub cluster_name: String,
    /// `aws.region`
    pub region: String,
    /// `aws.backendTable`
    pub state_table: String,
    /// `aws.auditLogTable`
    pub audit_table: String,
    /// `aws.sessionRecordingBucket`
    pub bucket: String,
    /// `highAvailability.replicaCount`
    pub replicas: u32,
    /// `image`, without its tag; the chart's own unless said.
    pub image: Option<String>,
}

impl Release {
    /// What stays after the install, in the order in which Helm makes it.
    #[must_use]
    pub fn objects(&self) -> Vec<(Resource, Value)> {
        let name = &self.name;
        let proxies = self.replicas.max(2);
        let auth_config = json!({"metadata": self.meta(&format!("{name}-auth"), "auth"),
            "data": {"teleport.yaml": self.config(), "apply-on-startup.yaml": format!("kind: token\nmetadata:\n  name: {name}-proxy\n")}});
        let proxy_config = json!({"metadata": self.meta(&format!("{name}-proxy"), "proxy"),
            "data": {"teleport.yaml": format!("version: v3\nteleport:\n  join_params:\n    method: kubernetes\n    token_name: {name}-proxy\n")}});
        let front = json!({"metadata": self.meta(name, "proxy"), "spec": {"type": "LoadBalancer",
            "selector": self.selector("proxy"), "ports": [{"name": "tls", "port": 443, "targetPort": 3080, "protocol": "TCP"}]},
            "status": {"loadBalancer": {}}});
        let back = json!({"metadata": self.meta(&format!("{name}-auth"), "auth"), "spec": {"type": "ClusterIP",
            "selector": self.selector("auth"), "ports": [{"name": "auth", "port": 3025, "protocol": "TCP"}]},
            "status": {"loadBalancer": {}}});
        vec![
            (
                Resource::ServiceAccounts,
                json!({"metadata": self.meta(name, "auth")}),
            ),
            (
                Resource::ServiceAccounts,
                json!({"metadata": self.meta(&format!("{name}-proxy"), "proxy")}),
            ),
            (Resource::ConfigMaps, auth_config),
            (Resource::ConfigMaps, proxy_config),
            (Resource::Services, back),
            (Resource::Services, front),
            (
                Resource::Deployments,
                self.deployment("auth", self.replicas),
            ),
            (Resource::Deployments, self.deployment("proxy", proxies)),
        ]
    }

    /// The hook Jobs that check the configuration before anything else is made.
    #[must_use]
    pub fn hooks(&self) -> Vec<Value> {
        ["auth", "proxy"]
            .into_iter()
            .map(|component| {
                let mut metadata = self.meta(&format!("{}-{component}-test", self.name), component);
                metadata["annotations"] = json!({"helm.sh/hook": "pre-install,pre-upgrade", "helm.sh/hook-weight": "5",
                    "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded"});
                json!({"metadata": metadata, "spec": {"backoffLimit": 1, "template": {
                    "metadata": {"labels": self.labels(component)},
                    "spec": {"restartPolicy": "Never", "containers": [
                        {"name": "teleport-config-check", "image": self.image(), "command": ["teleport", "configure", "--test", "/etc/teleport/teleport.yaml"]}]}}}})
            })
            .collect()
    }

    /// Helm's own record, with what it was installed with. Unpacked, as Helm still reads it.
    #[must_use]
    pub fn secret(&self, revision: u32, status: &str) -> Value {
        let chart = json!({"metadata": {"name": "teleport-cluster", "version": self.version, "appVersion": self.version}});
        let config = json!({"clusterName": self.cluster_name, "chartMode": "aws", "aws": {"region": self.region,
            "backendTable": self.state_table, "auditLogTable": self.audit_table, "sessionRecordingBucket": self.bucket},
            "highAvailability": {"replicaCount": self.replicas}});
        let record = json!({"name": self.name, "namespace": self.namespace, "version": revision, "info": {"status": status},
            "chart": chart, "config": config});
        let packed = STANDARD.encode(STANDARD.encode(record.to_string()));
        json!({"metadata": {"name": format!("sh.helm.release.v1.{}.v{revision}", self.name),
            "labels": {"owner": "helm", "name": self.name, "status": status, "version": revision.to_string()}},
            "type": "helm.sh/release.v1",
            "data": {"release": packed}})
    }

    fn image(&self) -> String {
        let usual = "public.ecr.aws/gravitational/teleport-distroless";
        format!(
            "{}:{}",
            self.image.as_deref().unwrap_or(usual),
            self.version
        )
    }

    fn labels(&self, component: &str) -> Value {
        let major = self.version.split('.').next().unwrap_or_default();
        json!({"app.kubernetes.io/name": "teleport-cluster", "app.kubernetes.io/instance": self.name,
            "app.kubernetes.io/component": component, "app.kubernetes.io/version": self.version,
            "app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": format!("teleport-cluster-{}", self.version),
            "teleport.dev/majorVersion": major})
    }

    fn selector(&self, component: &str) -> Value {
        json!({"app.kubernetes.io/name": "teleport-cluster", "app.kubernetes.io/instance": self.name,
            "app.kubernetes.io/component": component})
    }

    fn meta(&self, name: &str, component: &str) -> Value {
        json!({"name": name, "labels": self.labels(component),
            "annotations": {"meta.helm.sh/release-name": self.name, "meta.helm.sh/release-namespace": self.namespace}})
    }

    fn deployment(&self, component: &str, replicas: u32) -> Value {
        let main = json!({"name": "teleport", "image": self.image(), "args": ["--diag-addr=0.0.0.0:3000"]});
        let mut spec = json!({"containers": [main], "terminationGracePeriodSeconds": 60});
        if component == "proxy" {
            spec["initContainers"] = json!([{"name": "wait-auth-update", "image": self.image()}]);
        }
        // As in the chart: another configuration, other pods.
        let digest = STANDARD.encode(Sha256::digest(format!("{}{}", self.version, self.config())));
        json!({"metadata": self.meta(&format!("{}-{component}", self.name), component),
            "spec": {"replicas": replicas, "selector": {"matchLabels": self.selector(component)},
                "template": {"metadata": {"labels": self.labels(component),
                    "annotations": {"checksum/config": digest}}, "spec": spec}}})
    }

    fn config(&self) -> String {
        format!(
            "version: v3\nteleport:\n  storage:\n    type: dynamodb\n    region: {}\n    table_name: {}\n    \
             audit_events_uri: ['dynamodb://{}']\n    audit_sessions_uri: s3://{}\nauth_service:\n  enabled: true\n  \
             cluster_name: {}\n",
            self.region, self.state_table, self.audit_table, self.bucket, self.cluster_name
        )
    }
}

/// A field of the `teleport.yaml` above, by its key: one field a line.
#[must_use]
pub fn config_of(yaml: &str, key: &str) -> Option<String> {
    yaml.lines().find_map(|line| {
        let value = line.trim().strip_prefix(key)?.strip_prefix(':')?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    })
}
