//! A pane that is a list of rows under a cursor.

use crate::{
    state::{Pane, RowKey},
    theme::Role,
    view::{
        Canvas,
        widget::table::{self, Cell, Column},
    },
};

/// What a row is made of.
pub enum Row {
    /// Cells of the table.
    Cells(Vec<Cell>),
    /// One line across all columns: a heading of a group, an event.
    Across(Vec<Cell>),
}

/// Draws the rows that are on screen. `make` is called for those alone: a cluster may hold 10,000 pods.
pub fn draw(
    canvas: &mut Canvas<'_>,
    pane: Pane,
    columns: &[Column],
    empty: &str,
    make: impl Fn(&Canvas<'_>, &RowKey) -> Row,
) {
    let state = canvas.state;
    let desk = state.desk.pane(pane);
    let keys = state.rows(pane);
    if keys.is_empty() {
        let text = if desk.filter.is_empty() {
            empty.to_owned()
        } else {
            format!("no row contains {:?}: esc shows all again", desk.filter)
        };
        canvas.paragraph(0, &text, Role::Muted);
        return;
    }
    let area = canvas.area;
    let widths = table::widths(columns, area.width);
    // A heading costs a row that could be a pod: only where there is plenty.
    let head =
        u16::from(area.height >= 12 && columns.iter().any(|column| !column.title.is_empty()));
    if head > 0 {
        let style = canvas.style(Role::Muted);
        let titles: Vec<Cell> = columns
            .iter()
            .map(|column| (column.title.to_owned(), style))
            .collect();
        table::row(
            canvas.buffer,
            area,
            0,
            (columns, &widths),
            &titles,
            (None, 0),
        );
    }
    let cursor = state.cursor(pane, &keys);
    let focused = state.desk.focus == pane;
    let shown = table::window(keys.len(), cursor, area.height.saturating_sub(head));
    for (at, place) in (head..).zip(shown) {
        let row = make(canvas, &keys[place]);
        let over = (focused && place == cursor).then(|| canvas.style(Role::Selected));
        match row {
            Row::Cells(cells) => table::row(
                canvas.buffer,
                area,
                at,
                (columns, &widths),
                &cells,
                (over, desk.shift),
            ),
            Row::Across(parts) => across(canvas, at, parts, over),
        }
    }
}

fn across(canvas: &mut Canvas<'_>, at: u16, parts: Vec<Cell>, over: Option<ratatui::style::Style>) {
    if let Some(style) = over {
        let line = ratatui::layout::Rect {
            y: canvas.area.y + at,
            height: 1,
            ..canvas.area
        };
        let line = line.intersection(canvas.buffer.area);
        canvas.buffer.set_style(line, style);
    }
    let mut pen = canvas.pen(at);
    for (text, style) in parts {
        pen.put(&text, over.unwrap_or(style));
    }
}
