//! The Kubernetes API of the context that helm was given.

use kube::{
    Client, Config, Error,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::Value;

use super::args::Args;
use crate::practice::world::cluster::Resource;

/// A connected API, in one namespace.
pub(super) struct Api {
    client: Client,
    pub namespace: String,
}

impl Api {
    /// Connects as helm does: `--kubeconfig`, `--kube-context`, `--namespace`.
    pub(super) async fn connect(args: &Args) -> Result<Self, String> {
        let unreachable = |why: String| format!("Kubernetes cluster unreachable: {why}");
        let kubeconfig = match args.get("kubeconfig") {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        let kubeconfig = kubeconfig.map_err(|error| unreachable(error.to_string()))?;
        let options = KubeConfigOptions {
            context: args.get("kube-context").map(str::to_owned),
            ..KubeConfigOptions::default()
        };
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(|_| {
                unreachable(format!(
                    "context {:?} does not exist",
                    args.get("kube-context").unwrap_or_default()
                ))
            })?;
        // Practice is on loopback: no proxy has a part in it.
        config.proxy_url = None;
        config.default_retry = false;
        config.connect_timeout = Some(std::time::Duration::from_secs(3));
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = config.cluster_url.to_string();
        let client = Client::try_from(config).map_err(|error| unreachable(error.to_string()))?;
        let api = Self {
            client,
            namespace: args.get("namespace").unwrap_or("default").to_owned(),
        };
        let patience = std::time::Duration::from_secs(10);
        match tokio::time::timeout(patience, api.send("GET", "/version", None)).await {
            Ok(Ok(_)) => Ok(api),
            Ok(Err(error)) => Err(unreachable(format!(
                "Get \"{}version\": {}",
                server,
                words(&error)
            ))),
            Err(_) => Err(unreachable(format!(
                "Get \"{server}version\": net/http: request canceled (Client.Timeout exceeded while awaiting headers)"
            ))),
        }
    }

    async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let mut request = http::Request::builder().method(method).uri(path);
        if body.is_some() {
            let kind = if method == "PATCH" {
                "application/merge-patch+json"
            } else {
                "application/json"
            };
            request = request.header(http::header::CONTENT_TYPE, kind);
        }
        let body = body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default();
        self.client
            .request(request.body(body).map_err(Error::HttpError)?)
            .await
    }

    /// What `tctl` in an Auth pod of a Deployment printed.
    pub(super) async fn tctl(&self, call: &Value) -> Result<String, String> {
        let path = format!("/practice/{}/tctl", self.namespace);
        let said = self.send("POST", &path, Some(call)).await;
        let said = said.map_err(|error| words(&error))?;
        Ok(said["said"].as_str().unwrap_or_default().to_owned())
    }

    /// Where a ready pod of a Deployment listens.
    pub(super) async fn forward(&self, deployment: &str) -> Result<String, String> {
        let path = format!("/practice/{}/forward", self.namespace);
        let call = serde_json::json!({"deployment": deployment});
        let said = self.send("POST", &path, Some(&call)).await;
        let said = said.map_err(|error| words(&error))?;
        Ok(said["said"].as_str().unwrap_or_default().to_owned())
    }

    fn path(&self, resource: Resource, name: &str) -> String {
        let root = if resource.version().contains('/') {
            "/apis"
        } else {
            "/api"
        };
        let place = if resource.namespaced() {
            format!("/namespaces/{}", self.namespace)
        } else {
            String::new()
        };
        let name = if name.is_empty() {
            String::new()
        } else {
            format!("/{name}")
        };
        format!(
            "{root}/{}{place}/{}{name}",
            resource.version(),
            resource.plural()
        )
    }

    /// An object, or `None`.
    pub(super) async fn get(
        &self,
        resource: Resource,
        name: &str,
    ) -> Result<Option<Value>, String> {
        absent_is_none(self.send("GET", &self.path(resource, name), None).await)
    }

    /// Objects with a label.
    pub(super) async fn list(
        &self,
        resource: Resource,
        selector: &str,
    ) -> Result<Vec<Value>, String> {
        let path = format!(
            "{}?labelSelector={}",
            self.path(resource, ""),
            selector.replace('=', "%3D").replace('/', "%2F")
        );
        let mut list = self
            .send("GET", &path, None)
            .await
            .map_err(|error| words(&error))?;
        match list["items"].take() {
            Value::Array(items) => Ok(items),
            _ => Ok(Vec::new()),
        }
    }

    /// Makes an object; one that is there already is an error.
    pub(super) async fn create(&self, resource: Resource, object: &Value) -> Result<Value, String> {
        self.send("POST", &self.path(resource, ""), Some(object))
            .await
            .map_err(|error| words(&error))
    }

    /// Changes an object.
    pub(super) async fn patch(
        &self,
        resource: Resource,
        name: &str,
        patch: &Value,
    ) -> Result<Value, String> {
        self.send("PATCH", &self.path(resource, name), Some(patch))
            .await
            .map_err(|error| words(&error))
    }

    /// Deletes an object; one that is gone is fine.
    pub(super) async fn delete(&self, resource: Resource, name: &str) -> Result<(), String> {
        absent_is_none(self.send("DELETE", &self.path(resource, name), None).await).map(|_| ())
    }

    /// Every release of the namespace.
    pub(super) async fn releases(&self) -> Result<Vec<Value>, String> {
        self.list(Resource::Secrets, "owner=helm").await
    }

    /// The record of a release.
    pub(super) async fn release(&self, name: &str) -> Result<Option<Value>, String> {
        let found = self
            .list(Resource::Secrets, &format!("owner=helm,name={name}"))
            .await?;
        Ok(found.into_iter().next_back())
    }
}

fn absent_is_none(result: Result<Value, Error>) -> Result<Option<Value>, String> {
    match result {
        Ok(object) => Ok(Some(object)),
        Err(Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(words(&error)),
    }
}

/// The innermost cause: what Go would print.
fn words(error: &Error) -> String {
    if let Error::Api(status) = error {
        return status.message.clone();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
