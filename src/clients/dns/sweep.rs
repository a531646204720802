//! Many servers asked at once, over a pool of own sockets.
//!
//! One socket for 1,000 resolvers loses up to half the answers: its receive buffer holds some 90 datagrams of full
//! size. So each socket has at most [`WINDOW`] questions open, and there are as many sockets as that takes. One
//! resolver object per server would cost memory and 60 to 80 ms instead of 28 (facts/performance.md, section 6).

use std::{net::IpAddr, sync::Arc, time::Duration};

use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::Instant,
};

use super::{Question, Reply, part::Part};
use crate::incident::Failure;

/// Questions that one socket may have open.
pub(super) const WINDOW: usize = 48;

/// Fewest sockets of an address family that is asked at all.
const FEWEST: usize = 4;

/// Most sockets of an address family; with more questions than these hold, the rest waits for its turn.
const MOST: usize = 64;

/// Most sockets and connections at once that serve one silent or truncating server each: file descriptors are few.
const EXTRA: usize = 128;

/// How long a server is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Silent for so long, it is asked once more, from another port and with another id.
    pub again: Duration,
    /// Silent for so long since it was first asked, it counts as giving no answer.
    pub timeout: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            again: Duration::from_millis(400),
            timeout: Duration::from_secs(1),
        }
    }
}

/// What came of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Index of the question in the sweep.
    pub index: usize,
    /// From the try that was answered to its answer; without one, how long it was waited.
    pub rtt: Duration,
    /// `udp` or `tcp`.
    pub transport: &'static str,
    /// The answer or why there is none.
    pub reply: Result<Reply, Failure>,
}

/// Asks every question and tells each outcome as it comes, exactly one for each. Dropping the future ends the sweep.
pub async fn sweep(questions: Vec<Question>, patience: Patience, mut tell: impl FnMut(Outcome)) {
    let questions: Arc<[Question]> = questions.into();
    let (send, mut outcomes) = mpsc::channel(questions.len().max(1));
    let extra = Arc::new(Semaphore::new(EXTRA));
    let mut parts = JoinSet::new();
    for v6 in [false, true] {
        let family: Vec<usize> = (0..questions.len())
            .filter(|&index| questions[index].server.is_ipv6() == v6)
            .collect();
        let sockets = family.len().div_ceil(WINDOW).clamp(FEWEST, MOST);
        for share in 0..sockets.min(family.len()) {
            // Dealt out one by one, so that a server's questions do not share a socket and its loss.
            let mine = family
                .iter()
                .copied()
                .skip(share)
                .step_by(sockets)
                .collect();
            let part = Part::new(
                Arc::clone(&questions),
                mine,
                patience,
                Arc::clone(&extra),
                send.clone(),
            );
            parts.spawn(part.run(v6));
        }
    }
    drop(send);
    let mut told = vec![false; questions.len()];
    while let Some(outcome) = outcomes.recv().await {
        if let Some(told) = told.get_mut(outcome.index)
            && !*told
        {
            *told = true;
            tell(outcome);
        }
    }
    // A part that panicked has told nothing of the rest of its share; nobody may be left without an outcome.
    for index in (0..questions.len()).filter(|&index| !told[index]) {
        tell(Outcome {
            index,
            rtt: Duration::ZERO,
            transport: "udp",
            reply: Err(Failure::new(
                crate::incident::FailureKind::Other,
                "the sweep broke off: a defect in Relight",
            )),
        });
    }
}

/// Whether this machine has a route to an address: found out without sending anything.
pub async fn routed(address: IpAddr) -> bool {
    let any: std::net::SocketAddr = if address.is_ipv6() {
        (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
    } else {
        (std::net::Ipv4Addr::UNSPECIFIED, 0).into()
    };
    match tokio::net::UdpSocket::bind(any).await {
        Ok(socket) => socket.connect((address, 53)).await.is_ok(),
        Err(_) => false,
    }
}

/// When a question was first sent and by when it must be answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) sent: Instant,
    pub(super) end: Instant,
}

#[cfg(test)]
#[path = "sweep_tests.rs"]
mod tests;
