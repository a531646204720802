//! The recovery, walked through a practice by the real clients: the runbook's own argv and natives change the world,
//! the probes look at it, the judges say when a step is done.

use std::{path::Path, sync::Arc, time::Duration};

use relight::{
    incident::{
        Action, Condition, Fact, Finding, Instruments, Moment, Outcome, RunId, Runbook, Step,
        Subject,
    },
    judge::{self, Sight},
    plan::{self, Plan},
    practice,
    probe::{self, Sink, Targets},
    step::{self, Context, expand},
};
use tokio::{process::Command, task::JoinSet};

const PROGRAM: &str = env!("CARGO_BIN_EXE_relight");
/// How long anything may take: a loaded machine, not the practice, is what needs it.
const PATIENCE: Duration = Duration::from_secs(90);

/// Probes, and what they have seen.
pub struct Eyes {
    plan: Arc<Plan>,
    sink: Sink,
    instruments: Instruments,
    targets: Targets,
    _probes: JoinSet<()>,
}

impl Eyes {
    /// Opens every probe of a plan.
    pub fn open(plan: &Arc<Plan>) -> Self {
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

    /// Looks until a condition holds by what was seen since a moment.
    async fn see(&mut self, condition: Condition, since: Moment) -> Finding {
        self.until(condition, Outcome::Pass, since).await
    }

    /// Looks until a condition comes out so by what was seen since a moment.
    pub async fn until(
        &mut self,
        condition: Condition,
        outcome: Outcome,
        since: Moment,
    ) -> Finding {
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

/// Does what a step does, as the runner would.
pub async fn run(step: &Step, plan: &Arc<Plan>) {
    match &step.action {
        Action::Argv(template) => {
            let argv = expand::argv(template, plan).expect("an argv");
            let done = Command::new(&argv[0]).args(&argv[1..]).output();
            let done = tokio::time::timeout(PATIENCE, done)
                .await
                .expect("in time")
                .expect("run");
            let told = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{argv:?}: {told}");
        }
        Action::Native(name) => {
            let native = step::native(name).expect("a native");
            let context = Context::new(
                Arc::clone(plan),
                RunId::new(&step.id, 1, Moment::now()),
                false,
            );
            (native.run)(context).await.expect(name);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_runbook_leads_to_a_public_ping_from_the_recovery_region() {
    let dir = tempfile::tempdir().expect("a folder");
    let ready =
        practice::start_by(Path::new(PROGRAM), dir.path(), "half-alive").expect("a practice");
    let plan = Arc::new(plan::load(&ready.plan).expect("a plan"));
    let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the runbook");
    let mut eyes = Eyes::open(&plan);
    for step in &runbook.steps {
        for condition in &step.pre {
            eyes.see(*condition, ready.began).await;
        }
        run(step, &plan).await;
        let done = Moment::now();
        for condition in &step.post {
            eyes.see(*condition, done).await;
        }
    }
    // The chart has made its account by now: the role is taken with a token of its own, and read as.
    let rights = eyes.see(Condition::RightsGranted, Moment::now()).await;
    for words in ["6 reads made as the role", "all 39 actions granted"] {
        assert!(rights.sentence.contains(words), "{}", rights.sentence);
    }
    assert!(practice::stop(dir.path()).expect("stopped"));
}
