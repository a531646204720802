//! Whether a registry has an image, by the distribution API: one HEAD of its manifest, with an anonymous token where the
//! registry gives one. It tells what can be seen from here; nodes have their own way and their own credentials.

use std::{net::IpAddr, time::Duration};

use reqwest::{Client, Method, Response, StatusCode, header};

use crate::{
    clients::{kube::text::clean, tls::Tls},
    incident::{Failure, FailureKind},
};

/// For everything together.
const PATIENCE: Duration = Duration::from_secs(8);
/// Largest answer to a request for a token.
const BODY: usize = 64 * 1024;
/// What a manifest may be.
const KINDS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// An image's name taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reference {
    host: String,
    name: String,
    tag: String,
}

/// Asks once.
///
/// # Errors
/// [`FailureKind::NotFound`] if the registry says that it has no such image; else why there is no telling.
pub(super) async fn there(image: &str) -> Result<(), Failure> {
    let Some(reference) = parse(image) else {
        return Err(Failure::new(
            FailureKind::Other,
            format!("{image} is no reference of an image"),
        ));
    };
    let asked = tokio::time::timeout(PATIENCE, ask(&reference)).await;
    asked.unwrap_or_else(|_| {
        Err(Failure::new(
            FailureKind::Timeout,
            format!(
                "{} gave no answer in {}s",
                reference.host,
                PATIENCE.as_secs()
            ),
        ))
    })
}

/// `host/name:tag` or `host/name@digest`; without a host it is Docker Hub's.
fn parse(image: &str) -> Option<Reference> {
    let (first, rest) = image.split_once('/').unwrap_or(("", image));
    let is_host = first.contains(['.', ':']) || first == "localhost";
    let (host, path) = if is_host {
        (first, rest)
    } else {
        ("registry-1.docker.io", image)
    };
    let (name, tag) = match path.split_once('@') {
        Some(found) => found,
        None => path.rsplit_once(':').unwrap_or((path, "latest")),
    };
    let name = if is_host || name.contains('/') {
        name.to_owned()
    } else {
        format!("library/{name}")
    };
    let plain = |text: &str, more: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    (!path.is_empty() && plain(host, ".-:") && plain(&name, "._-/") && plain(tag, "._-:")).then(
        || Reference {
            host: host.to_owned(),
            name,
            tag: tag.to_owned(),
        },
    )
}

async fn ask(reference: &Reference) -> Result<(), Failure> {
    let client = client()?;
    let address = reference
        .host
        .rsplit_once(':')
        .map_or(&*reference.host, |(host, _)| host);
    // As every client of registries does: loopback is asked without TLS.
    let here = address == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    let scheme = if here { "http" } else { "https" };
    let url = format!(
        "{scheme}://{}/v2/{}/manifests/{}",
        reference.host, reference.name, reference.tag
    );
    let head = |token: Option<String>| {
        let request = client
            .request(Method::HEAD, &url)
            .header(header::ACCEPT, KINDS);
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    };
    let failed = |error: reqwest::Error| {
        let kind = if error.is_connect() {
            FailureKind::Unreachable
        } else {
            FailureKind::Other
        };
        // Without the address: it may carry a token.
        let why = clean(&error.without_url().to_string(), 200);
        Failure::new(kind, format!("{}: {why}", reference.host))
    };
    let said = head(None).send().await.map_err(failed)?;
    if said.status() != StatusCode::UNAUTHORIZED {
        return verdict(reference, said.status());
    }
    let token = token(&client, &said, reference).await?;
    let said = head(Some(token)).send().await.map_err(failed)?;
    verdict(reference, said.status())
}

