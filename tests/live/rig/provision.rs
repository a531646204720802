//! What a recovery region is given beforehand: the role of the chart's pods, the provider that it trusts, and an issuer of
//! certificates. Made by the SDKs and by the API server itself, so that nothing here decides what is right.

use aws_sdk_eks::types::VpcConfigRequest;
use relight::clients::aws::Reach;
use serde_json::{Value, json};

use super::{aws::ACCOUNT, kube::ControlPlane, server::until};

/// The role of the Auth Service's pods.
pub const ROLE: &str = "teleport-auth";
/// The EKS cluster's name in `ministack`.
pub const CLUSTER: &str = "recovery";
/// The cert-manager Issuer that the values name.
pub const ISSUER: &str = "letsencrypt";
/// The API servers' issuer (`--service-account-issuer`).
const TOKENS: &str = "kubernetes.default.svc";

/// The role's ARN.
pub fn role_arn() -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{ROLE}")
}

fn provider() -> String {
    format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{TOKENS}")
}

/// Trust in the cluster's tokens for the chart's account, or for another one.
pub fn trust(account: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Federated": provider()}, "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {format!("{TOKENS}:sub"): format!("system:serviceaccount:teleport:{account}"),
                format!("{TOKENS}:aud"): "sts.amazonaws.com"}}},
        {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}]})
}

/// A policy for the tables of these regions and all buckets, without what makes them.
pub fn policy(regions: &[&str]) -> Value {
    let tables: Vec<String> = regions
        .iter()
        .map(|region| format!("arn:aws:dynamodb:{region}:{ACCOUNT}:table/*"))
        .collect();
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "dynamodb:*", "Resource": tables},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": ["dynamodb:CreateTable", "s3:CreateBucket"], "Resource": "*"}]})
}

/// Makes the role with its provider.
pub async fn role(reach: &Reach, trust: &Value, policy: &Value) {
    let iam = reach.iam().await;
    let made = iam
        .create_open_id_connect_provider()
        .url(format!("https://{TOKENS}"))
        .client_id_list("sts.amazonaws.com")
        .thumbprint_list("0000000000000000000000000000000000000000");
    made.send().await.expect("a provider");
    iam.create_role()
        .role_name(ROLE)
        .assume_role_policy_document(trust.to_string())
        .send()
        .await
        .expect("a role");
    allow(reach, policy).await;
}

/// Gives the role another policy.
pub async fn allow(reach: &Reach, policy: &Value) {
    let iam = reach.iam().await;
    let put = iam.put_role_policy().role_name(ROLE).policy_name("tables");
    put.policy_document(policy.to_string())
        .send()
        .await
        .expect("a policy");
}

/// Gives the role another trust.
pub async fn entrust(reach: &Reach, trust: &Value) {
    let iam = reach.iam().await;
    let update = iam.update_assume_role_policy().role_name(ROLE);
    update
        .policy_document(trust.to_string())
        .send()
        .await
        .expect("trust");
}

/// Makes the EKS cluster, and a Pod Identity association of the chart's account with the role.
pub async fn associate(reach: &Reach) {
    let eks = reach.eks().await;
    let network = VpcConfigRequest::builder().subnet_ids("subnet-1").build();
    eks.create_cluster()
        .name(CLUSTER)
        .role_arn(role_arn())
        .resources_vpc_config(network)
        .send()
        .await
        .expect("an EKS cluster");
    eks.create_pod_identity_association()
        .cluster_name(CLUSTER)
        .namespace("teleport")
        .service_account("teleport-cluster")
        .role_arn(role_arn())
        .send()
        .await
        .expect("an association");
}

/// Teaches a cluster cert-manager's kinds, with no more of a schema than that they are objects, and makes the issuer, ready.
pub fn issuer(plane: &ControlPlane) {
    for (plural, kind) in [("issuers", "Issuer"), ("certificates", "Certificate")] {
        let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.cert-manager.io")},
            "spec": {"group": "cert-manager.io", "scope": "Namespaced",
                "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema":
                    {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}});
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        plane.hand.make(path, &definition);
    }
    namespace(plane);
    let issuers = "/apis/cert-manager.io/v1/namespaces/teleport/issuers";
    until("cert-manager's kinds to be served", || {
        plane.hand.get(issuers).ok()
    });
    let issuer = json!({"apiVersion": "cert-manager.io/v1", "kind": "Issuer", "metadata": {"name": ISSUER},
        "spec": {"acme": {"solvers": [{"dns01": {"route53": {"region": "us-west-2"}}}]}},
        "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "ACMEAccountRegistered",
            "message": "The ACME account was registered"}]}});
    plane.hand.make(issuers, &issuer);
    let labels = json!({"app.kubernetes.io/name": "cert-manager"});
    let pods = json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "controller", "image": "cert-manager"}]}});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "cert-manager", "labels": labels},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": pods}});
    let deployments = "/apis/apps/v1/namespaces/kube-system/deployments";
    plane.hand.make(deployments, &deployment);
}

/// Makes the namespace, if it is not there.
pub fn namespace(plane: &ControlPlane) {
    let _ = plane.hand.ask(
        "POST",
        "/api/v1/namespaces",
        Some(&json!({"metadata": {"name": "teleport"}})),
    );
}

/// Makes the account that the chart would make.
pub fn account(plane: &ControlPlane) {
    namespace(plane);
    let account = json!({"metadata": {"name": "teleport-cluster"}});
    plane
        .hand
        .make("/api/v1/namespaces/teleport/serviceaccounts", &account);
}

/// The lines of a values file that give the pods the role.
pub fn annotation() -> String {
    format!(
        "annotations:\n  serviceAccount:\n    eks.amazonaws.com/role-arn: {}\n",
        role_arn()
    )
}
