//! A policy document, as far as it can be judged here. IAM's simulation leaves the policies of resources out for roles
//! ("Simulation of resource-based policies isn't supported for IAM roles"), and a trust policy is one of those: so
//! these are read, and what depends on a condition that is not known here is said to.

use serde_json::{Map, Value};

/// A statement.
#[derive(Clone, Debug)]
pub(super) struct Statement<'a>(&'a Map<String, Value>);

/// The statements of a document; none where it is no policy.
pub(super) fn statements(document: &Value) -> Vec<Statement<'_>> {
    match document.get("Statement") {
        Some(Value::Array(all)) => all
            .iter()
            .filter_map(Value::as_object)
            .map(Statement)
            .collect(),
        Some(Value::Object(one)) => vec![Statement(one)],
        _ => Vec::new(),
    }
}

/// What the policy of a resource says of an action of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// Denied, by this statement.
    Denies(String),
    /// Denied under a condition that is not known here, by this statement.
    MayDeny(String),
    /// Allowed, without a condition.
    Allows,
    /// Nothing.
    Nothing,
}

/// What the policy of a resource says of an action on an ARN by a role.
pub(super) fn says(document: &Value, role: &str, action: &str, arn: &str) -> Says {
    let mut said = Says::Nothing;
    for (index, statement) in statements(document).iter().enumerate() {
        if !statement.names(role) || !statement.covers("Action", action, false) {
            continue;
        }
        if !statement.covers("Resource", arn, true) {
            continue;
        }
        let name = statement
            .text("Sid")
            .map_or_else(|| format!("statement {}", index + 1), str::to_owned);
        match (statement.text("Effect"), statement.conditions()) {
            (Some("Deny"), None) => return Says::Denies(name),
            // Every call of ours and Teleport's goes over TLS.
            (Some("Deny"), Some(conditions)) if only_plain_http(conditions) => {}
            (Some("Deny"), Some(_)) => said = Says::MayDeny(name),
            (Some("Allow"), None) if said == Says::Nothing => said = Says::Allows,
            _ => {}
        }
    }
    said
}

/// `"Bool": {"aws:SecureTransport": "false"}` and no more.
fn only_plain_http(conditions: &Map<String, Value>) -> bool {
    conditions.len() == 1
        && conditions
            .get("Bool")
            .and_then(Value::as_object)
            .is_some_and(|keys| {
                keys.len() == 1
                    && keys.iter().all(|(key, value)| {
                        key.eq_ignore_ascii_case("aws:SecureTransport")
                            && (value == "false" || value == false)
                    })
            })
}

impl Statement<'_> {
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    /// Its conditions, if it has any.
    pub(super) fn conditions(&self) -> Option<&Map<String, Value>> {
        self.0
            .get("Condition")?
            .as_object()
            .filter(|map| !map.is_empty())
    }

    /// The principals of a kind: `AWS`, `Federated`, `Service`; `*` for everybody.
    pub(super) fn principals(&self, kind: &str) -> Vec<&str> {
        match self.0.get("Principal") {
            Some(Value::String(all)) => vec![all],
            Some(Value::Object(kinds)) => kinds.get(kind).map(words).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// Whether it speaks of a role: by its ARN, its account, or everybody.
    fn names(&self, role: &str) -> bool {
        let account = role.split(':').nth(4).unwrap_or_default();
        let is = |principal: &&str| {
            *principal == "*"
                || *principal == role
                || *principal == account
                || (principal.ends_with(":root") && principal.split(':').nth(4) == Some(account))
        };
        if let Some(Value::Object(not)) = self.0.get("NotPrincipal") {
            return !not.values().flat_map(words).any(|principal| is(&principal));
        }
        self.principals("AWS").iter().any(is)
    }

    /// Whether `Action` or `Resource`, or their `Not…` form, covers a text. Actions are the same in any case.
    pub(super) fn covers(&self, key: &str, text: &str, exact: bool) -> bool {
        let fits = |pattern: &str| {
            if exact {
                matches(pattern, text)
            } else {
                matches(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
            }
        };
        if let Some(not) = self.0.get(&format!("Not{key}")) {
            return !words(not).into_iter().any(fits);
        }
        self.0
            .get(key)
            .is_some_and(|value| words(value).into_iter().any(fits))
    }
}

/// A text or a list of texts.
pub(super) fn words(value: &Value) -> Vec<&str> {
    match value {
        Value::String(one) => vec![one],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A pattern with `*` and `?` against a whole text.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/auth";
    const ARN: &str = "arn:aws:s3:::rec/x.tar";

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("s3:Get*", "s3:GetObject", true),
            ("s3:Get*", "s3:PutObject", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("arn:?:x", "arn:1:x", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn a_denial_is_seen_and_what_depends_on_a_condition_is_said_to() {
        let statement = |effect: &str, more: Value| {
            let mut all = json!({"Sid": "S", "Effect": effect, "Principal": "*", "Action": "s3:*",
                "Resource": ["arn:aws:s3:::rec", "arn:aws:s3:::rec/*"]});
            for (key, value) in more.as_object().expect("an object") {
                all[key] = value.clone();
            }
            all
        };
        let cases = [
            (statement("Deny", json!({})), Says::Denies("S".to_owned())),
            (statement("Allow", json!({})), Says::Allows),
            (
                statement(
                    "Deny",
                    json!({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
                ),
                Says::Nothing,
            ),
            (
                statement(
                    "Deny",
                    json!({"Condition": {"StringNotEquals": {"aws:SourceVpce": "v"}}}),
                ),
                Says::MayDeny("S".to_owned()),
            ),
            (
                statement(
                    "Deny",
                    json!({"Principal": {"AWS": "arn:aws:iam::999999999999:root"}}),
                ),
                Says::Nothing,
            ),
            (
                statement(
                    "Deny",
                    json!({"Principal": null, "NotPrincipal": {"AWS": [ROLE]}}),
                ),
                Says::Nothing,
            ),
            (
                statement("Deny", json!({"Action": null, "NotAction": "s3:getobject"})),
                Says::Nothing,
            ),
            (
                statement("Deny", json!({"Resource": "arn:aws:s3:::other/*"})),
                Says::Nothing,
            ),
        ];
        for (statement, wanted) in cases {
            let document = json!({"Statement": [statement]});
            assert_eq!(
                says(&document, ROLE, "s3:GetObject", ARN),
                wanted,
                "{document}"
            );
        }
        assert_eq!(
            says(&json!("no policy"), ROLE, "s3:GetObject", ARN),
            Says::Nothing
        );
    }
}
