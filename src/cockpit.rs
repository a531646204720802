//! The one loop: sources → decide → effects → one frame.
//!
//! Two lanes. Signals, keys and step transitions are never dropped and go first; observations replace older ones of
//! the same subject. Everything slow (disk, runs, output, clients) lives on a thread or task of its own and answers by an
//! [`Event`].

mod black_box;
mod budget;
mod clock;
mod edge;
mod headless;
mod history;
mod memory;
mod once;
mod past;
mod player;
mod replay;
mod runs;
mod screen;
mod start;

use std::io;

use crossterm::event::{Event as TermEvent, EventStream, KeyEventKind};
use futures::StreamExt as _;
use tokio::sync::mpsc;

pub use black_box::{record as record_black_box, show as show_black_box};
pub use headless::{Answer, End, Order, Script, Through, headless};
pub use once::{look, once};
pub use past::{incidents, report};
pub use replay::{Left, Replay, open_replay, play};
pub use start::{Setup, runbook, setup};

use self::{clock::Clock, edge::Edge, screen::Screen};
use crate::{
    incident::{Moment, Observation},
    input,
    journal::Folder,
    state::{Effect, Event, Intent, State},
    term::{Signal, Signals, clip, hush, install_panic_hook, size, stop_group},
};

/// Events that wait for the loop at most; whoever has more to tell waits.
const INBOX: usize = 1024;

/// How the cockpit was left.
pub struct Ending {
    /// The state at the end, for the closing summary.
    pub state: State,
    /// The incident's folder, if one is open.
    pub folder: Option<Folder>,
    /// Whether the terminal is gone: then there is nobody to tell anything.
    pub hung_up: bool,
}

/// Whether the loop goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Go,
    Leave,
    HangUp,
}

/// Runs the cockpit until it is left.
///
/// # Errors
/// If the terminal cannot be taken or signals not be listened to.
pub async fn run(setup: Setup) -> io::Result<Ending> {
    // From here to the end, libraries, plugins and panics write into a file and not over the screen.
    let _quiet = setup.log().and_then(|log| {
        install_panic_hook(&log);
        hush(&log).ok()
    });
    let (events, inbox) = mpsc::channel(INBOX);
    let signals = Signals::listen()?;
    let mut state = setup.state();
    let mut screen = Screen::open(&setup)?;
    let (columns, rows) = size();
    state.decide(Event::Resize(columns, rows));
    // First frame first: everything that takes time is started after it.
    screen.draw(&state)?;
    let edge = Edge::start(&setup, events)?;
    let mut cockpit = Cockpit {
        state,
        screen,
        edge,
        inbox,
        signals,
        clock: Clock::new(),
        dirty: false,
        urgent: false,
    };
    let flow = cockpit.turn().await;
    Ok(cockpit.close(flow))
}

struct Cockpit {
    state: State,
    screen: Screen,
    edge: Edge,
    inbox: mpsc::Receiver<Event>,
    signals: Signals,
    clock: Clock,
    /// Something has happened since the last frame.
    dirty: bool,
    /// A key has: its frame goes at once.
    urgent: bool,
}

impl Cockpit {
    async fn turn(&mut self) -> Flow {
        let mut keys = EventStream::new();
        loop {
            let patience = self.patience();
            let flow = tokio::select! {
                biased;
                signal = self.signals.next() => self.signal(signal),
                key = keys.next() => match key {
                    Some(Ok(key)) => self.key(key),
                    // The terminal is gone; its hang-up may never be told to a process without a controlling one.
                    Some(Err(_)) | None => Flow::HangUp,
                },
                Some(event) = self.inbox.recv() => self.event(event),
                () = self.screen.written(), if self.dirty && self.screen.is_busy() => Flow::Go,
                () = tokio::time::sleep(patience.unwrap_or_default()), if patience.is_some() => Flow::Go,
                seen = self.edge.sink.take() => {
                    self.edge.seen(&seen);
                    self.observed(seen)
                }
                () = self.clock.tick() => {
                    self.edge.beat(&self.state);
                    self.event(Event::Tick(Moment::now()))
                }
            };
            if flow != Flow::Go {
                return flow;
            }
            if self.draw().is_err() {
                return Flow::HangUp;
            }
        }
    }

