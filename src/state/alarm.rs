//! What must be impossible to miss: an old cluster that comes back, what was paused and acts again, and names that lead back.

use std::time::Duration;

use super::{Access, Effect, RunState, State, Tone};
use crate::{
    incident::{Moment, Outcome, Side, Verdict},
    journal::{Entry, Kind},
    judge::{self, Sight, fence::Fence, reconcilers},
};

/// An alarm that has been gone for so long is rung anew when it comes again: a half-alive region flaps.
const FORGET: Duration = Duration::from_mins(1);

/// The steps that move the names.
const SWITCHES: [&str; 2] = ["switch-dns", "route-by-arc"];

/// What an alarm is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlarmKind {
    /// The new cluster is another one: new certificate authorities, another table, another name.
    Stranger,
    /// The old cluster is there again, or still.
    Comeback,
    /// What was paused acts again.
    Undone,
    /// The names were switched, and lead to the old load balancer again.
    WrittenBack,
    /// The old cluster was passed over and nobody can tell whether it runs.
    Unreachable,
}

/// How a way back stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Back {
    /// Under way or done.
    Meant,
    /// Begun, and not seen to have worked: both clusters may run.
    Broken,
}

/// An alarm, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// What it is of.
    pub kind: AlarmKind,
    /// The sentence, worst first.
    pub text: String,
}

impl Alarm {
    /// Whether it is a danger, and not only something nobody can tell.
    #[must_use]
    pub fn grave(&self) -> bool {
        self.kind != AlarmKind::Unreachable
    }
}

/// Whether the recovery cluster is not the old one, by its own words or by its authorities: the outcome that looks
/// healthy and locks everybody out.
fn stranger(sight: &Sight<'_>) -> Option<String> {
    if let Some(why) = judge::auth_log::stop(sight) {
        return Some(format!("STOP, DO NOT SWITCH DNS: {why}"));
    }
    let found = judge::doors::same_authorities(sight);
    (found.outcome == Outcome::Fail).then_some(found.sentence)
}

impl State {
    /// What there is to be alarmed about now, the gravest first.
    #[must_use]
    pub fn alarms(&self) -> Vec<Alarm> {
        let sight = self.sight();
        let mut alarms = Vec::new();
        if let Some(why) = stranger(&sight) {
            alarms.push(Alarm {
                kind: AlarmKind::Stranger,
                text: why,
            });
        }
        let stopped = self.came_to("stop-old-cluster");
        // In a drill the primary may well run on: whoever passes its stop over there knows that it does.
        let drill = self
            .story
            .declared
            .as_ref()
            .is_some_and(|declared| matches!(declared.what, Kind::Drill | Kind::Isolated));
        if stopped == Some(true) || (stopped == Some(false) && !drill) {
            let back = self.way_back("stop-old-cluster");
            let what = if back == Some(Back::Broken) {
                "THE OLD CLUSTER IS BACK, AND THE ABORT HAS NOT PASSED"
            } else if stopped == Some(true) {
                "THE OLD CLUSTER IS BACK"
            } else {
                "THE OLD CLUSTER RUNS AND WAS NEVER STOPPED"
            };
            match judge::fence::comeback(&sight) {
                _ if back == Some(Back::Meant) => {}
                Some(Ok(how)) => alarms.push(Alarm {
                    kind: AlarmKind::Comeback,
                    text: format!(
                        "{what}: {how}. Two clusters with the same authorities: run \"{}\" again",
                        if back.is_some() {
                            "Abort"
                        } else {
                            "Stop old cluster"
                        }
                    ),
                }),
                Some(Err(how)) => alarms.push(Alarm {
                    kind: AlarmKind::Unreachable,
                    text: format!("old cluster perhaps back: {how}"),
                }),
                None if stopped == Some(false) => {
                    let (fence, why) = judge::fence::fence(&sight);
                    if fence == Fence::Unreachable {
                        alarms.push(Alarm {
                            kind: AlarmKind::Unreachable,
                            text: format!("old cluster UNREACHABLE, not stopped: {why}"),
                        });
                    }
                }
                None => {}
            }
        }
        if self.came_to("pause-reconcilers") == Some(true)
            && self.way_back("pause-reconcilers").is_none()
        {
            let acting: Vec<String> = reconcilers::acting(Side::Primary, &sight)
                .into_iter()
                .map(reconcilers::words)
                .collect();
            if !acting.is_empty() {
                alarms.push(Alarm {
                    kind: AlarmKind::Undone,
                    text: format!(
                        "WHAT WAS PAUSED ACTS AGAIN: {}. Suspend it where it is kept, or run \"Pause what would undo it\" again",
                        acting.join("; ")
                    ),
                });
            }
        }
        alarms.extend(self.written_back(&sight));
        alarms.sort_by_key(|alarm| alarm.kind == AlarmKind::Unreachable);
        alarms
    }

