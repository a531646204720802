//! Relight: a terminal cockpit that takes a self-hosted Teleport cluster on Amazon EKS through a regional outage.
//!
//! ```text
//!  probes ── Observation ──┐                     ┌─ Start, Cancel ──────► run (own process, own session)
//!  keys ──── Key → intent ─┤                     ├─ ProbeNow ───────────► schedule
//!  signals ─ Hangup, … ────┼─► Event ─► decide ─►├─ Copy, Bell, Suspend ► term
//!  runs ──── RunEvent ─────┤     ▲      (pure)   ├─ Quit
//!  clock ─── Tick ≤ 1 Hz ──┘     │               └─ Record ─► journal writer (fsync) ─┐
//!                                └────────────────── Recorded ◄──────────────────────┘
//!                      changed? ─► view(&State) ─► one write
//! ```
//!
//! The rooms, and what each may import (`incident` and `plan` may be used by all; `tests/rooms.rs` keeps this table):
//!
//! | room | what lives there | may use |
//! |---|---|---|
//! | [`plan`] | INTENT: `relight.toml` → `Plan`, errors with line and column | – |
//! | [`incident`] | NOUNS: observation, instruments, health, step, run, verdict; no I/O | – |
//! | [`judge`] | VERDICTS: `(&Instruments, &Plan)` → health, finding; pure | – |
//! | [`state`] | MIND: Story + Instruments + Desk; `decide` and `apply`; pure | judge, journal's records |
//! | [`journal`] | MEMORY: records, writer, replay, lock with fencing token | – |
//! | [`clients`] | REACH: one client per region, cluster and resolver | – |
//! | [`probe`] | EYES: read-only; the only readers of the outside world | clients |
//! | [`run`] | ENGINE: the runner that outlives the terminal | step, journal, clients |
//! | [`step`] | HANDS: what a step does; with `run` the only code that changes the world | clients |
//! | [`input`] | EARS: action table, keymap | state |
//! | [`view`] | FACE: `view(&State, &Look, &mut Frame)` | state, judge, journal's records, theme, input |
//! | [`theme`] | COLOUR: roles → styles, reduced to 256, 16, none | – |
//! | [`term`] | TTY: enter, leave, signals, capabilities, one buffered write per frame | input, theme |
//! | [`settings`] | TASTE: the user's own file | theme, input |
//! | [`report`] | TELLING: the same State as text, JSON, Markdown; an incident afterwards, as HTML too | state, judge, journal |
//! | [`practice`] | REHEARSAL: a region in a box on loopback, over the real wire protocols | – |
//!
//! [`cockpit`] and [`cli`] (and `main.rs`) alone know everybody. [`layout`] is pure geometry.
//!
//! Rules that hold everywhere: only a record that is on disk changes the Story; nothing slow blocks a key; every value
//! carries its age; nothing is green by default or by absence of data; state is never told by colour alone.
#![forbid(unsafe_code)]

pub mod cli;
pub mod clients;
pub mod cockpit;
pub mod incident;
pub mod input;
pub mod journal;
pub mod judge;
pub mod layout;
pub mod plan;
#[cfg(feature = "practice")]
pub mod practice;
pub mod probe;
pub mod report;
pub mod run;
pub mod settings;
pub mod state;
pub mod step;
pub mod term;
pub mod theme;
pub mod view;
