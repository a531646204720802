//! The list of themes.

use super::open;
use crate::{
    theme::{self, Role},
    view::Canvas,
};

/// Draws the list.
pub fn draw(canvas: &mut Canvas<'_>, chosen: usize) {
    let names = &canvas.state.desk.themes;
    let rows = u16::try_from(names.len()).unwrap_or(u16::MAX);
    let size = (
        canvas.area.width.saturating_sub(4).clamp(20, 84),
        rows.saturating_add(2).min(canvas.area.height),
    );
    let mut inside = open(canvas, size, "Theme");
    for (row, (at, name)) in (0..inside.area.height).zip(names.iter().enumerate()) {
        let current = *name == inside.state.desk.theme;
        let about = inside.state.desk.abouts.get(name).cloned();
        let about = about.or_else(|| theme::about(name)).unwrap_or_default();
        let mark = if current { "▸ " } else { "  " };
        let text = format!("{mark}{name:<15}{about}");
        let role = if at == chosen {
            Role::Selected
        } else {
            Role::Text
        };
        let style = inside.style(role);
        let mut pen = inside.pen(row);
        pen.put(&text, style);
        if at == chosen {
            pen.fill(' ', style);
        }
    }
}
