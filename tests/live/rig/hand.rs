//! The rig's own hand on a Kubernetes API: requests with JSON bodies, one at a time, from tests that are not async.

use std::{path::Path, sync::Arc, time::Duration};

use relight::{clients::kube, plan::KubePlan};
use serde_json::Value;
use tokio::runtime::Runtime;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client of one API server. Cheap to clone; not for use inside a runtime.
#[derive(Clone)]
pub struct Hand {
    runtime: Arc<Runtime>,
    client: ::kube::Client,
}

impl Hand {
    /// The hand of a context.
    pub fn new(kubeconfig: &Path, context: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let plan = KubePlan {
            context: Some(context.to_owned()),
            kubeconfig: Some(kubeconfig.to_owned()),
            uid: None,
            eks_cluster: None,
        };
        let made = runtime.block_on(kube::connect(&plan)).expect("a client");
        Self {
            runtime: Arc::new(runtime),
            client: made.client,
        }
    }

    /// Sends a request and gives the text of the answer.
    ///
    /// # Errors
    /// With what went wrong in words: no answer, or what the server refuses.
    pub fn text(&self, method: &str, path: &str, body: Option<&Value>) -> Result<String, String> {
        let kind = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind)
            .body(body.map_or_else(Vec::new, |body| body.to_string().into_bytes()))
            .expect("a request");
        let asking = async {
            tokio::time::timeout(PATIENCE, self.client.request_text(request))
                .await
                .map_err(|_| format!("{method} {path}: no answer in time"))?
                .map_err(|error| format!("{method} {path}: {error}"))
        };
        self.runtime.block_on(asking)
    }

    /// Sends a request and gives the object of the answer.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let text = self.text(method, path, body)?;
        serde_json::from_str(&text).map_err(|error| format!("{method} {path}: {error} in {text}"))
    }

    /// Reads an object or a list.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn get(&self, path: &str) -> Result<Value, String> {
        self.ask("GET", path, None)
    }

    /// Makes an object.
    pub fn make(&self, path: &str, object: &Value) -> Value {
        self.ask("POST", path, Some(object)).expect("made")
    }

    /// The items of a list; none while the API does not answer.
    pub fn list(&self, path: &str) -> Vec<Value> {
        self.get(path)
            .ok()
            .and_then(|list| list["items"].as_array().cloned())
            .unwrap_or_default()
    }
}
