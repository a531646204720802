//! A line of text asked of the operator.

use super::open;
use crate::{
    state::{Reason, Why},
    theme::Role,
    view::{Canvas, widget::clean},
};

/// A field with what stands before it, and a cursor: a reversed cell, since the terminal's own is hidden. Of a long text
/// the end is shown, where the typing is.
pub fn input(canvas: &mut Canvas<'_>, row: u16, before: &str, text: &str) {
    let (key, field, cursor) = (
        canvas.style(Role::Key),
        canvas.style(Role::Field),
        canvas.style(Role::Button),
    );
    let mut pen = canvas.pen(row);
    pen.put(before, key);
    let room = pen.left().saturating_sub(1);
    let hidden = clean::width(text).saturating_sub(room);
    pen.put(&clean::fit_from(text, hidden, room), field)
        .put(" ", cursor);
    let left = pen.left();
    pen.put(&" ".repeat(left), field);
}

/// Why a step is skipped, or the incident closed.
pub fn reason(canvas: &mut Canvas<'_>, reason: &Reason) {
    let (title, text, hint) = match &reason.why {
        Why::Skip(id) => {
            let step = canvas.state.runbook.get(id);
            let title = step.map_or("", |step| step.title.as_str());
            let text = if step.is_some_and(|step| step.optional) {
                "Why? The step is optional: the reason may be left empty. It stands in the journal and in the report."
            } else {
                "Why? The reason stands in the journal and in the report. Steps that need this one may then start."
            };
            (format!("Skip {title}"), text, "enter skips it   esc leaves")
        }
        Why::Outage => (
            "Start of the outage".to_owned(),
            "When did it begin? 14:05 or 14:05:31 (UTC), 2026-11-23T14:05:31Z, or 12m ago. The recovery time and the data that is lost are measured from there; the journal keeps it.",
            "enter sets it   esc leaves",
        ),
        Why::Close if canvas.state.wants_watch() => (
            "Close the incident".to_owned(),
            "The old cluster was NOT seen to be stopped: when this is closed nobody here sees it come back. Keep `relight watch` running where it stays up; it raises the alarm. Why may it be closed? The reason stands in the journal and in the report.",
            "enter closes it   esc leaves",
        ),
        Why::Close if canvas.state.leaves_things() => (
            "Close the drill".to_owned(),
            "What this drill made was NOT seen to be gone: it goes on costing, and a cluster with the real authorities may run on. drill.json of its folder lists it. Why may it be closed? The reason stands in the journal and in the report.",
            "enter closes it   esc leaves",
        ),
        Why::Close => (
            "Close the incident".to_owned(),
            "Why may it be closed? The reason stands in the journal and in the report. No step can be run in it any more; the next start begins another incident.",
            "enter closes it   esc leaves",
        ),
    };
    let width = canvas.area.width.saturating_sub(4).clamp(20, 84);
    // Two more than the text of most takes: the longest is of five lines at 80 columns.
    let size = (width, if text.len() > 230 { 11 } else { 9 });
    let mut inside = open(canvas, size, &title);
    let next = inside.paragraph(0, text, Role::Text);
    let before = match reason.why {
        Why::Outage => "began: ",
        _ => "reason: ",
    };
    input(&mut inside, next + 1, before, &reason.text);
    inside.line(next + 3, hint, Role::Muted);
}

/// A search in the output.
pub fn search(canvas: &mut Canvas<'_>, text: &str) {
    line(canvas, "Search the output", "/ ", text);
}

/// A filter for the focused pane.
pub fn filter(canvas: &mut Canvas<'_>, text: &str) {
    let title = format!("Filter {}", canvas.state.desk.focus.name());
    line(canvas, &title, "show only: ", text);
}

fn line(canvas: &mut Canvas<'_>, title: &str, before: &str, text: &str) {
    let size = (canvas.area.width.saturating_sub(4).clamp(20, 64), 3);
    let mut inside = open(canvas, size, title);
    input(&mut inside, 0, before, text);
}
