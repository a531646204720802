//! The Teleport release in a Kubernetes cluster, with the few fields that are shown.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Serialize};

use super::{Failure, Moment, Part};

/// What is known of the release in one Kubernetes cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// The kube context used.
    pub context: String,
    /// UID of the `kube-system` namespace: the identity of the cluster behind the context.
    pub uid: Option<String>,
    /// Pods of the release, sorted by name. Hook Jobs' pods are in [`Component::Hook`] and do not count as members.
    pub pods: Vec<Arc<Pod>>,
    /// Deployments of the release, sorted by name.
    pub deployments: Vec<Deployment>,
    /// The proxy's load balancer, from Service or Ingress.
    pub load_balancer: Option<LoadBalancer>,
    /// The newest warning events of the namespace, newest first, at most 20.
    pub events: Vec<ClusterEvent>,
    /// The Helm release as its newest `sh.helm.release.v1` Secret names it; `Ok(None)` if there is none.
    pub release: Part<Option<Release>>,
    /// What could not be read beside the pods, such as forbidden Nodes or Events; one for each kind. Where a kind has a
    /// gap, that nothing of it is here means nothing.
    #[serde(default)]
    pub gaps: Vec<Gap>,
    /// What the judges have worked out of the pods.
    #[serde(skip)]
    pub memo: Memo,
}

/// What is worked out of a cluster's pods once a reading: with 10,000 of them no frame has the time to look at each.
#[derive(Clone, Debug, Default)]
pub struct Muster {
    /// Places in [`Cluster::pods`]: the worst first, those of one health by name.
    pub order: Vec<usize>,
    /// Pods that are no hook's.
    pub members: usize,
    /// Members that serve.
    pub ready: usize,
    /// Whether any pod of the Auth Service serves.
    pub auth: bool,
    /// Whether any pod of the Proxy Service serves.
    pub proxy: bool,
    /// Place of the member in the worst health.
    pub worst: Option<usize>,
    /// Place of the first member in `CrashLoopBackOff`.
    pub looping: Option<usize>,
    /// Place of the first member on a node that is not Ready.
    pub lost: Option<usize>,
}

/// A place for a [`Muster`], filled when it is first asked for. It is no part of what was read: equal to any other, not
/// written down, and empty in a copy, which may be changed.
#[derive(Debug, Default)]
pub struct Memo(OnceLock<Muster>);

impl Memo {
    /// What is kept, worked out now if it is not there yet.
    pub fn get_or(&self, muster: impl FnOnce() -> Muster) -> &Muster {
        self.0.get_or_init(muster)
    }
}

impl Clone for Memo {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Memo {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Cluster {
    /// Why a kind could not be read; `None` if it was.
    #[must_use]
    pub fn gap(&self, kind: ClusterKind) -> Option<&Failure> {
        self.gaps
            .iter()
            .find(|gap| gap.kind == kind)
            .map(|gap| &gap.why)
    }
}

/// A kind of object that is read of a cluster by requests of its own, and may be forbidden on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClusterKind {
    /// Pods of the release.
    Pods,
    /// Deployments of the release.
    Deployments,
    /// Services of the release.
    Services,
    /// Ingresses of the release.
    Ingresses,
    /// Warning events of the namespace.
    Events,
    /// Nodes of the cluster.
    Nodes,
    /// Helm's release Secrets.
    Secrets,
    /// The namespace `kube-system`, whose UID is the cluster's identity.
    Namespaces,
}

impl ClusterKind {
    /// The plural, for sentences and requests.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Deployments => "deployments",
            Self::Services => "services",
            Self::Ingresses => "ingresses",
            Self::Events => "events",
            Self::Nodes => "nodes",
            Self::Secrets => "secrets",
            Self::Namespaces => "namespaces",
        }
    }
}

impl fmt::Display for ClusterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A kind that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The kind.
    pub kind: ClusterKind,
    /// Why.
    pub why: Failure,
}

