//! The real kube client and the cluster probe against the practice's Kubernetes API, over a socket.

use std::{path::PathBuf, sync::Arc, time::Duration};

use relight::{
    clients::kube,
    incident::{
        Cluster, Component, Fact, Failure, FailureKind, Instruments, Moment, Observation, Outcome,
        Side, Subject,
    },
    judge::{self, Sight},
    plan::{KubePlan, Plan},
    practice::{
        helm,
        world::{Addresses, Scenario, Shared, World, cluster::Resource},
    },
    probe::{
        Probe as _, Sink,
        live::cluster::{ClusterProbe, Rhythm},
    },
};
use serde_json::json;
use tempfile::TempDir;

const FAST: &str = r#"about = "fast"
[cluster]
schedule_ms = 20
pull_ms = 50
auth_ready_ms = 50
proxy_ready_ms = 50
grace_ms = 50
load_balancer_ms = 50
hook_ms = 50
"#;

/// Both sides' APIs on sockets of their own, and a plan for them.
struct Rig {
    world: Shared,
    plan: Arc<Plan>,
    folder: TempDir,
}

impl Rig {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let scenario = Scenario::parse("fast", FAST).expect("a scenario");
        let addresses = Addresses::within([127, 0, 0, 0].into(), &scenario);
        let world = Shared::new(World::new(scenario, addresses, Moment::now()));
        let mut ports = Vec::new();
        for side in Side::BOTH {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
                .await
                .expect("a port");
            ports.push(listener.local_addr().expect("bound"));
            tokio::spawn(relight::practice::kube::serve(
                world.clone(),
                side,
                listener,
            ));
        }
        let named = |what: &str, body: [serde_json::Value; 2]| {
            Side::BOTH
                .iter()
                .zip(body)
                .map(|(side, body)| json!({"name": side.word(), what: body}))
                .collect::<Vec<_>>()
        };
        let server = |at: usize| json!({"server": format!("http://{}", ports[at])});
        let context = |side: Side| json!({"cluster": side.word(), "user": "nobody"});
        let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "recovery",
            "clusters": named("cluster", [server(0), server(1)]),
            "contexts": named("context", Side::BOTH.map(context))});
        std::fs::write(folder.path().join("kubeconfig"), config.to_string()).expect("written");
        let side = |name: &str, region: &str, uid: &str| {
            format!(
                "[{name}]\nregion = \"{region}\"\naccount = \"111122223333\"\nstate_table = \"{name}-s\"\naudit_table = \"{name}-a\"\nrecordings_bucket = \"{name}-r\"\n[{name}.kube]\ncontext = \"{name}\"\nkubeconfig = \"kubeconfig\"\nuid = \"{uid}\"\n"
            )
        };
        let uid = |side| world.lock().scenario.site(side).uid.clone();
        let text = format!(
            "[cluster]\nname = \"teleport.example.com\"\nvalues = \"values.yaml\"\nversion = \"17.7.3\"\nchart = \"teleport/teleport-cluster\"\n{}{}",
            side("primary", "us-east-1", &uid(Side::Primary)),
            side("recovery", "us-west-2", &uid(Side::Recovery)),
        );
        let plan = Plan::parse(&folder.path().join("relight.toml"), &text).expect("a plan");
        Self {
            world,
            plan: Arc::new(plan),
            folder,
        }
    }

    fn fault(&self, kind: &str) {
        let text = format!(
            "about = \"x\"\n[[fault]]\nside = \"primary\"\nservice = \"kubernetes\"\nkind = \"{kind}\"\n"
        );
        let faults = Scenario::parse("x", &text).expect("a fault").faults;
        self.world.lock().scenario.faults = faults;
    }

    fn clear(&self) {
        self.world.lock().scenario.faults.clear();
    }

    fn probe(&self, side: Side) -> ClusterProbe {
        let rhythm = Rhythm {
            confirm: Duration::from_millis(200),
            request: Duration::from_millis(800),
            emit: Duration::from_millis(20),
            back_off: Duration::from_millis(10),
            back_off_cap: Duration::from_millis(50),
            ..Rhythm::of(&self.plan, side)
        };
        ClusterProbe::with_rhythm(self.plan.clone(), side, rhythm)
    }

    /// Watches a side in the background; a lost look is put as an observation, as the schedule does.
    fn watch(&self, side: Side) -> Sink {
        let sink = Sink::default();
        let (mut probe, into) = (self.probe(side), sink.clone());
        tokio::spawn(async move {
            loop {
                if let Err(failure) = probe.look(&into).await {
                    into.put(Subject::Cluster(side), Duration::ZERO, Err(failure));
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        sink
    }

    async fn helm(&self, line: &str) -> i32 {
        let line = format!(
            "{line} --namespace teleport --kubeconfig {}",
            self.folder.path().join("kubeconfig").display()
        );
        helm::main(line.split(' ').map(str::to_owned).collect()).await
    }
}

/// Waits for an observation that satisfies a condition.
async fn until(
    sink: &Sink,
    what: &str,
    wanted: impl Fn(&Result<Fact, Failure>) -> bool,
) -> Observation {
    let mut last = None;
    let waiting = async {
        loop {
            for seen in sink.take().await {
                if wanted(&seen.outcome) {
                    return seen;
                }
                last = Some(seen);
            }
        }
    };
    match tokio::time::timeout(Duration::from_secs(30), waiting).await {
        Ok(seen) => seen,
        Err(_) => unreachable!("{what} was not seen; last {last:#?}"),
    }
}

async fn until_cluster(sink: &Sink, what: &str, wanted: impl Fn(&Cluster) -> bool) -> Observation {
    until(
        sink,
        what,
        |outcome| matches!(outcome, Ok(Fact::Cluster(cluster)) if wanted(cluster)),
    )
    .await
}

async fn until_failure(sink: &Sink, kind: FailureKind) -> Failure {
    let what = format!("{kind:?}");
    let seen = until(
        sink,
        &what,
        |outcome| matches!(outcome, Err(failure) if failure.kind == kind),
    )
    .await;
    seen.outcome.expect_err("a failure")
}

fn ready(cluster: &Cluster) -> bool {
    cluster.pods.len() == 4
        && cluster
            .pods
            .iter()
            .all(|pod| pod.ready == 1 && pod.node_ready == Some(true))
        // Pods and Deployments come by watches of their own, either of them first.
        && cluster.deployments.len() == 2
        && cluster
            .deployments
            .iter()
            .all(|one| one.observed && one.available == one.desired)
}

fn outcome(
    plan: &Plan,
    seen: Observation,
    judge: impl Fn(&Sight<'_>) -> relight::incident::Finding,
) -> (Outcome, String) {
    let mut instruments = Instruments::default();
    let now = seen.at;
    instruments.take(seen);
    let finding = judge(&Sight {
        instruments: &instruments,
        plan,
        now,
        since: None,
        outage: None,
    });
    (finding.outcome, finding.sentence)
}

#[tokio::test]
async fn the_running_release_is_seen_whole() {
    let rig = Rig::new().await;
    let sink = rig.watch(Side::Primary);
    let seen = until_cluster(&sink, "four ready pods", ready).await;
    let Ok(Fact::Cluster(cluster)) = &seen.outcome else {
        unreachable!()
    };
    assert_eq!(cluster.uid, rig.plan.primary.kube.uid);
    assert_eq!(cluster.gaps, []);
    assert_eq!(
        cluster
            .release
            .as_ref()
            .expect("readable")
            .as_ref()
            .expect("a release")
            .status,
        "deployed"
    );
    assert_eq!(cluster.deployments.len(), 2);
    assert!(
        cluster
            .load_balancer
            .as_ref()
            .is_some_and(|balancer| balancer.addresses.len() == 1)
    );
    for judged in [judge::cluster::context, judge::cluster::ready] {
        let (outcome, sentence) = outcome(&rig.plan, seen.clone(), |sight| {
            judged(Side::Primary, sight)
        });
        assert_eq!(outcome, Outcome::Pass, "{sentence}");
    }
    let unchanged = until_cluster(&sink, "a confirmation", |_| true).await;
    let Ok(Fact::Cluster(later)) = &unchanged.outcome else {
        unreachable!()
    };
    assert!(unchanged.at > seen.at, "a quiet watch is confirmed");
    assert!(
        cluster
            .pods
            .iter()
            .zip(&later.pods)
            .all(|(a, b)| Arc::ptr_eq(a, b)),
        "unchanged pods are shared"
    );
}

#[tokio::test]
async fn helm_takes_the_old_cluster_down_and_brings_the_new_one_up() {
    let rig = Rig::new().await;
    let (old, new) = (rig.watch(Side::Primary), rig.watch(Side::Recovery));
    until_cluster(&old, "the old cluster", ready).await;
    assert_eq!(
        rig.helm("uninstall teleport-cluster --kube-context primary --wait --timeout 5m")
            .await,
        0
    );
    // Each kind has its watch, and these end in any order.
    let seen = until_cluster(&old, "nothing", |cluster| {
        cluster.pods.is_empty() && cluster.deployments.is_empty() && cluster.release == Ok(None)
    })
    .await;
    let (outcome_old, sentence) = outcome(&rig.plan, seen, |sight| {
        judge::cluster::gone(Side::Primary, sight)
    });
    assert_eq!(outcome_old, Outcome::Pass, "{sentence}");
    assert_eq!(
        rig.helm("uninstall teleport-cluster --kube-context primary")
            .await,
        1,
        "release: not found"
    );

    let seen = until_cluster(&new, "an empty cluster", |cluster| {
        cluster.release == Ok(None)
    })
    .await;
    let (absent, sentence) = outcome(&rig.plan, seen, |sight| {
        judge::cluster::release_absent(Side::Recovery, sight)
    });
    assert_eq!(absent, Outcome::Pass, "{sentence}");
    let values = rig.folder.path().join("v.yaml");
    let text = "clusterName: teleport.example.com\naws: {region: us-west-2, backendTable: s, auditLogTable: a, sessionRecordingBucket: b}\nhighAvailability: {replicaCount: 2}\n";
    std::fs::write(&values, text).expect("written");
    let install = format!(
        "install teleport-cluster teleport/teleport-cluster --version 17.7.3 --values {} --kube-context recovery --timeout 15m",
        values.display()
    );
    assert_eq!(rig.helm(&install).await, 1, "the namespace is missing");
    let install = format!("{install} --create-namespace");
    assert_eq!(rig.helm(&install).await, 0);
    assert_eq!(rig.helm(&install).await, 1, "the name is in use");
    let seen = until_cluster(&new, "the new cluster", |cluster| {
        ready(cluster)
            && cluster
                .load_balancer
                .as_ref()
                .is_some_and(|balancer| !balancer.addresses.is_empty())
    })
    .await;
    for judged in [
        judge::cluster::release_deployed,
        judge::cluster::ready,
        judge::cluster::load_balancer_known,
    ] {
        let (outcome, sentence) = outcome(&rig.plan, seen.clone(), |sight| {
            judged(Side::Recovery, sight)
        });
        assert_eq!(outcome, Outcome::Pass, "{sentence}");
    }
    let client = kube::connect(&rig.plan.recovery.kube)
        .await
        .expect("a client");
    let balancer = kube::load_balancer(&client, "teleport", "teleport-cluster")
        .await
        .expect("read");
    assert_eq!(balancer.expect("known").source, "Service teleport-cluster");
    assert_eq!(
        kube::load_balancer(&client, "teleport", "other").await,
        Ok(None)
    );
    let running = rig
        .world
        .lock()
        .recovery
        .cluster
        .running()
        .expect("a load balancer");
    assert_eq!(
        (running.state_table.as_str(), running.region.as_str()),
        ("s", "us-west-2")
    );
}

#[tokio::test]
async fn each_way_to_fail_is_told_apart_and_gone_again_when_it_is_over() {
    let rig = Rig::new().await;
    let sink = rig.watch(Side::Primary);
    for (fault, kind) in [
        ("hang", FailureKind::Timeout),
        ("reset", FailureKind::Unreachable),
        ("unavailable", FailureKind::Server),
        ("forbidden", FailureKind::Forbidden),
        ("garbage", FailureKind::Garbage),
    ] {
        until_cluster(&sink, "the cluster", ready).await;
        rig.fault(fault);
        let failure = until_failure(&sink, kind).await;
        assert!(
            failure.detail.contains("context primary"),
            "{fault}: {failure}"
        );
        let seen = Observation {
            subject: Subject::Cluster(Side::Primary),
            at: Moment::now(),
            took: Duration::ZERO,
            outcome: Err(failure),
        };
        let (gone, sentence) = outcome(&rig.plan, seen, |sight| {
            judge::cluster::gone(Side::Primary, sight)
        });
        assert_eq!(
            gone,
            Outcome::Unknown,
            "an API that does not answer proves nothing: {sentence}"
        );
        rig.clear();
    }
    until_cluster(&sink, "the cluster", ready).await;
}

#[tokio::test]
async fn a_watch_that_lost_its_place_reads_everything_anew() {
    let rig = Rig::new().await;
    let sink = rig.watch(Side::Primary);
    until_cluster(&sink, "the cluster", ready).await;
    let gone = {
        // The watch's version is forgotten before it can be told what happened: 410.
        let mut world = rig.world.lock();
        let cluster = &mut world.primary.cluster;
        let name = cluster
            .store
            .list(Resource::Pods, None)
            .find_map(|pod| pod["metadata"]["name"].as_str().map(str::to_owned))
            .expect("a pod");
        cluster
            .delete(Resource::Pods, "teleport", &name, true, Moment::now())
            .expect("deleted");
        cluster.store.compact();
        name
    };
    until_cluster(&sink, "another pod in its place", |cluster| {
        ready(cluster) && cluster.pods.iter().all(|pod| pod.name != gone)
    })
    .await;
}

#[tokio::test]
async fn pods_on_lost_nodes_are_hearsay() {
    let rig = Rig::new().await;
    let sink = rig.watch(Side::Primary);
    until_cluster(&sink, "the cluster", ready).await;
    rig.world.lock().primary.cluster.lose_nodes(Moment::now());
    let seen = until_cluster(&sink, "lost nodes", |cluster| {
        cluster
            .pods
            .iter()
            .all(|pod| pod.node_ready == Some(false) && pod.ready == 1)
    })
    .await;
    let mut instruments = Instruments::default();
    let now = seen.at;
    instruments.take(seen);
    let sight = Sight {
        instruments: &instruments,
        plan: &rig.plan,
        now,
        since: None,
        outage: None,
    };
    let judged = judge::cluster::assess(Side::Primary, &sight);
    assert_eq!(
        judged.health,
        relight::incident::Health::Unknown,
        "{}",
        judged.sentence
    );
    assert!(judged.sentence.contains("0/4 ready"), "{}", judged.sentence);
}

#[tokio::test]
async fn lists_come_in_pages_and_secrets_without_their_data() {
    let rig = Rig::new().await;
    {
        let mut world = rig.world.lock();
        for index in 0..1203 {
            let pod = json!({"metadata": {"name": format!("p-{index}"), "labels": {"app.kubernetes.io/instance": "big"}}});
            world
                .primary
                .cluster
                .create(Resource::Pods, "teleport", pod, Moment::now())
                .expect("made");
        }
        let secret = json!({"metadata": {"name": "s", "labels": {"owner": "helm", "name": "big", "status": "x", "version": "1"}},
            "data": {"release": "c2VjcmV0"}});
        world
            .primary
            .cluster
            .create(Resource::Secrets, "teleport", secret, Moment::now())
            .expect("made");
    }
    let client = kube::connect(&rig.plan.primary.kube)
        .await
        .expect("a client");
    let patience = Duration::from_secs(20);
    let pods =
        kube::list::<kube::WirePod>(&client, &kube::Query::pods("teleport", "big"), patience)
            .await
            .expect("pods");
    assert_eq!(pods.items.len(), 1203);
    assert!(
        pods.items
            .iter()
            .all(|pod| pod.read(|_| None).component == Component::Other)
    );
    let secrets = kube::list::<serde_json::Value>(
        &client,
        &kube::Query::releases("teleport", "big"),
        patience,
    )
    .await
    .expect("secrets");
    assert_eq!(secrets.items.len(), 1);
    assert!(!secrets.items[0].to_string().contains("c2VjcmV0"));
}

/// What the probe makes of a real control plane with the objects of `tests/fixtures/kube`, where the environment names a
/// kubeconfig with context `dr`.
async fn live(variable: &str) -> Option<Arc<Cluster>> {
    let file = std::env::var_os(variable)?;
    let mut plan = (*Rig::new().await.plan).clone();
    plan.primary.kube = KubePlan {
        context: Some("dr".into()),
        kubeconfig: Some(PathBuf::from(file)),
        uid: None,
        eks_cluster: None,
    };
    let sink = Sink::default();
    let mut probe = ClusterProbe::new(Arc::new(plan), Side::Primary);
    let into = sink.clone();
    tokio::spawn(async move {
        let ended = probe.look(&into).await;
        into.put(
            Subject::Cluster(Side::Primary),
            Duration::ZERO,
            Err(ended.expect_err("lost")),
        );
    });
    let seen = until(&sink, "the real cluster", |outcome| match outcome {
        Ok(Fact::Cluster(cluster)) => cluster.pods.len() > 8,
        _ => true,
    })
    .await;
    match seen.outcome {
        Ok(Fact::Cluster(cluster)) => Some(cluster),
        other => unreachable!("{other:#?}"),
    }
}

#[tokio::test]
async fn a_real_api_server_reads_the_same_way() {
    let Some(cluster) = live("RELIGHT_LIVE_KUBECONFIG").await else {
        return;
    };
    assert_eq!(cluster.gaps, []);
    assert!(
        cluster.uid.is_some() && cluster.release.as_ref().is_ok_and(Option::is_some),
        "{cluster:#?}"
    );
    assert!(
        cluster
            .pods
            .iter()
            .any(|pod| pod.component == Component::Hook)
    );
    assert!(
        cluster
            .pods
            .iter()
            .all(|pod| pod.node_ready.is_some() == pod.node.is_some())
    );
    assert!(cluster.load_balancer.is_some());
}

/// `RELIGHT_LIVE_VIEWER`: a user who may read pods, Deployments and Services of the namespace and nothing else.
#[tokio::test]
async fn partial_rights_at_a_real_api_server_do_not_lose_the_pods() {
    let Some(cluster) = live("RELIGHT_LIVE_VIEWER").await else {
        return;
    };
    assert_eq!(cluster.uid, None);
    assert_eq!(cluster.deployments.len(), 2);
    assert_eq!(
        cluster.release.as_ref().expect_err("forbidden").kind,
        FailureKind::Forbidden
    );
    assert!(
        cluster.gaps.len() == 5
            && cluster
                .gaps
                .iter()
                .all(|gap| gap.why.kind == FailureKind::Forbidden),
        "{:#?}",
        cluster.gaps
    );
    assert!(cluster.pods.iter().all(|pod| pod.node_ready.is_none()));
}
