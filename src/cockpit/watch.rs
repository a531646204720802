//! `relight watch`: what goes on looking after an incident, without a screen, because an old cluster that nobody could
//! stop comes back when its region does.
//!
//! It takes no lock and writes nothing: it may run beside a cockpit, and on another machine than the one that closed the
//! incident, as long as the incident's folder is there. It looks at what alarms rest on and at nothing else, since it is
//! meant to run for days.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{
    Setup,
    clock::Clock,
    edge,
    hook::{Call, Hook},
    once::{ECHO, PATIENCE},
};
use crate::{
    incident::{Moment, Observation, Subject},
    journal::{Checkpoint, Folder, Record, Replay, StateDir},
    judge::fence::{Fence, fence},
    probe::{self, Probe, Sink, Targets, schedule::Schedule},
    report::{Format, Watched},
    state::{Access, Alarm, AlarmKind, Event, State},
    term::{Signal, Signals, stop_group},
};

/// An alarm is over when it has been gone for so long: a region that comes back flaps.
const OVER: Duration = Duration::from_mins(1);
/// So often it is told that somebody looked.
const STILL: Duration = Duration::from_mins(5);
/// There is nothing to watch.
const NONE: u8 = 2;

/// What to watch, and how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The incident: its name, the beginning of it, or a path; the plan's newest unless said.
    pub incident: Option<String>,
    /// Leave after so long.
    pub within: Option<Duration>,
    /// Leave at the first grave alarm.
    pub until_alarm: bool,
}

/// Watches until it is told to leave. The exit code: 0 the old cluster was seen to be stopped and there was no alarm, 1
/// there was one, 2 there was none, and nobody could tell whether the old cluster runs.
///
/// # Errors
/// If there is no incident to watch, or signals cannot be listened to: why, and the exit code.
pub async fn watch(
    setup: &Setup,
    wanted: &Wanted,
    tell: &mut dyn FnMut(Moment, &Watched),
) -> Result<u8, (String, u8)> {
    let folder = incident(setup, wanted).map_err(|why| (why, NONE))?;
    let mut watch = Watch::open(setup, &folder, tell).map_err(|why| (why, NONE))?;
    let mut signals =
        Signals::listen().map_err(|error| (format!("cannot listen to signals: {error}"), NONE))?;
    let begun = Instant::now();
    let end = wanted.within.map(|within| begun + within);
    let mut looked = begun + PATIENCE;
    let mut clock = Clock::new();
    let mut still = None;
    loop {
        tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Signal::Hangup | Signal::Leave => break,
                Signal::Stop => stop_group(),
                Signal::Continue | Signal::Resize => {}
            },
            () = sleep_until(end.unwrap_or(begun)), if end.is_some() => break,
            () = sleep_until(looked), if still.is_none() => {
                watch.begin();
                still = Some(Instant::now() + STILL);
            }
            () = sleep_until(still.unwrap_or(begun)), if still.is_some() => {
                watch.still();
                still = Some(Instant::now() + STILL);
            }
            Some(why) = failed(&mut watch.hook) => watch.untold(&why),
            seen = watch.sink.take() => {
                if watch.saw(seen) {
                    looked = looked.min(Instant::now() + ECHO);
                }
            }
            () = clock.tick() => watch.tick(),
        }
        if wanted.until_alarm && watch.graves > 0 {
            break;
        }
    }
    Ok(watch.close().await)
}

/// What the program did not take; never where there is none.
async fn failed(hook: &mut Option<Hook>) -> Option<String> {
    match hook {
        Some(hook) => hook.failed().await,
        None => std::future::pending().await,
    }
}

