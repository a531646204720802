//! ratatui's backend over a byte buffer.

use std::{
    cell::RefCell,
    io::{self, Write},
    rc::Rc,
};

use ratatui::{
    backend::{Backend, ClearType, CrosstermBackend, WindowSize},
    buffer::Cell,
    layout::{Position, Size},
};

/// Begin and end of a synchronized update (DEC mode 2026): the frame appears at once; ignored where unknown.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// The bytes of a frame, shared with the backend that writes them: its own way to its writer is not stable yet.
#[derive(Clone, Debug, Default)]
struct Ink(Rc<RefCell<Vec<u8>>>);

impl Write for Ink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Collects one frame's bytes. It asks the terminal nothing: the size is told to it, the cursor stays hidden (text
/// fields draw their own), and a frame in which no cell changed is no bytes at all.
#[derive(Debug)]
pub struct Paint {
    inner: CrosstermBackend<Ink>,
    ink: Ink,
    size: Size,
    changed: bool,
}

impl Paint {
    /// A backend for a screen of this size.
    #[must_use]
    pub fn new(size: (u16, u16)) -> Self {
        let size = Size::new(size.0, size.1);
        let ink = Ink::default();
        Self {
            inner: CrosstermBackend::new(ink.clone()),
            ink,
            size,
            changed: false,
        }
    }

    /// Tells it the terminal's new size.
    pub fn set_size(&mut self, size: (u16, u16)) {
        self.size = Size::new(size.0, size.1);
    }

    /// The bytes of the frame drawn since the last call; empty if nothing changed.
    pub fn take(&mut self) -> Vec<u8> {
        let bytes = self.ink.0.take();
        if !std::mem::take(&mut self.changed) {
            return Vec::new();
        }
        [BEGIN, &bytes, END].concat()
    }
}

impl Backend for Paint {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        self.changed = true;
        self.inner.draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, _position: P) -> io::Result<()> {
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, _region: ClearType) -> io::Result<()> {
        // Attributes first: with a coloured background some terminals would erase in that colour.
        self.changed = true;
        self.ink.write_all(b"\x1b[0m\x1b[2J\x1b[H")
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize {
            columns_rows: self.size,
            pixels: Size::ZERO,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, text::Line};

    use super::*;

    #[test]
    fn a_frame_that_changes_nothing_is_no_bytes() {
        let mut terminal = Terminal::new(Paint::new((20, 2))).expect("a terminal");
        for expected in [true, false, false] {
            terminal
                .draw(|frame| frame.render_widget(Line::from("steady"), frame.area()))
                .expect("a frame");
            assert_eq!(!terminal.backend_mut().take().is_empty(), expected);
        }
    }

    #[test]
    fn a_frame_is_bracketed_and_asks_nothing() {
        let mut terminal = Terminal::new(Paint::new((20, 2))).expect("a terminal");
        terminal
            .draw(|frame| frame.render_widget(Line::from("x"), frame.area()))
            .expect("a frame");
        let bytes = terminal.backend_mut().take();
        assert!(bytes.starts_with(BEGIN) && bytes.ends_with(END));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(
            !text.contains("\x1b[6n") && !text.contains("\x1b[c"),
            "{text:?}"
        );
    }
}
