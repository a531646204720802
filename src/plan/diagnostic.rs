//! What is wrong with a plan, where, and what to do.

use std::{fmt, path::PathBuf};

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The plan cannot be used.
    Error,
    /// The plan can be used; this is odd.
    Warning,
    /// Something is not declared; what needs it is locked.
    Gap,
}

/// One finding about the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub level: Level,
    /// File.
    pub path: PathBuf,
    /// Line, from 1. A gap has the line of its table, or 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The offending text, at most one line.
    pub excerpt: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Gap => "missing",
        };
        write!(
            f,
            "{}:{}:{}: {word}: {}",
            self.path.display(),
            self.line,
            self.column,
            self.message
        )?;
        if !self.excerpt.is_empty() {
            write!(f, "\n    {}", self.excerpt)?;
        }
        write!(f, "\n    {}", self.remedy)
    }
}
