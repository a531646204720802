//! What can happen in an incident.

use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};

use super::{Author, Record};
use crate::incident::{
    Evidence, Finding, Health, Moment, Observation, Person, Risk, RunId, StepId, Verdict, Way,
};

/// What kind of incident it is: the banner and the report say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A real outage.
    Incident,
    /// An exercise on the real regions, the old cluster's stop and the switch of the names included.
    Drill,
    /// An exercise in the real recovery region, beside all that is real and without touching it.
    Isolated,
    /// A simulated region on loopback.
    Practice,
}

impl Kind {
    /// The word shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Incident => "INCIDENT",
            Self::Drill => "DRILL",
            Self::Isolated => "DRILL isolated",
            Self::Practice => "PRACTICE",
        }
    }
}

/// A precondition that nobody could look at, and that the operator let go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waived {
    /// Name of the condition, as the runbook has it.
    pub condition: String,
    /// Why there was no telling, as it was shown.
    pub sentence: String,
}

/// A way through: what a run was allowed to go on without, and why. Only what is UNKNOWN can be in it, never a FAIL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// Every precondition that was UNKNOWN.
    pub waived: Vec<Waived>,
    /// The operator's reason.
    pub reason: String,
}

/// What will be done, fully expanded, as the operator saw and confirmed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmedStep {
    /// The run.
    pub run: RunId,
    /// The step.
    pub step: StepId,
    /// Attempt, from 1.
    pub attempt: u32,
    /// Risk of the step.
    pub risk: Risk,
    /// The argv, or one line for each API call of a native step.
    pub calls: Vec<String>,
    /// What will be observed to tell whether it worked.
    pub observes: Vec<String>,
    /// The phrase to type, for a `destroy` step.
    pub phrase: Option<String>,
    /// Print what would be done and change nothing.
    pub dry_run: bool,
    /// Which of its ways the step goes.
    #[serde(default)]
    pub way: Way,
    /// Why that way, where there are two.
    #[serde(default)]
    pub because: String,
    /// Whether a person does it, and nothing is run.
    #[serde(default)]
    pub by_hand: bool,
    /// What tells how it came out.
    #[serde(default)]
    pub evidence: Evidence,
    /// UNKNOWN preconditions that it is run without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<Waiver>,
    /// Where another person has to approve it: SHA-256 of the plan that it was armed under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
}

impl ArmedStep {
    /// What an approval is bound to: SHA-256 over run and attempt, calls, way, phrase, waiver and plan, in hex.
    #[must_use]
    pub fn digest(&self) -> String {
        Record::hash(&serde_json::to_string(self).unwrap_or_default())
    }

    /// What another person types to approve it.
    #[must_use]
    pub fn approval_phrase(&self) -> String {
        format!("approve {} attempt {}", self.step, self.attempt)
    }
}

/// How a cockpit came to hold an incident that another one had held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Taking {
    /// The holder had offered it.
    HandOver,
    /// The holder had not let it go.
    TakeOver {
        /// What was typed.
        phrase: String,
        /// For how many seconds the holder's cockpit had been silent.
        silent: u64,
        /// Runs whose runner or command was there: nothing is started before they are gone.
        runs: Vec<RunId>,
    },
}

/// The observations of a list that this version can read.
fn legible<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Observation>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Look {
        Legible(Box<Observation>),
        Foreign(IgnoredAny),
    }
    let looks = Vec::<Look>::deserialize(deserializer)?.into_iter();
    let legible = looks.filter_map(|look| match look {
        Look::Legible(look) => Some(*look),
        Look::Foreign(_) => None,
    });
    Ok(legible.collect())
}