    /// How long a frame that is due has to wait for the byte budget; `None` if none is due or the wire is busy anyway.
    fn patience(&mut self) -> Option<std::time::Duration> {
        (self.dirty && !self.screen.is_busy()).then(|| self.screen.wait())
    }

    fn draw(&mut self) -> io::Result<()> {
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

    fn event(&mut self, event: Event) -> Flow {
        self.dirty = true;
        match &event {
            Event::Access(access) => self.edge.access(access),
            Event::Recalled(kept) => self.edge.recalled(kept),
            _ => {}
        }
        let effects = self.state.decide(event);
        self.perform(effects)
    }

    /// What only took another time to say the same is on screen with the next second: an idle cockpit draws once a
    /// second, not with every answer.
    fn observed(&mut self, seen: Vec<Observation>) -> Flow {
        let due = self.dirty;
        let news = seen.iter().any(|seen| self.state.instruments.is_news(seen));
        let flow = self.event(Event::Observed(seen, Moment::now()));
        self.dirty = due || news;
        flow
    }

    fn key(&mut self, event: TermEvent) -> Flow {
        // Told by the signal, which is listened to from before the first frame on.
        if matches!(event, TermEvent::Resize(..)) {
            return Flow::Go;
        }
        self.urgent = true;
        let now = Moment::now();
        let intents = match event {
            TermEvent::Key(key) if key.kind == KeyEventKind::Release => Vec::new(),
            TermEvent::Key(key) => input::resolve(&self.state, key),
            TermEvent::Paste(text) => vec![Intent::Paste(text)],
            _ => Vec::new(),
        };
        for intent in intents {
            let flow = self.event(Event::Intent(intent, now));
            if flow != Flow::Go {
                return flow;
            }
        }
        Flow::Go
    }

    /// A storm of resizes costs one frame: the size is read when it is drawn, not carried in the event.
    fn resized(&mut self) -> Flow {
        let (columns, rows) = size();
        if self.screen.resize((columns, rows)).is_err() {
            return Flow::HangUp;
        }
        self.event(Event::Resize(columns, rows))
    }

    fn signal(&mut self, signal: Signal) -> Flow {
        match signal {
            Signal::Hangup => Flow::HangUp,
            Signal::Leave => Flow::Leave,
            Signal::Stop => self.suspend(),
            Signal::Continue => self.resume(),
            Signal::Resize => {
                self.urgent = true;
                self.resized()
            }
        }
    }

    fn suspend(&mut self) -> Flow {
        self.screen.give_back();
        stop_group();
        // Here again when continued.
        self.resume()
    }

    fn resume(&mut self) -> Flow {
        if self.screen.take_back().is_err() {
            return Flow::HangUp;
        }
        self.urgent = true;
        self.resized()
    }

    fn perform(&mut self, effects: Vec<Effect>) -> Flow {
        for effect in effects {
            match effect {
                Effect::Quit => return Flow::Leave,
                Effect::Suspend => {
                    let flow = self.suspend();
                    if flow != Flow::Go {
                        return flow;
                    }
                }
                Effect::Redraw => {
                    let theme = self.state.desk.theme.clone();
                    self.screen.wear(&theme);
                    self.urgent = true;
                    if self.screen.resize(size()).is_err() {
                        return Flow::HangUp;
                    }
                }
                Effect::Bell => self.screen.send(b"\x07"),
                Effect::Copy(what, text) => {
                    let (notice, bytes) = self.edge.copy(what, &text, self.screen.caps());
                    self.screen.send(&bytes);
                    self.event(Event::Notice(notice, Moment::now()));
                }
                Effect::Offer(text) => {
                    let bytes = clip::osc52(clip::last_lines(&text), self.screen.caps());
                    self.screen.send(&bytes.unwrap_or_default());
                }
                effect => self.edge.perform(effect, &self.state),
            }
        }
        Flow::Go
    }

    fn close(mut self, flow: Flow) -> Ending {
        let hung_up = flow == Flow::HangUp;
        self.screen.give_back();
        let folder = self.edge.close(&self.state);
        Ending {
            state: self.state,
            folder,
            hung_up,
        }
    }
}
