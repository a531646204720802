//! The ordered procedure.

use std::collections::BTreeSet;

use serde::Deserialize;
use thiserror::Error;

use super::{Condition, Risk, Step, StepId};

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
    /// A `destroy` step without a phrase, or a phrase on another step.
    #[error(
        "step {0}: a destroy step has a phrase that names what it takes down, and only a destroy step has one"
    )]
    Phrase(StepId),
}

impl Runbook {
    /// The embedded runbook's text.
    pub const EMBEDDED: &str = include_str!("../../assets/runbook.toml");

    /// Reads a runbook and checks names, order and phrases.
    ///
    /// # Errors
    /// If the text is not TOML of the runbook's shape, or breaks one of the rules above.
    pub fn parse(text: &str) -> Result<Self, RunbookError> {
        let runbook: Self =
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
            if step.phrase.is_some() != (step.risk == Risk::Destroy) {
                return Err(RunbookError::Phrase(step.id.clone()));
            }
        }
        Ok(runbook)
    }

    /// The step of that name.
    #[must_use]
    pub fn get(&self, id: &StepId) -> Option<&Step> {
        self.steps.iter().find(|step| &step.id == id)
    }

    /// Every condition that some step uses.
    #[must_use]
    pub fn conditions(&self) -> BTreeSet<Condition> {
        self.steps
            .iter()
            .flat_map(|step| step.pre.iter().chain(&step.post))
            .copied()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_runbook_is_sound() {
        let runbook = Runbook::parse(Runbook::EMBEDDED).expect("assets/runbook.toml");
        assert!(!runbook.steps.is_empty());
        for step in &runbook.steps {
            assert!(
                !step.post.is_empty(),
                "{} would turn green on its exit code alone",
                step.id
            );
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
}
