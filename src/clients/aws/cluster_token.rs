//! Tokens for EKS clusters, signed here: `k8s-aws-v1.` and a presigned STS `GetCallerIdentity` of the region that the cluster
//! is in, which its authenticator redeems there. Nobody is asked, and neither the aws CLI nor the EKS API is needed
//! (aws-iam-authenticator, "API Authorization from Outside a Cluster").

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime},
};

use aws_credential_types::{Credentials, provider::ProvideCredentials as _};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Key, config};
use crate::{
    clients::kube::{raw::encode, text::clean},
    incident::{Failure, FailureKind, Moment},
};

/// How long the signature itself is good for, as the authenticator wants it.
const SIGNED: Duration = Duration::from_mins(1);
/// How long a token is used: the authenticator takes it for 15 minutes.
const USED: Duration = Duration::from_mins(14);
/// The header that binds a token to one cluster.
const CLUSTER: &str = "x-k8s-aws-id";

/// For which cluster, and as whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenOf {
    /// Name of the cluster.
    pub cluster: String,
    /// The region that it is in; its STS redeems the token.
    pub region: String,
    /// Profile; the standard chain unless said.
    pub profile: Option<String>,
    /// Role to assume first.
    pub role: Option<String>,
}

/// A token, and when another one is due.
#[derive(Clone, PartialEq, Eq)]
pub struct ClusterToken {
    /// The token itself: a secret.
    pub token: String,
    /// When a client asks for another one.
    pub until: Moment,
}

/// Makes a token.
///
/// # Errors
/// If there are no credentials to sign with.
pub async fn cluster_token(of: &TokenOf) -> Result<ClusterToken, Failure> {
    let key = Key {
        region: of.region.clone(),
        profile: of.profile.clone(),
        role: of.role.clone(),
        credentials_file: None,
        sts: None,
    };
    let none = |why: String| {
        Failure::new(
            FailureKind::Credentials,
            format!(
                "no token for the EKS cluster {} in {}: {why}; renew the credentials, no restart is needed",
                of.cluster, of.region
            ),
        )
    };
    let config = config::load(&key, std::sync::Arc::default()).await;
    let provider = config
        .credentials_provider()
        .ok_or_else(|| none("there is no source of credentials".to_owned()))?;
    let credentials = provider.provide_credentials().await.map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        none(clean(&cause.unwrap_or_else(|| error.to_string()), 240))
    })?;
    let now = SystemTime::now();
    let url = presigned(of, credentials.clone(), now).map_err(|why| none(clean(&why, 240)))?;
    let used = Moment::now().plus(USED);
    // What is signed with credentials is worth nothing once they have ended.
    let ends = credentials.expiry().and_then(|end| {
        let since = end.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(Moment::from_millis(i64::try_from(since.as_millis()).ok()?))
    });
    Ok(ClusterToken {
        token: format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(url)),
        until: ends.map_or(used, |ends| ends.min(used)),
    })
}

/// STS of the region's own partition.
fn host(region: &str) -> String {
    let suffix = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    format!("sts.{region}.{suffix}")
}

fn presigned(of: &TokenOf, credentials: Credentials, now: SystemTime) -> Result<String, String> {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(SIGNED);
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&of.region)
        .name("sts")
        .time(now)
        .settings(settings)
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let url = format!(
        "https://{}/?Action=GetCallerIdentity&Version=2011-06-15",
        host(&of.region)
    );
    let headers = [(CLUSTER, of.cluster.as_str())].into_iter();
    let request = SignableRequest::new("GET", url.as_str(), headers, SignableBody::Bytes(b""))
        .map_err(|error| error.to_string())?;
    let (signed, _) = sign(request, &params)
        .map_err(|error| error.to_string())?
        .into_parts();
    let mut url = url;
    for (name, value) in signed.params() {
        let _ = write!(url, "&{name}={}", encode(value));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signatures computed by hand from the rules of Signature Version 4, with Python's hmac.
    const VECTORS: [(Option<&str>, &str); 2] = [
        (
            None,
            "e620e8d4d5ed9cbfaf51658b00c0d35ab3d57784847a3e3d3fe1043bdbbe3ee8",
        ),
        (
            Some("sess/ion+token=="),
            "0cc102734f361655bf25c76ec0ee00ed4a11709626f5dbf38b22b9c4681b805c",
        ),
    ];

    #[test]
    fn a_token_is_signed_as_the_rules_say() {
        let of = TokenOf {
            cluster: "teleport-west".to_owned(),
            region: "us-west-2".to_owned(),
            ..TokenOf::default()
        };
        // 2026-11-25T12:00:00Z
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(498_780);
        for (session, signature) in VECTORS {
            let credentials = Credentials::new(
                "AKIAIOSFODNN7EXAMPLE",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                session.map(str::to_owned),
                None,
                "test",
            );
            let url = presigned(&of, credentials, now).expect("signed");
            assert!(
                url.starts_with("https://sts.us-west-2.amazonaws.com/?Action=GetCallerIdentity&"),
                "{url}"
            );
            assert!(url.contains("X-Amz-Expires=60"), "{url}");
            assert!(
                url.contains("X-Amz-SignedHeaders=host%3Bx-k8s-aws-id"),
                "{url}"
            );
            assert!(
                url.contains(&format!("X-Amz-Signature={signature}")),
                "{url}"
            );
        }
    }

    #[test]
    fn china_has_an_sts_of_its_own() {
        assert_eq!(host("cn-north-1"), "sts.cn-north-1.amazonaws.com.cn");
    }
}
