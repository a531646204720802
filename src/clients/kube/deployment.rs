//! From a Deployment as the API server gives it to what is wanted against what there is.

use serde::Deserialize;

use super::{pod::component, text::clean, wire::Meta};
use crate::incident::{Deployment, Moment};

/// A Deployment on the wire.
#[derive(Debug, Deserialize)]
pub struct WireDeployment {
    /// `metadata`
    #[serde(default)]
    pub metadata: Meta,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
struct Spec {
    /// One, where it is left out.
    replicas: Option<u32>,
    #[serde(default)]
    template: Template,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Template {
    metadata: TemplateMeta,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TemplateMeta {
    annotations: Option<Annotations>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Annotations {
    #[serde(
        rename = "kubectl.kubernetes.io/restartedAt",
        deserialize_with = "super::wire::moment"
    )]
    restarted: Option<Moment>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    available_replicas: u32,
    updated_replicas: u32,
    observed_generation: i64,
}

impl WireDeployment {
    /// What is shown of it.
    #[must_use]
    pub fn read(&self) -> Deployment {
        Deployment {
            name: clean(&self.metadata.name, 253),
            component: component(&self.metadata),
            desired: self.spec.replicas.unwrap_or(1),
            available: self.status.available_replicas,
            updated: self.status.updated_replicas,
            restarted: self
                .spec
                .template
                .metadata
                .annotations
                .as_ref()
                .and_then(|all| all.restarted),
            observed: self.status.observed_generation >= self.metadata.generation,
        }
    }
}
