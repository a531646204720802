//! The product's own probes, run by its own schedule, and what they have seen.

use std::sync::Arc;

use relight::{
    incident::{
        Cluster, Component, Condition, Fact, Failure, Finding, Instruments, Moment, Observation,
        Outcome, Pod, Side, Subject,
    },
    judge::{self, Sight},
    plan::Plan,
    probe::{Probe, Sink, live::cluster::ClusterProbe, schedule::Schedule},
};
use tokio::runtime::Runtime;

use super::server::until;

/// Probes and instruments.
pub struct Watch {
    plan: Arc<Plan>,
    sink: Sink,
    instruments: Instruments,
    // Dropped in this order: the probes before what they run on.
    _schedule: Schedule,
    _runtime: Runtime,
}

impl Watch {
    /// Watches the clusters of these sides.
    pub fn clusters(plan: &Arc<Plan>, sides: &[Side]) -> Self {
        let probe = |side: &Side| -> Box<dyn Probe> {
            Box::new(ClusterProbe::new(Arc::clone(plan), *side))
        };
        Self::open(plan, sides.iter().map(probe).collect())
    }

    /// Runs these probes.
    pub fn open(plan: &Arc<Plan>, probes: Vec<Box<dyn Probe>>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let sink = Sink::default();
        let schedule = {
            let _inside = runtime.enter();
            Schedule::start(probes, &sink)
        };
        Self {
            plan: Arc::clone(plan),
            sink,
            instruments: Instruments::default(),
            _schedule: schedule,
            _runtime: runtime,
        }
    }

    /// What has been seen by now.
    pub fn instruments(&mut self) -> &Instruments {
        let seen: Vec<Observation> = self.sink.take_now();
        for observation in seen {
            self.instruments.take(observation);
        }
        &self.instruments
    }

    /// Waits until what is seen of a cluster is such.
    pub fn until(
        &mut self,
        side: Side,
        what: &str,
        wanted: impl Fn(&Cluster) -> bool,
    ) -> Arc<Cluster> {
        until(what, || match self.last(side)? {
            Ok(cluster) if wanted(&cluster) => Some(cluster),
            _ => None,
        })
    }

    /// Waits until a look at a cluster fails.
    pub fn until_failed(&mut self, side: Side, what: &str) -> Failure {
        until(what, || self.last(side)?.err())
    }

    /// The last look at a cluster.
    pub fn last(&mut self, side: Side) -> Option<Result<Arc<Cluster>, Failure>> {
        let reading = self.instruments().get(&Subject::Cluster(side))?;
        match &reading.last.outcome {
            Ok(Fact::Cluster(cluster)) => Some(Ok(Arc::clone(cluster))),
            Ok(_) => None,
            Err(failure) => Some(Err(failure.clone())),
        }
    }

    /// Judges by what has been seen, since a moment if that is said.
    pub fn judge<T>(&mut self, since: Option<Moment>, judge: impl Fn(&Sight<'_>) -> T) -> T {
        self.instruments();
        judge(&Sight {
            instruments: &self.instruments,
            plan: &self.plan,
            now: Moment::now(),
            since,
            outage: None,
        })
    }

    /// Waits until a condition holds by what was seen since a moment.
    pub fn until_pass(&mut self, condition: Condition, since: Moment) -> String {
        let mut last = String::new();
        until(&format!("{condition} to pass"), || {
            let finding = self.judge(Some(since), |sight| judge::condition(condition, sight));
            last = finding.sentence;
            (finding.outcome == Outcome::Pass).then(|| last.clone())
        })
    }

    /// Judges a condition.
    pub fn condition(&mut self, condition: Condition) -> Finding {
        self.judge(None, |sight| judge::condition(condition, sight))
    }
}

/// Whether Auth and Proxy are there with two pods each and all of them serve.
pub fn all_serve(cluster: &Cluster) -> bool {
    cluster.pods.len() == 4 && cluster.pods.iter().all(|pod| judge::pod::is_ready(pod))
}

/// The pods of a component.
pub fn pods_of(cluster: &Cluster, component: Component) -> impl Iterator<Item = &Pod> {
    cluster
        .pods
        .iter()
        .map(|pod| &**pod)
        .filter(move |pod| pod.component == component)
}
