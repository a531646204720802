//! Rights and certificates that were forgotten before the outage, found in practices by the real clients.

use std::{path::Path, sync::Arc};

use relight::{
    clients::{
        aws::{Aws, certificates},
        kube, rights, values,
    },
    incident::{Condition, Moment, Outcome, Runbook, Side, Step, StepId},
    plan::{self, Plan},
    practice,
};

use crate::walk::{Eyes, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_relight");

struct Stage {
    dir: tempfile::TempDir,
    plan: Arc<Plan>,
    began: Moment,
}

impl Stage {
    fn of(scenario: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let ready =
            practice::start_by(Path::new(PROGRAM), dir.path(), scenario).expect("a practice");
        let plan = Arc::new(plan::load(&ready.plan).expect("a plan"));
        Self {
            dir,
            plan,
            began: ready.began,
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = practice::stop(self.dir.path());
    }
}

fn step(name: &str) -> Step {
    let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the runbook");
    let id = StepId::try_from(name.to_owned()).expect("a step");
    runbook.get(&id).expect("in the runbook").clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_still_names_the_old_region_is_said_to_before_the_install() {
    let stage = Stage::of("missing-iam");
    let mut eyes = Eyes::open(&stage.plan);
    let rights = eyes
        .until(Condition::RightsGranted, Outcome::Fail, stage.began)
        .await;
    for words in [
        "still names us-east-1",
        "28 of 39 actions denied",
        "dynamodb:BatchWriteItem on arn:aws:dynamodb:us-west-2:111122223333:table/teleport-state-dr",
    ] {
        assert!(rights.sentence.contains(words), "{}", rights.sentence);
    }
    // The step tells of it, and its own end is no evidence that all is well.
    run(&step("check-rights"), &stage.plan).await;
    let since = Moment::now();
    eyes.until(Condition::RightsGranted, Outcome::Fail, since)
        .await;
    eyes.until(Condition::CertificateReady, Outcome::Pass, since)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_certificate_is_named_and_one_request_makes_one_certificate() {
    let stage = Stage::of("missing-certificate");
    let mut eyes = Eyes::open(&stage.plan);
    let lacking = eyes
        .until(Condition::CertificateReady, Outcome::Fail, stage.began)
        .await;
    assert!(
        lacking.sentence.contains("no Secret teleport/teleport-tls"),
        "{}",
        lacking.sentence
    );
    eyes.until(Condition::CertificateRequested, Outcome::Fail, stage.began)
        .await;
    for _ in 0..2 {
        run(&step("request-certificate"), &stage.plan).await;
    }
    let requested = eyes
        .until(
            Condition::CertificateRequested,
            Outcome::Pass,
            Moment::now(),
        )
        .await;
    assert!(
        requested
            .sentence
            .contains("_practice.teleport.example.com. CNAME"),
        "{}",
        requested.sentence
    );
    let aws = Aws::new(&stage.plan);
    let reach = aws.side(Side::Recovery);
    let names = stage.plan.cluster.names();
    let known = certificates::of_names(reach, &names)
        .await
        .expect("ACM answers");
    assert_eq!(known.len(), 1, "{known:?}");
    // Asked twice with one token, ACM gives one certificate.
    let first = certificates::request(reach, &names, "token")
        .await
        .expect("requested");
    let second = certificates::request(reach, &names, "token")
        .await
        .expect("requested");
    assert_eq!(first, second);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trust_in_the_old_cluster_alone_is_no_trust() {
    let stage = Stage::of("calm");
    let mut plan = (*stage.plan).clone();
    // The role of another account's cluster: the same names, a provider that the role does not know.
    plan.cluster.release = "other".to_owned();
    let plan = Arc::new(plan);
    let values = values::expected(&plan).await;
    let kube = kube::connect(&plan.recovery.kube).await;
    let aws = Aws::new(&plan);
    let rights = Box::pin(rights::look(
        &plan,
        &values,
        &kube,
        aws.side(Side::Recovery),
    ))
    .await;
    let trust = rights.auth.trust.expect("IAM answers");
    let why = trust.refused.expect("not this account");
    assert!(
        why.contains("system:serviceaccount:teleport:other"),
        "{why}"
    );
    assert!(
        rights
            .auth
            .simulated
            .expect("IAM answers")
            .denied
            .is_empty()
    );
}
