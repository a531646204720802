//! Objects of kinds that this program does not know beforehand, as JSON: what the API server says it has, lists of it,
//! and merge patches.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{Kube, failure, text::clean};
use crate::incident::Failure;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Objects a page.
const PAGE: usize = 200;
/// Pages read of one list: 10,000 objects of such a kind are no Teleport cluster's.
const PAGES: usize = 50;
/// Who the API server says has written a field.
const MANAGER: &str = "relight";

/// The API groups of a cluster with the version that it prefers: `helm.toolkit.fluxcd.io` → `v2`.
///
/// # Errors
/// If the API does not answer or refuses.
pub async fn groups(kube: &Kube) -> Result<BTreeMap<String, String>, Failure> {
    let said = send(kube, "GET", "/apis", None, "list the API groups").await?;
    let groups = said["groups"].as_array();
    let pairs = groups.into_iter().flatten().filter_map(|group| {
        let name = group["name"].as_str()?;
        let version = group["preferredVersion"]["version"].as_str()?;
        (segment(name) && segment(version)).then(|| (name.to_owned(), version.to_owned()))
    });
    Ok(pairs.collect())
}

/// Every object of a collection: `path` as in `/apis/apps/v1/deployments`, `selector` a label selector or empty.
///
/// # Errors
/// As [`groups`].
pub async fn items(kube: &Kube, path: &str, selector: &str) -> Result<Vec<Value>, Failure> {
    let doing = format!("list {}", path.rsplit('/').next().unwrap_or(path));
    let mut all = Vec::new();
    let mut rest = String::new();
    for _ in 0..PAGES {
        let mut uri = format!("{path}?limit={PAGE}");
        for (key, value) in [("labelSelector", selector), ("continue", rest.as_str())] {
            if !value.is_empty() {
                uri = format!("{uri}&{key}={}", encode(value));
            }
        }
        let mut page = send(kube, "GET", &uri, None, &doing).await?;
        if let Some(items) = page["items"].as_array_mut() {
            all.append(items);
        }
        let more = page["metadata"]["continue"].as_str();
        more.unwrap_or_default().clone_into(&mut rest);
        if rest.is_empty() {
            break;
        }
    }
    Ok(all)
}

/// One object.
///
/// # Errors
/// As [`groups`]; [`crate::incident::FailureKind::NotFound`] if there is none.
pub async fn get(kube: &Kube, path: &str) -> Result<Value, Failure> {
    send(kube, "GET", path, None, &format!("get {}", tail(path))).await
}

/// Changes an object by a JSON merge patch (RFC 7386), under Relight's own field manager.
///
/// # Errors
/// As [`get`].
pub async fn merge(kube: &Kube, path: &str, change: &Value) -> Result<Value, Failure> {
    let uri = format!("{path}?fieldManager={MANAGER}");
    let doing = format!("patch {}", tail(path));
    send(kube, "PATCH", &uri, Some(change), &doing).await
}

/// Makes an object in a collection.
///
/// # Errors
/// As [`groups`].
pub async fn create(kube: &Kube, path: &str, object: &Value) -> Result<Value, Failure> {
    let uri = format!("{path}?fieldManager={MANAGER}");
    let doing = format!("create in {}", path.rsplit('/').next().unwrap_or(path));
    send(kube, "POST", &uri, Some(object), &doing).await
}

/// Deletes an object, and only the one that has this UID: another of its name stays.
///
/// # Errors
/// As [`get`].
pub async fn delete(kube: &Kube, path: &str, uid: &str) -> Result<(), Failure> {
    let options = serde_json::json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}});
    let doing = format!("delete {}", tail(path));
    send(kube, "DELETE", path, Some(&options), &doing)
        .await
        .map(|_| ())
}

/// `helmreleases/teleport` of a path.
fn tail(path: &str) -> String {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    format!("{}/{name}", parts.next().unwrap_or_default())
}

async fn send(
    kube: &Kube,
    method: &str,
    uri: &str,
    body: Option<&Value>,
    doing: &str,
) -> Result<Value, Failure> {
    let mut request = http::Request::builder()
        .method(method)
        .uri(uri)
        .header(http::header::ACCEPT, "application/json");
    if body.is_some() {
        let kind = if method == "PATCH" {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        request = request.header(http::header::CONTENT_TYPE, kind);
    }
    let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
    let request = request
        .body(body)
        .map_err(|error| failure::request(&kube.place, doing, &::kube::Error::HttpError(error)))?;
    match tokio::time::timeout(PATIENCE, kube.client.request::<Value>(request)).await {
        Ok(said) => said.map_err(|error| failure::request(&kube.place, doing, &error)),
        Err(_) => Err(failure::timeout(&kube.place, doing, PATIENCE.as_secs_f32())),
    }
}

/// Whether a text may stand in a path as it is: a group, a version, a namespace or a name.
#[must_use]
pub fn segment(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b))
}

/// A field's text, cleaned; empty where it is none.
#[must_use]
pub fn field(object: &Value, pointer: &str) -> String {
    let text = object.pointer(pointer).and_then(Value::as_str);
    clean(text.unwrap_or_default(), 253)
}

/// Escapes what is not unreserved (RFC 3986 section 2.3).
fn encode(text: &str) -> String {
    use std::fmt::Write as _;

    text.bytes()
        .fold(String::with_capacity(text.len()), |mut out, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
            out
        })
}
