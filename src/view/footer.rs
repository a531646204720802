//! The last rows: the notice or the selected row in full, and what the keys do here.

use ratatui::layout::Rect;

use super::{Canvas, pane, widget::clean};
use crate::{
    input,
    state::{Pane, Tone},
    theme::Role,
};

/// The most rows of a notice.
const NOTICE: usize = 3;

/// Draws the footer. A notice that needs more rows than stand above the hints grows over the last rows of the panes: a
/// path that is cut is no use, and it leaves after ten seconds. Where there is one row only, it takes the place of the
/// hints for as long as it stays.
pub fn draw(canvas: &mut Canvas<'_>) {
    let has_two = canvas.area.height > 1;
    let told = notice(canvas);
    if has_two && !told {
        selected(canvas);
    }
    if has_two || !told {
        hints(canvas, canvas.area.height.saturating_sub(1));
    }
}

fn notice(canvas: &mut Canvas<'_>) -> bool {
    let Some(notice) = &canvas.state.desk.notice else {
        return false;
    };
    let (role, mark) = match notice.tone {
        Tone::Info => (Role::Notice, "› "),
        Tone::Warn => (Role::Warning, "! "),
    };
    let room = usize::from(canvas.area.width).saturating_sub(4);
    let mut lines = clean::wrap(&notice.text, room, usize::MAX);
    if lines.len() > NOTICE {
        // Of what is longer still the end is kept, where the name of a file stands.
        lines = clean::cut(&clean::fit_middle(&notice.text, room * NOTICE), room);
    }
    let rows = u16::try_from(lines.len()).unwrap_or(1);
    let last = canvas.area.y + canvas.area.height.saturating_sub(2);
    let over = Rect {
        y: (last + 1).saturating_sub(rows),
        height: rows,
        ..canvas.area
    };
    let style = canvas.style(role);
    let mut canvas = canvas.at(over);
    for (row, line) in (0..rows).zip(&lines) {
        let before = if row == 0 { mark } else { "  " };
        let mut pen = canvas.pen(row);
        pen.put(" ", style).put(before, style).put(line, style);
        pen.fill(' ', style);
    }
    true
}

/// The selected row of the focused pane in full: what a column had to cut is read here.
fn selected(canvas: &mut Canvas<'_>) {
    let state = canvas.state;
    let focus = state.desk.focus;
    if focus == Pane::Output {
        return;
    }
    let rows = state.rows(focus);
    let Some(key) = rows.get(state.cursor(focus, &rows)) else {
        return;
    };
    let text = (pane::face(focus).detail)(state, key);
    let style = canvas.style(Role::Muted);
    canvas.pen(0).skip(1).put("› ", style).put(&text, style);
}

fn hints(canvas: &mut Canvas<'_>, row: u16) {
    let (key, word) = (canvas.style(Role::Key), canvas.style(Role::Text));
    let hints = input::hints(canvas.state);
    // Help is what a lost operator needs: room for it is kept from the start.
    let (help, others): (Vec<_>, Vec<_>) = hints.into_iter().partition(|(_, word)| *word == "help");
    let wide = |(key, word): &(String, &str)| clean::width(key) + 1 + clean::width(word) + 3;
    let kept: usize = help.iter().map(wide).sum();
    let mut pen = canvas.pen(row);
    pen.skip(1);
    for hint in &others {
        if wide(hint) + kept > pen.left() + 3 {
            break;
        }
        pen.put(&hint.0, key).skip(1).put(hint.1, word).skip(3);
    }
    for hint in &help {
        pen.put(&hint.0, key).skip(1).put(hint.1, word);
    }
}
