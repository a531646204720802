//! A user with too few rights, and a context that reaches another cluster than planned.

use relight::incident::{Condition, FailureKind, Moment, Outcome, Side};
use serde_json::json;

use crate::live::rig::{
    helm::{self, Helm},
    kube::ControlPlane,
    release::{Release, done},
    watch::{Watch, all_serve},
};

const SIDE: Side = Side::Recovery;

#[test]
#[ignore = "tests/live/run"]
fn forbidden_is_told_from_empty_and_each_gap_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let plane = ControlPlane::start(SIDE, folder.path());
    let release = Release::new(folder.path(), Helm::Four, &[&plane]);
    release.recovery_values("");
    done(&helm::install(&release.plan));
    let planned = plane.uid.clone();
    let limited = release.changed(|plan| {
        plan.recovery.kube = release.as_user("recovery-limited");
        plan.recovery.kube.uid = Some(planned);
    });
    let mut eyes = Watch::clusters(&limited, &[SIDE]);
    let failure = eyes.until_failed(SIDE, "a user without rights");
    assert_eq!(failure.kind, FailureKind::Forbidden, "{failure}");
    assert!(failure.detail.contains("pods"), "{failure}");

    // Pods alone: everything else is a gap with its reason, and nothing that rests on it is guessed.
    let pods = json!({"metadata": {"name": "pods"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]});
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/teleport";
    plane.hand.make(&format!("{rbac}/roles"), &pods);
    let binding = json!({"metadata": {"name": "pods"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "pods"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "limited"}]});
    plane.hand.make(&format!("{rbac}/rolebindings"), &binding);
    let began = Moment::now();
    let cluster = eyes.until(SIDE, "the pods", |cluster| {
        cluster.pods.len() == 4 && cluster.gaps.len() >= 7
    });
    assert!(
        cluster
            .gaps
            .iter()
            .all(|gap| gap.why.kind == FailureKind::Forbidden),
        "{:?}",
        cluster.gaps
    );
    assert_eq!(
        cluster.release.as_ref().expect_err("forbidden").kind,
        FailureKind::Forbidden
    );
    assert!(cluster.pods.iter().all(|pod| pod.node_ready.is_none()));
    for condition in [
        Condition::PodsReady,
        Condition::ReleaseAbsent,
        Condition::ReleaseDeployed,
        Condition::RecoveryContext,
    ] {
        let finding = eyes.condition(condition);
        assert_eq!(
            finding.outcome,
            Outcome::Unknown,
            "{condition}: {}",
            finding.sentence
        );
    }
    assert!(Moment::now() >= began);
}

#[test]
#[ignore = "tests/live/run"]
fn another_cluster_than_planned_proves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let plane = ControlPlane::start(SIDE, folder.path());
    let release = Release::new(folder.path(), Helm::Four, &[&plane]);
    release.recovery_values("");
    done(&helm::install(&release.plan));
    let foreign = release.changed(|plan| {
        plan.recovery.kube.uid = Some("5f1c9c3e-0000-4000-8000-000000000000".to_owned());
    });
    let mut eyes = Watch::clusters(&foreign, &[SIDE]);
    eyes.until(SIDE, "the cluster", all_serve);
    let context = eyes.condition(Condition::RecoveryContext);
    assert_eq!(context.outcome, Outcome::Fail, "{}", context.sentence);
    assert!(
        context.sentence.contains(&plane.uid),
        "{}",
        context.sentence
    );
    let ready = eyes.condition(Condition::PodsReady);
    assert_eq!(ready.outcome, Outcome::Unknown, "{}", ready.sentence);
}
