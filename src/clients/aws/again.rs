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
/// For how long what was read again counts as newer than what a refused call was signed with.
const FRESH: Duration = Duration::from_secs(2);
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
        if !says_expired(response.status().as_u16(), header, head) {
            return RetryAction::NoActionIndicated;
        }
        let (read, retry) = worth(&EXPIRED, Instant::now());
        if read {
            read_again();
        }
        if retry {
            RetryAction::retryable_error(ErrorKind::ClientError)
        } else {
            RetryAction::NoActionIndicated
        }
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

/// Whether this refusal is a reason to read again, and whether the call may come out otherwise now: what was read again just
/// before may be newer than what it was signed with. One refusal is classified more than once.
fn worth(last: &Mutex<Option<Instant>>, now: Instant) -> (bool, bool) {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    match *last {
        Some(at) if now.duration_since(at) < CALM => (false, now.duration_since(at) < FRESH),
        _ => {
            *last = Some(now);
            (true, true)
        }
    }
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
        let (last, now) = (Mutex::new(None), Instant::now());
        assert_eq!(worth(&last, now), (true, true));
        assert_eq!(worth(&last, now + FRESH / 2), (false, true));
        assert_eq!(worth(&last, now + CALM / 2), (false, false));
        assert_eq!(worth(&last, now + CALM), (true, true));
    }

    const OLD: &str = "[dr]\naws_access_key_id = AKIAOLD\naws_secret_access_key = x\n";
    const NEW: &str = "[dr]\naws_access_key_id = AKIANEW\naws_secret_access_key = x\n";
    const WHO: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
        <Arn>arn:aws:iam::111122223333:user/dr</Arn><UserId>A</UserId><Account>111122223333</Account></GetCallerIdentityResult>\
        </GetCallerIdentityResponse>";

    /// An STS to which the old key is expired; by the time that it says so, somebody has renewed the file.
    async fn sts(listener: tokio::net::TcpListener, file: std::path::PathBuf) {
        use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let (mut old, mut length) = (false, 0);
            loop {
                let mut line = String::new();
                let read = stream.read_line(&mut line).await.unwrap_or_default();
                let line = line.trim_end().to_ascii_lowercase();
                old |= line.contains("akiaold");
                if let Some(said) = line.strip_prefix("content-length: ") {
                    length = said.parse().expect("a length");
                }
                if read == 0 || line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            let _ = stream.read_exact(&mut body).await;
            let (status, body) = if old {
                std::fs::write(&file, NEW).expect("written");
                let expired = "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>ended</Message></Error></ErrorResponse>";
                ("403 Forbidden", expired)
            } else {
                ("200 OK", WHO)
            };
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    }

    #[tokio::test]
    async fn a_call_refused_for_an_expired_token_is_signed_anew_with_what_is_in_the_file_by_then() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("credentials");
        std::fs::write(&file, OLD).expect("written");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(sts(listener, file.clone()));
        let key = super::super::Key {
            region: "us-west-2".to_owned(),
            profile: Some("dr".to_owned()),
            role: None,
            credentials_file: Some(file),
            sts: None,
        };
        let endpoints = std::collections::BTreeMap::from([(crate::plan::Service::Sts, url)]);
        let reach = super::super::Reach::new(key, endpoints);
        let who = super::super::identity::fetch(&reach)
            .await
            .expect("who we are");
        assert_eq!(who.arn, "arn:aws:iam::111122223333:user/dr");
    }
}
