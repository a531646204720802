//! One socket of a sweep with its share of the questions.

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use futures::{
    FutureExt as _, StreamExt as _,
    future::{BoxFuture, Either},
    stream::FuturesUnordered,
};
use tokio::{
    net::UdpSocket,
    sync::{Semaphore, mpsc},
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    Outcome, Patience, Question, name,
    reply::{Reading, read},
    sweep::{Times, WINDOW},
    tcp,
};
use crate::incident::{Failure, FailureKind};

/// Room for one datagram. Answers of more than 1,232 bytes were not asked for; what is cut off here is garbage.
const BUFFER: usize = 4096;

/// A question that waits for its answer.
#[derive(Debug)]
struct Open {
    id: u16,
    times: Times,
    again: bool,
    /// Something came with the right address and id, and made no sense. It may have been forged: the wait goes on.
    garbage: bool,
}

/// What a second try, or a try over TCP, came to.
struct Extra {
    index: usize,
    sent: Instant,
    transport: &'static str,
    result: Result<super::Reply, Failure>,
}

/// One socket of a sweep with its share of the questions.
pub(super) struct Part {
    questions: Arc<[Question]>,
    waiting: VecDeque<usize>,
    patience: Patience,
    extra: Arc<Semaphore>,
    tell: mpsc::Sender<Outcome>,
    open: HashMap<usize, Open>,
    /// Which question an answer belongs to, by where it comes from and its id.
    by_id: HashMap<(SocketAddr, u16), usize>,
    /// Questions in the order in which they are to be asked again, and given up: all have the same patience.
    agains: VecDeque<(Instant, usize)>,
    ends: VecDeque<(Instant, usize)>,
    extras: FuturesUnordered<BoxFuture<'static, Extra>>,
}

impl Part {
    pub(super) fn new(
        questions: Arc<[Question]>,
        waiting: VecDeque<usize>,
        patience: Patience,
        extra: Arc<Semaphore>,
        tell: mpsc::Sender<Outcome>,
    ) -> Self {
        Self {
            questions,
            waiting,
            patience,
            extra,
            tell,
            open: HashMap::new(),
            by_id: HashMap::new(),
            agains: VecDeque::new(),
            ends: VecDeque::new(),
            extras: FuturesUnordered::new(),
        }
    }

    pub(super) async fn run(mut self, v6: bool) {
        let socket = match bind(v6).await {
            Ok(socket) => socket,
            Err(error) => {
                for index in std::mem::take(&mut self.waiting) {
                    let failure = self.failure(
                        index,
                        FailureKind::Unreachable,
                        &format!("no socket to ask from: {error}"),
                    );
                    self.settle(index, Instant::now(), "udp", Err(failure));
                }
                return;
            }
        };
        let mut buffer = vec![0; BUFFER];
        loop {
            while self.open.len() < WINDOW
                && let Some(index) = self.waiting.pop_front()
            {
                self.first(&socket, index).await;
                // Answers are taken while questions go out, so that none waits in the kernel's buffer.
                self.take(&socket, &mut buffer);
            }
            if self.open.is_empty() {
                break;
            }
            let next = [self.agains.front(), self.ends.front()]
                .into_iter()
                .flatten()
                .map(|(at, _)| *at)
                .min();
            let timer = match next {
                Some(at) => Either::Left(sleep_until(at)),
                None => Either::Right(std::future::pending()),
            };
            tokio::select! {
                ready = socket.readable() => if ready.is_ok() { self.take(&socket, &mut buffer) },
                Some(extra) = self.extras.next() => self.finish(extra),
                () = timer => self.due(&socket),
            }
        }
    }

    /// Sends a question for the first time.
    async fn first(&mut self, socket: &UdpSocket, index: usize) {
        let server = self.questions[index].server;
        let sent = Instant::now();
        let id = loop {
            let id = fastrand::u16(..);
            if !self.by_id.contains_key(&(server, id)) {
                break id;
            }
        };
        if let Err(error) = send(socket, &self.questions[index], id).await {
            let failure = self.failure(index, FailureKind::Unreachable, &error.to_string());
            return self.settle(index, sent, "udp", Err(failure));
        }
        let times = Times {
            sent,
            end: sent + self.patience.timeout,
        };
        self.by_id.insert((server, id), index);
        self.open.insert(
            index,
            Open {
                id,
                times,
                again: false,
                garbage: false,
            },
        );
        self.agains.push_back((sent + self.patience.again, index));
        self.ends.push_back((times.end, index));
    }

