//! The operator's own steps: `[runbook] file` of the plan, merged into the order of the embedded runbook.

use std::path::Path;

use serde::Deserialize as _;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{
    nearest::nearest,
    reader::{Reader, Span},
};
use crate::{
    incident::{Action, Runbook, Step, StepId},
    plan::Diagnostic,
};

/// Says of a text with placeholders what is wrong with them, if anything is.
pub type Placeholders<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A step of the operator's own, and where it goes.
struct Own {
    step: Step,
    anchor: Option<Anchor>,
    /// Where its id stands, for what is wrong with it as a whole.
    span: Span,
}

struct Anchor {
    after: bool,
    id: String,
    span: Span,
}

/// Merges the steps of a runbook file into a runbook.
///
/// # Errors
/// With every error found, each with line, column, offending text and remedy.
pub fn merge(
    base: &Runbook,
    path: &Path,
    text: &str,
    placeholders: Placeholders<'_>,
) -> Result<Runbook, Vec<Diagnostic>> {
    let mut reader = Reader::new(path, text);
    let (document, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        reader.syntax(&error.span().unwrap_or(0..0), error.message());
    }
    let own = steps(&mut reader, document.get_ref(), placeholders);
    let mut runbook = base.clone();
    // Where each own step was put, so that of two after one step the first stays the first.
    let mut put: Vec<(StepId, Option<String>)> = Vec::new();
    for own in own {
        insert(&mut reader, &mut runbook, &mut put, own);
    }
    runbook.steps.sort_by_key(|step| step.aside);
    match reader.finish() {
        (true, findings) => Err(findings),
        (false, _) => Ok(runbook),
    }
}

fn steps(
    reader: &mut Reader<'_>,
    document: &DeTable<'_>,
    placeholders: Placeholders<'_>,
) -> Vec<Own> {
    let mut own = Vec::new();
    for (key, value) in document {
        let ("step", DeValue::Array(rows)) = (key.get_ref().as_ref(), value.get_ref()) else {
            let message = format!("{:?} does not belong here", key.get_ref());
            let remedy = "a runbook file has [[step]] and nothing else";
            reader.error(&key.span(), message, remedy);
            continue;
        };
        own.extend(
            rows.iter()
                .filter_map(|row| step(reader, row, placeholders)),
        );
    }
    own
}

fn step(
    reader: &mut Reader<'_>,
    row: &Spanned<DeValue<'_>>,
    placeholders: Placeholders<'_>,
) -> Option<Own> {
    let mut whole = row.clone();
    let DeValue::Table(table) = whole.get_mut() else {
        reader.error(&row.span(), "step is no table", "write [[step]]");
        return None;
    };
    let spans = Spans::of(table, &row.span());
    let mut anchors = Vec::new();
    for (key, after) in [("after", true), ("before", false)] {
        let Some(value) = table.remove(key) else {
            continue;
        };
        let span = value.span();
        match value.get_ref() {
            DeValue::String(id) => anchors.push(Anchor {
                after,
                id: id.to_string(),
                span,
            }),
            _ => reader.error(
                &span,
                format!("{key} is no step id"),
                "write the id of a step",
            ),
        }
    }
    if let [_, second] = anchors.as_slice() {
        reader.error(
            &second.span,
            "a step goes after one step or before one, not both",
            "take one of them away",
        );
    }
    let step = match Step::deserialize(ValueDeserializer::from(whole)) {
        Ok(step) => Step { own: true, ..step },
        Err(error) => {
            let span = error
                .span()
                .filter(|span| !span.is_empty() && *span != row.span());
            reader.error(
                &span.unwrap_or_else(|| spans.id.clone()),
                error.message(),
                "assets/relight.toml has an example of a step with its keys",
            );
            return None;
        }
    };
    let own = Own {
        anchor: anchors.into_iter().next(),
        span: spans.id.clone(),
        step,
    };
    check(reader, &own.step, &spans, placeholders);
    Some(own)
}

/// Where the parts of a step stand.
struct Spans {
    id: Span,
    parts: Vec<(String, Span)>,
}

