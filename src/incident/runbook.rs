//! The ordered procedure.

use std::collections::BTreeSet;

use serde::Deserialize;
use thiserror::Error;

use super::{Condition, Step, StepId, Way};

/// The steps in their order, as `assets/runbook.toml` declares them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runbook {
    /// The steps.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// Why a runbook cannot be used.
#[derive(Debug, Error)]
pub enum RunbookError {
    /// Not TOML, or not of the runbook's shape.
    #[error("{0}")]
    Syntax(String),
    /// Two steps of one name.
    #[error("step {0} is declared twice: rename one of them")]
    Twice(StepId),
    /// A step needs one that does not come before it.
    #[error(
        "step {step} needs {needs}, which does not come before it: move it up or correct the name"
    )]
    Order {
        /// The step.
        step: StepId,
        /// What it needs.
        needs: StepId,
    },
}

impl Runbook {
    /// The embedded runbook's text.
    pub const EMBEDDED: &str = include_str!("../../assets/runbook.toml");

    /// What an isolated drill has besides: it takes down what it made.
    pub const ISOLATED: &str = include_str!("../../assets/isolated.toml");

    /// The runbook of an isolated drill: what is not said to be safe in one is barred and waited for by nobody, and at the
    /// end stands what takes the drill down. An allow-list: a step that says nothing is not in it.
    ///
    /// # Errors
    /// If the embedded text of the steps that only a drill has is wrong.
    pub fn isolated(mut self) -> Result<Self, RunbookError> {
        let ends = Self::parse(Self::ISOLATED)?;
        self.steps.extend(ends.steps);
        self.steps.sort_by_key(|step| step.aside);
        let allowed: BTreeSet<StepId> = self
            .steps
            .iter()
            .filter(|step| step.isolated)
            .map(|step| step.id.clone())
            .collect();
        for step in &mut self.steps {
            step.barred = !step.isolated;
            step.needs.retain(|need| allowed.contains(need));
        }
        Ok(self)
    }

    /// Reads a runbook and checks names, order and phrases.
    ///
    /// # Errors
    /// If the text is not TOML of the runbook's shape, or breaks one of the rules above.
    pub fn parse(text: &str) -> Result<Self, RunbookError> {
        let mut runbook: Self =
            toml::from_str(text).map_err(|error| RunbookError::Syntax(error.to_string()))?;
        let mut seen = BTreeSet::new();
        for step in &runbook.steps {
            if let Some(needs) = step.needs.iter().find(|need| !seen.contains(*need)) {
                return Err(RunbookError::Order {
                    step: step.id.clone(),
                    needs: needs.clone(),
                });
            }
            if !seen.insert(&step.id) {
                return Err(RunbookError::Twice(step.id.clone()));
            }
        }
        // The ways back stand below the way, whatever their place in the file.
        runbook.steps.sort_by_key(|step| step.aside);
        Ok(runbook)
    }

    /// The step of that name.
    #[must_use]
    pub fn get(&self, id: &StepId) -> Option<&Step> {
        self.named(id.as_str())
    }

