//! Service accounts: a short-lived token of one, and the issuer that signs them.

use std::{fmt, time::Duration};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::{Kube, failure};
use crate::incident::{Failure, FailureKind};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The audience that IAM's roles for service accounts trust.
pub const AUDIENCE: &str = "sts.amazonaws.com";
/// The shortest life that an API server gives a token.
const LIFE: u32 = 600;

/// A token. It is never shown, written or kept longer than the call that needs it.
pub struct Token(String);

impl Token {
    /// The token, to be sent.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[derive(Deserialize)]
struct Issued {
    status: IssuedStatus,
}

#[derive(Deserialize)]
struct IssuedStatus {
    token: String,
}

/// Asks for a token of a service account, for STS and for ten minutes (`TokenRequest`, authentication.k8s.io/v1).
///
/// # Errors
/// If there is no such account, which is so before the chart is installed, or asking is not allowed.
pub async fn token(kube: &Kube, namespace: &str, name: &str) -> Result<Token, Failure> {
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"audiences": [AUDIENCE], "expirationSeconds": LIFE}});
    let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token");
    let request = http::Request::post(path)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body.to_string().into_bytes());
    let doing = format!("make a token of ServiceAccount {namespace}/{name}");
    let issued: Issued = send(kube, request, &doing).await?;
    if issued.status.token.is_empty() {
        return Err(Failure::new(
            FailureKind::Garbage,
            format!("{} gave an empty token for {namespace}/{name}", kube.place),
        ));
    }
    Ok(Token(issued.status.token))
}

/// The issuer of the cluster's tokens, as its `/.well-known/openid-configuration` says.
///
/// # Errors
/// If the API does not answer or refuses.
pub async fn issuer(kube: &Kube) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Configuration {
        issuer: String,
    }
    let found: Configuration = get(
        kube,
        "/.well-known/openid-configuration",
        "say who issues its tokens",
    )
    .await?;
    Ok(super::text::clean(&found.issuer, 512))
}

/// Reads one object, by its path.
///
/// # Errors
/// If the API does not answer within five seconds, refuses, or there is no such object.
pub async fn get<T: DeserializeOwned + 'static>(
    kube: &Kube,
    path: &str,
    doing: &str,
) -> Result<T, Failure> {
    let request = http::Request::get(path)
        .header(http::header::ACCEPT, "application/json")
        .body(Vec::new());
    send(kube, request, doing).await
}

async fn send<T: DeserializeOwned>(
    kube: &Kube,
    request: http::Result<http::Request<Vec<u8>>>,
    doing: &str,
) -> Result<T, Failure> {
    let request = request.map_err(|error| {
        Failure::new(
            FailureKind::Other,
            format!("{} cannot be asked to {doing}: {error}", kube.place),
        )
    })?;
    match tokio::time::timeout(PATIENCE, kube.client.request::<T>(request)).await {
        Ok(answer) => answer.map_err(|error| failure::request(&kube.place, doing, &error)),
        Err(_) => Err(failure::timeout(&kube.place, doing, PATIENCE.as_secs_f32())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_does_not_show_itself() {
        assert_eq!(format!("{:?}", Token("eyJ.x.y".to_owned())), "Token(…)");
    }
}
