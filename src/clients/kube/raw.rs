//! One object, or a list that is read once, by its path.

use std::time::Duration;

use serde::{Deserialize, de::DeserializeOwned};

use super::{Kube, failure, query};
use crate::incident::{Failure, FailureKind};

/// Pages of one list: 100,000 objects.
const PAGES: usize = 200;
/// How long a change may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads what lies at a path. `doing` says what for in a sentence: `get secret tls`.
///
/// # Errors
/// If it does not come in time, is refused, is not there or makes no sense.
pub async fn read<T: DeserializeOwned>(
    kube: &Kube,
    doing: &str,
    path: &str,
    patience: Duration,
) -> Result<T, Failure> {
    query::get(kube, doing, "application/json", path, patience).await
}

/// The same of one object, with its metadata alone: so that no Secret's data ever gets here.
///
/// # Errors
/// As [`read`].
pub async fn read_metadata<T: DeserializeOwned>(
    kube: &Kube,
    doing: &str,
    path: &str,
    patience: Duration,
) -> Result<T, Failure> {
    query::get(kube, doing, query::METADATA, path, patience).await
}

/// A whole list in pages of 500, each of which may take `patience`; `path` has no query.
///
/// # Errors
/// As [`read`]; and if it does not come to an end.
pub async fn list<T: DeserializeOwned>(
    kube: &Kube,
    doing: &str,
    path: &str,
    patience: Duration,
) -> Result<Vec<T>, Failure> {
    let mut all = Vec::new();
    let mut rest = String::new();
    for _ in 0..PAGES {
        let more = if rest.is_empty() {
            String::new()
        } else {
            format!("&continue={}", encode(&rest))
        };
        let uri = format!("{path}?limit=500{more}");
        let page: Page<T> = read(kube, doing, &uri, patience).await?;
        all.extend(page.items);
        rest = page.metadata.r#continue;
        if rest.is_empty() {
            return Ok(all);
        }
    }
    Err(Failure::new(
        FailureKind::Garbage,
        format!("{} does not come to an end with {doing}", kube.place),
    ))
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Page<T> {
    #[serde(default)]
    metadata: PageMeta,
    #[serde(default = "Vec::new", deserialize_with = "super::wire::list")]
    items: Vec<T>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PageMeta {
    r#continue: String,
}

/// Escapes what is not unreserved (RFC 3986 section 2.3).
#[must_use]
pub fn encode(text: &str) -> String {
    query::encode(text)
}

/// Deletes what lies at a path. What is gone already is no failure.
///
/// # Errors
/// If the API does not answer in time or refuses.
pub async fn delete(kube: &Kube, doing: &str, path: &str) -> Result<(), Failure> {
    let request = http::Request::delete(path)
        .body(Vec::new())
        .map_err(|error| {
            let error = ::kube::Error::HttpError(error);
            failure::request(&kube.place, doing, &error)
        })?;
    let sent = kube.client.request::<serde_json::Value>(request);
    match tokio::time::timeout(PATIENCE, sent).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(::kube::Error::Api(status))) if status.code == 404 => Ok(()),
        Ok(Err(error)) => Err(failure::request(&kube.place, doing, &error)),
        Err(_) => Err(failure::timeout(&kube.place, doing, PATIENCE.as_secs_f32())),
    }
}

/// Sets how many pods a Deployment has, by a JSON merge patch (RFC 7386).
///
/// # Errors
/// If the API does not answer in time or refuses.
pub async fn scale(kube: &Kube, namespace: &str, name: &str, replicas: u32) -> Result<(), Failure> {
    let doing = format!("scale deployment {name}");
    let path = format!(
        "/apis/apps/v1/namespaces/{}/deployments/{}?fieldManager=relight",
        encode(namespace),
        encode(name)
    );
    let merged = serde_json::json!({"spec": {"replicas": replicas}}).to_string();
    let request = http::Request::patch(path)
        .header(http::header::CONTENT_TYPE, "application/merge-patch+json")
        .body(merged.into_bytes())
        .map_err(|error| {
            let error = ::kube::Error::HttpError(error);
            failure::request(&kube.place, &doing, &error)
        })?;
    let sent = kube.client.request::<serde_json::Value>(request);
    match tokio::time::timeout(PATIENCE, sent).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(failure::request(&kube.place, &doing, &error)),
        Err(_) => Err(failure::timeout(
            &kube.place,
            &doing,
            PATIENCE.as_secs_f32(),
        )),
    }
}
