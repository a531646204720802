//! What everything is drawn on: the state, the look, and a part of the screen.

use std::time::Duration;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    Look,
    widget::{clean, pen::Pen, symbol},
};
use crate::{incident::Health, judge::Assessment, state::State, theme::Role};

/// What the title of a pane says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title {
    /// The pane's health; `None` where there is nothing to be judged, such as in the output.
    pub health: Option<Health>,
    /// Worst thing first, in words.
    pub text: String,
    /// Age of the oldest reading that it rests on.
    pub age: Option<Duration>,
}

impl From<Assessment> for Title {
    fn from(seen: Assessment) -> Self {
        Self {
            health: Some(seen.health),
            text: seen.sentence,
            age: seen.age,
        }
    }
}

/// A part of the screen, with what is drawn on it and how.
pub struct Canvas<'a> {
    /// What is drawn.
    pub state: &'a State,
    /// How.
    pub look: &'a Look,
    /// The cells.
    pub buffer: &'a mut Buffer,
    /// Where.
    pub area: Rect,
}

impl<'a> Canvas<'a> {
    /// A canvas over an area.
    pub const fn new(state: &'a State, look: &'a Look, buffer: &'a mut Buffer, area: Rect) -> Self {
        Self {
            state,
            look,
            buffer,
            area,
        }
    }

    /// The same for another area.
    pub const fn at(&mut self, area: Rect) -> Canvas<'_> {
        Canvas {
            state: self.state,
            look: self.look,
            buffer: self.buffer,
            area,
        }
    }

    /// The style of a role.
    #[must_use]
    pub const fn style(&self, role: Role) -> Style {
        self.look.theme.style(role)
    }

    /// A pen at the left end of a row of the area.
    pub fn pen(&mut self, row: u16) -> Pen<'_> {
        Pen::new(self.buffer, self.area, row)
    }

    /// Writes one row.
    pub fn line(&mut self, row: u16, text: &str, role: Role) {
        let style = self.style(role);
        self.pen(row).put(text, style);
    }

    /// Writes a text over as many rows as it needs and there are, from `row` on; the row after it.
    pub fn paragraph(&mut self, row: u16, text: &str, role: Role) -> u16 {
        let room = self.area.height.saturating_sub(row);
        let mut at = row;
        for line in clean::wrap(text, self.area.width.into(), room.into()) {
            if at < self.area.height {
                self.line(at, &line, role);
                at += 1;
            }
        }
        at
    }

    /// Symbol and word of a health, with its style.
    #[must_use]
    pub fn health(&self, health: Health) -> (String, Style) {
        let text = format!("{} {}", symbol::health(health), health.word());
        (text, self.style(Role::from(health)))
    }
}

/// Writes a finished frame over with ASCII, cell by cell. Nothing that is not ASCII is left, whatever drew it.
pub fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let mut chars = cell.symbol().chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if c.is_ascii() => {}
            (Some(c), None) => {
                cell.set_char(symbol::ascii(c));
            }
            (None, _) => {}
            _ => {
                cell.set_char('?');
            }
        }
    }
}
