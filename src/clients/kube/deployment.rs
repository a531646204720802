//! From a Deployment as the API server gives it to what is wanted against what there is.

use serde::Deserialize;

use super::{pod::component, text::clean, wire::Meta};
use crate::incident::Deployment;

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
            observed: self.status.observed_generation >= self.metadata.generation,
        }
    }
}
