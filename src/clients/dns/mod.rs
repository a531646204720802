//! DNS: Relight's own look-ups ([`Lookup`]), and direct questions to many servers at once ([`sweep()`]).
//!
//! No answer is cached here: a cache of our own would fake agreement between servers.

mod lookup;
pub mod name;
mod part;
mod question;
mod reply;
mod sweep;
mod tcp;

pub use lookup::{Looked, Lookup, system_servers};
pub use question::{Kind, Question, UDP_SIZE};
pub use reply::{Reading, Reply, read};
pub use sweep::{Outcome, Patience, routed, sweep};
