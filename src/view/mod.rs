//! FACE: [`view`] draws everything from State and changes nothing.
//!
//! Header, panes and footer are laid out by [`crate::layout`]; what lies over them comes last. All text reaches a cell
//! through [`widget::pen`], which cleans it. On ASCII terminals the finished frame is written over cell by cell.

mod canvas;
mod footer;
mod header;
mod overlay;
pub mod pane;
mod small;
mod who;
pub mod widget;

use ratatui::Frame;

pub use canvas::{Canvas, Title};

use crate::{
    layout::{self, Mode},
    state::State,
    theme::Theme,
};

/// How it is drawn on this terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Colours.
    pub theme: Theme,
    /// Whether only ASCII may be written: `TERM=linux`, `vt*`, and locales that are not UTF-8.
    pub ascii: bool,
}

impl Look {
    /// A look.
    #[must_use]
    pub const fn new(theme: Theme, ascii: bool) -> Self {
        Self { theme, ascii }
    }
}

/// Draws one frame.
pub fn view(state: &State, look: &Look, frame: &mut Frame<'_>) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    buffer.set_style(area, look.theme.base());
    let screen = layout::screen((area.width, area.height), &state.desk);
    let titles = pane::titles(state);
    let mut canvas = Canvas::new(state, look, buffer, area);
    if screen.mode == Mode::TooSmall {
        small::draw(&mut canvas, &titles);
    } else {
        header::draw(&mut canvas.at(screen.header), &titles);
        if let Some(strip) = screen.strip {
            header::strip(&mut canvas.at(strip), &titles, &screen.panes);
        }
        for placed in &screen.panes {
            pane::draw(&mut canvas, placed, &titles, screen.mode);
        }
        footer::draw(&mut canvas.at(screen.footer));
        overlay::draw(&mut canvas);
    }
    if look.ascii {
        canvas::to_ascii(frame.buffer_mut());
    }
}

#[cfg(test)]
mod tests;
