//! A `GitOps` that installs the release again when it is gone, as Flux's helm-controller or Argo CD do, and an external-dns
//! that owns the names. Its objects lie in the primary's cluster; what they say there is what it does.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::{Cluster, Seed, cluster::Resource};
use crate::incident::Moment;

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
}

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
                put(
                    Resource::Deployments,
                    HOME,
                    json!({"metadata": {"name": "external-dns",
                    "labels": {"app.kubernetes.io/name": "external-dns"}},
                    "spec": {"replicas": 1, "template": {"metadata": {"labels": {"app.kubernetes.io/name": "external-dns"}},
                        "spec": {"containers": [{"name": "external-dns", "image": "external-dns",
                            "args": [format!("--domain-filter={zone}"), "--policy=sync"]}]}}}}),
                );
            }
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
}
