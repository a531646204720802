//! `relight check`: readiness as text, JSON and Markdown.

mod render;

use std::time::Duration;

use serde::Serialize;

use super::{
    Format, Line,
    model::{maybe_seconds, seconds},
};
use crate::{
    incident::{Moment, Outcome},
    judge::readiness::{self, Inquiry, Relaunch, word},
    state::State,
};

/// The JSON Schema of what `relight check` prints with `--format json`.
pub const CHECK_SCHEMA: &str = include_str!("../../../assets/check.schema.json");

/// The number of the JSON form: it grows when a field is renamed, removed or means something else.
const SCHEMA: u32 = 1;

/// Whether everything is ready.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// The number of this form.
    pub schema: u32,
    /// `relight` with its version.
    pub tool: Line,
    /// When it was told.
    pub at: Moment,
    /// The worst verdict: `READY`, `NOT READY`, `UNKNOWN`.
    pub verdict: &'static str,
    /// How many rows came to what.
    pub counts: Counts,
    /// The Teleport cluster.
    pub cluster: Line,
    /// The primary's region.
    pub primary: Line,
    /// The recovery region.
    pub recovery: Line,
    /// The recovery time objective.
    #[serde(rename = "rto_seconds", serialize_with = "seconds")]
    pub rto: Duration,
    /// How long a relaunch takes, by earlier incidents and drills, or by the guide.
    #[serde(rename = "relaunch_seconds", serialize_with = "seconds")]
    pub relaunch: Duration,
    /// The last drill in words; nothing if nobody knows.
    pub drill: Option<Line>,
    /// What became of keeping the black box; nothing if that was not wanted.
    pub black_box: Option<Line>,
    /// Every question, by topic, in each the worst first.
    pub rows: Vec<CheckRow>,
    /// What is not looked at; none of it counts as ready.
    pub not_looked_at: Vec<NotLooked>,
}

/// How many rows came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// `READY`
    pub ready: usize,
    /// `NOT READY`
    pub not_ready: usize,
    /// `UNKNOWN`
    pub unknown: usize,
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckRow {
    /// What it is about, in one word.
    pub topic: &'static str,
    /// What was asked.
    pub what: Line,
    /// `READY`, `NOT READY`, `UNKNOWN`.
    pub verdict: &'static str,
    /// In words.
    pub sentence: Line,
    /// Age of what it rests on.
    #[serde(rename = "age_seconds", serialize_with = "maybe_seconds")]
    pub age: Option<Duration>,
    /// The guide's step, or the fact, that asks for it.
    pub basis: &'static str,
    /// What to do; nothing where it is ready.
    pub remedy: Option<Line>,
}

/// Something that is not looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotLooked {
    /// What.
    pub what: Line,
    /// Why, and what to do.
    pub why: Line,
}

impl Check {
    /// Asks every question of what is seen. `black_box` says what became of keeping one.
    #[must_use]
    pub fn of(state: &State, black_box: Option<&str>) -> Self {
        let relaunch = state.relaunch();
        let inquiry = Inquiry {
            sight: state.sight(),
            drills: &state.history.drills,
            relaunch: Relaunch {
                takes: relaunch.left,
                incidents: relaunch.incidents,
            },
        };
        let mut rows = readiness::rows(&inquiry);
        rows.sort_by_key(|row| (row.topic, std::cmp::Reverse(grave(row.outcome))));
        let count = |outcome| rows.iter().filter(|row| row.outcome == outcome).count();
        let counts = Counts {
            ready: count(Outcome::Pass),
            not_ready: count(Outcome::Fail),
            unknown: count(Outcome::Unknown),
        };
        let plan = &state.plan;
        Self {
            schema: SCHEMA,
            tool: concat!("relight ", env!("CARGO_PKG_VERSION")).into(),
            at: state.now,
            verdict: word(counts.worst()),
            counts,
            cluster: Line::from(&plan.cluster.name),
            primary: Line::from(&plan.primary.region),
            recovery: Line::from(&plan.recovery.region),
            rto: plan.objectives.rto,
            relaunch: relaunch.left,
            drill: state
                .history
                .drills
                .told(state.now, plan.objectives.rto)
                .map(Line::from),
            black_box: black_box.map(Line::from),
            rows: rows
                .into_iter()
                .map(|row| CheckRow {
                    topic: row.topic.word(),
                    what: row.name.into(),
                    verdict: word(row.outcome),
                    sentence: row.sentence.into(),
                    age: row.age,
                    basis: row.basis,
                    remedy: (!row.remedy.is_empty()).then(|| row.remedy.into()),
                })
                .collect(),
            not_looked_at: readiness::not_looked_at(&inquiry)
                .into_iter()
                .map(|(what, why)| NotLooked {
                    what: what.into(),
                    why: why.into(),
                })
                .collect(),
        }
    }

    /// The exit code: 0 all is ready, 1 something is not, 2 of something there is no telling.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self.counts.worst() {
            Outcome::Pass => 0,
            Outcome::Fail => 1,
            Outcome::Unknown => 2,
        }
    }

    /// In a format, with a final line feed.
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Text => render::text(self),
            // The model has string keys and finite numbers alone, of which serde_json can always make text.
            Format::Json => serde_json::to_string_pretty(self).unwrap_or_default() + "\n",
            Format::Markdown => render::markdown(self),
        }
    }
}

impl Counts {
    /// What is seen not to be ready is worse than what could not be seen.
    const fn worst(self) -> Outcome {
        match (self.not_ready, self.unknown, self.ready) {
            (0, 0, 1..) => Outcome::Pass,
            (0, ..) => Outcome::Unknown,
            _ => Outcome::Fail,
        }
    }
}

const fn grave(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Pass => 0,
        Outcome::Unknown => 1,
        Outcome::Fail => 2,
    }
}

#[cfg(test)]
mod tests;
