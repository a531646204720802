//! `relight replay`: the cockpit's screen and keys over a past incident. No probe and no client is built, no lock is taken
//! and nothing is written; the clock is the incident's own, at the chosen speed.

use std::{io, path::Path, time::Duration};

use crossterm::event::{Event as TermEvent, EventStream};
use futures::StreamExt as _;
use tokio::time::{Instant, sleep_until};

use super::{
    Flow, Setup,
    past::{Past, find},
    player::Player,
    screen::Screen,
    seat::{Seat, Seated},
};
use crate::{
    cli::Open,
    incident::Moment,
    journal::Track,
    state::{Access, Effect, Event, Playback, State},
    term::{Caps, Signals, clip, size},
};

/// How often what is played goes on.
const BEAT: Duration = Duration::from_millis(200);

/// An incident ready to be played.
pub struct Replay {
    setup: Setup,
    past: Past,
    speed: u32,
}

/// How a replay was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The incident's name.
    pub incident: String,
    /// The incident's time at which it was left.
    pub at: Moment,
    /// Whether the terminal is gone.
    pub hung_up: bool,
}

/// Opens an incident to be played.
///
/// # Errors
/// In words, if there is none or it cannot be read, or the theme is unknown.
pub fn open_replay(
    open: Open,
    caps: Caps,
    wanted: Option<&str>,
    speed: u32,
) -> Result<Replay, String> {
    let state_dir = open.state_dir.clone();
    let past = find(state_dir.as_deref(), wanted).and_then(Past::open)?;
    let setup = Setup::of(open, caps, past.plan.clone(), past.runbook.clone())?;
    Ok(Replay { setup, past, speed })
}

/// Plays it until it is left.
///
/// # Errors
/// If the terminal cannot be taken or signals not be listened to.
pub async fn play(replay: Replay) -> io::Result<Left> {
    let Replay { setup, past, speed } = replay;
    let signals = Signals::listen()?;
    let incident = past.folder.name();
    let playback = Playback {
        incident: incident.clone(),
        speed,
        paused: false,
        ended: false,
    };
    let track = Track::read(&past.folder).collect();
    let mut player = Player::new(past.folder.clone(), past.records.clone(), track);
    let mut state = blank(&setup, &past, &player);
    // Its first record is where it begins, and no transition to wait for.
    let begin = player.clock;
    player.advance(&mut state, begin);
    state.desk.playback = Some(playback);
    if let Some(first) = past.remarks.first() {
        state.decide(Event::Notice(first.clone(), player.clock));
    }
    let mut screen = Screen::open(&setup)?;
    let (columns, rows) = size();
    state.decide(Event::Resize(columns, rows));
    screen.draw(&state)?;
    let mut theatre = Stage {
        setup,
        past,
        seat: Seat {
            state,
            screen,
            dirty: true,
            urgent: true,
        },
        player,
        signals,
        beat: Instant::now() + BEAT,
    };
    let flow = theatre.turn().await;
    theatre.seat.screen.give_back();
    Ok(Left {
        incident,
        at: theatre.player.clock,
        hung_up: flow == Flow::HangUp,
    })
}

/// The state before the first record. Its access is that of one who looks on: `decide` refuses whatever acts.
fn blank(setup: &Setup, past: &Past, player: &Player) -> State {
    let mut state = setup.state();
    state.now = player.clock;
    state.desk.notice = None;
    state.decide(Event::History(past.history()));
    let why = "this is a replay: nothing here is live".to_owned();
    state.decide(Event::Access(Access::Observer(why)));
    state
}

struct Stage {
    setup: Setup,
    past: Past,
    seat: Seat,
    player: Player,
    signals: Signals,
    /// When what is played goes on.
    beat: Instant,
}

