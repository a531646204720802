//! The whole way back, by the real Helm, API servers, Route 53 and proxies: the old release from the values of the black
//! box, the names after it, the recovery release last, and what was paused as it was.

use relight::{incident::Side, plan};
use serde_json::{Value, json};

use super::rig::{
    helm::{self, Helm},
    kube::ControlPlane,
    regions::{Regions, listens},
    release::done,
    script::Script,
    server::until,
    step,
    web::{Balancer, CLUSTER, NEW, OLD},
};

const RELEASES: &str = "/api/v1/namespaces/teleport/secrets?labelSelector=owner%3Dhelm";
const EXTERNAL_DNS: &str = "/apis/apps/v1/namespaces/gitops/deployments/external-dns";

/// What would undo a change of names, in the primary.
fn external_dns(plane: &ControlPlane) {
    let space = json!({"metadata": {"name": "gitops"}});
    plane.hand.make("/api/v1/namespaces", &space);
    let labels = json!({"app.kubernetes.io/name": "external-dns"});
    let container = json!({"name": "external-dns", "image": "external-dns", "args": ["--domain-filter=example.com"]});
    plane.hand.make(
        "/apis/apps/v1/namespaces/gitops/deployments",
        &json!({"metadata": {"name": "external-dns", "labels": labels}, "spec": {"replicas": 1,
            "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
                "spec": {"containers": [container]}}}}),
    );
}

fn wanted(plane: &ControlPlane) -> Value {
    let found = plane.hand.get(EXTERNAL_DNS).expect("external-dns");
    found["spec"]["replicas"].clone()
}

/// Where the names lead.
fn leads(regions: &Regions) -> Vec<(String, Option<i64>, Vec<String>)> {
    let mut all: Vec<_> = regions.aws.records();
    all.retain(|set| set.name.ends_with(CLUSTER));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    let each = all.into_iter();
    each.map(|set| (set.name, set.ttl, set.values)).collect()
}

#[test]
#[ignore = "tests/live/run"]
fn after_the_cut_over_everything_is_taken_back_to_the_old_side() {
    let mut regions = Regions::start(Helm::Four);
    external_dns(regions.plane(Side::Primary));
    let script = Script::new(&regions.plan);
    let before = leads(&regions);
    script.passes(&["run", "verify-backups"]);
    script.passes(&["run", "record-black-box", "--yes"]);
    script.passes(&["run", "pause-reconcilers", "--yes"]);
    assert_eq!(wanted(regions.plane(Side::Primary)), 0);
    script.passes(&[
        "run",
        "stop-old-cluster",
        "--yes",
        "uninstall teleport-cluster in primary",
    ]);
    // The rest of the way there is other cases' business: what counts is that the world is there.
    let plan = plan::load(&regions.plan).unwrap_or_else(|errors| unreachable!("{errors}"));
    done(&helm::step(&plan, "write-values"));
    done(&helm::install(&plan));
    until("the new load balancer to answer", || {
        listens(Balancer::New.address()).then_some(())
    });
    let (told, fine) = step(&regions.plan, "switch-dns", false);
    assert!(fine, "{told}");
    assert!(leads(&regions).iter().all(|set| set.2 == [NEW.0]));
    assert!(!listens(Balancer::Old.address()));

    script.refused(
        &["run", "abort", "--yes"],
        "uninstall teleport-cluster in recovery",
    );
    script.passes(&[
        "run",
        "abort",
        "--yes",
        "uninstall teleport-cluster in recovery",
    ]);
    assert_eq!(leads(&regions), before);
    assert!(before.iter().all(|set| set.2 == [OLD.0]), "{before:?}");
    assert!(listens(Balancer::Old.address()));
    assert_eq!(regions.plane(Side::Primary).hand.list(RELEASES).len(), 1);
    assert!(regions.plane(Side::Recovery).hand.list(RELEASES).is_empty());
    assert_eq!(wanted(regions.plane(Side::Primary)), 1);
    let config = "/api/v1/namespaces/teleport/configmaps/teleport-cluster-auth";
    let config = regions.plane(Side::Primary).hand.get(config);
    let config = config.expect("the configuration")["data"]["teleport.yaml"].to_string();
    assert!(config.contains("region: us-east-1"), "{config}");
}
