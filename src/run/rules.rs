//! What a secret looks like. Each rule has literals, one of which is in every line it can match: lines without any
//! are never looked at by a regular expression.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::bytes::{Regex, RegexBuilder};

/// A rule as it is written down.
struct Row {
    kind: &'static str,
    /// Case-sensitive; at most 64 over all rules, so that the vectorised search is used.
    literals: &'static [&'static str],
    /// The secret is the first capture group that takes part, or the whole match.
    pattern: &'static str,
    /// Only what does not read like prose: see [`opaque`].
    guarded: bool,
}

/// A value after `key =`: in quotes, in escaped quotes, in quotes that never close, or bare.
macro_rules! value {
    () => {
        r#"(?:"((?:[^"\\]|\\.)+)"|'([^']+)'|\\"([^"]*)\\"|["']([^"']+)|([^\s"'<>]+))"#
    };
}

const ROWS: &[Row] = &[
    Row {
        kind: "AWS key",
        literals: &["AKIA", "ASIA", "ABIA", "ACCA"],
        pattern: r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}",
        guarded: false,
    },
    // What STS session tokens begin with.
    Row {
        kind: "AWS session token",
        literals: &["FwoG", "IQoJ", "FQoG"],
        pattern: r"(?:FwoG|IQoJ|FQoG)[A-Za-z0-9/+=%_-]{40,}",
        guarded: false,
    },
    // `{"` in base64url, and the same once more in base64, as Secrets hold it.
    Row {
        kind: "token",
        literals: &["eyJ", "ZXlK"],
        pattern: r"eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)+|eyJ[A-Za-z0-9_+/=-]{40,}|ZXlK[A-Za-z0-9+/=]{24,}",
        guarded: false,
    },
    Row {
        kind: "kube token",
        literals: &["k8s-aws-v1."],
        pattern: r"k8s-aws-v1\.[A-Za-z0-9_-]+",
        guarded: false,
    },
    Row {
        kind: "client key",
        literals: &["client-key-data"],
        pattern: r#"client-key-data["'\\]*\s*:\s*["'\\]*([A-Za-z0-9+/=]+)"#,
        guarded: false,
    },
    // Base64 of `-----BEGIN ` and anything but a certificate.
    Row {
        kind: "private key",
        literals: &["LS0tLS1CRUdJTiB"],
        pattern: r"LS0tLS1CRUdJTiB[A-CE-Z][A-Za-z0-9+/=]*",
        guarded: false,
    },
    Row {
        kind: "password",
        literals: &["://"],
        pattern: r"://[^\s/?#:@]*:([^\s/]+)@",
        guarded: false,
    },
    Row {
        kind: "signature",
        literals: &["Signature=", "X-Amz-", "x-amz-", "AWSAccessKeyId="],
        pattern: r#"(?i)(?:X-Amz-(?:Signature|Security-Token|Credential)|\bSignature|AWSAccessKeyId)["']?\s*(?:[=:]|%3D)\s*["']?([^&\s"'<>,)]+)"#,
        guarded: false,
    },
    // Whoever knows the path may post: what `on_event` often calls.
    Row {
        kind: "webhook",
        literals: &["hooks.slack.com/"],
        pattern: r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_-]+)",
        guarded: false,
    },
    Row {
        kind: "token",
        literals: &["ghp_", "ghs_", "gho_", "github_pat_"],
        pattern: r"\b(?:gh[pso]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})",
        guarded: false,
    },
    Row {
        kind: "authorization",
        literals: &["uthorization", "UTHORIZATION", "ookie:", "COOKIE:"],
        pattern: r#"(?i)(?:authorization|cookie)["']?\s*[:=]\s*["'\[]*([^"'\]\r\n]+)"#,
        guarded: false,
    },
    Row {
        kind: "bearer token",
        literals: &["earer ", "EARER "],
        pattern: r#"(?i)bearer\s+["']?([A-Za-z0-9._~+/=:-]{8,})"#,
        guarded: true,
    },
    // Teleport's install scripts carry the join token in their path.
    Row {
        kind: "join token",
        literals: &["/scripts/"],
        pattern: r"/scripts/([^\s/]{8,})/",
        guarded: false,
    },
    Row {
        kind: "password",
        literals: PASSWORDS,
        pattern: concat!(
            r#"(?i)(?:password|passwd|passphrase|\bpwd|api[_-]?key|routing[_-]?key|private[_-]?key|access[_-]?key|(?:client|shared|aws|app|webhook)[_-]?secret)["'\\]{0,2}\s*(?::=|=>|[:=>])\s*"#,
            value!()
        ),
        guarded: false,
    },
    // As tables print it: `secret_access_key   wJalr…`.
    Row {
        kind: "AWS secret key",
        literals: PASSWORDS,
        pattern: r"(?i)secret[_ -]?access[_ -]?key[^A-Za-z0-9/+=]{1,40}([A-Za-z0-9/+=]{20,})",
        guarded: false,
    },
    Row {
        kind: "token",
        literals: TOKENS,
        pattern: concat!(
            r#"(?i)(?:join|invite|invitation|auth|access|refresh|(?:\b|_)id|session|security|node|bot|provision|provisioning|registration|bootstrap)[ _.-]?tokens?["'\\]{0,2}\s*(?::=|=>|[:=>])\s*"#,
            value!()
        ),
        guarded: false,
    },
    Row {
        kind: "token",
        literals: TOKENS,
        pattern: concat!(
            r#"(?i)(?:token|secret|credential)s?["'\\]{0,2}\s*(?::=|=>|=)\s*"#,
            value!()
        ),
        guarded: false,
    },
    Row {
        kind: "token",
        literals: TOKENS,
        pattern: concat!(
            r#"(?i)(?:token|secret|credential)s?["'\\]{0,2}\s*[:>]\s*"#,
            value!()
        ),
        guarded: true,
    },
    // `--token VALUE`; with `=` it is above.
    Row {
        kind: "token",
        literals: TOKENS,
        pattern: r#"(?i)--?[a-z0-9-]*(?:token|secret)["',]*\s+(?:"([^"]+)"|'([^']+)'|([^\s"'-][^\s"']*))"#,
        guarded: true,
    },
    Row {
        kind: "password",
        literals: PASSWORDS,
        pattern: r#"(?i)--[a-z0-9-]*(?:password|passwd|passphrase)["',]*\s+(?:"([^"]+)"|'([^']+)'|([^\s"'-][^\s"']*))"#,
        guarded: false,
    },
    Row {
        kind: PRIVATE_KEY,
        literals: &["PRIVATE KEY"],
        pattern: r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----",
        guarded: false,
    },
];

