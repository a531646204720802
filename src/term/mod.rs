//! TTY: how the screen is entered and left, what it can show, and how a frame reaches it.
//!
//! * [`Caps`]: colours, characters and whether to draw at all, from the environment. Nothing is ever asked of the
//!   terminal: each question costs a round trip over SSH and races the key reader.
//! * [`Tty`]: raw mode and alternate screen, given back on every way out.
//! * [`Paint`]: ratatui's backend over a byte buffer; a frame that changes nothing is no bytes.
//! * [`Wire`]: one write per frame on a thread of its own, so that a terminal that stops reading blocks nothing.
//! * [`Signals`]: hang-up, terminate, interrupt, quit, stop and continue.
//! * [`away`]: a command that has the terminal for a while.
//! * [`clip`]: OSC 52.

pub mod away;
mod caps;
pub mod clip;
mod paint;
mod quiet;
mod signals;
mod tty;
mod wire;

pub use caps::Caps;
pub use paint::Paint;
pub use quiet::{Quiet, hush, install_panic_hook};
pub use signals::{Signal, Signals, stop_group};
pub use tty::{Tty, put, size};
pub use wire::Wire;
