//! From kube's errors to a [`Failure`]: its class, and a sentence that says where and what to do.

use std::{error::Error as StdError, io};

use kube::{Error, client::AuthError, config::KubeconfigError};

use super::text::clean;
use crate::incident::{Failure, FailureKind};

/// How much of a server's own words goes into a sentence.
const WORDS: usize = 240;

/// Why a request failed. `place` names the API (`the Kubernetes API of context dr (https://…)`), `doing` the request
/// (`list pods`).
#[must_use]
pub fn request(place: &str, doing: &str, error: &Error) -> Failure {
    match error {
        Error::Api(status) => refused(place, doing, status.code, &status.message),
        Error::SerdeError(why) => Failure::new(
            FailureKind::Garbage,
            format!(
                "{place} answered {doing} with something that is no Kubernetes object: {why}; \
                 check that the context points to an API server"
            ),
        ),
        Error::FromUtf8(_) | Error::LinesCodecMaxLineLengthExceeded => Failure::new(
            FailureKind::Garbage,
            format!("{place} answered {doing} with bytes that are no text"),
        ),
        Error::Auth(why) => credentials(place, why),
        Error::ReadEvents(why) => transport(place, doing, why),
        Error::HyperError(why) => transport(place, doing, why),
        Error::Service(why) => transport(place, doing, &**why),
        other => Failure::new(
            FailureKind::Other,
            format!(
                "{place}: {doing} failed: {}",
                clean(&other.to_string(), WORDS)
            ),
        ),
    }
}

/// What an HTTP status other than 2xx means here.
#[must_use]
pub fn refused(place: &str, doing: &str, code: u16, message: &str) -> Failure {
    let message = clean(message, WORDS);
    let said = if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    };
    let (kind, detail) = match code {
        401 => (
            FailureKind::Credentials,
            format!(
                "{place} does not accept our credentials (401){said}; renew what the kubeconfig's user or its exec \
                 plugin gives (for EKS: `aws sts get-caller-identity` with the same profile)"
            ),
        ),
        403 => (
            FailureKind::Forbidden,
            format!(
                "{place} does not let us {doing} (403){said}; ask for get, list and watch on it in this namespace"
            ),
        ),
        404 => (
            FailureKind::NotFound,
            format!("{place} does not have what we asked for ({doing}, 404){said}"),
        ),
        410 => (
            FailureKind::Other,
            format!("{place} has forgotten where our watch was ({doing}, 410); it is read anew"),
        ),
        429 => (
            FailureKind::Throttled,
            format!("{place} asks us to slow down ({doing}, 429){said}"),
        ),
        500.. => (
            FailureKind::Server,
            format!("{place} failed to {doing} ({code}){said}"),
        ),
        _ => (
            FailureKind::Other,
            format!("{place} answered {doing} with {code}{said}"),
        ),
    };
    Failure::new(kind, detail)
}

/// Nothing came in time.
#[must_use]
pub fn timeout(place: &str, doing: &str, secs: f32) -> Failure {
    Failure::new(
        FailureKind::Timeout,
        format!(
            "{place} gave no answer to {doing} in {secs}s; if the region is down this is expected, otherwise check \
             VPN, allow-list and endpoint access of the cluster"
        ),
    )
}

/// Why a kubeconfig gave no client. `file` is what was read, `context` what was looked for.
#[must_use]
pub fn kubeconfig(file: &str, context: &str, error: &KubeconfigError) -> Failure {
    let (kind, detail) = match error {
        KubeconfigError::LoadContext(_) => (
            FailureKind::NotPlanned,
            format!(
                "context {context:?} is not in {file}; correct `context` in the plan, or write the context with \
                 `aws eks update-kubeconfig --name CLUSTER --alias {context}`"
            ),
        ),
        KubeconfigError::LoadClusterOfContext(cluster) => (
            FailureKind::NotPlanned,
            format!(
                "context {context:?} in {file} names the cluster {:?}, which is not in it",
                clean(cluster, WORDS)
            ),
        ),
        KubeconfigError::ReadConfig(why, path) => (
            FailureKind::NotPlanned,
            format!(
                "cannot read the kubeconfig {}: {why}; set `kubeconfig` in the plan or KUBECONFIG",
                path.display()
            ),
        ),
        KubeconfigError::FindPath => (
            FailureKind::NotPlanned,
            "no kubeconfig: neither the plan nor KUBECONFIG names one and there is no home folder"
                .to_owned(),
        ),
        other => (
            FailureKind::Credentials,
            format!(
                "context {context:?} in {file} cannot be used: {}",
                clean(&other.to_string(), WORDS)
            ),
        ),
    };
    Failure::new(kind, detail)
}

