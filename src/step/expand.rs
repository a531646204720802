//! `{cluster.release}` → what the plan says.
//!
//! | written | means |
//! |---|---|
//! | `{cluster.release}` | the plan's value; without one the step is locked, by a sentence that names the key |
//! | `{primary.kubeconfig?}` | optional: without a value the whole argument is left out, and with it the option (`-…`) right before it if the argument is nothing but the placeholder |
//! | `{{`, `}}` | a brace |
//!
//! So `"--kubeconfig", "{primary.kubeconfig?}"` is there as a pair or not at all, and nothing else is ever dropped.

use std::path::Path;

use thiserror::Error;

use crate::plan::{Plan, RegionPlan};

/// Why a step's argv or phrase cannot be filled in: a full sentence, used to lock the step.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExpandError {
    /// The plan lacks values.
    #[error("the plan does not say {}: add {} to {plan}", .keys.join(", "), if .keys.len() == 1 { "it" } else { "them" })]
    Missing {
        /// The keys as the plan writes them: `cluster.version`, `primary.kube.context`.
        keys: Vec<String>,
        /// Path of the plan.
        plan: String,
    },
    /// A value would be taken for an option of the program.
    #[error(
        "{key} is {value:?} in the plan, which the program would take for an option: choose a value that does not begin with a hyphen"
    )]
    Option {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// The runbook uses a placeholder that there is not.
    #[error(
        "the runbook uses {0:?}, which is no placeholder: correct assets/runbook.toml (src/step/expand.rs lists them)"
    )]
    Unknown(String),
}

/// One place to be filled in.
struct Place<'a> {
    name: &'a str,
    optional: bool,
}

/// A template taken apart.
enum Piece<'a> {
    Text(&'a str),
    Place(Place<'a>),
}

/// Fills in an argv.
///
/// # Errors
/// With every key that the plan lacks, at once; or if the runbook or a value is wrong.
pub fn argv(template: &[String], plan: &Plan) -> Result<Vec<String>, ExpandError> {
    let mut done: Vec<String> = Vec::with_capacity(template.len());
    let mut missing = Vec::new();
    // Whether the element before is an option as written in the runbook, and was kept.
    let mut option = false;
    for element in template {
        let pieces = pieces(element)?;
        let alone = matches!(pieces.as_slice(), [Piece::Place(_)]);
        let filled = fill(&pieces, plan, &mut missing)?;
        let Some(filled) = filled else {
            if alone && option {
                done.pop();
            }
            option = false;
            continue;
        };
        if let [Piece::Place(place)] = pieces.as_slice()
            && filled.starts_with('-')
        {
            return Err(ExpandError::Option {
                key: key(place.name),
                value: filled,
            });
        }
        option = !alone && element.starts_with('-');
        done.push(filled);
    }
    if missing.is_empty() {
        Ok(done)
    } else {
        Err(lacking(missing, plan))
    }
}

/// Fills in a text, such as the phrase of a `destroy` step. An optional place without a value becomes nothing.
///
/// # Errors
/// As [`argv`].
pub fn text(template: &str, plan: &Plan) -> Result<String, ExpandError> {
    let mut missing = Vec::new();
    let filled = fill(&pieces(template)?, plan, &mut missing)?;
    if missing.is_empty() {
        Ok(filled.unwrap_or_default())
    } else {
        Err(lacking(missing, plan))
    }
}

/// The first placeholder of a text that there is not, in words; `None` if all are known, whether the plan has values for
/// them or not.
#[must_use]
pub fn unknown(template: &str, plan: &Plan) -> Option<String> {
    match text(template, plan) {
        Err(ExpandError::Unknown(what)) => Some(format!("{what:?} is no placeholder")),
        _ => None,
    }
}

fn lacking(mut keys: Vec<String>, plan: &Plan) -> ExpandError {
    keys.sort();
    keys.dedup();
    ExpandError::Missing {
        keys,
        plan: plan.path.display().to_string(),
    }
}

/// `None` if an optional place has no value.
fn fill(
    pieces: &[Piece<'_>],
    plan: &Plan,
    missing: &mut Vec<String>,
) -> Result<Option<String>, ExpandError> {
    let mut filled = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Place(place) => match value(place.name, plan)? {
                Some(value) => filled.push_str(&value),
                None if place.optional => return Ok(None),
                None => missing.push(key(place.name)),
            },
        }
    }
    Ok(Some(filled))
}

fn pieces(template: &str) -> Result<Vec<Piece<'_>>, ExpandError> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        if from.starts_with("{{") || from.starts_with("}}") {
            pieces.push(Piece::Text(&from[..1]));
            rest = &from[2..];
            continue;
        }
        let name = from
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'));
        let Some((name, after)) = name else {
            return Err(ExpandError::Unknown(template.to_owned()));
        };
        pieces.push(Piece::Place(Place {
            name: name.trim_end_matches('?'),
            optional: name.ends_with('?'),
        }));
        rest = after;
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// The key of a placeholder as the plan writes it.
fn key(name: &str) -> String {
    match name.split_once('.') {
        Some((side, field @ ("context" | "kubeconfig" | "uid"))) => format!("{side}.kube.{field}"),
        _ => name.to_owned(),
    }
}

