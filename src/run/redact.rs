//! Taking secrets out of lines.

use std::{borrow::Cow, collections::BTreeMap};

use aho_corasick::{AhoCorasick, MatchKind};

use super::{
    pem::{self, Part, Pem},
    rules::{PRIVATE_KEY, Rules, Span},
};

/// Shortest value of an own variable that counts as a secret.
const OWN_MIN: usize = 8;
/// Own values are looked for in pieces of this many bytes, so that none is longer than what a cut line keeps.
const OWN_PIECE: usize = 1024;

/// Takes secrets out: by what they look like, and the values of this process's own environment by themselves.
#[derive(Debug)]
pub struct Redactor {
    own: Option<AhoCorasick>,
    rules: Option<&'static Rules>,
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rules")
    }
}

impl Redactor {
    /// A redactor that also knows these values as secrets. Those under eight bytes are passed over: they would take
    /// ordinary words out.
    pub fn new<'a>(own: impl IntoIterator<Item = &'a str>) -> Self {
        let pieces: Vec<&[u8]> = own
            .into_iter()
            .flat_map(str::lines)
            .map(str::trim)
            .filter(|value| value.len() >= OWN_MIN)
            .flat_map(|value| value.as_bytes().chunks(OWN_PIECE))
            .filter(|piece| piece.len() >= OWN_MIN)
            .collect();
        let own = (!pieces.is_empty())
            .then(|| {
                AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostLongest)
                    .build(&pieces)
                    .ok()
            })
            .flatten();
        Self {
            own,
            rules: Rules::get(),
        }
    }

    /// A redactor that knows the secrets of this process's environment: variables whose names say that they hold one.
    #[must_use]
    pub fn of_environment() -> Self {
        Self::of_environment_and(&BTreeMap::new())
    }

    /// As [`Redactor::of_environment`], with variables that a child gets on top.
    #[must_use]
    pub fn of_environment_and(more: &BTreeMap<String, String>) -> Self {
        let secrets: Vec<String> = std::env::vars_os()
            .map(|(name, value)| {
                let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
                (text(name), text(value))
            })
            .chain(more.clone())
            .filter(|(name, _)| names_a_secret(name))
            .map(|(_, value)| value)
            .collect();
        Self::new(secrets.iter().map(String::as_str))
    }

    /// Where the next line that may hold a secret has what makes it one, at or after `from`.
    pub(super) fn next(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let Some(rules) = self.rules else {
            // Without rules nothing may pass as harmless.
            return (from < bytes.len()).then_some(from);
        };
        let by_rule = rules.next(bytes, from);
        let Some(own) = &self.own else {
            return by_rule;
        };
        // Behind the rule's hit there is no need to look.
        let until = by_rule.map_or(bytes.len(), |at| {
            memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |line| at + line)
        });
        let input = aho_corasick::Input::new(bytes).range(from..until);
        let by_value = own.find(input).map(|found| found.start());
        match (by_rule, by_value) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        }
    }

    /// The secrets of a line in order, none overlapping another, and the state of a key's block that it leaves open.
    pub(super) fn spans(&self, line: &[u8]) -> (Vec<Span>, Option<Pem>) {
        let mut spans = Vec::new();
        let mut open = None;
        let Some(rules) = self.rules else {
            spans.push(Span {
                from: 0,
                start: 0,
                end: line.trim_ascii_end().len(),
                kind: "line: Relight's rules are broken",
            });
            return (spans, None);
        };
        rules.spans(line, &mut spans);
        if let Some(own) = &self.own {
            spans.extend(own.find_iter(line).map(|found| Span {
                from: found.start(),
                start: found.start(),
                end: found.end(),
                kind: "own secret",
            }));
        }
        // The marker alone is no secret: what follows is, up to the end's marker or the end of the line.
        for span in &mut spans {
            if span.kind == PRIVATE_KEY && line[span.start..].starts_with(b"-----BEGIN") {
                let text = &line[span.end..];
                if let Some(end) = pem::end(text) {
                    span.end += end;
                } else {
                    open = Some(Pem::after(&line[..span.start]));
                    span.end = line.len();
                }
            }
        }
        (merged(spans), open)
    }

    /// A line without its secrets; for text that is shown, copied or exported after its control bytes are out.
    #[must_use]
    pub fn line<'a>(&self, line: &'a str) -> Cow<'a, str> {
        if self.next(line.as_bytes(), 0).is_none() {
            return Cow::Borrowed(line);
        }
        let (spans, _) = self.spans(line.as_bytes());
        if spans.is_empty() {
            return Cow::Borrowed(line);
        }
        let mut out = Vec::with_capacity(line.len());
        write(line.as_bytes(), &spans, &mut out);
        Cow::Owned(String::from_utf8_lossy(&out).into_owned())
    }
}

