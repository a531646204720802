//! The steps for scripts: all of them in a list, or one with everything that is known of it.

use std::{fmt::Write as _, time::Duration};

use serde::Serialize;

use super::{
    Format, Line,
    line::printable,
    model::{StepReport, seconds},
    runbook,
};
use crate::{
    incident::{self, Action, Evidence, Finding, Moment, Outcome, Risk, RunId, StepId, Way, brief},
    judge,
    state::{Run, RunState, State},
};

/// The number of the JSON forms of `relight step`: it grows when a field is renamed, removed or means something else.
pub(super) const SCHEMA: u32 = 1;

/// Every step with where it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listing {
    /// The number of this form.
    pub schema: u32,
    /// When it was told.
    pub at: Moment,
    /// The Teleport cluster.
    pub cluster: Line,
    /// The step that comes next: the first that has neither passed nor been skipped.
    pub next: Option<Line>,
    /// The steps in their order.
    pub steps: Vec<StepReport>,
}

impl Listing {
    /// The steps of a state.
    #[must_use]
    pub fn of(state: &State) -> Self {
        Self {
            schema: SCHEMA,
            at: state.now,
            cluster: Line::from(&state.plan.cluster.name),
            next: state.next_step().map(|step| step.id.as_str().into()),
            steps: runbook::steps(state),
        }
    }

    /// The list in a format, with a final line feed; `assets/step.schema.json` describes the JSON.
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Json => json(self),
            Format::Text | Format::Markdown => self.text(),
        }
    }

    /// One line for each step, and a second one for why it does not go on.
    fn text(&self) -> String {
        let mut out = String::new();
        let width = self.steps.iter().map(|step| step.id.as_str().len()).max();
        let width = width.unwrap_or(0);
        for step in &self.steps {
            let took = step.took.map_or_else(String::new, brief);
            // Writing to a string cannot fail.
            let _ = writeln!(
                out,
                "{:>2} {:width$}  {:<7} {:<8} {took:>6}  {}",
                step.number, step.id, step.risk, step.state, step.title
            );
            if let Some(why) = &step.why {
                let _ = writeln!(out, "   {:width$}  {why}", "");
            }
        }
        out
    }
}

/// What a condition comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// Its name in the runbook.
    pub condition: Line,
    /// What the instruments say of it.
    pub outcome: Outcome,
    /// In words.
    pub sentence: Line,
    /// The readings it rests on.
    pub evidence: Vec<Line>,
}

impl Condition {
    /// A finding under the name of its condition.
    #[must_use]
    pub fn of(name: &str, finding: &Finding) -> Self {
        Self {
            condition: name.into(),
            outcome: finding.outcome,
            sentence: Line::from(&finding.sentence),
            evidence: finding
                .evidence
                .iter()
                .map(|subject| subject.to_string().into())
                .collect(),
        }
    }

    /// The findings of a verdict, each under the name of the postcondition it answers.
    #[must_use]
    pub fn all(names: &[String], findings: &[Finding]) -> Vec<Self> {
        let pairs = names.iter().zip(findings);
        pairs
            .map(|(name, finding)| Self::of(name, finding))
            .collect()
    }

    /// One line for people.
    #[must_use]
    pub fn text(&self) -> String {
        let word = match self.outcome {
            Outcome::Pass => "PASS",
            Outcome::Unknown => "UNKNOWN",
            Outcome::Fail => "FAIL",
        };
        format!("{word:<7} {}: {}", self.condition, self.sentence)
    }
}

/// An attempt at a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// The run.
    pub run: RunId,
    /// Attempt, from 1.
    pub attempt: u32,
    /// Whether it only said what it would do.
    pub dry_run: bool,
    /// When it was armed.
    pub armed: Moment,
    /// `armed`, `left`, `starting`, `running`, `ended`, `contact lost`, the verdict, or what was told where nothing is
    /// observed.
    pub state: &'static str,
    /// How its command ended, in words.
    pub how: Option<Line>,
    /// The findings of its verdict.
    pub findings: Vec<Condition>,
}

impl Trial {
    fn of(run: &Run) -> Self {
        let (state, findings) = match &run.state {
            RunState::Armed => ("armed", &[][..]),
            RunState::Disarmed => ("left", &[][..]),
            RunState::Confirmed => ("starting", &[][..]),
            RunState::Running => ("running", &[][..]),
            RunState::Exited => (run.told().map_or("ended", Evidence::word), &[][..]),
            RunState::ContactLost => ("contact lost", &[][..]),
            RunState::Judged(verdict, findings) => (verdict.word(), findings.as_slice()),
        };
        Self {
            run: run.armed.run.clone(),
            attempt: run.armed.attempt,
            dry_run: run.armed.dry_run,
            armed: run.armed_at,
            state,
            how: run.how.as_ref().map(Line::from),
            findings: Condition::all(&run.armed.observes, findings),
        }
    }
}

