//! A Kubernetes cluster: objects as JSON values, and controllers that move them on as time passes.

mod controllers;
mod ills;
mod release;
mod store;

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::{Value, json};

pub use ills::Ills;
pub use release::{Release, config_of};
pub use store::{Change, Refusal, Resource, Store};

use crate::incident::Moment;

/// How long things take in a simulated cluster, in milliseconds. Part of a scenario: `[cluster] pull_ms = 900`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// From creation until a node is found.
    pub schedule_ms: u64,
    /// From there until the image is there.
    pub pull_ms: u64,
    /// From there until an Auth pod is Ready.
    pub auth_ready_ms: u64,
    /// From there, and from Auth being Ready, until a proxy pod is Ready.
    pub proxy_ready_ms: u64,
    /// How long a pod stays Terminating.
    pub grace_ms: u64,
    /// From creation of the Service until it has an address.
    pub load_balancer_ms: u64,
    /// How long a hook Job takes.
    pub hook_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            schedule_ms: 300,
            pull_ms: 1200,
            auth_ready_ms: 2500,
            proxy_ready_ms: 2000,
            grace_ms: 2000,
            load_balancer_ms: 3000,
            hook_ms: 800,
        }
    }
}

/// The release that runs when a practice begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// Release name.
    pub release: String,
    /// Namespace.
    pub namespace: String,
    /// Chart version, such as `18.2.4`.
    pub version: String,
    /// `clusterName`.
    pub cluster_name: String,
    /// `aws.region`.
    pub region: String,
    /// `aws.backendTable`.
    pub state_table: String,
    /// `aws.auditLogTable`.
    pub audit_table: String,
    /// `aws.sessionRecordingBucket`.
    pub bucket: String,
    /// How long it has been running.
    pub age: Duration,
}

/// A simulated Kubernetes cluster.
#[derive(Debug, Default)]
pub struct Cluster {
    /// Its objects.
    pub store: Store,
    timing: Timing,
    load_balancer: String,
    /// When pods and others came to be, by UID: finer than `creationTimestamp`, which has whole seconds.
    born: BTreeMap<String, Moment>,
    /// When a pod was first seen to have all that it needs to become Ready, by UID.
    fit: BTreeMap<String, Moment>,
    lost: bool,
    /// What ails the pods that are started.
    ills: Ills,
}

/// The Teleport cluster that runs in a Kubernetes cluster, as its proxies show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Whether a proxy pod is ready, so that the load balancer has a target.
    pub proxy_ready: bool,
    /// Whether an Auth pod is ready: without one, ping fails and find does not.
    pub auth_ready: bool,
    /// `clusterName` of the values.
    pub cluster_name: String,
    /// Chart version.
    pub version: String,
    /// `aws.region` of the values.
    pub region: String,
    /// `aws.backendTable` of the values: decides which certificate authorities there are.
    pub state_table: String,
}

