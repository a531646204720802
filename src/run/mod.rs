//! ENGINE: the runner that outlives the terminal.
//!
//! ```text
//!  cockpit ── start(spec) ──► relight runner RUNDIR   a session of its own, holds the run's lock
//!                                │  token compared, then the one spawn
//!                                ▼
//!                              child                   a group of its own, holds the run's lock too
//!                                │ output
//!                                ▼
//!                              FIFO ─► whole lines ─► secrets out ─► output.log, output.idx
//!  cockpit ◄── Watch ◄──────── events.jsonl
//!  cockpit ◄── Output ◄─────── any line by number
//! ```
//!
//! Killing the cockpit touches nothing of it. Killing the runner leaves child and FIFO as they are: the operator's
//! [`Watch`] has a new runner adopt them. Killing both makes the run `ContactLost`, never guessed. Linux only, by
//! `/proc`, pidfd and FIFOs that can be opened for reading and writing.

mod child;
mod clean;
mod dir;
mod event;
mod fence;
pub mod outlive;
mod output;
mod pem;
mod pipe;
mod redact;
mod rules;
pub mod runner;
pub mod spec;
mod start;
mod store;
mod watch;

pub use clean::clean;
pub use dir::RunDir;
pub use event::{EventLog, Follow, RunFact, RunRecord};
pub use fence::Fence;
pub use output::{Direction, Found, Line, Output};
pub use pipe::Pipe;
pub use redact::Redactor;
pub use spec::{Spec, SpecError};
pub use start::{Cancel, StartError, adopt, adopt_with, all, cancel, live, start, start_with};
pub use store::Store;
pub use watch::{RunEvent, Watch};