/// All that is known of a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepDetail {
    /// The number of this form.
    pub schema: u32,
    /// When it was told.
    pub at: Moment,
    /// Where it stands, as in the list.
    pub step: StepReport,
    /// What it does and why.
    pub about: String,
    /// What it does when the primary does not answer, where that differs.
    pub ungraceful: Option<String>,
    /// Which of its ways it would go now: risk, calls, phrase and conditions are of that one.
    pub way: Way,
    /// What it may break that way.
    pub risk: Risk,
    /// Why that one, where there are two.
    pub because: Option<Line>,
    /// Whether a person does it and confirms it with a note.
    pub by_hand: bool,
    /// Steps that must have passed or been skipped before.
    pub needs: Vec<Line>,
    /// The argv, or one line for each API call, as it would be run now.
    pub calls: Vec<String>,
    /// Why it cannot be expanded, if it cannot.
    pub problem: Option<Line>,
    /// What `--yes` has to say, for a `destroy` step.
    pub phrase: Option<String>,
    /// What must hold before, with what the instruments say now.
    pub pre: Vec<Condition>,
    /// What must be seen after, with what the instruments say now.
    pub post: Vec<Condition>,
    /// How long the postconditions must hold without a break.
    #[serde(rename = "hold_seconds", serialize_with = "seconds")]
    pub hold: Duration,
    /// How long after its end they may take.
    #[serde(rename = "settle_seconds", serialize_with = "seconds")]
    pub settle: Duration,
    /// How long the run itself may take.
    #[serde(rename = "timeout_seconds", serialize_with = "seconds")]
    pub timeout: Duration,
    /// The attempts, newest first.
    pub runs: Vec<Trial>,
}

impl StepDetail {
    /// A step of a state; `None` if the runbook has none of that name.
    #[must_use]
    pub fn of(state: &State, id: &StepId) -> Option<Self> {
        let (way, because) = state.way(state.runbook.get(id)?);
        let step = &*state.runbook.get(id)?.by(way);
        let report = runbook::steps(state)
            .into_iter()
            .find(|report| report.id.as_str() == id.as_str())?;
        let (calls, phrase, problem) = match state.prepared(step, false) {
            Ok(prepared) => (prepared.calls, prepared.phrase, None),
            Err(why) => (Vec::new(), None, Some(why.into())),
        };
        let runs = state.story.in_order().rev();
        let runs = runs.filter(|run| &run.armed.step == id).map(Trial::of);
        Some(Self {
            schema: SCHEMA,
            at: state.now,
            step: report,
            about: printable(step.about.trim()),
            ungraceful: step
                .ungraceful
                .as_ref()
                .map(|other| printable(other.about.trim())),
            way,
            risk: step.risk,
            because: (!because.is_empty()).then(|| because.into()),
            by_hand: matches!(step.action, Action::Manual(_)),
            needs: step.needs.iter().map(|need| need.as_str().into()).collect(),
            calls: calls.iter().map(|call| printable(call)).collect(),
            problem,
            phrase,
            pre: conditions(state, &step.pre),
            post: conditions(state, &step.post),
            hold: step.hold,
            settle: step.settle,
            timeout: step.timeout,
            runs: runs.collect(),
        })
    }

    /// The step in a format, with a final line feed; `assets/step.schema.json` describes the JSON.
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Json => json(self),
            Format::Text | Format::Markdown => self.text(),
        }
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let step = &self.step;
        let _ = writeln!(
            out,
            "{} {} ({})  {}  guide step {}",
            step.number,
            step.title,
            step.id,
            self.risk.word(),
            step.guide
        );
        let _ = match &step.why {
            Some(why) => writeln!(out, "{}: {why}", step.state),
            None => writeln!(out, "{}", step.state),
        };
        for text in [Some(&self.about), self.ungraceful.as_ref()]
            .into_iter()
            .flatten()
        {
            let _ = writeln!(out, "\n{text}");
        }
        if let Some(because) = &self.because {
            let _ = writeln!(out, "\nGoes its {} way: {because}", self.way);
        }
        let _ = writeln!(out, "\nDoes");
        for call in &self.calls {
            let _ = writeln!(out, "  {call}");
        }
        if let Some(problem) = &self.problem {
            let _ = writeln!(out, "  {problem}");
        }
        let _ = writeln!(out, "\nIs confirmed by\n  {}", self.confirmed_by());
        if !self.needs.is_empty() {
            let needs: Vec<&str> = self.needs.iter().map(Line::as_str).collect();
            let _ = writeln!(out, "\nNeeds\n  {}", needs.join(", "));
        }
        listed(&mut out, "Must hold before", &self.pre);
        listed(&mut out, "Must be seen after", &self.post);
        for run in &self.runs {
            self::run(&mut out, run);
        }
        out
    }

    fn confirmed_by(&self) -> String {
        let yes = match &self.phrase {
            Some(phrase) => format!("--yes {phrase:?}"),
            None if self.by_hand => String::new(),
            None if self.risk == Risk::Look => "nothing: it only looks".to_owned(),
            None => "--yes".to_owned(),
        };
        let note = if self.by_hand { "--note TEXT" } else { "" };
        format!("{yes} {note}").trim().to_owned()
    }
}

fn json(told: &impl Serialize) -> String {
    // String keys and finite numbers alone, of which serde_json can always make text.
    serde_json::to_string_pretty(told).unwrap_or_default() + "\n"
}

fn conditions(state: &State, conditions: &[incident::Condition]) -> Vec<Condition> {
    let sight = state.sight();
    let judged = conditions
        .iter()
        .map(|condition| (condition.name(), judge::condition(*condition, &sight)));
    judged
        .map(|(name, finding)| Condition::of(name, &finding))
        .collect()
}

fn listed(out: &mut String, title: &str, conditions: &[Condition]) {
    if conditions.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for condition in conditions {
        let _ = writeln!(out, "  {}", condition.text());
    }
}

fn run(out: &mut String, run: &Trial) {
    let dry = if run.dry_run { ", dry run" } else { "" };
    let how = run
        .how
        .as_ref()
        .map_or_else(String::new, |how| format!(", {how}"));
    let _ = writeln!(
        out,
        "\nAttempt {}{dry} of {}: {}{how}  ({})",
        run.attempt, run.armed, run.state, run.run
    );
    for finding in &run.findings {
        let _ = writeln!(out, "  {}", finding.text());
    }
}
