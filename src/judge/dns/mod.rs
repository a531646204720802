//! Answers against the declared target: two clocks, one target.
//!
//! The authority clock says whether the change is published; the cache clock says how long copies of the old answer
//! may honestly live. They are never mixed, and agreement of a majority is no target: at the beginning of a failover
//! the majority is wrong.

mod board;
mod class;
mod held;
mod reverted;
mod row;
mod sets;
mod verdict;
mod zone;

pub use board::{Board, board};
pub use class::{Class, classify, lacking};
pub use held::{held, owners};
pub use reverted::{back, reverted};
pub use row::{Place, Row, rows};
pub use sets::{Ends, LOOKUP, Sets, other_ends, sets};
pub use verdict::{converged, published, written_back};
pub use zone::control_plane;

#[cfg(test)]
mod fixture;