    /// Takes every datagram that has come.
    fn take(&mut self, socket: &UdpSocket, buffer: &mut [u8]) {
        while let Ok((length, from)) = socket.try_recv_from(buffer) {
            let bytes = &buffer[..length];
            let [high, low, ..] = *bytes else { continue };
            let id = u16::from_be_bytes([high, low]);
            let Some(&index) = self.by_id.get(&(from, id)) else {
                continue;
            };
            match read(bytes, &self.questions[index], id) {
                Reading::Reply(reply) => {
                    if let Some(open) = self.open.get(&index) {
                        let sent = open.times.sent;
                        self.settle(index, sent, "udp", Ok(reply));
                    }
                }
                Reading::Truncated => self.over_tcp(index),
                Reading::Garbage => {
                    if let Some(open) = self.open.get_mut(&index) {
                        open.garbage = true;
                    }
                }
                Reading::Stranger => {}
            }
        }
    }

    /// Does what the time has come for.
    fn due(&mut self, socket: &UdpSocket) {
        let now = Instant::now();
        while let Some(&(at, index)) = self.agains.front()
            && at <= now
        {
            self.agains.pop_front();
            if self.open.get(&index).is_some_and(|open| !open.again) {
                self.once_more(socket, index);
            }
        }
        while let Some(&(at, index)) = self.ends.front()
            && at <= now
        {
            self.ends.pop_front();
            let Some(open) = self.open.get(&index) else {
                continue;
            };
            let (sent, waited) = (open.times.sent, self.patience.timeout.as_millis());
            let failure = if open.garbage {
                self.failure(
                    index,
                    FailureKind::Garbage,
                    "it answers with bytes that are no DNS message",
                )
            } else {
                self.failure(
                    index,
                    FailureKind::Timeout,
                    &format!("no answer in {waited} ms, asked twice"),
                )
            };
            self.settle(index, sent, "udp", Err(failure));
        }
    }

    /// Asks a silent server again, from a connected socket of its own: that has another port, should a firewall have
    /// forgotten the first, and learns if nobody listens there, which an unconnected socket is not told.
    fn once_more(&mut self, socket: &UdpSocket, index: usize) {
        let Some(open) = self.open.get_mut(&index) else {
            return;
        };
        open.again = true;
        let (id, times) = (open.id, open.times);
        let question = self.questions[index].clone();
        let Ok(permit) = Arc::clone(&self.extra).try_acquire_owned() else {
            // Too many are silent for a socket each. If this send fails too, the end of the wait will say so.
            if let Ok(message) = question.message(id) {
                let _ = socket.try_send_to(&message, question.server);
            }
            return;
        };
        self.extras.push(
            async move {
                let _permit = permit;
                let sent = Instant::now();
                let (transport, result) = alone(&question, times.end).await;
                Extra {
                    index,
                    sent,
                    transport,
                    result,
                }
            }
            .boxed(),
        );
    }

    /// Asks over TCP what did not fit into a datagram.
    fn over_tcp(&mut self, index: usize) {
        let Some(open) = self.open.get_mut(&index) else {
            return;
        };
        // A second truncated answer must not start a second connection.
        if let Some(question) = self.by_id.remove(&(self.questions[index].server, open.id)) {
            debug_assert_eq!(question, index, "ids are kept by question");
        }
        open.again = true;
        let end = open.times.end;
        let question = self.questions[index].clone();
        let extra = Arc::clone(&self.extra);
        self.extras.push(
            async move {
                let _permit = timeout_at(end, extra.acquire_owned()).await;
                let sent = Instant::now();
                let result = connected(&question, end).await;
                Extra {
                    index,
                    sent,
                    transport: "tcp",
                    result,
                }
            }
            .boxed(),
        );
    }