/// Why there are no credentials. The exec plugin's standard output is left out: it may hold a token.
fn credentials(place: &str, error: &AuthError) -> Failure {
    let why = match error {
        AuthError::AuthExecRun { out, .. } => {
            let text = String::from_utf8_lossy(&out.stderr);
            let first = text
                .lines()
                .find(|line| !line.trim().is_empty())
                .unwrap_or("it said nothing");
            format!(
                "its exec plugin ended with {}: {}",
                out.status,
                clean(first, WORDS)
            )
        }
        AuthError::AuthExecStart(why) => {
            format!("its exec plugin could not be started: {why}; is it installed and in PATH?")
        }
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => {
            "its exec plugin gave no credentials".to_owned()
        }
        other => clean(&other.to_string(), WORDS),
    };
    Failure::new(
        FailureKind::Credentials,
        format!("no credentials for {place}: {why}"),
    )
}

/// A request that never got an answer: looks through the chain of causes for the one that tells the class.
fn transport(place: &str, doing: &str, error: &(dyn StdError + 'static)) -> Failure {
    let mut kind = FailureKind::Unreachable;
    let mut last = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(auth) = error.downcast_ref::<AuthError>() {
            return credentials(place, auth);
        }
        last = error.to_string();
        if error.is::<rustls::Error>() {
            kind = FailureKind::Tls;
        }
        next = error.source();
        if let Some(io) = error.downcast_ref::<io::Error>() {
            if io.kind() == io::ErrorKind::TimedOut {
                kind = FailureKind::Timeout;
            }
            // io::Error::source() skips the error it wraps.
            if let Some(inner) = io.get_ref() {
                next = Some(inner);
            }
        }
        if last.contains("failed to lookup address") || last.contains("dns error") {
            kind = FailureKind::Unresolved;
        }
    }
    let last = clean(&last, WORDS);
    let detail = match kind {
        FailureKind::Timeout => format!(
            "{place} gave no answer to {doing} in time ({last}); if the region is down this is expected"
        ),
        FailureKind::Unresolved => format!(
            "the host name of {place} does not resolve ({last}); check this machine's DNS and the kubeconfig"
        ),
        FailureKind::Tls => format!(
            "no TLS connection to {place}: {last}; check certificate-authority-data in the kubeconfig"
        ),
        _ => format!(
            "{place} cannot be reached to {doing}: {last}; check VPN, allow-list and endpoint access of the cluster"
        ),
    };
    Failure::new(kind, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_class_and_a_remedy() {
        let cases = [
            (401, FailureKind::Credentials, "exec plugin"),
            (403, FailureKind::Forbidden, "ask for get, list and watch"),
            (404, FailureKind::NotFound, "404"),
            (410, FailureKind::Other, "read anew"),
            (429, FailureKind::Throttled, "slow down"),
            (503, FailureKind::Server, "503"),
            (418, FailureKind::Other, "418"),
        ];
        for (code, kind, words) in cases {
            let failure = refused("the API of dr", "list pods", code, "because\u{1b}[31m");
            assert_eq!(failure.kind, kind, "{code}");
            assert!(failure.detail.contains(words), "{failure}");
            assert!(failure.detail.starts_with("the API of dr"), "{failure}");
            assert!(!failure.detail.contains('\u{1b}'));
        }
    }

    #[test]
    fn the_cause_deep_in_the_chain_tells_the_class() {
        let refused = Error::Service(Box::new(io::Error::from(io::ErrorKind::ConnectionRefused)));
        assert_eq!(request("p", "d", &refused).kind, FailureKind::Unreachable);
        let slow = Error::Service(Box::new(io::Error::other(io::Error::new(
            io::ErrorKind::TimedOut,
            "deadline has elapsed",
        ))));
        assert_eq!(request("p", "d", &slow).kind, FailureKind::Timeout);
        let tls = Error::Service(Box::new(io::Error::other(rustls::Error::DecryptError)));
        assert_eq!(request("p", "d", &tls).kind, FailureKind::Tls);
        let dns = Error::Service(Box::new(io::Error::other(
            "dns error: failed to lookup address information",
        )));
        assert_eq!(request("p", "d", &dns).kind, FailureKind::Unresolved);
    }

    #[test]
    fn a_missing_context_names_the_file_and_the_remedy() {
        let failure = kubeconfig(
            "/etc/kube",
            "dr",
            &KubeconfigError::LoadContext("dr".into()),
        );
        assert!(
            failure
                .detail
                .contains("context \"dr\" is not in /etc/kube"),
            "{failure}"
        );
        assert!(failure.detail.contains("update-kubeconfig"), "{failure}");
    }
}