impl Redactor {
    /// A text of several lines without its secrets; private keys are followed across its lines.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut out = Vec::with_capacity(text.len());
        let mut open: Option<Pem> = None;
        for line in text.split_inclusive('\n') {
            let bytes = line.as_bytes();
            let mut from = 0;
            if let Some(pem) = &mut open {
                match pem.line(bytes) {
                    Part::Inside => {
                        mark(PRIVATE_KEY, &mut out);
                        out.push(b'\n');
                        continue;
                    }
                    Part::EndsAt(end) => {
                        mark(PRIVATE_KEY, &mut out);
                        from = end;
                        open = None;
                    }
                    Part::Outside => open = None,
                }
            }
            let rest = &bytes[from..];
            let (spans, begun) = self.spans(rest);
            write(rest, &spans, &mut out);
            if begun.is_some() {
                open = begun;
                // The span of a key that goes on takes the end of its line along.
                if out.last() != Some(&b'\n') {
                    out.push(b'\n');
                }
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    }
}

/// Writes bytes with a mark in place of each span.
pub(super) fn write(bytes: &[u8], spans: &[Span], out: &mut Vec<u8>) {
    let mut done = 0;
    for span in spans {
        out.extend_from_slice(&bytes[done..span.start]);
        mark(span.kind, out);
        done = span.end;
    }
    out.extend_from_slice(&bytes[done..]);
}

/// What stands in place of a secret.
pub(super) fn mark(kind: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"[redacted: ");
    out.extend_from_slice(kind.as_bytes());
    out.push(b']');
}

fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start < last.end => {
                last.end = last.end.max(span.end);
                last.from = last.from.min(span.from);
            }
            _ => merged.push(span),
        }
    }
    merged
}

fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let says = [
        "SECRET",
        "TOKEN",
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "CREDENTIAL",
        "PRIVATE_KEY",
        "API_KEY",
        "ACCESS_KEY",
    ];
    // Files and addresses where secrets are to be had are none.
    let place = ["_FILE", "_URI", "_URL", "_PATH", "_ENDPOINT", "_DIR"];
    says.iter().any(|word| name.contains(word)) && !place.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let redactor = Redactor::new(["Tr0ub4dor&3", "short"]);
        let cases = [
            (
                "id AKIAIOSFODNN7EXAMPLE used",
                "id [redacted: AWS key] used",
            ),
            (
                "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                "aws_secret_access_key = [redacted: password]",
            ),
            (
                "postgres://teleport:s3cret@db.example.com/x",
                "postgres://teleport:[redacted: password]@db.example.com/x",
            ),
            (
                "said Tr0ub4dor&3, short",
                "said [redacted: own secret], short",
            ),
            (
                "error: invalid token: expired",
                "error: invalid token: expired",
            ),
            (
                "The invite token: abcdefgh",
                "The invite token: [redacted: token]",
            ),
            (
                "secret/teleport-tls configured",
                "secret/teleport-tls configured",
            ),
            ("secretName: teleport-tls", "secretName: teleport-tls"),
        ];
        for (before, after) in cases {
            assert_eq!(redactor.line(before), after);
        }
    }

    #[test]
    fn variables_that_hold_secrets_are_known_by_name() {
        for name in ["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "db_password"] {
            assert!(names_a_secret(name), "{name}");
        }
        for name in ["PATH", "AWS_WEB_IDENTITY_TOKEN_FILE", "KUBECONFIG"] {
            assert!(!names_a_secret(name), "{name}");
        }
    }
}
