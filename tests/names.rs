//! The names of a cluster, moved by the real clients in a practice: half of them by somebody else, and without Route 53.

use std::{path::Path, sync::Arc};

use relight::{
    incident::{Condition, Moment, Outcome, RunId, Runbook, StepId},
    judge,
    plan::{self, ArcPlan, Plan},
    practice::{Practice, world::controls::Controls},
    step::{self, Context},
};

use crate::eyes::{Eyes, PROGRAM, run};

/// A practice, with a plan that says beforehand where the names are to lead.
async fn begin(dir: &Path, scenario: &str) -> (Practice, Plan) {
    let practice = Practice::begin(dir, scenario, Path::new(PROGRAM))
        .await
        .expect("a practice");
    let mut plan = plan::load(&practice.ready().plan).expect("a plan");
    let world = practice.world().lock();
    plan.dns
        .new
        .push(world.scenario.recovery.load_balancer.clone());
    drop(world);
    (practice, plan)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_moved_without_its_wildcard_is_not_published_and_is_mended() {
    let dir = tempfile::tempdir().expect("a folder");
    let (_practice, plan) = begin(dir.path(), "apex-only").await;
    let plan = Arc::new(plan);
    let mut eyes = Eyes::open(&plan);
    let behind = eyes
        .until("half of the names", Moment::now(), |sight| {
            let finding = judge::condition(Condition::DnsPublished, sight);
            (finding.outcome == Outcome::Fail).then_some(finding.sentence)
        })
        .await;
    assert!(behind.contains(" *.teleport.example.com OLD"), "{behind}");
    assert!(!behind.contains(" teleport.example.com "), "{behind}");
    let pane = eyes
        .until("the zone", Moment::now(), |sight| {
            let told = judge::dns::control_plane(sight)?.sentence;
            told.contains("NEW").then_some(told)
        })
        .await;
    assert_eq!(
        pane,
        "Route 53 has teleport.example.com NEW, *.teleport.example.com OLD"
    );
    let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the runbook");
    run(runbook.named("switch-dns").expect("a step"), &plan).await;
    eyes.see(Condition::DnsPublished, Moment::now()).await;
}

/// Runs `route-by-arc` with the plan's routing controls changed before.
async fn route(plan: &Plan, change: impl FnOnce(&mut ArcPlan)) -> Result<(), String> {
    let mut plan = plan.clone();
    change(plan.dns.arc.as_mut().expect("planned"));
    let native = step::native("route-by-arc").expect("a native");
    let id = StepId::try_from("route-by-arc".to_owned()).expect("a step id");
    let run = RunId::new(&id, 1, Moment::now());
    let context = Context::new(Arc::new(plan), run, false);
    (native.run)(context).await.map_err(|why| why.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_safety_rule_refuses_until_the_plan_names_it_and_a_lost_incident_turns_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let (practice, plan) = begin(dir.path(), "route53-down").await;
    let rule = Controls::rule("111122223333");
    let stands = || {
        let world = practice.world().lock();
        relight::incident::Side::BOTH.map(|side| world.controls().on(side))
    };
    // Both Off: nobody would be served.
    let both_off = |arc: &mut ArcPlan| {
        let on = std::mem::take(&mut arc.on);
        arc.off.extend(on);
    };
    let refused = route(&plan, both_off).await.expect_err("a rule");
    assert!(refused.contains(&rule), "{refused}");
    assert!(refused.contains("nothing was changed"), "{refused}");
    assert_eq!(stands(), [true, false]);
    route(&plan, |arc| {
        both_off(arc);
        arc.overridable.push(rule.clone());
    })
    .await
    .expect("overridden");
    assert_eq!(stands(), [false, false]);

    let native = step::native("route-by-arc").expect("a native");
    let id = StepId::try_from("route-by-arc".to_owned()).expect("a step id");
    let mut context = Context::new(
        Arc::new(plan.clone()),
        RunId::new(&id, 1, Moment::now()),
        false,
    );
    context.fence = step::Fence::new(|| Err("bob took the incident over".to_owned()));
    let lost = (native.run)(context).await.expect_err("refused");
    assert!(lost.to_string().contains("bob"), "{lost}");
    assert_eq!(stands(), [false, false]);

    // Not one endpoint of those that answer is in the plan.
    let dead = route(&plan, |arc| {
        arc.endpoints.retain(|region, _| region.starts_with("us-"));
    });
    let dead = dead.await.expect_err("nobody answers");
    assert!(dead.contains("none of the 2 endpoints"), "{dead}");
}
