//! What is asked of a Kubernetes API, and how: pages of a list, one object, a watch.

use std::time::Duration;

use futures::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};
use serde::{Deserialize, de::DeserializeOwned};

use super::{Kube, failure};
use crate::incident::{ClusterKind, Failure, FailureKind};

/// Objects a page.
const PAGE: usize = 500;
/// Pages of one list: 100,000 objects are no Teleport release any more.
const PAGES: usize = 200;
/// The largest page read: 500 pods with long specs come to about 10 MB.
const PAGE_BYTES: u64 = 64 << 20;
/// The longest line of a watch: etcd holds 1.5 MB an object.
const LINE_BYTES: u64 = 4 << 20;
/// Asks for metadata alone, so that no Secret's data ever gets here.
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
/// The same for a watch.
pub(super) const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// A kind of object of one release, as it is listed and watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The kind.
    pub what: ClusterKind,
    path: String,
    filter: String,
    metadata_only: bool,
}

impl Query {
    /// A kind in a namespace, with the release's instance label.
    fn of_release(what: ClusterKind, api: &str, namespace: &str, release: &str) -> Self {
        let label = encode(&format!("app.kubernetes.io/instance={release}"));
        Self {
            what,
            path: format!("{api}/namespaces/{}/{what}", encode(namespace)),
            filter: format!("labelSelector={label}"),
            metadata_only: false,
        }
    }

    /// Pods of the release, those of its hook Jobs among them.
    #[must_use]
    pub fn pods(namespace: &str, release: &str) -> Self {
        Self::of_release(ClusterKind::Pods, "/api/v1", namespace, release)
    }

    /// Deployments of the release.
    #[must_use]
    pub fn deployments(namespace: &str, release: &str) -> Self {
        Self::of_release(
            ClusterKind::Deployments,
            "/apis/apps/v1",
            namespace,
            release,
        )
    }

    /// Services of the release.
    #[must_use]
    pub fn services(namespace: &str, release: &str) -> Self {
        Self::of_release(ClusterKind::Services, "/api/v1", namespace, release)
    }

    /// Ingresses of the release.
    #[must_use]
    pub fn ingresses(namespace: &str, release: &str) -> Self {
        Self::of_release(
            ClusterKind::Ingresses,
            "/apis/networking.k8s.io/v1",
            namespace,
            release,
        )
    }

    /// Warning events of the namespace: events carry no labels.
    #[must_use]
    pub fn events(namespace: &str) -> Self {
        Self {
            what: ClusterKind::Events,
            path: format!("/api/v1/namespaces/{}/events", encode(namespace)),
            filter: format!("fieldSelector={}", encode("type=Warning")),
            metadata_only: false,
        }
    }

    /// Every node of the cluster.
    #[must_use]
    pub fn nodes() -> Self {
        Self {
            what: ClusterKind::Nodes,
            path: "/api/v1/nodes".to_owned(),
            filter: String::new(),
            metadata_only: false,
        }
    }

    /// Helm's release Secrets: their labels, never their data, which holds the values.
    #[must_use]
    pub fn releases(namespace: &str, release: &str) -> Self {
        let label = encode(&format!("owner=helm,name={release}"));
        Self {
            what: ClusterKind::Secrets,
            path: format!("/api/v1/namespaces/{}/secrets", encode(namespace)),
            filter: format!("labelSelector={label}"),
            metadata_only: true,
        }
    }

    fn uri(&self, more: &str) -> String {
        let joint = if self.filter.is_empty() { "" } else { "&" };
        format!("{}?{more}{joint}{}", self.path, self.filter)
    }
}

