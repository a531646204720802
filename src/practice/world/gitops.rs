//! A `GitOps` that installs the release again when it is gone, as Flux's helm-controller or Argo CD do, and an external-dns
//! that owns the names. Its objects lie in the primary's cluster; what they say there is what it does.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Cluster, Seed, Verb, Zone, cluster::Resource};
use crate::incident::{Moment, RecordSet};

/// Where the `GitOps` keeps its objects.
const HOME: &str = "flux-system";

/// `gitops = "flux"` of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GitOps {
    /// A `HelmRelease`, the Kustomization that applies it, and external-dns.
    Flux,
    /// An Application with automated sync.
    Argo,
    /// An external-dns alone, which owns the names and writes them back for as long as the old Service is there.
    #[serde(rename = "external-dns")]
    ExternalDns,
}

/// The owner id of that external-dns.
const OWNER: &str = "east";

/// It looks every so often whether the release is there.
const EVERY: Duration = Duration::from_secs(4);

/// The controller: since when it has seen the release gone.
#[derive(Clone, Copy, Debug)]
pub struct Controller {
    kind: GitOps,
    gone: Option<Moment>,
}

impl Controller {
    /// Puts its objects into the cluster that the release runs in.
    #[must_use]
    pub fn settle(
        kind: GitOps,
        seed: &Seed,
        zone: &str,
        cluster: &mut Cluster,
        now: Moment,
    ) -> Self {
        let mut put = |resource, namespace: &str, object| {
            // There is nothing of that name yet.
            let _ = cluster.create(resource, namespace, object, now);
        };
        put(
            Resource::Namespaces,
            "",
            json!({"metadata": {"name": HOME}}),
        );
        match kind {
            GitOps::Flux => {
                let marks = json!({"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": HOME});
                put(
                    Resource::Kustomizations,
                    HOME,
                    json!({"metadata": {"name": "apps"},
                    "spec": {"interval": "10m", "path": "./apps", "prune": true}}),
                );
                put(
                    Resource::HelmReleases,
                    HOME,
                    json!({"metadata": {"name": "teleport", "labels": marks},
                    "spec": {"interval": "5m", "releaseName": seed.release, "targetNamespace": seed.namespace}}),
                );
                put(Resource::Deployments, HOME, external_dns(zone, "default"));
            }
            GitOps::ExternalDns => put(Resource::Deployments, HOME, external_dns(zone, OWNER)),
            GitOps::Argo => put(
                Resource::Applications,
                HOME,
                json!({"metadata": {"name": "teleport"},
                "spec": {"destination": {"namespace": seed.namespace, "server": "https://kubernetes.default.svc"},
                    "syncPolicy": {"automated": {"prune": true, "selfHeal": true}}}}),
            ),
        }
        Self { kind, gone: None }
    }

    /// Installs the release again some seconds after it went, unless suspended.
    pub fn tick(&mut self, seed: &Seed, cluster: &mut Cluster, now: Moment) {
        let acts = match self.kind {
            GitOps::ExternalDns => return,
            GitOps::Flux => cluster
                .store
                .get(Resource::HelmReleases, HOME, "teleport")
                .is_some_and(|one| one["spec"]["suspend"] != true),
            GitOps::Argo => cluster
                .store
                .get(Resource::Applications, HOME, "teleport")
                .is_some_and(|one| one["spec"]["syncPolicy"]["automated"].is_object()),
        };
        let there = cluster
            .store
            .list(Resource::Deployments, Some(&seed.namespace))
            .next()
            .is_some();
        if there || !acts {
            self.gone = None;
            return;
        }
        let since = *self.gone.get_or_insert(now);
        if now.since(since) >= EVERY {
            let fresh = Seed {
                age: Duration::ZERO,
                ..seed.clone()
            };
            cluster.seed_release(&fresh, now);
            self.gone = None;
        }
    }

    /// Points what it owns to the old load balancer again, some seconds after somebody else changed it: for as long as it
    /// runs and the old Service is there.
    pub fn write_back(&mut self, old: &str, cluster: &Cluster, zone: &mut Zone, now: Moment) {
        let running = cluster
            .store
            .get(Resource::Deployments, HOME, "external-dns")
            .is_some_and(|one| one["spec"]["replicas"] != 0);
        if self.kind != GitOps::ExternalDns || !running || cluster.running().is_none() {
            self.gone = None;
            return;
        }
        let names = owned(zone.records());
        let changed = zone
            .records()
            .iter()
            .filter(|set| names.contains(&set.name) && set.kind == "CNAME" && set.values != [old]);
        let batch: Vec<_> = changed
            .map(|set| {
                let values = vec![old.to_owned()];
                (
                    Verb::Upsert,
                    RecordSet {
                        values,
                        ..set.clone()
                    },
                )
            })
            .collect();
        if batch.is_empty() {
            self.gone = None;
            return;
        }
        let since = *self.gone.get_or_insert(now);
        if now.since(since) >= EVERY {
            // A batch that is refused is tried again, as external-dns does.
            let _ = zone.change(&batch, "", now);
            self.gone = None;
        }
    }
}

/// The TXT records by which it says that names are its own.
pub(super) fn ownership(names: &[String], release: &str) -> Vec<RecordSet> {
    let record = |name: &String| RecordSet {
        name: format!("cname-{name}"),
        kind: "TXT".to_owned(),
        ttl: Some(300),
        values: vec![format!(
            "\"heritage=external-dns,external-dns/owner={OWNER},external-dns/resource=service/teleport/{release}\""
        )],
        alias_zone: None,
    };
    names.iter().map(record).collect()
}

/// The names that are its own.
fn owned(records: &[RecordSet]) -> Vec<String> {
    let texts = records.iter().filter(|set| set.kind == "TXT");
    texts
        .filter_map(|set| set.name.strip_prefix("cname-").map(str::to_owned))
        .collect()
}

fn external_dns(zone: &str, owner: &str) -> Value {
    let labels = json!({"app.kubernetes.io/name": "external-dns"});
    json!({"metadata": {"name": "external-dns", "labels": labels},
        "spec": {"replicas": 1, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "external-dns", "image": "external-dns", "args": [
                format!("--domain-filter={zone}"), "--policy=sync", format!("--txt-owner-id={owner}"),
                "--source=service"]}]}}}})
}
