//! What is told of an incident afterwards, as `assets/report.schema.json` describes it. Changing a name here changes the
//! schema's number.

use std::time::Duration;

use serde::Serialize;

use crate::{
    incident::{Moment, Outcome, Verdict},
    report::{
        Line,
        model::{maybe_seconds, seconds},
    },
};

/// The number of the JSON form: it grows when a field is renamed, removed or means something else.
pub const SCHEMA: u32 = 1;

/// An incident from its first record to its last.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Account {
    /// The number of this form.
    pub schema: u32,
    /// `relight` with its version.
    pub tool: Line,
    /// When it was told.
    pub told: Moment,
    /// The incident's name: that of its folder.
    pub incident: Line,
    /// The Teleport cluster.
    pub cluster: Line,
    /// `incident`, `drill` or `practice`; nothing if no record declares it.
    pub kind: Option<Line>,
    /// The region that failed and the one moved to; nothing if the plan is gone.
    pub regions: Option<Regions>,
    /// When it was declared.
    pub declared: Option<Moment>,
    /// When the outage began.
    pub outage: Option<Moment>,
    /// `open` or `closed`.
    pub state: &'static str,
    /// When, why and by whom it was closed.
    pub closed: Option<Closed>,
    /// The newest thing that is told: a record, or what a probe saw.
    pub until: Moment,
    /// Who worked on it, in the order of their first record.
    pub people: Vec<Person>,
    /// The recovery time objective and what came of it.
    pub rto: Reached,
    /// The recovery point objective and what came of it.
    pub rpo: Reached,
    /// What is left to do or to watch, gravest first.
    pub open: Vec<Open>,
    /// The steps in the order of the runbook.
    pub steps: Vec<Step>,
    /// What people decided, with their reasons, in the order of time.
    pub decisions: Vec<Decision>,
    /// Every verdict with what it rests on, in the order of time.
    pub verdicts: Vec<Judged>,
    /// What changed in the world meanwhile.
    pub curves: Vec<Curve>,
    /// Every transition, in the order of time.
    pub timeline: Vec<Happened>,
    /// What stands in the way of relying on this: a journal that does not hold, a plan that is gone or was changed.
    pub remarks: Vec<Line>,
}

/// The two regions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Regions {
    /// The region that failed.
    pub primary: Line,
    /// The region moved to.
    pub recovery: Line,
}

/// The end of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Closed {
    /// When.
    pub at: Moment,
    /// Why it may be.
    pub reason: Line,
    /// By whom.
    pub operator: Line,
}

/// Who worked on it, and where from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Operator, as the records name them.
    pub operator: Line,
    /// Host.
    pub host: Line,
    /// First record.
    pub from: Moment,
    /// Last record.
    pub to: Moment,
    /// How many records.
    pub records: usize,
}

/// An objective and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reached {
    /// The objective; nothing if the plan is gone.
    #[serde(rename = "objective_seconds", serialize_with = "maybe_seconds")]
    pub objective: Option<Duration>,
    /// What was reached; nothing while it is not, or cannot be told.
    #[serde(rename = "reached_seconds", serialize_with = "maybe_seconds")]
    pub reached: Option<Duration>,
    /// `met`, `missed`, `reached` (no objective is known), `running` or `unknown`.
    pub word: &'static str,
    /// By what it is told.
    pub by: Line,
}

/// Something that is left to do or to watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Open {
    /// `fence`, `alarm`, `step`, `verdict`, `skipped`, `override`, `lock`, `reconciler`, `incident`.
    pub what: &'static str,
    /// Whether it must not wait.
    pub grave: bool,
    /// In words.
    pub text: Line,
}

