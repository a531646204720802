use std::net::{Ipv4Addr, SocketAddr};

use hickory_proto::{
    op::{Message, OpCode},
    rr::{RData, Record, rdata::A},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, UdpSocket},
};

use super::{super::Kind, *};
use crate::incident::{FailureKind, Rcode};

/// The wait is long against the work, since tests share two cores with others.
const SHORT: Patience = Patience {
    again: Duration::from_millis(100),
    timeout: Duration::from_secs(2),
};

/// What a server of the tests does with each datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Answer,
    /// Only the second time it is asked.
    Second,
    Dead,
    WrongId,
    WrongQuestion,
    /// A forged answer first, the right one after it.
    Forged,
    Garbage,
    Truncated,
    TruncatedWithoutTcp,
    Refuse,
}

fn reply(query: &[u8]) -> Message {
    let query = Message::from_vec(query).expect("a query");
    let mut message = Message::response(query.metadata.id, OpCode::Query);
    let asked = query.queries[0].clone();
    let data = RData::A(A(Ipv4Addr::new(198, 51, 100, 1)));
    message.add_answer(Record::from_rdata(asked.name.clone(), 60, data));
    message.add_query(asked);
    message
}

fn answers(way: Way, query: &[u8], turn: usize) -> Vec<Vec<u8>> {
    let mut message = reply(query);
    let good = message.to_vec().expect("bytes");
    let changed = |message: &Message| message.to_vec().expect("bytes");
    match way {
        Way::Answer => vec![good],
        Way::Second if turn > 0 => vec![good],
        Way::Second | Way::Dead => Vec::new(),
        Way::WrongId | Way::Forged => {
            message.metadata.id ^= 0x5a5a;
            let forged = changed(&message);
            if way == Way::Forged {
                vec![forged, good]
            } else {
                vec![forged]
            }
        }
        Way::WrongQuestion => {
            message.queries[0].name = "evil.example.".parse().expect("a name");
            vec![changed(&message)]
        }
        Way::Garbage => {
            let mut bytes = good;
            bytes.truncate(20);
            vec![bytes]
        }
        Way::Truncated | Way::TruncatedWithoutTcp => {
            message.metadata.truncation = true;
            vec![changed(&message)]
        }
        Way::Refuse => {
            message.answers.clear();
            message.metadata.response_code = hickory_proto::op::ResponseCode::Refused;
            vec![changed(&message)]
        }
    }
}

/// A server on a loopback address of its own; ends with the test's runtime.
async fn server(ip: Ipv4Addr, way: Way) -> SocketAddr {
    let udp = UdpSocket::bind((ip, 0)).await.expect("a UDP port");
    let address = udp.local_addr().expect("an address");
    if way == Way::Truncated {
        let tcp = TcpListener::bind(address).await.expect("a TCP port");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = tcp.accept().await {
                let length = stream.read_u16().await.expect("a length");
                let mut query = vec![0; usize::from(length)];
                stream.read_exact(&mut query).await.expect("a query");
                let bytes = reply(&query).to_vec().expect("bytes");
                let length = u16::try_from(bytes.len()).expect("short");
                stream.write_u16(length).await.expect("written");
                stream.write_all(&bytes).await.expect("written");
            }
        });
    }
    tokio::spawn(async move {
        let (mut buffer, mut turn) = (vec![0; 1500], 0);
        while let Ok((length, from)) = udp.recv_from(&mut buffer).await {
            for bytes in answers(way, &buffer[..length], turn) {
                udp.send_to(&bytes, from).await.expect("sent");
            }
            turn += 1;
        }
    });
    address
}

fn question(server: SocketAddr) -> Question {
    Question::new(server, "tele.example.com", Kind::A, true).expect("a question")
}

async fn swept(questions: Vec<Question>, patience: Patience) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    sweep(questions, patience, |outcome| outcomes.push(outcome)).await;
    outcomes.sort_by_key(|outcome| outcome.index);
    outcomes
}

