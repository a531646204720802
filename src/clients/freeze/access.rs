//! Who may run commands in the Auth pods: a freeze does not bind them, since `tctl` there acts as the Auth Service itself
//! (guide, "Imposing a change freeze").

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    clients::kube::{
        Kube,
        object::{self, field, segment},
    },
    incident::Failure,
};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// A user, group or service account that RBAC lets exec into the pods of the namespace.
pub type Exec = String;

/// Everybody whom RBAC lets exec into the pods of a namespace: `Group ops by ClusterRole admin`.
///
/// # Errors
/// If the API server does not answer or does not let roles and bindings be listed.
pub async fn execs(kube: &Kube, namespace: &str) -> Result<Vec<Exec>, Failure> {
    let mut roles = Vec::new();
    let mut bindings = Vec::new();
    // A plan's namespace may stand in a path as it is, or there is no such namespace.
    let within = segment(namespace).then(|| format!("/namespaces/{namespace}"));
    let within = within.unwrap_or_default();
    for (to, path) in [
        (&mut roles, format!("{RBAC}/clusterroles")),
        (&mut bindings, format!("{RBAC}/clusterrolebindings")),
    ] {
        to.extend(
            object::items(kube, &path, "")
                .await?
                .into_iter()
                .map(|one| (true, one)),
        );
    }
    for (to, path) in [
        (&mut roles, format!("{RBAC}{within}/roles")),
        (&mut bindings, format!("{RBAC}{within}/rolebindings")),
    ] {
        to.extend(
            object::items(kube, &path, "")
                .await?
                .into_iter()
                .map(|one| (false, one)),
        );
    }
    Ok(by(&roles, &bindings))
}

fn by(roles: &[(bool, Value)], bindings: &[(bool, Value)]) -> Vec<Exec> {
    let may: BTreeSet<(bool, String)> = roles
        .iter()
        .filter(|(_, role)| grants(role))
        .map(|(wide, role)| (*wide, field(role, "/metadata/name")))
        .collect();
    let mut found = BTreeSet::new();
    for (_, binding) in bindings {
        let wide = binding["roleRef"]["kind"] == "ClusterRole";
        let name = field(binding, "/roleRef/name");
        if !may.contains(&(wide, name.clone())) {
            continue;
        }
        for subject in binding["subjects"].as_array().into_iter().flatten() {
            let place = match field(subject, "/namespace") {
                place if place.is_empty() => place,
                place => format!("{place}/"),
            };
            let kind = if wide { "ClusterRole" } else { "Role" };
            found.insert(format!(
                "{} {place}{} by {kind} {name}",
                field(subject, "/kind"),
                field(subject, "/name")
            ));
        }
    }
    found.into_iter().collect()
}

fn grants(role: &Value) -> bool {
    let has = |rule: &Value, key: &str, wanted: &[&str]| {
        let words = rule[key].as_array().into_iter().flatten();
        words
            .filter_map(Value::as_str)
            .any(|word| wanted.contains(&word))
    };
    let rules = role["rules"].as_array().into_iter().flatten();
    rules.into_iter().any(|rule| {
        has(rule, "apiGroups", &["", "*"])
            && has(rule, "resources", &["pods/exec", "*/exec", "*"])
            // Over a websocket exec is a GET.
            && has(rule, "verbs", &["create", "get", "*"])
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_may_exec_is_told_with_the_role_and_who_may_only_read_pods_is_not() {
        let role = |name: &str, resource: &str, verb: &str| json!({"metadata": {"name": name}, "rules": [{"apiGroups": [""], "resources": [resource], "verbs": [verb]}]});
        let binding = |role: &str, kind: &str, who: &str| json!({"roleRef": {"kind": kind, "name": role}, "subjects": [{"kind": "Group", "name": who}]});
        let roles = [
            (true, role("cluster-admin", "*", "*")),
            (true, role("view", "pods", "get")),
            (false, role("debug", "pods/exec", "create")),
        ];
        let bindings = [
            (true, binding("cluster-admin", "ClusterRole", "masters")),
            (true, binding("view", "ClusterRole", "everybody")),
            (false, binding("debug", "Role", "ops")),
            (false, binding("debug", "ClusterRole", "no such role")),
        ];
        assert_eq!(
            by(&roles, &bindings),
            [
                "Group masters by ClusterRole cluster-admin",
                "Group ops by Role debug"
            ]
        );
    }
}
