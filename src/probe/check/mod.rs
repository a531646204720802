//! One-shot readiness checks.

mod helm;

pub use helm::{Helm, helm};
