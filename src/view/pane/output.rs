//! What a run prints: followed or paused, with the time at which each line was read.

use crate::{
    incident::{Evidence, RunId},
    input::key,
    state::{Output, OutputLine, Pane, Run, RunState, Scroll, State},
    theme::Role,
    view::{Canvas, Title, widget::clean},
};

/// `4 Install the chart, attempt 1 ─ running ─ following ─ 1,204 lines`
pub fn title(state: &State) -> Title {
    let text = match state.shown_run() {
        None => String::new(),
        Some(run) => {
            let output = state.outputs.get(&run.armed.run);
            let total = output.map_or(0, |output| output.total);
            let dry = if run.armed.dry_run { ", dry run" } else { "" };
            format!(
                "{}, attempt {}{dry} ─ {} ─ {}",
                name(state, run),
                run.armed.attempt,
                told(state, run),
                place(state, run, total)
            )
        }
    };
    Title {
        health: None,
        text,
        age: None,
    }
}

/// `2 of 3 running ([ ] others)`: which of the runs side by side this is, and how the others are seen; `None` if it is the
/// only one, or none is live.
fn beside(state: &State, run: &Run) -> Option<String> {
    let live: Vec<&RunId> = state.live_runs().collect();
    let at = live.iter().position(|id| **id == run.armed.run);
    let (back, on) = (
        key("previous-run", &state.desk),
        key("next-run", &state.desk),
    );
    match (at, live.len()) {
        (_, 0) | (Some(_), 1) => None,
        (Some(at), all) => Some(format!("{} of {all} running ({back} {on} others)", at + 1)),
        (None, all) => Some(format!("{all} running ({back} {on})")),
    }
}

fn name(state: &State, run: &Run) -> String {
    let at = state
        .runbook
        .steps
        .iter()
        .position(|step| step.id == run.armed.step);
    at.map_or_else(
        || run.armed.step.to_string(),
        |at| format!("{} {}", at + 1, state.runbook.steps[at].title),
    )
}

fn told(state: &State, run: &Run) -> String {
    let beside = beside(state, run);
    let text = stands(run);
    match beside {
        // Which of them it is says that it runs.
        Some(beside) if text == "running" => beside,
        Some(beside) => format!("{text}, {beside}"),
        None => text,
    }
}

fn stands(run: &Run) -> String {
    let how = run.how.as_deref().unwrap_or("ended");
    match &run.state {
        RunState::Armed => "armed".to_owned(),
        RunState::Disarmed => "not run".to_owned(),
        RunState::Confirmed => "starting".to_owned(),
        RunState::Running => {
            let stopping = if run.cancelled.is_some() {
                ", asked to stop"
            } else {
                ""
            };
            format!("running{stopping}")
        }
        RunState::Exited if run.armed.dry_run => how.to_owned(),
        RunState::Exited if run.armed.evidence != Evidence::Seen => how.to_owned(),
        RunState::Exited => format!("{how}, settling"),
        RunState::ContactLost => format!("CONTACT LOST, {how}"),
        RunState::Judged(verdict, _) => format!("{verdict}, {how}"),
    }
}

/// Followed, or paused and where.
fn place(state: &State, run: &Run, total: u64) -> String {
    let lines = thousands(total);
    match state.desk.pane(Pane::Output).scroll {
        Scroll::Follow if lag(state, run, total) > 0 => {
            let behind = thousands(lag(state, run, total));
            format!("following, {behind} behind ─ {lines} lines")
        }
        Scroll::Follow if run.is_live() => format!("following ─ {lines} lines"),
        Scroll::Follow => format!("{lines} lines"),
        Scroll::Line(top) => {
            let height = u64::from(crate::layout::viewport(&state.desk, Pane::Output));
            let below = total.saturating_sub(top.saturating_add(height));
            let at = thousands(top.saturating_add(1).min(total));
            let below = if below == 0 {
                String::new()
            } else {
                format!(
                    ", {} below: {} follows",
                    thousands(below),
                    key("bottom", &state.desk)
                )
            };
            format!("PAUSED at line {at} of {lines}{below}")
        }
    }
}

/// How many lines there are beyond the newest that is held.
fn lag(state: &State, run: &Run, total: u64) -> u64 {
    let output = state.outputs.get(&run.armed.run);
    let newest = output.and_then(|output| output.lines.last());
    newest.map_or(0, |newest| total.saturating_sub(newest.number + 1))
}

