//! EYES: read-only watchers, the only readers of the outside world.
//!
//! A probe looks at one thing and puts [`Observation`](crate::incident::Observation)s into a [`Sink`]. It keeps two jobs
//! apart: *fetch*, which talks to the world and has nothing to test without a server, and *interpret*, a pure function
//! from a body to a fact, tested with recorded bodies. Timeouts, back-off, jitter, panics and "now" belong to
//! [`schedule`]; a probe that watches (pods) runs until told to stop and puts what it sees as it comes.
//!
//! To add one: a file in `live/` (or `check/` for one-shot readiness), and a row in [`all`].

pub mod check;
pub mod live;
pub mod schedule;
mod sink;
mod targets;

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;

pub use sink::Sink;
pub use targets::Targets;

use crate::{
    incident::{Failure, Side, Subject},
    plan::Plan,
};

/// How a probe wants to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Time between the ends of two looks, before jitter and back-off.
    pub interval: Duration,
    /// A look that takes longer is dropped and reported as no answer; `None` for one that watches for ever.
    pub timeout: Option<Duration>,
}

/// A read-only watcher of one thing, or of several that are fetched together.
pub trait Probe: Send {
    /// Its name in logs and in `plan check`: `backups recovery`.
    fn name(&self) -> String;

    /// What it observes: a look that panics or times out is reported for each of these.
    fn subjects(&self) -> Vec<Subject>;

    /// How it wants to be run.
    fn pace(&self) -> Pace;

    /// The next look was asked for ("now"): what is spared between looks, because it is billed, may be done again.
    fn asked(&mut self) {}

    /// Looks once and puts what it sees into the sink; a watcher returns only when its watch is lost.
    ///
    /// # Errors
    /// If the look as a whole failed; the schedule reports it for each of [`Self::subjects`] and backs off.
    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>>;
}

/// Every probe that the plan gives work to, in the order of the panes. `targets` carries load balancer hosts from the
/// clusters' status to the probes that must follow them.
#[must_use]
pub fn all(plan: &Arc<Plan>, targets: &Targets) -> Vec<Box<dyn Probe>> {
    let mut probes: Vec<Box<dyn Probe>> = vec![
        Box::new(live::cluster::ClusterProbe::new(
            plan.clone(),
            Side::Primary,
        )),
        Box::new(live::cluster::ClusterProbe::new(
            plan.clone(),
            Side::Recovery,
        )),
        Box::new(live::prerequisites::PrerequisitesProbe::new(plan.clone())),
        Box::new(live::black_box::BlackBoxProbe::new(plan, targets)),
        Box::new(live::baseline::BaselineProbe::new(plan.clone())),
        Box::new(live::reconcilers::ReconcilersProbe::new(
            plan.clone(),
            Side::Primary,
        )),
        Box::new(live::reconcilers::ReconcilersProbe::new(
            plan.clone(),
            Side::Recovery,
        )),
        Box::new(live::freeze::FreezeProbe::new(
            plan.clone(),
            Side::Primary,
            targets,
        )),
        Box::new(live::freeze::FreezeProbe::new(
            plan.clone(),
            Side::Recovery,
            targets,
        )),
        Box::new(live::auth_log::AuthLogProbe::new(plan.clone())),
        Box::new(live::bots::BotsProbe::new(plan.clone())),
        Box::new(live::resources::ResourcesProbe::new(plan.clone())),
        Box::new(live::session::SessionProbe::new(plan.clone())),
        Box::new(live::values::ValuesProbe::new(plan.clone())),
    ];
    probes.extend(live::dns::probes(plan, targets));
    probes.extend(live::aws(plan, targets));
    for door in live::doors::DoorProbe::each(plan, targets) {
        probes.push(Box::new(door));
    }
    probes
}
