//! Rights and certificates against a real API server (`TokenRequest`, its issuer, custom resources) and `ministack`'s IAM,
//! STS, EKS and ACM, whose simulation evaluates the policies that were put there.

use std::path::{Path, PathBuf};

use relight::incident::Side;
use serde_json::json;

use super::{
    aws::Rig,
    rig::{
        kube::{ControlPlane, kubeconfig},
        provision, step, world,
    },
};

/// A recovery side with a cluster, and a plan over both.
struct Stage {
    rig: Rig,
    plane: ControlPlane,
}

impl Stage {
    fn new() -> Self {
        let rig = Rig::new();
        let plane = ControlPlane::start(Side::Recovery, rig.dir.path());
        kubeconfig(&rig.dir.path().join("kubeconfig"), &[&plane]);
        Self { rig, plane }
    }

    fn folder(&self) -> &Path {
        self.rig.dir.path()
    }

    /// The plan, with values of these lines more.
    fn plan(&self, values: &str, more: &str) -> PathBuf {
        let text = format!(
            "clusterName: teleport.example.com\naws:\n  region: us-east-1\n  backendTable: {}\n  auditLogTable: {}\n  \
             sessionRecordingBucket: {}\n{values}",
            world::state(Side::Primary),
            world::audit(Side::Primary),
            world::bucket(Side::Primary),
        );
        std::fs::write(self.folder().join("values.yaml"), text).expect("values");
        self.rig.plan(&format!(
            "[cluster]\nvalues = \"values.yaml\"\n[recovery.kube]\ncontext = \"recovery\"\nkubeconfig = \"kubeconfig\"\n\
             uid = \"{}\"\n{more}",
            self.plane.uid
        ))
    }

    fn told(&self, path: &Path, name: &str, words: &[&str]) {
        let (told, fine) = step(path, name, false);
        assert!(fine, "{told}");
        for words in words {
            assert!(told.contains(words), "{words} is not in\n{told}");
        }
        // No token and no key is ever printed.
        for secret in ["eyJ", "BEGIN"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
}

#[test]
#[ignore = "tests/live/run"]
fn rights_are_proven_as_the_role_or_simulated_and_each_fault_is_named() {
    let stage = Stage::new();
    let aws = &stage.rig.aws;
    let good = (
        provision::trust("teleport-cluster"),
        provision::policy(&["us-west-2"]),
    );
    aws.with(Side::Recovery, async |reach| {
        provision::role(reach, &good.0, &good.1).await;
        provision::associate(reach).await;
    });
    let annotated = stage.plan(&provision::annotation(), "");
    stage.told(
        &annotated,
        "check-rights",
        &[
            "trust: through the OIDC provider kubernetes.default.svc",
            "does not exist before the chart is installed",
            "simulated: 39 of 39 actions granted",
            "not granted, which protects from an empty table: dynamodb:CreateTable",
        ],
    );
    // The account is there: the real API server makes a token, the role is taken and read as.
    provision::account(&stage.plane);
    stage.told(
        &annotated,
        "check-rights",
        &[
            "as the role: dynamodb:Query on arn:aws:dynamodb:us-west-2",
            "as the role: s3:ListBucketVersions on arn:aws:s3:::teleport-recordings-dr done",
        ],
    );
    aws.with(Side::Recovery, async |reach| {
        provision::allow(reach, &provision::policy(&["us-east-1"])).await;
        provision::entrust(reach, &provision::trust("another")).await;
    });
    stage.told(
        &annotated,
        "check-rights",
        &[
            "fault: the role's policy still names us-east-1",
            "simulated: NO: dynamodb:GetItem on arn:aws:dynamodb:us-west-2",
            "trust: NO: its trust policy wants kubernetes.default.svc:sub StringEquals system:serviceaccount:teleport:another",
        ],
    );
    // Without an annotation, EKS is asked for an association; without a cluster to ask, EKS says who issues its tokens.
    let associated = stage.plan("", "eks_cluster = \"recovery\"\n");
    stage.told(
        &associated,
        "check-rights",
        &["by Pod Identity", "trust: through Pod Identity association"],
    );
}

#[test]
#[ignore = "tests/live/run"]
fn certificates_are_found_by_issuer_secret_and_acm_and_requested_once() {
    let stage = Stage::new();
    let by_issuer = stage.plan(
        "highAvailability: {certManager: {enabled: true, issuerName: letsencrypt}}\n",
        "",
    );
    stage.told(
        &by_issuer,
        "check-certificate",
        &["there is no Issuer letsencrypt in the recovery cluster"],
    );
    provision::issuer(&stage.plane);
    stage.told(
        &by_issuer,
        "check-certificate",
        &[
            "Issuer letsencrypt: ACMEAccountRegistered",
            "it proves names by records in Route 53",
            "its Certificate is made by the chart",
        ],
    );
    let by_secret = stage.plan("tls: {existingSecretName: teleport-tls}\n", "");
    stage.told(
        &by_secret,
        "check-certificate",
        &[
            "there is no Secret teleport/teleport-tls",
            "has none for these names",
        ],
    );
    let names = vec![
        "teleport.example.com".to_owned(),
        "*.teleport.example.com".to_owned(),
    ];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let secret = json!({"metadata": {"name": "teleport-tls"}, "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": made.cert.pem(), "tls.key": made.signing_key.serialize_pem()}});
    let place = "/api/v1/namespaces/teleport/secrets";
    stage.plane.hand.make(place, &secret);
    stage.told(
        &by_secret,
        "check-certificate",
        &["Secret teleport-tls: for teleport.example.com, *.teleport.example.com; valid for another"],
    );
    stage.told(
        &by_secret,
        "request-certificate",
        &["requested arn:aws:acm:us-west-2:"],
    );
    stage.told(&by_secret, "request-certificate", &["is there already"]);
}