    /// Whether the old cluster was passed over without being seen to be stopped, so that it has to be watched for when
    /// nobody looks at this incident any more. (The guide, step 2: what comes back online acts in unexpected ways.)
    #[must_use]
    pub fn wants_watch(&self) -> bool {
        let old = [AlarmKind::Comeback, AlarmKind::Unreachable];
        self.alarms().iter().any(|alarm| old.contains(&alarm.kind))
    }

    /// Whether something that an isolated drill made was not seen to be gone.
    #[must_use]
    pub fn leaves_things(&self) -> bool {
        self.plan.isolated().is_some() && judge::made::left(&self.sight()).is_some()
    }

    /// The names were seen to be switched, nobody has taken them back on purpose, and authorities give the old answer again.
    fn written_back(&self, sight: &Sight<'_>) -> Option<Alarm> {
        let by = SWITCHES
            .into_iter()
            .find(|id| self.came_to(id) == Some(true))?;
        let of = |id: &str| self.story.run_of(&self.runbook.named(id)?.id);
        let switched = of(by)?.armed_at;
        let back = ["abort", "revert-dns"].into_iter().filter_map(of);
        if back.into_iter().any(|run| run.armed_at > switched) {
            return None;
        }
        let seen = judge::dns::written_back(sight)?;
        let who = judge::dns::owners(sight).map_or_else(
            || "look for an external-dns or a pipeline that keeps them".to_owned(),
            |owners| format!("they are owned by external-dns {owners}"),
        );
        Some(Alarm {
            kind: AlarmKind::WrittenBack,
            text: format!(
                "THE NAMES LEAD TO THE OLD LOAD BALANCER AGAIN: {seen}; {who}. Run \"Pause what would undo it\", then switch them again"
            ),
        })
    }

    /// How a way back stands that was begun after a step ended: the old cluster is to be there again then, and what was
    /// paused to act. `None` without one.
    fn way_back(&self, after: &str) -> Option<Back> {
        let of = |id: &str| self.story.run_of(&self.runbook.named(id)?.id);
        let abort = of("abort")?;
        if of(after).is_some_and(|run| run.armed_at > abort.armed_at) {
            return None;
        }
        Some(match &abort.state {
            RunState::Judged(Verdict::Pass, _)
            | RunState::Confirmed
            | RunState::Running
            | RunState::Exited => Back::Meant,
            _ => Back::Broken,
        })
    }

    /// Whether a step was seen to pass (`true`), or was passed over or only told of (`false`); `None` if neither.
    fn came_to(&self, id: &str) -> Option<bool> {
        let step = self.runbook.named(id)?;
        if self.story.skipped.contains_key(&step.id) {
            return Some(false);
        }
        let run = self.story.run_of(&step.id)?;
        // Declared UNREACHABLE, or done by hand: nobody has seen it.
        if run.told().is_some() {
            return Some(false);
        }
        matches!(run.state, RunState::Judged(Verdict::Pass, _)).then_some(true)
    }

    /// Rings for grave alarms that are new, and writes them down.
    pub(super) fn ring(&mut self) -> Vec<Effect> {
        if self.story.declared.is_none() {
            return Vec::new();
        }
        let now = self.now;
        let grave = self.alarms().into_iter().filter(Alarm::grave);
        let new: Vec<Alarm> = grave.filter(|alarm| !self.rang(alarm.kind, now)).collect();
        self.rung
            .retain(|(_, last): &(AlarmKind, Moment)| now.since(*last) < FORGET);
        let mut effects = Vec::new();
        for alarm in new {
            self.notify(Tone::Warn, alarm.text.clone());
            effects.push(Effect::Bell);
            if !matches!(self.access, Access::Observer(_)) {
                effects.push(Effect::Record(Entry::Noted { text: alarm.text }));
            }
        }
        effects
    }

    /// Whether this alarm has been rung lately; from now on it has.
    fn rang(&mut self, kind: AlarmKind, now: Moment) -> bool {
        if let Some((_, last)) = self.rung.iter_mut().find(|(known, _)| *known == kind) {
            let lately = now.since(*last) < FORGET;
            *last = now;
            return lately;
        }
        self.rung.push((kind, now));
        false
    }
}
