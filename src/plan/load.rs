//! Reading a plan from disk: the only I/O of this room.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{
    Diagnostic, Plan,
    parse::runbook::{Placeholders, merge},
};
use crate::incident::Runbook;

/// Why there is no plan.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot read the plan {}: {error}. Name one with --plan FILE, or write a template with `relight init`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The operator's own runbook file could not be read.
    #[error("cannot read the runbook {}, which [runbook] of {} names: {error}. Correct the path, or take it away", path.display(), plan.display())]
    Runbook {
        /// The file.
        path: PathBuf,
        /// The plan that names it.
        plan: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file was read and is wrong; every error at once.
    #[error("{}", join(.0))]
    Wrong(Vec<Diagnostic>),
}

fn join(diagnostics: &[Diagnostic]) -> String {
    let lines: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Reads and validates the plan at `path`. Relative paths in it are taken from its folder.
///
/// # Errors
/// If the file cannot be read, or if it is wrong: then with every error found.
pub fn load(path: &Path) -> Result<Plan, LoadError> {
    let text = std::fs::read_to_string(path).map_err(|error| LoadError::Read {
        path: path.to_owned(),
        error,
    })?;
    Plan::parse(path, &text).map_err(LoadError::Wrong)
}

/// The runbook with the operator's own steps in it, where the plan names a file of them. `placeholders` says what is wrong
/// with a text that has some.
///
/// # Errors
/// If the file cannot be read, or if it is wrong: then with every error found.
pub fn runbook(
    plan: &Plan,
    base: Runbook,
    placeholders: Placeholders<'_>,
) -> Result<Runbook, LoadError> {
    let Some(path) = &plan.runbook else {
        return Ok(base);
    };
    let text = std::fs::read_to_string(path).map_err(|error| LoadError::Runbook {
        path: path.clone(),
        plan: plan.path.clone(),
        error,
    })?;
    merge(&base, path, &text, placeholders).map_err(LoadError::Wrong)
}
