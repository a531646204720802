//! INTENT: what the operator declared beforehand in `relight.toml`.
//!
//! [`Plan::parse`] reads the text, reports every error at once with line and column ([`Diagnostic`]), and fills in what
//! follows from the rest. A plan may be incomplete: whatever is missing is `None`, every pane still opens, and the
//! steps that lack something say what. Nothing here reads a file but [`load()`] and [`runbook()`].

mod describe;
mod diagnostic;
mod drill;
mod failback;
mod load;
mod moves;
mod pace;
pub mod panel;
mod parse;
#[cfg(test)]
pub(crate) mod sample;
mod template;
mod types;

pub use describe::describe;
pub use diagnostic::{Diagnostic, Level};
pub use drill::isolated_text;
pub use failback::swapped;
pub use load::{LoadError, load, runbook};
pub use moves::Moves;
pub use parse::runbook::Placeholders;
pub use template::TEMPLATE;
pub use types::{
    ApprovalsPlan, Approved, ArcPlan, BlackBoxPlan, ClusterPlan, CoordinationPlan, CopyTo, DnsPlan,
    DrillPlan, FreezePlan, Isolated, KubePlan, Objectives, Plan, RegionPlan, ResolverPlan,
    ResourcesPlan, Service, Tools, WatchPlan, WebPlan,
};