/// `1204` as `1,204`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Draws the lines.
pub fn draw(canvas: &mut Canvas<'_>) {
    let state = canvas.state;
    let Some(run) = state.shown_run() else {
        let (run, dry) = (key("run", &state.desk), key("dry-run", &state.desk));
        let text = format!(
            "Nothing has run yet. On a step of the runbook, {run} runs it and {dry} says what it would do."
        );
        canvas.paragraph(0, &text, Role::Muted);
        return;
    };
    let empty = Output::default();
    let output = state.outputs.get(&run.armed.run).unwrap_or(&empty);
    if output.total == 0 {
        let text = if run.is_live() {
            "No output yet."
        } else {
            "It printed nothing."
        };
        canvas.line(0, text, Role::Muted);
        return;
    }
    let height = canvas.area.height;
    let first = match state.desk.pane(Pane::Output).scroll {
        Scroll::Follow => output.total.saturating_sub(height.into()),
        Scroll::Line(top) => top,
    };
    let follows = state.desk.pane(Pane::Output).scroll == Scroll::Follow;
    let shown: Vec<&OutputLine> = if follows {
        // The newest that are held, even if the run has printed more since: text that lags, and says so in the title, is
        // worth more than none, and under a flood there would be none ever.
        let held = output.lines.len().saturating_sub(height.into());
        output.lines.iter().skip(held).collect()
    } else {
        output
            .lines
            .iter()
            .skip_while(|line| line.number < first)
            .take_while(|line| line.number < first.saturating_add(height.into()))
            .collect()
    };
    if shown.is_empty() {
        let text = format!("Fetching line {} …", thousands(first + 1));
        canvas.line(0, &text, Role::Muted);
        return;
    }
    for (row, printed) in (0..height).zip(shown) {
        line(canvas, row, printed, &run.armed.run);
    }
}

fn line(canvas: &mut Canvas<'_>, row: u16, line: &OutputLine, run: &RunId) {
    let desk = &canvas.state.desk;
    let shift = usize::from(desk.pane(Pane::Output).shift);
    let search = &desk.search;
    let is_hit = search
        .hit
        .as_ref()
        .is_some_and(|(of, at)| of == run && *at == line.number);
    let (muted, text, hit) = (
        canvas.style(Role::Muted),
        canvas.style(Role::Text),
        canvas.style(Role::Hit),
    );
    let mut pen = canvas.pen(row);
    let marker = if is_hit { "▸" } else { " " };
    pen.put(&line.at.clock(), muted).put(marker, text);
    let shown = clean::fit_from(&line.text, shift, pen.left());
    for (part, found) in split(&shown, &search.text) {
        pen.put(part, if found { hit } else { text });
    }
}

/// The text in parts, each with whether it is a hit. Ignores case unless the search holds a capital.
fn split<'a>(text: &'a str, search: &str) -> Vec<(&'a str, bool)> {
    if search.is_empty() {
        return vec![(text, false)];
    }
    let exact = search.chars().any(char::is_uppercase);
    // ASCII lower case keeps every byte in its place.
    let (hay, needle) = if exact {
        (text.to_owned(), search.to_owned())
    } else {
        (text.to_ascii_lowercase(), search.to_ascii_lowercase())
    };
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, found) in hay.match_indices(&needle) {
        parts.push((&text[from..at], false));
        parts.push((&text[at..at + found.len()], true));
        from = at + found.len();
    }
    parts.push((&text[from..], false));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_are_split_out_and_case_counts_only_with_a_capital() {
        assert_eq!(
            split("Error: no error", "error"),
            [
                ("", false),
                ("Error", true),
                (": no ", false),
                ("error", true),
                ("", false)
            ]
        );
        assert_eq!(
            split("Error: no error", "Error"),
            [("", false), ("Error", true), (": no error", false)]
        );
        assert_eq!(split("ÄäÖ", "ä"), [("Ä", false), ("ä", true), ("Ö", false)]);
    }

    #[test]
    fn numbers_have_separators() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1204, "1,204"),
            (1_000_000, "1,000,000"),
        ] {
            assert_eq!(thousands(number), text);
        }
    }
}
