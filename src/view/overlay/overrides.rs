//! Run it although preconditions are UNKNOWN: each of them by name and sentence, then the phrase, then the reason.

use super::{confirm::scroll, field::input, open};
use crate::{
    incident::Condition,
    state::Override,
    theme::Role,
    view::{Canvas, widget::clean},
};

/// The most lines that a body is wrapped to.
const MOST: usize = 400;

/// A row between, what is asked, the field, the hint.
const FOOT: u16 = 5;

/// Draws the dialog.
pub fn draw(canvas: &mut Canvas<'_>, asked: &Override) {
    let width = canvas.area.width.saturating_sub(4).clamp(20, 100);
    let body = body(asked, usize::from(width.saturating_sub(4)));
    let step = canvas.state.runbook.get(&asked.step);
    let title = step.map_or("", |step| step.title.as_str());
    let rows = u16::try_from(body.len()).unwrap_or(u16::MAX);
    let height = rows.saturating_add(FOOT + 2).min(canvas.area.height);
    let mut inside = open(canvas, (width, height), &format!("Override {title}"));
    let last = inside.area.height.saturating_sub(FOOT);
    scroll(&mut inside, &body, asked.top, last);
    let row = last + 1;
    if let Some(reason) = &asked.reason {
        let why = "Why all the same? It stands in the journal and in the report:";
        inside.line(row, why, Role::Text);
        input(&mut inside, row + 2, "reason: ", reason);
        let hint = "enter overrides; what the step does is shown next   esc leaves";
        inside.line(row + 3, hint, Role::Muted);
        return;
    }
    let phrase = asked.phrase();
    inside.line(row, "To override, type exactly:", Role::Text);
    let style = inside.style(Role::Down);
    inside.pen(row + 1).skip(2).put(&phrase, style);
    input(&mut inside, row + 2, "> ", &asked.typed);
    let typed = asked.typed.trim();
    let (hint, role) = if typed == phrase {
        ("enter asks for the reason   esc leaves", Role::Muted)
    } else if phrase.starts_with(typed) {
        ("esc leaves without running", Role::Muted)
    } else {
        (
            "that is not the phrase   esc leaves without running",
            Role::Warning,
        )
    };
    inside.line(row + 3, hint, role);
}

fn body(asked: &Override, room: usize) -> Vec<(String, Role)> {
    let mut lines = Vec::new();
    let mut add = |text: &str, role: Role, indent: &str| {
        for line in clean::wrap(text, room.saturating_sub(indent.len()), MOST) {
            lines.push((format!("{indent}{line}"), role));
        }
    };
    add(
        "Nobody can tell whether this holds. Overriding takes it on you; should one of them be seen to FAIL before the step starts, it is refused.",
        Role::Warning,
        "",
    );
    for waived in &asked.waived {
        add("", Role::Text, "");
        let name = &waived.condition;
        let gate = Condition::ALL
            .iter()
            .any(|one| one.name() == name && one.is_gate());
        let head = if gate {
            format!("? UNKNOWN  {name}  GATE")
        } else {
            format!("? UNKNOWN  {name}")
        };
        add(&head, Role::Unknown, "");
        add(&waived.sentence, Role::Text, "  ");
        if gate {
            add(
                "Behind it lies a cluster that looks healthy and has other certificate authorities: every certificate in use would be void.",
                Role::Danger,
                "  ",
            );
        }
    }
    lines
}
