//! One item of the runbook.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::Condition;

/// The name of a step: lower-case letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StepId(String);

impl StepId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for StepId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fine = !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fine {
            Ok(Self(text))
        } else {
            Err(format!(
                "{text:?} is no step id: use lower-case letters, digits and hyphens"
            ))
        }
    }
}

impl From<StepId> for String {
    fn from(id: StepId) -> Self {
        id.0
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// How much a step may break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Reads only: runs at once.
    Look,
    /// Changes the world: asks, with Cancel focused.
    Change,
    /// Destroys something: asks for a typed phrase that names the blast radius.
    Destroy,
}

impl Risk {
    /// The word shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Change => "change",
            Self::Destroy => "destroy",
        }
    }
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// A program with its arguments, never a shell line. `{…}` is filled in from the plan, see [`crate::step`].
    Argv(Vec<String>),
    /// Code in [`crate::step`], by name.
    Native(String),
}

/// A step as the runbook declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name.
    pub id: StepId,
    /// What the operator reads, in the imperative.
    pub title: String,
    /// The step of the guide it comes from, such as `2/4`.
    pub guide: String,
    /// What it may break.
    pub risk: Risk,
    /// What it does.
    #[serde(flatten)]
    pub action: Action,
    /// Two or three sentences: what it does and why.
    pub about: String,
    /// What it does when the primary does not answer, where that differs.
    #[serde(default)]
    pub ungraceful: Option<String>,
    /// What a `destroy` step takes down, typed by the operator to confirm. `{…}` is filled in from the plan.
    #[serde(default)]
    pub phrase: Option<String>,
    /// Steps that must have passed or been skipped before.
    #[serde(default)]
    pub needs: Vec<StepId>,
    /// What must hold before.
    #[serde(default)]
    pub pre: Vec<Condition>,
    /// What must hold after, and for `hold`.
    #[serde(default)]
    pub post: Vec<Condition>,
    /// How long the postconditions must hold without a break, in seconds.
    #[serde(default, with = "secs")]
    pub hold: Duration,
    /// How long after its end the postconditions may take, in seconds.
    #[serde(default = "default_settle", with = "secs")]
    pub settle: Duration,
    /// How long the run itself may take, in seconds.
    #[serde(default = "default_timeout", with = "secs")]
    pub timeout: Duration,
    /// May be passed over without a reason.
    #[serde(default)]
    pub optional: bool,
    /// A way back or another one that is no part of the way forward: never the next step.
    #[serde(default)]
    pub aside: bool,
}

const fn default_settle() -> Duration {
    Duration::from_mins(5)
}

const fn default_timeout() -> Duration {
    Duration::from_mins(30)
}

mod secs {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(duration.as_secs())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
}
