//! From state to terminal: one frame, one write.

use std::{io, time::Instant};

use ratatui::{Terminal, layout::Rect};

use super::{Setup, budget::Budget};
use crate::{
    state::State,
    term::{Caps, Paint, Tty, Wire, size},
    theme::Shelf,
    view::{self, Look},
};

/// The terminal with everything that is needed to draw on it.
pub struct Screen {
    tty: Tty,
    terminal: Terminal<Paint>,
    wire: Wire,
    budget: Budget,
    look: Look,
    caps: Caps,
    ascii: bool,
    shelf: Shelf,
    /// Bytes that are no frame (bell, clipboard) and go out with the next one.
    beside: Vec<u8>,
}

/// More than this is never kept beside a frame: a terminal that does not read rings once, not a thousand times.
const BESIDE: usize = 128 * 1024;

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// If it cannot be taken.
    pub fn open(setup: &Setup) -> io::Result<Self> {
        let size = size();
        let tty = Tty::enter()?;
        let terminal = Terminal::new(Paint::new(size))?;
        let (caps, ascii, name) = (setup.caps, setup.ascii(), setup.theme());
        let theme = setup.shelf.theme(&name, caps.depth);
        let theme = theme.ok_or_else(|| io::Error::other(format!("there is no theme {name:?}")))?;
        let look = Look::new(theme, ascii);
        let wire = Wire::start()?;
        let budget = Budget::new(Instant::now(), setup.settings.fps);
        Ok(Self {
            tty,
            terminal,
            wire,
            budget,
            look,
            caps,
            ascii,
            shelf: setup.shelf.clone(),
            beside: Vec::new(),
        })
    }

    /// Whether the last frame is still on its way: then nothing is drawn, and keys go on.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.wire.is_busy()
    }

    /// Waits until the frame on its way is out.
    pub async fn written(&self) {
        self.wire.written().await;
    }

    /// How long a frame that no key caused has to wait.
    pub fn wait(&mut self) -> std::time::Duration {
        self.budget.wait(Instant::now())
    }

    /// Draws the state. Only while not busy.
    ///
    /// # Errors
    /// If the frame could not be made; the terminal itself is written to by another thread.
    pub fn draw(&mut self, state: &State) -> io::Result<()> {
        let look = &self.look;
        self.terminal.draw(|frame| view::view(state, look, frame))?;
        let mut bytes = self.terminal.backend_mut().take();
        bytes.append(&mut self.beside);
        self.budget.charge(Instant::now(), bytes.len());
        self.wire.send(bytes);
        Ok(())
    }

    /// Takes the terminal's new size; the next frame is drawn whole.
    ///
    /// # Errors
    /// If the frame could not be cleared.
    pub fn resize(&mut self, (columns, rows): (u16, u16)) -> io::Result<()> {
        self.terminal.backend_mut().set_size((columns, rows));
        // Not `Terminal::clear`, which asks the terminal for its cursor and races the key reader for the answer.
        self.terminal.resize(Rect::new(0, 0, columns, rows))
    }

    /// Draws with the theme of that name from now on.
    pub fn wear(&mut self, theme: &str) {
        if let Some(theme) = self.shelf.theme(theme, self.caps.depth) {
            self.look = Look::new(theme, self.ascii);
        }
    }

    /// Sends bytes that are no frame, such as a bell or a text for the clipboard, with the next frame.
    pub fn send(&mut self, bytes: &[u8]) {
        if self.beside.len() + bytes.len() <= BESIDE {
            self.beside.extend_from_slice(bytes);
        }
    }

    /// What the terminal can show.
    #[must_use]
    pub const fn caps(&self) -> Caps {
        self.caps
    }

    /// Gives the terminal back, for a while or for good. A frame on its way goes out first: later it would land on the
    /// shell's screen.
    pub fn give_back(&mut self) {
        let _ = self.wire.drain();
        self.tty.give_back();
    }

    /// Takes the terminal again.
    ///
    /// # Errors
    /// If it cannot be taken.
    pub fn take_back(&mut self) -> io::Result<()> {
        self.tty.take_back()?;
        self.resize(size())
    }
}
