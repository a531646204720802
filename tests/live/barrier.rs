//! The old load balancer at AWS, against `ministack`: found by its DNS name, written down and shut.

use std::path::Path;

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, LoadBalancerTypeEnum, ProtocolEnum,
};
use relight::{
    clients::aws::{Aws, balancer},
    incident::{Barrier, Fact, Side, Subject},
    plan,
};
use serde_json::{Value, json};

use super::{
    aws::Rig,
    rig::{
        eyes::Eyes,
        kube::{ControlPlane, kubeconfig},
        step, step_in,
    },
};

/// Makes a network load balancer with a listener and gives its DNS name.
fn made(rig: &Rig, name: &str) -> String {
    rig.aws.with(Side::Primary, async |reach| {
        let client = reach.load_balancing().await;
        let group = client
            .create_target_group()
            .name(name)
            .protocol(ProtocolEnum::Tcp)
            .port(3080)
            .vpc_id("vpc-1");
        let group = group.send().await.expect("a target group");
        let group = group.target_groups()[0].target_group_arn().expect("an ARN");
        let balancer = client
            .create_load_balancer()
            .name(name)
            .r#type(LoadBalancerTypeEnum::Network)
            .subnets("subnet-1")
            .security_groups("sg-1")
            .send()
            .await
            .expect("a load balancer");
        let balancer = &balancer.load_balancers()[0];
        client
            .create_listener()
            .load_balancer_arn(balancer.load_balancer_arn().expect("an ARN"))
            .protocol(ProtocolEnum::Tcp)
            .port(443)
            .default_actions(
                Action::builder()
                    .r#type(ActionTypeEnum::Forward)
                    .target_group_arn(group)
                    .build(),
            )
            .send()
            .await
            .expect("a listener");
        balancer.dns_name().expect("a name").to_owned()
    })
}

fn seen(path: &Path) -> Barrier {
    let mut eyes = Eyes::open(path, &["barrier"]);
    eyes.look();
    match eyes.of(&Subject::Barrier).fresh() {
        Some(Fact::Barrier(barrier)) => barrier.as_ref().clone(),
        other => unreachable!("{other:?}"),
    }
}

/// Shuts one by its group and one by its listeners, beside one that is none of ours.
pub fn shut(rig: &Rig) {
    made(rig, "somebody-elses");
    for (name, more) in [
        ("by-group", "fence_security_group = \"sg-0\"\n"),
        ("by-listeners", ""),
    ] {
        let host = made(rig, name);
        let path = rig.plan(&format!(
            "[primary]\nload_balancer = [\"dualstack.{host}\"]\n{more}"
        ));
        let open = seen(&path);
        assert_eq!(open.balancers.len(), 1, "{open:?}");
        let one = &open.balancers[0];
        assert_eq!(
            (one.name.as_str(), one.kind.as_str(), one.listeners[0].port),
            (name, "network", 443)
        );
        assert!(open.missing.is_empty(), "{open:?}");
        let kept = kept(&path);
        let (told, fine) = step(&path, "fence-old-cluster", true);
        assert!(fine && told.contains("nothing was changed"), "{told}");
        assert_eq!(seen(&path), open);
        let (told, fine) = step(&path, "fence-old-cluster", false);
        assert!(fine && told.contains("listeners.json"), "{told}");
        let now = seen(&path);
        let one = &now.balancers[0];
        if more.is_empty() {
            assert!(
                one.listeners.is_empty() && one.groups == ["sg-1"],
                "{one:?}"
            );
        } else {
            assert!(one.behind("sg-0") && one.listeners.len() == 1, "{one:?}");
        }
        let (told, fine) = step(&path, "fence-old-cluster", false);
        assert!(fine && told.contains("shut already"), "{told}");
        open_again(&path, &now, &kept);
    }
}

/// Listeners in the words of `CreateListener`, through the doors of the plan, as the step writes them down.
fn kept(path: &Path) -> Vec<Value> {
    let plan = plan::load(path).expect("a plan");
    let found = runtime().block_on(async {
        let hosts = balancer::hosts(&plan, &[]).expect("planned");
        balancer::fetch(Aws::new(&plan).side(Side::Primary), &hosts).await
    });
    let kept = found.expect("read").kept;
    kept.into_iter().map(|(_, one)| one).collect()
}

