//! Every record in words: what happened, who did it, and what was decided with which reason.

use std::fmt::Write as _;

use super::{
    Material,
    clean::Wash,
    model::{Decision, Happened, Person},
};
use crate::{
    incident::{Moment, RunId, StepId, brief},
    journal::{ArmedStep, Author, Entry, Record, Taking, Waiver},
    state::State,
};

/// Every transition, in the order of the journal.
pub(super) fn happened(material: &Material<'_>, wash: Wash<'_>) -> Vec<Happened> {
    let mut outage = None;
    let records = material.records.iter();
    records
        .map(|record| {
            match &record.entry {
                Entry::Declared { outage: began, .. } | Entry::Outage { began } => {
                    outage = Some(*began);
                }
                _ => {}
            }
            one(record, outage, material.state, wash)
        })
        .collect()
}

fn one(record: &Record, outage: Option<Moment>, state: &State, wash: Wash<'_>) -> Happened {
    let (what, step, text) = words(&record.entry, state);
    let calls = match &record.entry {
        // Each as a whole: a line of a key alone does not look like one.
        Entry::Armed(armed) => armed.calls.as_slice(),
        _ => &[],
    };
    Happened {
        seq: record.seq,
        at: record.at,
        elapsed: outage.map(|outage| record.at.since(outage)),
        operator: wash.line(&record.author.operator),
        host: wash.line(&record.author.host),
        what,
        step: step.map(|step| wash.line(step.as_str())),
        text: wash.line(text),
        calls: calls.iter().map(|call| wash.line(call)).collect(),
    }
}

/// The kind of an entry, the step it is about, and what it says.
fn words(entry: &Entry, state: &State) -> (&'static str, Option<StepId>, String) {
    let of = |run: &RunId| state.story.runs.get(run).map(|run| run.armed.step.clone());
    let named = |run: &RunId| {
        let armed = state.story.runs.get(run).map(|run| &run.armed);
        armed.map_or_else(|| run.to_string(), |armed| attempt(armed, state))
    };
    match entry {
        Entry::Declared {
            what,
            cluster,
            outage,
            ..
        } => {
            let text = format!(
                "{} of {cluster} declared, outage since {outage}",
                what.word()
            );
            ("declared", None, text)
        }
        Entry::Outage { began } => ("outage", None, format!("the outage began at {began}")),
        Entry::Attached => ("attached", None, "took the incident".to_owned()),
        Entry::Detached => ("detached", None, "let the incident go".to_owned()),
        Entry::Identified { who } => {
            let text = format!("is {} at STS", who.name());
            ("identified", None, text)
        }
        Entry::Offered => ("offered", None, "offered the incident".to_owned()),
        Entry::Withdrawn => ("withdrawn", None, "took the offer back".to_owned()),
        Entry::HandedOver { to, .. } => {
            let text = format!("handed the incident over to {} on {}", to.name(), to.host);
            ("handed-over", None, text)
        }
        Entry::Took { from, how } => ("took", None, took(from, how)),
        Entry::Declined { by, why, .. } => {
            let text = format!(
                "what {} on {} asked for was declined: {why}",
                by.name(),
                by.host
            );
            ("declined", None, text)
        }
        Entry::Approved { run, by, until, .. } => {
            let text = format!(
                "{}: approved by {} on {}, until {until}",
                named(run),
                by.name(),
                by.host
            );
            ("approved", of(run), text)
        }
        Entry::Overridden { step, waiver, .. } => {
            let text = format!("{}: {}", title(step, state), waived(waiver));
            ("overridden", Some(step.clone()), text)
        }
        Entry::Armed(armed) => ("armed", Some(armed.step.clone()), arming(armed, state)),
        Entry::Disarmed { run } => {
            let text = format!("{}: left without running", named(run));
            ("disarmed", of(run), text)
        }
        Entry::Confirmed { run, phrase, note } => {
            let mut text = format!("{}: confirmed", named(run));
            // Writing to a string cannot fail.
            if let Some(phrase) = phrase {
                let _ = write!(text, ", typed \"{phrase}\"");
            }
            if let Some(note) = note {
                let _ = write!(text, ", noted: {note}");
            }
            ("confirmed", of(run), text)
        }
        Entry::Started { run, .. } => ("started", of(run), format!("{}: started", named(run))),
        Entry::Cancelled { run } => (
            "cancelled",
            of(run),
            format!("{}: asked to stop", named(run)),
        ),
        Entry::Exited { run, how, .. } => ("exited", of(run), format!("{}: {how}", named(run))),
        Entry::ContactLost { run, why } => {
            let text = format!("{}: contact lost: {why}", named(run));
            ("contact-lost", of(run), text)
        }
        Entry::Judged { run, verdict, .. } => {
            ("judged", of(run), format!("{}: {verdict}", named(run)))
        }
        Entry::Skipped { step, reason } => {
            let text = format!("{}: skipped: {reason}", title(step, state));
            ("skipped", Some(step.clone()), text)
        }
        Entry::Turned {
            pane,
            from,
            to,
            sentence,
        } => ("turned", None, format!("{pane}: {from} → {to}: {sentence}")),
        Entry::Noted { text } => ("noted", None, text.clone()),
        Entry::Closed { reason } => ("closed", None, format!("closed: {reason}")),
    }
}

