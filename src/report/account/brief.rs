//! The hand-over: done, running, next, risks, on one screen.

use std::fmt::Write as _;

use super::{
    Material,
    clean::Wash,
    markdown::objective,
    model::{Account, Handover, SCHEMA},
};
use crate::{
    incident::brief,
    report::{Line, markdown::escape},
    state::StepState,
};

/// Most lines of what runs, of what comes next and of what may go wrong: with heading, sentence and names 25 at most.
const RUNNING: usize = 4;
const NEXT: usize = 3;
const RISKS: usize = 11;

impl Handover {
    /// Its four parts with their names.
    pub(super) fn parts(&self) -> [(&'static str, &[Line]); 4] {
        [
            ("Done", &self.done),
            ("Running", &self.running),
            ("Next", &self.next),
            ("Risks", &self.risks),
        ]
    }
}

/// Gathers it from the account and from where the steps stand.
pub(super) fn handover(material: &Material<'_>, account: &Account) -> Handover {
    let wash = Wash(material.clean);
    let state = material.state;
    let (mut done, mut running, mut next) = (Vec::new(), Vec::new(), Vec::new());
    for (number, step) in (1..).zip(&state.runbook.steps) {
        let name = format!("{number} {}", step.title);
        let stands = state.step_state(step);
        match &stands {
            StepState::Running(since) => {
                let usual = state.history.usual(&step.id).map_or_else(
                    || "never timed before".to_owned(),
                    |usual| format!("usually {}", brief(usual.median)),
                );
                let so_far = brief(material.told.since(*since));
                running.push(wash.line(format!("{name}: for {so_far}, {usual}")));
            }
            StepState::Settling(why) => {
                running.push(wash.line(format!("{name}: waits for the world: {why}")));
            }
            StepState::Skipped(reason) => {
                done.push(wash.line(format!("{name} skipped ({reason})")));
            }
            stands if stands.is_done() => {
                done.push(wash.line(format!("{name} {}", stands.word())));
            }
            StepState::Failed(_) | StepState::Unclear(_) => {
                next.push(wash.line(format!("{name}: again, after {}", stands.word())));
            }
            StepState::Ready if !step.aside && !step.optional && !step.barred => {
                next.push(wash.line(format!("{name}: ready")));
            }
            StepState::Locked(why) if !step.aside && !step.optional && !step.barred => {
                next.push(wash.line(format!("{name}: locked: {why}")));
            }
            _ => {}
        }
    }
    if account.closed.is_some() {
        next.clear();
    }
    let risks = account
        .open
        .iter()
        .filter(|item| item.what != "incident" && item.what != "step");
    let mut risks: Vec<Line> = risks.map(|item| item.text.clone()).collect();
    if let Some(late) = state.will_miss_by().filter(|_| material.planned) {
        risks.insert(
            0,
            wash.line(format!("RTO will be missed by {}", brief(late))),
        );
    }
    let until = account
        .closed
        .as_ref()
        .map_or(material.told, |closed| closed.at);
    let elapsed = account
        .outage
        .map_or_else(Default::default, |outage| until.since(outage));
    Handover {
        schema: SCHEMA,
        told: material.told,
        incident: account.incident.clone(),
        cluster: account.cluster.clone(),
        kind: account.kind.clone(),
        sentence: wash.line(sentence(material, account)),
        elapsed: account.rto.reached.unwrap_or(elapsed),
        done,
        running,
        next,
        risks,
    }
}

fn sentence(material: &Material<'_>, account: &Account) -> String {
    let held = match (&account.closed, &material.state.story.holder) {
        (Some(closed), _) => format!("closed by {}: {}", closed.operator, closed.reason),
        (None, Some(holder)) => format!("held by {} on {}", holder.operator, holder.host),
        (None, None) => "held by nobody".to_owned(),
    };
    let outage = account.outage.map_or_else(
        || "no outage declared".to_owned(),
        |at| format!("outage since {at}"),
    );
    format!(
        "{outage}; {held}. RTO {}. RPO {}",
        objective(&account.rto),
        objective(&account.rpo)
    )
}

/// The hand-over as Markdown, in at most 25 lines.
pub(super) fn markdown(told: &Handover) -> String {
    let kind = told.kind.as_ref().map_or("incident", Line::as_str);
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "# Hand-over: {}, {kind} {}",
        escape(told.cluster.as_str()),
        escape(told.incident.as_str())
    );
    let _ = writeln!(out, "{}", escape(told.sentence.as_str()));
    let done: Vec<String> = told.done.iter().map(|line| escape(line.as_str())).collect();
    let done = if done.is_empty() {
        "nothing yet".to_owned()
    } else {
        done.join(", ")
    };
    let _ = writeln!(out, "**Done** {done}");
    for ((name, lines), most) in told.parts().into_iter().skip(1).zip([RUNNING, NEXT, RISKS]) {
        part(name, lines, most, &mut out);
    }
    out
}

fn part(name: &str, lines: &[Line], most: usize, out: &mut String) {
    if lines.is_empty() {
        let _ = writeln!(out, "**{name}** nothing");
        return;
    }
    let _ = writeln!(out, "**{name}**");
    let shown = if lines.len() > most {
        most - 1
    } else {
        lines.len()
    };
    for line in &lines[..shown] {
        let _ = writeln!(out, "- {}", escape(line.as_str()));
    }
    if shown < lines.len() {
        let _ = writeln!(
            out,
            "- … and {} more: `relight report`",
            lines.len() - shown
        );
    }
}
