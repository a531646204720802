//! What lies over the panes.

mod confirm;
mod detail;
mod field;
mod help;
mod overrides;
mod palette;
mod themes;
mod vouch;

use ratatui::layout::Rect;

use super::{Canvas, widget::frame};
use crate::{state::Overlay, theme::Role};

/// Draws the open overlay.
pub fn draw(canvas: &mut Canvas<'_>) {
    let state = canvas.state;
    match &state.desk.overlay {
        None => {}
        Some(Overlay::Help(top)) => help::draw(canvas, *top),
        Some(Overlay::Palette(text, chosen)) => palette::draw(canvas, text, *chosen),
        Some(Overlay::Confirm(confirm)) => confirm::draw(canvas, confirm),
        Some(Overlay::Override(asked)) => overrides::draw(canvas, asked),
        Some(Overlay::Vouch(asked)) => vouch::draw(canvas, asked),
        Some(Overlay::Reason(reason)) => field::reason(canvas, reason),
        Some(Overlay::Search(text)) => field::search(canvas, text),
        Some(Overlay::Filter(text)) => field::filter(canvas, text),
        Some(Overlay::Themes(chosen)) => themes::draw(canvas, *chosen),
        Some(Overlay::Detail(step, top)) => detail::draw(canvas, step, *top),
    }
}

/// A box of that size in the middle of the screen, as far as there is room; the canvas inside it.
fn open<'a>(canvas: &'a mut Canvas<'_>, size: (u16, u16), title: &str) -> Canvas<'a> {
    let theme = &canvas.look.theme;
    let styles = (
        theme.base(),
        theme.style(Role::BorderFocused),
        theme.style(Role::TitleFocused),
    );
    let inside = frame::overlay(canvas.buffer, size, title, styles);
    canvas.at(inside)
}

/// How much of the screen a reading overlay may take.
fn large(canvas: &Canvas<'_>) -> (u16, u16) {
    let Rect { width, height, .. } = canvas.area;
    (width.min(100), height.saturating_sub(2).max(5))
}

/// Lines of text with their roles, scrolled to `top` as far as there is more; says how much is above and below.
fn scrolled(canvas: &mut Canvas<'_>, lines: &[Vec<(String, Role)>], top: u16) {
    let height = usize::from(canvas.area.height);
    let most = lines.len().saturating_sub(height);
    let top = usize::from(top).min(most);
    for (row, line) in (0..canvas.area.height).zip(lines.iter().skip(top)) {
        let styled: Vec<_> = line
            .iter()
            .map(|(text, role)| (text, canvas.style(*role)))
            .collect();
        let mut pen = canvas.pen(row);
        for (text, style) in styled {
            pen.put(text, style);
        }
    }
    if most > 0 {
        let text = format!(" {}-{} of {} ↑↓ ", top + 1, top + height, lines.len());
        let style = canvas.style(Role::Key);
        let below = Rect {
            y: canvas.area.y + canvas.area.height,
            height: 1,
            ..canvas.area
        };
        canvas.at(below).pen(0).right(&text, style);
    }
}