/// A step with how long it took beside how long it usually takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// From 1; nothing for a step that today's runbook does not have.
    pub number: Option<usize>,
    /// Its name.
    pub id: Line,
    /// What the operator reads.
    pub title: Line,
    /// Where it stands, in the words of the cockpit.
    pub state: &'static str,
    /// Why, or what was told; the reason of a skip.
    pub why: Option<Line>,
    /// Which of its two ways it went, and why; nothing for a step with one way.
    pub way: Option<Line>,
    /// Runs, dry ones included.
    pub attempts: u32,
    /// When its newest run started.
    pub started: Option<Moment>,
    /// From its start to its verdict.
    #[serde(rename = "took_seconds", serialize_with = "maybe_seconds")]
    pub took: Option<Duration>,
    /// What it took in half of the incidents and drills before this one.
    #[serde(rename = "usual_seconds", serialize_with = "maybe_seconds")]
    pub usual: Option<Duration>,
    /// What it took nine times out of ten.
    #[serde(rename = "usual_p90_seconds", serialize_with = "maybe_seconds")]
    pub usual_p90: Option<Duration>,
    /// How often it was timed before.
    pub timed: usize,
    /// Whether it may be left out, or is no part of the way.
    pub beside: bool,
}

/// Something that a person decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// When.
    pub at: Moment,
    /// Who.
    pub operator: Line,
    /// Where from.
    pub host: Line,
    /// `override`, `skip`, `way`, `phrase`, `note`, `cancel`, `outage` or `close`.
    pub what: &'static str,
    /// The step it is about.
    pub step: Option<Line>,
    /// In words, with the reason.
    pub text: Line,
}

/// A verdict with what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// When.
    pub at: Moment,
    /// The step.
    pub step: Line,
    /// What the operator reads.
    pub title: Line,
    /// The run.
    pub run: Line,
    /// Attempt, from 1.
    pub attempt: u32,
    /// The verdict.
    pub verdict: Verdict,
    /// From the run's start to its verdict.
    #[serde(rename = "took_seconds", serialize_with = "maybe_seconds")]
    pub took: Option<Duration>,
    /// One for each postcondition.
    pub findings: Vec<Found>,
}

/// What one postcondition came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// Its name in the runbook.
    pub condition: Line,
    /// What it came to.
    pub outcome: Outcome,
    /// In words.
    pub sentence: Line,
    /// The looks that it rests on.
    pub evidence: Vec<Evidence>,
}

/// A look that a verdict rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// What was looked at.
    pub subject: Line,
    /// How old it was when the verdict fell; nothing if it was too long for the journal.
    #[serde(rename = "age_seconds", serialize_with = "maybe_seconds")]
    pub age: Option<Duration>,
    /// Why there is no fact, if the look failed.
    pub failure: Option<Line>,
}

/// One thing that changed over the time of the incident.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// What: `pods ready`.
    pub name: Line,
    /// Of what, in words.
    pub about: Line,
    /// Samples at equal distances.
    pub points: Vec<Point>,
}

/// A sample of a curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// When.
    pub at: Moment,
    /// A share from 0 to 1; nothing where nobody looked, or nobody could tell.
    pub value: Option<f64>,
}

/// One transition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Happened {
    /// Number of the record.
    pub seq: u64,
    /// When.
    pub at: Moment,
    /// Since the outage began.
    #[serde(rename = "elapsed_seconds", serialize_with = "maybe_seconds")]
    pub elapsed: Option<Duration>,
    /// Who wrote it.
    pub operator: Line,
    /// Where.
    pub host: Line,
    /// The kind of the record.
    pub what: &'static str,
    /// The step it is about.
    pub step: Option<Line>,
    /// In words.
    pub text: Line,
    /// What was armed: the argv, or one line for each API call.
    pub calls: Vec<Line>,
}

/// What a step that goes on has taken so far, for the hand-over.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Handover {
    /// The number of this form.
    pub schema: u32,
    /// When it was told.
    pub told: Moment,
    /// The incident's name.
    pub incident: Line,
    /// The Teleport cluster.
    pub cluster: Line,
    /// `incident`, `drill` or `practice`.
    pub kind: Option<Line>,
    /// Clocks and who holds it, in a sentence.
    pub sentence: Line,
    /// Since the outage, to the end of the recovery or to now.
    #[serde(rename = "elapsed_seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// Steps that are done, passed over or told.
    pub done: Vec<Line>,
    /// What runs, or waits for the world.
    pub running: Vec<Line>,
    /// What comes next, and what it waits for.
    pub next: Vec<Line>,
    /// What may go wrong, gravest first.
    pub risks: Vec<Line>,
}
