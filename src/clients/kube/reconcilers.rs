//! What acts by itself on a release or its names in a Kubernetes cluster: found by what the API server says it has, so
//! that a kind that is not installed is "not there" and one that is forbidden is a gap.

mod external_dns;

use serde_json::Value;

use self::external_dns::{external_dns, hostnames};
use super::{
    Kube, identity,
    object::{field, groups, items, segment},
};
use crate::incident::{Failure, FailureKind, Reconciler, ReconcilerKind, Reconcilers};

/// The annotation on a paused object that remembers what the field was, in JSON.
pub const REMEMBERED: &str = "relight.dev/paused-from";

/// Flux's groups: who applies manifests, and who installs charts.
const KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";
const HELM: &str = "helm.toolkit.fluxcd.io";
/// Argo CD's group. Argo Rollouts lives in it as well.
const ARGO: &str = "argoproj.io";
/// How charts and the project's own manifests label external-dns.
const EXTERNAL_DNS: [&str; 3] = [
    "app.kubernetes.io/name=external-dns",
    "app=external-dns",
    "k8s-app=external-dns",
];

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The release's namespace.
    pub namespace: &'a str,
    /// The release.
    pub release: &'a str,
    /// The names that lead to it, wildcards with their star.
    pub names: &'a [String],
}

/// Looks for everything that acts by itself.
///
/// # Errors
/// If the API does not answer at all. What alone is forbidden or fails is in [`Reconcilers::gaps`].
pub async fn reconcilers(kube: &Kube, target: Target<'_>) -> Result<Reconcilers, Failure> {
    let groups = groups(kube).await?;
    let mut seen = Reconcilers {
        context: kube.context.to_string(),
        uid: identity(kube, std::time::Duration::from_secs(5)).await?,
        ..Reconcilers::default()
    };
    let deployments = format!("/apis/apps/v1/namespaces/{}/deployments", target.namespace);
    let label = format!("app.kubernetes.io/instance={}", target.release);
    let own = items(kube, &deployments, &label).await;
    let own = take(own, &mut seen.gaps);
    let mut releases = Vec::new();
    if let Some(version) = groups.get(HELM) {
        let api = format!("/apis/{HELM}/{version}");
        let path = format!("{api}/helmreleases");
        if let Some(listed) = listed(items(kube, &path, "").await, &mut seen.gaps) {
            releases = listed;
            let found = releases
                .iter()
                .filter_map(|one| helm_release(one, target, &own, &api));
            seen.found.extend(found);
        }
    }
    if let Some(version) = groups.get(KUSTOMIZE) {
        let api = format!("/apis/{KUSTOMIZE}/{version}");
        let path = format!("{api}/kustomizations");
        if let Some(listed) = listed(items(kube, &path, "").await, &mut seen.gaps) {
            // Who applies the HelmRelease, or the release's objects themselves.
            let applied: Vec<&Value> = releases
                .iter()
                .filter(|one| helm_release(one, target, &own, "").is_some())
                .chain(&own)
                .collect();
            let found = listed
                .iter()
                .filter_map(|one| kustomization(one, &applied, &api));
            seen.found.extend(found);
        }
    }
    if !groups.contains_key(HELM) && !groups.contains_key(KUSTOMIZE) {
        seen.absent.push("Flux".to_owned());
    }
    let applications = match groups.get(ARGO) {
        Some(version) => {
            let api = format!("/apis/{ARGO}/{version}");
            let listed = listed(
                items(kube, &format!("{api}/applications"), "").await,
                &mut seen.gaps,
            );
            listed.map(|all| (api, all))
        }
        None => None,
    };
    match applications {
        Some((api, all)) => {
            let found = all
                .iter()
                .filter_map(|one| application(one, target, &own, &api));
            seen.found.extend(found);
        }
        None if seen
            .gaps
            .iter()
            .any(|gap| gap.detail.contains("applications")) => {}
        None => seen.absent.push("Argo CD".to_owned()),
    }
    for selector in EXTERNAL_DNS {
        let listed = items(kube, "/apis/apps/v1/deployments", selector).await;
        for one in take(listed, &mut seen.gaps) {
            let found = external_dns(&one, target.names);
            let known = |new: &Reconciler| seen.found.iter().any(|old| old.title() == new.title());
            if let Some(found) = found.filter(|new| !known(new)) {
                seen.found.push(found);
            }
        }
    }
    if seen.found.iter().any(|one| one.dns.is_some()) {
        seen.hostnames = Some(hostnames(kube, target).await);
    }
    seen.found
        .extend(own.iter().filter_map(|one| operator(one, target)));
    seen.found
        .sort_by(|a, b| (a.kind, &a.namespace, &a.name).cmp(&(b.kind, &b.namespace, &b.name)));
    // The same refusal for three selectors is said once.
    seen.gaps.dedup();
    Ok(seen)
}

/// What was listed; `None` if the group is there and this kind of it is not, or if it could not be looked at.
fn listed(said: Result<Vec<Value>, Failure>, gaps: &mut Vec<Failure>) -> Option<Vec<Value>> {
    match said {
        Ok(items) => Some(items),
        Err(failure) if failure.kind == FailureKind::NotFound => None,
        Err(failure) => {
            gaps.push(failure);
            None
        }
    }
}

fn take(said: Result<Vec<Value>, Failure>, gaps: &mut Vec<Failure>) -> Vec<Value> {
    said.unwrap_or_else(|failure| {
        gaps.push(failure);
        Vec::new()
    })
}

