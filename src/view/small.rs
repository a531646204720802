//! What is shown where panes have no room: still the worst health and the running step, in words.

use super::{Canvas, Title, header};
use crate::{layout::LEAST, state::Pane, theme::Role};

/// Draws the notice.
pub fn draw(canvas: &mut Canvas<'_>, titles: &[(Pane, Title)]) {
    let mut row = 0;
    let worst = header::worst(canvas, titles);
    let running = header::running(canvas);
    for spans in std::iter::once(worst).chain(running) {
        let text: Vec<&str> = spans.iter().map(|(text, _)| text.as_str()).collect();
        let style = spans.first().map(|(_, style)| *style).unwrap_or_default();
        let room = usize::from(canvas.area.height.saturating_sub(row + 1)).max(1);
        let width = canvas.area.width.into();
        for line in super::widget::clean::wrap(&text.concat(), width, room) {
            canvas.pen(row).put(&line, style);
            row += 1;
        }
    }
    let (columns, rows) = LEAST;
    let size = canvas.area;
    let text = format!(
        "window {}×{} is too small: needs {columns}×{rows}",
        size.width, size.height
    );
    canvas.paragraph(row, &text, Role::Muted);
}
