//! SDK errors → [`Failure`]: its class, and a sentence with operation, region and remedy.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::{config::http::HttpResponse, error::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::config::OPERATION;
use crate::incident::{Failure, FailureKind};

/// How much of a service's own message is repeated.
const MESSAGE: usize = 240;

/// What is known of a failed call, without the SDK's types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Symptom {
    /// Which stage failed.
    stage: Stage,
    /// HTTP status, if there was an answer.
    status: Option<u16>,
    /// The service's error code.
    code: String,
    /// The service's message, or the chain of causes.
    message: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Time ran out.
    Time,
    /// No connection, or it broke.
    Wire,
    /// There were no credentials to sign with.
    Credentials,
    /// There was an answer that the SDK could not read.
    Reading,
    /// The service said no.
    #[default]
    Service,
    /// The request could not be made at all.
    Making,
}

/// Explains why a call failed. `operation` is service and operation, such as `DynamoDB DescribeTable`; `place` is the
/// region, and what was asked for: `teleport-state in us-west-2`.
#[must_use]
pub fn explain<E>(operation: &str, place: &str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    tell(operation, place, &symptom(error))
}

/// The failure of a thing that the plan does not name; `key` is what to add.
#[must_use]
pub fn not_planned(what: &str, key: &str) -> Failure {
    Failure::new(
        FailureKind::NotPlanned,
        format!("the plan names no {what}: add {key}"),
    )
}

fn symptom<E>(error: &SdkError<E, HttpResponse>) -> Symptom
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16());
    let chain = causes(error);
    let (stage, code, message) = match error {
        SdkError::TimeoutError(_) => (Stage::Time, "", chain),
        SdkError::DispatchFailure(failure) => match credentials_cause(error) {
            Some(true) => (Stage::Time, "", chain),
            Some(false) => (Stage::Credentials, "", chain),
            None if failure.is_timeout() => (Stage::Time, "", chain),
            None => (Stage::Wire, "", chain),
        },
        SdkError::ResponseError(_) => (Stage::Reading, "", chain),
        SdkError::ServiceError(context) => {
            let meta = context.err();
            let message = meta.message().unwrap_or_default().to_owned();
            (Stage::Service, meta.code().unwrap_or_default(), message)
        }
        _ => (Stage::Making, "", chain),
    };
    Symptom {
        stage,
        status,
        code: code.to_owned(),
        message,
    }
}

