//! The objects of a cluster with their versions, and the changes that watches are told.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::{stamp, text};
use crate::incident::Moment;

/// Changes remembered; a watch from before them is told 410.
const REMEMBERED: usize = 1000;

macro_rules! resources {
    ($($variant:ident = $plural:literal $kind:literal $version:literal,)+) => {
        /// A kind of object.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Resource {
            $(#[doc = concat!("`", $kind, "`")] $variant,)+
        }

        impl Resource {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// As in paths.
            #[must_use]
            pub const fn plural(self) -> &'static str {
                match self { $(Self::$variant => $plural),+ }
            }

            /// `kind`
            #[must_use]
            pub const fn kind(self) -> &'static str {
                match self { $(Self::$variant => $kind),+ }
            }

            /// `apiVersion`
            #[must_use]
            pub const fn version(self) -> &'static str {
                match self { $(Self::$variant => $version),+ }
            }
        }
    };
}

resources! {
    Applications = "applications" "Application" "argoproj.io/v1alpha1",
    ConfigMaps = "configmaps" "ConfigMap" "v1",
    Deployments = "deployments" "Deployment" "apps/v1",
    Events = "events" "Event" "v1",
    HelmReleases = "helmreleases" "HelmRelease" "helm.toolkit.fluxcd.io/v2",
    Ingresses = "ingresses" "Ingress" "networking.k8s.io/v1",
    Jobs = "jobs" "Job" "batch/v1",
    Kustomizations = "kustomizations" "Kustomization" "kustomize.toolkit.fluxcd.io/v1",
    Namespaces = "namespaces" "Namespace" "v1",
    Nodes = "nodes" "Node" "v1",
    Pods = "pods" "Pod" "v1",
    Secrets = "secrets" "Secret" "v1",
    ServiceAccounts = "serviceaccounts" "ServiceAccount" "v1",
    Services = "services" "Service" "v1",
}

impl Resource {
    /// Whether its objects live in namespaces.
    #[must_use]
    pub const fn namespaced(self) -> bool {
        !matches!(self, Self::Namespaces | Self::Nodes)
    }

    /// Whether it is a custom resource: installed where there is one of it.
    #[must_use]
    pub const fn custom(self) -> bool {
        matches!(
            self,
            Self::Applications | Self::HelmReleases | Self::Kustomizations
        )
    }

    /// The kind by its API version and plural.
    #[must_use]
    pub fn find(version: &str, plural: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|one| one.version() == version && one.plural() == plural)
    }
}

/// Why an API server refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub code: u16,
    /// `reason` of the Status object.
    pub reason: &'static str,
    /// `message` of the Status object.
    pub message: String,
}

impl Refusal {
    /// There is no such object.
    #[must_use]
    pub fn missing(resource: Resource, name: &str) -> Self {
        Self {
            code: 404,
            reason: "NotFound",
            message: format!("{} {name:?} not found", resource.plural()),
        }
    }

    /// The request makes no sense.
    #[must_use]
    pub fn bad(message: impl Into<String>) -> Self {
        Self {
            code: 400,
            reason: "BadRequest",
            message: message.into(),
        }
    }
}

/// One change.
#[derive(Clone, Debug)]
pub struct Change {
    /// The version it made.
    pub version: u64,
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub what: &'static str,
    /// Kind of the object.
    pub resource: Resource,
    /// The object after it, or before it was deleted.
    pub object: Value,
}

/// Objects by kind, namespace and name.
#[derive(Debug, Default)]
pub struct Store {
    objects: BTreeMap<(Resource, String, String), Value>,
    version: u64,
    made: u64,
    log: VecDeque<Change>,
}

impl Store {
    /// The newest version.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// One object.
    #[must_use]
    pub fn get(&self, resource: Resource, namespace: &str, name: &str) -> Option<&Value> {
        self.objects
            .get(&(resource, namespace.to_owned(), name.to_owned()))
    }