/// Everything that the journal can hold. Unknown kinds, from a newer version, are kept as they are and shown as such.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// The first record of an incident.
    Declared {
        /// Incident, drill or practice.
        what: Kind,
        /// The Teleport cluster.
        cluster: String,
        /// Path of the plan.
        plan: String,
        /// SHA-256 of the plan's text.
        digest: String,
        /// When the outage began, as the operator says; the declaration unless said.
        outage: Moment,
    },
    /// The operator says when the outage began: the clocks run from there.
    Outage {
        /// When.
        began: Moment,
    },
    /// A cockpit took the incident's lock; the record's token is the new one.
    Attached,
    /// The holder let go.
    Detached,
    /// STS has said who the operator is.
    Identified {
        /// Who.
        who: Person,
    },
    /// The operator offers the incident to whoever looks on: until it is taken back or accepted, or its maker leaves.
    Offered,
    /// The offer was taken back.
    Withdrawn,
    /// The operator lets the incident go to who accepted the offer: the last record under its token.
    HandedOver {
        /// Who accepted.
        to: Person,
        /// The request that accepted it.
        request: String,
    },
    /// A cockpit took the incident from another one; the record's token is the new one.
    Took {
        /// Who held it before.
        from: Author,
        /// How.
        how: Taking,
    },
    /// What an observer asked for was not done.
    Declined {
        /// The request.
        request: String,
        /// Who asked.
        by: Person,
        /// Why not.
        why: String,
    },
    /// Another person approved an armed step.
    Approved {
        /// The run.
        run: RunId,
        /// What exactly was approved: [`ArmedStep::digest`].
        digest: String,
        /// Who.
        by: Person,
        /// What was typed.
        phrase: String,
        /// Until when it is good.
        until: Moment,
        /// The request.
        request: String,
    },
    /// The operator takes a step's UNKNOWN preconditions on himself. On disk before the step is armed.
    Overridden {
        /// The step.
        step: StepId,
        /// What was UNKNOWN, and why it is run all the same.
        waiver: Waiver,
        /// What was typed.
        phrase: String,
    },
    /// A step is shown with what it would do.
    Armed(Box<ArmedStep>),
    /// The dialog was left without running.
    Disarmed {
        /// The run that will not be.
        run: RunId,
    },
    /// The operator said yes. `phrase` is what was typed.
    Confirmed {
        /// The run.
        run: RunId,
        /// The typed phrase, where one was asked for.
        phrase: Option<String>,
        /// What the person who did it by hand has noted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// The runner started the child.
    Started {
        /// The run.
        run: RunId,
        /// Sequence in the run's own records.
        of: u64,
        /// Process id of the runner.
        pid: u32,
    },
    /// The operator asked the run to stop.
    Cancelled {
        /// The run.
        run: RunId,
    },
    /// The child ended.
    Exited {
        /// The run.
        run: RunId,
        /// Sequence in the run's own records.
        of: u64,
        /// Exit code; `None` if a signal ended it or it never started.
        code: Option<i32>,
        /// In words: `exit code 0`, `killed by signal 9`, `could not start: …`.
        how: String,
    },
    /// The runner is gone without an exit record.
    ContactLost {
        /// The run.
        run: RunId,
        /// In words.
        why: String,
    },
    /// What the run came to.
    Judged {
        /// The run.
        run: RunId,
        /// The verdict.
        verdict: Verdict,
        /// One finding for each postcondition.
        findings: Vec<Finding>,
        /// The observations that the findings rest on. Those of a build whose facts had another shape are left out when
        /// they are read: the verdict stands without them.
        #[serde(default, deserialize_with = "legible")]
        evidence: Vec<Observation>,
    },
    /// The operator passed a step over.
    Skipped {
        /// The step.
        step: StepId,
        /// Why.
        reason: String,
    },
    /// A watched thing changed its health.
    Turned {
        /// Which pane.
        pane: String,
        /// Before.
        from: Health,
        /// After.
        to: Health,
        /// Why, in a sentence.
        sentence: String,
    },
    /// The operator wrote something down.
    Noted {
        /// The text.
        text: String,
    },
    /// The incident is over.
    Closed {
        /// Why it may be.
        reason: String,
    },
}