/// `took the incident over from alice on bastion, silent for 4m, typed "…"`.
fn took(from: &Author, how: &Taking) -> String {
    let whom = format!("{} on {}", from.operator, from.host);
    match how {
        Taking::HandOver => format!("took the incident as handed over by {whom}"),
        Taking::TakeOver {
            phrase,
            silent,
            runs,
        } => {
            let silent = brief(std::time::Duration::from_secs(*silent));
            let mut text = format!(
                "took the incident over from {whom}, silent for {silent}, typed \"{phrase}\""
            );
            if !runs.is_empty() {
                let runs: Vec<&str> = runs.iter().map(RunId::as_str).collect();
                let _ = write!(text, ", while there was {}", runs.join(", "));
            }
            text
        }
    }
}

fn arming(armed: &ArmedStep, state: &State) -> String {
    let mut text = attempt(armed, state);
    let _ = write!(text, ": armed, {}", armed.risk.word());
    if armed.dry_run {
        text.push_str(", dry run");
    }
    if armed.by_hand {
        text.push_str(", by hand");
    }
    if !armed.because.is_empty() {
        let _ = write!(text, ", its {} way: {}", armed.way, armed.because);
    }
    text
}

/// `Restore tables, attempt 2`.
fn attempt(armed: &ArmedStep, state: &State) -> String {
    let title = title(&armed.step, state);
    match armed.attempt {
        1 => title,
        attempt => format!("{title}, attempt {attempt}"),
    }
}

/// What the runbook calls a step; its name where today's runbook does not have it.
pub(super) fn title(step: &StepId, state: &State) -> String {
    let known = state.runbook.get(step);
    known.map_or_else(|| step.as_str().to_owned(), |step| step.title.clone())
}

fn waived(waiver: &Waiver) -> String {
    let all: Vec<String> = waiver
        .waived
        .iter()
        .map(|waived| format!("{} was UNKNOWN ({})", waived.condition, waived.sentence))
        .collect();
    format!(
        "run although {}, because: {}",
        all.join("; "),
        waiver.reason
    )
}

/// Who worked on it, in the order of their first record.
pub(super) fn people(records: &[Record], wash: Wash<'_>) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    for record in records {
        let (operator, host) = (
            wash.line(&record.author.operator),
            wash.line(&record.author.host),
        );
        let known = people
            .iter_mut()
            .find(|person| person.operator == operator && person.host == host);
        match known {
            Some(person) => {
                person.to = person.to.max(record.at);
                person.records += 1;
            }
            None => people.push(Person {
                operator,
                host,
                from: record.at,
                to: record.at,
                records: 1,
            }),
        }
    }
    people
}

/// What people decided: overrides, skips, ways, phrases, notes, and what they stopped.
pub(super) fn decisions(material: &Material<'_>, wash: Wash<'_>) -> Vec<Decision> {
    let records = material.records.iter();
    records
        .flat_map(|record| {
            let made = decided(&record.entry, material.state).into_iter();
            made.map(|(what, step, text)| Decision {
                at: record.at,
                operator: wash.line(&record.author.operator),
                host: wash.line(&record.author.host),
                what,
                step: step.map(|step| wash.line(title(&step, material.state))),
                text: wash.line(text),
            })
        })
        .collect()
}

fn decided(entry: &Entry, state: &State) -> Vec<(&'static str, Option<StepId>, String)> {
    match entry {
        Entry::Overridden { step, waiver, .. } => {
            vec![("override", Some(step.clone()), waived(waiver))]
        }
        Entry::Skipped { step, reason } => {
            let reason = if reason.is_empty() {
                "without a reason (it is optional)"
            } else {
                reason
            };
            vec![("skip", Some(step.clone()), reason.to_owned())]
        }
        Entry::Confirmed { run, phrase, note } => {
            let Some(run) = state.story.runs.get(run) else {
                return Vec::new();
            };
            let step = || Some(run.armed.step.clone());
            let way = (!run.armed.because.is_empty()).then(|| {
                (
                    "way",
                    step(),
                    format!("{}: {}", run.armed.way, run.armed.because),
                )
            });
            let phrase = phrase
                .as_ref()
                .map(|phrase| ("phrase", step(), format!("typed \"{phrase}\"")));
            let note = note.as_ref().map(|note| ("note", step(), note.clone()));
            [way, phrase, note].into_iter().flatten().collect()
        }
        Entry::Cancelled { run } => {
            let run = state.story.runs.get(run);
            let step = run.map(|run| run.armed.step.clone());
            let after = run.and_then(|run| Some(run.cancelled?.since(run.started?)));
            let text = after.map_or_else(
                || "asked to stop".to_owned(),
                |after| format!("asked to stop after {}", brief(after)),
            );
            vec![("cancel", step, text)]
        }
        Entry::Outage { began } => {
            vec![("outage", None, format!("the outage began at {began}"))]
        }
        Entry::HandedOver { to, .. } => {
            let text = format!("to {} on {}", to.name(), to.host);
            vec![("hand-over", None, text)]
        }
        Entry::Took {
            from,
            how: how @ Taking::TakeOver { .. },
        } => vec![("take-over", None, took(from, how))],
        Entry::Approved { run, by, .. } => {
            let step = state.story.runs.get(run).map(|run| run.armed.step.clone());
            let text = format!("by {} on {}", by.name(), by.host);
            vec![("approval", step, text)]
        }
        Entry::Noted { text } => vec![("note", None, text.clone())],
        Entry::Closed { reason } => vec![("close", None, reason.clone())],
        _ => Vec::new(),
    }
}
