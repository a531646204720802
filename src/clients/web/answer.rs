//! What a proxy's answers mean, over versions 12 to 18. Pure: from a [`Reply`] to a part of a fact.
//!
//! Every field is optional and unknown ones are ignored, since each version adds some. What is not 200 is a failure
//! with the proxy's own words; its class says more than its code does, which differs between versions.

use std::time::Duration;

use serde_json::Value;

use crate::incident::{Failure, FailureKind, Find, Part, Ping, plain::blanked};

/// Longest text kept of an answer, in characters.
const LONGEST: usize = 253;

/// An HTTP answer, read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What was asked where, for sentences: `/webapi/ping at 192.0.2.1:443`.
    pub place: String,
    /// HTTP status.
    pub status: u16,
    /// `Location`, of a redirect.
    pub location: Option<String>,
    /// The body, at most 256 KiB.
    pub body: Vec<u8>,
    /// From the request to the body's end.
    pub took: Duration,
}

/// Reads an answer of `/webapi/ping`.
///
/// # Errors
/// If it is not 200, or not an answer of Teleport's.
pub fn ping(reply: &Reply) -> Part<Ping> {
    let body = object(reply)?;
    Ok(Ping {
        status: reply.status,
        cluster_name: text(&body, "/cluster_name"),
        server_version: text(&body, "/server_version"),
        auth_type: text(&body, "/auth/type"),
        rp_id: text(&body, "/auth/webauthn/rp_id"),
        public_addr: text(&body, "/proxy/ssh/public_addr"),
        tls_routing: body
            .pointer("/proxy/tls_routing_enabled")
            .and_then(Value::as_bool),
        took: reply.took,
    })
}

/// Reads an answer of `/webapi/find`.
///
/// # Errors
/// As [`ping`].
pub fn find(reply: &Reply) -> Part<Find> {
    let body = object(reply)?;
    Ok(Find {
        status: reply.status,
        cluster_name: text(&body, "/cluster_name"),
        server_version: text(&body, "/server_version"),
    })
}

/// The body of an answer with status 200.
///
/// # Errors
/// For every other status, in the proxy's own words.
pub fn accepted(reply: &Reply) -> Part<&[u8]> {
    let Reply { place, status, .. } = reply;
    let kind = match status {
        200 => return Ok(&reply.body),
        300..=399 => {
            let location = reply.location.as_deref().unwrap_or("nowhere");
            let location = clean(location);
            let why = if location.contains("/web/launch") {
                "a proxy that does not know itself by this name (publicAddr, clusterName)"
            } else {
                "something between here and the proxy"
            };
            return Err(Failure::new(
                FailureKind::Other,
                format!("{place}: redirected ({status}) to {location} by {why}"),
            ));
        }
        401 | 403 => FailureKind::Forbidden,
        404 => FailureKind::NotFound,
        429 => FailureKind::Throttled,
        500.. => FailureKind::Server,
        _ => FailureKind::Other,
    };
    let said = said(&reply.body).unwrap_or_else(|| "without a word".to_owned());
    Err(Failure::new(
        kind,
        format!("{place}: HTTP {status}, {said}"),
    ))
}

/// The message of `{"error":{"message":"…"}}` or of the older `{"message":"…"}`.
fn said(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    text(&body, "/error/message").or_else(|| text(&body, "/message"))
}

fn object(reply: &Reply) -> Part<Value> {
    let body = accepted(reply)?;
    let garbage = |what: &str| {
        Failure::new(
            FailureKind::Garbage,
            format!(
                "{}: {what}; something other than Teleport may answer there",
                reply.place
            ),
        )
    };
    if body.is_empty() {
        return Err(garbage("an empty answer"));
    }
    let value: Value =
        serde_json::from_slice(body).map_err(|_| garbage("an answer that is not JSON"))?;
    // Every version from 12 on gives its version: what does not is not a proxy.
    if text(&value, "/server_version").is_none() {
        return Err(garbage("an answer without server_version"));
    }
    Ok(value)
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    let text = value.pointer(pointer)?.as_str()?;
    (!text.is_empty()).then(|| clean(text))
}

