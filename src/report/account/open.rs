//! What is left to do or to watch when an incident is handed over or closed.

use super::{Material, clean::Wash, model::Open, timeline::title};
use crate::{
    incident::{Door, Fact, HeldLock, Outcome, Side, Subject, Verdict},
    judge::{
        self,
        fence::{Fence, fence},
        reconcilers,
    },
    state::{RunState, State, StepState},
};

/// What is found open, before its words are cleaned: what, whether it must not wait, and the sentence.
type Item = (&'static str, bool, String);

/// Everything that is open, gravest first.
pub(super) fn open(material: &Material<'_>, wash: Wash<'_>) -> Vec<Open> {
    let state = material.state;
    let mut items: Vec<Item> = Vec::new();
    for alarm in state.alarms() {
        items.push(("alarm", alarm.grave(), alarm.text));
    }
    items.extend(old_cluster(material));
    items.extend(of_steps(state));
    items.extend(locks(material));
    items.extend(paused(state));
    if state.story.declared.is_some() && state.story.closed.is_none() {
        items.push(("incident", false, "the incident is not closed".to_owned()));
    }
    items.sort_by_key(|(_, grave, _)| !grave);
    let all = items.into_iter().map(|(what, grave, text)| Open {
        what,
        grave,
        text: wash.line(text),
    });
    all.collect()
}

/// The old cluster, unless it was seen to be stopped: silence is no proof.
fn old_cluster(material: &Material<'_>) -> Option<Item> {
    let state = material.state;
    state.story.declared.as_ref()?;
    // Beside an isolated drill it is to run; what that made itself is open while nobody has seen it gone.
    if state.plan.isolated().is_some() {
        let down = state.runbook.named("teardown");
        if down.is_some_and(|step| state.step_state(step) == StepState::Passed) {
            return None;
        }
        let left = judge::made::left(&state.sight())?;
        return Some(("drill", true, format!("what the drill made: {left}")));
    }
    let told = state.story.in_order().rev().find(|run| {
        run.told().is_some() && run.armed.evidence == crate::incident::Evidence::Unreachable
    });
    // Of what was last seen long before the end nobody may say that it is silent.
    let recent = |subject: &Subject| {
        let reading = state.instruments.get(subject);
        let age = reading.map(|reading| state.now.since(reading.last.at));
        age.is_some_and(|age| age <= state.plan.stale_after(subject))
    };
    let seen = [Subject::Cluster(Side::Primary), Subject::Door(Door::Old)];
    if !material.planned || !seen.iter().any(recent) {
        let text = match told {
            Some(_) => "the old cluster was declared UNREACHABLE, and no late look at it is kept",
            None => "no late look at the old cluster is kept: nobody can tell where it stands",
        };
        return Some(("fence", told.is_some(), text.to_owned()));
    }
    let (place, why) = fence(&state.sight());
    match place {
        Fence::Stopped => None,
        Fence::Running => {
            // Before anything was done to it, that is how it should be.
            let begun = told.is_some() || state.story.in_order().any(|run| !run.armed.dry_run);
            begun.then(|| ("fence", false, format!("the old cluster runs: {why}")))
        }
        Fence::Unreachable | Fence::Unclear => Some((
            "fence",
            true,
            format!(
                "the old cluster is {}: nobody has seen it stopped; watch it: {why}",
                place.word()
            ),
        )),
    }
}

fn of_steps(state: &State) -> Vec<Item> {
    let mut items = Vec::new();
    for (number, step) in (1..).zip(&state.runbook.steps) {
        let name = format!("{number} {}", step.title);
        match state.step_state(step) {
            StepState::Failed(why) => {
                items.push(("verdict", true, format!("{name}: FAIL: {why}")));
            }
            StepState::Unclear(why) => {
                items.push(("verdict", true, format!("{name}: UNKNOWN: {why}")));
            }
            StepState::Running(since) => {
                items.push((
                    "step",
                    false,
                    format!("{name}: runs since {}", since.clock()),
                ));
            }
            StepState::Settling(why) => {
                items.push(("step", false, format!("{name}: waits for the world: {why}")));
            }
            StepState::Skipped(reason) if !step.optional && !step.aside => {
                items.push(("skipped", false, format!("{name}: skipped: {reason}")));
            }
            StepState::Told(evidence, why) => {
                let word = evidence.word();
                items.push((
                    "step",
                    false,
                    format!("{name}: {word}, not observed: {why}"),
                ));
            }
            _ => {}
        }
    }
    // What today's runbook does not have, and what was let go unseen.
    for run in state.story.in_order().filter(|run| !run.armed.dry_run) {
        if let RunState::Judged(verdict, findings) = &run.state
            && *verdict != Verdict::Pass
            && state.runbook.get(&run.armed.step).is_none()
        {
            let why = findings.iter().find(|one| one.outcome != Outcome::Pass);
            let why = why.map_or("", |one| one.sentence.as_str());
            let text = format!("{}: {verdict}: {why}", run.armed.step);
            items.push(("verdict", true, text));
        }
    }
    let waived = state.runbook.steps.iter().filter_map(|step| {
        let waiver = state.waiver(&step.id)?;
        let names: Vec<&str> = waiver
            .waived
            .iter()
            .map(|one| one.condition.as_str())
            .collect();
        let text = format!(
            "{}: {} was UNKNOWN and let go: {}",
            title(&step.id, state),
            names.join(", "),
            waiver.reason
        );
        Some(("override", false, text))
    });
    items.extend(waived);
    items
}

/// Locks of this incident's freeze that are not seen to be gone.
fn locks(material: &Material<'_>) -> Vec<Item> {
    let all = material.locks.iter();
    all.filter_map(|lock| {
        let told = where_it_is(lock, material.state)?;
        let text = format!("{} on role {}: {told}", lock.id, lock.role);
        Some(("lock", false, text))
    })
    .collect()
}

/// Whether a lock still stands where it was made, in words; `None` if it was seen to be gone.
fn where_it_is(lock: &HeldLock, state: &State) -> Option<String> {
    let reading = Side::BOTH.into_iter().find_map(|side| {
        let reading = state.instruments.get(&Subject::Freeze(side))?;
        match &reading.good {
            Some((at, Fact::Freeze(freeze))) if freeze.context == lock.context => {
                Some((*at, freeze.standing(&lock.id, state.now).is_some()))
            }
            _ => None,
        }
    });
    match reading {
        Some((_, false)) => None,
        Some((at, true)) => Some(format!("still there at {}", at.clock())),
        None => Some(format!(
            "made in {}, and nobody has seen it since",
            lock.context
        )),
    }
}

/// What was paused and waits to be let go again, or acts although it was paused.
fn paused(state: &State) -> Vec<Item> {
    let mut items = Vec::new();
    for side in Side::BOTH {
        let reading = state.instruments.get(&Subject::Reconcilers(side));
        let Some((at, Fact::Reconcilers(seen))) = reading.and_then(|one| one.good.as_ref()) else {
            continue;
        };
        let paused = seen.found.iter().filter(|one| one.paused());
        items.extend(paused.map(|one| {
            let text = format!(
                "{} in the {side} is paused, as seen at {}",
                reconcilers::words(one),
                at.clock()
            );
            ("reconciler", false, text)
        }));
    }
    items
}
