//! What the values ask of the recovery cluster, looked for in a real API server: named while it is missing, and met once it
//! is provisioned.

use std::path::PathBuf;

use relight::incident::{Condition, Outcome, Side};
use serde_json::json;

use crate::live::rig::{
    aws::Aws,
    eyes::Eyes,
    helm::{self, Helm},
    kube::{ControlPlane, kubeconfig},
    parts, provision,
    server::until,
    step,
    web::{CLUSTER, OLD},
};

/// Values that ask for everything. Four pods of 6 CPUs want a node each, and there are two nodes of 8.
const VALUES: &str = "\
clusterName: teleport.example.com
enterprise: true
imagePullSecrets:
  - name: registry
tls: {existingCASecretName: corporate-ca}
ingress:
  enabled: true
  spec: {ingressClassName: alb}
operator: {enabled: true, installCRDs: never}
highAvailability:
  replicaCount: 2
  requireAntiAffinity: true
  certManager: {enabled: true, issuerName: letsencrypt}
resources: {requests: {cpu: '6', memory: 2Gi}}
";

/// What is missing at first, with the words that name it.
const MISSING: [(&str, &str); 8] = [
    ("licence", "Secret license is not in the namespace"),
    (
        "image pull Secret",
        "Secret registry is not in the namespace",
    ),
    ("CA Secret", "Secret corporate-ca is not in the namespace"),
    ("Ingress class", "there is no IngressClass alb"),
    (
        "load balancer controller",
        "no Deployment is labelled app.kubernetes.io/name=aws-load-balancer-controller",
    ),
    (
        "cert-manager CRDs",
        "API group cert-manager.io is not served",
    ),
    (
        "operator CRDs",
        "API group resources.teleport.dev is not served",
    ),
    ("node capacity", "pods that request 6000m CPU"),
];

struct Stage {
    plane: ControlPlane,
    plan: PathBuf,
    _aws: Aws,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let plane = ControlPlane::start(Side::Recovery, folder.path());
        let aws = Aws::start(folder.path(), CLUSTER, OLD.0, 30);
        kubeconfig(&folder.path().join("kubeconfig"), &[&plane]);
        std::fs::write(folder.path().join("values.yaml"), VALUES).expect("values");
        let key = aws.with(Side::Recovery, async |reach| {
            let made = reach.kms().await.create_key().send().await;
            made.expect("a key").key_metadata.expect("of a key").arn
        });
        let own = parts::part(&format!(
            "practice = true\n[cluster]\nname = \"{CLUSTER}\"\nchart = \"{}\"\nversion = \"18.2.4\"\nvalues = \"values.yaml\"\n\
             [tools]\nhelm = \"{}\"\n[recovery]\nkms_keys = [\"{}\"]\n[recovery.kube]\ncontext = \"recovery\"\n\
             kubeconfig = \"kubeconfig\"\nuid = \"{}\"\n",
            helm::chart().display(),
            Helm::Three.program().display(),
            key.expect("its ARN"),
            plane.uid
        ));
        let plan = parts::write(folder.path(), [own, aws.plan()]);
        Self {
            plane,
            plan,
            _aws: aws,
            _folder: folder,
        }
    }

    fn judged(&self) -> (Outcome, String) {
        let mut eyes = Eyes::open(&self.plan, &["prerequisites"]);
        eyes.look();
        let finding = eyes.judge(Condition::PrerequisitesMet);
        (finding.outcome, finding.sentence)
    }

    /// The line of an item, as the step prints it.
    fn line(&self, what: &str) -> String {
        let (told, _) = step(&self.plan, "check-prerequisites", false);
        let found = told
            .lines()
            .find(|line| line.get(5..).is_some_and(|line| line.starts_with(what)));
        found
            .unwrap_or_else(|| unreachable!("no {what} in\n{told}"))
            .to_owned()
    }

    fn secret(&self, name: &str) {
        let secret =
            json!({"metadata": {"name": name}, "stringData": {"value": "nobody asks for this"}});
        self.plane
            .hand
            .make("/api/v1/namespaces/teleport/secrets", &secret);
    }

    /// A controller's Deployment, whose pod the nodes run.
    fn controller(&self, name: &str, tolerant: bool) {
        let labels = json!({"app.kubernetes.io/name": name});
        let selector = if tolerant {
            json!({})
        } else {
            json!({"disk": "none"})
        };
        self.plane.hand.make(
            "/apis/apps/v1/namespaces/kube-system/deployments",
            &json!({"metadata": {"name": name, "labels": labels}, "spec": {"replicas": 1, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"nodeSelector": selector,
                    "containers": [{"name": "controller", "image": name}]}}}}),
        );
    }

    /// The operator's kinds.
    fn operator_kinds(&self) {
        let kind = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "teleportroles.resources.teleport.dev"},
            "spec": {"group": "resources.teleport.dev", "scope": "Namespaced",
                "names": {"plural": "teleportroles", "singular": "teleportrole", "kind": "TeleportRole"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema":
                    {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}});
        self.plane.hand.make(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            &kind,
        );
    }

    /// Waits until an item stands so.
    fn until(&self, what: &str, word: &str) {
        until(&format!("{what} to be {word}"), || {
            self.line(what).trim_start().starts_with(word).then_some(())
        });
    }
}