fn clean(text: &str) -> String {
    blanked(text, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply {
            place: "/webapi/ping at 192.0.2.1:443".to_owned(),
            status,
            location: None,
            body: body.as_bytes().to_vec(),
            took: Duration::from_millis(7),
        }
    }

    /// Bodies of one version each: file, version, type of authentication, `rp_id`, public address, TLS routing.
    type Recorded = (
        &'static str,
        &'static str,
        &'static str,
        Option<&'static str>,
        Option<&'static str>,
        Option<bool>,
    );

    const NAME: Option<&str> = Some("teleport.example.com");
    const PUBLIC: Option<&str> = Some("teleport.example.com:443");

    const PINGS: &[Recorded] = &[
        (
            include_str!("../../../tests/fixtures/web/ping-12.json"),
            "12.4.9",
            "local",
            NAME,
            PUBLIC,
            Some(true),
        ),
        (
            include_str!("../../../tests/fixtures/web/ping-14.json"),
            "14.3.3",
            "saml",
            NAME,
            PUBLIC,
            Some(true),
        ),
        (
            include_str!("../../../tests/fixtures/web/ping-16.json"),
            "16.4.7",
            "github",
            NAME,
            PUBLIC,
            Some(true),
        ),
        (
            include_str!("../../../tests/fixtures/web/ping-17.json"),
            "17.0.0-dev",
            "local",
            NAME,
            PUBLIC,
            Some(false),
        ),
        (
            include_str!("../../../tests/fixtures/web/ping-18.json"),
            "18.2.4",
            "oidc",
            None,
            PUBLIC,
            Some(true),
        ),
    ];

    #[test]
    fn ping_is_read_over_all_versions() {
        for (body, version, auth, rp_id, public, routing) in PINGS {
            let ping = ping(&reply(200, body)).expect(version);
            assert_eq!(ping.cluster_name.as_deref(), NAME, "{version}");
            assert_eq!(ping.server_version.as_deref(), Some(*version));
            assert_eq!(ping.auth_type.as_deref(), Some(*auth), "{version}");
            assert_eq!(ping.rp_id.as_deref(), *rp_id, "{version}");
            assert_eq!(ping.public_addr.as_deref(), *public, "{version}");
            assert_eq!(ping.tls_routing, *routing, "{version}");
        }
    }

    #[test]
    fn find_is_read_over_all_versions() {
        let bodies = [
            (
                include_str!("../../../tests/fixtures/web/find-12.json"),
                "12.4.9",
                NAME,
            ),
            (
                include_str!("../../../tests/fixtures/web/find-18.json"),
                "18.2.4",
                NAME,
            ),
        ];
        for (body, version, name) in bodies {
            let find = find(&reply(200, body)).expect(version);
            assert_eq!(find.server_version.as_deref(), Some(version));
            assert_eq!(find.cluster_name.as_deref(), name);
        }
    }

    #[test]
    fn what_is_not_an_answer_is_a_failure_in_words() {
        let auth_down =
            r#"{"error":{"message":"failed to connect to any endpoints of type AuthService"}}"#;
        let cases = [
            (
                504,
                auth_down,
                FailureKind::Server,
                "failed to connect to any endpoints",
            ),
            (
                400,
                r#"{"message":"no saml connectors found"}"#,
                FailureKind::Other,
                "no saml connectors found",
            ),
            (403, "", FailureKind::Forbidden, "without a word"),
            (404, "404 page not found", FailureKind::NotFound, "HTTP 404"),
            (429, "", FailureKind::Throttled, "HTTP 429"),
            (
                503,
                "<html>no targets</html>",
                FailureKind::Server,
                "HTTP 503",
            ),
            (200, "", FailureKind::Garbage, "empty answer"),
            (
                200,
                "<html>It works!</html>",
                FailureKind::Garbage,
                "not JSON",
            ),
            (200, "[]", FailureKind::Garbage, "without server_version"),
            (
                200,
                r#"{"server_version":7}"#,
                FailureKind::Garbage,
                "without server_version",
            ),
            (
                500,
                "{\"error\":{\"message\":\"a\u{1b}[2Jb\"}}",
                FailureKind::Server,
                "without a word",
            ),
            (
                500,
                r#"{"error":{"message":"a\u001b[2Jb"}}"#,
                FailureKind::Server,
                "a [2Jb",
            ),
        ];
        for (status, body, kind, part) in cases {
            let failure = ping(&reply(status, body)).expect_err(body);
            assert_eq!(failure.kind, kind, "{body}");
            assert!(
                failure.detail.contains(part),
                "{} lacks {part}",
                failure.detail
            );
            assert!(
                failure.detail.starts_with("/webapi/ping at 192.0.2.1:443"),
                "{}",
                failure.detail
            );
        }
    }

    #[test]
    fn a_redirect_to_the_launcher_is_a_proxy_of_another_name() {
        let mut redirect = reply(302, "");
        redirect.location = Some("https://other.example.com/web/launch/t\u{7}".to_owned());
        let failure = ping(&redirect).expect_err("a redirect");
        assert!(
            failure.detail.contains("does not know itself by this name"),
            "{}",
            failure.detail
        );
        assert!(!failure.detail.contains('\u{7}'));
    }

    #[test]
    fn long_and_hostile_fields_are_cut_and_cleaned() {
        let body = format!(
            "{{\"server_version\":\"{}\\u009b\",\"cluster_name\":\"\\u0000x\"}}",
            "1".repeat(9000)
        );
        let ping = ping(&reply(200, &body)).expect("an answer");
        assert_eq!(
            ping.server_version.map(|version| version.len()),
            Some(LONGEST)
        );
        assert_eq!(ping.cluster_name.as_deref(), Some(" x"));
    }
}
