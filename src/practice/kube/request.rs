//! From a method and a path to what is asked of which objects.

use axum::http::{Method, header::ACCEPT, request::Parts};
use serde_json::Value;

use super::answer::Form;
use crate::practice::world::cluster::{Refusal, Resource};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Read,
    Create,
    Replace,
    Patch,
    Delete,
}

/// A request, understood.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub verb: Verb,
    pub resource: Resource,
    /// `None`: all namespaces, or a kind that has none.
    pub namespace: Option<String>,
    pub name: Option<String>,
    /// `status`, `log`.
    pub sub: Option<String>,
    pub watch: bool,
    pub bookmarks: bool,
    pub from_version: Option<u64>,
    pub seconds: u64,
    pub limit: usize,
    pub rest: Option<String>,
    pub grace: Option<i64>,
    pub form: Form,
    labels: Vec<Term>,
    fields: Vec<Term>,
}

/// `key=value`, `key!=value`, `key`.
#[derive(Clone, Debug)]
struct Term {
    key: String,
    value: Option<String>,
    negated: bool,
}

impl Target {
    pub(super) fn read(head: &Parts) -> Result<Self, Refusal> {
        let verb = match head.method {
            Method::GET => Verb::Read,
            Method::POST => Verb::Create,
            Method::PUT => Verb::Replace,
            Method::PATCH => Verb::Patch,
            Method::DELETE => Verb::Delete,
            _ => return Err(Refusal::bad("method not supported")),
        };
        let path: Vec<String> = head.uri.path().split('/').skip(1).map(decode).collect();
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        let unknown = || Refusal {
            code: 404,
            reason: "NotFound",
            message: "the server could not find the requested resource".to_owned(),
        };
        let (version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ((*version).to_owned(), rest),
            ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
            _ => return Err(unknown()),
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, more @ ..] if !more.is_empty() => {
                (Some((*namespace).to_owned()), more)
            }
            rest => (None, rest),
        };
        let (plural, name, sub) = match rest {
            [plural] => (*plural, None, None),
            [plural, name] => (*plural, Some(*name), None),
            [plural, name, sub] => (*plural, Some(*name), Some(*sub)),
            _ => return Err(unknown()),
        };
        let resource = Resource::find(&version, plural).ok_or_else(unknown)?;
        let query = query(head.uri.query().unwrap_or_default());
        let get = |key: &str| {
            query
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.as_str())
        };
        let number = |key: &str| get(key).and_then(|value| value.parse::<u64>().ok());
        let accept = head
            .headers
            .get(ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let watched = matches!(get("watch"), Some("true" | "1"));
        acceptable(verb, accept, name.is_none() && !watched)?;
        Ok(Self {
            verb,
            resource,
            namespace,
            name: name.map(str::to_owned),
            sub: sub.map(str::to_owned),
            watch: watched,
            bookmarks: matches!(get("allowWatchBookmarks"), Some("true" | "1")),
            from_version: number("resourceVersion").filter(|version| *version > 0),
            seconds: number("timeoutSeconds").unwrap_or(300).min(3600),
            limit: usize::try_from(number("limit").unwrap_or(0)).unwrap_or(0),
            rest: get("continue")
                .filter(|rest| !rest.is_empty())
                .map(str::to_owned),
            grace: get("gracePeriodSeconds").and_then(|value| value.parse().ok()),
            form: if accept.contains("as=PartialObjectMetadata") {
                Form::Metadata
            } else {
                Form::Whole
            },
            labels: terms(get("labelSelector").unwrap_or_default()),
            fields: terms(get("fieldSelector").unwrap_or_default()),
        })
    }

    /// Whether an object is asked for.
    pub(super) fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.labels
            .iter()
            .all(|term| term.holds(labels[&term.key].as_str()))
            && self.fields.iter().all(|term| {
                let pointer = format!("/{}", term.key.replace('.', "/"));
                term.holds(object.pointer(&pointer).and_then(Value::as_str))
            })
    }
}

/// A list is not had in the form of one object, nor one object in that of a list: the real server says 406.
fn acceptable(verb: Verb, accept: &str, list: bool) -> Result<(), Refusal> {
    let asked = accept.contains("as=PartialObjectMetadata");
    if verb != Verb::Read || !asked || accept.contains("as=PartialObjectMetadataList") == list {
        return Ok(());
    }
    let (form, no) = if list {
        ("PartialObjectMetadata", "is a list")
    } else {
        ("PartialObjectMetadataList", "is not a list")
    };
    Err(Refusal {
        code: 406,
        reason: "NotAcceptable",
        message: format!("you requested {form}, but the requested object {no}"),
    })
}

impl Term {
    fn holds(&self, found: Option<&str>) -> bool {
        match &self.value {
            None => found.is_some() != self.negated,
            Some(value) => (found == Some(value)) != self.negated,
        }
    }
}

fn terms(selector: &str) -> Vec<Term> {
    selector
        .split(',')
        .filter(|term| !term.is_empty())
        .map(|term| {
            let (key, value, negated) = if let Some((key, value)) = term.split_once("!=") {
                (key, Some(value), true)
            } else if let Some((key, value)) = term.split_once('=') {
                (key, Some(value.trim_start_matches('=')), false)
            } else {
                (term.trim_start_matches('!'), None, term.starts_with('!'))
            };
            Term {
                key: key.trim().to_owned(),
                value: value.map(|value| value.trim().to_owned()),
                negated,
            }
        })
        .collect()
}

fn query(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter_map(|pair| pair.split_once('=').or(Some((pair, ""))))
        .map(|(key, value)| (decode(key), decode(&value.replace('+', " "))))
        .collect()
}

/// Undoes percent-encoding; what is no such encoding stays.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten();
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            out.push(byte);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_and_a_list_have_forms_of_their_own() {
        let one = "/api/v1/namespaces/teleport/secrets/license";
        let all = "/api/v1/namespaces/teleport/secrets";
        let watch = "/api/v1/namespaces/teleport/secrets?watch=true";
        let object = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        let list = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        for (path, accept, refused) in [
            (one, object, None),
            (one, list, Some(406)),
            (all, list, None),
            (all, object, Some(406)),
            (watch, object, None),
            (watch, list, Some(406)),
            (one, "application/json", None),
        ] {
            let request = http::Request::get(path).header(ACCEPT, accept).body(());
            let (head, ()) = request.expect("a request").into_parts();
            let told = Target::read(&head).err().map(|refusal| refusal.code);
            assert_eq!(told, refused, "{path} {accept}");
        }
    }
}
