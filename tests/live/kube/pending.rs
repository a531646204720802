//! A release that a Helm was killed at, freed by the step that is for it: with both Helms.

use std::process::Stdio;

use relight::{
    incident::{Condition, Moment, Outcome, Side},
    plan::Plan,
};

use super::super::rig::{
    helm::{self, Helm},
    kube::ControlPlane,
    release::{Release, done, told},
    server::until,
    watch::Watch,
};

/// As where the license Secret is missing: the check's pod waits for it until Helm gives up.
const HANGS: &str = "annotations: {pod: {relight.test/play: creating}}\n";

/// Lets a Helm begin and kills it while the release is pending.
fn killed(plan: &Plan, command: &str, plane: &ControlPlane, status: &str) {
    let mut order = helm::by_hand_as(plan, command);
    if command == "install" {
        order.arg("--create-namespace");
    }
    let mut helm = order
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("helm");
    let pending =
        format!("/api/v1/namespaces/teleport/secrets?labelSelector=owner%3Dhelm,status%3D{status}");
    until("the release to be pending", || {
        (!plane.hand.list(&pending).is_empty()).then_some(())
    });
    helm.kill().expect("killed");
    helm.wait().expect("ended");
}

fn freed(helm: Helm) {
    let folder = tempfile::tempdir().expect("a folder");
    let recovery = ControlPlane::start(Side::Recovery, folder.path());
    let release = Release::new(folder.path(), helm, &[&recovery]);
    let plan = &release.plan;
    let mut eyes = Watch::clusters(plan, &[Side::Recovery]);

    release.recovery_values(HANGS);
    killed(plan, "install", &recovery, "pending-install");
    eyes.until_pass(Condition::ReleasePending, Moment::now());
    let locked = eyes.condition(Condition::ReleaseInstallable);
    assert_eq!(locked.outcome, Outcome::Fail);
    assert!(
        locked.sentence.contains("Free a pending release"),
        "{}",
        locked.sentence
    );
    let said = done(&helm::step(plan, "free-release"));
    assert!(
        said.contains("sh.helm.release.v1.teleport-cluster.v1"),
        "{said}"
    );
    eyes.until_pass(Condition::ReleaseFree, Moment::now());
    let again = helm::step(plan, "free-release");
    assert!(!again.status.success(), "{}", told(&again));

    // What the killed Helm had made is taken over.
    release.recovery_values("");
    done(&helm::install(plan));
    release.recovery_values(HANGS);
    killed(plan, "upgrade", &recovery, "pending-upgrade");
    eyes.until_pass(Condition::ReleasePending, Moment::now());
    let said = done(&helm::step(plan, "free-release"));
    assert!(said.contains("rollback teleport-cluster 1 "), "{said}");
    let began = Moment::now();
    eyes.until_pass(Condition::ReleaseFree, began);
    eyes.until_pass(Condition::ReleaseDeployed, began);
}

#[test]
#[ignore = "tests/live/run"]
fn helm_3_is_freed() {
    freed(Helm::Three);
}

#[test]
#[ignore = "tests/live/run"]
fn helm_4_is_freed() {
    freed(Helm::Four);
}
