//! What went wrong at an address, by stage: sentences that say where.

use std::{error::Error, io, net::SocketAddr, time::Duration};

use crate::incident::{Failure, FailureKind};

/// TCP did not connect.
pub(super) fn tcp(error: &io::Error, socket: SocketAddr) -> Failure {
    Failure::new(
        of_io(error.kind()),
        format!("TCP to {socket}: {}", told(error)),
    )
}

/// TLS did not come about.
pub(super) fn handshake(error: &io::Error, socket: SocketAddr) -> Failure {
    let kind = match error.kind() {
        // rustls' own errors arrive as InvalidData.
        io::ErrorKind::InvalidData => FailureKind::Tls,
        kind => of_io(kind),
    };
    Failure::new(kind, format!("TLS with {socket}: {}", told(error)))
}

/// Nothing came in time.
pub(super) fn silence(place: &str, waited: Duration) -> Failure {
    Failure::new(
        FailureKind::Timeout,
        format!("{place}: nothing within {} ms", waited.as_millis()),
    )
}

/// What was read over a connection is no answer.
pub(super) fn spoken(error: &io::Error, place: &str) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::InvalidData => FailureKind::Garbage,
        kind => of_io(kind),
    };
    Failure::new(kind, format!("{place}: {}", told(error)))
}

/// HTTP did not come to an answer.
pub(super) fn http(error: &reqwest::Error, place: &str) -> Failure {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    let mut deepest = error.to_string();
    let mut kind = None;
    while let Some(inner) = cause {
        if inner.is::<rustls::Error>() {
            kind = Some(FailureKind::Tls);
        }
        let io = inner.downcast_ref::<io::Error>();
        if let Some(io) = io {
            kind = Some(of_io(io.kind()));
        }
        deepest = inner.to_string();
        // An I/O error that wraps another error is not its source, but has it.
        cause = match io.and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => inner.source(),
        };
    }
    let kind = match kind {
        _ if error.is_timeout() => FailureKind::Timeout,
        Some(kind) => kind,
        // The connection ended before an answer did.
        None if deepest.contains("closed before message completed") => FailureKind::Unreachable,
        None if error.is_connect() => FailureKind::Unreachable,
        None => FailureKind::Garbage,
    };
    Failure::new(kind, format!("{place}: {}", short(&deepest)))
}

fn of_io(kind: io::ErrorKind) -> FailureKind {
    match kind {
        io::ErrorKind::TimedOut => FailureKind::Timeout,
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::NotConnected
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::UnexpectedEof => FailureKind::Unreachable,
        _ => FailureKind::Other,
    }
}

fn told(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "refused, nothing listens there".to_owned(),
        io::ErrorKind::ConnectionReset => "reset by the other side".to_owned(),
        io::ErrorKind::UnexpectedEof => "closed by the other side".to_owned(),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            "no route from this machine; check VPN and routing".to_owned()
        }
        _ => short(&error.to_string()),
    }
}

/// Texts of libraries and of the other side, cut to what fits a line.
fn short(text: &str) -> String {
    text.chars().take(160).collect()
}
