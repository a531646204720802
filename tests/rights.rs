//! Rights and certificates that were forgotten before the outage, found in practices by the real clients.

use std::{path::Path, sync::Arc, time::Duration};

use relight::{
    clients::{
        aws::{Aws, certificates},
        kube, rights, values,
    },
    incident::{
        Condition, Fact, Finding, Instruments, Moment, Outcome, RunId, Side, StepId, Subject,
    },
    judge::{self, Sight},
    plan::{self, Plan},
    practice,
    probe::{self, Sink, Targets},
    step::{self, Context},
};
use tokio::task::JoinSet;

const PROGRAM: &str = env!("CARGO_BIN_EXE_relight");

/// How long anything may take: a loaded machine, not the practice, is what needs it.
const PATIENCE: Duration = Duration::from_secs(90);

/// Probes, and what they have seen.
struct Eyes {
    plan: Arc<Plan>,
    sink: Sink,
    instruments: Instruments,
    targets: Targets,
    _probes: JoinSet<()>,
}

impl Eyes {
    /// Opens every probe of a plan.
    fn open(plan: &Arc<Plan>) -> Self {
        let sink = Sink::default();
        let mut probes = JoinSet::new();
        let targets = Targets::default();
        for mut probe in probe::all(plan, &targets) {
            let sink = sink.clone();
            probes.spawn(async move {
                loop {
                    // What a step changed is measured anew, as it is when the cockpit asks after a run's end.
                    probe.asked();
                    // A failed look is followed by the next one: what is seen in the end counts.
                    let _ = probe.look(&sink).await;
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            });
        }
        Self {
            plan: Arc::clone(plan),
            sink,
            instruments: Instruments::default(),
            targets,
            _probes: probes,
        }
    }

    /// Looks until a condition comes out so by what was seen since a moment.
    async fn until(&mut self, condition: Condition, outcome: Outcome, since: Moment) -> Finding {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let sight = Sight {
                instruments: &self.instruments,
                plan: &self.plan,
                now: Moment::now(),
                since: Some(since),
                outage: None,
            };
            let finding = judge::condition(condition, &sight);
            if finding.outcome == outcome {
                return finding;
            }
            let seen = tokio::time::timeout_at(deadline, self.sink.take()).await;
            let seen = seen.map_err(|_| format!("{condition}: {}", finding.sentence));
            for observation in seen.expect("seen in time") {
                // As the cockpit does: the doors and the target set follow the clusters' load balancers.
                if let (Subject::Cluster(side), Ok(Fact::Cluster(cluster))) =
                    (&observation.subject, &observation.outcome)
                {
                    let found = cluster.load_balancer.as_ref();
                    let hosts = found.map_or_else(Vec::new, |found| found.addresses.clone());
                    self.targets.set(*side, hosts);
                }
                self.instruments.take(observation);
            }
        }
    }
}

/// Does what a native step does, as the runner would.
async fn run(name: &str, plan: &Arc<Plan>) {
    let native = step::native(name).expect("a native");
    let id = StepId::try_from(name.to_owned()).expect("a step");
    let context = Context::new(Arc::clone(plan), RunId::new(&id, 1, Moment::now()), false);
    (native.run)(context).await.expect(name);
}

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_still_names_the_old_region_is_said_to_before_the_install() {
    let stage = Stage::of("missing-iam");
    let mut eyes = Eyes::open(&stage.plan);
    let rights = eyes
        .until(Condition::RightsGranted, Outcome::Fail, stage.began)
        .await;
    for words in [
        "still names us-east-1",
        "28 of 45 actions denied",
        "dynamodb:BatchWriteItem on arn:aws:dynamodb:us-west-2:111122223333:table/teleport-state-dr",
    ] {
        assert!(rights.sentence.contains(words), "{}", rights.sentence);
    }
    // The step tells of it, and its own end is no evidence that all is well.
    run("check-rights", &stage.plan).await;
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
        run("request-certificate", &stage.plan).await;
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
