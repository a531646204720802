//! A Helm release as its newest Secret holds it: base64 of base64 of gzip of JSON (Helm 3 and 4, driver `secret`).
//!
//! The values may hold secrets: they are handed over as one text and never shown.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{Kube, Query, list, raw, text::clean, wire::Named};
use crate::{
    clients::gunzip::gunzip,
    incident::{Failure, FailureKind, Release, black_box::OldRelease},
};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// The largest release read: a Secret holds at most 1 MiB of it packed, and templates pack well.
const CAP: usize = 32 << 20;

/// A release with its values.
#[derive(Clone, PartialEq, Eq)]
pub struct HelmRelease {
    /// What may be shown.
    pub release: OldRelease,
    /// The Secret that it was read from.
    pub secret: String,
    /// The values that it was installed with, as JSON.
    pub values: String,
}

#[derive(Deserialize)]
struct Secret {
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    release: Option<String>,
}

#[derive(Deserialize)]
struct Packed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: u32,
    #[serde(default)]
    info: Info,
    chart: Chart,
    #[serde(default)]
    config: Option<serde_json::Value>,
}

#[derive(Default, Deserialize)]
struct Info {
    #[serde(default)]
    status: String,
}

#[derive(Deserialize)]
struct Chart {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    version: String,
    app_version: Option<String>,
}

/// What Helm says of the newest revision of a release: `deployed`, `failed`, `pending-install`, …; `None` if there is no
/// such release.
///
/// # Errors
/// If the API does not answer or refuses.
pub async fn release_status(
    kube: &Kube,
    namespace: &str,
    name: &str,
) -> Result<Option<String>, Failure> {
    let found = newest(kube, namespace, name).await?;
    Ok(found.map(|found| {
        let status = found.metadata.labels.status.as_deref();
        clean(status.unwrap_or("of unknown status"), 40)
    }))
}

/// The newest revision of a release as Helm has recorded it, with the one before it that was deployed; `None` if there is
/// no such release.
///
/// # Errors
/// If the API does not answer or refuses.
pub async fn recorded(
    kube: &Kube,
    namespace: &str,
    name: &str,
) -> Result<Option<Release>, Failure> {
    let secrets = list::<Named>(kube, &Query::releases(namespace, name), PATIENCE).await?;
    let revisions = secrets.items.into_iter().filter_map(|secret| {
        let labels = secret.metadata.labels;
        Some(Release {
            name: labels.name.filter(|of| of == name)?,
            revision: labels.version?.parse().ok()?,
            status: clean(labels.status.as_deref()?, 32),
            deployed: None,
        })
    });
    Ok(Release::newest(revisions))
}

/// Makes Helm forget one revision of a release: what it made stays, and its next install takes that over by the
/// annotations that Helm has left on it.
///
/// # Errors
/// If the API does not answer or refuses.
pub async fn forget(kube: &Kube, namespace: &str, release: &Release) -> Result<(), Failure> {
    let secret = revision_secret(release);
    let path = format!(
        "/api/v1/namespaces/{}/secrets/{}",
        raw::encode(namespace),
        raw::encode(&secret)
    );
    raw::delete(kube, &format!("delete secret {secret}"), &path).await
}

/// The name of the Secret in which Helm 3 and 4 keep a revision.
#[must_use]
pub fn revision_secret(release: &Release) -> String {
    format!("sh.helm.release.v1.{}.v{}", release.name, release.revision)
}

/// The Secret of the newest revision, by its name and labels alone: with its contents each is up to 1 MiB.
async fn newest(kube: &Kube, namespace: &str, name: &str) -> Result<Option<Named>, Failure> {
    let secrets = list::<Named>(kube, &Query::releases(namespace, name), PATIENCE).await?;
    let own = secrets
        .items
        .into_iter()
        .filter(|secret| secret.metadata.labels.name.as_deref() == Some(name));
    Ok(own.max_by_key(|secret| {
        let version = secret.metadata.labels.version.as_deref();
        version.and_then(|version| version.parse::<u32>().ok())
    }))
}

