//! One attempt at a step.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Moment, StepId};

/// The identity of a run: step, attempt and the second it was armed. Also the name of its folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// The id of the given attempt at a step, armed at a moment.
    #[must_use]
    pub fn new(step: &StepId, attempt: u32, armed: Moment) -> Self {
        Self(format!("{step}-{attempt}-{}", armed.secs()))
    }

    /// An id read back from a folder name or a command line; `None` if it could not be one of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fine = !text.is_empty()
            && text.len() <= 128
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        fine.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a run came to, from its postconditions; an exit code is only evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Every postcondition was seen to hold.
    Pass,
    /// A postcondition was seen not to hold when time was up.
    Fail,
    /// There was no telling.
    Unknown,
}

impl Verdict {
    /// The word shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
