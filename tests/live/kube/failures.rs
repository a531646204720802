//! Parts of the control plane killed, frozen and restarted in the middle: the last good value stays, with its age, the
//! watch comes back, and no pod is lost or made up.

use std::collections::BTreeSet;

use relight::{
    incident::{Fact, FailureKind, Health, Side, Subject},
    judge,
};

use crate::live::rig::{
    cloud::Cloud,
    helm::{self, Helm},
    kube::ControlPlane,
    release::{Release, done},
    server::until,
    watch::{Watch, all_serve},
};

const SIDE: Side = Side::Recovery;
const PODS: &str = "/api/v1/namespaces/teleport/pods";

/// A failing look: the pane says UNKNOWN with an age, and what was known is still there.
fn kept(eyes: &mut Watch, kinds: &[FailureKind], what: &str) {
    let failure = eyes.until_failed(SIDE, what);
    assert!(kinds.contains(&failure.kind), "{what}: {failure}");
    assert!(failure.detail.contains("context recovery"), "{failure}");
    let pane = eyes.judge(None, |sight| judge::cluster::assess(SIDE, sight));
    assert_eq!(pane.health, Health::Unknown, "{}", pane.sentence);
    assert!(pane.age.is_some(), "an age: {}", pane.sentence);
    let gone = eyes.judge(None, |sight| judge::cluster::gone(SIDE, sight));
    assert_eq!(
        gone.outcome,
        relight::incident::Outcome::Unknown,
        "{}",
        gone.sentence
    );
    let reading = eyes
        .instruments()
        .get(&Subject::Cluster(SIDE))
        .expect("a reading");
    match &reading.good {
        Some((_, Fact::Cluster(cluster))) => assert_eq!(cluster.pods.len(), 4),
        other => unreachable!("the last good value is {other:?}"),
    }
}

/// What the API server has and what the product shows are the same pods in the end, and all serve.
fn same_pods(eyes: &mut Watch, plane: &ControlPlane) {
    until("the product to show the pods that there are", || {
        let there: BTreeSet<String> = plane
            .hand
            .list(PODS)
            .iter()
            .filter_map(|pod| pod["metadata"]["uid"].as_str().map(str::to_owned))
            .collect();
        let cluster = eyes.last(SIDE)?.ok()?;
        let shown: BTreeSet<String> = cluster.pods.iter().map(|pod| pod.uid.clone()).collect();
        (shown == there && all_serve(&cluster)).then_some(())
    });
}

/// Deletes a pod, so that there is something to be missed.
fn lose_a_pod(plane: &ControlPlane) {
    let name = until("a pod to delete", || {
        let pods = plane.hand.list(PODS);
        Some(pods.first()?["metadata"]["name"].as_str()?.to_owned())
    });
    until("the pod to be deleted", || {
        plane
            .hand
            .ask("DELETE", &format!("{PODS}/{name}"), None)
            .ok()
    });
}

#[test]
#[ignore = "tests/live/run"]
fn the_last_good_value_outlives_the_api_and_the_watch_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut plane = ControlPlane::start(SIDE, folder.path());
    let _cloud = Cloud::over(&plane, "127.40.2.9");
    let release = Release::new(folder.path(), Helm::Three, &[&plane]);
    release.recovery_values("");
    done(&helm::install(&release.plan));
    let mut eyes = Watch::clusters(&release.plan, &[SIDE]);
    eyes.until(SIDE, "the cluster", all_serve);

    plane.api.freeze();
    kept(&mut eyes, &[FailureKind::Timeout], "the frozen API server");
    plane.api.thaw();
    same_pods(&mut eyes, &plane);

    plane.api.kill();
    kept(
        &mut eyes,
        &[FailureKind::Unreachable],
        "the killed API server",
    );
    plane.api.restart();
    lose_a_pod(&plane);
    same_pods(&mut eyes, &plane);

    plane.store.kill();
    kept(
        &mut eyes,
        &[
            FailureKind::Timeout,
            FailureKind::Server,
            FailureKind::Unreachable,
        ],
        "the API server without its store",
    );
    plane.store.restart();
    lose_a_pod(&plane);
    same_pods(&mut eyes, &plane);

    // Without its controllers a cluster stands still; nothing the product shows may depend on them.
    plane.controllers.kill();
    plane.scheduler.kill();
    same_pods(&mut eyes, &plane);
    plane.controllers.restart();
    plane.scheduler.restart();
    lose_a_pod(&plane);
    same_pods(&mut eyes, &plane);
}
