//! TELLING: the same State as text, JSON and Markdown, for `--once`, pipes, scripts and the incident channel; and
//! afterwards the whole incident as Markdown, JSON and HTML ([`account`]).
//!
//! [`Report::of`] gathers what the panes show into one model; each format renders that and nothing else. Worst first,
//! every value with its age, no colours, no control bytes: [`Line`] cannot hold any.

pub mod account;
mod check;
mod failback;
mod gather;
mod line;
mod markdown;
mod model;
mod panes;
mod runbook;
mod step;
mod text;
mod told;
mod watched;

pub use check::{CHECK_SCHEMA, Check, CheckRow, Counts, NotLooked};
pub use failback::failback;
pub use line::{Line, printable};
pub use model::{Caller, Clock, PaneReport, Remark, Report, Row, SideReport, StepReport};
pub use step::{Condition, Listing, StepDetail, Trial};
pub use told::Told;
pub use watched::Watched;

use crate::state::State;

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs; `assets/once.schema.json` describes it.
    Json,
    /// For the incident channel.
    Markdown,
}

/// The JSON Schema of [`Format::Json`].
pub const SCHEMA: &str = include_str!("../../assets/once.schema.json");

/// The JSON Schema of what `relight step` prints with `--format json`: the list, one step, and each event of a run.
pub const STEP_SCHEMA: &str = include_str!("../../assets/step.schema.json");

/// The JSON Schema of each line that `relight watch --format json` prints.
pub const WATCH_SCHEMA: &str = include_str!("../../assets/watch.schema.json");

/// The state in a format, with a final line feed.
#[must_use]
pub fn render(state: &State, format: Format) -> String {
    Report::of(state).render(format)
}

impl Report {
    /// The report in a format, with a final line feed.
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Text => text::render(self),
            Format::Json => self.json(),
            Format::Markdown => markdown::render(self),
        }
    }

    fn json(&self) -> String {
        // The model has string keys and finite numbers alone, of which serde_json can always make text.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

#[cfg(test)]
mod tests;
