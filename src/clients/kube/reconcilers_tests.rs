use serde_json::json;

use super::*;

const NAMES: [&str; 2] = ["teleport.example.com", "*.teleport.example.com"];

fn names() -> Vec<String> {
    NAMES.map(str::to_owned).into()
}

fn with<T>(look: impl FnOnce(Target<'_>) -> T) -> T {
    let names = names();
    look(Target {
        namespace: "teleport",
        release: "tc",
        names: &names,
    })
}

/// Whether it is found, and what makes it act.
type Found = Option<Option<&'static str>>;

#[test]
fn a_helm_release_is_known_by_its_spec_or_by_its_labels_on_the_deployments() {
    let release = |spec: Value| json!({"metadata": {"namespace": "flux-system", "name": "tele"}, "spec": spec});
    let own = [json!({"metadata": {"labels": {
        "helm.toolkit.fluxcd.io/name": "tele", "helm.toolkit.fluxcd.io/namespace": "flux-system"}}})];
    let cases: [(Value, &[Value], Found); 7] = [
        (
            json!({"releaseName": "tc", "targetNamespace": "teleport"}),
            &[],
            Some(Some("null")),
        ),
        (
            json!({"releaseName": "tc", "targetNamespace": "teleport", "suspend": false}),
            &[],
            Some(Some("false")),
        ),
        (
            json!({"releaseName": "tc", "targetNamespace": "teleport", "suspend": true}),
            &[],
            Some(None),
        ),
        (
            json!({"releaseName": "other", "targetNamespace": "teleport"}),
            &[],
            None,
        ),
        (json!({"releaseName": "tc"}), &[], None),
        // Without a name, helm-controller calls it TARGET-NAME.
        (json!({"targetNamespace": "teleport"}), &[], None),
        (json!({"releaseName": "other"}), &own, Some(Some("null"))),
    ];
    for (spec, own, wanted) in cases {
        let object = release(spec);
        let found = with(|target| helm_release(&object, target, own, "/apis/x/v2"));
        let acts = found.map(|found| found.acts);
        assert_eq!(acts.as_ref().map(Option::as_deref), wanted, "{object}");
    }
}

#[test]
fn an_application_acts_while_its_sync_is_automated() {
    let cases = [
        (
            json!({"destination": {"namespace": "teleport"}, "syncPolicy": {"automated": {"prune": true}}}),
            Some(Some("{\"prune\":true}")),
        ),
        (
            json!({"destination": {"namespace": "teleport"}, "syncPolicy": {"automated": {"enabled": false}}}),
            Some(None),
        ),
        (
            json!({"destination": {"namespace": "teleport"}, "syncPolicy": {}}),
            Some(None),
        ),
        (
            json!({"destination": {"namespace": "elsewhere"}, "syncPolicy": {"automated": {}}}),
            None,
        ),
    ];
    for (spec, wanted) in cases {
        let object = json!({"metadata": {"namespace": "argocd", "name": "tele"}, "spec": spec});
        let found = with(|target| application(&object, target, &[], "/apis/argoproj.io/v1alpha1"));
        assert_eq!(
            found.as_ref().map(|one| one.acts.as_deref()),
            wanted,
            "{object}"
        );
    }
    let own = [
        json!({"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": "tele:apps/Deployment:teleport/tc-auth"}}}),
    ];
    let object = json!({"metadata": {"namespace": "argocd", "name": "tele",
        "ownerReferences": [{"kind": "ApplicationSet", "name": "all"}]},
        "spec": {"destination": {}, "syncPolicy": {"automated": {}}}});
    let found = with(|target| application(&object, target, &own, "/apis/argoproj.io/v1alpha1"))
        .expect("tracked");
    assert_eq!(found.owner.as_deref(), Some("ApplicationSet all"));
}

#[test]
fn external_dns_counts_where_it_may_write_the_names() {
    let deployment = |args: &[&str], replicas: u32| {
        json!({"metadata": {"namespace": "kube-system", "name": "external-dns"},
            "spec": {"replicas": replicas, "template": {"spec": {"containers": [{"args": args}]}}}})
    };
    let cases: [(&[&str], u32, Found, &str); 6] = [
        (&[], 1, Some(Some("1")), "every zone"),
        (
            &["--domain-filter=example.com"],
            2,
            Some(Some("2")),
            "policy sync",
        ),
        (
            &["--domain-filter", "example.com", "--policy=upsert-only"],
            1,
            Some(Some("1")),
            "upsert-only",
        ),
        (
            &["--domain-filter=teleport.example.com"],
            0,
            Some(None),
            "owns",
        ),
        (&["--domain-filter=ample.com"], 1, None, ""),
        (&["--domain-filter=other.org"], 1, None, ""),
    ];
    for (args, replicas, wanted, words) in cases {
        let found = external_dns(&deployment(args, replicas), &names());
        assert_eq!(
            found.as_ref().map(|one| one.acts.as_deref()),
            wanted,
            "{args:?}"
        );
        assert!(found.is_none_or(|one| one.why.contains(words)), "{args:?}");
    }
}

#[test]
fn an_operator_is_dangerous_before_15_2() {
    for (version, dangerous) in [
        ("14.3.0", true),
        ("15.1.9", true),
        ("15.2.0", false),
        ("18.2.4", false),
        ("", true),
    ] {
        let object = json!({"metadata": {"namespace": "teleport", "name": "tc-operator", "labels":
            {"app.kubernetes.io/component": "operator", "app.kubernetes.io/version": version}}, "spec": {"replicas": 1}});
        assert_eq!(
            with(|target| operator(&object, target)).is_some(),
            dangerous,
            "{version}"
        );
    }
    let auth = json!({"metadata": {"namespace": "teleport", "name": "tc-auth", "labels": {"app.kubernetes.io/version": "14.0.0"}}});
    assert!(with(|target| operator(&auth, target)).is_none());
}

#[test]
fn who_applied_is_found_by_flux_labels() {
    let release = json!({"metadata": {"labels": {
        "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}}});
    let named =
        |name: &str| json!({"metadata": {"namespace": "flux-system", "name": name}, "spec": {}});
    let applied = [&release];
    assert!(kustomization(&named("apps"), &applied, "/apis/k/v1").is_some());
    assert!(kustomization(&named("infra"), &applied, "/apis/k/v1").is_none());
}

#[test]
fn what_is_no_path_is_not_patched() {
    let object = json!({"metadata": {"namespace": "a/b", "name": "x"}});
    assert!(
        base(
            &object,
            ReconcilerKind::Operator,
            "/apis/apps/v1",
            "deployments"
        )
        .is_none()
    );
}
