//! Where the recovery cluster's proxies get their certificate from: what the values name, asked of ACM and of the cluster.

use base64::Engine as _;
use serde::Deserialize;

use super::{
    aws::{Reach, certificates},
    certificate,
    kube::{Kube, account::get, text::clean},
};
use crate::{
    incident::{
        Certificate, Component, Failure, FailureKind, Part, Values,
        tls::{Issuer, Managed, Readiness, Tls, Way},
    },
    plan::Plan,
};

/// The group of cert-manager's own issuers.
const GROUP: &str = "cert-manager.io";

/// Looks at every way that the values name; at the plan's certificate where they name none.
///
/// # Errors
/// If the values cannot be read: then nobody knows which way it is.
pub async fn look(
    plan: &Plan,
    values: &Part<Values>,
    kube: &Part<Kube>,
    reach: &Reach,
) -> Part<Tls> {
    let values = values.as_ref().map_err(Clone::clone)?;
    let mut ways = Vec::new();
    for arn in values.certificates() {
        ways.push(Way::Acm {
            arn: arn.to_owned(),
            found: certificates::describe(reach, arn).await,
        });
    }
    let get = |path: &[&str]| values.get(Component::Proxy, path);
    if get(&["highAvailability", "certManager", "enabled"]) == Some("true") {
        let kind = get(&["highAvailability", "certManager", "issuerKind"]).unwrap_or("Issuer");
        let group = get(&["highAvailability", "certManager", "issuerGroup"]).unwrap_or(GROUP);
        let name = get(&["highAvailability", "certManager", "issuerName"]).unwrap_or_default();
        ways.push(Way::Issuer {
            name: format!("{kind} {name}"),
            found: issuer(plan, kube, (kind, group, name)).await,
        });
    }
    if let Some(name) = get(&["tls", "existingSecretName"]) {
        ways.push(Way::Secret {
            name: name.to_owned(),
            found: secret(plan, kube, name).await,
        });
    }
    if get(&["acme"]) == Some("true") {
        ways.push(Way::Acme);
    }
    // A load balancer that is not the chart's may take the planned one: then the values say nothing of it.
    if let (true, Some(arn)) = (ways.is_empty(), &plan.recovery.certificate) {
        ways.push(Way::Acm {
            arn: arn.clone(),
            found: certificates::describe(reach, arn).await,
        });
    }
    let names = plan.cluster.names();
    Ok(Tls {
        region: plan.recovery.region.clone(),
        ways,
        known: certificates::of_names(reach, &names).await,
    })
}

