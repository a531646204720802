//! An external-dns: which names it may write, what it takes for its own, and what asks it for names.

use serde_json::Value;

use super::{Target, base, replicas};
use crate::{
    clients::kube::{Kube, object::items, text::clean},
    incident::{ExternalDns, Failure, Reconciler, ReconcilerKind},
};

/// The annotation by which a Service or an Ingress asks for a name.
const HOSTNAME: &str = "external-dns.alpha.kubernetes.io/hostname";
/// How its flags are called as environment variables: `EXTERNAL_DNS_TXT_OWNER_ID`.
const VARIABLE: &str = "EXTERNAL_DNS";

/// An external-dns that may write these names: no domain filter, or one that a name lies under.
pub(super) fn external_dns(object: &Value, names: &[String]) -> Option<Reconciler> {
    let kind = ReconcilerKind::ExternalDns;
    let mut found = base(object, kind, "/apis/apps/v1", "deployments")?;
    let dns = settings(object);
    let under = |filter: &String| {
        let filter = filter.trim_matches('.').to_ascii_lowercase();
        names.iter().any(|name| {
            name == &filter
                || name
                    .strip_suffix(&filter)
                    .is_some_and(|rest| rest.ends_with('.'))
        })
    };
    if !dns.filters.is_empty() && !dns.filters.iter().any(under) {
        return None;
    }
    let zones = if dns.filters.is_empty() {
        "every zone it may write".to_owned()
    } else {
        dns.filters.join(", ")
    };
    let policy = &dns.policy;
    found.why = if policy == "sync" {
        format!("owns {zones}, and deletes the records when the Service goes (policy sync)")
    } else {
        format!("owns {zones} (policy {policy})")
    };
    found.acts = replicas(object);
    found.dns = Some(dns);
    Some(found)
}

/// Its flags, and the environment variables that stand for them; with its own defaults.
fn settings(object: &Value) -> ExternalDns {
    let containers = object["spec"]["template"]["spec"]["containers"].as_array();
    let containers: Vec<&Value> = containers.into_iter().flatten().collect();
    let args: Vec<&str> = containers
        .iter()
        .flat_map(|one| [&one["args"], &one["command"]])
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let of = |option: &str| -> Vec<String> {
        let mut values: Vec<&str> = Vec::new();
        for (at, arg) in args.iter().enumerate() {
            match arg.strip_prefix(option) {
                Some("") => values.extend(args.get(at + 1)),
                Some(rest) => values.extend(rest.strip_prefix('=')),
                None => {}
            }
        }
        let variable = option.trim_start_matches('-').replace('-', "_");
        let variable = format!("{VARIABLE}_{}", variable.to_ascii_uppercase());
        let set = containers
            .iter()
            .filter_map(|one| one["env"].as_array())
            .flatten()
            .filter(|one| one["name"] == variable.as_str())
            .filter_map(|one| one["value"].as_str());
        values.extend(set.flat_map(str::lines));
        values.into_iter().map(|text| clean(text, 253)).collect()
    };
    let or = |option: &str, usual: &str| of(option).pop().unwrap_or_else(|| usual.to_owned());
    ExternalDns {
        owner: or("--txt-owner-id", "default"),
        policy: or("--policy", "sync"),
        registry: or("--registry", "txt"),
        sources: of("--source"),
        filters: of("--domain-filter"),
    }
}

/// The host names that the release's namespace asks an external-dns for: by annotation, and by the rules of Ingresses.
///
/// # Errors
/// If Services or Ingresses cannot be listed.
pub(super) async fn hostnames(kube: &Kube, target: Target<'_>) -> Result<Vec<String>, Failure> {
    let namespace = target.namespace;
    let services = format!("/api/v1/namespaces/{namespace}/services");
    let ingresses = format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses");
    let mut all = items(kube, &services, "").await?;
    all.extend(items(kube, &ingresses, "").await?);
    Ok(all.iter().flat_map(asked).collect())
}

/// The names that an object asks for.
fn asked(object: &Value) -> Vec<String> {
    let annotated = object["metadata"]["annotations"][HOSTNAME].as_str();
    let annotated = annotated.into_iter().flat_map(|text| text.split(','));
    let rules = object["spec"]["rules"].as_array();
    let hosts = rules.into_iter().flatten();
    let hosts = hosts.filter_map(|rule| rule["host"].as_str());
    annotated
        .chain(hosts)
        .map(|name| clean(name.trim().trim_end_matches('.'), 253).to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_read_from_flags_and_from_the_environment() {
        let object =
            |container: Value| json!({"spec": {"template": {"spec": {"containers": [container]}}}});
        let dns = settings(&object(json!({})));
        assert_eq!(
            (&*dns.owner, &*dns.policy, &*dns.registry),
            ("default", "sync", "txt")
        );
        let dns = settings(&object(json!({
            "args": ["--source=service", "--source", "ingress", "--txt-owner-id=east"],
            "env": [
                {"name": "EXTERNAL_DNS_POLICY", "value": "upsert-only"},
                {"name": "EXTERNAL_DNS_DOMAIN_FILTER", "value": "example.com\nexample.org"},
                {"name": "EXTERNAL_DNS_TXT_PREFIX", "value": "x"}
            ]
        })));
        assert_eq!((&*dns.owner, &*dns.policy), ("east", "upsert-only"));
        assert_eq!(dns.sources, ["service", "ingress"]);
        assert_eq!(dns.filters, ["example.com", "example.org"]);
    }

    #[test]
    fn names_are_asked_for_by_annotation_and_by_rule() {
        let service = json!({"metadata": {"annotations": {HOSTNAME: "Tele.example.com., *.tele.example.com"}}});
        assert_eq!(asked(&service), ["tele.example.com", "*.tele.example.com"]);
        let ingress = json!({"spec": {"rules": [{"host": "tele.example.com"}, {}]}});
        assert_eq!(asked(&ingress), ["tele.example.com"]);
        assert!(asked(&json!({"metadata": {}})).is_empty());
    }
}
