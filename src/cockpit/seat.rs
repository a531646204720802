//! What the cockpit and a replay have in common: a state on a screen, and how the terminal and signals act on both.

use std::{io, time::Duration};

use crossterm::event::{Event as TermEvent, KeyEventKind};

use super::{Flow, screen::Screen};
use crate::{
    input,
    state::{Event, Intent, State},
    term::{Signal, size, stop_group},
};

/// A state on a screen.
pub(super) struct Seat {
    pub(super) state: State,
    pub(super) screen: Screen,
    /// Something has happened since the last frame.
    pub(super) dirty: bool,
    /// A key has: its frame goes at once.
    pub(super) urgent: bool,
}

impl Seat {
    /// How long a frame that is due has to wait for the byte budget; `None` if none is due or the wire is busy anyway.
    pub(super) fn patience(&mut self) -> Option<Duration> {
        (self.dirty && !self.screen.is_busy()).then(|| self.screen.wait())
    }

    /// Draws the frame that is due, if it may go now.
    pub(super) fn draw(&mut self) -> io::Result<()> {
        if !self.dirty || self.screen.is_busy() || (!self.urgent && !self.screen.wait().is_zero()) {
            return Ok(());
        }
        self.screen.draw(&self.state)?;
        self.dirty = false;
        self.urgent = false;
        // Told without a frame of its own: keys answer a dialog only once it was on screen.
        self.state.decide(Event::Drawn);
        Ok(())
    }

    /// What somebody at the terminal wants; the next frame goes at once. A new size is told by the signal, which is
    /// listened to from before the first frame on.
    fn intents(&mut self, event: TermEvent) -> Vec<Intent> {
        if matches!(event, TermEvent::Resize(..)) {
            return Vec::new();
        }
        self.urgent = true;
        match event {
            TermEvent::Key(key) if key.kind == KeyEventKind::Release => Vec::new(),
            TermEvent::Key(key) => input::resolve(&self.state, key),
            TermEvent::Paste(text) => vec![Intent::Paste(text)],
            _ => Vec::new(),
        }
    }

    /// Everything anew, in today's theme.
    pub(super) fn redraw(&mut self) -> Flow {
        let theme = self.state.desk.theme.clone();
        self.screen.wear(&theme);
        self.urgent = true;
        if self.screen.resize(size()).is_err() {
            return Flow::HangUp;
        }
        Flow::Go
    }
}

/// Who sits there.
pub(super) trait Seated {
    fn seat(&mut self) -> &mut Seat;

    /// Takes one event in, with all that follows from it.
    fn event(&mut self, event: Event) -> Flow;

    /// Called when it is on screen again after it was stopped.
    fn is_back(&mut self) {}

    /// Takes in what was done at the terminal, key by key: what a key means follows from what the one before has done.
    fn typed(&mut self, event: TermEvent, mut act: impl FnMut(&mut Self, Intent) -> Flow) -> Flow
    where
        Self: Sized,
    {
        let events = match event {
            TermEvent::Key(key) => input::struck(key).into_iter().map(TermEvent::Key).collect(),
            other => vec![other],
        };
        for event in events {
            for intent in self.seat().intents(event) {
                let flow = act(self, intent);
                if flow != Flow::Go {
                    return flow;
                }
            }
        }
        Flow::Go
    }

    fn signal(&mut self, signal: Signal) -> Flow {
        match signal {
            Signal::Hangup => Flow::HangUp,
            Signal::Leave => Flow::Leave,
            Signal::Stop => self.suspend(),
            Signal::Continue => self.resume(),
            Signal::Resize => {
                self.seat().urgent = true;
                self.resized()
            }
        }
    }

    /// A storm of resizes costs one frame: the size is read when it is drawn, not carried in the event.
    fn resized(&mut self) -> Flow {
        let (columns, rows) = size();
        if self.seat().screen.resize((columns, rows)).is_err() {
            return Flow::HangUp;
        }
        self.event(Event::Resize(columns, rows))
    }

    fn suspend(&mut self) -> Flow {
        self.seat().screen.give_back();
        stop_group();
        // Here again when continued.
        self.resume()
    }

    fn resume(&mut self) -> Flow {
        if self.seat().screen.take_back().is_err() {
            return Flow::HangUp;
        }
        self.is_back();
        self.seat().urgent = true;
        self.resized()
    }
}