    /// Objects of a kind, of one namespace or of all, by namespace and name.
    pub fn list<'a>(
        &'a self,
        resource: Resource,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Value> {
        self.objects
            .iter()
            .filter(move |((kind, place, _), _)| {
                *kind == resource && namespace.is_none_or(|wanted| wanted == place)
            })
            .map(|(_, object)| object)
    }

    /// Changes after a version; `None` if they are no longer all remembered.
    #[must_use]
    pub fn changes(&self, after: u64) -> Option<impl Iterator<Item = &Change>> {
        let first = self
            .log
            .front()
            .map_or(self.version + 1, |change| change.version);
        (after + 1 >= first && after <= self.version).then(|| {
            self.log
                .iter()
                .skip_while(move |change| change.version <= after)
        })
    }

    /// Forgets all changes, as etcd does when it is compacted.
    pub fn compact(&mut self) {
        self.log.clear();
    }

    /// Adds an object and fills in its metadata.
    ///
    /// # Errors
    /// If it has no name, there is one of that name, or its namespace does not exist.
    pub fn create(
        &mut self,
        resource: Resource,
        namespace: &str,
        mut object: Value,
        now: Moment,
    ) -> Result<Value, Refusal> {
        if !object["metadata"].is_object() {
            return Err(Refusal::bad("metadata is missing"));
        }
        let name =
            text(&object, "/metadata/name").filter(|name| !name.is_empty() && name.len() <= 253);
        let name = name.ok_or_else(|| Refusal::bad("metadata.name: Required value"))?;
        let key = (resource, namespace.to_owned(), name.clone());
        if self.objects.contains_key(&key) {
            return Err(Refusal {
                code: 409,
                reason: "AlreadyExists",
                message: format!("{} {name:?} already exists", resource.plural()),
            });
        }
        if resource.namespaced() && self.get(Resource::Namespaces, "", namespace).is_none() {
            return Err(Refusal::missing(Resource::Namespaces, namespace));
        }
        self.made += 1;
        object["apiVersion"] = json!(resource.version());
        object["kind"] = json!(resource.kind());
        let metadata = &mut object["metadata"];
        if resource.namespaced() {
            metadata["namespace"] = json!(namespace);
        }
        if metadata["uid"].is_null() {
            metadata["uid"] = json!(format!("00000000-0000-4000-8000-{:012x}", self.made));
        }
        metadata["creationTimestamp"] = json!(stamp(now));
        metadata["generation"] = json!(1);
        self.put("ADDED", key, object.clone());
        Ok(self
            .get(resource, namespace, &name)
            .cloned()
            .unwrap_or(object))
    }

    /// Changes an object. Nothing is told where nothing changed.
    pub fn change(
        &mut self,
        resource: Resource,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> Option<Value> {
        let key = (resource, namespace.to_owned(), name.to_owned());
        let before = self.objects.get(&key)?;
        let mut after = before.clone();
        change(&mut after);
        if after != *before {
            if after["spec"] != before["spec"] {
                let generation = before["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
                after["metadata"]["generation"] = json!(generation);
            }
            self.put("MODIFIED", key.clone(), after);
        }
        self.objects.get(&key).cloned()
    }

    /// Removes an object.
    pub fn remove(&mut self, resource: Resource, namespace: &str, name: &str) {
        let key = (resource, namespace.to_owned(), name.to_owned());
        if let Some(object) = self.objects.remove(&key) {
            self.tell("DELETED", resource, object);
        }
    }

    fn put(&mut self, what: &'static str, key: (Resource, String, String), object: Value) {
        let resource = key.0;
        let told = self.tell(what, resource, object);
        self.objects.insert(key, told);
    }

    fn tell(&mut self, what: &'static str, resource: Resource, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        if self.log.len() == REMEMBERED {
            self.log.pop_front();
        }
        self.log.push_back(Change {
            version: self.version,
            what,
            resource,
            object: object.clone(),
        });
        object
    }
}
