//! The commented template that `relight init` writes.

/// `assets/relight.toml`: every key with its meaning, units and where the rule comes from.
pub const TEMPLATE: &str = include_str!("../../assets/relight.toml");
