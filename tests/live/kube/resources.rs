//! The operator's manifests applied by the real kubectl to a real API server, and its word waited for: the operator itself
//! is the test's own hand, which sets the conditions that it sets.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use relight::{
    incident::{Condition, Outcome, Side},
    plan::{self, Plan},
    probe::live::resources::ResourcesProbe,
};
use serde_json::{Value, json};

use crate::live::rig::{
    hand::Hand, helm::Helm, kube::ControlPlane, order, release::Release, server::until, step,
    watch::Watch,
};

const GROUP: &str = "/apis/resources.teleport.dev";

/// A kind of the operator's, with its status as a subresource.
fn kind(hand: &Hand, plural: &str, kind: &str, version: &str) {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    hand.make(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        &json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.resources.teleport.dev")},
            "spec": {"group": "resources.teleport.dev", "scope": "Namespaced",
                "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind, "listKind": format!("{kind}List")},
                "versions": [{"name": version, "served": true, "storage": true, "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": schema}}]}}),
    );
    let path = format!("{GROUP}/{version}/namespaces/teleport/{plural}");
    until("the kind to be served", || hand.get(&path).ok());
}

/// The operator's word on an object.
fn says(hand: &Hand, path: &str, status: &str, message: &str) -> Result<Value, String> {
    let now = relight::incident::Moment::from_secs(relight::incident::Moment::now().secs());
    let condition = json!({"type": "SuccessfullyReconciled", "status": status, "reason": "R", "message": message,
        "lastTransitionTime": now.to_string()});
    let change = json!({"status": {"conditions": [condition]}});
    hand.ask("PATCH", &format!("{path}/status"), Some(&change))
}

/// Teaches the cluster two of the operator's kinds, and puts its Deployment there.
fn settle(hand: &Hand) {
    let _ = hand.ask(
        "POST",
        "/api/v1/namespaces",
        Some(&json!({"metadata": {"name": "teleport"}})),
    );
    kind(hand, "teleportrolesv7", "TeleportRoleV7", "v1");
    kind(hand, "teleportusers", "TeleportUser", "v2");
    let labels = json!({"app.kubernetes.io/instance": "teleport-cluster", "app.kubernetes.io/component": "operator"});
    hand.make("/apis/apps/v1/namespaces/teleport/deployments", &json!({"metadata": {"name": "teleport-cluster-operator", "labels": labels},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "operator", "image": "teleport-operator"}]}}}}));
}

/// A role in a folder of its own, a user that has it, and a file that no cluster takes.
fn manifests(folder: &Path) {
    let manifests = folder.join("manifests");
    std::fs::create_dir_all(manifests.join("roles")).expect("a folder");
    let role = "apiVersion: resources.teleport.dev/v1\nkind: TeleportRoleV7\nmetadata:\n  name: editor\nspec:\n  allow: {}\n";
    let user = "apiVersion: resources.teleport.dev/v2\nkind: TeleportUser\nmetadata:\n  name: eve\nspec:\n  roles: [editor]\n";
    std::fs::write(manifests.join("roles/editor.yaml"), role).expect("written");
    std::fs::write(manifests.join("eve.yaml"), user).expect("written");
    let broken = folder.join("broken.yaml");
    std::fs::write(&broken, user.replace("TeleportUser", "TeleportBuser")).expect("written");
}

/// Runs the step while the operator comes to one of the two only after the other. What the step printed.
fn reconciled(hand: &Hand, plan: &Plan, roles: &str, users: &str) -> String {
    // The operator comes to one of them only once the step has said that the other has failed.
    let (argv, _incident) = order(plan, "apply-resources", false);
    let mut running = Command::new(&argv[0])
        .args(&argv[1..])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary");
    let mut told = String::new();
    for line in BufReader::new(running.stdout.take().expect("a pipe")).lines() {
        let line = line.expect("text");
        if line.contains("0 of 2 resources reconciled") {
            says(hand, &format!("{roles}/editor"), "True", "").expect("said");
            let why = "role editor is not found";
            says(hand, &format!("{users}/eve"), "False", why).expect("said");
        }
        if line.contains("role editor is not found") {
            says(hand, &format!("{users}/eve"), "True", "").expect("said");
        }
        told = format!("{told}{line}\n");
    }
    assert!(running.wait().expect("ended").success(), "{told}");
    told
}

