//! A practice met by the real clients, without a cockpit: the runbook's own argv and natives change the world, the probes
//! look at it, the judges say what it is like.

use std::{sync::Arc, time::Duration};

use relight::{
    incident::{Action, Condition, Fact, Instruments, Moment, Outcome, RunId, Step, Subject},
    judge::{self, Sight},
    plan::Plan,
    probe::{self, Sink, Targets},
    step::{self, Context, expand},
};
use tokio::{process::Command, task::JoinSet};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_relight");
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
                    // As the schedule does: a look that failed as a whole is told for each subject.
                    if let Err(failure) = probe.look(&sink).await {
                        for subject in probe.subjects() {
                            sink.put(subject, Duration::ZERO, Err(failure.clone()));
                        }
                    }
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
    pub async fn see(&mut self, condition: Condition, since: Moment) {
        let told = std::cell::RefCell::new(String::new());
        let looking = self.until(condition.name(), since, |sight| {
            let finding = judge::condition(condition, sight);
            told.replace(finding.sentence);
            (finding.outcome == Outcome::Pass).then_some(())
        });
        if tokio::time::timeout(PATIENCE, looking).await.is_err() {
            unreachable!("{condition}: {}", told.take());
        }
    }

    /// Looks until something is so by what was seen since a moment.
    pub async fn until<T>(
        &mut self,
        what: &str,
        since: Moment,
        wanted: impl Fn(&Sight<'_>) -> Option<T>,
    ) -> T {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let sight = Sight {
                instruments: &self.instruments,
                plan: &self.plan,
                now: Moment::now(),
                since: Some(since),
                outage: None,
            };
            if let Some(found) = wanted(&sight) {
                return found;
            }
            let seen = tokio::time::timeout_at(deadline, self.sink.take()).await;
            for observation in seen.unwrap_or_else(|_| unreachable!("waited for {what}")) {
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
        Action::Manual(text) => unreachable!("nobody is there to do it: {text}"),
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
