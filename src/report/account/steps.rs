//! The steps with their times, and every verdict with what it rests on.

use std::collections::BTreeMap;

use super::{
    Material,
    clean::Wash,
    model::{Evidence, Found, Judged, Step},
    timeline::title,
};
use crate::{
    incident::{self, Finding, Moment, Observation, StepId, Subject, Verdict},
    journal::Entry,
    state::{Run, RunState, State, StepState},
};

/// Every step of the runbook, then those that only an older one had.
pub(super) fn steps(state: &State, wash: Wash<'_>) -> Vec<Step> {
    let known = (1..).zip(&state.runbook.steps);
    let mut steps: Vec<Step> = known
        .map(|(number, step)| planned(number, step, state, wash))
        .collect();
    let mut others: Vec<&StepId> = Vec::new();
    let named = state.story.order.iter().filter_map(|run| {
        let run = state.story.runs.get(run)?;
        Some(&run.armed.step)
    });
    for id in named.chain(state.story.skipped.keys()) {
        if state.runbook.get(id).is_none() && !others.contains(&id) {
            others.push(id);
        }
    }
    steps.extend(others.into_iter().map(|id| former(id, state, wash)));
    steps
}

fn planned(number: usize, step: &incident::Step, state: &State, wash: Wash<'_>) -> Step {
    let stands = state.step_state(step);
    let run = state.story.run_of(&step.id);
    let usual = state.history.usual(&step.id);
    let way = run.filter(|run| !run.armed.because.is_empty());
    // What may be done next is nobody's question once it is over.
    let over =
        state.story.closed.is_some() && matches!(stands, StepState::Locked(_) | StepState::Ready);
    let (word, why) = if over {
        ("not done", None)
    } else {
        (stands.word(), stands.why())
    };
    Step {
        number: Some(number),
        id: wash.line(step.id.as_str()),
        title: wash.line(&step.title),
        state: word,
        why: why.and_then(|why| wash.some(why)),
        way: way.map(|run| wash.line(format!("{}: {}", run.armed.way, run.armed.because))),
        attempts: state.story.attempts(&step.id),
        started: run.map(|run| run.started.unwrap_or(run.armed_at)),
        took: run.and(state.step_time(&step.id)),
        usual: usual.map(|usual| usual.median),
        usual_p90: usual.map(|usual| usual.p90),
        timed: usual.map_or(0, |usual| usual.times),
        beside: step.aside || step.optional || step.barred,
    }
}

/// A step that today's runbook does not have: an older one, or the operator's own.
fn former(id: &StepId, state: &State, wash: Wash<'_>) -> Step {
    let run = state.story.run_of(id);
    let skip = state.story.skipped.get(id);
    let word = match (skip, run) {
        (Some(_), _) => "skipped",
        (None, Some(run)) => word(run),
        (None, None) => "not run",
    };
    let usual = state.history.usual(id);
    Step {
        number: None,
        id: wash.line(id.as_str()),
        title: wash.line(id.as_str()),
        state: word,
        why: skip.and_then(|skip| wash.some(&skip.reason)),
        way: None,
        attempts: state.story.attempts(id),
        started: run.map(|run| run.started.unwrap_or(run.armed_at)),
        took: run.and(state.step_time(id)),
        usual: usual.map(|usual| usual.median),
        usual_p90: usual.map(|usual| usual.p90),
        timed: usual.map_or(0, |usual| usual.times),
        beside: true,
    }
}

fn word(run: &Run) -> &'static str {
    match &run.state {
        RunState::Judged(Verdict::Pass, _) => "PASS",
        RunState::Judged(Verdict::Fail, _) => "FAIL",
        RunState::Judged(Verdict::Unknown, _) => "UNKNOWN",
        RunState::Exited | RunState::ContactLost => {
            run.told().map_or("settling", incident::Evidence::word)
        }
        _ => "running",
    }
}

/// Every verdict, in the order of the journal.
pub(super) fn verdicts(material: &Material<'_>, wash: Wash<'_>) -> Vec<Judged> {
    let state = material.state;
    let judged = material.records.iter().filter_map(|record| {
        let Entry::Judged {
            run,
            verdict,
            findings,
            evidence,
        } = &record.entry
        else {
            return None;
        };
        let of = state.story.runs.get(run);
        let looks: BTreeMap<&Subject, &Observation> =
            evidence.iter().map(|seen| (&seen.subject, seen)).collect();
        let names = of.map_or(&[][..], |of| of.armed.observes.as_slice());
        let found = findings.iter().enumerate().map(|(place, finding)| {
            let name = names.get(place).map_or("", String::as_str);
            found(name, finding, &looks, record.at, wash)
        });
        Some(Judged {
            at: record.at,
            step: wash.line(of.map_or("", |of| of.armed.step.as_str())),
            title: wash.line(of.map_or_else(|| run.to_string(), |of| title(&of.armed.step, state))),
            run: wash.line(run.as_str()),
            attempt: of.map_or(1, |of| of.armed.attempt),
            verdict: *verdict,
            took: of.and_then(|of| Some(record.at.since(of.started?))),
            findings: found.collect(),
        })
    });
    judged.collect()
}

fn found(
    name: &str,
    finding: &Finding,
    looks: &BTreeMap<&Subject, &Observation>,
    at: Moment,
    wash: Wash<'_>,
) -> Found {
    let evidence = finding.evidence.iter().map(|subject| {
        let look = looks.get(subject);
        let failure = look.and_then(|look| look.outcome.as_ref().err());
        Evidence {
            subject: wash.line(subject.to_string()),
            age: look.map(|look| at.since(look.at)),
            failure: failure.map(|failure| wash.line(failure.to_string())),
        }
    });
    Found {
        condition: wash.line(name),
        outcome: finding.outcome,
        sentence: wash.line(&finding.sentence),
        evidence: evidence.collect(),
    }
}
