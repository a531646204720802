//! Raw mode and alternate screen, given back on every way out.

use std::io::{self, Write as _};

use crossterm::{
    cursor::{Hide, Show},
    event::{DisableBracketedPaste, EnableBracketedPaste},
    queue,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};

/// The terminal while it is ours. Dropping it gives it back.
///
/// As few modes as possible are switched on: when the link is cut nobody can switch them off again on the other side.
/// No mouse, no kitty keyboard.
#[derive(Debug)]
pub struct Tty {
    ours: bool,
}

impl Tty {
    /// Takes the terminal.
    ///
    /// # Errors
    /// If it cannot be put into raw mode or written to.
    pub fn enter() -> io::Result<Self> {
        let mut tty = Self { ours: false };
        tty.take_back()?;
        Ok(tty)
    }

    /// Takes the terminal again after [`Self::give_back`].
    ///
    /// # Errors
    /// If it cannot be put into raw mode or written to.
    pub fn take_back(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        self.ours = true;
        let mut out = io::stdout().lock();
        queue!(out, EnterAlternateScreen, Hide, EnableBracketedPaste)?;
        out.flush()
    }

    /// Gives the terminal back as it was found. A terminal that is gone is no error: there is nobody to tell.
    pub fn give_back(&mut self) {
        if !self.ours {
            return;
        }
        self.ours = false;
        let mut out = io::stdout().lock();
        let _ = queue!(out, DisableBracketedPaste, LeaveAlternateScreen, Show);
        // Ends a synchronized update that a cut frame may have left open, and its colours.
        let _ = out.write_all(b"\x1b[?2026l\x1b[0m");
        let _ = out.flush();
        let _ = disable_raw_mode();
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Columns and rows of the terminal; 80×24 where it says 0×0, as serial consoles and some multiplexers do.
#[must_use]
pub fn size() -> (u16, u16) {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        _ => (80, 24),
    }
}
