//! What every format tells, as `assets/once.schema.json` describes it. Changing a name here changes the schema's
//! number.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::Line;
use crate::incident::{Health, Moment};

/// The number of the JSON form: it grows when a field is renamed, removed or means something else.
pub const SCHEMA: u32 = 1;

/// Everything that is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The number of this form.
    pub schema: u32,
    /// `relight` with its version.
    pub tool: Line,
    /// When it was told.
    pub at: Moment,
    /// The worst health of all panes.
    pub health: Health,
    /// The first sentence: the worst thing.
    pub sentence: Line,
    /// The Teleport cluster.
    pub cluster: Line,
    /// `incident`, `drill` or `practice`; nothing while none is declared.
    pub kind: Option<Line>,
    /// The recovery time objective and what is gone of it.
    pub clock: Clock,
    /// Primary and recovery.
    pub sides: Vec<SideReport>,
    /// What there is to be alarmed about: an old cluster that is back, or of which nobody can tell; the gravest first.
    pub alarms: Vec<Line>,
    /// The panes, worst first.
    pub panes: Vec<PaneReport>,
    /// The steps in their order.
    pub runbook: Vec<StepReport>,
    /// What is odd or missing in the plan.
    pub remarks: Vec<Remark>,
}

/// The recovery time objective.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Clock {
    /// When the outage began, as declared.
    pub outage: Option<Moment>,
    /// Since then.
    #[serde(rename = "elapsed_seconds", serialize_with = "maybe_seconds")]
    pub elapsed: Option<Duration>,
    /// The objective.
    #[serde(rename = "rto_seconds", serialize_with = "seconds")]
    pub rto: Duration,
    /// The recovery point objective.
    #[serde(rename = "rpo_seconds", serialize_with = "seconds")]
    pub rpo: Duration,
    /// How much data is lost by the best copies of both tables, the worse one, measured to the start of the outage.
    #[serde(rename = "loss_seconds", serialize_with = "maybe_seconds")]
    pub loss: Option<Duration>,
    /// When the last step of the way was done.
    pub recovered: Option<Moment>,
    /// How long the rest takes, by the median of earlier incidents and drills, or by the guide.
    #[serde(rename = "left_seconds", serialize_with = "maybe_seconds")]
    pub left: Option<Duration>,
    /// The same by what steps took nine times out of ten.
    #[serde(rename = "left_p90_seconds", serialize_with = "maybe_seconds")]
    pub left_p90: Option<Duration>,
    /// By how much the objective will be missed, before it is.
    #[serde(rename = "will_miss_seconds", serialize_with = "maybe_seconds")]
    pub will_miss: Option<Duration>,
}

/// One side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SideReport {
    /// `primary` or `recovery`.
    pub side: Line,
    /// AWS Region.
    pub region: Line,
    /// Of the region, as the cockpit's header has it: whether its endpoints, its cluster and its load balancer answer.
    pub health: Health,
    /// In words.
    pub sentence: Line,
    /// Who we are there.
    pub caller: Caller,
}

/// Who we are at AWS.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Caller {
    /// ARN, if STS has told.
    pub arn: Option<Line>,
    /// When the credentials end.
    pub expires: Option<Moment>,
    /// Why it is not known, or how long ago it was.
    pub note: Option<Line>,
}

/// One pane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PaneReport {
    /// `pods`, `backups`, `dns`, `web`.
    pub pane: &'static str,
    /// Of the whole.
    pub health: Health,
    /// The pane's title: worst thing first.
    pub sentence: Line,
    /// Age of what that rests on.
    #[serde(rename = "age_seconds", serialize_with = "maybe_seconds")]
    pub age: Option<Duration>,
    /// Its lines, worst first.
    pub rows: Vec<Row>,
}

/// One line of a pane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What it is about.
    pub what: Line,
    /// Its health; nothing if it is a fact without a judgement of its own.
    pub health: Option<Health>,
    /// In words.
    pub sentence: Line,
    /// Age of the value; nothing if there has been none.
    #[serde(rename = "age_seconds", serialize_with = "maybe_seconds")]
    pub age: Option<Duration>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepReport {
    /// From 1.
    pub number: usize,
    /// Its name.
    pub id: Line,
    /// What the operator reads.
    pub title: Line,
    /// The guide's step.
    pub guide: Line,
    /// `look`, `change` or `destroy`.
    pub risk: &'static str,
    /// `locked`, `ready`, `running`, `settling`, `PASS`, `FAIL`, `UNKNOWN`, `skipped`; and where nothing is seen of it,
    /// `by hand`, `exit 0`, `UNREACHABLE`.
    pub state: &'static str,
    /// Why it is locked, what is missing, or the reason of a skip.
    pub why: Option<Line>,
    /// Which of its two ways it goes, and why; nothing for a step with one way.
    pub way: Option<Line>,
    /// Whether there is no way back from here on but the steps aside.
    pub no_return: bool,
    /// Whether it is a way back, not a part of the way.
    pub aside: bool,
    /// Whether it may be left out.
    pub optional: bool,
    /// What its newest run was allowed to go on without, and why: an override.
    pub overridden: Option<Line>,
    /// Runs so far, dry ones included.
    pub attempts: u32,
    /// From its start to its verdict.
    #[serde(rename = "took_seconds", serialize_with = "maybe_seconds")]
    pub took: Option<Duration>,
}

/// Something odd or missing in the plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Remark {
    /// `warning` or `missing`.
    pub level: &'static str,
    /// `relight.toml:12:1`.
    pub place: Line,
    /// What it is.
    pub message: Line,
    /// What to do.
    pub remedy: Line,
}

impl PaneReport {
    /// Sorts its rows worst first; rows of one health keep their order.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.rows.sort_by_key(|row| std::cmp::Reverse(row.health));
        self
    }
}

/// Whole milliseconds are precise enough, and short.
pub(super) fn seconds<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1e3).round() / 1e3)
}

#[expect(
    clippy::ref_option,
    reason = "the shape that serde's serialize_with calls"
)]
pub(super) fn maybe_seconds<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => seconds(duration, serializer),
        None => serializer.serialize_none(),
    }
}
