//! All that is known of a step: what it is for, why it is locked, what it waits for, and its runs.

use super::{large, open, scrolled};
use crate::{
    incident::{Condition, Outcome, Step, StepId, Way},
    input::key,
    judge,
    state::{Run, RunState, State},
    theme::Role,
    view::{
        Canvas,
        widget::{age::age, clean, symbol},
    },
};

type Lines = Vec<Vec<(String, Role)>>;

/// Draws the text, scrolled to a line.
pub fn draw(canvas: &mut Canvas<'_>, id: &StepId, top: u16) {
    let state = canvas.state;
    let Some(step) = state.runbook.get(id) else {
        return;
    };
    let size = large(canvas);
    let mut inside = open(canvas, size, &step.title);
    let width = usize::from(inside.area.width);
    let lines = lines(state, step, width);
    scrolled(&mut inside, &lines, top);
}

fn lines(state: &State, step: &Step, width: usize) -> Lines {
    let mut lines: Lines = Vec::new();
    let standing = state.step_state(step);
    let (mark, role) = symbol::step(&standing);
    lines.push(vec![
        (format!("{mark} {}", standing.word()), role),
        (
            format!(
                "   risk: {} ({})   {}",
                step.risk.word(),
                crate::view::pane::risk(step),
                if step.own {
                    "a step of your own".to_owned()
                } else {
                    format!("guide step {}", step.guide)
                }
            ),
            Role::Text,
        ),
    ]);
    if let Some(why) = standing.why() {
        paragraph(&mut lines, why, role, width, "");
    }
    if state.waivable(step).is_ok() {
        let text = format!(
            "Only UNKNOWN preconditions lock it: {} overrides them, by phrase and reason.",
            key("override", &state.desk)
        );
        paragraph(&mut lines, &text, Role::Text, width, "");
    }
    lines.push(Vec::new());
    paragraph(&mut lines, step.about.trim(), Role::Text, width, "");
    ways(&mut lines, step, state, width);
    let step = &*state.as_chosen(step);
    heading(&mut lines, "Does");
    match state.prepared(step, false) {
        Ok(prepared) => {
            for call in prepared.calls {
                paragraph(&mut lines, &call, Role::Strong, width, "  ");
            }
        }
        Err(why) => paragraph(&mut lines, &why, Role::Warning, width, "  "),
    }
    conditions(&mut lines, "Must hold before", &step.pre, state, width);
    conditions(&mut lines, "Must be seen after", &step.post, state, width);
    if let Some(usual) = state.history.usual(&step.id) {
        heading(&mut lines, "Took before");
        let text = format!(
            "median {}, nine of ten times up to {}; done {} times in earlier incidents and drills",
            age(usual.median),
            age(usual.p90),
            usual.times
        );
        paragraph(&mut lines, &text, Role::Text, width, "  ");
    }
    let runs: Vec<&Run> = state
        .story
        .in_order()
        .filter(|run| run.armed.step == step.id)
        .collect();
    if !runs.is_empty() {
        heading(&mut lines, "Attempts");
    }
    for run in runs.into_iter().rev() {
        attempt(&mut lines, run, state, width);
    }
    lines
}

/// What it does when the primary does not answer; and which of its ways it goes, where there are two.
fn ways(lines: &mut Lines, step: &Step, state: &State, width: usize) {
    let Some(other) = &step.ungraceful else {
        return;
    };
    if step.has_two_ways() {
        let (way, why) = state.way(step);
        heading(lines, "Way");
        let key = key("other-way", &state.desk);
        let text = format!("{way}: {why} ({key} for the other way)");
        paragraph(lines, &text, Role::Strong, width, "  ");
        let text = format!(
            "when {} gives no answer: {}",
            other.silence().who(),
            other.about.trim()
        );
        paragraph(lines, &text, Role::Text, width, "  ");
    } else {
        lines.push(Vec::new());
        paragraph(lines, other.about.trim(), Role::Text, width, "");
    }
}

fn heading(lines: &mut Lines, text: &str) {
    lines.push(Vec::new());
    lines.push(vec![(text.to_owned(), Role::Heading)]);
}

fn paragraph(lines: &mut Lines, text: &str, role: Role, width: usize, indent: &str) {
    for line in clean::wrap(text, width.saturating_sub(indent.len()), 60) {
        lines.push(vec![(format!("{indent}{line}"), role)]);
    }
}

/// Each condition with what it comes to now.
fn conditions(
    lines: &mut Lines,
    title: &str,
    conditions: &[Condition],
    state: &State,
    width: usize,
) {
    if conditions.is_empty() {
        return;
    }
    heading(lines, title);
    let sight = state.sight();
    for condition in conditions {
        let finding = judge::condition(*condition, &sight);
        found(
            lines,
            finding.outcome,
            condition.name(),
            &finding.sentence,
            width,
        );
    }
}

fn found(lines: &mut Lines, outcome: Outcome, name: &str, sentence: &str, width: usize) {
    let (mark, word, role) = match outcome {
        Outcome::Pass => ("✓", "PASS", Role::Ok),
        Outcome::Unknown => ("?", "UNKNOWN", Role::Unknown),
        Outcome::Fail => ("✗", "FAIL", Role::Down),
    };
    lines.push(vec![
        (format!("  {mark} {word:<8}"), role),
        (name.to_owned(), Role::Strong),
    ]);
    paragraph(lines, sentence, Role::Text, width, "      ");
}

fn attempt(lines: &mut Lines, run: &Run, state: &State, width: usize) {
    let dry = if run.armed.dry_run { ", dry run" } else { "" };
    let ago = age(state.now.since(run.armed_at));
    let way = match run.armed.way {
        Way::Graceful => "",
        Way::Ungraceful => ", ungraceful",
    };
    let text = format!(
        "  attempt {}{dry}{way}, armed {ago} ago: ",
        run.armed.attempt
    );
    let how = match &run.state {
        RunState::Armed => "armed".to_owned(),
        RunState::Disarmed => "left without running".to_owned(),
        RunState::Confirmed => "starting".to_owned(),
        RunState::Running => "running".to_owned(),
        RunState::Exited if run.armed.by_hand => {
            format!("by hand: {}", run.note.as_deref().unwrap_or_default())
        }
        RunState::Exited | RunState::ContactLost => run.how.clone().unwrap_or_default(),
        RunState::Judged(verdict, _) => {
            format!("{verdict}, {}", run.how.as_deref().unwrap_or("ended"))
        }
    };
    lines.push(vec![(text, Role::Text), (how, Role::Strong)]);
    if let Some(waiver) = run.waiver() {
        let text = format!("override, because: {}", waiver.reason);
        paragraph(lines, &text, Role::Warning, width, "      ");
        for waived in &waiver.waived {
            let text = format!("was UNKNOWN, {}: {}", waived.condition, waived.sentence);
            paragraph(lines, &text, Role::Text, width, "      ");
        }
    }
    for call in &run.armed.calls {
        paragraph(lines, call, Role::Muted, width, "      ");
    }
    if let RunState::Judged(_, findings) = &run.state {
        for finding in findings {
            found(lines, finding.outcome, "", &finding.sentence, width);
        }
    }
}