impl Cluster {
    /// A cluster with two nodes and nothing on them. `uid` is that of its `kube-system` namespace; a Service of type
    /// `LoadBalancer` gets `load_balancer` (a host name or an address) as its address.
    #[must_use]
    pub fn new(
        uid: impl Into<String>,
        timing: Timing,
        load_balancer: impl Into<String>,
        now: Moment,
    ) -> Self {
        let mut cluster = Self {
            timing,
            load_balancer: load_balancer.into(),
            ..Self::default()
        };
        let system = json!({"metadata": {"name": "kube-system", "uid": uid.into()}});
        cluster.add(Resource::Namespaces, "", system, now);
        cluster.add(
            Resource::Namespaces,
            "",
            json!({"metadata": {"name": "default"}}),
            now,
        );
        for name in ["node-a", "node-b"] {
            let node = json!({"metadata": {"name": name}, "status": {"allocatable": {"cpu": "3920m", "memory": "15Gi", "pods": "58"},
                "conditions": [
                {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status"}]}});
            cluster.add(Resource::Nodes, "", node, now);
        }
        cluster
    }

    /// From now on this ails the pods that are started.
    pub fn ail(&mut self, ills: Ills) {
        self.ills = ills;
    }

    /// Puts a TLS Secret in, and its namespace. The key is no key: nothing reads it.
    pub fn provision(&mut self, namespace: &str, name: &str, pem: &str, now: Moment) {
        use base64::Engine as _;

        let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let place = json!({"metadata": {"name": namespace}});
        self.add(Resource::Namespaces, "", place, now);
        let secret = json!({"metadata": {"name": name}, "type": "kubernetes.io/tls",
            "data": {"tls.crt": encode(pem), "tls.key": encode("practice")}});
        self.add(Resource::Secrets, namespace, secret, now);
    }

    /// Puts a running release in, as if it had been installed [`Seed::age`] ago.
    pub fn seed_release(&mut self, seed: &Seed, now: Moment) {
        let then = now.minus(seed.age);
        let release = Release {
            name: seed.release.clone(),
            namespace: seed.namespace.clone(),
            version: seed.version.clone(),
            cluster_name: seed.cluster_name.clone(),
            region: seed.region.clone(),
            state_table: seed.state_table.clone(),
            audit_table: seed.audit_table.clone(),
            bucket: seed.bucket.clone(),
            replicas: 2,
            image: None,
        };
        self.add(
            Resource::Namespaces,
            "",
            json!({"metadata": {"name": seed.namespace}}),
            then,
        );
        for (resource, object) in release.objects() {
            self.add(resource, &seed.namespace, object, then);
        }
        self.add(
            Resource::Secrets,
            &seed.namespace,
            release.secret(1, "deployed"),
            then,
        );
        // Once for the pods to appear, once for the time they have run since, with everything they wait for.
        self.tick(then);
        for pause in [0, 1, 2, 3].map(|step| seed.age / 4 * step) {
            self.tick(then.plus(pause));
        }
        self.tick(now);
    }

    /// Makes every node `NotReady`: its pods stay Running, as the API server last heard of them.
    pub fn lose_nodes(&mut self, now: Moment) {
        self.lost = true;
        let names: Vec<String> = self
            .store
            .list(Resource::Nodes, None)
            .filter_map(|node| text(node, "/metadata/name"))
            .collect();
        for name in names {
            self.store.change(Resource::Nodes, "", &name, |node| {
                node["status"]["conditions"] = json!([{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown",
                    "message": "Kubelet stopped posting node status.", "lastTransitionTime": stamp(now)}]);
            });
        }
    }

    /// Adds an object, with the metadata that an API server fills in.
    ///
    /// # Errors
    /// If there is one of that name already, or its namespace does not exist.
    pub fn create(
        &mut self,
        resource: Resource,
        namespace: &str,
        object: Value,
        now: Moment,
    ) -> Result<Value, Refusal> {
        let made = self.store.create(resource, namespace, object, now)?;
        if let Some(uid) = text(&made, "/metadata/uid") {
            self.born.insert(uid, now);
        }
        Ok(made)
    }

    fn add(&mut self, resource: Resource, namespace: &str, object: Value, now: Moment) {
        // An object that is there already stays as it is.
        let _ = self.create(resource, namespace, object, now);
    }

    /// Deletes an object and what it owns; pods get their grace.
    ///
    /// # Errors
    /// If there is no such object.
    pub fn delete(
        &mut self,
        resource: Resource,
        namespace: &str,
        name: &str,
        at_once: bool,
        now: Moment,
    ) -> Result<Value, Refusal> {
        let object = self
            .store
            .get(resource, namespace, name)
            .cloned()
            .ok_or_else(|| Refusal::missing(resource, name))?;
        if resource == Resource::Pods && !at_once {
            let end = now.plus(Duration::from_millis(self.timing.grace_ms));
            self.store.change(resource, namespace, name, |pod| {
                if pod["metadata"]["deletionTimestamp"].is_null() {
                    pod["metadata"]["deletionTimestamp"] = json!(stamp(end));
                    // The time stamp lies ahead by this: from both follows since when it has been asked to go.
                    pod["metadata"]["deletionGracePeriodSeconds"] =
                        json!(self.timing.grace_ms / 1000);
                }
            });
            return Ok(object);
        }
        if resource == Resource::Namespaces {
            self.empty(name);
        }
        self.store.remove(resource, namespace, name);
        let uid = text(&object, "/metadata/uid").unwrap_or_default();
        self.born.remove(&uid);
        self.fit.remove(&uid);
        if resource != Resource::Pods {
            for pod in self.owned(namespace, &uid) {
                let _ = self.delete(Resource::Pods, namespace, &pod, false, now);
            }
        }
        Ok(object)
    }

    /// All that is in a namespace goes with it, and at once.
    fn empty(&mut self, namespace: &str) {
        for resource in Resource::ALL.iter().filter(|one| one.namespaced()) {
            let names: Vec<String> = self
                .store
                .list(*resource, Some(namespace))
                .filter_map(|object| text(object, "/metadata/name"))
                .collect();
            for name in names {
                self.store.remove(*resource, namespace, &name);
            }
        }
    }

    fn owned(&self, namespace: &str, uid: &str) -> Vec<String> {
        self.store
            .list(Resource::Pods, Some(namespace))
            .filter(|pod| {
                text(pod, "/metadata/ownerReferences/0/uid").is_some_and(|owner| owner == uid)
            })
            .filter_map(|pod| text(pod, "/metadata/name"))
            .collect()
    }

    /// The Teleport cluster behind the load balancer; `None` if no load balancer has an address.
    #[must_use]
    pub fn running(&self) -> Option<Running> {
        let service = self
            .store
            .list(Resource::Services, None)
            .find(|service| service.pointer("/status/loadBalancer/ingress/0").is_some())?;
        let namespace = text(service, "/metadata/namespace")?;
        let release = label(service, "app.kubernetes.io/instance")?;
        let config = self
            .store
            .get(Resource::ConfigMaps, &namespace, &format!("{release}-auth"));
        let config = config
            .and_then(|map| text(map, "/data/teleport.yaml"))
            .unwrap_or_default();
        let ready = |component: &str| {
            self.store
                .list(Resource::Pods, Some(&namespace))
                .any(|pod| {
                    label(pod, "app.kubernetes.io/instance").as_deref() == Some(&release)
                        && label(pod, "app.kubernetes.io/component").as_deref() == Some(component)
                        && controllers::is_ready(pod)
                })
        };
        Some(Running {
            proxy_ready: ready("proxy"),
            auth_ready: ready("auth"),
            cluster_name: config_of(&config, "cluster_name").unwrap_or_default(),
            version: label(service, "app.kubernetes.io/version").unwrap_or_default(),
            region: config_of(&config, "region").unwrap_or_default(),
            state_table: config_of(&config, "table_name").unwrap_or_default(),
        })
    }
}

/// A time as Kubernetes writes it.
fn stamp(moment: Moment) -> String {
    Moment::from_secs(moment.secs())
        .to_string()
        .replace(".000Z", "Z")
}

fn text(object: &Value, pointer: &str) -> Option<String> {
    object.pointer(pointer)?.as_str().map(str::to_owned)
}

fn label(object: &Value, name: &str) -> Option<String> {
    object["metadata"]["labels"][name]
        .as_str()
        .map(str::to_owned)
}

#[cfg(test)]
mod tests;