impl Spans {
    fn of(table: &DeTable<'_>, row: &Span) -> Self {
        let parts: Vec<(String, Span)> = table
            .iter()
            .map(|(key, value)| (key.get_ref().to_string(), value.span()))
            .collect();
        let id = parts.iter().find(|(key, _)| key == "id");
        Self {
            id: id.map_or_else(|| row.clone(), |(_, span)| span.clone()),
            parts,
        }
    }

    fn get(&self, key: &str) -> &Span {
        let part = self.parts.iter().find(|(known, _)| known == key);
        part.map_or(&self.id, |(_, span)| span)
    }
}

fn check(reader: &mut Reader<'_>, step: &Step, spans: &Spans, placeholders: Placeholders<'_>) {
    let other = step.ungraceful.as_ref();
    let actions = [
        Some((&step.action, None)),
        other.and_then(|other| Some((other.action.as_ref()?, Some("ungraceful")))),
    ];
    let mut texts: Vec<(&str, &str)> = Vec::new();
    for (action, table) in actions.into_iter().flatten() {
        match action {
            Action::Argv(argv) => {
                texts.extend(
                    argv.iter()
                        .map(|part| (table.unwrap_or("argv"), part.as_str())),
                );
            }
            Action::Manual(text) => texts.push((table.unwrap_or("manual"), text)),
            Action::Native(_) => reader.error(
                spans.get(table.unwrap_or("native")),
                "native steps are Relight's own",
                "give it argv = [\"program\", \"argument\"], or manual = \"what a person does\"",
            ),
        }
    }
    texts.extend(step.phrase.as_deref().map(|text| ("phrase", text)));
    let phrase = other.and_then(|other| other.phrase.as_deref());
    texts.extend(phrase.map(|text| ("ungraceful", text)));
    for (key, text) in texts {
        if let Some(wrong) = placeholders(text) {
            reader.error(
                spans.get(key),
                wrong,
                "placeholders are keys of the plan, such as {cluster.release} or {recovery.context}; {{ is a brace",
            );
        }
    }
}

