//! What the bytes of an answer mean. Pure: nothing here reads a socket or a clock.

use std::net::IpAddr;

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{DNSClass, Name, RData, Record},
};

use super::{name, question::Question};
use crate::incident::{Hop, Rcode};

/// Most CNAME hops followed: resolvers give up between 8 and 16.
const HOPS: usize = 16;

/// Most addresses taken of an answer.
const ADDRESSES: usize = 64;

/// Most name servers taken of an answer.
const NAMESERVERS: usize = 32;

/// An answer as it is on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Response code.
    pub rcode: Rcode,
    /// Authoritative answer bit.
    pub aa: bool,
    /// CNAME hops in order, from the name asked for.
    pub chain: Vec<Hop>,
    /// Addresses at the end of the chain, sorted.
    pub addresses: Vec<IpAddr>,
    /// Name servers of the name asked for, from answer or referral, each with the glue that came along.
    pub nameservers: Vec<(String, Vec<IpAddr>)>,
    /// The least TTL over chain and addresses in seconds; for a negative answer what the SOA says (RFC 2308 section 5).
    pub ttl: Option<u32>,
}

/// What a datagram or a message over TCP is to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Its answer.
    Reply(Reply),
    /// Cut off: to be asked again over TCP.
    Truncated,
    /// Nothing that answers this question; a forger's or an earlier one's. To be ignored.
    Stranger,
    /// It came with the right id, and cannot be understood.
    Garbage,
}

/// Reads a message as an answer to a question that was sent with this id.
#[must_use]
pub fn read(bytes: &[u8], question: &Question, id: u16) -> Reading {
    if bytes.len() < 12 || u16::from_be_bytes([bytes[0], bytes[1]]) != id {
        return Reading::Stranger;
    }
    let Ok(message) = Message::from_vec(bytes) else {
        return Reading::Garbage;
    };
    let meta = &message.metadata;
    if meta.message_type != MessageType::Response || meta.op_code != OpCode::Query {
        return Reading::Stranger;
    }
    match &message.queries[..] {
        [query] if same(query, question) => {}
        // A server that fails before it has read the question may leave it out, and says nothing else then.
        [] if meta.response_code != ResponseCode::NoError && message.answers.is_empty() => {}
        _ => return Reading::Stranger,
    }
    if meta.truncation {
        return Reading::Truncated;
    }
    Reading::Reply(interpret(&message, question))
}

/// Upper and lower case are one (RFC 4343): some servers answer in their own spelling.
fn same(query: &Query, question: &Question) -> bool {
    query.query_type == question.kind.record_type()
        && query.query_class == DNSClass::IN
        && query.name == question.name
}

fn interpret(message: &Message, question: &Question) -> Reply {
    let (chain, last, mut ttl) = follow(&message.answers, &question.name);
    let mut addresses = Vec::new();
    for record in at(&message.answers, &last) {
        let address = match &record.data {
            RData::A(address) => IpAddr::V4(address.0),
            RData::AAAA(address) => IpAddr::V6(address.0),
            _ => continue,
        };
        if record.record_type() == question.kind.record_type() && addresses.len() < ADDRESSES {
            addresses.push(address);
            least(&mut ttl, seconds(record));
        }
    }
    addresses.sort_unstable();
    addresses.dedup();
    if addresses.is_empty()
        && let Some(negative) = negative_ttl(&message.authorities)
    {
        least(&mut ttl, negative);
    }
    Reply {
        rcode: rcode(message.metadata.response_code),
        aa: message.metadata.authoritative,
        chain,
        addresses,
        nameservers: nameservers(message, &question.name),
        ttl,
    }
}

/// Follows CNAMEs from the name asked for, whatever the order of the records. A loop ends where it closes.
fn follow(answers: &[Record], asked: &Name) -> (Vec<Hop>, Name, Option<u32>) {
    let (mut chain, mut here, mut ttl) = (Vec::new(), asked.clone(), None);
    let mut been = vec![here.clone()];
    while chain.len() < HOPS {
        let next = at(answers, &here).find_map(|record| match &record.data {
            RData::CNAME(target) => Some((target.0.clone(), seconds(record))),
            _ => None,
        });
        let Some((target, left)) = next else { break };
        chain.push(Hop {
            target: name::text(&target),
            ttl: left,
        });
        least(&mut ttl, left);
        if been.contains(&target) {
            break;
        }
        been.push(target.clone());
        here = target;
    }
    (chain, here, ttl)
}

fn at<'a>(records: &'a [Record], owner: &'a Name) -> impl Iterator<Item = &'a Record> {
    records
        .iter()
        .filter(move |record| record.dns_class == DNSClass::IN && record.name == *owner)
}

/// RFC 2308 section 5: the lesser of the SOA record's own TTL and its MINIMUM field.
fn negative_ttl(authorities: &[Record]) -> Option<u32> {
    authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(seconds(record).min(soa.minimum)),
        _ => None,
    })
}

fn nameservers(message: &Message, zone: &Name) -> Vec<(String, Vec<IpAddr>)> {
    let mut found: Vec<(Name, Vec<IpAddr>)> = Vec::new();
    for record in message.answers.iter().chain(&message.authorities) {
        let RData::NS(server) = &record.data else {
            continue;
        };
        // A referral may only be for the zone asked for, or it says nothing about it (RFC 2181 section 5.4.1).
        if record.name == *zone
            && found.len() < NAMESERVERS
            && found.iter().all(|(name, _)| *name != server.0)
        {
            found.push((server.0.clone(), Vec::new()));
        }
    }
    for (server, addresses) in &mut found {
        for record in at(&message.additionals, server).take(ADDRESSES) {
            match &record.data {
                RData::A(address) => addresses.push(IpAddr::V4(address.0)),
                RData::AAAA(address) => addresses.push(IpAddr::V6(address.0)),
                _ => {}
            }
        }
    }
    found
        .into_iter()
        .map(|(server, addresses)| (name::text(&server), addresses))
        .collect()
}

/// A TTL with its highest bit set counts as zero (RFC 2181 section 8).
fn seconds(record: &Record) -> u32 {
    if i32::try_from(record.ttl).is_ok() {
        record.ttl
    } else {
        0
    }
}

fn least(ttl: &mut Option<u32>, other: u32) {
    *ttl = Some(ttl.map_or(other, |ttl| ttl.min(other)));
}

const fn rcode(code: ResponseCode) -> Rcode {
    match code {
        ResponseCode::NoError => Rcode::NoError,
        ResponseCode::NXDomain => Rcode::NxDomain,
        ResponseCode::ServFail => Rcode::ServFail,
        ResponseCode::Refused => Rcode::Refused,
        _ => Rcode::Other,
    }
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
