//! Raw mode and alternate screen, given back on every way out.

use std::io::{self, Write as _};

use crossterm::{
    cursor::{Hide, Show},
    event::{DisableBracketedPaste, EnableBracketedPaste},
    queue,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

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
        // A shell that stopped us with SIGSTOP has its own modes on by now, while crossterm believes in ours and would
        // leave them: what it believes is undone first.
        let _ = disable_raw_mode();
        enable_raw_mode()?;
        self.ours = true;
        let mut bytes = Vec::new();
        queue!(bytes, EnterAlternateScreen, Hide, EnableBracketedPaste)?;
        put(&bytes)
    }

    /// Gives the terminal back as it was found. A terminal that is gone is no error: there is nobody to tell; one that
    /// reads nothing is not waited for longer than a tenth of a second.
    pub fn give_back(&mut self) {
        if !self.ours {
            return;
        }
        self.ours = false;
        let mut bytes = Vec::new();
        let _ = queue!(bytes, DisableBracketedPaste, LeaveAlternateScreen, Show);
        // Ends a synchronized update that a cut frame may have left open, and its colours.
        bytes.extend_from_slice(b"\x1b[?2026l\x1b[0m");
        // The modes first: they are the kernel's and wait for nobody.
        let _ = disable_raw_mode();
        let _ = put(&bytes);
    }
}

/// How long a terminal that takes nothing is waited for.
const PATIENCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// Bytes that a terminal takes without a wait once it takes any: Linux calls a pty writable from 256 bytes of room on.
const PIECE: usize = 128;

/// Writes a few bytes to standard output, unless what is behind it reads nothing for a tenth of a second.
///
/// # Errors
/// If it takes nothing or is gone.
pub fn put(bytes: &[u8]) -> io::Result<()> {
    let stdout = io::stdout();
    stdout.lock().flush()?;
    let mut rest = bytes;
    while !rest.is_empty() {
        let mut ready = [PollFd::new(&stdout, PollFlags::OUT)];
        if poll(&mut ready, Some(&PATIENCE))? == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let piece = rest.get(..PIECE).unwrap_or(rest);
        rest = rest
            .get(rustix::io::write(&stdout, piece)?..)
            .unwrap_or_default();
    }
    Ok(())
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
