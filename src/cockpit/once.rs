//! The same State without a terminal: for `--once`, `step list` and `step show`.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::Setup;
use crate::{
    incident::{Health, Moment, Subject},
    journal::{Checkpoint, Folder, Replay, StateDir},
    probe::{self, Targets, schedule::Schedule},
    report::{Format, Report},
    state::{Access, Event, State},
};

/// How long is waited for probes that have not answered: longer than any of them takes to give up.
pub(super) const PATIENCE: Duration = Duration::from_secs(12);

/// After the last probe has answered for the first time, so long is waited for what follows from it: the load balancer
/// found in a cluster is looked up, and then asked for ping.
pub(super) const ECHO: Duration = Duration::from_secs(1);

/// Looks at everything once and prints it. The exit code: 0 all well, 1 something is down or degraded, 2 something is
/// unknown.
pub async fn once(setup: &Setup, format: Format) -> (String, u8) {
    let report = Report::of(&look(setup).await);
    let code = match report.health {
        Health::Ok => 0,
        Health::Degraded | Health::Down => 1,
        Health::Unknown => 2,
    };
    (report.render(format), code)
}

/// Looks at everything once. Nothing is written, no lock is taken: what an operator's cockpit would say.
pub async fn look(setup: &Setup) -> State {
    look_within(setup, PATIENCE).await
}

/// The same, with so much patience for what is slow to answer.
pub(super) async fn look_within(setup: &Setup, patience: Duration) -> State {
    let mut state = setup.state();
    let access = if setup.open.read_only {
        Access::ReadOnly("opened with --read-only".to_owned())
    } else {
        Access::Operator
    };
    state.decide(Event::Access(access));
    let (sink, targets) = (super::edge::sink(), Targets::default());
    let folder = replay(setup, &mut state, &targets);
    super::edge::Places::of(setup).tell(&targets, folder.as_ref());
    let dir = setup.open.state_dir.as_deref();
    state.decide(Event::History(super::history::history(&setup.plan, dir)));
    let probes = probe::all(&setup.plan, &targets);
    let mut open: BTreeSet<Subject> = probes.iter().flat_map(|probe| probe.subjects()).collect();
    let schedule = Schedule::start(probes, &sink);
    let mut until = tokio::time::Instant::now() + patience;
    loop {
        let Ok(seen) = tokio::time::timeout_at(until, sink.take()).await else {
            break;
        };
        let waiting = !open.is_empty();
        for observation in &seen {
            open.remove(&observation.subject);
            super::edge::follow(&targets, observation);
        }
        state.decide(Event::Observed(seen, Moment::now()));
        if waiting && open.is_empty() {
            schedule.now();
            until = until.min(tokio::time::Instant::now() + ECHO);
        }
    }
    drop(schedule);
    state
}

/// The story of the open incident, if there is one, and what its cockpit had seen. Looking takes no lock.
fn replay(setup: &Setup, state: &mut State, targets: &Targets) -> Option<Folder> {
    let found = StateDir::locate(setup.open.state_dir.as_deref())
        .ok()
        .and_then(|dir| dir.find_open(&Arc::clone(&setup.plan)).ok())
        .and_then(|found| found.into_iter().next());
    let folder = found.map(|found| found.folder)?;
    if let Ok(Some(checkpoint)) = Checkpoint::load(&folder) {
        super::edge::recall(targets, &checkpoint.instruments);
        state.decide(Event::Recalled(checkpoint.instruments));
    }
    let Ok(mut replay) = Replay::open(&folder.journal()) else {
        return Some(folder);
    };
    state.decide(Event::Replayed(replay.records().collect()));
    Some(folder)
}
