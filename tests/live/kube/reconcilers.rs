//! What would bring the old cluster back, in a real API server: Flux and Argo CD by resource definitions of the same
//! groups, versions and fields, external-dns as a Deployment, and a user who may look at nothing of it.

use std::sync::Arc;

use relight::{
    clients::kube::{
        self,
        reconcilers::{REMEMBERED, Target, reconcilers},
    },
    incident::{Condition, FailureKind, Moment, Outcome, Reconciler, Reconcilers, Side},
    plan::KubePlan,
    probe::live::reconcilers::ReconcilersProbe,
};
use serde_json::{Value, json};

use crate::live::rig::{
    helm::{self, Helm},
    kube::ControlPlane,
    release::{Release, done},
    server::until,
    watch::Watch,
};

const SIDE: Side = Side::Primary;

/// A resource definition that takes any spec, as a test needs no more.
fn define(plane: &ControlPlane, group: &str, version: &str, plural: &str, kind: &str) {
    let object = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {"group": group, "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind, "listKind": format!("{kind}List")},
            "versions": [{"name": version, "served": true, "storage": true, "schema": {"openAPIV3Schema":
                {"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}}]}});
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    plane.hand.make(path, &object);
    until(&format!("{plural} to be served"), || {
        let list = plane.hand.get(&format!("/apis/{group}/{version}/{plural}"));
        let named = plane.hand.get("/apis").ok()?.to_string().contains(group);
        (list.is_ok() && named).then_some(())
    });
}

fn make(plane: &ControlPlane, api: &str, plural: &str, kind: &str, mut object: Value) {
    object["apiVersion"] = json!(api);
    object["kind"] = json!(kind);
    let path = format!("/apis/{api}/namespaces/gitops/{plural}");
    plane.hand.make(&path, &object);
}

fn look(kube: &KubePlan) -> Reconcilers {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let names = ["teleport.example.com".to_owned()];
    let target = Target {
        namespace: "teleport",
        release: "teleport-cluster",
        names: &names,
    };
    runtime.block_on(async {
        let kube = kube::connect(kube).await.expect("a client");
        reconcilers(&kube, target).await.expect("looked")
    })
}

fn titles(seen: &Reconcilers, active: bool) -> Vec<String> {
    let found = seen.found.iter().filter(|one| one.active() == active);
    found.map(Reconciler::title).collect()
}

#[test]
#[ignore = "tests/live/run"]
#[expect(
    clippy::too_many_lines,
    reason = "one story: found, paused, and seen when it acts again"
)]
fn what_would_bring_it_back_is_found_paused_and_seen_when_it_acts_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let plane = ControlPlane::start(SIDE, folder.path());
    let release = Release::new(folder.path(), Helm::Four, &[&plane]);
    let plan = &release.plan;
    done(&release.install_in_primary());
    let seen = look(&plan.primary.kube);
    assert_eq!(seen.absent, ["Flux", "Argo CD"]);
    assert_eq!((seen.found.len(), seen.gaps.len()), (0, 0), "{seen:?}");
    assert_eq!(seen.uid.as_deref(), Some(plane.uid.as_str()));

    define(
        &plane,
        "helm.toolkit.fluxcd.io",
        "v2",
        "helmreleases",
        "HelmRelease",
    );
    define(
        &plane,
        "kustomize.toolkit.fluxcd.io",
        "v1",
        "kustomizations",
        "Kustomization",
    );
    define(
        &plane,
        "argoproj.io",
        "v1alpha1",
        "applications",
        "Application",
    );
    plane.hand.make(
        "/api/v1/namespaces",
        &json!({"metadata": {"name": "gitops"}}),
    );
    let marks = json!({"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "gitops"});
    make(
        &plane,
        "helm.toolkit.fluxcd.io/v2",
        "helmreleases",
        "HelmRelease",
        json!({"metadata": {"name": "tele", "labels": marks}, "spec": {"releaseName": "teleport-cluster", "targetNamespace": "teleport"}}),
    );
    make(
        &plane,
        "helm.toolkit.fluxcd.io/v2",
        "helmreleases",
        "HelmRelease",
        json!({"metadata": {"name": "other"}, "spec": {"targetNamespace": "elsewhere"}}),
    );
    make(
        &plane,
        "kustomize.toolkit.fluxcd.io/v1",
        "kustomizations",
        "Kustomization",
        json!({"metadata": {"name": "apps"}, "spec": {"prune": true}}),
    );
    make(
        &plane,
        "argoproj.io/v1alpha1",
        "applications",
        "Application",
        json!({"metadata": {"name": "tele"}, "spec": {"destination": {"namespace": "teleport"},
            "syncPolicy": {"automated": {"prune": true}, "syncOptions": ["CreateNamespace=true"]}}}),
    );
    let dns = json!({"app.kubernetes.io/name": "external-dns"});
    make(
        &plane,
        "apps/v1",
        "deployments",
        "Deployment",
        json!({"metadata": {"name": "external-dns", "labels": dns}, "spec": {"replicas": 1, "selector": {"matchLabels": dns},
            "template": {"metadata": {"labels": dns}, "spec": {"containers": [{"name": "external-dns", "image": "external-dns",
                "args": ["--domain-filter=example.com", "--policy=sync"]}]}}}}),
    );
    let all = [
        "Flux Kustomization gitops/apps",
        "Flux HelmRelease gitops/tele",
        "Argo CD Application gitops/tele",
        "external-dns gitops/external-dns",
    ];
    assert_eq!(titles(&look(&plan.primary.kube), true), all);

    // Who may list nothing of it knows that he does not know.
    let mut limited = release.as_user("primary-limited");
    limited.uid = Some(plane.uid.clone());
    let rules = json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]);
    plane.hand.make(
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        &json!({"metadata": {"name": "who"}, "rules": rules}),
    );
    plane.hand.make("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &json!({"metadata": {"name": "who"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "who"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "limited"}]}));
    let blind = look(&limited);
    assert!(
        blind.found.is_empty() && blind.absent.is_empty(),
        "{blind:?}"
    );
    for kind in [
        "helmreleases",
        "kustomizations",
        "applications",
        "deployments",
    ] {
        let gap = blind.gaps.iter().find(|gap| gap.detail.contains(kind));
        assert_eq!(
            gap.map(|gap| gap.kind),
            Some(FailureKind::Forbidden),
            "{kind}: {blind:?}"
        );
    }

    let mut eyes = Watch::open(
        plan,
        vec![Box::new(ReconcilersProbe::new(Arc::clone(plan), SIDE))],
    );
    until("what acts to be judged", || {
        (eyes.condition(Condition::ReconcilersPaused).outcome == Outcome::Fail).then_some(())
    });
    let said = done(&helm::step(plan, "pause-reconcilers"));
    assert!(
        said.contains("spec.syncPolicy.automated = none (was {\"prune\":true})"),
        "{said}"
    );
    let paused = look(&plan.primary.kube);
    assert_eq!(titles(&paused, false), all);
    let application = plane
        .hand
        .get("/apis/argoproj.io/v1alpha1/namespaces/gitops/applications/tele")
        .expect("it");
    assert_eq!(
        application["metadata"]["annotations"][REMEMBERED],
        "{\"prune\":true}"
    );
    assert_eq!(
        application["spec"]["syncPolicy"],
        json!({"syncOptions": ["CreateNamespace=true"]})
    );
    let managers = application["metadata"]["managedFields"].to_string();
    assert!(managers.contains("\"relight\""), "{managers}");
    let mut eyes = Watch::open(
        plan,
        vec![Box::new(ReconcilersProbe::new(Arc::clone(plan), SIDE))],
    );
    eyes.until_pass(Condition::ReconcilersPaused, Moment::now());

    // Somebody elsewhere puts it back.
    let path = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/gitops/helmreleases/tele";
    plane
        .hand
        .ask("PATCH", path, Some(&json!({"spec": {"suspend": false}})))
        .expect("patched");
    assert_eq!(
        titles(&look(&plan.primary.kube), true),
        ["Flux HelmRelease gitops/tele"]
    );
    let again = done(&helm::step(plan, "pause-reconcilers"));
    assert!(
        again.contains("Argo CD Application gitops/tele is paused already"),
        "{again}"
    );
    assert!(titles(&look(&plan.primary.kube), true).is_empty());

    // As where Argo CD renders the chart: no record of Helm, and the Deployments are scaled to nothing.
    for secret in plane
        .hand
        .list("/api/v1/namespaces/teleport/secrets?labelSelector=owner%3Dhelm")
    {
        let name = secret["metadata"]["name"].as_str().expect("a name");
        plane
            .hand
            .text(
                "DELETE",
                &format!("/api/v1/namespaces/teleport/secrets/{name}"),
                None,
            )
            .expect("gone");
    }
    let said = done(&helm::step(plan, "stop-old-cluster"));
    assert!(
        said.contains("teleport-cluster-auth is scaled to 0"),
        "{said}"
    );
    let mut eyes = Watch::clusters(plan, &[SIDE]);
    eyes.until_pass(Condition::OldClusterGone, Moment::now());
}
