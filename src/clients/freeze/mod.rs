//! `tctl` in a running Auth pod, by the plan's own kubectl: the client library's exec would need a websocket stack that
//! nothing else here does. It acts as the Auth Service itself, so locks on roles do not bind it.

mod access;
mod memory;

use std::time::Duration;

use serde_json::Value;

pub use access::{Exec, execs};
pub use memory::{Memory, MemoryError};

use crate::{
    clients::{kube::text::clean, kubectl},
    incident::{Failure, FailureKind, Freeze, FreezeRole, RoleLock, Side},
    plan::Plan,
};

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// The command line of `tctl ARGS` on a side: never a shell line, context and namespace always explicit.
///
/// # Errors
/// If the plan names no kube context.
pub fn command_line(plan: &Plan, side: Side, args: &[String]) -> Result<Vec<String>, Failure> {
    let mut line = kubectl::on(plan, side)?;
    let pod = format!("deploy/{}-auth", plan.cluster.release);
    line.extend(["exec", &pod, "-c", "teleport", "--", "tctl"].map(str::to_owned));
    line.extend(args.iter().cloned());
    Ok(line)
}

/// Runs `tctl ARGS` on a side and gives what it printed.
///
/// # Errors
/// If kubectl cannot be started, does not answer in time, or fails: with the first of its words.
pub async fn tctl(plan: &Plan, side: Side, args: &[String]) -> Result<String, Failure> {
    let line = command_line(plan, side, args)?;
    let context = plan.side(side).kube.context.as_deref().unwrap_or_default();
    let place = format!(
        "tctl {} in context {context}, namespace {}",
        args.first().map_or("", String::as_str),
        plan.cluster.namespace
    );
    kubectl::run(&line, &place, PATIENCE).await
}

/// Roles that may change something, and locks on roles, as the Auth Service of a side tells them. What is remembered and
/// the cluster's UID are the caller's to add.
///
/// # Errors
/// As [`tctl`], or if what it printed is no list of resources.
pub async fn look(plan: &Plan, side: Side) -> Result<Freeze, Failure> {
    let get = |what: &str| ["get", what, "--format=json"].map(str::to_owned);
    let roles = roles(&tctl(plan, side, &get("roles")).await?)?;
    let locks = locks(&tctl(plan, side, &get("locks")).await?)?;
    Ok(Freeze {
        context: plan.side(side).kube.context.clone().unwrap_or_default(),
        roles,
        locks,
        ..Freeze::default()
    })
}

fn list(text: &str, what: &str) -> Result<Vec<Value>, Failure> {
    // Nothing at all, or null, is how an empty list is printed by some versions.
    if matches!(text.trim(), "" | "null") {
        return Ok(Vec::new());
    }
    serde_json::from_str(text).map_err(|error| {
        Failure::new(
            FailureKind::Garbage,
            format!("`tctl get {what}` printed no list in JSON: {error}"),
        )
    })
}

fn text(value: &Value, pointer: &str) -> String {
    clean(
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default(),
        200,
    )
}

fn words(value: &Value) -> Vec<String> {
    let all = value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    all.map(|one| clean(one, 100)).collect()
}