#[tokio::test]
async fn each_way_to_fail_is_told_apart() {
    let cases = [
        (Way::Answer, Ok((Rcode::NoError, "udp"))),
        (Way::Second, Ok((Rcode::NoError, "udp"))),
        (Way::Forged, Ok((Rcode::NoError, "udp"))),
        (Way::Truncated, Ok((Rcode::NoError, "tcp"))),
        (Way::Refuse, Ok((Rcode::Refused, "udp"))),
        (Way::Dead, Err(FailureKind::Timeout)),
        (Way::WrongId, Err(FailureKind::Timeout)),
        (Way::WrongQuestion, Err(FailureKind::Timeout)),
        (Way::Garbage, Err(FailureKind::Garbage)),
        (Way::TruncatedWithoutTcp, Err(FailureKind::Unreachable)),
    ];
    let mut questions = Vec::new();
    for (way, _) in cases {
        questions.push(question(server(Ipv4Addr::new(127, 9, 1, 1), way).await));
    }
    let outcomes = swept(questions, SHORT).await;
    for ((way, expected), outcome) in cases.iter().zip(&outcomes) {
        let seen = match &outcome.reply {
            Ok(reply) => Ok((reply.rcode, outcome.transport)),
            Err(failure) => Err(failure.kind),
        };
        assert_eq!(seen, *expected, "{way:?}: {outcome:?}");
    }
    assert_eq!(outcomes.len(), cases.len());
    assert!(outcomes[0].rtt < SHORT.again, "the first try was lost");
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_told_before_the_wait_is_over() {
    let gone = UdpSocket::bind("127.9.2.1:0").await.expect("a port");
    let address = gone.local_addr().expect("an address");
    drop(gone);
    let outcomes = swept(vec![question(address)], Patience::default()).await;
    let failure = outcomes[0].reply.as_ref().expect_err("nobody listens");
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(failure.detail.contains("nothing listens"), "{failure}");
    assert!(outcomes[0].rtt < Patience::default().timeout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_live_server_is_lost_in_twenty_of_twenty_sweeps() {
    let mut questions = Vec::new();
    for host in 0..160_u8 {
        let way = if host % 20 == 7 {
            Way::Dead
        } else {
            Way::Answer
        };
        questions.push((
            way,
            question(server(Ipv4Addr::new(127, 9, 3, host), way).await),
        ));
    }
    for run in 0..20 {
        // The dead ones cost a whole wait each time, so they take part twice.
        let asked: Vec<_> = questions
            .iter()
            .filter(|(way, _)| run % 10 == 0 || *way == Way::Answer)
            .collect();
        let outcomes = swept(
            asked.iter().map(|(_, question)| question.clone()).collect(),
            SHORT,
        )
        .await;
        assert_eq!(outcomes.len(), asked.len());
        for ((way, question), outcome) in asked.into_iter().zip(&outcomes) {
            let lives = *way == Way::Answer;
            assert_eq!(
                outcome.reply.is_ok(),
                lives,
                "run {run}, {}: {outcome:?}",
                question.server
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_questions_than_the_sockets_hold_are_all_asked() {
    let mut servers = Vec::new();
    for host in 0..80 {
        servers.push(server(Ipv4Addr::new(127, 9, 4, host), Way::Answer).await);
    }
    let many = WINDOW * MOST + 100;
    let questions = (0..many).map(|i| question(servers[i % servers.len()]));
    let patience = Patience {
        again: Duration::from_secs(1),
        timeout: Duration::from_secs(10),
    };
    let outcomes = swept(questions.collect(), patience).await;
    assert_eq!(outcomes.len(), many);
    let silent = outcomes.iter().find(|outcome| outcome.reply.is_err());
    assert_eq!(silent, None);
}

#[tokio::test]
async fn nothing_to_ask_is_nothing_told() {
    assert_eq!(swept(Vec::new(), SHORT).await, Vec::new());
}