/// The folder of the incident that is meant.
fn incident(setup: &Setup, wanted: &Wanted) -> Result<Folder, String> {
    let dir = setup.open.state_dir.as_deref();
    if let Some(wanted) = &wanted.incident {
        return super::past::find(dir, Some(wanted));
    }
    let state = StateDir::existing(dir).map_err(|error| error.to_string())?;
    let newest = state.as_ref().map(|state| state.newest(&setup.plan));
    let newest = newest.transpose().map_err(|error| error.to_string())?;
    newest.flatten().ok_or_else(|| {
        format!(
            "there is no incident of {} to watch: `relight incidents` lists those that are kept, --state-dir names another folder",
            setup.plan.path.display()
        )
    })
}

/// Whether an alarm, or where the old cluster stands, rests on it.
const fn matters(subject: &Subject) -> bool {
    matches!(
        subject,
        Subject::Cluster(_)
            | Subject::Reconcilers(_)
            | Subject::AuthLog
            | Subject::Door(_)
            | Subject::Barrier
            | Subject::BlackBox
            | Subject::Answer { .. }
            | Subject::Zone
    )
}

struct Watch<'a> {
    state: State,
    incident: String,
    replay: Replay,
    targets: Targets,
    sink: Sink,
    schedule: Schedule,
    unseen: Vec<Subject>,
    /// Whether everything has been looked at once: before that, silence is no news.
    begun: bool,
    raised: Raised,
    graves: u32,
    hook: Option<Hook>,
    tell: &'a mut dyn FnMut(Moment, &Watched),
}

impl<'a> Watch<'a> {
    fn open(
        setup: &Setup,
        folder: &Folder,
        tell: &'a mut dyn FnMut(Moment, &Watched),
    ) -> Result<Self, String> {
        let mut state = setup.state();
        state.decide(Event::Access(Access::Observer(
            "relight watch only looks".to_owned(),
        )));
        let journal = folder.journal();
        let mut replay =
            Replay::open(&journal).map_err(|error| format!("{}: {error}", journal.display()))?;
        state.decide(Event::Replayed(replay.records().collect()));
        let (cluster, plan) = (folder.cluster(), &setup.plan);
        if cluster.as_ref() != Some(&plan.cluster.name) {
            return Err(format!(
                "{} is an incident of {}, and {} is the plan of {}: name the right one by --plan",
                folder.name(),
                cluster.as_deref().unwrap_or("no cluster"),
                plan.path.display(),
                plan.cluster.name,
            ));
        }
        let targets = Targets::default();
        if let Ok(Some(kept)) = Checkpoint::load(folder) {
            edge::recall(&targets, &kept.instruments);
            state.decide(Event::Recalled(kept.instruments));
        }
        edge::Places::of(setup).tell(&targets, Some(folder));
        let sink = edge::sink();
        let mut probes = probe::all(&setup.plan, &targets);
        probes.retain(|probe| probe.subjects().iter().any(matters));
        let unseen = subjects(&probes);
        Ok(Self {
            state,
            incident: folder.name(),
            replay,
            targets,
            schedule: Schedule::start(probes, &sink),
            sink,
            unseen,
            begun: false,
            raised: Raised::default(),
            graves: 0,
            hook: Hook::of(&setup.plan.watch.on_event),
            tell,
        })
    }

    /// Takes in what was seen; whether that was the last of what had not been looked at.
    fn saw(&mut self, seen: Vec<Observation>) -> bool {
        let waited = !self.unseen.is_empty();
        for observation in &seen {
            self.unseen
                .retain(|subject| *subject != observation.subject);
            edge::follow(&self.targets, observation);
        }
        self.state.decide(Event::Observed(seen, Moment::now()));
        self.weigh();
        let last = waited && self.unseen.is_empty();
        if last {
            // What follows from the first looks: the load balancer found in a cluster is looked up and asked.
            self.schedule.now();
        }
        last
    }

    /// Once a second: time goes on, and the incident may too.
    fn tick(&mut self) {
        let records: Vec<Record> = self.replay.records().collect();
        if !records.is_empty() {
            self.state.decide(Event::Replayed(records));
        }
        let now = Moment::now();
        self.state.decide(Event::Tick(now));
        edge::keep_alive(&self.state.plan, now);
        self.weigh();
    }

