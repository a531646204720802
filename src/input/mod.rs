//! EARS: what keys mean.
//!
//! [`ACTIONS`] is the one table: footer, help, palette and the README's key table are made from it, and [`resolve`]
//! looks keys up in it; [`adopt`] lays the user's own keys over it. A key means something in a [`Place`]: a focused pane, or an overlay. Where text is typed, every
//! character is text.

mod action;
mod key;
mod keymap;
mod own;
mod palette;
mod place;
mod table;

pub use action::{Action, Section, hints, markdown};
pub use key::{Key, struck};
pub use keymap::{pasted, resolve};
pub use own::{adopt, key, keys};
pub use palette::{Entry, Match, entries, matches};
pub use place::Place;
pub use table::ACTIONS;

#[cfg(test)]
mod tests;
