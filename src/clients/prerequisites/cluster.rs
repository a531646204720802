//! What of the recovery cluster the chart rests on.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, de::IgnoredAny};

use crate::{
    clients::kube::{Kube, raw, text::clean, wire::Named},
    incident::{
        Failure, FailureKind, Part,
        prerequisites::{Controller, NodeRoom, Wants, quantity},
    },
    plan::Plan,
};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// The label that names what a Deployment is of.
const NAME: &str = "app.kubernetes.io/name";
/// The controllers that are looked for.
const CONTROLLERS: &str =
    "aws-load-balancer-controller,cert-manager,karpenter,cluster-autoscaler,aws-cluster-autoscaler";

/// What was found.
pub(super) struct Found {
    pub secrets: Vec<(String, String, Part<bool>)>,
    pub classes: Option<Part<Vec<String>>>,
    pub groups: Option<Part<Vec<String>>>,
    pub controllers: Part<Vec<Controller>>,
    pub nodes: Part<Vec<NodeRoom>>,
}

/// Looks once; what nobody asks for is not looked for.
pub(super) async fn look(plan: &Plan, wants: &Wants, kube: Result<&Kube, Failure>) -> Found {
    let (secrets, classes, groups, controllers, nodes) = tokio::join!(
        Box::pin(secrets(plan, wants, kube.as_ref().copied())),
        Box::pin(async {
            match &wants.ingress_class {
                Some(_) => Some(classes(kube.as_ref().copied()).await),
                None => None,
            }
        }),
        Box::pin(async {
            if wants.cert_manager || (wants.operator && !wants.brings_crds) {
                Some(groups(kube.as_ref().copied()).await)
            } else {
                None
            }
        }),
        Box::pin(controllers(kube.as_ref().copied())),
        Box::pin(nodes(kube.as_ref().copied())),
    );
    Found {
        secrets,
        classes,
        groups,
        controllers,
        nodes,
    }
}

type Way<'a> = Result<&'a Kube, &'a Failure>;

async fn secrets(plan: &Plan, wants: &Wants, kube: Way<'_>) -> Vec<(String, String, Part<bool>)> {
    let pull = wants.pull.iter().map(|name| (name, "image pull Secret"));
    let named = [
        (&wants.licence, "licence"),
        (&wants.tls, "TLS Secret"),
        (&wants.ca, "CA Secret"),
    ];
    let named = named
        .into_iter()
        .filter_map(|(name, what)| Some((name.as_ref()?, what)));
    let mut all = Vec::new();
    for (name, what) in named.chain(pull) {
        let there = match kube {
            Ok(kube) => secret(plan, kube, name).await,
            Err(why) => Err(why.clone()),
        };
        all.push((clean(name, 253), what.to_owned(), there));
    }
    all
}

/// Whether a Secret is there: its metadata alone is asked for.
async fn secret(plan: &Plan, kube: &Kube, name: &str) -> Part<bool> {
    let path = format!(
        "/api/v1/namespaces/{}/secrets/{}",
        raw::encode(&plan.cluster.namespace),
        raw::encode(name)
    );
    let doing = format!("get secret {name}");
    match raw::read_metadata::<IgnoredAny>(kube, &doing, &path, PATIENCE).await {
        Ok(_) => Ok(true),
        Err(failure) if failure.kind == FailureKind::NotFound => Ok(false),
        Err(failure) => Err(failure),
    }
}

#[derive(Deserialize)]
struct Names {
    #[serde(default)]
    items: Vec<Named>,
}

async fn classes(kube: Way<'_>) -> Part<Vec<String>> {
    let kube = kube.map_err(Clone::clone)?;
    let path = "/apis/networking.k8s.io/v1/ingressclasses?limit=100";
    let found: Names = raw::read(kube, "list ingressclasses", path, PATIENCE).await?;
    let names = found.items.iter().map(|one| clean(&one.metadata.name, 253));
    Ok(names.collect())
}

#[derive(Deserialize)]
struct Groups {
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    name: String,
}

async fn groups(kube: Way<'_>) -> Part<Vec<String>> {
    let kube = kube.map_err(Clone::clone)?;
    let found: Groups = raw::read(kube, "list the API groups", "/apis", PATIENCE).await?;
    let names = found.groups.iter().map(|group| clean(&group.name, 253));
    Ok(names.take(500).collect())
}

#[derive(Deserialize)]
struct Deployments {
    #[serde(default)]
    items: Vec<Deployment>,
}

#[derive(Deserialize)]
struct Deployment {
    metadata: DeploymentMeta,
    #[serde(default)]
    status: DeploymentStatus,
}

