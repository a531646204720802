//! What would bring a stopped release back, or undo the change of names, by itself: `GitOps`, external-dns, and an
//! operator that deletes what it manages when it goes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Failure, Part};

/// What was found in one Kubernetes cluster that acts on the release or its names by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconcilers {
    /// The kube context used.
    pub context: String,
    /// UID of the `kube-system` namespace: the identity of the cluster behind the context.
    pub uid: Option<String>,
    /// What was found, in the order in which it is to be paused: who applies others before what is applied.
    pub found: Vec<Reconciler>,
    /// Kinds that are not installed in this cluster, in words: `Flux`, `Argo CD`.
    pub absent: Vec<String>,
    /// What could not be looked at, and why: whether there is anything of it nobody can say.
    pub gaps: Vec<Failure>,
    /// The host names that Services and Ingresses of the release's namespace have written by an external-dns, lower case;
    /// `None` where there is none, so that nobody looked.
    #[serde(default)]
    pub hostnames: Option<Part<Vec<String>>>,
}

/// A kind of thing that acts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReconcilerKind {
    /// Flux `Kustomization`: applies manifests from Git.
    FluxKustomization,
    /// Flux `HelmRelease`: installs the chart again when the release is gone.
    FluxHelmRelease,
    /// Argo CD `Application` with `spec.syncPolicy.automated`.
    ArgoApplication,
    /// A Deployment of external-dns: points the names back, or deletes them with the Service.
    ExternalDns,
    /// The Teleport operator of a chart before 15.2: deletes the resources that it manages when it is uninstalled
    /// (gravitational/teleport 31059, PR 39382).
    Operator,
}

impl ReconcilerKind {
    /// What it is called.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::FluxKustomization => "Flux Kustomization",
            Self::FluxHelmRelease => "Flux HelmRelease",
            Self::ArgoApplication => "Argo CD Application",
            Self::ExternalDns => "external-dns",
            Self::Operator => "Teleport operator",
        }
    }
}

impl fmt::Display for ReconcilerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One thing that acts by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciler {
    /// The kind.
    pub kind: ReconcilerKind,
    /// Path of its collection's API without namespace: `/apis/helm.toolkit.fluxcd.io/v2`.
    pub api: String,
    /// Plural of its resource: `helmreleases`.
    pub plural: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Why it is thought to act on this release or these names.
    pub why: String,
    /// What makes it act, as it stands: the field with its value, in JSON; `None` while it is paused.
    pub acts: Option<String>,
    /// What it was before Relight paused it, as the annotation on it remembers, in JSON.
    pub before: Option<String>,
    /// Who owns the object and may put it back: `ApplicationSet teleport`.
    pub owner: Option<String>,
    /// Of an external-dns: how it is set.
    #[serde(default)]
    pub dns: Option<ExternalDns>,
}

/// How an external-dns is set: which records it takes for its own, and what it does with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalDns {
    /// `--txt-owner-id`: the id by which it knows its own records; `default` unless said.
    pub owner: String,
    /// `--policy`: `sync` deletes what nothing asks for any more, `upsert-only` only writes, `create-only` changes nothing
    /// that is there. `sync` unless said.
    pub policy: String,
    /// `--registry`: where it keeps what is its own; TXT records unless said. With `noop` everything is.
    pub registry: String,
    /// `--source`: what it reads host names from.
    pub sources: Vec<String>,
    /// `--domain-filter`; all that it may write where there is none.
    pub filters: Vec<String>,
}

impl Reconciler {
    /// `Flux HelmRelease flux-system/teleport`.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}/{}", self.kind, self.namespace, self.name)
    }

    /// Whether it acts now.
    #[must_use]
    pub const fn active(&self) -> bool {
        self.acts.is_some()
    }

    /// Whether it was paused and remembers what it was.
    #[must_use]
    pub const fn paused(&self) -> bool {
        !self.active() && self.before.is_some()
    }

    /// The path of it at the Kubernetes API.
    #[must_use]
    pub fn path(&self) -> String {
        format!(
            "{}/namespaces/{}/{}/{}",
            self.api, self.namespace, self.plural, self.name
        )
    }
}
