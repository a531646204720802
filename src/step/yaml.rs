//! Setting scalars in a YAML text without touching anything else.

use std::{collections::BTreeMap, ops::Range};

use crate::incident::outline::{Form, Mapping, Outline, Path};

/// One replacement of bytes.
struct Edit {
    at: Range<usize>,
    text: String,
}

/// A path with the value it is to have.
pub type Setting = (Path, String);

/// The text with the scalars at these paths set. Comments, order, quotes and line ends stay as they are; a missing key
/// is put before the first of its mapping, a missing mapping of the top level at the end.
///
/// # Errors
/// In words, if a path holds something other than one plain scalar, or the result would not say exactly what was wanted.
pub fn set(text: &str, values: &[Setting]) -> Result<String, String> {
    let before = Outline::read(text)?;
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut edits = Vec::new();
    let mut missing: BTreeMap<&[String], Vec<&Setting>> = BTreeMap::new();
    for setting in values {
        let (path, value) = setting;
        if before.mappings.contains_key(path) || before.lists.contains(path) {
            return Err(format!(
                "{} is not a single value; write it as one",
                path.join(".")
            ));
        }
        let Some(scalar) = before.scalars.get(path) else {
            let parent = path.split_last().map_or(&[][..], |(_, parent)| parent);
            missing.entry(parent).or_default().push(setting);
            continue;
        };
        let new = match scalar.form {
            Form::Block => {
                return Err(format!(
                    "{} is written over several lines; write it on one",
                    path.join(".")
                ));
            }
            Form::Alias => {
                return Err(format!(
                    "{} is an alias; write its value out",
                    path.join(".")
                ));
            }
            Form::Single => single(value),
            Form::Double => double(value),
            // What is a switch stays one: in quotes it would be a text, which Helm takes for true.
            Form::Plain if is_switch(&scalar.value) && is_switch(value) => value.clone(),
            Form::Plain => plain(value),
        };
        if scalar.value == *value {
            continue;
        }
        if anchored(text, scalar.span.start) {
            return Err(format!(
                "{} is an anchor that other places refer to; they would change with it, so write it without one",
                path.join(".")
            ));
        }
        if scalar.span.is_empty() {
            // `region:` and nothing: the value goes right behind the colon, before a comment.
            let colon = text[scalar.key.end..]
                .find(':')
                .ok_or("a key without a colon")?;
            let at = scalar.key.end + colon + 1;
            edits.push(Edit {
                at: at..at,
                text: format!(" {new}"),
            });
        } else {
            edits.push(Edit {
                at: scalar.span.clone(),
                text: new,
            });
        }
    }
    for (parent, missing) in &missing {
        edits.push(insert(text, &before, parent, missing, line_end)?);
    }
    edits.sort_by_key(|edit| edit.at.start);
    let mut new = text.to_owned();
    for edit in edits.iter().rev() {
        new.replace_range(edit.at.clone(), &edit.text);
    }
    prove(&before, &new, values)?;
    Ok(new)
}

/// The text with an empty section, `{}`, wherever one of these paths has none to lie in.
///
/// # Errors
/// In words, if something else is where a section is to be, or the text is none that can be added to.
pub fn sections<'a>(
    text: &str,
    paths: impl IntoIterator<Item = &'a Path>,
) -> Result<String, String> {
    let mut text = text.to_owned();
    for path in paths {
        let parent = path.split_last().map_or(&[][..], |(_, parent)| parent);
        let outline = Outline::read(&text)?;
        let deepest = (0..=parent.len())
            .rev()
            .find(|depth| outline.mappings.contains_key(&parent[..*depth]))
            .ok_or("a text without keys is no values file")?;
        let Some((key, rest)) = parent[deepest..].split_first() else {
            continue;
        };
        let nested = rest.iter().rev().fold("{}".to_owned(), |inner, key| {
            format!("{{{}: {inner}}}", plain(key))
        });
        let taken = &parent[..=deepest];
        if let Some(scalar) = outline.scalars.get(taken) {
            if !scalar.span.is_empty() {
                return Err(format!(
                    "{} is a single value instead of a section",
                    taken.join(".")
                ));
            }
            let colon = text[scalar.key.end..].find(':');
            let at = scalar.key.end + colon.ok_or("a key without a colon")? + 1;
            text.insert_str(at, &format!(" {nested}"));
            continue;
        }
        if outline.lists.iter().any(|list| list == taken) {
            return Err(format!("{} is a list", taken.join(".")));
        }
        let Some(mapping) = outline.mappings.get(&parent[..deepest]) else {
            continue;
        };
        let entry = format!("{}: {nested}", plain(key));
        if mapping.flow {
            let at = mapping.start + 1;
            let empty = text[at..].trim_start().starts_with('}');
            let joint = if empty { "" } else { ", " };
            text.insert_str(at, &format!("{entry}{joint}"));
        } else {
            let at = mapping
                .start
                .checked_sub(mapping.column)
                .ok_or("a mapping without an indent")?;
            let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
            text.insert_str(
                at,
                &format!("{}{entry}{line_end}", " ".repeat(mapping.column)),
            );
        }
    }
    Ok(text)
}

