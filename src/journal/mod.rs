//! MEMORY: the append-only record of everything that happened; the only persistent truth.
//!
//! An incident is a folder (0700, its files 0600):
//!
//! ```text
//! INCIDENT/
//!   journal.jsonl     one Record a line, chained by hash; written by the lock holder alone
//!   journal.torn-…    what a crash left of a last record, kept aside
//!   lock              OS lock and fencing token
//!   shared.json       where bastions share the incident: the token this machine held it under, and whether alone
//!   checkpoint.json   newest Instruments, for a cockpit that attaches
//!   plan.toml         the plan as it was when the incident was declared, for the report
//!   requests/         what observers ask of the holder, who answers in the journal
//!   track.jsonl       other changes of facts: capped, unchained, read by replay and report
//!   runs/ID/          one folder a run, written by its runner alone (see crate::run)
//! ```
//!
//! To attach: [`StateDir::locate`], [`StateDir::find_open`], [`Lock::take`], then [`Replay`] to the end,
//! [`Replay::cut_torn`] and [`Writer::open`]. An observer does the same without lock and writer, and goes on asking the
//! same [`Replay`] for what was appended since.

mod checkpoint;
mod entry;
pub mod files;
mod folder;
mod lock;
mod moving;
mod past;
mod record;
mod replay;
mod request;
mod tie;
mod track;
mod writer;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use entry::{ArmedStep, Entry, Kind, Taking, Waived, Waiver};
pub use folder::{Folder, FolderError, OpenIncident, StateDir};
pub use lock::{Claim, Holder, Lock, LockError, holder, honoured, still_mine};
pub use moving::Moved;
pub use past::Found;
pub use record::{Author, Record};
pub use replay::{Item, LINE_CAP, Notice, Replay, Tail};
pub use request::{Request, Wish, ask, asked};
pub use tie::Tie;
pub use track::Track;
pub use writer::{Medium, WriteError, WriteProblem, Writer};