#[test]
#[ignore = "tests/live/run"]
fn manifests_are_tried_applied_and_waited_for_until_the_operator_has_reconciled_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let plane = ControlPlane::start(Side::Recovery, folder.path());
    let release = Release::new(folder.path(), Helm::Four, &[&plane]);
    let hand = &plane.hand;
    let path = release.plan.path.clone();

    // The plan names nothing, and nobody is there to be watched.
    let plan = &release.plan;
    let mut eyes = Watch::open(plan, vec![Box::new(ResourcesProbe::new(Arc::clone(plan)))]);
    until("the cluster to be read", || {
        let finding = eyes.condition(Condition::ResourcesReconciled);
        finding
            .sentence
            .contains("nothing has been applied there")
            .then_some(())
    });

    settle(hand);
    manifests(folder.path());
    let text = std::fs::read_to_string(&path).expect("a plan");
    let write = |manifests: &str| {
        let text = format!("{text}\n[resources]\nmanifests = [{manifests}]\n");
        std::fs::write(&path, text).expect("written");
        Arc::new(plan::load(&path).unwrap_or_else(|errors| unreachable!("{errors}")))
    };
    let roles = format!("{GROUP}/v1/namespaces/teleport/teleportrolesv7");
    let users = format!("{GROUP}/v2/namespaces/teleport/teleportusers");

    // One of two cannot be applied: then none is.
    write("\"manifests\", \"broken.yaml\"");
    let (told, fine) = step(&path, "apply-resources", false);
    assert!(!fine && told.contains("nothing was changed"), "{told}");
    assert!(
        hand.list(&roles).is_empty() && hand.list(&users).is_empty(),
        "{told}"
    );

    let plan = write("\"manifests\"");
    let (told, fine) = step(&path, "apply-resources", true);
    assert!(
        fine && told.contains("server-side") && told.contains("nothing was changed"),
        "{told}"
    );
    assert!(hand.list(&roles).is_empty(), "a dry run");

    let told = reconciled(hand, &plan, &roles, &users);
    for words in [
        "teleportusers/eve: role editor is not found",
        "2 of 2 resources reconciled, of 2 kinds",
    ] {
        assert!(told.contains(words), "no {words:?} in\n{told}");
    }
    let owner = hand.get(&format!("{roles}/editor")).expect("a role")["metadata"]["managedFields"]
        .to_string();
    assert!(owner.contains("\"relight\""), "{owner}");
    let mut eyes = Watch::open(
        &plan,
        vec![Box::new(ResourcesProbe::new(Arc::clone(&plan)))],
    );
    until("all to be seen reconciled", || {
        let finding = eyes.condition(Condition::ResourcesReconciled);
        (finding.outcome == Outcome::Pass).then_some(())
    });

    // One of them falls back, and who may not look is told so.
    says(
        hand,
        &format!("{users}/eve"),
        "False",
        "the resource is not owned by the operator",
    )
    .expect("said");
    let mut eyes = Watch::open(
        &plan,
        vec![Box::new(ResourcesProbe::new(Arc::clone(&plan)))],
    );
    until("the one that fell back to be named", || {
        let finding = eyes.condition(Condition::ResourcesReconciled);
        let named = finding
            .sentence
            .contains("teleportusers/eve: the resource is not owned");
        (finding.outcome == Outcome::Fail && named).then_some(())
    });
    let limited = release.changed(|plan| plan.recovery.kube = release.as_user("recovery-limited"));
    let mut eyes = Watch::open(
        &limited,
        vec![Box::new(ResourcesProbe::new(Arc::clone(&limited)))],
    );
    until("the look to be refused", || {
        let finding = eyes.condition(Condition::ResourcesReconciled);
        (finding.outcome == Outcome::Unknown && finding.sentence.contains("forbidden"))
            .then_some(())
    });
}
