//! One item of the runbook.

use std::{borrow::Cow, fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Condition, Silence, Ungraceful, Way};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A program with its arguments, never a shell line. `{…}` is filled in from the plan, see [`crate::step`].
    Argv(Vec<String>),
    /// Code in [`crate::step`], by name.
    Native(String),
    /// What a person does, who then confirms it with a note. `{…}` is filled in from the plan.
    Manual(String),
}

/// What tells how a step came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// Its postconditions, seen to hold: the only thing that turns a step green.
    #[default]
    Seen,
    /// The exit code, since nothing is observed: shown as `exit 0`, never as PASS.
    Exit,
    /// The note of the person who has done it: shown as `by hand`.
    Hand,
    /// The operator's declaration that what was to be stopped cannot be reached: shown as `UNREACHABLE`, and never taken
    /// for stopped.
    Unreachable,
}

impl Evidence {
    /// The word of a step that ended well by it, where nothing was seen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Exit => "exit 0",
            Self::Hand => "by hand",
            Self::Unreachable => "UNREACHABLE",
        }
    }
}

/// A step as the runbook declares it; read by [`super::Runbook::parse`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "super::row::Row")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a word of its own in the runbook file"
)]
pub struct Step {
    /// Its name.
    pub id: StepId,
    /// What the operator reads, in the imperative.
    pub title: String,
    /// The step of the guide it comes from, such as `2/4`; empty for a step of the operator's own.
    pub guide: String,
    /// What it may break.
    pub risk: Risk,
    /// What it does.
    pub action: Action,
    /// Two or three sentences: what it does and why.
    pub about: String,
    /// What it does when the primary does not answer, where that differs.
    pub ungraceful: Option<Ungraceful>,
    /// Which of its two ways this is: see [`Step::by`].
    pub way: Way,
    /// What a `destroy` step takes down, typed by the operator to confirm. `{…}` is filled in from the plan.
    pub phrase: Option<String>,
    /// Steps that must have passed or been skipped before.
    pub needs: Vec<StepId>,
    /// What must hold before.
    pub pre: Vec<Condition>,
    /// What must hold after, and for `hold`.
    pub post: Vec<Condition>,
    /// What tells how it came out.
    pub evidence: Evidence,
    /// How long the postconditions must hold without a break, in seconds.
    pub hold: Duration,
    /// How long after its end the postconditions may take, in seconds.
    pub settle: Duration,
    /// How long the run itself may take, in seconds.
    pub timeout: Duration,
    /// May be passed over without a reason.
    pub optional: bool,
    /// A way back, not a part of the way: drawn apart, never next, not counted.
    pub aside: bool,
    /// From here on there is no way back but the steps aside: a line is drawn before it.
    pub no_return: bool,
    /// Whether an isolated drill may run it: it touches neither the primary, nor the names, nor anything real in the
    /// recovery region.
    pub isolated: bool,
    /// Whether this is the runbook of an isolated drill, and the drill may not run it: see [`super::Runbook::isolated`].
    pub barred: bool,
    /// Whether it is the operator's own, from the plan's runbook file.
    pub own: bool,
}

impl Step {
    /// Why an isolated drill leaves it alone; `None` where it may be run.
    #[must_use]
    pub fn bar(&self) -> Option<String> {
        self.barred.then(|| {
            format!(
                "an isolated drill leaves {} alone, and what it would touch: the primary, the names and all that is real",
                self.id
            )
        })
    }

    /// Whether what it does depends on the primary: whether there is a choice.
    #[must_use]
    pub const fn has_two_ways(&self) -> bool {
        match &self.ungraceful {
            Some(other) => other.differs(),
            None => false,
        }
    }

    /// Whose silence decides between its ways.
    #[must_use]
    pub fn silence(&self) -> Silence {
        self.ungraceful
            .as_ref()
            .map_or(Silence::Primary, Ungraceful::silence)
    }

    /// The step as it goes one of its ways. A step with one way goes that one.
    #[must_use]
    pub fn by(&self, way: Way) -> Cow<'_, Self> {
        match &self.ungraceful {
            Some(other) if way == Way::Ungraceful && other.differs() => {
                Cow::Owned(other.applied(self))
            }
            _ => Cow::Borrowed(self),
        }
    }
}
