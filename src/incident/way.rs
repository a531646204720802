//! Graceful or not: the two ways of a step that acts on the primary.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Action, Condition, Evidence, Risk, Step};

/// Which way a step goes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// The primary answers, and is asked.
    #[default]
    Graceful,
    /// The primary does not answer, and is not waited for.
    Ungraceful,
}

impl Way {
    /// The word shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Graceful => "graceful",
            Self::Ungraceful => "ungraceful",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Graceful => Self::Ungraceful,
            Self::Ungraceful => Self::Graceful,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Whose silence the ungraceful way of a step is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Silence {
    /// The primary's.
    #[default]
    Primary,
    /// That of Route 53's control plane, which lives in us-east-1 whatever region failed.
    DnsControl,
}

impl Silence {
    /// Who gives no answer.
    #[must_use]
    pub const fn who(self) -> &'static str {
        match self {
            Self::Primary => "the primary",
            Self::DnsControl => "Route 53's control plane",
        }
    }
}

/// What a step does when the primary does not answer. With nothing but `about` it is a text beside the one way there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ungraceful {
    /// In words: what it does then and why.
    pub about: String,
    /// What it may break then; as ever unless said.
    pub risk: Option<Risk>,
    /// What it does then; as ever unless said.
    pub action: Option<Action>,
    /// What is typed to confirm it then; as ever unless said.
    pub phrase: Option<String>,
    /// What must hold before; as ever unless said.
    pub pre: Option<Vec<Condition>>,
    /// What must hold after; as ever unless said.
    pub post: Option<Vec<Condition>>,
    /// What tells how it came out.
    pub evidence: Evidence,
    /// How long its postconditions may take then; as ever unless said.
    pub settle: Option<Duration>,
}

impl Ungraceful {
    /// Whether anything is done otherwise.
    #[must_use]
    pub const fn differs(&self) -> bool {
        self.action.is_some() || self.pre.is_some() || self.post.is_some()
    }

    /// Whose silence it is for, as its preconditions say.
    #[must_use]
    pub fn silence(&self) -> Silence {
        let mut pre = self.pre.iter().flatten();
        if pre.any(|one| *one == Condition::DnsControlSilent) {
            Silence::DnsControl
        } else {
            Silence::Primary
        }
    }

    /// The step as it is then.
    pub(super) fn applied(&self, step: &Step) -> Step {
        let risk = self.risk.unwrap_or(step.risk);
        let phrase = self.phrase.clone().or_else(|| step.phrase.clone());
        Step {
            way: Way::Ungraceful,
            risk,
            phrase: phrase.filter(|_| risk == Risk::Destroy),
            action: self.action.clone().unwrap_or_else(|| step.action.clone()),
            pre: self.pre.clone().unwrap_or_else(|| step.pre.clone()),
            post: self.post.clone().unwrap_or_else(|| step.post.clone()),
            evidence: self.evidence,
            settle: self.settle.unwrap_or(step.settle),
            ..step.clone()
        }
    }
}