    fn finish(&mut self, extra: Extra) {
        if let Err(failure) = &extra.result
            && failure.kind == FailureKind::Timeout
        {
            // The first try may still be answered; the end of the wait is kept by `ends`.
            return;
        }
        self.settle(extra.index, extra.sent, extra.transport, extra.result);
    }

    /// Tells what came of a question, once.
    fn settle(
        &mut self,
        index: usize,
        sent: Instant,
        transport: &'static str,
        reply: Result<super::Reply, Failure>,
    ) {
        if let Some(open) = self.open.remove(&index) {
            self.by_id.remove(&(self.questions[index].server, open.id));
        }
        // There is room for one outcome of each question, so this fails only if nobody listens any more.
        let _ = self.tell.try_send(Outcome {
            index,
            rtt: sent.elapsed(),
            transport,
            reply,
        });
    }

    fn failure(&self, index: usize, kind: FailureKind, why: &str) -> Failure {
        explain(&self.questions[index], kind, why)
    }
}

async fn bind(v6: bool) -> io::Result<UdpSocket> {
    // Port 0: the kernel picks a random one.
    if v6 {
        UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).await
    } else {
        UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await
    }
}

async fn send(socket: &UdpSocket, question: &Question, id: u16) -> io::Result<()> {
    let message = question.message(id).map_err(io::Error::other)?;
    // Not `try_send_to`: a new socket counts as not writable until the reactor has looked at it once.
    socket.send_to(&message, question.server).await.map(drop)
}

/// Asks one server from a socket of its own until the end of the wait.
async fn alone(question: &Question, end: Instant) -> (&'static str, Result<super::Reply, Failure>) {
    let work = async {
        let socket = bind(question.server.is_ipv6()).await?;
        socket.connect(question.server).await?;
        let id = fastrand::u16(..);
        socket
            .send(&question.message(id).map_err(io::Error::other)?)
            .await?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let length = socket.recv(&mut buffer).await?;
            match read(&buffer[..length], question, id) {
                Reading::Reply(reply) => return Ok(Some(reply)),
                Reading::Truncated => return Ok(None),
                Reading::Garbage | Reading::Stranger => {}
            }
        }
    };
    let failure = match timeout_at(end, work).await {
        Ok(Ok(Some(reply))) => return ("udp", Ok(reply)),
        Ok(Ok(None)) => return ("tcp", connected(question, end).await),
        Ok(Err(error)) => refused(question, "UDP", &error),
        Err(_) => explain(question, FailureKind::Timeout, "no answer"),
    };
    ("udp", Err(failure))
}

/// Asks one server over TCP until the end of the wait.
async fn connected(question: &Question, end: Instant) -> Result<super::Reply, Failure> {
    let id = fastrand::u16(..);
    let message = question
        .message(id)
        .map_err(|error| explain(question, FailureKind::Other, &error.to_string()))?;
    match timeout_at(end, tcp::exchange(question.server, &message)).await {
        Ok(Ok(bytes)) => match read(&bytes, question, id) {
            Reading::Reply(reply) => Ok(reply),
            _ => Err(explain(
                question,
                FailureKind::Garbage,
                "it cuts its answer off over UDP, and over TCP it makes no sense",
            )),
        },
        Ok(Err(error)) => Err(refused(question, "TCP", &error)),
        Err(_) => Err(explain(
            question,
            FailureKind::Timeout,
            "it cuts its answer off over UDP and gives none over TCP",
        )),
    }
}

fn refused(question: &Question, transport: &str, error: &io::Error) -> Failure {
    let (kind, why) = match error.kind() {
        io::ErrorKind::ConnectionRefused => (
            FailureKind::Unreachable,
            "nothing listens on that port".to_owned(),
        ),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            (FailureKind::Garbage, error.to_string())
        }
        _ => (FailureKind::Unreachable, error.to_string()),
    };
    explain(question, kind, &format!("{transport}: {why}"))
}

fn explain(question: &Question, kind: FailureKind, why: &str) -> Failure {
    let asked = name::shorten(&question.asked(), 80);
    let remedy = match kind {
        FailureKind::Timeout | FailureKind::Unreachable => {
            "; check that this machine may send DNS there"
        }
        _ => "",
    };
    Failure::new(
        kind,
        format!("{} asked for {asked}: {why}{remedy}", question.server),
    )
}
