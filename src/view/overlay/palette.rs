//! Every action by name, with the reason where one is not available.

use super::open;
use crate::{
    input::matches,
    theme::Role,
    view::{
        Canvas,
        widget::{clean, table},
    },
};

/// Draws the field and the matches.
pub fn draw(canvas: &mut Canvas<'_>, text: &str, chosen: usize) {
    let found = matches(canvas.state, text);
    let height = canvas.area.height.saturating_sub(4).clamp(5, 22);
    let size = (canvas.area.width.saturating_sub(4).clamp(20, 96), height);
    let mut inside = open(canvas, size, "Do");
    super::field::input(&mut inside, 0, ": ", text);
    if found.is_empty() {
        inside.line(2, "no action of that name", Role::Muted);
        return;
    }
    let rows = inside.area.height.saturating_sub(2);
    let shown = table::window(found.len(), chosen.min(found.len() - 1), rows);
    for (row, at) in (2..).zip(shown) {
        let one = &found[at];
        let over = (at == chosen).then(|| inside.style(Role::Selected));
        let (key, name, why) = (
            inside.style(Role::Key),
            inside.style(if one.unavailable.is_some() {
                Role::Muted
            } else {
                Role::Text
            }),
            inside.style(Role::Warning),
        );
        let mut pen = inside.pen(row);
        let keys = clean::fit(&one.entry.keys, 10);
        let pad = " ".repeat(11usize.saturating_sub(clean::width(&keys)));
        pen.put(&format!("{keys}{pad}"), over.unwrap_or(key));
        let about = if one.entry.about.is_empty() {
            one.entry.title.clone()
        } else {
            format!("{:<15}{}", one.entry.title, one.entry.about)
        };
        match &one.unavailable {
            // The reason matters more than the end of a long description.
            Some(reason) => {
                let room = pen.left() * 2 / 5;
                pen.put(&clean::fit(&about, room), over.unwrap_or(name))
                    .put("  not now: ", over.unwrap_or(why))
                    .put(reason, over.unwrap_or(name));
            }
            None => {
                pen.put(&about, over.unwrap_or(name));
            }
        }
        if let Some(style) = over {
            pen.fill(' ', style);
        }
    }
}