/// A cert-manager object: of an issuer, the parts that say how it proves names.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wire {
    spec: WireSpec,
    status: WireStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireSpec {
    acme: Option<Acme>,
    dns_names: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Acme {
    solvers: Vec<Solver>,
}

/// Only whether a key is there counts: what is in it may name secrets.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Solver {
    http01: Option<serde::de::IgnoredAny>,
    dns01: Option<Dns01>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Dns01 {
    route53: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireStatus {
    conditions: Vec<Condition>,
    not_after: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Condition {
    r#type: String,
    status: String,
    reason: String,
    message: String,
}

impl Wire {
    fn ready(&self) -> Readiness {
        let ready = self
            .status
            .conditions
            .iter()
            .find(|one| one.r#type == "Ready");
        Readiness {
            status: ready.and_then(|one| match one.status.as_str() {
                "True" => Some(true),
                "False" => Some(false),
                _ => None,
            }),
            words: ready.map_or_else(
                || "cert-manager has said nothing of it yet".to_owned(),
                |one| clean(&format!("{}: {}", one.reason, one.message), 300),
            ),
        }
    }

    fn issuer(&self) -> Issuer {
        let solvers = self.spec.acme.as_ref().map(|acme| acme.solvers.as_slice());
        let solvers = solvers.unwrap_or_default();
        Issuer {
            ready: self.ready(),
            route53: solvers
                .iter()
                .any(|one| one.dns01.as_ref().is_some_and(|dns| dns.route53.is_some())),
            http: solvers.iter().any(|one| one.http01.is_some()),
            certificate: None,
        }
    }

    fn certificate(&self) -> Managed {
        Managed {
            ready: self.ready(),
            names: self
                .spec
                .dns_names
                .iter()
                .take(32)
                .map(|name| clean(name, 253))
                .collect(),
            until: self
                .status
                .not_after
                .as_deref()
                .and_then(|text| text.parse().ok()),
        }
    }
}

async fn issuer(
    plan: &Plan,
    kube: &Part<Kube>,
    (kind, group, name): (&str, &str, &str),
) -> Part<Issuer> {
    let kube = kube.as_ref().map_err(Clone::clone)?;
    if name.is_empty() {
        return Err(Failure::new(
            FailureKind::NotPlanned,
            "the values name no highAvailability.certManager.issuerName: set it, or issuer in [recovery]",
        ));
    }
    if group != GROUP {
        return Err(Failure::new(
            FailureKind::NotPlanned,
            format!(
                "{kind} {name} is of the group {group}, which is not looked into; see to it by hand"
            ),
        ));
    }
    let namespace = &plan.cluster.namespace;
    let api = "/apis/cert-manager.io/v1";
    let path = match kind {
        "ClusterIssuer" => format!("{api}/clusterissuers/{name}"),
        _ => format!("{api}/namespaces/{namespace}/issuers/{name}"),
    };
    let wire: Wire = get(kube, &path, &format!("get {kind} {name}"))
        .await
        .map_err(|failure| match failure.kind {
            FailureKind::NotFound => Failure::new(
                FailureKind::NotFound,
                format!(
                    "there is no {kind} {name} in the recovery cluster, or no cert-manager: install it, or name another \
                     as issuer in [recovery]"
                ),
            ),
            _ => failure,
        })?;
    let mut issuer = wire.issuer();
    let release = &plan.cluster.release;
    let path = format!("{api}/namespaces/{namespace}/certificates/{release}");
    match get::<Wire>(kube, &path, &format!("get Certificate {release}")).await {
        Ok(wire) => issuer.certificate = Some(wire.certificate()),
        // The chart makes it.
        Err(failure) if failure.kind == FailureKind::NotFound => {}
        Err(failure) => return Err(failure),
    }
    Ok(issuer)
}

/// The public part of a TLS Secret. The key beside it is passed over while the answer is read.
#[derive(Deserialize)]
struct TlsSecret {
    #[serde(default)]
    data: TlsData,
}

#[derive(Default, Deserialize)]
struct TlsData {
    #[serde(rename = "tls.crt")]
    certificate: Option<String>,
    /// Whether it is there, not what it is.
    #[serde(rename = "tls.key")]
    key: Option<serde::de::IgnoredAny>,
}

async fn secret(plan: &Plan, kube: &Part<Kube>, name: &str) -> Part<Certificate> {
    let kube = kube.as_ref().map_err(Clone::clone)?;
    let namespace = &plan.cluster.namespace;
    let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
    let secret: TlsSecret = get(kube, &path, &format!("get Secret {namespace}/{name}"))
        .await
        .map_err(|failure| match failure.kind {
            FailureKind::NotFound => Failure::new(
                FailureKind::NotFound,
                format!(
                    "there is no Secret {namespace}/{name} in the recovery cluster: make it from the certificate that the \
                     primary has (kubectl create secret tls {name} --cert … --key …)"
                ),
            ),
            _ => failure,
        })?;
    read(&secret, &format!("Secret {namespace}/{name}"))
}

fn read(secret: &TlsSecret, place: &str) -> Part<Certificate> {
    let garbage = |why: &str| Failure::new(FailureKind::Garbage, format!("{place} {why}"));
    let Some(text) = &secret.data.certificate else {
        return Err(garbage(
            "has no tls.crt: it is not of type kubernetes.io/tls",
        ));
    };
    if secret.data.key.is_none() {
        return Err(garbage(
            "has no tls.key, without which the proxies cannot use it",
        ));
    }
    let pem = base64::engine::general_purpose::STANDARD
        .decode(text)
        .map_err(|_| garbage("holds a tls.crt that is not base64"))?;
    // The first is the server's own; what follows is its chain.
    let leaf = x509_parser::pem::Pem::iter_from_buffer(&pem)
        .filter_map(Result::ok)
        .find(|block| block.label == "CERTIFICATE")
        .ok_or_else(|| garbage("holds a tls.crt without a certificate"))?;
    certificate::read(&leaf.contents, None)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parsed(value: Value) -> TlsSecret {
        serde_json::from_value(value).expect("a secret")
    }

    #[test]
    fn a_secret_gives_its_names_and_its_end_and_nothing_else() {
        let names = vec!["t.example.com".to_owned(), "*.t.example.com".to_owned()];
        let made = rcgen::generate_simple_self_signed(names.clone()).expect("a certificate");
        let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let whole =
            json!({"data": {"tls.crt": encode(&made.cert.pem()), "tls.key": encode("secret")}});
        let found = read(&parsed(whole.clone()), "Secret t/x").expect("a certificate");
        assert_eq!(found.names, names);
        for (part, value, words) in [
            ("tls.crt", Value::Null, "no tls.crt"),
            ("tls.key", Value::Null, "no tls.key"),
            ("tls.crt", json!("%"), "not base64"),
            ("tls.crt", json!(encode("hello")), "without a certificate"),
        ] {
            let mut torn = whole.clone();
            torn["data"][part] = value;
            let failure = read(&parsed(torn), "Secret t/x").expect_err(words);
            assert!(failure.detail.contains(words), "{failure}");
            assert!(!failure.detail.contains("c2VjcmV0"), "{failure}");
        }
    }

    #[test]
    fn an_issuer_says_how_it_proves_names() {
        let wire: Wire = serde_json::from_value(json!({
            "spec": {"acme": {"server": "https://x", "solvers": [{"dns01": {"route53": {"region": "us-west-2"}}}]}},
            "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "ACMEAccountRegistered"}]}}))
        .expect("an issuer");
        let issuer = wire.issuer();
        assert!(issuer.route53 && !issuer.http);
        assert_eq!(issuer.ready.status, Some(true));
        let bare: Wire = serde_json::from_value(json!({"spec": {"ca": {}}})).expect("an issuer");
        assert_eq!(bare.issuer().ready.status, None);
        let made: Wire = serde_json::from_value(json!({"spec": {"dnsNames": ["a"]},
            "status": {"notAfter": "2027-01-01T00:00:00Z", "conditions": [{"type": "Ready", "status": "False", "message": "waiting"}]}}))
        .expect("a certificate");
        let made = made.certificate();
        assert_eq!((made.ready.status, made.names.len()), (Some(false), 1));
        assert!(made.until.is_some() && made.ready.words.contains("waiting"));
    }
}