/// Puts keys that are not there into the mapping at `parent`.
fn insert(
    text: &str,
    before: &Outline,
    parent: &[String],
    missing: &[&Setting],
    line_end: &str,
) -> Result<Edit, String> {
    let name = parent.join(".");
    if let Some(Mapping {
        flow,
        start,
        column,
    }) = before.mappings.get(parent)
    {
        if *flow {
            let empty = text[start + 1..].trim_start().starts_with('}');
            let list: Vec<String> = missing.iter().map(|setting| pair(setting)).collect();
            let joint = if empty { "" } else { ", " };
            return Ok(Edit {
                at: start + 1..start + 1,
                text: format!("{}{joint}", list.join(", ")),
            });
        }
        let at = start
            .checked_sub(*column)
            .ok_or("a mapping without an indent")?;
        return Ok(Edit {
            at: at..at,
            text: lines(missing, *column, line_end),
        });
    }
    if before.lists.iter().any(|list| list == parent) {
        return Err(format!("{name} is a list"));
    }
    match before.scalars.get(parent) {
        Some(scalar) if scalar.span.is_empty() => {
            // `aws:` and nothing under it: the keys go on the lines that follow.
            let rest = &text[scalar.key.end..];
            let at = rest
                .find('\n')
                .map_or(text.len(), |end| scalar.key.end + end + 1);
            let lead = if text[..at].ends_with('\n') {
                ""
            } else {
                line_end
            };
            let own = text[..scalar.key.start]
                .rfind('\n')
                .map_or(scalar.key.start, |end| scalar.key.start - end - 1);
            Ok(Edit {
                at: at..at,
                text: format!("{lead}{}", lines(missing, own + 2, line_end)),
            })
        }
        Some(_) => Err(format!("{name} is a single value instead of a section")),
        None if parent.len() != 1 => Err(format!(
            "there is no section {name} to put {} into; add it",
            missing[0].0.join(".")
        )),
        None => {
            if before
                .mappings
                .get(&Path::new())
                .is_some_and(|mapping| mapping.flow)
            {
                return Err(format!(
                    "{name} is missing in a file written as {{…}}; add it"
                ));
            }
            let lead = if text.is_empty() || text.ends_with('\n') {
                ""
            } else {
                line_end
            };
            let text_new = format!("{lead}{name}:{line_end}{}", lines(missing, 2, line_end));
            Ok(Edit {
                at: text.len()..text.len(),
                text: text_new,
            })
        }
    }
}

/// `key: value`
fn pair((path, value): &Setting) -> String {
    let key = path.last().map(String::as_str).unwrap_or_default();
    format!("{}: {}", plain(key), plain(value))
}

fn lines(missing: &[&Setting], indent: usize, line_end: &str) -> String {
    let pad = " ".repeat(indent);
    missing
        .iter()
        .map(|setting| [pad.as_str(), &pair(setting), line_end].concat())
        .collect()
}

/// Reads the result again: the wanted values, and nothing else differs.
fn prove(before: &Outline, new: &str, values: &[Setting]) -> Result<(), String> {
    let after =
        Outline::read(new).map_err(|error| format!("the result would not be YAML: {error}"))?;
    let ours = |path: &Path| values.iter().any(|(ours, _)| path == ours);
    // An empty section that was given its first key.
    let made = |path: &Path| {
        values
            .iter()
            .any(|(ours, _)| ours.split_last().is_some_and(|(_, parent)| path == parent))
    };
    for (path, value) in values {
        if after.scalars.get(path).map(|scalar| scalar.value.as_str()) != Some(value.as_str()) {
            return Err(format!(
                "{} could not be set safely; edit it by hand",
                path.join(".")
            ));
        }
    }
    let others = |outline: &Outline| -> Vec<(Path, String)> {
        outline
            .all
            .iter()
            .filter(|(path, value)| !(ours(path) || made(path) && value.is_empty()))
            .cloned()
            .collect()
    };
    if others(before) == others(&after) {
        Ok(())
    } else {
        Err("something else would change with these values; edit the file by hand".to_owned())
    }
}

/// Whether an anchor (`&name`) stands right before a scalar on its line.
fn anchored(text: &str, start: usize) -> bool {
    let line = text[..start].rfind('\n').map_or(0, |end| end + 1);
    text[line..start]
        .split_whitespace()
        .next_back()
        .is_some_and(|word| word.starts_with('&'))
}

