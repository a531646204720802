//! Reading credentials again: when their files change, when AWS calls them expired, and when the operator says so.
//!
//! The files belong to the process and not to one client: one count for all of them says how often they were to be read
//! again, and every provider of credentials compares it with the count at which it read them last.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use aws_sdk_sts::config::{
    interceptors::InterceptorContext,
    retry::{ClassifyRetry, RetryAction},
};
use aws_smithy_types::retry::ErrorKind;

/// Least time between two readings that a service's "expired" brings about: with nothing new to read, twenty probes
/// would read, and perhaps ask SSO, at every look.
const CALM: Duration = Duration::from_secs(10);
/// How much of an error's body is searched for its code.
const BODY: usize = 4096;

static TURN: AtomicU64 = AtomicU64::new(0);
static EXPIRED: Mutex<Option<Instant>> = Mutex::new(None);

/// From now on credentials are read anew, each where it is next needed. Cheap: nothing is read here.
pub fn read_again() {
    TURN.fetch_add(1, Ordering::AcqRel);
}

/// How often credentials were to be read again.
pub(super) fn turn() -> u64 {
    TURN.load(Ordering::Acquire)
}

/// Lets a call that was refused for expired credentials be signed anew, once, with what is read again. Such a refusal
/// comes before anything is done: a call that changes something may be repeated as well.
#[derive(Debug)]
pub(super) struct Expired;

impl ClassifyRetry for Expired {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(response) = context.response() else {
            return RetryAction::NoActionIndicated;
        };
        let header = response.headers().get("x-amzn-errortype");
        let body = response.body().bytes().unwrap_or_default();
        let head = body.get(..BODY).unwrap_or(body);
        if !says_expired(response.status().as_u16(), header, head) || !calm(Instant::now()) {
            return RetryAction::NoActionIndicated;
        }
        read_again();
        RetryAction::retryable_error(ErrorKind::ClientError)
    }

    fn name(&self) -> &'static str {
        "expired credentials"
    }
}

/// Whether a refusal is one of the credentials' age: the codes of STS, IAM, the JSON and REST services, and S3.
fn says_expired(status: u16, header: Option<&str>, body: &[u8]) -> bool {
    const CODES: [&str; 5] = [
        "ExpiredToken",
        "RequestExpired",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
    ];
    if !matches!(status, 400 | 401 | 403) {
        return false;
    }
    let body = String::from_utf8_lossy(body);
    CODES
        .iter()
        .any(|code| header.is_some_and(|header| header.contains(code)) || body.contains(code))
}

/// Whether the last time was long enough ago; then this one counts.
fn calm(now: Instant) -> bool {
    let mut last = EXPIRED.lock().unwrap_or_else(PoisonError::into_inner);
    let calm = last.is_none_or(|last| now.duration_since(last) >= CALM);
    if calm {
        *last = Some(now);
    }
    calm
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expired_credentials_are_told_from_everything_else() {
        let json =
            br#"{"__type":"com.amazonaws.dynamodb.v20120810#ExpiredTokenException","message":"x"}"#;
        let xml =
            b"<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>";
        let cases: [(u16, Option<&str>, &[u8], bool); 6] = [
            (400, None, json, true),
            (403, None, xml, true),
            (403, Some("ExpiredTokenException:http://x/"), b"", true),
            (200, None, xml, false),
            (403, Some("AccessDeniedException"), b"{}", false),
            (500, None, json, false),
        ];
        for (status, header, body, expired) in cases {
            assert_eq!(
                says_expired(status, header, body),
                expired,
                "{status} {header:?}"
            );
        }
    }

    #[test]
    fn twenty_refusals_at_once_are_one_reason_to_read_again() {
        let now = Instant::now();
        *EXPIRED.lock().expect("no poison") = None;
        assert!(calm(now));
        assert!(!calm(now + CALM / 2));
        assert!(calm(now + CALM));
    }
}
