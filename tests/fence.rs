//! What would bring the old cluster back, and an old cluster that comes back, met in a practice by the real clients.

use std::{path::Path, sync::Arc};

use relight::{
    clients::kube::reconcilers::REMEMBERED,
    incident::{Condition, Moment, Outcome, RunId, Runbook, Side, StepId},
    judge::{self, fence::Fence},
    plan::{self, Plan},
    practice::{Practice, world::cluster::Resource},
    step::{self, Context},
};

use crate::eyes::{Eyes, PROGRAM, run};

async fn begin(dir: &Path, scenario: &str) -> (Practice, Arc<Plan>) {
    let practice = Practice::begin(dir, scenario, Path::new(PROGRAM))
        .await
        .expect("a practice");
    let plan = Arc::new(plan::load(&practice.ready().plan).expect("a plan"));
    (practice, plan)
}

async fn walk(id: &str, plan: &Arc<Plan>) {
    let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the runbook");
    let id = StepId::try_from(id.to_owned()).expect("a step id");
    run(runbook.get(&id).expect("a step"), plan).await;
}

/// Runs `pause-reconcilers` with a context that is changed before.
async fn pause(plan: &Arc<Plan>, change: impl FnOnce(&mut Context)) -> Result<(), String> {
    let native = step::native("pause-reconcilers").expect("a native");
    let id = StepId::try_from("pause-reconcilers".to_owned()).expect("a step id");
    let run = RunId::new(&id, 1, Moment::now());
    let mut context = Context::new(Arc::clone(plan), run, false);
    change(&mut context);
    (native.run)(context).await.map_err(|why| why.to_string())
}