/// Puts back what was taken, by the calls of `abort`: the same listeners are there, but for their ARNs.
fn open_again(path: &Path, shut: &Barrier, before: &[Value]) {
    let plan = plan::load(path).expect("a plan");
    let one = &shut.balancers[0];
    runtime().block_on(async {
        let aws = Aws::new(&plan);
        let reach = aws.side(Side::Primary);
        if one.listeners.is_empty() {
            for listener in before {
                let made = balancer::create_listener(reach, listener).await;
                made.expect("made again");
            }
        }
        let groups = ["sg-1".to_owned()];
        let done = balancer::set_groups(reach, &one.arn, &groups).await;
        done.expect("set again");
    });
    let bare = |listeners: Vec<Value>| -> Vec<Value> {
        let mut listeners = listeners;
        for listener in &mut listeners {
            listener["ListenerArn"] = Value::Null;
        }
        listeners
    };
    assert_eq!(bare(kept(path)), bare(before.to_vec()));
    assert_eq!(seen(path).balancers[0].groups, ["sg-1"]);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime")
}

/// Shuts one, and lets the way back open it again. `plane` stands for both clusters: its second user may see which one it
/// is and nothing else, so that the way back ends right after the load balancer.
pub fn reopened(rig: &Rig, plane: &ControlPlane) {
    let name = json!({"name": "who"});
    let group = "rbac.authorization.k8s.io";
    let rules = json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]);
    let rbac = format!("/apis/{group}/v1");
    plane.hand.make(
        &format!("{rbac}/clusterroles"),
        &json!({"metadata": name, "rules": rules}),
    );
    plane.hand.make(
        &format!("{rbac}/clusterrolebindings"),
        &json!({"metadata": name, "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "who"},
            "subjects": [{"apiGroup": group, "kind": "User", "name": "limited"}]}),
    );
    let host = made(rig, "way-back");
    let path = rig.plan(&format!(
        "[cluster]\nchart = \"none.tgz\"\nversion = \"18.2.4\"\n[primary]\nload_balancer = [\"{host}\"]\n[primary.kube]\n\
         context = \"recovery-limited\"\nkubeconfig = \"kubeconfig\"\n[recovery.kube]\ncontext = \"recovery\"\n\
         kubeconfig = \"kubeconfig\"\n"
    ));
    let incident = tempfile::tempdir().expect("a folder");
    let open = seen(&path);
    for name in ["record-black-box", "fence-old-cluster"] {
        let (told, fine) = step_in(&path, name, false, incident.path());
        assert!(fine, "{told}");
    }
    assert!(seen(&path).balancers[0].listeners.is_empty());
    let (told, fine) = step_in(&path, "abort", false, incident.path());
    assert!(!fine && told.contains("the old release"), "{told}");
    let now = seen(&path);
    let ports = |barrier: &Barrier| {
        let listeners = &barrier.balancers[0].listeners;
        let each = listeners.iter().map(|one| (one.port, one.protocol.clone()));
        each.collect::<Vec<_>>()
    };
    assert_eq!(ports(&now), ports(&open), "{told}");
    assert_eq!(now.balancers[0].groups, open.balancers[0].groups);
    let target = rig.aws.with(Side::Primary, async |reach| {
        let client = reach.load_balancing().await;
        let arn = &now.balancers[0].arn;
        let said = client.describe_listeners().load_balancer_arn(arn);
        let said = said.send().await.expect("listeners");
        let action = said.listeners()[0].default_actions()[0].clone();
        action.target_group_arn.expect("a target group")
    });
    assert!(target.contains("/way-back/"), "{target}");
    let (told, _) = step_in(&path, "abort", false, incident.path());
    assert!(told.contains("it is as it was before"), "{told}");
}

#[test]
#[ignore = "tests/live/run"]
fn an_old_load_balancer_is_shut_by_its_listeners_or_by_its_group() {
    let rig = Rig::new();
    shut(&rig);
    let path = rig.plan("[primary]\nload_balancer = [\"nobodys.example.com\"]\n");
    assert_eq!(seen(&path).missing, ["nobodys.example.com"]);
    let (told, fine) = step(&path, "fence-old-cluster", false);
    assert!(!fine && told.contains("no load balancer"), "{told}");
}

#[test]
#[ignore = "tests/live/run"]
fn the_way_back_opens_what_was_shut() {
    let rig = Rig::new();
    let plane = ControlPlane::start(Side::Recovery, rig.dir.path());
    kubeconfig(&rig.dir.path().join("kubeconfig"), &[&plane]);
    reopened(&rig, &plane);
}
