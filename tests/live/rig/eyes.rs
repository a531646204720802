//! The product's own probes and judges, looking when they are told to.

use std::{path::Path, sync::Arc, time::Instant};

use relight::{
    incident::{
        Condition, Failure, FailureKind, Finding, Instruments, Moment, Observation, Reading,
        Subject,
    },
    judge::{self, Sight},
    plan::{self, Plan},
    probe::{self, Probe, Sink, Targets},
};
use tokio::runtime::Runtime;

/// Some probes of a plan, and what they have seen.
pub struct Eyes {
    pub plan: Arc<Plan>,
    pub seen: Instruments,
    probes: Vec<Box<dyn Probe>>,
    sink: Sink,
    runtime: Runtime,
}

impl Eyes {
    /// The probes of a plan whose names begin with one of these.
    pub fn open(path: &Path, names: &[&str]) -> Self {
        let plan = Arc::new(plan::load(path).unwrap_or_else(|errors| unreachable!("{errors}")));
        let mut probes = probe::all(&plan, &Targets::default());
        probes.retain(|probe| names.iter().any(|name| probe.name().starts_with(name)));
        assert!(!probes.is_empty(), "no probe is called {names:?}");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        Self {
            plan,
            seen: Instruments::default(),
            probes,
            sink: Sink::default(),
            runtime,
        }
    }

    /// Every probe looks once, all at the same time; a look that fails as a whole or takes too long is reported for each
    /// of its subjects, as the schedule does.
    pub fn look(&mut self) {
        let sink = &self.sink;
        let looks = self.probes.iter_mut().map(|probe| async move {
            let began = Instant::now();
            let limit = probe
                .pace()
                .timeout
                .expect("a probe that looks, not one that watches");
            let ended = tokio::time::timeout(limit, probe.look(sink)).await;
            let late = |_| Err(Failure::new(FailureKind::Timeout, "it took too long"));
            if let Err(failure) = ended.unwrap_or_else(late) {
                for subject in probe.subjects() {
                    sink.put(subject, began.elapsed(), Err(failure.clone()));
                }
            }
        });
        self.runtime.block_on(futures::future::join_all(looks));
        for seen in self.sink.take_now() {
            self.take(seen);
        }
    }

    /// Takes an observation in that was made elsewhere.
    pub fn take(&mut self, seen: Observation) {
        self.seen.take(seen);
    }

    /// What is known of a subject.
    pub fn of(&self, subject: &Subject) -> &Reading {
        self.seen
            .get(subject)
            .unwrap_or_else(|| unreachable!("{subject} was not looked at"))
    }

    /// What the judge says of a condition now.
    pub fn judge(&self, condition: Condition) -> Finding {
        judge::condition(condition, &self.sight())
    }

    /// What the judges look at.
    pub fn sight(&self) -> Sight<'_> {
        Sight {
            instruments: &self.seen,
            plan: &self.plan,
            now: Moment::now(),
            since: None,
            outage: None,
        }
    }
}
