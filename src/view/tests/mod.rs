//! Screens as an operator sees them, kept as text.

mod cost;
mod fixture;
mod hostile;
mod screens;

use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, style::Modifier};

use super::{Look, view};
use crate::{
    state::State,
    theme::{Depth, Theme},
};

/// The default look.
fn plain() -> Look {
    Look::new(
        Theme::by_name("default", Depth::Ansi16).expect("the default theme"),
        false,
    )
}

/// A frame at a size.
fn draw(state: &mut State, size: (u16, u16), look: &Look) -> Buffer {
    state.desk.size = size;
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).expect("a terminal");
    terminal
        .draw(|frame| view(state, look, frame))
        .expect("a frame");
    terminal.backend().buffer().clone()
}

/// The characters of a frame.
fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let mut lines = String::new();
    for row in buffer.content.chunks(width.max(1)) {
        let mut line = String::new();
        let mut covered = 0;
        for cell in row {
            // The second half of a wide character has a cell, but no place on the screen.
            if covered > 0 {
                covered -= 1;
                continue;
            }
            line.push_str(cell.symbol());
            covered = super::widget::clean::width(cell.symbol()).saturating_sub(1);
        }
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    lines
}

/// Where a frame is bold, reversed or underlined, and its colours: one letter a cell.
fn styles(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let mut lines = String::new();
    for row in buffer.content.chunks(width.max(1)) {
        let line: String = row
            .iter()
            .map(|cell| {
                let colour = format!("{:?}", cell.fg);
                let letter = match (cell.modifier, colour.as_str()) {
                    (modifier, _) if modifier.contains(Modifier::REVERSED) => 'R',
                    (_, "Reset") if cell.modifier.contains(Modifier::BOLD) => 'B',
                    (_, "Reset") => '.',
                    (_, name) => name.chars().next().unwrap_or('?').to_ascii_lowercase(),
                };
                if letter == '.' && cell.modifier.contains(Modifier::UNDERLINED) {
                    '_'
                } else {
                    letter
                }
            })
            .collect();
        lines.push_str(line.trim_end_matches('.'));
        lines.push('\n');
    }
    lines
}
