//! A step as it is written: `[[step]]` in a runbook file, before it is known to make sense.

use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{self, value::MapAccessDeserializer},
};

use super::{Action, Condition, Evidence, Risk, Step, StepId, Ungraceful, Way};

/// What may be written of a step.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a word of its own in the runbook file"
)]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    id: StepId,
    title: String,
    #[serde(default)]
    guide: String,
    risk: Risk,
    argv: Option<Vec<String>>,
    native: Option<String>,
    manual: Option<String>,
    about: String,
    ungraceful: Option<Other>,
    phrase: Option<String>,
    #[serde(default)]
    needs: Vec<StepId>,
    #[serde(default)]
    pre: Vec<Condition>,
    #[serde(default)]
    post: Vec<Condition>,
    evidence: Option<Evidence>,
    #[serde(default)]
    hold: u64,
    settle: Option<u64>,
    timeout: Option<u64>,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    aside: bool,
    #[serde(default)]
    no_return: bool,
    #[serde(default)]
    isolated: bool,
}

/// `ungraceful`: a text, or a table of what is otherwise.
#[derive(Clone, Debug)]
struct Other(Form);

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    about: String,
    risk: Option<Risk>,
    argv: Option<Vec<String>>,
    native: Option<String>,
    manual: Option<String>,
    phrase: Option<String>,
    pre: Option<Vec<Condition>>,
    post: Option<Vec<Condition>>,
    evidence: Option<Evidence>,
    settle: Option<u64>,
}

impl<'de> Deserialize<'de> for Other {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> de::Visitor<'de> for Either {
            type Value = Other;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a table with about and what is done otherwise")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Other, E> {
                Ok(Other(Form {
                    about: text.to_owned(),
                    ..Form::default()
                }))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Other, A::Error> {
                Form::deserialize(MapAccessDeserializer::new(map)).map(Other)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// The one action of the three that may be written; `None` if there is none.
fn action(
    of: &str,
    argv: Option<Vec<String>>,
    native: Option<String>,
    manual: Option<String>,
) -> Result<Option<Action>, String> {
    if argv.as_ref().is_some_and(Vec::is_empty) {
        return Err(format!("{of}: argv is empty, name the program to run"));
    }
    match (argv, native, manual) {
        (None, None, None) => Ok(None),
        (Some(argv), None, None) => Ok(Some(Action::Argv(argv))),
        (None, Some(native), None) => Ok(Some(Action::Native(native))),
        (None, None, Some(manual)) => Ok(Some(Action::Manual(manual))),
        _ => Err(format!(
            "{of} has more than one of argv, native and manual: a step does one thing"
        )),
    }
}

/// What tells how it came out: what is said, else its postconditions, else of a manual step the person.
fn evidence(
    of: &str,
    action: &Action,
    post: &[Condition],
    said: Option<Evidence>,
) -> Result<Evidence, String> {
    let manual = matches!(action, Action::Manual(_));
    match said {
        None | Some(Evidence::Seen) if !post.is_empty() => Ok(Evidence::Seen),
        None if manual => Ok(Evidence::Hand),
        None | Some(Evidence::Seen) => Err(format!(
            "{of} has no post: nothing would be looked at to tell whether it worked. Name conditions, or write \
             evidence = \"exit\" to be told the exit code and no more"
        )),
        Some(_) if !post.is_empty() => Err(format!(
            "{of} has post and another evidence: what is observed decides, so take one of them away"
        )),
        Some(Evidence::Exit) if manual => Err(format!(
            "{of} is manual and has no exit code: leave evidence out"
        )),
        Some(Evidence::Hand | Evidence::Unreachable) if !manual => Err(format!(
            "{of}: only a manual step is told by a person, see evidence"
        )),
        Some(told) => Ok(told),
    }
}

/// A `destroy` step has a phrase, and no other step has one.
fn phrased(of: &str, risk: Risk, phrase: Option<&String>) -> Result<(), String> {
    if phrase.is_some() == (risk == Risk::Destroy) {
        return Ok(());
    }
    Err(format!(
        "{of}: a destroy step has a phrase that names what it takes down, and only a destroy step has one"
    ))
}

impl TryFrom<Row> for Step {
    type Error = String;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let of = format!("step {}", row.id);
        let done = action(&of, row.argv, row.native, row.manual)?.ok_or_else(|| {
            format!("{of} does nothing: give it argv, or manual = \"what a person does\"")
        })?;
        phrased(&of, row.risk, row.phrase.as_ref())?;
        let told = evidence(&of, &done, &row.post, row.evidence)?;
        let step = Self {
            id: row.id,
            title: row.title,
            guide: row.guide,
            risk: row.risk,
            action: done,
            about: row.about,
            ungraceful: None,
            way: Way::Graceful,
            phrase: row.phrase,
            needs: row.needs,
            pre: row.pre,
            post: row.post,
            evidence: told,
            hold: Duration::from_secs(row.hold),
            settle: row
                .settle
                .map_or(Duration::from_mins(5), Duration::from_secs),
            timeout: row
                .timeout
                .map_or(Duration::from_mins(30), Duration::from_secs),
            optional: row.optional,
            aside: row.aside,
            no_return: row.no_return,
            isolated: row.isolated,
            barred: false,
            own: false,
        };
        let ungraceful = row.ungraceful.map(|Other(form)| other(&step, form));
        Ok(Self {
            ungraceful: ungraceful.transpose()?,
            ..step
        })
    }
}

/// The ungraceful way, as far as it makes a step that holds by the same rules.
fn other(step: &Step, form: Form) -> Result<Ungraceful, String> {
    let of = format!("the ungraceful way of step {}", step.id);
    let mut other = Ungraceful {
        about: form.about,
        risk: form.risk,
        action: action(&of, form.argv, form.native, form.manual)?,
        phrase: form.phrase,
        pre: form.pre,
        post: form.post,
        evidence: step.evidence,
        settle: form.settle.map(Duration::from_secs),
    };
    if other.differs() {
        let then = other.applied(step);
        phrased(&of, then.risk, then.phrase.as_ref())?;
        other.evidence = evidence(&of, &then.action, &then.post, form.evidence)?;
    }
    Ok(other)
}