/// The roles of `tctl get roles --format=json` that may change something.
fn roles(said: &str) -> Result<Vec<FreezeRole>, Failure> {
    let mut found = Vec::new();
    for role in list(said, "roles")? {
        let mut writes = Vec::new();
        for rule in role
            .pointer("/spec/allow/rules")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let verbs = words(&rule["verbs"]);
            let each = words(&rule["resources"]);
            writes.extend(each.iter().filter_map(|one| FreezeRole::write(one, &verbs)));
        }
        let name = text(&role, "/metadata/name");
        if !writes.is_empty() && !name.is_empty() {
            found.push(FreezeRole { name, writes });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// The locks on roles of `tctl get locks --format=json`.
fn locks(said: &str) -> Result<Vec<RoleLock>, Failure> {
    let mut found = Vec::new();
    for lock in list(said, "locks")? {
        let role = text(&lock, "/spec/target/role");
        if role.is_empty() {
            continue;
        }
        let until = text(&lock, "/spec/expires");
        let expires = match until.as_str() {
            "" => None,
            until => Some(until.parse().map_err(|_| {
                Failure::new(FailureKind::Garbage, format!("a lock expires at {until:?}"))
            })?),
        };
        found.push(RoleLock {
            id: text(&lock, "/metadata/name"),
            role,
            message: text(&lock, "/spec/message"),
            expires,
        });
    }
    Ok(found)
}

/// The name in `Created a lock with name "…"`; newer builds print the lock in JSON.
#[must_use]
pub fn created(said: &str) -> Option<String> {
    let plain = said
        .split_once("Created a lock with name \"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(id, _)| id.to_owned());
    let found = plain.or_else(|| {
        let json: Value = serde_json::from_str(said).ok()?;
        let lock = json.get(0).unwrap_or(&json);
        lock.pointer("/metadata/name")?.as_str().map(str::to_owned)
    })?;
    // It becomes an argument of `tctl rm`.
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let sound = !found.is_empty() && !found.starts_with('-') && found.chars().all(plain);
    sound.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample;

    const ROLES: &str = include_str!("roles.json");

    #[test]
    fn roles_that_only_read_are_none_of_it_and_those_of_bots_and_locks_are_spared() {
        let freeze = Freeze {
            roles: roles(ROLES).expect("roles"),
            ..Freeze::default()
        };
        let names: Vec<&str> = freeze.roles.iter().map(|role| role.name.as_str()).collect();
        assert_eq!(
            names,
            ["bot-ci", "editor", "locksmith", "teleport-operator"]
        );
        let (ticked, left) = freeze.choose(None, &[]);
        assert_eq!(ticked.len(), 1);
        assert_eq!(left.len(), 3);
        assert_eq!(ticked[0].name, "editor");
        assert!(
            ticked[0].told().contains("cert_authority (create"),
            "{}",
            ticked[0].told()
        );
    }

    #[test]
    fn locks_on_other_things_than_roles_are_left_alone() {
        let said = r#"[{"kind":"lock","metadata":{"name":"a"},"spec":{"target":{"role":"editor"},"message":"m","expires":"2026-11-26T04:00:00Z"}},
            {"kind":"lock","metadata":{"name":"b"},"spec":{"target":{"user":"eve"}}}]"#;
        let found = locks(said).expect("locks");
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].id.as_str(), found[0].role.as_str()),
            ("a", "editor")
        );
        assert!(found[0].expires.is_some());
        assert!(locks("null").expect("none").is_empty());
        assert_eq!(
            locks("<html>").expect_err("garbage").kind,
            FailureKind::Garbage
        );
        assert!(locks(r#"[{"spec":{"target":{"role":"r"},"expires":"soon"}}]"#).is_err());
    }

    #[test]
    fn the_name_of_a_lock_is_read_and_what_might_be_an_option_is_refused() {
        let id = "dc7cee9d-fe5e-4534-a90d-db770f0234a1";
        let said = format!("Created a lock with name \"{id}\".\n");
        assert_eq!(created(&said).as_deref(), Some(id));
        let json = format!("[{{\"kind\":\"lock\",\"metadata\":{{\"name\":\"{id}\"}}}}]");
        assert_eq!(created(&json).as_deref(), Some(id));
        for said in [
            "",
            "Created a lock with name \"--x\".",
            "Created a lock with name \"a b\".",
        ] {
            assert_eq!(created(said), None, "{said:?}");
        }
    }

    #[test]
    fn context_and_namespace_are_always_named() {
        let args = ["get".to_owned(), "locks".to_owned()];
        let line = command_line(&sample::plan(), Side::Primary, &args).expect("a line");
        assert_eq!(
            line.join(" "),
            "kubectl --context east --kubeconfig /etc/kube/east -n teleport exec deploy/teleport-cluster-auth -c teleport \
             -- tctl get locks"
        );
    }

    #[tokio::test]
    async fn a_kubectl_that_is_not_there_or_fails_is_told() {
        let mut plan = sample::plan();
        for (program, kind) in [
            ("/nowhere/kubectl", FailureKind::NotFound),
            ("false", FailureKind::Other),
        ] {
            program.clone_into(&mut plan.tools.kubectl);
            let failure = look(&plan, Side::Primary).await.expect_err("no answer");
            assert_eq!(failure.kind, kind, "{failure}");
        }
    }
}