    fn begin(&mut self) {
        self.begun = true;
        let (fence, why) = self.fence();
        let incident = self.incident.clone();
        self.say(&Watched::watching(incident, fence, &why));
        self.weigh();
    }

    fn still(&mut self) {
        let (fence, why) = self.fence();
        self.say(&Watched::still(fence, &why));
    }

    fn untold(&mut self, why: &str) {
        self.say(&Watched::Untold { text: why.into() });
    }

    fn fence(&self) -> (Fence, String) {
        fence(&self.state.sight())
    }

    fn weigh(&mut self) {
        let mut alarms = self.state.alarms();
        // The kept readings are old, and most is unknown at first: what nobody can tell is told after one look.
        alarms.retain(|alarm| self.begun || alarm.grave());
        for news in self.raised.weigh(alarms, self.state.now()) {
            if matches!(news, Watched::Alarm { grave: true, .. }) {
                self.graves += 1;
            }
            let call = Call {
                word: news.word(),
                text: news.text(),
                json: news.render(self.state.now(), Format::Json),
            };
            self.say(&news);
            let told = self.hook.as_ref().map(|hook| hook.tell(call));
            if let Some(Err(why)) = told {
                self.untold(&why);
            }
        }
    }

    fn say(&mut self, watched: &Watched) {
        (self.tell)(Moment::now(), watched);
    }

    async fn close(mut self) -> u8 {
        if let Some(hook) = self.hook.take() {
            for why in hook.close().await {
                self.untold(&why);
            }
        }
        let (fence, _) = self.fence();
        let code = match fence {
            _ if self.graves > 0 => 1,
            Fence::Stopped => 0,
            Fence::Running | Fence::Unreachable | Fence::Unclear => NONE,
        };
        self.say(&Watched::Left {
            alarms: self.graves,
            fence: fence.word(),
            code,
        });
        code
    }
}

fn subjects(probes: &[Box<dyn Probe>]) -> Vec<Subject> {
    probes.iter().flat_map(|probe| probe.subjects()).collect()
}

/// The alarms that were told and are not over, with when they were last seen to stand.
#[derive(Debug, Default)]
struct Raised(BTreeMap<AlarmKind, (Alarm, Moment)>);

impl Raised {
    /// What is new of it, and what is over.
    fn weigh(&mut self, alarms: Vec<Alarm>, now: Moment) -> Vec<Watched> {
        let mut news = Vec::new();
        for alarm in alarms {
            if let Some((_, last)) = self.0.get_mut(&alarm.kind) {
                *last = now;
            } else {
                news.push(Watched::alarm(&alarm));
                self.0.insert(alarm.kind, (alarm, now));
            }
        }
        self.0.retain(|_, (alarm, last)| {
            let over = now.since(*last) >= OVER;
            if over {
                news.push(Watched::over(alarm));
            }
            !over
        });
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flapping_alarm_is_told_once_and_is_over_after_a_minute() {
        let at = Moment::from_secs;
        let alarm = |kind| Alarm {
            kind,
            text: String::new(),
        };
        let back = || vec![alarm(AlarmKind::Comeback)];
        let mut raised = Raised::default();
        assert_eq!(raised.weigh(Vec::new(), at(0)), []);
        let told = raised.weigh(back(), at(1));
        assert_eq!(told, [Watched::alarm(&alarm(AlarmKind::Comeback))]);
        for second in 2..50 {
            let seen = if second % 2 == 0 { back() } else { Vec::new() };
            assert_eq!(raised.weigh(seen, at(second)), []);
        }
        let second = raised.weigh(vec![alarm(AlarmKind::Undone)], at(50));
        assert_eq!(second, [Watched::alarm(&alarm(AlarmKind::Undone))]);
        assert_eq!(
            raised.weigh(vec![alarm(AlarmKind::Undone)], at(108)),
            [Watched::over(&alarm(AlarmKind::Comeback))]
        );
        assert_eq!(raised.weigh(back(), at(109)).len(), 1, "it came anew");
    }
}
