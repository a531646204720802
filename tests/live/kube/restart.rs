//! The old proxies restarted by the real controllers: every proxy pod is another one, Auth's are not touched.

use std::collections::BTreeSet;

use relight::{
    incident::{Component, Condition, Moment, Outcome, Side},
    judge, plan,
};

use crate::live::rig::{
    cloud::Cloud,
    helm::{self, Helm},
    kube::ControlPlane,
    release::{Release, done},
    server::until,
    watch::{Watch, all_serve, pods_of},
};

const SIDE: Side = Side::Primary;
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/teleport/deployments";

#[test]
#[ignore = "tests/live/run"]
fn every_proxy_pod_is_replaced_and_auth_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let plane = ControlPlane::start(SIDE, folder.path());
    let _cloud = Cloud::over(&plane, "127.40.1.9");
    let release = Release::new(folder.path(), Helm::Four, &[&plane]);
    let planned = &release.plan;
    let none = done(&helm::step(planned, "restart-proxies"));
    assert!(none.contains("there is nothing to restart"), "{none}");
    done(&release.install_in_primary());
    let mut eyes = Watch::clusters(planned, &[SIDE]);
    let before = eyes.until(SIDE, "the old cluster", all_serve);
    let of = |cluster, component| -> BTreeSet<String> {
        pods_of(cluster, component)
            .map(|pod| pod.uid.clone())
            .collect()
    };
    let (auth, proxies) = (of(&before, Component::Auth), of(&before, Component::Proxy));
    assert_eq!((auth.len(), proxies.len()), (2, 2));
    let made = |name: &str| {
        let found = plane.hand.get(&format!("{DEPLOYMENTS}/{name}"));
        found.expect("a Deployment")["metadata"]["generation"].clone()
    };
    let generation = made("teleport-cluster-auth");
    let untouched = eyes.condition(Condition::ProxiesRestarted);
    assert_eq!(untouched.outcome, Outcome::Fail, "{}", untouched.sentence);

    // While new pods find no node, the old ones stay, and agents hang on to them.
    plane.scheduler.freeze();
    let began = Moment::now();
    let said = done(&helm::step(planned, "restart-proxies"));
    assert!(
        said.contains("PATCH deployments/teleport-cluster-proxy"),
        "{said}"
    );
    assert!(!said.contains("cluster-auth"), "{said}");
    until("the restart to be seen, and not to be through", || {
        let finding = eyes.judge(Some(began), |sight| {
            judge::condition(Condition::ProxiesRestarted, sight)
        });
        (finding.outcome == Outcome::Fail && !finding.sentence.contains("was not restarted"))
            .then_some(())
    });
    let held = eyes.until(SIDE, "old and new pods", |cluster| cluster.pods.len() > 4);
    assert!(of(&held, Component::Proxy).is_superset(&proxies));
    plane.scheduler.thaw();
    eyes.until_pass(Condition::ProxiesRestarted, began);
    let after = eyes.until(SIDE, "the cluster again", all_serve);
    assert!(of(&after, Component::Proxy).is_disjoint(&proxies));
    assert_eq!(of(&after, Component::Auth), auth);
    assert_eq!(made("teleport-cluster-auth"), generation);

    // Somebody without the right to is told so, and nothing is made of it.
    let file = std::fs::read_to_string(&planned.path).expect("a plan");
    let file = file.replace("context = \"primary\"", "context = \"primary-limited\"");
    let path = folder.path().join("limited.toml");
    std::fs::write(&path, file).expect("written");
    let limited = plan::load(&path).unwrap_or_else(|errors| unreachable!("{errors}"));
    let refused = helm::step(&limited, "restart-proxies");
    let told = String::from_utf8_lossy(&refused.stdout).into_owned()
        + &String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success(), "{told}");
    assert!(told.contains("context primary-limited"), "{told}");
    let same = eyes.until(SIDE, "the cluster as it was", all_serve);
    assert_eq!(of(&same, Component::Proxy), of(&after, Component::Proxy));
}