    /// The same by a word that may be no step's.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id.as_str() == name)
    }

    /// Every condition that some step uses.
    #[must_use]
    pub fn conditions(&self) -> BTreeSet<Condition> {
        self.steps
            .iter()
            .flat_map(|step| {
                let other = step.by(Way::Ungraceful);
                let all = [&step.pre, &step.post, &other.pre, &other.post];
                all.into_iter().flatten().copied().collect::<Vec<_>>()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Action, Evidence, Risk};

    #[test]
    fn the_embedded_runbook_is_sound() {
        let runbook = Runbook::parse(Runbook::EMBEDDED).expect("assets/runbook.toml");
        assert!(!runbook.steps.is_empty());
        // Only a person can say that a person could log in.
        let seen = |step: &&Step| step.id.as_str() != "confirm-login";
        for step in runbook.steps.iter().filter(seen) {
            assert!(
                step.evidence == Evidence::Seen && !step.post.is_empty(),
                "{} would be done without anything being seen",
                step.id
            );
        }
    }

    #[test]
    fn an_isolated_drill_may_run_what_is_listed_and_nothing_else() {
        let runbook = Runbook::parse(Runbook::EMBEDDED).expect("assets/runbook.toml");
        let drill = runbook.isolated().expect("assets/isolated.toml");
        let may: Vec<&str> = drill
            .steps
            .iter()
            .filter(|step| !step.barred)
            .map(|step| step.id.as_str())
            .collect();
        // Spelled out: a step is put here by somebody who thought about it.
        assert_eq!(
            may,
            [
                "verify-backups",
                "record-black-box",
                "check-prerequisites",
                "restore-tables",
                "repair-tables",
                "check-state-table",
                "write-values",
                "check-rights",
                "check-certificate",
                "install",
                "wait-for-pods",
                "load-balancer",
                "teardown",
            ]
        );
        for step in drill.steps.iter().filter(|step| !step.barred) {
            let barred = |need: &&StepId| drill.get(need).is_none_or(|need| need.barred);
            assert_eq!(step.needs.iter().find(barred), None, "{}", step.id);
        }
    }

    #[test]
    fn a_step_may_only_need_what_comes_before() {
        let text = Runbook::EMBEDDED.replacen(
            "needs = [\"verify-backups\"]",
            "needs = [\"switch-dns\"]",
            1,
        );
        let error = Runbook::parse(&text).expect_err("out of order").to_string();
        assert!(
            error.contains("switch-dns, which does not come before it"),
            "{error}"
        );
    }

    fn step(text: &str) -> Result<Step, String> {
        let head = "[[step]]\nid = \"one\"\ntitle = \"One\"\nabout = \"It is one.\"\n";
        let runbook =
            Runbook::parse(&format!("{head}{text}")).map_err(|error| error.to_string())?;
        Ok(runbook.steps[0].clone())
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_words() {
        let cases = [
            ("risk = \"look\"\n", "does nothing"),
            ("risk = \"look\"\nargv = []\n", "argv is empty"),
            (
                "risk = \"look\"\nargv = [\"a\"]\nmanual = \"b\"\n",
                "does one thing",
            ),
            ("risk = \"look\"\nargv = [\"a\"]\n", "has no post"),
            (
                "risk = \"look\"\nargv = [\"a\"]\nevidence = \"hand\"\n",
                "only a manual step",
            ),
            (
                "risk = \"look\"\nmanual = \"a\"\nevidence = \"exit\"\n",
                "has no exit code",
            ),
            (
                "risk = \"look\"\nargv = [\"a\"]\nevidence = \"exit\"\npost = [\"pods-ready\"]\n",
                "take one of them away",
            ),
            (
                "risk = \"destroy\"\nargv = [\"a\"]\nevidence = \"exit\"\n",
                "has a phrase",
            ),
            (
                "risk = \"change\"\nphrase = \"x\"\nargv = [\"a\"]\nevidence = \"exit\"\n",
                "has a phrase",
            ),
            (
                "risk = \"look\"\nargv = [\"a\"]\npost = [\"pods-readi\"]\n",
                "pods-readi",
            ),
            (
                "risk = \"look\"\nmanual = \"a\"\nungraceful = 3\n",
                "a text, or a table",
            ),
            (
                "risk = \"look\"\nmanual = \"a\"\n[step.ungraceful]\nabout = \"b\"\nargv = [\"c\"]\n",
                "the ungraceful way of step one has no post",
            ),
        ];
        for (text, told) in cases {
            let error = step(text).expect_err(told);
            assert!(error.contains(told), "{told:?} is not in {error}");
        }
    }

    #[test]
    fn a_step_may_go_two_ways_by_the_same_rules() {
        let text = "risk = \"destroy\"\nphrase = \"stop it\"\nargv = [\"stop\"]\npre = [\"primary-context\"]\n\
                    post = [\"old-cluster-gone\"]\n[step.ungraceful]\nabout = \"Nobody answers.\"\nrisk = \"change\"\n\
                    manual = \"Declare it.\"\npre = []\npost = []\nevidence = \"unreachable\"\n";
        let step = step(text).expect("a step");
        assert!(step.has_two_ways());
        assert_eq!(step.by(Way::Graceful).as_ref(), &step);
        let other = step.by(Way::Ungraceful);
        assert_eq!(other.action, Action::Manual("Declare it.".to_owned()));
        assert_eq!((other.risk, &other.phrase), (Risk::Change, &None));
        assert_eq!(other.evidence, Evidence::Unreachable);
        assert!(other.pre.is_empty() && other.post.is_empty());
    }

    #[test]
    fn a_text_beside_the_one_way_there_is_makes_no_second_one() {
        let step =
            step("risk = \"look\"\nmanual = \"a\"\nungraceful = \"Skip it.\"\n").expect("a step");
        assert!(!step.has_two_ways());
        assert_eq!(step.evidence, Evidence::Hand);
        assert_eq!(step.by(Way::Ungraceful).way, Way::Graceful);
    }
}
