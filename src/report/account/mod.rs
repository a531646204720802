//! What is told of an incident afterwards, or at a hand-over: by its journal, its track and its last readings.
//!
//! [`Account::of`] gathers it once; each form renders that and nothing else. Every text goes through [`Clean`] on its way
//! into the model, so that no form can let a secret or a control byte out.

mod brief;
mod clean;
mod curves;
mod html;
mod listing;
mod markdown;
mod model;
mod open;
mod picture;
mod reached;
mod steps;
mod timeline;

pub use clean::Clean;
pub use listing::{Listed, Listing};
pub use model::{
    Account, Closed, Curve, Decision, Evidence, Found, Handover, Happened, Judged, Open, Person,
    Point, Reached, Regions, SCHEMA, Step,
};
pub use reached::recovered;

use self::clean::Wash;
use crate::{
    incident::{HeldLock, Moment, Observation},
    journal::{Entry, Record},
    state::State,
};

/// The JSON Schema of what `relight report` prints with `--format json`, whole and with `--brief`.
pub const REPORT_SCHEMA: &str = include_str!("../../../assets/report.schema.json");

/// How it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For the incident channel and the ticket, with curves as text.
    Markdown,
    /// For programs; `assets/report.schema.json` describes it.
    Json,
    /// One file that needs no other, with curves as pictures.
    Html,
}

/// All that it is told from.
pub struct Material<'a> {
    /// The incident's name.
    pub name: &'a str,
    /// The story with the readings as they were last kept.
    pub state: &'a State,
    /// Every record.
    pub records: &'a [Record],
    /// What the track holds.
    pub track: &'a [Observation],
    /// Whether the state's plan is the incident's: else regions and objectives are not known.
    pub planned: bool,
    /// What stands in the way of relying on it.
    pub remarks: &'a [String],
    /// Locks that the incident's freeze made.
    pub locks: &'a [HeldLock],
    /// The time of telling.
    pub told: Moment,
    /// What takes the secrets out.
    pub clean: Clean<'a>,
}

impl Account {
    /// Gathers it.
    #[must_use]
    pub fn of(material: &Material<'_>) -> Self {
        let wash = Wash(material.clean);
        let state = material.state;
        let declared = state.story.declared.as_ref();
        let first = material
            .records
            .iter()
            .find_map(|record| match &record.entry {
                Entry::Declared { cluster, .. } => Some(cluster.as_str()),
                _ => None,
            });
        let closed = material
            .records
            .iter()
            .rev()
            .find_map(|record| match &record.entry {
                Entry::Closed { reason } => Some(Closed {
                    at: record.at,
                    reason: wash.line(reason),
                    operator: wash.line(&record.author.operator),
                }),
                _ => None,
            });
        let plan = &state.plan;
        Self {
            schema: SCHEMA,
            tool: concat!("relight ", env!("CARGO_PKG_VERSION")).into(),
            told: material.told,
            incident: wash.line(material.name),
            cluster: wash.line(first.unwrap_or("unknown")),
            kind: declared.map(|declared| wash.line(declared.what.word().to_lowercase())),
            regions: material.planned.then(|| Regions {
                primary: wash.line(&plan.primary.region),
                recovery: wash.line(&plan.recovery.region),
            }),
            declared: declared.map(|declared| declared.at),
            outage: declared.map(|declared| declared.outage),
            state: if closed.is_some() { "closed" } else { "open" },
            closed,
            until: state.now,
            people: timeline::people(material.records, wash),
            rto: reached::rto(material, wash),
            rpo: reached::rpo(material, wash),
            open: open::open(material, wash),
            steps: steps::steps(state, wash),
            decisions: timeline::decisions(material, wash),
            verdicts: steps::verdicts(material, wash),
            curves: curves::curves(material, wash),
            timeline: timeline::happened(material, wash),
            remarks: material
                .remarks
                .iter()
                .map(|text| wash.line(text))
                .collect(),
        }
    }

    /// The account in a form, with a final line feed.
    #[must_use]
    pub fn render(&self, form: Form) -> String {
        match form {
            Form::Markdown => markdown::render(self),
            Form::Json => json(self),
            Form::Html => html::render(self),
        }
    }
}

impl Handover {
    /// Gathers what whoever takes over needs.
    #[must_use]
    pub fn of(material: &Material<'_>) -> Self {
        brief::handover(material, &Account::of(material))
    }

    /// The hand-over in a form, with a final line feed: at most 25 lines of Markdown.
    #[must_use]
    pub fn render(&self, form: Form) -> String {
        match form {
            Form::Markdown => brief::markdown(self),
            Form::Json => json(self),
            Form::Html => html::handover(self),
        }
    }
}

fn json(told: &impl serde::Serialize) -> String {
    // String keys and finite numbers alone, of which serde_json can always make text.
    serde_json::to_string_pretty(told).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests;