/// Reads the newest revision of a release.
///
/// # Errors
/// If the API does not answer or refuses, there is no such release, or what is there is no release.
pub async fn release(kube: &Kube, namespace: &str, name: &str) -> Result<HelmRelease, Failure> {
    let Some(newest) = newest(kube, namespace, name).await? else {
        return Err(Failure::new(
            FailureKind::NotFound,
            format!(
                "{} has no Helm release {name} in namespace {namespace} (no Secret with owner=helm): check release and \
                 namespace in [cluster], or Helm keeps its releases elsewhere (HELM_DRIVER)",
                kube.place
            ),
        ));
    };
    let id = clean(&newest.metadata.name, 253);
    let path = format!(
        "/api/v1/namespaces/{}/secrets/{}",
        raw::encode(namespace),
        raw::encode(&id)
    );
    let secret: Secret = raw::read(kube, &format!("get secret {id}"), &path, PATIENCE).await?;
    let packed = secret.data.and_then(|data| data.release);
    unpack(packed.as_deref().unwrap_or_default(), id).map_err(|(id, why)| {
        Failure::new(
            FailureKind::Garbage,
            format!("Secret {id} in {} holds no Helm release: {why}", kube.place),
        )
    })
}

/// Reads the text of a release Secret's `data.release`.
fn unpack(text: &str, secret: String) -> Result<HelmRelease, (String, String)> {
    let read = || {
        let outer = STANDARD.decode(text).map_err(|_| "it is no base64")?;
        let inner = STANDARD
            .decode(outer.trim_ascii())
            .map_err(|_| "it is no base64 within")?;
        // Releases from before Helm packed them are plain JSON.
        let plain = if inner.starts_with(&[0x1f, 0x8b]) {
            gunzip(&inner, CAP)?
        } else {
            inner
        };
        serde_json::from_slice::<Packed>(&plain).map_err(|_| "it is no release in JSON")
    };
    let packed = match read() {
        Ok(packed) => packed,
        // The parser's own words would repeat what it choked on, which may be a secret.
        Err(why) => return Err((secret, why.to_owned())),
    };
    let config = packed.config.unwrap_or(serde_json::Value::Null);
    let values = match &config {
        serde_json::Value::Null => "{}".to_owned(),
        config => config.to_string(),
    };
    Ok(HelmRelease {
        release: OldRelease {
            name: clean(&packed.name, 53),
            revision: packed.version,
            status: clean(&packed.info.status, 40),
            chart: clean(&packed.chart.metadata.name, 100),
            version: clean(&packed.chart.metadata.version, 100),
            app_version: packed
                .chart
                .metadata
                .app_version
                .map(|version| clean(&version, 100)),
            digest: digest(&values),
        },
        secret,
        values,
    })
}

/// SHA-256 in hex.
#[must_use]
pub fn digest(text: &str) -> String {
    use std::fmt::Write as _;

    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(json: &str) -> String {
        STANDARD.encode(STANDARD.encode(json))
    }

    #[test]
    fn a_release_is_read_with_its_values() {
        let json = r#"{"name":"tc","version":4,"info":{"status":"deployed"},"config":{"clusterName":"a.b","token":"hunter2"},
            "chart":{"metadata":{"name":"teleport-cluster","version":"17.0.2","appVersion":"17.0.2"},"templates":[]}}"#;
        let Ok(read) = unpack(&packed(json), "s".to_owned()) else {
            unreachable!("a release")
        };
        assert_eq!(
            (read.release.revision, read.release.version.as_str()),
            (4, "17.0.2")
        );
        assert_eq!(read.values, r#"{"clusterName":"a.b","token":"hunter2"}"#);
        assert_eq!(read.release.digest, digest(&read.values));
    }

    #[test]
    fn what_is_no_release_is_told_without_repeating_it() {
        for text in [
            String::new(),
            "%".to_owned(),
            STANDARD.encode("%"),
            packed(""),
            packed(r#"{"config":"hunter2""#),
            STANDARD.encode(STANDARD.encode([0x1f, 0x8b, 8, 0, 0])),
        ] {
            let Err((_, why)) = unpack(&text, "s".to_owned()) else {
                unreachable!("{text} is a release")
            };
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
