//! The one loop: sources → decide → effects → one frame.
//!
//! Two lanes. Signals, keys and step transitions are never dropped and go first; observations replace older ones of
//! the same subject. Everything slow (disk, runs, output, clients) lives on a thread or task of its own and answers by an
//! [`Event`].

mod black_box;
mod budget;
mod check;
mod clock;
mod disk;
mod drill;
mod edge;
mod export;
mod failback;
mod headless;
mod history;
mod hook;
mod memory;
mod once;
mod past;
mod player;
mod replay;
mod runs;
mod screen;
mod seat;
mod share;
mod start;
mod watch;

use std::{io, time::Duration};

use crossterm::event::{Event as TermEvent, EventStream, poll};
use futures::StreamExt as _;
use tokio::sync::mpsc;

pub use black_box::{record as record_black_box, show as show_black_box};
pub use check::check;
pub use disk::move_incident;
pub use drill::{
    declare as declare_drill, isolated::declare as isolated_drill, outline as outline_drill,
};
pub use export::{Exported, export};
pub use failback::{failback, turned};
pub use headless::{Answer, End, Order, Script, Through, headless};
pub use once::{look, once};
pub use past::{incidents, report};
pub use replay::{Left, Replay, open_replay, play};
pub use start::{Setup, runbook, setup};
pub use watch::{Wanted, watch};

use self::{
    clock::Clock,
    edge::Edge,
    screen::Screen,
    seat::{Seat, Seated},
};
use crate::{
    incident::{Moment, Observation},
    journal::Folder,
    state::{Effect, Event, State},
    step::expand,
    term::{Signal, Signals, away, clip, hush, install_panic_hook, put, size, stop_group},
};

/// Events that wait for the loop at most; whoever has more to tell waits.
const INBOX: usize = 1024;

/// How long the reader of keys is waited for before somebody else reads them: it ends as soon as it is told.
const READER: Duration = Duration::from_millis(50);
/// How much later than its end a signal that was meant for a command may reach us.
const LATE: Duration = Duration::from_millis(200);

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
    /// Nobody reads keys from here on: a command wants the terminal.
    Lend,
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
        seat: Seat {
            state,
            screen,
            dirty: false,
            urgent: false,
        },
        edge,
        inbox,
        signals,
        clock: Clock::new(),
        errand: None,
    };
    let flow = cockpit.turn().await;
    Ok(cockpit.close(flow))
}

struct Cockpit {
    seat: Seat,
    edge: Edge,
    inbox: mpsc::Receiver<Event>,
    signals: Signals,
    clock: Clock,
    /// The command that the terminal is to be lent to.
    errand: Option<Vec<String>>,
}

impl Cockpit {
    async fn turn(&mut self) -> Flow {
        let mut keys = EventStream::new();
        loop {
            let patience = self.seat.patience();
            let flow = tokio::select! {
                biased;
                signal = self.signals.next() => self.signal(signal),
                key = keys.next() => match key {
                    Some(Ok(key)) => self.key(key),
                    // The terminal is gone; its hang-up may never be told to a process without a controlling one.
                    Some(Err(_)) | None => Flow::HangUp,
                },
                Some(event) = self.inbox.recv() => self.event(event),
                () = self.seat.screen.written(), if self.seat.dirty && self.seat.screen.is_busy() => Flow::Go,
                () = tokio::time::sleep(patience.unwrap_or_default()), if patience.is_some() => Flow::Go,
                seen = self.edge.sink.take() => {
                    self.edge.seen(&seen);
                    self.observed(seen)
                }
                () = self.clock.tick() => {
                    self.edge.beat(&self.seat.state);
                    self.event(Event::Tick(Moment::now()))
                }
            };
            if flow == Flow::Lend {
                // Its thread would take the keys that are typed for the command.
                drop(keys);
                let flow = self.lend().await;
                if flow != Flow::Go {
                    return flow;
                }
                // It waits for the reader of before, should that one not have heard that it is to end: not on the way out.
                keys = EventStream::new();
            } else if flow != Flow::Go {
                return flow;
            }
            if self.seat.draw().is_err() {
                return Flow::HangUp;
            }
        }
    }

