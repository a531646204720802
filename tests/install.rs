//! The chart brought up in a practice: on the right table, on a wrong one, and over a release that runs warm.

use std::{path::Path, sync::Arc};

use relight::{
    incident::{Condition, Moment, Outcome, RunId, Side, StepId},
    judge,
    plan::{self, Plan},
    practice::{Practice, world::cluster::Resource},
    step::{self, Context},
};

use crate::eyes::{Eyes, PROGRAM};

async fn begin(dir: &Path) -> (Practice, Arc<Plan>) {
    let practice = Practice::begin(dir, "calm", Path::new(PROGRAM))
        .await
        .expect("a practice");
    let plan = Arc::new(plan::load(&practice.ready().plan).expect("a plan"));
    (practice, plan)
}

/// Writes the recovery values that a step would have written, onto a state table.
fn values(plan: &Plan, table: &str) {
    let recovery = &plan.recovery;
    let of = |value: &Option<String>| value.clone().expect("planned");
    let text = format!(
        "clusterName: {}\nchartMode: aws\naws:\n  region: {}\n  backendTable: {table}\n  auditLogTable: {}\n  sessionRecordingBucket: {}\nhighAvailability:\n  replicaCount: 2\n",
        plan.cluster.name,
        recovery.region,
        of(&recovery.audit_table),
        of(&recovery.bucket),
    );
    std::fs::write(recovery.values.as_ref().expect("planned"), text).expect("written");
}

async fn install(plan: &Arc<Plan>, change: impl FnOnce(&mut Context)) -> Result<(), String> {
    let native = step::native("install").expect("a native");
    let id = StepId::try_from("install".to_owned()).expect("a step id");
    let run = RunId::new(&id, 1, Moment::now());
    let mut context = Context::new(Arc::clone(plan), run, false);
    change(&mut context);
    (native.run)(context).await.map_err(|why| why.to_string())
}

fn releases(practice: &Practice) -> Vec<(String, String)> {
    let world = practice.world().lock();
    let store = &world.side(Side::Recovery).cluster.store;
    let label = |secret: &serde_json::Value, name: &str| {
        secret["metadata"]["labels"][name]
            .as_str()
            .map(str::to_owned)
    };
    store
        .list(Resource::Secrets, Some("teleport"))
        .filter_map(|secret| Some((label(secret, "version")?, label(secret, "status")?)))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_table_ends_the_step_at_once_and_stays_alarming() {
    let dir = tempfile::tempdir().expect("a folder");
    let (practice, plan) = begin(dir.path()).await;
    let mut eyes = Eyes::open(&plan);
    values(&plan, "teleport-statee-dr");
    install(&plan, |context| context.dry_run = true)
        .await
        .expect("a dry run");
    assert_eq!(releases(&practice), []);
    let lost = install(&plan, |context| {
        context.fence = step::Fence::new(|| Err("bob took the incident over".to_owned()));
    });
    assert!(lost.await.expect_err("refused").contains("bob"));
    assert_eq!(releases(&practice), []);

    let why = install(&plan, |_| {}).await.expect_err("a wrong table");
    assert!(
        why.starts_with("STOP: teleport-cluster-auth-") && why.contains("MADE AN EMPTY ONE"),
        "{why}"
    );
    let found = eyes
        .until("the log", Moment::now(), |sight| {
            let finding = judge::condition(Condition::AuthLogClean, sight);
            (finding.outcome == Outcome::Fail).then_some(finding.sentence)
        })
        .await;
    assert!(found.contains("MADE AN EMPTY ONE"), "{found}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_that_runs_warm_is_upgraded_and_reaches_the_planned_table() {
    let dir = tempfile::tempdir().expect("a folder");
    let (practice, plan) = begin(dir.path()).await;
    let mut eyes = Eyes::open(&plan);
    let table = plan.recovery.state_table.clone().expect("planned");
    // Warm, but on other values than the day's.
    values(&plan, "teleport-statee-dr");
    install(&plan, |_| {}).await.expect_err("a wrong table");
    values(&plan, &table);
    install(&plan, |_| {}).await.expect("an upgrade");
    assert_eq!(
        releases(&practice),
        [("1", "superseded"), ("2", "deployed")]
            .map(|(revision, status)| (revision.to_owned(), status.to_owned()))
    );
    let done = Moment::now();
    eyes.see(Condition::ReleaseDeployed, done).await;
    eyes.see(Condition::PodsReady, done).await;
    eyes.see(Condition::AuthLogClean, done).await;
}
