//! Teleport's custom resources and what the operator says of them. Kinds are taken from the API server's discovery, since
//! each version of the operator has others.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{
    Kube, identity,
    object::{self, field, groups, items, segment},
    text::clean,
};
use crate::incident::{
    Failure, FailureKind, Resources,
    resources::{Applied, Unreconciled},
};

/// The operator's group.
const GROUP: &str = "resources.teleport.dev";
/// Flux's group of Kustomizations.
pub const KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";
/// The condition that the operator sets (`integrations/operator/controllers/reconcilers`).
const RECONCILED: &str = "SuccessfullyReconciled";
/// How long an API server may take to say which cluster it is.
const PATIENCE: Duration = Duration::from_secs(5);
/// Names that are kept.
const NAMED: usize = 20;
/// How much of a message is kept.
const WORDS: usize = 200;

/// What is there in a namespace; `flux` names Kustomizations as `namespace/name`.
///
/// # Errors
/// If the API does not answer at all. What alone is forbidden or fails is in [`Resources::gaps`].
pub async fn resources(
    kube: &Kube,
    namespace: &str,
    release: &str,
    flux: &[String],
) -> Result<Resources, Failure> {
    let groups = groups(kube).await?;
    let mut seen = Resources {
        context: kube.context.to_string(),
        uid: identity(kube, PATIENCE).await?,
        ..Resources::default()
    };
    let deployments = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    let label = format!("app.kubernetes.io/instance={release}");
    match items(kube, &deployments, &label).await {
        Ok(found) => seen.operator = found.iter().find_map(|one| operator(one, release)),
        Err(failure) => seen.gaps.push(failure),
    }
    if groups.contains_key(GROUP) {
        for (plural, version) in kinds(kube).await? {
            let path = format!("/apis/{GROUP}/{version}/namespaces/{namespace}/{plural}");
            match items(kube, &path, "").await {
                Ok(found) => add(&mut seen, &plural, &found),
                Err(failure) => seen.gaps.push(failure),
            }
        }
    }
    for name in flux {
        let path = kustomization(&groups, name);
        let found = match path {
            Ok(path) => object::get(kube, &path).await,
            Err(why) => Err(why),
        };
        match found {
            Ok(object) => seen.flux.push(applied(name, &object)),
            Err(failure) => seen.gaps.push(failure),
        }
    }
    Ok(seen)
}

/// Where a Kustomization lies.
///
/// # Errors
/// If Flux is not installed, or the name is none.
pub fn kustomization(groups: &BTreeMap<String, String>, name: &str) -> Result<String, Failure> {
    let Some(version) = groups.get(KUSTOMIZE) else {
        return Err(Failure::new(
            FailureKind::NotFound,
            format!("Kustomization {name}: this cluster has no Flux ({KUSTOMIZE})"),
        ));
    };
    let split = name.split_once('/');
    let Some((namespace, own)) = split.filter(|(a, b)| segment(a) && segment(b)) else {
        return Err(Failure::new(
            FailureKind::Other,
            format!("{name} names no Kustomization as namespace/name"),
        ));
    };
    Ok(format!(
        "/apis/{KUSTOMIZE}/{version}/namespaces/{namespace}/kustomizations/{own}"
    ))
}

/// Every kind of the operator's group that has objects of its own in a namespace, with one version that serves it.
async fn kinds(kube: &Kube) -> Result<BTreeMap<String, String>, Failure> {
    let group = object::get(kube, &format!("/apis/{GROUP}")).await?;
    let mut kinds = BTreeMap::new();
    for version in group["versions"].as_array().into_iter().flatten() {
        let version = field(version, "/version");
        if !segment(&version) {
            continue;
        }
        let list = object::get(kube, &format!("/apis/{GROUP}/{version}")).await?;
        for kind in list["resources"].as_array().into_iter().flatten() {
            let name = field(kind, "/name");
            if segment(&name) && kind["namespaced"] == true {
                kinds.entry(name).or_insert_with(|| version.clone());
            }
        }
    }
    Ok(kinds)
}

fn operator(object: &Value, release: &str) -> Option<(String, u32)> {
    let label = |key: &str| object["metadata"]["labels"][key].as_str();
    let name = field(object, "/metadata/name");
    let is = label("app.kubernetes.io/component") == Some("operator")
        || label("app.kubernetes.io/name") == Some("teleport-operator")
        || name == format!("{release}-operator");
    let available = object["status"]["availableReplicas"].as_u64();
    is.then(|| {
        (
            name,
            u32::try_from(available.unwrap_or(0)).unwrap_or(u32::MAX),
        )
    })
}