/// `Some` if the credentials could not be had; `true` if only because their provider gave no answer.
fn credentials_cause(error: &(dyn Error + 'static)) -> Option<bool> {
    let mut cause = Some(error);
    while let Some(at) = cause {
        if let Some(found) = at.downcast_ref::<CredentialsError>() {
            return Some(matches!(found, CredentialsError::ProviderTimedOut(_)));
        }
        cause = at.source();
    }
    None
}

fn causes(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(at) = cause {
        let text = at.to_string();
        if !words.ends_with(&text) {
            words.push_str(": ");
            words.push_str(&text);
        }
        cause = at.source();
    }
    words
}

fn tell(operation: &str, place: &str, symptom: &Symptom) -> Failure {
    let kind = classify(symptom);
    let code = if symptom.code.is_empty() {
        symptom
            .status
            .map_or(String::new(), |status| format!("HTTP {status}"))
    } else {
        symptom.code.clone()
    };
    let message: String = symptom.message.chars().take(MESSAGE).collect();
    let said = match (code.is_empty(), message.is_empty()) {
        (false, false) => format!("{code}, {message}"),
        (false, true) => code,
        (true, _) => message,
    };
    let (what, remedy) = match kind {
        FailureKind::Timeout => (
            format!("gave no answer in {} s", OPERATION.as_secs()),
            "the region or the way there is down; it is asked again by itself",
        ),
        FailureKind::Unresolved | FailureKind::Empty => (
            format!("has no address ({said})"),
            "an empty DNS answer for the endpoint is an outage of its own; check the resolver, or set an endpoint in the plan",
        ),
        FailureKind::Unreachable => (
            format!("could not be reached ({said})"),
            "check the way there (proxy, VPC endpoint, firewall); it is asked again by itself",
        ),
        FailureKind::Tls => (
            format!("could not be trusted ({said})"),
            "check the system's CA certificates, the clock, and whether a proxy intercepts TLS",
        ),
        FailureKind::Credentials => (
            format!("has no valid credentials ({said})"),
            "renew them (aws sso login, or the profile named in the plan); no restart is needed",
        ),
        FailureKind::Forbidden => (
            format!("is not allowed ({said})"),
            "give the role that action on that ARN; IAM cannot be changed while us-east-1 is down, another role may have it",
        ),
        FailureKind::NotFound => (
            format!("found nothing ({said})"),
            "check name, region and account in the plan",
        ),
        FailureKind::Throttled => (
            format!("was told to slow down ({said})"),
            "it is asked again by itself, later",
        ),
        FailureKind::Server => (
            format!("failed on the side of AWS ({said})"),
            "it is asked again by itself",
        ),
        FailureKind::Garbage => (
            format!("gave an answer that makes no sense ({said})"),
            "check for a proxy or a wrong endpoint in between",
        ),
        FailureKind::NotPlanned | FailureKind::Other => (
            format!("failed ({said})"),
            "check the plan against the message",
        ),
    };
    Failure::new(kind, format!("{operation} of {place} {what}: {remedy}"))
}

fn classify(symptom: &Symptom) -> FailureKind {
    let says = |words: &[&str]| {
        let message = symptom.message.to_ascii_lowercase();
        words.iter().any(|word| message.contains(word))
    };
    match symptom.stage {
        Stage::Time => FailureKind::Timeout,
        Stage::Credentials => FailureKind::Credentials,
        Stage::Wire if says(&["dns error", "failed to lookup", "name or service"]) => {
            FailureKind::Unresolved
        }
        Stage::Wire if says(&["certificate", "tls", "handshake", "unknownissuer"]) => {
            FailureKind::Tls
        }
        Stage::Wire => FailureKind::Unreachable,
        Stage::Making => FailureKind::Other,
        Stage::Reading => by_status(symptom.status).unwrap_or(FailureKind::Garbage),
        Stage::Service => by_code(&symptom.code)
            .or_else(|| by_status(symptom.status))
            .unwrap_or(if symptom.code.is_empty() {
                FailureKind::Garbage
            } else {
                FailureKind::Other
            }),
    }
}

fn by_status(status: Option<u16>) -> Option<FailureKind> {
    match status? {
        401 => Some(FailureKind::Credentials),
        403 => Some(FailureKind::Forbidden),
        404 => Some(FailureKind::NotFound),
        429 => Some(FailureKind::Throttled),
        500..600 => Some(FailureKind::Server),
        _ => None,
    }
}

/// The codes of the five services; the service models name each of them.
fn by_code(code: &str) -> Option<FailureKind> {
    const CREDENTIALS: &[&str] = &[
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "InvalidToken",
        "RequestTimeTooSkewed",
    ];
    const THROTTLED: &[&str] = &[
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
        "PriorRequestNotComplete",
        "LimitExceededException",
    ];
    const NOT_FOUND: &[&str] = &[
        "ResourceNotFoundException",
        "TableNotFoundException",
        "LoadBalancerNotFound",
        "ListenerNotFound",
        "NoSuchBucket",
        "NoSuchKey",
        "NoSuchHostedZone",
        "NoSuchChange",
        "NoSuchEntity",
        "NotFound",
        "NotFoundException",
        "ReplicationConfigurationNotFoundError",
    ];
    if CREDENTIALS.contains(&code) {
        Some(FailureKind::Credentials)
    } else if THROTTLED.contains(&code) {
        Some(FailureKind::Throttled)
    } else if NOT_FOUND.contains(&code) {
        Some(FailureKind::NotFound)
    } else if code.starts_with("AccessDenied") || code == "Forbidden" {
        Some(FailureKind::Forbidden)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symptom_has_its_class() {
        use FailureKind as K;
        let cases: &[(Stage, Option<u16>, &str, &str, K)] = &[
            (Stage::Time, None, "", "operation timed out", K::Timeout),
            (
                Stage::Credentials,
                None,
                "",
                "no providers in chain",
                K::Credentials,
            ),
            (
                Stage::Wire,
                None,
                "",
                "client error (Connect): dns error: failed to lookup",
                K::Unresolved,
            ),
            (
                Stage::Wire,
                None,
                "",
                "invalid peer certificate: UnknownIssuer",
                K::Tls,
            ),
            (
                Stage::Wire,
                None,
                "",
                "tcp connect error: Connection refused",
                K::Unreachable,
            ),
            (
                Stage::Service,
                Some(400),
                "ResourceNotFoundException",
                "",
                K::NotFound,
            ),
            (
                Stage::Service,
                Some(400),
                "ExpiredTokenException",
                "",
                K::Credentials,
            ),
            (Stage::Service, Some(403), "AccessDenied", "", K::Forbidden),
            (
                Stage::Service,
                Some(400),
                "AccessDeniedException",
                "",
                K::Forbidden,
            ),
            (
                Stage::Service,
                Some(400),
                "PriorRequestNotComplete",
                "",
                K::Throttled,
            ),
            (Stage::Service, Some(403), "", "", K::Forbidden),
            (
                Stage::Service,
                Some(503),
                "ServiceUnavailable",
                "",
                K::Server,
            ),
            (
                Stage::Service,
                Some(400),
                "ValidationException",
                "",
                K::Other,
            ),
            (Stage::Reading, Some(200), "", "invalid JSON", K::Garbage),
            (Stage::Reading, Some(502), "", "invalid XML", K::Server),
            (Stage::Service, Some(200), "", "", K::Garbage),
        ];
        for (stage, status, code, message, kind) in cases {
            let symptom = Symptom {
                stage: *stage,
                status: *status,
                code: (*code).to_owned(),
                message: (*message).to_owned(),
            };
            assert_eq!(classify(&symptom), *kind, "{symptom:?}");
        }
    }

    #[test]
    fn the_sentence_names_operation_place_and_remedy_and_is_bounded() {
        let symptom = Symptom {
            status: Some(400),
            code: "AccessDeniedException".to_owned(),
            message: format!("no\u{1b}[2J{}", "x".repeat(10_000)),
            ..Symptom::default()
        };
        let failure = tell("DynamoDB DescribeTable", "state in us-west-2", &symptom);
        assert!(
            failure
                .detail
                .starts_with("DynamoDB DescribeTable of state in us-west-2 is not allowed")
        );
        assert!(failure.detail.contains("give the role that action"));
        assert!(!failure.detail.contains('\u{1b}'));
        assert!(failure.detail.len() < 700, "{}", failure.detail.len());
    }
}