#[test]
#[ignore = "tests/live/run"]
fn what_is_missing_is_named_and_once_provisioned_it_is_met() {
    let stage = Stage::new();
    let (told, fine) = step(&stage.plan, "check-prerequisites", false);
    assert!(!fine, "{told}");
    assert!(
        told.contains("9 of what the install needs is missing"),
        "{told}"
    );
    let (outcome, why) = stage.judged();
    assert_eq!(outcome, Outcome::Fail, "{why}");
    for (what, words) in MISSING {
        let line = stage.line(what);
        assert!(
            line.starts_with("  NO ") && line.contains(words),
            "{what}: {line}"
        );
        assert!(why.contains(words), "no {words:?} in {why}");
    }
    for met in ["chart", "KMS key"] {
        assert!(stage.line(met).starts_with("  ok "), "{told}");
    }

    provision::issuer(&stage.plane);
    for name in ["license", "registry", "corporate-ca"] {
        stage.secret(name);
    }
    stage.plane.hand.make(
        "/apis/networking.k8s.io/v1/ingressclasses",
        &json!({"metadata": {"name": "alb"}, "spec": {"controller": "ingress.k8s.aws/alb"}}),
    );
    stage.operator_kinds();
    // A controller that is there and does not run makes no load balancer.
    stage.controller("aws-load-balancer-controller", false);
    stage.until("operator CRDs", "ok");
    let line = stage.line("load balancer controller");
    assert!(line.contains("has no available pod"), "{line}");
    stage
        .plane
        .hand
        .ask(
            "PATCH",
            "/apis/apps/v1/namespaces/kube-system/deployments/aws-load-balancer-controller",
            Some(&json!({"spec": {"template": {"spec": {"nodeSelector": null}}}})),
        )
        .expect("patched");
    for name in ["node-c", "node-d"] {
        stage.plane.add_node(name);
    }
    until("four nodes to be Ready", || {
        (stage.plane.ready_nodes() == 4).then_some(())
    });
    stage.until("load balancer controller", "ok");
    stage.until("cert-manager  ", "ok");
    let (outcome, why) = stage.judged();
    assert_eq!(outcome, Outcome::Pass, "{why}");
    let (told, fine) = step(&stage.plan, "check-prerequisites", false);
    assert!(
        fine && told.contains("4 of 4 nodes usable, 4 pods fit"),
        "{told}"
    );
    assert!(!told.contains("nobody asks for this"), "{told}");

    // A node that is cordoned takes nothing, and the step says so before Helm does.
    let cordon = json!({"spec": {"unschedulable": true}});
    let node = stage
        .plane
        .hand
        .ask("PATCH", "/api/v1/nodes/node-d", Some(&cordon));
    node.expect("cordoned");
    let line = stage.line("node capacity");
    assert!(
        line.starts_with("  NO ") && line.contains("3 of 4 nodes usable"),
        "{line}"
    );
    assert_eq!(stage.judged().0, Outcome::Fail);
}