    /// What only took another time to say the same is on screen with the next second: an idle cockpit draws once a
    /// second, not with every answer.
    fn observed(&mut self, seen: Vec<Observation>) -> Flow {
        let due = self.seat.dirty;
        let news = seen
            .iter()
            .any(|seen| self.seat.state.instruments.is_news(seen));
        let flow = self.event(Event::Observed(seen, Moment::now()));
        self.seat.dirty = due || news;
        flow
    }

    fn key(&mut self, event: TermEvent) -> Flow {
        let now = Moment::now();
        self.typed(event, |cockpit, intent| {
            cockpit.event(Event::Intent(intent, now))
        })
    }

    fn perform(&mut self, effects: Vec<Effect>) -> Flow {
        let mut flow = Flow::Go;
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
                    let flow = self.seat.redraw();
                    if flow != Flow::Go {
                        return flow;
                    }
                }
                Effect::Renew(argv) => {
                    self.errand = Some(argv);
                    flow = Flow::Lend;
                }
                Effect::Bell => self.seat.screen.send(b"\x07"),
                Effect::Copy(what, text) => {
                    let (notice, bytes) = self.edge.copy(what, &text, self.seat.screen.caps());
                    self.seat.screen.send(&bytes);
                    self.event(Event::Notice(notice, Moment::now()));
                }
                Effect::Offer(text) => {
                    let bytes = clip::osc52(clip::last_lines(&text), self.seat.screen.caps());
                    self.seat.screen.send(&bytes.unwrap_or_default());
                }
                effect => self.edge.perform(effect, &self.seat.state),
            }
        }
        flow
    }

    /// Gives the terminal to the command that is waiting for it, until it ends. Everything but keys and frames goes on:
    /// what runs tell is journalled and judged.
    async fn lend(&mut self) -> Flow {
        let Some(argv) = self.errand.take() else {
            return Flow::Go;
        };
        // The reader of keys is gone once nobody but us can wait for one.
        let _ = poll(READER);
        self.seat.screen.give_back();
        let shown = expand::shown(&argv);
        let _ = put(format!("relight: {shown}\r\n").as_bytes());
        let how = match away::lend(&argv) {
            Ok(mut child) => loop {
                tokio::select! {
                    biased;
                    signal = self.signals.next_away() => match signal {
                        Signal::Hangup => return Flow::HangUp,
                        Signal::Leave => return Flow::Leave,
                        Signal::Stop => stop_group(),
                        Signal::Continue | Signal::Resize => {}
                    },
                    ended = child.wait() => break match ended {
                        Ok(status) => away::ended(status),
                        Err(error) => format!("was lost: {error}"),
                    },
                    Some(event) = self.inbox.recv() => match self.event(event) {
                        Flow::Go | Flow::Lend => {}
                        flow => return flow,
                    },
                    seen = self.edge.sink.take() => {
                        self.edge.seen(&seen);
                        self.observed(seen);
                    }
                    () = self.clock.tick() => {
                        self.edge.beat(&self.seat.state);
                        self.event(Event::Tick(Moment::now()));
                    }
                }
            },
            Err(error) => format!("cannot be started: {error}; correct renew in [tools]"),
        };
        // The key that broke it off made a signal for us, too, which may reach us after its end: not for us to leave by.
        let late = tokio::time::timeout(LATE, self.signals.next_away());
        let flow = match late.await {
            Ok(Signal::Hangup) => Flow::HangUp,
            Ok(Signal::Leave) => Flow::Leave,
            _ => self.resume(),
        };
        if flow != Flow::Go {
            return flow;
        }
        self.event(Event::Renewed {
            argv: shown,
            how,
            at: Moment::now(),
        })
    }

    fn close(mut self, flow: Flow) -> Ending {
        let hung_up = flow == Flow::HangUp;
        self.seat.screen.give_back();
        let folder = self.edge.close(&self.seat.state);
        Ending {
            state: self.seat.state,
            folder,
            hung_up,
        }
    }
}

impl Seated for Cockpit {
    fn seat(&mut self) -> &mut Seat {
        &mut self.seat
    }

    fn event(&mut self, event: Event) -> Flow {
        self.seat.dirty = true;
        match &event {
            Event::Access(access) => self.edge.access(access),
            Event::Recalled(kept) => self.edge.recalled(kept),
            _ => {}
        }
        let effects = self.seat.state.decide(event);
        self.perform(effects)
    }
}