impl Stage {
    async fn turn(&mut self) -> Flow {
        let mut keys = EventStream::new();
        loop {
            let patience = self.seat.patience();
            let flow = tokio::select! {
                biased;
                signal = self.signals.next() => self.signal(signal),
                key = keys.next() => match key {
                    Some(Ok(key)) => self.key(key),
                    Some(Err(_)) | None => Flow::HangUp,
                },
                () = self.seat.screen.written(), if self.seat.dirty && self.seat.screen.is_busy() => Flow::Go,
                () = tokio::time::sleep(patience.unwrap_or_default()), if patience.is_some() => Flow::Go,
                () = sleep_until(self.beat), if self.plays() => {
                    self.go_on();
                    Flow::Go
                }
            };
            if flow != Flow::Go {
                return flow;
            }
            if self.seat.draw().is_err() {
                return Flow::HangUp;
            }
        }
    }

    fn plays(&self) -> bool {
        let playback = self.seat.state.desk.playback.as_ref();
        playback.is_some_and(|playback| !playback.paused && !playback.ended)
    }

    /// So much of the incident's time has gone by.
    fn go_on(&mut self) {
        let late = Instant::now().saturating_duration_since(self.beat);
        self.beat = Instant::now() + BEAT;
        let speed = self
            .seat
            .state
            .desk
            .playback
            .as_ref()
            .map_or(1, |playback| playback.speed);
        let to = self.player.clock.plus((BEAT + late) * speed);
        self.to(to);
    }

    fn to(&mut self, to: Moment) {
        self.player.advance(&mut self.seat.state, to);
        if let Some(playback) = &mut self.seat.state.desk.playback {
            playback.ended = self.player.is_over();
        }
        self.seat.dirty = true;
    }

    /// To another transition. Backwards the story is told again from its beginning: it is a fold.
    fn jump(&mut self, forward: bool) {
        let target = if forward {
            self.player.next().or_else(|| Some(self.player.end()))
        } else {
            self.player.previous()
        };
        let Some(target) = target else {
            return;
        };
        if !forward {
            let desk = self.seat.state.desk.clone();
            self.player.rewind();
            self.seat.state = blank(&self.setup, &self.past, &self.player);
            self.seat.state.desk = desk;
        }
        self.to(target);
        self.beat = Instant::now() + BEAT;
    }

    fn key(&mut self, event: TermEvent) -> Flow {
        self.typed(event, |replay, intent| {
            // Time does not go by with a key: it is the incident's.
            let was_still = !replay.plays();
            let flow = replay.event(Event::Intent(intent, replay.player.clock));
            if was_still && replay.plays() {
                replay.beat = Instant::now() + BEAT;
            }
            flow
        })
    }

    /// What only concerns this terminal. Whatever would act, look or write is not done: there is nothing to do it with.
    fn perform(&mut self, effect: Effect) -> Flow {
        let notice = match effect {
            Effect::Quit => return Flow::Leave,
            Effect::Suspend => return self.suspend(),
            Effect::Redraw => return self.seat.redraw(),
            Effect::Jump(forward) => {
                self.jump(forward);
                return Flow::Go;
            }
            Effect::Fetch(run, wanted) => {
                if let Some(output) = self.player.window(&run, wanted) {
                    return self.event(Event::Output(run, output));
                }
                return Flow::Go;
            }
            Effect::Copy(what, text) => {
                let bytes = clip::osc52(&text, self.seat.screen.caps());
                self.seat.screen.send(&bytes.unwrap_or_default());
                format!("{what}: sent to the terminal; a replay saves nothing")
            }
            Effect::CopyOutput(run) => {
                let place = crate::run::RunDir::of(&self.past.folder, &run).output();
                format!("a replay saves nothing; the output is {}", shown(&place))
            }
            _ => return Flow::Go,
        };
        self.event(Event::Notice(notice, self.player.clock))
    }
}

impl Seated for Stage {
    fn seat(&mut self) -> &mut Seat {
        &mut self.seat
    }

    fn event(&mut self, event: Event) -> Flow {
        self.seat.dirty = true;
        let effects = self.seat.state.decide(event);
        for effect in effects {
            let flow = self.perform(effect);
            if flow != Flow::Go {
                return flow;
            }
        }
        Flow::Go
    }

    fn is_back(&mut self) {
        // What lay between was nobody's time.
        self.beat = Instant::now() + BEAT;
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