#[derive(Deserialize)]
struct DeploymentMeta {
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DeploymentStatus {
    available_replicas: u32,
}

async fn controllers(kube: Way<'_>) -> Part<Vec<Controller>> {
    let kube = kube.map_err(Clone::clone)?;
    let label = raw::encode(&format!("{NAME} in ({CONTROLLERS})"));
    let path = format!("/apis/apps/v1/deployments?limit=100&labelSelector={label}");
    let found: Deployments = raw::read(kube, "list deployments", &path, PATIENCE).await?;
    let read = |one: &Deployment| Controller {
        app: clean(
            one.metadata.labels.get(NAME).map_or("", String::as_str),
            100,
        ),
        name: clean(
            &format!("{}/{}", one.metadata.namespace, one.metadata.name),
            300,
        ),
        available: one.status.available_replicas,
    };
    Ok(found.items.iter().map(read).collect())
}

#[derive(Deserialize)]
struct Node {
    metadata: NodeMeta,
    #[serde(default)]
    spec: NodeSpec,
    #[serde(default)]
    status: NodeStatus,
}

#[derive(Deserialize)]
struct NodeMeta {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NodeSpec {
    unschedulable: bool,
    taints: Vec<Taint>,
}

#[derive(Deserialize)]
struct Taint {
    effect: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NodeStatus {
    allocatable: BTreeMap<String, String>,
    conditions: Vec<crate::clients::kube::wire::Condition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pod {
    #[serde(default)]
    spec: PodSpec,
    #[serde(default)]
    status: PodStatus,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodSpec {
    node_name: Option<String>,
    containers: Vec<Container>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PodStatus {
    phase: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Container {
    resources: Resources,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resources {
    requests: BTreeMap<String, String>,
}

async fn nodes(kube: Way<'_>) -> Part<Vec<NodeRoom>> {
    let kube = kube.map_err(Clone::clone)?;
    let (nodes, pods) = tokio::join!(
        Box::pin(raw::list::<Node>(
            kube,
            "list nodes",
            "/api/v1/nodes",
            PATIENCE
        )),
        Box::pin(raw::list::<Pod>(
            kube,
            "list pods",
            "/api/v1/pods",
            PATIENCE
        )),
    );
    Ok(room(&nodes?, &pods?))
}

/// What is free: allocatable less what the pods on it request.
fn room(nodes: &[Node], pods: &[Pod]) -> Vec<NodeRoom> {
    let mut used: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
    let running = pods.iter().filter(|pod| {
        let over = ["Succeeded", "Failed"];
        !over.contains(&pod.status.phase.as_str())
    });
    for pod in running {
        let Some(node) = pod.spec.node_name.as_deref() else {
            continue;
        };
        let sum = used.entry(node).or_default();
        sum.2 += 1;
        for container in &pod.spec.containers {
            let request = &container.resources.requests;
            sum.0 += request.get("cpu").map_or(0, |text| thousandths(text));
            sum.1 += request.get("memory").map_or(0, |text| whole(text));
        }
    }
    nodes
        .iter()
        .map(|node| {
            let of = |what: &str, read: fn(&str) -> u64| {
                node.status
                    .allocatable
                    .get(what)
                    .map_or(0, |text| read(text))
            };
            let (cpu, memory, pods) = used
                .get(node.metadata.name.as_str())
                .copied()
                .unwrap_or_default();
            let ready = node
                .status
                .conditions
                .iter()
                .any(|one| one.r#type == "Ready" && one.status == "True");
            let kept_away = node
                .spec
                .taints
                .iter()
                .any(|taint| ["NoSchedule", "NoExecute"].contains(&taint.effect.as_str()));
            NodeRoom {
                name: clean(&node.metadata.name, 253),
                usable: ready && !node.spec.unschedulable && !kept_away,
                cpu: of("cpu", thousandths).saturating_sub(cpu),
                memory: of("memory", whole).saturating_sub(memory),
                pods: of("pods", whole).saturating_sub(pods),
            }
        })
        .collect()
}

fn thousandths(text: &str) -> u64 {
    quantity(text).map_or(0, |(whole, part)| whole * 1_000 + part)
}

fn whole(text: &str) -> u64 {
    quantity(text).map_or(0, |(whole, _)| whole)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn room_is_what_is_allocatable_less_what_is_requested() {
        let node = |name: &str, ready: &str, taint: &str| {
            serde_json::from_value::<Node>(json!({"metadata": {"name": name}, "spec": {"taints": [{"key": "k", "effect": taint}]},
                "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "10"},
                    "conditions": [{"type": "Ready", "status": ready}]}}))
            .expect("a node")
        };
        let pod = |node: Option<&str>, phase: &str| {
            serde_json::from_value::<Pod>(json!({"spec": {"nodeName": node, "containers": [
                {"resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}}, {}]}, "status": {"phase": phase}}))
            .expect("a pod")
        };
        let nodes = [
            node("a", "True", "PreferNoSchedule"),
            node("b", "Unknown", "PreferNoSchedule"),
            node("c", "True", "NoSchedule"),
        ];
        let pods = [
            pod(Some("a"), "Running"),
            pod(Some("a"), "Succeeded"),
            pod(None, "Pending"),
        ];
        let room = room(&nodes, &pods);
        let usable: Vec<bool> = room.iter().map(|node| node.usable).collect();
        assert_eq!(usable, [true, false, false]);
        assert_eq!(
            (room[0].cpu, room[0].memory, room[0].pods),
            (1_500, 3 << 30, 9)
        );
        assert_eq!(room[1].cpu, 2_000);
    }
}