fn add(seen: &mut Resources, plural: &str, found: &[Value]) {
    if !found.is_empty() {
        seen.kinds += 1;
    }
    for object in found {
        seen.objects += 1;
        let name = format!("{plural}/{}", field(object, "/metadata/name"));
        match state(object) {
            State::Reconciled => seen.reconciled += 1,
            State::Failed(why) if seen.failed.len() < NAMED => {
                seen.failed.push(Unreconciled { name, why });
            }
            State::Waiting if seen.waiting.len() < NAMED => {
                let why = String::new();
                seen.waiting.push(Unreconciled { name, why });
            }
            State::Failed(_) | State::Waiting => {}
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Reconciled,
    Failed(String),
    Waiting,
}

/// What the operator says of the newest generation. Its conditions need not name a generation: then they are taken for
/// the newest one.
fn state(object: &Value) -> State {
    let generation = object["metadata"]["generation"].as_u64().unwrap_or(0);
    let conditions = object["status"]["conditions"].as_array();
    let mut own = conditions.into_iter().flatten().filter(|one| {
        let observed = one["observedGeneration"].as_u64().unwrap_or(0);
        observed == 0 || observed >= generation
    });
    let told = |one: &Value| {
        let message = one["message"].as_str().unwrap_or_default();
        let reason = one["reason"].as_str().unwrap_or_default();
        clean(if message.is_empty() { reason } else { message }, WORDS)
    };
    // One of its other conditions may be what keeps it: not owned, malformed, no client.
    let mut broken = None;
    let mut reconciled = None;
    for one in own.by_ref() {
        if one["type"] == RECONCILED {
            reconciled = Some(one);
        } else if one["status"] == "False" {
            broken.get_or_insert_with(|| told(one));
        }
    }
    match (reconciled, broken) {
        (Some(one), _) if one["status"] == "True" => State::Reconciled,
        (Some(one), broken) if one["status"] == "False" => {
            State::Failed(broken.unwrap_or_else(|| told(one)))
        }
        (_, Some(why)) => State::Failed(why),
        _ => State::Waiting,
    }
}

fn applied(name: &str, object: &Value) -> Applied {
    let generation = object["metadata"]["generation"].as_u64().unwrap_or(0);
    let observed = object["status"]["observedGeneration"].as_u64().unwrap_or(0);
    let asked = object["metadata"]["annotations"][REQUESTED].as_str();
    let handled = object["status"]["lastHandledReconcileAt"].as_str();
    let conditions = object["status"]["conditions"].as_array();
    let ready = conditions
        .into_iter()
        .flatten()
        .find(|one| one["type"] == "Ready");
    Applied {
        name: name.to_owned(),
        suspended: object["spec"]["suspend"] == true,
        ready: ready.is_some_and(|one| one["status"] == "True")
            && observed >= generation
            && (asked.is_none() || asked == handled),
        words: ready.map_or_else(String::new, |one| {
            clean(one["message"].as_str().unwrap_or_default(), WORDS)
        }),
    }
}

/// The annotation by which Flux is asked to reconcile now.
pub const REQUESTED: &str = "reconcile.fluxcd.io/requestedAt";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(conditions: &Value) -> Value {
        json!({"metadata": {"name": "x", "generation": 3}, "status": {"conditions": conditions}})
    }

    #[test]
    fn only_the_operators_own_word_for_the_newest_generation_counts() {
        let condition = |kind: &str, status: &str, message: &str, observed: u64| json!({"type": kind, "status": status, "message": message, "reason": "R", "observedGeneration": observed});
        let cases = [
            (json!([]), State::Waiting),
            (
                json!([condition(RECONCILED, "True", "", 3)]),
                State::Reconciled,
            ),
            (
                json!([condition(RECONCILED, "True", "", 0)]),
                State::Reconciled,
            ),
            (
                json!([condition(RECONCILED, "True", "", 2)]),
                State::Waiting,
            ),
            (
                json!([condition(RECONCILED, "False", "denied", 3)]),
                State::Failed("denied".to_owned()),
            ),
            (
                json!([condition(RECONCILED, "False", "", 3)]),
                State::Failed("R".to_owned()),
            ),
            (
                json!([
                    condition("TeleportResourceOwned", "False", "not owned", 3),
                    condition(RECONCILED, "Unknown", "", 3)
                ]),
                State::Failed("not owned".to_owned()),
            ),
            (
                json!([condition(RECONCILED, "Unknown", "", 3)]),
                State::Waiting,
            ),
        ];
        for (conditions, wanted) in cases {
            assert_eq!(state(&object(&conditions)), wanted, "{conditions}");
        }
    }

    #[test]
    fn flux_is_ready_once_it_has_handled_what_it_was_asked() {
        let kustomization = |handled: &str, observed: u64| {
            json!({"metadata": {"generation": 2, "annotations": {REQUESTED: "b"}},
                "status": {"observedGeneration": observed, "lastHandledReconcileAt": handled,
                    "conditions": [{"type": "Ready", "status": "True", "message": "Applied revision: main"}]}})
        };
        assert!(applied("f/t", &kustomization("b", 2)).ready);
        assert!(!applied("f/t", &kustomization("a", 2)).ready);
        assert!(!applied("f/t", &kustomization("b", 1)).ready);
    }

    #[test]
    fn a_kustomization_is_named_by_namespace_and_name_and_needs_flux() {
        let groups = BTreeMap::from([(KUSTOMIZE.to_owned(), "v1".to_owned())]);
        let path = kustomization(&groups, "flux-system/t").expect("a path");
        assert!(path.ends_with("/v1/namespaces/flux-system/kustomizations/t"));
        assert!(kustomization(&groups, "t").is_err());
        assert!(kustomization(&groups, "a/b/c").is_err());
        assert!(kustomization(&BTreeMap::new(), "a/b").is_err());
    }
}
