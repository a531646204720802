//! The proxy's load balancer: from the Service of type `LoadBalancer`, or from the Ingress where the chart runs behind
//! an ALB. Found by label: the chart names the Service after the release, the HA guide's script looks for another name.

use std::time::Duration;

use serde::Deserialize;

use super::{Kube, Query, list, pod::component, text::clean, wire::Meta};
use crate::incident::{Component, Failure, LoadBalancer};

/// How long one list may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// More addresses than this are not shown: an NLB has one host name.
const ADDRESSES: usize = 16;

/// A Service or an Ingress on the wire: their load balancer status has the same form.
#[derive(Debug, Deserialize)]
pub struct WireEntrance {
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
    r#type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    load_balancer: Balancer,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Balancer {
    ingress: Vec<Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    hostname: Option<String>,
    ip: Option<String>,
}

/// A way in, as far as it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrance {
    /// What is shown of it; without addresses while it has none.
    pub balancer: LoadBalancer,
    /// Whether it carries the proxy's label.
    pub proxy: bool,
}

impl WireEntrance {
    /// As a Service: `None` unless it is of type `LoadBalancer`.
    #[must_use]
    pub fn service(&self) -> Option<Entrance> {
        (self.spec.r#type.as_deref() == Some("LoadBalancer")).then(|| self.read("Service"))
    }

    /// As an Ingress.
    #[must_use]
    pub fn ingress(&self) -> Entrance {
        self.read("Ingress")
    }

    fn read(&self, kind: &str) -> Entrance {
        let addresses = self.status.load_balancer.ingress.iter();
        Entrance {
            balancer: LoadBalancer {
                source: format!("{kind} {}", clean(&self.metadata.name, 253)),
                addresses: addresses
                    .filter_map(|entry| entry.hostname.as_deref().or(entry.ip.as_deref()))
                    .filter(|address| is_address(address))
                    .take(ADDRESSES)
                    .map(str::to_ascii_lowercase)
                    .collect(),
            },
            proxy: component(&self.metadata) == Component::Proxy,
        }
    }
}

/// A host name or an address and nothing else: it will go into DNS records.
fn is_address(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b))
}

/// The one that leads to the proxy: with an address before without, the proxy's own label before others, Services
/// before Ingresses.
#[must_use]
pub fn choose<'a>(
    services: impl Iterator<Item = &'a Entrance>,
    ingresses: impl Iterator<Item = &'a Entrance>,
) -> Option<LoadBalancer> {
    services
        .map(|entrance| (0, entrance))
        .chain(ingresses.map(|entrance| (1, entrance)))
        .min_by_key(|(rank, entrance)| {
            (
                entrance.balancer.addresses.is_empty(),
                !entrance.proxy,
                *rank,
            )
        })
        .map(|(_, entrance)| entrance.balancer.clone())
}

/// The proxy's load balancer of a release. `Ok(None)` if there is none, or none has an address yet.
///
/// # Errors
/// If the API does not answer or refuses. Ingresses may be forbidden or absent as long as a Service has an address.
pub async fn load_balancer(
    kube: &Kube,
    namespace: &str,
    release: &str,
) -> Result<Option<LoadBalancer>, Failure> {
    let found = entrance(kube, namespace, release).await?;
    Ok(found.filter(|balancer| !balancer.addresses.is_empty()))
}

/// As [`load_balancer`], with one that has no address yet.
///
/// # Errors
/// As [`load_balancer`].
pub async fn entrance(
    kube: &Kube,
    namespace: &str,
    release: &str,
) -> Result<Option<LoadBalancer>, Failure> {
    let services: Vec<Entrance> =
        list::<WireEntrance>(kube, &Query::services(namespace, release), PATIENCE)
            .await?
            .items
            .iter()
            .filter_map(WireEntrance::service)
            .collect();
    if services
        .iter()
        .any(|service| service.proxy && !service.balancer.addresses.is_empty())
    {
        return Ok(choose(services.iter(), [].iter()));
    }
    let ingresses: Vec<Entrance> =
        match list::<WireEntrance>(kube, &Query::ingresses(namespace, release), PATIENCE).await {
            Ok(list) => list.items.iter().map(WireEntrance::ingress).collect(),
            Err(_) if !services.is_empty() => Vec::new(),
            Err(failure) => return Err(failure),
        };
    Ok(choose(services.iter(), ingresses.iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entrance(json: serde_json::Value) -> WireEntrance {
        serde_json::from_value(json).expect("an entrance")
    }

    #[test]
    fn the_load_balancer_is_found_by_label_and_type_never_by_name() {
        let auth = entrance(
            serde_json::json!({"metadata": {"name": "r-auth", "labels": {"app.kubernetes.io/component": "auth"}},
            "spec": {"type": "ClusterIP"}}),
        );
        assert_eq!(auth.service(), None);
        let other = entrance(
            serde_json::json!({"metadata": {"name": "extra"}, "spec": {"type": "LoadBalancer"},
            "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}]}}}),
        )
        .service()
        .expect("a load balancer");
        let proxy = entrance(serde_json::json!({"metadata": {"name": "any", "labels": {"app.kubernetes.io/component": "proxy"}},
            "spec": {"type": "LoadBalancer"},
            "status": {"loadBalancer": {"ingress": [{"hostname": "ABC.elb.us-west-2.amazonaws.com"}]}}})).service().expect("a load balancer");
        let alb = entrance(serde_json::json!({"metadata": {"name": "r-proxy", "labels": {"app.kubernetes.io/component": "proxy"}},
            "status": {"loadBalancer": {"ingress": [{"hostname": "alb.example"}]}}})).ingress();
        let all = [other.clone(), proxy];
        let chosen = choose(all.iter(), [].iter()).expect("one");
        assert_eq!(chosen.addresses, ["abc.elb.us-west-2.amazonaws.com"]);
        assert_eq!(chosen.source, "Service any");
        let chosen = choose([other].iter(), [alb].iter()).expect("one");
        assert_eq!(chosen.source, "Ingress r-proxy");
    }

    #[test]
    fn what_is_no_address_is_left_out() {
        let bad = entrance(
            serde_json::json!({"metadata": {"name": "x"}, "spec": {"type": "LoadBalancer"},
            "status": {"loadBalancer": {"ingress": [{"hostname": "a\u{1b}[2J.example"}, {"ip": ""}, {}, {"ip": "2001:db8::1"}]}}}),
        );
        assert_eq!(
            bad.service().expect("one").balancer.addresses,
            ["2001:db8::1"]
        );
    }
}