/// The kind of the rule for the beginning of a PEM block, which is a state across lines ([`super::pem`]).
pub(super) const PRIVATE_KEY: &str = "private key";

const PASSWORDS: &[&str] = &[
    "assword",
    "ASSWORD",
    "asswd",
    "ASSWD",
    "assphrase",
    "pwd",
    "PWD",
    "api_key",
    "apikey",
    "apiKey",
    "API_KEY",
    "ApiKey",
    "api-key",
    "APIKEY",
    "outing_key",
    "rivate_key",
    "rivateKey",
    "PRIVATE_KEY",
    "rivate-key",
    "ccess_key",
    "ccessKey",
    "CCESS_KEY",
    "ccess-key",
    "ccess Key",
    "ccess key",
    "ecret",
    "SECRET",
];

const TOKENS: &[&str] = &["oken", "TOKEN", "ecret", "SECRET", "redential", "REDENTIAL"];

/// Where a secret is in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Where what made it one begins: its key, or itself.
    pub from: usize,
    /// Its first byte.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// What it is.
    pub kind: &'static str,
}

/// The rules made ready.
pub(super) struct Rules {
    /// For the search over everything: vectorised, gives the leftmost literal.
    literals: AhoCorasick,
    /// The same for one line: gives every literal, also those inside of others.
    every: AhoCorasick,
    /// For each literal, the rules to look at, as bits.
    masks: Vec<u64>,
    patterns: Vec<(Regex, &'static Row)>,
}

impl Rules {
    /// The rules, made once in a process. `None` if one of them is no regular expression, which a test rules out.
    pub(super) fn get() -> Option<&'static Self> {
        static RULES: OnceLock<Option<Rules>> = OnceLock::new();
        RULES.get_or_init(Self::make).as_ref()
    }

    fn make() -> Option<Self> {
        let mut words: Vec<&str> = Vec::new();
        let mut masks: Vec<u64> = Vec::new();
        let mut patterns = Vec::new();
        for (bit, row) in ROWS.iter().enumerate() {
            let pattern = RegexBuilder::new(row.pattern).unicode(false).build().ok()?;
            patterns.push((pattern, row));
            for literal in row.literals {
                let at = words
                    .iter()
                    .position(|word| word == literal)
                    .unwrap_or_else(|| {
                        words.push(literal);
                        masks.push(0);
                        words.len() - 1
                    });
                masks[at] |= 1 << bit;
            }
        }
        let literals = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(&words)
            .ok()?;
        let every = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&words)
            .ok()?;
        Some(Self {
            literals,
            every,
            masks,
            patterns,
        })
    }

    /// Where the next literal begins at or after `from`.
    pub(super) fn next(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let input = aho_corasick::Input::new(bytes).range(from..);
        self.literals.find(input).map(|found| found.start())
    }

    /// Every secret that the rules see in a line, in no order.
    pub(super) fn spans(&self, line: &[u8], spans: &mut Vec<Span>) {
        let mut mask = self
            .every
            .find_overlapping_iter(line)
            .fold(0, |mask, found| {
                mask | self.masks[found.pattern().as_usize()]
            });
        while mask != 0 {
            let (pattern, row) = &self.patterns[mask.trailing_zeros() as usize];
            mask &= mask - 1;
            for captures in pattern.captures_iter(line) {
                let Some(whole) = captures.get(0) else {
                    continue;
                };
                let secret = captures.iter().skip(1).flatten().next().unwrap_or(whole);
                // In quotes it is a value, however it reads.
                let quoted = secret.start() > 0 && matches!(line[secret.start() - 1], b'"' | b'\'');
                if row.guarded && !quoted && !opaque(secret.as_bytes()) {
                    continue;
                }
                spans.push(Span {
                    from: whole.start(),
                    start: secret.start(),
                    end: secret.end(),
                    kind: row.kind,
                });
            }
        }
    }
}

/// Whether a bare word after `token:` is a value rather than prose (`invalid token: expired`): it has a digit, mixes
/// cases inside, or is long.
fn opaque(word: &[u8]) -> bool {
    let inner = word.get(1..).unwrap_or_default();
    word.len() >= 20
        || word.iter().any(u8::is_ascii_digit)
        || (inner.iter().any(u8::is_ascii_uppercase) && word.iter().any(u8::is_ascii_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_can_be_made_and_their_literals_stay_few() {
        let rules = Rules::get().expect("every pattern is a regular expression");
        assert!(rules.masks.len() <= 64, "{} literals", rules.masks.len());
        assert!(ROWS.len() <= 64);
    }
}