/// Escapes what is not unreserved (RFC 3986 section 2.3).
pub(super) fn encode(text: &str) -> String {
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

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Page<T> {
    #[serde(default)]
    metadata: PageMeta,
    #[serde(default = "Vec::new", deserialize_with = "super::wire::list")]
    items: Vec<T>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PageMeta {
    resource_version: String,
    r#continue: String,
}

/// A whole list and the version it is of.
#[derive(Debug)]
pub struct List<T> {
    /// Its objects, in the server's order.
    pub items: Vec<T>,
    /// Where a watch takes up.
    pub version: String,
}

/// Reads a whole list in pages of 500. Each page may take `patience`.
///
/// # Errors
/// If a page does not come in time, is refused or makes no sense.
pub async fn list<T: DeserializeOwned>(
    kube: &Kube,
    query: &Query,
    patience: Duration,
) -> Result<List<T>, Failure> {
    let mut all = List {
        items: Vec::new(),
        version: String::new(),
    };
    let mut rest = String::new();
    for _ in 0..PAGES {
        let more = if rest.is_empty() {
            format!("limit={PAGE}")
        } else {
            format!("limit={PAGE}&continue={}", encode(&rest))
        };
        let page: Page<T> = fetch(kube, query, &query.uri(&more), patience).await?;
        all.items.extend(page.items);
        all.version = page.metadata.resource_version;
        rest = page.metadata.r#continue;
        if rest.is_empty() {
            return Ok(all);
        }
    }
    Err(Failure::new(
        FailureKind::Garbage,
        format!(
            "{} lists {} without an end; more than {} were not read",
            kube.place,
            query.what,
            PAGE * PAGES
        ),
    ))
}

/// Whether there is any such object: one small, consistent read.
///
/// # Errors
/// As [`list`].
pub async fn any(kube: &Kube, query: &Query, patience: Duration) -> Result<bool, Failure> {
    let page: Page<serde::de::IgnoredAny> =
        fetch(kube, query, &query.uri("limit=1"), patience).await?;
    Ok(!page.items.is_empty())
}

/// The UID of the `kube-system` namespace, which nobody can delete: the identity of a cluster.
///
/// # Errors
/// As [`list`].
pub async fn identity(kube: &Kube, patience: Duration) -> Result<Option<String>, Failure> {
    let query = Query {
        what: ClusterKind::Namespaces,
        path: "/api/v1/namespaces/kube-system".to_owned(),
        filter: String::new(),
        metadata_only: false,
    };
    let namespace: super::wire::Named = fetch(kube, &query, &query.path, patience).await?;
    Ok((!namespace.metadata.uid.is_empty())
        .then(|| super::text::clean(&namespace.metadata.uid, 64)))
}

async fn fetch<T: DeserializeOwned>(
    kube: &Kube,
    query: &Query,
    uri: &str,
    patience: Duration,
) -> Result<T, Failure> {
    let doing = format!("list {}", query.what);
    let accept = if query.metadata_only {
        METADATA_LIST
    } else {
        "application/json"
    };
    get(kube, &doing, accept, uri, patience).await
}

/// One bounded GET.
pub(super) async fn get<T: DeserializeOwned>(
    kube: &Kube,
    doing: &str,
    accept: &str,
    uri: &str,
    patience: Duration,
) -> Result<T, Failure> {
    let read = async {
        let stream = open(kube, uri, accept, doing).await?;
        let mut body = Vec::new();
        let mut capped = stream.take(PAGE_BYTES);
        capped
            .read_to_end(&mut body)
            .await
            .map_err(|error| failure::request(&kube.place, doing, &kube_error(error)))?;
        if capped.limit() == 0 {
            return Err(Failure::new(
                FailureKind::Garbage,
                format!(
                    "{} answered {doing} with more than {} MiB",
                    kube.place,
                    PAGE_BYTES >> 20
                ),
            ));
        }
        serde_json::from_slice(&body).map_err(|error| {
            failure::request(&kube.place, doing, &::kube::Error::SerdeError(error))
        })
    };
    tokio::time::timeout(patience, read)
        .await
        .unwrap_or_else(|_| Err(failure::timeout(&kube.place, doing, patience.as_secs_f32())))
}

fn kube_error(error: std::io::Error) -> ::kube::Error {
    ::kube::Error::ReadEvents(error)
}

async fn open(
    kube: &Kube,
    uri: &str,
    accept: &str,
    doing: &str,
) -> Result<impl AsyncBufRead + Send + Unpin + use<>, Failure> {
    let request = http::Request::get(uri)
        .header(http::header::ACCEPT, accept)
        // kube decodes only the first member of a gzipped watch, and 1.37 sends one member an event.
        .header(http::header::ACCEPT_ENCODING, "identity")
        .body(Vec::new())
        .map_err(|error| {
            Failure::new(
                FailureKind::Other,
                format!("{} cannot be asked to {doing}: {error}", kube.place),
            )
        })?;
    let stream = kube
        .client
        .request_stream(request)
        .await
        .map_err(|error| failure::request(&kube.place, doing, &error))?;
    Ok(Box::pin(stream))
}

/// One thing that a watch tells.
#[derive(Debug, PartialEq, Eq)]
pub enum Change<T> {
    /// Added or changed.
    Put(T),
    /// Gone.
    Gone(T),
    /// Nothing happened; the watch is alive.
    Bookmark,
}

/// A running watch.
pub struct Watch {
    stream: Box<dyn AsyncBufRead + Send + Unpin>,
    line: Vec<u8>,
    place: std::sync::Arc<str>,
    doing: String,
}

/// Starts a watch from a version on. The server ends it by itself after about five minutes.
///
/// # Errors
/// If the API does not answer within `patience`, or refuses; a version that it has forgotten is [`FailureKind::Other`].
pub async fn watch(
    kube: &Kube,
    query: &Query,
    version: &str,
    patience: Duration,
) -> Result<Watch, Failure> {
    let doing = format!("watch {}", query.what);
    let accept = if query.metadata_only {
        METADATA
    } else {
        "application/json"
    };
    // Watches of several clients that began together should not end together.
    let lifetime = 240 + fastrand::u32(0..60);
    let uri = query.uri(&format!(
        "watch=true&allowWatchBookmarks=true&timeoutSeconds={lifetime}&resourceVersion={}",
        encode(version)
    ));
    let stream = tokio::time::timeout(patience, open(kube, &uri, accept, &doing))
        .await
        .map_err(|_| failure::timeout(&kube.place, &doing, patience.as_secs_f32()))??;
    Ok(Watch {
        stream: Box::new(stream),
        line: Vec::new(),
        place: kube.place.clone(),
        doing,
    })
}

impl Watch {
    /// The next change; `Ok(None)` when the server ended the watch. Cancel-safe only in that the watch must then be
    /// dropped.
    ///
    /// # Errors
    /// If the connection breaks, the server reports an error (410: relist), or a line makes no sense.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<Change<T>>, Failure> {
        self.line.clear();
        let read = (&mut self.stream)
            .take(LINE_BYTES)
            .read_until(b'\n', &mut self.line)
            .await
            .map_err(|error| failure::request(&self.place, &self.doing, &kube_error(error)))?;
        if read == 0 {
            return Ok(None);
        }
        if self.line.last() != Some(&b'\n') && read as u64 >= LINE_BYTES {
            return Err(Failure::new(
                FailureKind::Garbage,
                format!(
                    "{} sent a line of more than {} MiB to {}",
                    self.place,
                    LINE_BYTES >> 20,
                    self.doing
                ),
            ));
        }
        decode(&self.line, &self.place, &self.doing).map(Some)
    }
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    r#type: std::borrow::Cow<'a, str>,
    #[serde(default)]
    object: HeadObject,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct HeadObject {
    code: u16,
    message: String,
}

#[derive(Deserialize)]
struct Body<T> {
    object: T,
}

/// One line of a watch.
fn decode<T: DeserializeOwned>(
    line: &[u8],
    place: &str,
    doing: &str,
) -> Result<Change<T>, Failure> {
    let garbage = |error| failure::request(place, doing, &::kube::Error::SerdeError(error));
    let body = |line| {
        serde_json::from_slice::<Body<T>>(line)
            .map(|body| body.object)
            .map_err(garbage)
    };
    let head: Head<'_> = serde_json::from_slice(line).map_err(garbage)?;
    match &*head.r#type {
        "ADDED" | "MODIFIED" => Ok(Change::Put(body(line)?)),
        "DELETED" => Ok(Change::Gone(body(line)?)),
        "BOOKMARK" => Ok(Change::Bookmark),
        "ERROR" => Err(failure::refused(
            place,
            doing,
            head.object.code,
            &head.object.message,
        )),
        other => Err(Failure::new(
            FailureKind::Garbage,
            format!("{place} answered {doing} with an event {other:?} that no API server sends"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_cannot_leave_their_place_in_the_path() {
        let query = Query::pods("a/../b?x=1", "r&limit=9");
        assert_eq!(
            query.uri("limit=1"),
            "/api/v1/namespaces/a%2F..%2Fb%3Fx%3D1/pods?limit=1&labelSelector=app.kubernetes.io%2Finstance%3Dr%26limit%3D9"
        );
        assert_eq!(Query::nodes().uri("limit=1"), "/api/v1/nodes?limit=1");
    }

    #[test]
    fn a_line_is_a_change_an_error_or_garbage() {
        let read = |line: &str| decode::<serde_json::Value>(line.as_bytes(), "p", "watch pods");
        assert_eq!(
            read(r#"{"type":"ADDED","object":{"a":1}}"#),
            Ok(Change::Put(serde_json::json!({"a":1})))
        );
        assert_eq!(
            read(r#"{"type":"DELETED","object":{"a":1}}"#),
            Ok(Change::Gone(serde_json::json!({"a":1})))
        );
        assert_eq!(
            read(r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}}"#),
            Ok(Change::Bookmark)
        );
        let gone =
            read(r#"{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}"#);
        assert!(gone.expect_err("410").detail.contains("410"));
        for bad in ["", "{", "[]", r#"{"type":"SURPRISE","object":{}}"#, "\u{0}"] {
            assert_eq!(
                read(bad).expect_err(bad).kind,
                FailureKind::Garbage,
                "{bad:?}"
            );
        }
    }
}