fn insert(
    reader: &mut Reader<'_>,
    runbook: &mut Runbook,
    put: &mut Vec<(StepId, Option<String>)>,
    own: Own,
) {
    let id = own.step.id.clone();
    if let Some(other) = runbook.get(&id) {
        let whose = if other.own {
            "another step of this file"
        } else {
            "one of Relight's own steps"
        };
        reader.error(
            &own.span,
            format!("{id} is the id of {whose}"),
            "give it another id: the journal knows steps by it",
        );
        return;
    }
    let at = match &own.anchor {
        // At the end of the way, before the ways back.
        None => runbook
            .steps
            .iter()
            .position(|step| step.aside)
            .unwrap_or(runbook.steps.len()),
        Some(anchor) => {
            let Some(at) = runbook
                .steps
                .iter()
                .position(|step| step.id.as_str() == anchor.id)
            else {
                let known: Vec<&str> = runbook.steps.iter().map(|step| step.id.as_str()).collect();
                let remedy = nearest(&anchor.id, &known).map_or_else(
                    || format!("there are {}", known.join(", ")),
                    |near| format!("did you mean {near:?}?"),
                );
                reader.error(
                    &anchor.span,
                    format!("there is no step {:?}", anchor.id),
                    remedy,
                );
                return;
            };
            if anchor.after {
                let follows = |step: &Step| {
                    put.iter()
                        .any(|(id, after)| *id == step.id && after.as_deref() == Some(&anchor.id))
                };
                at + 1
                    + runbook.steps[at + 1..]
                        .iter()
                        .take_while(|step| follows(step))
                        .count()
            } else {
                at
            }
        }
    };
    let missing = own
        .step
        .needs
        .iter()
        .find(|need| !runbook.steps[..at].iter().any(|step| step.id == **need));
    if let Some(need) = missing {
        reader.error(
            &own.span,
            format!("{id} needs {need}, which does not come before it"),
            "put it after that step, or correct the name",
        );
        return;
    }
    let after = own.anchor.filter(|anchor| anchor.after);
    put.push((id, after.map(|anchor| anchor.id)));
    runbook.steps.insert(at, own.step);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(text: &str) -> Result<Runbook, Vec<Diagnostic>> {
        let base = Runbook::parse(Runbook::EMBEDDED).expect("the runbook");
        let placeholders = |text: &str| {
            text.contains("{wrong}")
                .then(|| "no such placeholder".to_owned())
        };
        merge(&base, Path::new("/etc/own.toml"), text, &placeholders)
    }

    fn row(id: &str, rest: &str) -> String {
        format!("[[step]]\nid = \"{id}\"\ntitle = \"{id}\"\nabout = \"Ours.\"\n{rest}\n")
    }

    #[test]
    fn own_steps_stand_where_they_say_in_the_order_of_the_file() {
        let hand = "risk = \"change\"\nmanual = \"do\"";
        let text = [
            row("first", &format!("{hand}\nafter = \"install\"")),
            row(
                "second",
                &format!("{hand}\nafter = \"install\"\nneeds = [\"first\"]"),
            ),
            row("early", &format!("{hand}\nbefore = \"verify-backups\"")),
            row("back", &format!("{hand}\naside = true")),
            row("last", hand),
        ]
        .concat();
        let runbook = merged(&text).expect("sound");
        let ids: Vec<&str> = runbook.steps.iter().map(|step| step.id.as_str()).collect();
        let place = |id: &str| ids.iter().position(|known| *known == id).expect(id);
        assert_eq!(place("early"), 0);
        assert_eq!(place("verify-backups"), 1);
        assert_eq!(place("first"), place("install") + 1);
        assert_eq!(place("second"), place("install") + 2);
        let aside: Vec<bool> = runbook.steps.iter().map(|step| step.aside).collect();
        assert!(aside[place("back")] && aside.is_sorted(), "{ids:?}");
        assert!(place("last") < place("back") && place("last") > place("confirm-ping"));
        assert!(runbook.steps[0].own && !runbook.steps[1].own);
    }

    #[test]
    fn every_error_is_told_at_its_place() {
        let good = "risk = \"look\"\nargv = [\"true\"]\nevidence = \"exit\"";
        let cases = [
            (row("install", good), 2, "one of Relight's own steps"),
            (
                row("one", good) + &row("one", good),
                9,
                "another step of this file",
            ),
            (
                row("one", &format!("{good}\nafter = \"instal\"")),
                8,
                "did you mean \"install\"?",
            ),
            (
                row(
                    "one",
                    &format!("{good}\nafter = \"install\"\nbefore = \"install\""),
                ),
                9,
                "not both",
            ),
            (
                row("one", "risk = \"look\"\nargv = [\"true\"]"),
                2,
                "has no post",
            ),
            (
                row(
                    "one",
                    "risk = \"destroy\"\nargv = [\"rm\"]\nevidence = \"exit\"",
                ),
                2,
                "has a phrase",
            ),
            (
                row(
                    "one",
                    "risk = \"look\"\nargv = [\"{wrong}\"]\nevidence = \"exit\"",
                ),
                6,
                "no such placeholder",
            ),
            (
                row(
                    "one",
                    "risk = \"look\"\nnative = \"switch-dns\"\npost = [\"pods-ready\"]",
                ),
                6,
                "Relight's own",
            ),
            (row("one", "risk = \"lok\"\nargv = [\"a\"]"), 5, "lok"),
            (row("one", &format!("{good}\ncolour = 1")), 8, "colour"),
            (
                row(
                    "one",
                    &format!("{good}\nneeds = [\"install\"]\nbefore = \"install\""),
                ),
                2,
                "does not come before it",
            ),
            (
                "[[stepp]]\nid = \"one\"\n".to_owned(),
                1,
                "[[step]] and nothing else",
            ),
            ("[[step]\n".to_owned(), 1, "this is not TOML"),
        ];
        for (text, line, told) in cases {
            let found = merged(&text).expect_err(told);
            let fits = |one: &Diagnostic| {
                one.line == line && format!("{} {}", one.message, one.remedy).contains(told)
            };
            assert!(found.iter().any(fits), "{told} in line {line}: {found:#?}");
        }
    }
}