fn value(name: &str, plan: &Plan) -> Result<Option<String>, ExpandError> {
    let unknown = || ExpandError::Unknown(format!("{{{name}}}"));
    let (table, field) = name.split_once('.').ok_or_else(unknown)?;
    let cluster = &plan.cluster;
    let value = match (table, field) {
        ("cluster", "name") => Some(cluster.name.clone()),
        ("cluster", "release") => Some(cluster.release.clone()),
        ("cluster", "namespace") => Some(cluster.namespace.clone()),
        ("cluster", "chart") => Some(cluster.chart.clone()),
        ("cluster", "version") => cluster.version.clone(),
        ("cluster", "values") => path(cluster.values.as_deref()),
        ("cluster", "port") => Some(cluster.port.to_string()),
        ("tools", "helm") => Some(plan.tools.helm.clone()),
        ("tools", "kubectl") => Some(plan.tools.kubectl.clone()),
        ("dns", "zone") => plan.dns.zone.clone(),
        ("dns", "zone_id") => plan.dns.zone_id.clone(),
        ("dns", "arc") => plan.dns.arc.as_ref().map(|arc| arc.on.join(", ")),
        ("primary", _) => region(&plan.primary, field, unknown)?,
        ("recovery", _) => region(&plan.recovery, field, unknown)?,
        _ => return Err(unknown()),
    };
    // An empty value is none: `--kube-context ""` would mean the current one.
    Ok(value.filter(|value| !value.is_empty()))
}

fn region(
    region: &RegionPlan,
    field: &str,
    unknown: impl FnOnce() -> ExpandError,
) -> Result<Option<String>, ExpandError> {
    Ok(match field {
        "region" => Some(region.region.clone()),
        "account" => region.account.clone(),
        "profile" => region.profile.clone(),
        "role" => region.role.clone(),
        "context" => region.kube.context.clone(),
        "kubeconfig" => path(region.kube.kubeconfig.as_deref()),
        "uid" => region.kube.uid.clone(),
        "state_table" => region.state_table.clone(),
        "audit_table" => region.audit_table.clone(),
        "recordings_bucket" => region.bucket.clone(),
        "backup_vault" => region.backup_vault.clone(),
        "backup_role" => region.backup_role.clone(),
        "certificate" => region.certificate.clone(),
        "values" => path(region.values.as_deref()),
        _ => return Err(unknown()),
    })
}

fn path(path: Option<&Path>) -> Option<String> {
    path.map(|path| path.to_string_lossy().into_owned())
}

/// An argv as one line that a shell would take back: for reading, never for running.
#[must_use]
pub fn shown(argv: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    let words: Vec<String> = argv
        .iter()
        .map(|word| {
            if !word.is_empty() && word.chars().all(plain) {
                word.clone()
            } else {
                format!("'{}'", word.replace('\'', r"'\''"))
            }
        })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        incident::{Action, Runbook},
        plan::sample::plan,
    };

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn words_that_a_shell_would_split_are_quoted() {
        let argv = ["a b", "", "it's", "--x=y"].map(str::to_owned);
        assert_eq!(shown(&argv), r"'a b' '' 'it'\''s' --x=y");
    }

    #[test]
    fn places_are_filled_in_and_optional_pairs_come_or_go_together() {
        let mut plan = plan();
        let template = words(&[
            "{tools.helm}",
            "uninstall",
            "{cluster.release}",
            "--kubeconfig",
            "{primary.kubeconfig?}",
            "--set=a={{b}}",
            "--wait",
        ]);
        let with = argv(&template, &plan).expect("filled in");
        assert_eq!(
            with,
            [
                "helm",
                "uninstall",
                "teleport-cluster",
                "--kubeconfig",
                "/etc/kube/east",
                "--set=a={b}",
                "--wait"
            ]
        );
        plan.primary.kube.kubeconfig = None;
        let without = argv(&template, &plan).expect("filled in");
        assert_eq!(
            without,
            [
                "helm",
                "uninstall",
                "teleport-cluster",
                "--set=a={b}",
                "--wait"
            ]
        );
    }

    #[test]
    fn an_optional_place_takes_no_more_than_its_own_option_along() {
        let mut plan = plan();
        plan.recovery.kube.kubeconfig = None;
        let template = words(&[
            "a",
            "{recovery.kubeconfig?}",
            "-x",
            "--k={recovery.kubeconfig?}",
        ]);
        assert_eq!(argv(&template, &plan), Ok(words(&["a", "-x"])));
    }

    #[test]
    fn whatever_is_missing_is_named_at_once_by_the_plans_keys() {
        let mut plan = plan();
        plan.cluster.version = None;
        plan.primary.kube.context = Some(String::new());
        let template = words(&["{cluster.version}", "--kube-context", "{primary.context}"]);
        let sentence = argv(&template, &plan).expect_err("missing").to_string();
        assert_eq!(
            sentence,
            "the plan does not say cluster.version, primary.kube.context: add them to /etc/relight.toml"
        );
        let phrase = text("uninstall {cluster.release} in {primary.context}", &plan);
        assert!(
            matches!(phrase, Err(ExpandError::Missing { keys, .. }) if keys == ["primary.kube.context"])
        );
    }

    #[test]
    fn a_value_cannot_become_an_option_and_unknown_places_are_errors() {
        let mut plan = plan();
        plan.cluster.release = "--all".to_owned();
        assert!(matches!(
            argv(&words(&["{cluster.release}"]), &plan),
            Err(ExpandError::Option { .. })
        ));
        for wrong in ["{cluster.nothing}", "{primary.nothing}", "{", "a}b", "{x}"] {
            assert!(
                matches!(text(wrong, &plan), Err(ExpandError::Unknown(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn every_step_of_the_runbook_can_be_filled_in_from_a_full_plan() {
        let plan = plan();
        let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the runbook");
        for step in &runbook.steps {
            if let Action::Argv(template) = &step.action {
                let argv = argv(template, &plan).expect("filled in");
                assert!(
                    argv.iter().all(|word| !word.contains(['{', '}'])),
                    "{argv:?}"
                );
            }
            if let Some(phrase) = &step.phrase {
                assert!(text(phrase, &plan).is_ok_and(|phrase| !phrase.contains('{')));
            }
        }
    }
}