fn client() -> Result<Client, Failure> {
    let broken = |why: String| {
        Failure::new(
            FailureKind::Other,
            format!("no HTTP client for a registry: {why}"),
        )
    };
    let config = Tls::load(None)
        .strict()
        .map_err(|error| broken(error.to_string()))?;
    Client::builder()
        .tls_backend_preconfigured(config)
        .connect_timeout(Duration::from_secs(3))
        .user_agent(concat!("relight/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| broken(error.to_string()))
}

fn verdict(reference: &Reference, status: StatusCode) -> Result<(), Failure> {
    let Reference { host, name, tag } = reference;
    match status.as_u16() {
        200 => Ok(()),
        404 => Err(Failure::new(
            FailureKind::NotFound,
            format!("{host} has no {name}:{tag}: check image and version"),
        )),
        401 | 403 => Err(Failure::new(
            FailureKind::Forbidden,
            format!("{host} wants credentials for {name}, which only the nodes have"),
        )),
        429 => Err(Failure::new(
            FailureKind::Throttled,
            format!("{host} asks us to slow down"),
        )),
        status => Err(Failure::new(
            FailureKind::Server,
            format!("{host} answered {status} for {name}:{tag}"),
        )),
    }
}

/// An anonymous token, from where the registry says that there are some.
async fn token(client: &Client, said: &Response, reference: &Reference) -> Result<String, Failure> {
    let challenge = said
        .headers()
        .get(header::WWW_AUTHENTICATE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let refused = || verdict(reference, StatusCode::UNAUTHORIZED).err();
    let Some(url) = token_url(challenge, reference) else {
        return Err(refused().unwrap_or_else(|| Failure::new(FailureKind::Other, "no token")));
    };
    let none = |why: &str| {
        Failure::new(
            FailureKind::Forbidden,
            format!("{} gave no anonymous token: {why}", reference.host),
        )
    };
    let mut answer = client
        .get(url)
        .send()
        .await
        .map_err(|_| none("no answer"))?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_| none("it broke off"))? {
        if body.len() + chunk.len() > BODY {
            return Err(none("too long an answer"));
        }
        body.extend_from_slice(&chunk);
    }
    let told: serde_json::Value = serde_json::from_slice(&body).map_err(|_| none("no JSON"))?;
    ["token", "access_token"]
        .iter()
        .find_map(|key| told[*key].as_str())
        .map(str::to_owned)
        .ok_or_else(|| none("none in its answer"))
}

/// `Bearer realm="https://auth…/token",service="…"` → the address to ask, over TLS or on the registry's own host.
fn token_url(challenge: &str, reference: &Reference) -> Option<String> {
    let parts = challenge.strip_prefix("Bearer ")?;
    let get = |key: &str| {
        parts.split(',').find_map(|part| {
            let (name, value) = part.trim().split_once('=')?;
            (name == key).then(|| value.trim_matches('"').to_owned())
        })
    };
    let realm = get("realm")?;
    let plain = format!("http://{}/", reference.host);
    if !realm.starts_with("https://") && !realm.starts_with(&plain) {
        return None;
    }
    let service = get("service").unwrap_or_default();
    let joint = if realm.contains('?') { '&' } else { '?' };
    Some(format!(
        "{realm}{joint}service={service}&scope=repository:{}:pull",
        reference.name
    ))
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    fn reference(host: &str, name: &str, tag: &str) -> Reference {
        Reference {
            host: host.to_owned(),
            name: name.to_owned(),
            tag: tag.to_owned(),
        }
    }

    #[test]
    fn references_are_taken_apart() {
        let hub = "registry-1.docker.io";
        let cases = [
            (
                "public.ecr.aws/g/t:17",
                reference("public.ecr.aws", "g/t", "17"),
            ),
            (
                "127.0.0.1:5000/t",
                reference("127.0.0.1:5000", "t", "latest"),
            ),
            ("alpine:3", reference(hub, "library/alpine", "3")),
            ("a/b", reference(hub, "a/b", "latest")),
            ("h.io/t@sha256:00", reference("h.io", "t", "sha256:00")),
        ];
        for (text, wanted) in cases {
            assert_eq!(parse(text), Some(wanted), "{text}");
        }
        for wrong in ["", "h.io/", "h.io/a b", "h.io/a:\u{1b}"] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_token_is_asked_for_over_tls_or_at_the_same_host_only() {
        let at = reference("h.io", "a/b", "1");
        let url = token_url("Bearer realm=\"https://auth.h.io/t\",service=\"s\"", &at);
        assert_eq!(
            url.as_deref(),
            Some("https://auth.h.io/t?service=s&scope=repository:a/b:pull")
        );
        for other in ["Basic realm=\"x\"", "Bearer realm=\"http://evil/t\"", ""] {
            assert_eq!(token_url(other, &at), None, "{other}");
        }
    }

    /// A registry that gives answers in turn.
    async fn registry(answers: Vec<String>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let host = address.clone();
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.expect("a client");
                let mut asked = vec![0; 4_096];
                let read = stream.read(&mut asked).await.expect("a request");
                let asked = String::from_utf8_lossy(&asked[..read]).into_owned();
                let (wanted, answer) = answer.split_once('|').expect("two parts");
                assert!(asked.to_lowercase().contains(wanted), "{asked}");
                let answer = answer.replace("HOST", &host);
                stream.write_all(answer.as_bytes()).await.expect("sent");
            }
        });
        address
    }

    fn answer(wanted: &str, status: &str, more: &str, body: &str) -> String {
        format!(
            "{wanted}|HTTP/1.1 {status}\r\nconnection: close\r\n{more}content-length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    #[tokio::test]
    async fn an_anonymous_token_is_used_where_there_is_one() {
        let challenge = "www-authenticate: Bearer realm=\"http://HOST/token\",service=\"r\"\r\n";
        let host = registry(vec![
            answer(
                "head /v2/a/b/manifests/1 ",
                "401 Unauthorized",
                challenge,
                "",
            ),
            answer(
                "get /token?service=r&scope=repository:a/b:pull",
                "200 OK",
                "",
                "{\"token\":\"t0k\"}",
            ),
            answer("authorization: bearer t0k", "200 OK", "", ""),
        ])
        .await;
        there(&format!("{host}/a/b:1")).await.expect("there");
    }

    #[tokio::test]
    async fn not_there_and_not_for_us_are_two_things() {
        let cases = [
            ("404 Not Found", FailureKind::NotFound),
            ("401 Unauthorized", FailureKind::Forbidden),
            ("503 Unavailable", FailureKind::Server),
        ];
        for (status, kind) in cases {
            let host = registry(vec![answer("head", status, "", "")]).await;
            let failure = there(&format!("{host}/a:1")).await.expect_err(status);
            assert_eq!(failure.kind, kind, "{failure}");
        }
        let nobody = there("127.0.0.1:9/a:1").await.expect_err("nobody");
        assert_eq!(nobody.kind, FailureKind::Unreachable, "{nobody}");
    }
}