/// A Helm release, as its newest Secret's labels tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The release name.
    pub name: String,
    /// Revision number.
    pub revision: u32,
    /// `deployed`, `pending-install`, `failed`, `uninstalling`, …
    pub status: String,
    /// The newest earlier revision that Helm has recorded as deployed.
    #[serde(default)]
    pub deployed: Option<u32>,
}

impl Release {
    /// The newest of all revisions of a release, with the one before it that was deployed.
    #[must_use]
    pub fn newest(revisions: impl IntoIterator<Item = Self>) -> Option<Self> {
        let revisions: Vec<Self> = revisions.into_iter().collect();
        let newest = revisions.iter().max_by_key(|one| one.revision)?;
        let before = revisions
            .iter()
            .filter(|one| one.revision < newest.revision && one.status == "deployed");
        Some(Self {
            deployed: before.map(|one| one.revision).max(),
            ..newest.clone()
        })
    }

    /// Whether a Helm is at it, or was ended before it could record how it went: Helm refuses every other command but a
    /// rollback and an uninstall then.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.status.starts_with("pending-")
    }
}

/// Which part of the release a pod or Deployment belongs to, by `app.kubernetes.io/component` and owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Component {
    /// The Auth Service.
    Auth,
    /// The Proxy Service.
    Proxy,
    /// The Kubernetes operator.
    Operator,
    /// A hook Job's pod: carries the component label too, but is no member.
    Hook,
    /// Something else in the release.
    Other,
}

impl Component {
    /// The word of the chart's label, and of the section of its values.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Proxy => "proxy",
            Self::Operator => "operator",
            Self::Hook => "hook",
            Self::Other => "other",
        }
    }
}

/// One pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pod {
    /// UID, the identity under which the cursor stays.
    pub uid: String,
    /// Name.
    pub name: String,
    /// Part of the release.
    pub component: Component,
    /// Ready containers.
    pub ready: u16,
    /// All containers.
    pub containers: u16,
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`, as the API server says.
    pub phase: String,
    /// The most telling reason: waiting or terminated reason of a container (init containers as `Init:…`),
    /// the pod's own reason, or the scheduler's. Empty when there is nothing to tell.
    pub reason: String,
    /// The message that goes with the reason.
    pub message: String,
    /// Restarts of all containers.
    pub restarts: u32,
    /// When it was created.
    pub created: Moment,
    /// Since when it has been asked to go away.
    pub deleting: Option<Moment>,
    /// The node it runs on.
    pub node: Option<String>,
    /// Whether that node is Ready: `Some(false)` makes the pod's own state hearsay.
    pub node_ready: Option<bool>,
}

/// One Deployment: what is wanted against what there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Name.
    pub name: String,
    /// Part of the release.
    pub component: Component,
    /// `spec.replicas`.
    pub desired: u32,
    /// `status.availableReplicas`.
    pub available: u32,
    /// `status.updatedReplicas`.
    pub updated: u32,
    /// Whether `status.observedGeneration` has caught up with `metadata.generation`.
    pub observed: bool,
    /// When its rollout was restarted last, by the annotation that `kubectl rollout restart` writes.
    #[serde(default)]
    pub restarted: Option<Moment>,
}

/// The proxy's load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancer {
    /// `Service teleport-cluster` or `Ingress teleport-cluster-proxy`.
    pub source: String,
    /// Host names and addresses, as the status gives them.
    pub addresses: Vec<String>,
}

/// A warning event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterEvent {
    /// When it was last seen.
    pub at: Moment,
    /// `Pod/teleport-cluster-auth-…`.
    pub object: String,
    /// `FailedScheduling`, `BackOff`, …
    pub reason: String,
    /// The message.
    pub message: String,
}

impl ClusterEvent {
    /// What tells it apart from others: object and reason. The API server counts repetitions up and keeps the event.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{} {}", self.object, self.reason)
    }
}
