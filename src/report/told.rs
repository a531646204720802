//! What a step run from a script tells on its way: one event a line.

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use serde::Serialize;

use super::{
    Format, Line,
    line::{event, printable},
    model::seconds,
    step::{Condition, SCHEMA},
};
use crate::{
    incident::{Moment, Risk, RunId, StepId, Verdict, Way, brief},
    journal::ArmedStep,
};

/// An event of a run, as `assets/step.schema.json` describes it. Changing a name here changes the schema's number.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Told {
    /// What will be done is written down.
    Armed {
        /// The step.
        step: StepId,
        /// What the operator reads.
        title: Line,
        /// The run.
        run: RunId,
        /// Attempt, from 1.
        attempt: u32,
        /// What this run may break: a dry run only looks.
        risk: Risk,
        /// Whether it only says what it would do.
        dry_run: bool,
        /// Which of its ways it goes.
        way: Way,
        /// Why that one; empty where there is one.
        because: Line,
        /// Whether a person does it, and nothing is run.
        by_hand: bool,
        /// The argv, or one line for each API call.
        calls: Vec<String>,
        /// What will be observed to tell whether it worked.
        observes: Vec<Line>,
        /// UNKNOWN preconditions that it is run without, and why; empty for a usual run.
        waived: Vec<Line>,
        /// The operator's reason for it.
        reason: Option<String>,
        /// The incident's folder.
        incident: PathBuf,
    },
    /// Nothing was started, and why: the step is locked, its phrase was not given, another cockpit holds the incident.
    Refused {
        /// The step.
        step: StepId,
        /// In words.
        why: String,
    },
    /// It was confirmed, and that is on disk.
    Confirmed {
        /// The run.
        run: RunId,
    },
    /// Its command runs.
    Started {
        /// The run.
        run: RunId,
    },
    /// A line of its output, without secrets and control bytes; `at` is when it came.
    Line {
        /// The run.
        run: RunId,
        /// The line's number, from 0.
        number: u64,
        /// The line.
        text: String,
    },
    /// Its command ended; the world is judged from here on.
    Exited {
        /// The run.
        run: RunId,
        /// Exit code; none if a signal ended it, it never started, or nobody saw its end.
        code: Option<i32>,
        /// In words.
        how: Line,
    },
    /// What the world still lacks.
    Settling {
        /// The run.
        run: RunId,
        /// In words.
        missing: Line,
    },
    /// The verdict.
    Judged {
        /// The step.
        step: StepId,
        /// What the operator reads.
        title: Line,
        /// The run.
        run: RunId,
        /// What it came to.
        verdict: Verdict,
        /// One for each postcondition.
        findings: Vec<Condition>,
        /// From its start to its verdict.
        #[serde(rename = "took_seconds", serialize_with = "seconds")]
        took: Duration,
    },
    /// It is over, as an exit code or a person tells; nothing is observed of it, and it is no PASS.
    Done {
        /// The step.
        step: StepId,
        /// What the operator reads.
        title: Line,
        /// The run.
        run: RunId,
        /// `exit 0`, `by hand` or `UNREACHABLE`.
        told: &'static str,
        /// The note, or how the command ended.
        how: Line,
    },
    /// A step was passed over.
    Skipped {
        /// The step.
        step: StepId,
        /// Why, as it is written down.
        reason: String,
    },
    /// Something happened beside: a runner was adopted, output was lost.
    Notice {
        /// In words.
        text: Line,
    },
    /// This program was asked to leave; the run goes on without it.
    Left {
        /// The run that goes on; none if nothing was started.
        run: Option<RunId>,
        /// How to come back to it.
        again: String,
    },
}

impl Told {
    /// What was armed.
    #[must_use]
    pub fn armed(armed: &ArmedStep, title: &str, incident: PathBuf) -> Self {
        let waiver = armed.waiver.as_ref();
        let let_go = waiver.into_iter().flat_map(|waiver| &waiver.waived);
        Self::Armed {
            step: armed.step.clone(),
            title: title.into(),
            run: armed.run.clone(),
            attempt: armed.attempt,
            risk: armed.risk,
            dry_run: armed.dry_run,
            way: armed.way,
            because: Line::from(&armed.because),
            by_hand: armed.by_hand,
            calls: armed.calls.iter().map(|call| printable(call)).collect(),
            observes: armed.observes.iter().map(Line::from).collect(),
            waived: let_go
                .map(|waived| waived.condition.as_str().into())
                .collect(),
            reason: waiver.map(|waiver| waiver.reason.clone()),
            incident,
        }
    }

    /// The event in a format, without a final line feed. In text, output stands as it came and everything else behind
    /// `== `, so that either can be cut out.
    #[must_use]
    pub fn render(&self, at: Moment, format: Format) -> String {
        match format {
            Format::Json => event(SCHEMA, at, self),
            Format::Text | Format::Markdown => self.text(),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Armed { .. } => self.armed_text(),
            Self::Refused { step, why } => {
                format!("== {step}: nothing was started: {}", printable(why))
            }
            Self::Confirmed { .. } => "== confirmed".to_owned(),
            Self::Started { run } => format!("== started {run}"),
            Self::Line { text, .. } => text.clone(),
            Self::Exited { how, .. } => format!("== {how}"),
            Self::Settling { missing, .. } => format!("== waits for the world: {missing}"),
            Self::Judged {
                title,
                verdict,
                findings,
                took,
                ..
            } => {
                let mut out = format!("== {title}: {verdict} after {}", brief(*took));
                for finding in findings {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "\n==   {}", finding.text());
                }
                out
            }
            Self::Done {
                title, told, how, ..
            } => format!("== {title}: {told}: {how}"),
            Self::Skipped { step, reason } => format!("== {step}: skipped: {}", printable(reason)),
            Self::Notice { text } => format!("== {text}"),
            Self::Left {
                run: Some(run),
                again,
            } => {
                format!("== {run} goes on without this terminal; come back to it: {again}")
            }
            Self::Left { run: None, .. } => "== left; nothing was started".to_owned(),
        }
    }

    fn armed_text(&self) -> String {
        let Self::Armed {
            step,
            title,
            attempt,
            risk,
            dry_run,
            way,
            because,
            calls,
            observes,
            waived,
            reason,
            ..
        } = self
        else {
            return String::new();
        };
        let kind = if *dry_run { "dry run" } else { risk.word() };
        let mut out = format!("== {title} ({step}), {kind}, attempt {attempt}");
        for call in calls {
            let _ = write!(out, "\n==   does: {}", call.replace('\n', "\n==         "));
        }
        if !because.as_str().is_empty() {
            let _ = write!(out, "\n==   goes its {way} way: {because}");
        }
        if let Some(reason) = reason {
            let names: Vec<&str> = waived.iter().map(Line::as_str).collect();
            let names = names.join(", ");
            let _ = write!(
                out,
                "\n==   although UNKNOWN: {names}, because: {}",
                printable(reason)
            );
        }
        if !dry_run && !observes.is_empty() {
            let names: Vec<&str> = observes.iter().map(Line::as_str).collect();
            let _ = write!(out, "\n==   then looks for: {}", names.join(", "));
        }
        out
    }
}