/// What every object has: its place, what is remembered on it, and who owns it. `None` if its place is no path.
fn base(object: &Value, kind: ReconcilerKind, api: &str, plural: &str) -> Option<Reconciler> {
    let (namespace, name) = (
        field(object, "/metadata/namespace"),
        field(object, "/metadata/name"),
    );
    if !segment(&namespace) || !segment(&name) {
        return None;
    }
    let owner = object["metadata"]["ownerReferences"][0].clone();
    let owner = owner["kind"]
        .is_string()
        .then(|| format!("{} {}", field(&owner, "/kind"), field(&owner, "/name")));
    let before = object["metadata"]["annotations"][REMEMBERED].as_str();
    Some(Reconciler {
        kind,
        api: api.to_owned(),
        plural: plural.to_owned(),
        namespace,
        name,
        why: String::new(),
        acts: None,
        before: before.map(|text| super::text::clean(text, 2000)),
        owner,
        dns: None,
    })
}

fn label<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object["metadata"]["labels"][name].as_str()
}

/// Whether one of these objects carries the labels by which Flux marks what `NAMESPACE/NAME` has applied.
fn marked(objects: &[&Value], group: &str, namespace: &str, name: &str) -> bool {
    objects.iter().any(|object| {
        label(object, &format!("{group}/name")) == Some(name)
            && label(object, &format!("{group}/namespace")) == Some(namespace)
    })
}

/// `spec.suspend` of a Flux object: it acts unless that is true.
fn suspend(object: &Value) -> Option<String> {
    (object["spec"]["suspend"] != true).then(|| object["spec"]["suspend"].to_string())
}

/// A `HelmRelease` whose release is this one, by its spec (name and namespace as helm-controller works them out) or by its
/// labels on the release's Deployments.
fn helm_release(
    object: &Value,
    target: Target<'_>,
    own: &[Value],
    api: &str,
) -> Option<Reconciler> {
    let mut found = base(object, ReconcilerKind::FluxHelmRelease, api, "helmreleases")?;
    let spec = |name: &str| {
        object["spec"][name]
            .as_str()
            .filter(|text| !text.is_empty())
    };
    let into = spec("targetNamespace").unwrap_or(&found.namespace);
    let release = match (spec("releaseName"), spec("targetNamespace")) {
        (Some(name), _) => name.to_owned(),
        (None, Some(to)) => format!("{to}-{}", found.name),
        (None, None) => found.name.clone(),
    };
    let by_spec = into == target.namespace && release == target.release;
    let own: Vec<&Value> = own.iter().collect();
    if !by_spec && !marked(&own, HELM, &found.namespace, &found.name) {
        return None;
    }
    found.why = format!("installs release {} again", target.release);
    found.acts = suspend(object);
    Some(found)
}

/// A Kustomization that has applied one of these objects, as Flux labels them.
fn kustomization(object: &Value, applied: &[&Value], api: &str) -> Option<Reconciler> {
    let kind = ReconcilerKind::FluxKustomization;
    let mut found = base(object, kind, api, "kustomizations")?;
    if !marked(applied, KUSTOMIZE, &found.namespace, &found.name) {
        return None;
    }
    "applies the release from Git".clone_into(&mut found.why);
    found.acts = suspend(object);
    Some(found)
}

/// An Application that deploys into the release's namespace, or whose tracking id is on the release's Deployments.
fn application(object: &Value, target: Target<'_>, own: &[Value], api: &str) -> Option<Reconciler> {
    let kind = ReconcilerKind::ArgoApplication;
    let mut found = base(object, kind, api, "applications")?;
    let into = object["spec"]["destination"]["namespace"] == target.namespace;
    let tracked = own.iter().any(|object| {
        let id = object["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"].as_str();
        let app = id.and_then(|id| id.split(':').next()).unwrap_or_default();
        app == found.name || app == format!("{}_{}", found.namespace, found.name)
    });
    if !into && !tracked {
        return None;
    }
    found.why = if tracked {
        "tracks the release's Deployments".to_owned()
    } else {
        format!("deploys into namespace {}", target.namespace)
    };
    let automated = &object["spec"]["syncPolicy"]["automated"];
    found.acts =
        (automated.is_object() && automated["enabled"] != false).then(|| automated.to_string());
    Some(found)
}

/// `spec.replicas` of a Deployment, unless it is none.
fn replicas(object: &Value) -> Option<String> {
    let wanted = object["spec"]["replicas"].as_u64().unwrap_or(1);
    (wanted > 0).then(|| wanted.to_string())
}

/// The Teleport operator of a chart before 15.2, or of a version that it does not tell.
fn operator(object: &Value, target: Target<'_>) -> Option<Reconciler> {
    let kind = ReconcilerKind::Operator;
    let mut found = base(object, kind, "/apis/apps/v1", "deployments")?;
    let is_operator = label(object, "app.kubernetes.io/component") == Some("operator")
        || label(object, "app.kubernetes.io/name") == Some("teleport-operator")
        || found.name == format!("{}-operator", target.release);
    let version = label(object, "app.kubernetes.io/version").unwrap_or_default();
    if !is_operator || safe(version) {
        return None;
    }
    let said = if version.is_empty() {
        "of unknown version".to_owned()
    } else {
        super::text::clean(version, 40)
    };
    found.why =
        format!("operator {said}: before 15.2, uninstalling it deletes the resources it manages");
    found.acts = replicas(object);
    Some(found)
}

/// 15.2 and up.
fn safe(version: &str) -> bool {
    let mut parts = version.trim_start_matches('v').split('.');
    let mut number = || parts.next().and_then(|part| part.parse::<u32>().ok());
    let (major, minor) = (number(), number());
    matches!((major, minor), (Some(16..), _) | (Some(15), Some(2..)))
}

#[cfg(test)]
#[path = "reconcilers_tests.rs"]
mod tests;