/// Whether a plain scalar is true or false.
fn is_switch(value: &str) -> bool {
    matches!(value, "true" | "false")
}

/// Without quotes where that says the same, in single quotes otherwise.
fn plain(value: &str) -> String {
    let mut bytes = value.bytes();
    let safe = bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let word = matches!(
        value.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    if safe && !word {
        value.to_owned()
    } else {
        single(value)
    }
}

fn single(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

fn double(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wanted() -> Vec<Setting> {
        [
            ("region", "us-west-2"),
            ("backendTable", "state-dr"),
            ("auditLogTable", "audit-dr"),
            ("sessionRecordingBucket", "rec-dr"),
        ]
        .map(|(key, value)| (vec!["aws".to_owned(), key.to_owned()], value.to_owned()))
        .into()
    }

    fn at(path: &[&str], value: &str) -> Setting {
        (
            path.iter().map(|&part| part.to_owned()).collect(),
            value.to_owned(),
        )
    }

    #[test]
    fn deep_paths_and_keys_with_dots_and_slashes() {
        let text = "annotations:\n  serviceAccount:\n    eks.amazonaws.com/role-arn: arn:aws:iam::1:role/old # who\n  ingress: {\"alb.ingress.kubernetes.io/certificate-arn\": \"a,b\"}\nhighAvailability:\n  certManager:\n    enabled: true\nempty:\n  deep:\n";
        let wanted = [
            at(
                &[
                    "annotations",
                    "serviceAccount",
                    "eks.amazonaws.com/role-arn",
                ],
                "arn:aws:iam::1:role/new",
            ),
            at(
                &[
                    "annotations",
                    "ingress",
                    "alb.ingress.kubernetes.io/certificate-arn",
                ],
                "c,b",
            ),
            at(&["highAvailability", "certManager", "issuerName"], "dr"),
            at(&["empty", "deep", "a/b"], "x"),
        ];
        let new = "annotations:\n  serviceAccount:\n    eks.amazonaws.com/role-arn: 'arn:aws:iam::1:role/new' # who\n  ingress: {\"alb.ingress.kubernetes.io/certificate-arn\": \"c,b\"}\nhighAvailability:\n  certManager:\n    issuerName: dr\n    enabled: true\nempty:\n  deep:\n    'a/b': x\n";
        assert_eq!(set(text, &wanted).as_deref(), Ok(new));
        let why = set(text, &[at(&["no", "such", "key"], "x")]).expect_err("no section");
        assert!(why.contains("no section no.such"), "{why}");
    }

    #[test]
    fn switches_stay_switches_and_sections_come_where_there_are_none() {
        let text =
            "operator:\n  enabled: true\naws: {region: a}\nannotations:\nquoted: {on: \"true\"}\n";
        let wanted = [
            at(&["operator", "enabled"], "false"),
            at(&["quoted", "on"], "false"),
            at(&["auth", "teleportConfig", "storage", "uri"], "s3://b/p"),
            at(&["annotations", "service", "x/y"], "z"),
            at(&["annotations", "ingress", "x/y"], "z"),
            at(&["aws", "deep", "key"], "v"),
        ];
        let made = sections(text, wanted.iter().map(|(path, _)| path)).expect("sections");
        let new = set(&made, &wanted).expect("set");
        let expected = "auth: {teleportConfig: {storage: {uri: 's3://b/p'}}}\noperator:\n  enabled: false\n\
            aws: {deep: {key: v}, region: a}\nannotations: {ingress: {'x/y': z}, service: {'x/y': z}}\nquoted: {on: \"false\"}\n";
        assert_eq!(new, expected);
        let deep = at(&["operator", "enabled", "deeper"], "x").0;
        let why = sections(text, [&deep]).expect_err("no section");
        assert!(why.contains("operator.enabled is a single value"), "{why}");
    }

    #[test]
    fn golden_texts() {
        let cases = [
            // comments, quotes, order
            (
                "# top\nclusterName: a.b # name\naws: # where\n  auditLogTable: audit # two\n  # one\n  backendTable: 'state'\n  region: \"us-east-1\"   # r\n  sessionRecordingBucket: rec\n  backups: true\nproxy:\n- x\n",
                "# top\nclusterName: a.b # name\naws: # where\n  auditLogTable: audit-dr # two\n  # one\n  backendTable: 'state-dr'\n  region: \"us-west-2\"   # r\n  sessionRecordingBucket: rec-dr\n  backups: true\nproxy:\n- x\n",
            ),
            // missing keys, an empty one, CRLF
            (
                "aws:\r\n    # c\r\n    region: # here\r\n    backups: true\r\n",
                "aws:\r\n    # c\r\n    backendTable: state-dr\r\n    auditLogTable: audit-dr\r\n    sessionRecordingBucket: rec-dr\r\n    region: us-west-2 # here\r\n    backups: true\r\n",
            ),
            // no section, no final line end
            (
                "chartMode: aws",
                "chartMode: aws\naws:\n  region: us-west-2\n  backendTable: state-dr\n  auditLogTable: audit-dr\n  sessionRecordingBucket: rec-dr\n",
            ),
            // an empty section
            (
                "aws: # later\nx: 1\n",
                "aws: # later\n  region: us-west-2\n  backendTable: state-dr\n  auditLogTable: audit-dr\n  sessionRecordingBucket: rec-dr\nx: 1\n",
            ),
            // flow
            (
                "aws: {region: us-east-1, backups: true}\n",
                "aws: {backendTable: state-dr, auditLogTable: audit-dr, sessionRecordingBucket: rec-dr, region: us-west-2, backups: true}\n",
            ),
            (
                "aws: {}\n",
                "aws: {region: us-west-2, backendTable: state-dr, auditLogTable: audit-dr, sessionRecordingBucket: rec-dr}\n",
            ),
            // a multi-byte character before
            (
                "# schön — ✓\naws:\n  region: eu\n  backendTable: s\n  auditLogTable: a\n  sessionRecordingBucket: r\n",
                "# schön — ✓\naws:\n  region: us-west-2\n  backendTable: state-dr\n  auditLogTable: audit-dr\n  sessionRecordingBucket: rec-dr\n",
            ),
        ];
        for (old, new) in cases {
            assert_eq!(set(old, &wanted()).as_deref(), Ok(new), "{old}");
            assert_eq!(set(new, &wanted()).as_deref(), Ok(new), "again: {new}");
        }
    }

    #[test]
    fn what_cannot_be_set_safely_is_refused() {
        for (text, words) in [
            ("aws: [a]\n", "is a list"),
            ("aws: text\n", "instead of a section"),
            ("aws:\n  region: {a: b}\n", "not a single value"),
            ("aws:\n  region: |\n    x\n", "several lines"),
            ("r: &r x\naws:\n  region: *r\n", "alias"),
            ("aws:\n  region: &r x\nother: *r\n", "anchor"),
            ("aws:\n  region: a\n  region: b\n", "twice"),
            ("{a: b}\n", "written as {"),
        ] {
            let why = set(text, &wanted()).expect_err(text);
            assert!(why.contains(words), "{text:?}: {why}");
        }
    }

    #[test]
    fn values_that_yaml_would_read_as_something_else_are_quoted() {
        for value in [
            "123", "1e3", "no", "null", "true", "a: b", "it's", "#x", "", "-",
        ] {
            let text = format!("k: {}\n", plain(value));
            let outline = Outline::read(&text).expect("YAML");
            let scalar = &outline.scalars[&vec!["k".to_owned()]];
            assert_eq!((scalar.value.as_str(), scalar.form), (value, Form::Single));
        }
    }

    fn section() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            "[ ]{0,3}#[ -~]{0,20}".prop_map(|comment| format!("{comment}\n")),
            Just("\n".to_owned()),
            ("[a-c]{1,3}", "[a-z]{0,5}")
                .prop_map(|(key, value)| format!("  other{key}: {value}\n")),
            Just("  region: us-east-1 # r\n".to_owned()),
            Just("  backendTable: 'x'\n".to_owned()),
            Just("  auditLogTable: \"y\"\n".to_owned()),
            Just("  sessionRecordingBucket:\n".to_owned()),
            Just("  list:\n  - region: inner\n  - \"#no\"\n".to_owned()),
            Just("  deep:\n    aws: {region: inner}\n".to_owned()),
        ];
        (
            prop::collection::vec(line, 0..12),
            "[a-z]{1,4}",
            any::<bool>(),
        )
            .prop_map(|(lines, tail, first)| {
                let aws = format!("aws:\n{}", lines.concat());
                if first {
                    format!("{aws}tail: {tail}\n")
                } else {
                    format!("head: {tail} # h\n{aws}")
                }
            })
    }

    proptest! {
        #[test]
        fn comments_and_untouched_lines_never_change(text in section()) {
            let Ok(new) = set(&text, &wanted()) else { return Ok(()) };
            let touched = |line: &str| wanted().iter().any(|(path, _)| line.trim_start().starts_with(&path[1]));
            let rest = |text: &str| text.lines().filter(|line| !touched(line)).map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(rest(&text), rest(&new));
            let outline = Outline::read(&new).expect("YAML");
            for (path, value) in wanted() {
                prop_assert_eq!(outline.scalars.get(&path).map(|scalar| &scalar.value), Some(&value));
            }
            let comments = |text: &str| text.matches('#').count();
            prop_assert_eq!(comments(&text), comments(&new));
        }
    }
}