/// Which of the `GitOps`'s objects Relight has changed.
fn touched(practice: &Practice) -> Vec<String> {
    let world = practice.world().lock();
    let store = &world.side(Side::Primary).cluster.store;
    [
        Resource::Deployments,
        Resource::HelmReleases,
        Resource::Kustomizations,
    ]
    .into_iter()
    .flat_map(|resource| store.list(resource, Some("flux-system")))
    .filter(|one| one["metadata"]["annotations"][REMEMBERED].is_string())
    .filter_map(|one| one["metadata"]["name"].as_str().map(str::to_owned))
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gitops_brings_the_old_cluster_back_until_it_is_paused() {
    let dir = tempfile::tempdir().expect("a folder");
    let (practice, plan) = begin(dir.path(), "gitops").await;
    let mut eyes = Eyes::open(&plan);
    let began = Moment::now();
    let found = eyes
        .until("what reconciles", began, |sight| {
            let finding = judge::condition(Condition::ReconcilersPaused, sight);
            (finding.outcome == Outcome::Fail).then_some(finding.sentence)
        })
        .await;
    for part in [
        "Flux Kustomization flux-system/apps",
        "Flux HelmRelease flux-system/teleport",
        "external-dns flux-system/external-dns",
        "policy sync",
    ] {
        assert!(found.contains(part), "{found}");
    }

    // Only uninstalled, it is back by itself.
    walk("stop-old-cluster", &plan).await;
    eyes.see(Condition::OldClusterGone, Moment::now()).await;
    eyes.until("the old cluster to be back", Moment::now(), |sight| {
        judge::fence::comeback(sight)?.ok()
    })
    .await;

    let other = pause(&plan, |context| {
        context.confirmed = vec!["another".to_owned()];
    })
    .await;
    assert!(other.expect_err("refused").contains("nothing was changed"));
    let lost = pause(&plan, |context| {
        context.fence = step::Fence::new(|| Err("bob took the incident over".to_owned()));
    });
    assert!(lost.await.expect_err("refused").contains("bob"));
    pause(&plan, |context| context.dry_run = true)
        .await
        .expect("a dry run");
    assert_eq!(touched(&practice), Vec::<String>::new());

    walk("pause-reconcilers", &plan).await;
    assert_eq!(touched(&practice), ["external-dns", "teleport", "apps"]);
    let done = Moment::now();
    eyes.see(Condition::ReconcilersPaused, done).await;
    walk("stop-old-cluster", &plan).await;
    let done = Moment::now();
    for condition in [Condition::OldClusterGone, Condition::OldDoorShut] {
        eyes.see(condition, done).await;
    }
    let mut world = practice.world().lock();
    let later = Moment::now().plus(std::time::Duration::from_hours(1));
    world.tick(later);
    world.tick(later.plus(std::time::Duration::from_hours(1)));
    let store = &world.side(Side::Primary).cluster.store;
    assert_eq!(
        store.list(Resource::Deployments, Some("teleport")).count(),
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_comes_back_is_seen_for_what_it_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let (practice, plan) = begin(dir.path(), "zombie-primary").await;
    let mut eyes = Eyes::open(&plan);
    let began = Moment::now();
    let why = eyes
        .until("silence on both ways", began, |sight| {
            let (fence, why) = judge::fence::fence(sight);
            let asked = !why.contains("not been read yet") && !why.contains("no look");
            (fence == Fence::Unreachable && asked).then_some(why)
        })
        .await;
    assert!(why.contains("no answer"), "{why}");

    practice.world().lock().scenario.faults.clear();
    eyes.until("the old cluster at its own address", began, |sight| {
        let back = judge::doors::comeback(sight)?.ok()?;
        back.contains("certificate and authorities").then_some(())
    })
    .await;
    eyes.until("the old cluster's pods", began, |sight| {
        (judge::fence::fence(sight).0 == Fence::Running).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_helm_release_the_deployments_are_scaled_to_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let (practice, plan) = begin(dir.path(), "calm").await;
    {
        let mut world = practice.world().lock();
        let store = &mut world.side_mut(Side::Primary).cluster.store;
        let names: Vec<String> = store
            .list(Resource::Secrets, Some("teleport"))
            .filter_map(|one| one["metadata"]["name"].as_str().map(str::to_owned))
            .collect();
        for name in names {
            store.remove(Resource::Secrets, "teleport", &name);
        }
    }
    let mut eyes = Eyes::open(&plan);
    walk("stop-old-cluster", &plan).await;
    let done = Moment::now();
    for condition in [Condition::OldClusterGone, Condition::OldDoorShut] {
        eyes.see(condition, done).await;
    }
    let world = practice.world().lock();
    let store = &world.side(Side::Primary).cluster.store;
    let left: Vec<_> = store
        .list(Resource::Deployments, Some("teleport"))
        .collect();
    assert_eq!(left.len(), 2);
    for one in left {
        assert_eq!(one["spec"]["replicas"], 0);
        assert_eq!(one["metadata"]["annotations"][REMEMBERED], "2");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_proxies_are_replaced_and_auth_is_left_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let (practice, plan) = begin(dir.path(), "calm").await;
    let pods = |component: &str| -> Vec<String> {
        let world = practice.world().lock();
        let store = &world.side(Side::Primary).cluster.store;
        let of = store
            .list(Resource::Pods, Some("teleport"))
            .filter(|pod| pod["metadata"]["labels"]["app.kubernetes.io/component"] == component);
        of.filter_map(|pod| pod["metadata"]["uid"].as_str().map(str::to_owned))
            .collect()
    };
    let (proxies, auth) = (pods("proxy"), pods("auth"));
    let mut eyes = Eyes::open(&plan);
    let before = eyes
        .until("the proxies of before", Moment::now(), |sight| {
            let finding = judge::condition(Condition::ProxiesRestarted, sight);
            (finding.outcome == Outcome::Fail).then_some(finding.sentence)
        })
        .await;
    assert!(before.contains("not restarted since"), "{before}");
    walk("restart-proxies", &plan).await;
    eyes.see(Condition::ProxiesRestarted, Moment::now()).await;
    let now = pods("proxy");
    assert_eq!(now.len(), 2);
    assert!(now.iter().all(|uid| !proxies.contains(uid)), "{now:?}");
    assert_eq!(pods("auth"), auth);
}
