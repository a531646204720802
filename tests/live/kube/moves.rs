//! The runbook's own argv takes the release down on one side and brings it up on the other, by Helm 3 and by Helm 4.

use std::process::Command;

use relight::{
    incident::{Component, Condition, Moment, Outcome, Side},
    judge,
};

use crate::live::rig::{
    cloud::Cloud,
    helm::{self, Helm},
    kube::ControlPlane,
    release::{Release, done, told},
    server::until,
    watch::{Watch, all_serve, pods_of},
};

const ADDRESS: &str = "k8s-teleport-0123456789.elb.us-west-2.amazonaws.com";

fn moves(helm: Helm, named: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let (primary, recovery) = ControlPlane::both(folder.path());
    let _clouds = [
        Cloud::over(
            &primary,
            "k8s-teleport-9876543210.elb.us-east-1.amazonaws.com",
        ),
        Cloud::over(&recovery, ADDRESS),
    ];
    let release = Release::new(folder.path(), helm, &[&primary, &recovery]);
    let plan = &release.plan;
    let checked = Command::new(helm::RELIGHT)
        .args(["plan", "check", "--plan"])
        .arg(&plan.path)
        .output();
    let checked = done(&checked.expect("relight"));
    assert!(checked.contains(named), "{checked}");
    let mut eyes = Watch::clusters(plan, &Side::BOTH);

    // Old pods take their time, as behind a preStop hook.
    release.values("annotations:\n  pod:\n    relight.test/gone-after: 4s\n");
    done(&release.install_in_primary());
    eyes.until(Side::Primary, "the old cluster", all_serve);
    until("the old cluster to be judged ready", || {
        let finding = eyes.judge(None, |sight| judge::cluster::ready(Side::Primary, sight));
        (finding.outcome == Outcome::Pass).then_some(())
    });
    let old = eyes.condition(Condition::OldClusterGone);
    assert_eq!(old.outcome, Outcome::Fail, "{}", old.sentence);
    assert_eq!(
        eyes.condition(Condition::PrimaryContext).outcome,
        Outcome::Pass
    );

    let began = Moment::now();
    done(&helm::step(plan, "stop-old-cluster"));
    // For all its `--wait`, Helm is back before the pods are gone: its exit code is not what the step is judged by.
    let left = primary.hand.list("/api/v1/namespaces/teleport/pods");
    assert_eq!(left.len(), 4, "terminating");
    eyes.until_pass(Condition::OldClusterGone, began);
    // There is nothing left to be stopped, and that is no failure.
    let again = done(&helm::step(plan, "stop-old-cluster"));
    assert!(again.contains("nothing to stop"), "{again}");

    done(&helm::step(plan, "write-values"));
    let began = Moment::now();
    eyes.until_pass(Condition::ReleaseAbsent, began);
    eyes.until_pass(Condition::RecoveryContext, began);
    let began = Moment::now();
    recovery.auth_reaches("teleport-dr-state", "us-west-2");
    let said = done(&helm::step(plan, "install"));
    assert!(said.contains("reached teleport-dr-state, "), "{said}");
    done(&helm::step(plan, "wait-for-pods"));
    let said = done(&helm::step(plan, "load-balancer"));
    assert!(said.contains(ADDRESS), "{said}");
    for condition in [
        Condition::ReleaseDeployed,
        Condition::PodsReady,
        Condition::LoadBalancerKnown,
    ] {
        let why = eyes.until_pass(condition, began);
        assert!(!why.is_empty());
    }
    let cluster = eyes.until(Side::Recovery, "the new cluster", all_serve);
    assert_eq!(cluster.gaps, []);
    assert_eq!(pods_of(&cluster, Component::Auth).count(), 2);
    assert_eq!(pods_of(&cluster, Component::Proxy).count(), 2);
    let balancer = cluster.load_balancer.as_ref().expect("a load balancer");
    assert_eq!(balancer.source, "Service teleport-cluster");
    assert_eq!(balancer.addresses, [ADDRESS]);
    let config = recovery
        .hand
        .get("/api/v1/namespaces/teleport/configmaps/teleport-cluster-auth")
        .expect("the configuration");
    let config = config["data"]["teleport.yaml"].as_str().unwrap_or_default();
    for line in ["region: us-west-2", "table_name: teleport-dr-state"] {
        assert!(config.contains(line), "{line} is not in\n{config}");
    }

    // It runs now: it is upgraded. And what Auth says is believed, not Helm.
    let again = done(&helm::step(plan, "install"));
    assert!(again.contains("Happy Helming"), "{again}");
    recovery.auth_reaches("teleport-state", "us-east-1");
    let wrong = helm::step(plan, "wait-for-pods");
    assert!(!wrong.status.success(), "{}", told(&wrong));
    assert!(
        told(&wrong).contains("its state table is teleport-state, not teleport-dr-state"),
        "{}",
        told(&wrong)
    );
}

#[test]
#[ignore = "tests/live/run"]
fn helm_3_moves_the_release() {
    moves(Helm::Three, "tools: helm v3.");
}

#[test]
#[ignore = "tests/live/run"]
fn helm_4_moves_the_release() {
    moves(Helm::Four, "tools: helm v4.");
}
