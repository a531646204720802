//! One sweep: servers × names, IPv4 and IPv6, one observation for each server and name as soon as it is known.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use super::wildcards::on_wire;
use crate::{
    clients::dns::{Kind, Outcome, Patience, Question, Reply, sweep},
    incident::{Answer, Change, Fact, Failure, Moment, Rcode, Subject},
    probe::Sink,
};

/// A server to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// The server in [`Subject::Answer`].
    pub(super) id: Arc<str>,
    /// Where it is.
    pub(super) address: SocketAddr,
    /// Whether it is an authority, and asked without recursion.
    pub(super) authority: bool,
}

/// What each server answered last, so that a change can be dated.
#[derive(Debug, Default)]
pub(super) struct Memory {
    last: HashMap<Subject, Held>,
}

#[derive(Debug)]
struct Held {
    content: Content,
    ttl: Option<u32>,
    changed: Option<Change>,
}

/// What an answer says, without the times in it.
type Content = (Rcode, Vec<String>, Vec<IpAddr>);

impl Memory {
    /// The last change at this server, this answer included.
    fn note(&mut self, subject: &Subject, answer: &Answer, now: Moment) -> Option<Change> {
        // A server that fails for a while has not begun to say something else.
        if !matches!(answer.rcode, Rcode::NoError | Rcode::NxDomain) {
            return self.last.get(subject).and_then(|held| held.changed);
        }
        let targets = answer.chain.iter().map(|hop| hop.target.clone()).collect();
        let content = (answer.rcode, targets, answer.addresses.clone());
        let changed = match self.last.get(subject) {
            Some(held) if held.content == content => held.changed,
            Some(held) => Some(Change {
                at: now,
                ttl_before: held.ttl,
            }),
            None => None,
        };
        let held = Held {
            content,
            ttl: answer.ttl,
            changed,
        };
        self.last.insert(subject.clone(), held);
        changed
    }
}

/// Asks each server for each name. `each` is told every answer as well as the sink.
pub(super) async fn ask(
    servers: &[Server],
    names: &[String],
    memory: &mut Memory,
    sink: &Sink,
    mut each: impl FnMut(&str, &Answer),
) {
    let mut questions = Vec::new();
    let mut pairs = Vec::new();
    for name in names {
        for server in servers {
            let subject = Subject::Answer {
                server: Arc::clone(&server.id),
                name: name.as_str().into(),
            };
            let wire = on_wire(name);
            let both = [Kind::A, Kind::Aaaa]
                .map(|kind| Question::new(server.address, &wire, kind, !server.authority));
            match both {
                [Ok(a), Ok(aaaa)] => {
                    questions.extend([a, aaaa]);
                    pairs.push((subject, name, server, [None, None]));
                }
                [Err(failure), _] | [_, Err(failure)] => {
                    sink.put(subject, Duration::ZERO, Err(failure));
                }
            }
        }
    }
    let asked: Vec<String> = questions.iter().map(Question::asked).collect();
    sweep(questions, Patience::default(), |outcome| {
        let (at, which) = (outcome.index / 2, outcome.index % 2);
        let asked = &asked[outcome.index];
        let (subject, name, server, halves) = &mut pairs[at];
        halves[which] = Some(outcome);
        let [Some(a), Some(aaaa)] = halves else {
            return;
        };
        let (rtt, found) = merge(a, aaaa);
        let outcome = found.map(|(reply, transport)| {
            let mut answer = Answer {
                server: server.address.to_string(),
                authority: server.authority,
                asked: asked.clone(),
                rcode: reply.rcode,
                aa: reply.aa,
                chain: reply.chain,
                addresses: reply.addresses,
                ttl: reply.ttl,
                rtt,
                transport: transport.to_owned(),
                changed: None,
            };
            answer.changed = memory.note(subject, &answer, Moment::now());
            each(name, &answer);
            Fact::Answer(Arc::new(answer))
        });
        sink.put(subject.clone(), rtt, outcome);
    })
    .await;
}

/// One answer of the two halves. IPv4 leads: its code, chain and time are told; IPv6 adds its addresses, or stands in
/// if IPv4 has none.
fn merge(a: &Outcome, aaaa: &Outcome) -> (Duration, Result<(Reply, &'static str), Failure>) {
    let six = aaaa
        .reply
        .as_ref()
        .ok()
        .filter(|reply| !reply.addresses.is_empty());
    match (&a.reply, six) {
        (Ok(four), Some(six)) if !four.addresses.is_empty() => {
            let mut both = four.clone();
            both.addresses.extend(&six.addresses);
            both.addresses.sort_unstable();
            both.ttl = both.ttl.into_iter().chain(six.ttl).min();
            (a.rtt, Ok((both, a.transport)))
        }
        (_, Some(six)) => (aaaa.rtt, Ok((six.clone(), aaaa.transport))),
        (Ok(four), None) => (a.rtt, Ok((four.clone(), a.transport))),
        (Err(failure), None) => (a.rtt, Err(failure.clone())),
    }
}

#[cfg(test)]
#[path = "ask_tests.rs"]
mod tests;
