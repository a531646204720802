//! The black box: how its parts are asked for ([`look()`]), where it lies ([`Shelf`]), and its copy off this host
//! ([`copy()`]). The noun is [`crate::incident::black_box`].

mod copy;
mod look;
mod shelf;

pub use copy::copy;
pub use look::{doors, look};
pub(in crate::clients) use shelf::atomic;
pub use shelf::{Shelf, ShelfError};
