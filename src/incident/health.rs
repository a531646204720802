//! What the judges say.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Subject;

/// How a watched thing is. Ordered from best to worst, UNKNOWN above DEGRADED: not knowing is worse than a blemish
/// and not as bad as a certain loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Health {
    /// As it should be, seen recently.
    Ok,
    /// Works in part, or will soon not.
    Degraded,
    /// There is no telling: never seen, stale, or the probe cannot look.
    Unknown,
    /// Does not work; seen to.
    Down,
}

impl Health {
    /// The word that is always shown beside symbol and colour.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Degraded => "DEGRADED",
            Self::Unknown => "UNKNOWN",
            Self::Down => "DOWN",
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// What a predicate over the instruments came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// Seen to hold, by fresh evidence.
    Pass,
    /// No fresh evidence either way.
    Unknown,
    /// Seen not to hold.
    Fail,
}

/// What a predicate came to, in words, and the observations it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The result.
    pub outcome: Outcome,
    /// A full sentence for the operator: what holds or what is missing, and where.
    pub sentence: String,
    /// The subjects whose readings were used. A PASS without any is not a PASS.
    pub evidence: Vec<Subject>,
}

impl Finding {
    /// It holds, and these readings show it.
    #[must_use]
    pub fn pass(sentence: impl Into<String>, evidence: Vec<Subject>) -> Self {
        let outcome = if evidence.is_empty() {
            Outcome::Unknown
        } else {
            Outcome::Pass
        };
        Self {
            outcome,
            sentence: sentence.into(),
            evidence,
        }
    }

    /// It does not hold, and these readings show it.
    #[must_use]
    pub fn fail(sentence: impl Into<String>, evidence: Vec<Subject>) -> Self {
        Self {
            outcome: Outcome::Fail,
            sentence: sentence.into(),
            evidence,
        }
    }

    /// There is no telling.
    #[must_use]
    pub fn unknown(sentence: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Unknown,
            sentence: sentence.into(),
            evidence: Vec::new(),
        }
    }
}
