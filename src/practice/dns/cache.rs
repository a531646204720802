//! A caching resolver: keeps each set of records for its TTL, by real time, and is as honest as it is told to be. Pure.

use std::{collections::HashMap, time::Duration};

use hickory_proto::{
    op::ResponseCode,
    rr::{Name, RData, Record, RecordType, rdata::CNAME},
};

use super::book::{Book, Node, Told, absolute, plain};
use crate::{incident::Moment, practice::world::CacheSpec};

/// Most sets of records kept by one cache. A sweep leaves a random label behind each time.
const MOST: usize = 2048;

/// Most CNAMEs followed.
const HOPS: usize = 8;

/// TTL of a copy handed out beyond its time (RFC 8767 section 4).
const STALE_TTL: u32 = 30;

/// How long a copy of a negative answer lives.
const NEGATIVE_TTL: u32 = 15;

type Key = (String, RecordType);

#[derive(Clone, Debug)]
struct Held {
    node: Node,
    fetched: Moment,
    ttl: u32,
}

/// One address with one or more caches behind it.
#[derive(Debug)]
pub struct Cache {
    spec: CacheSpec,
    shelves: Vec<HashMap<Key, Held>>,
    turn: usize,
}

impl Cache {
    /// An empty cache.
    #[must_use]
    pub fn new(spec: CacheSpec) -> Self {
        let shelves = usize::from(spec.caches.max(1));
        Self {
            spec,
            shelves: vec![HashMap::new(); shelves],
            turn: 0,
        }
    }

    /// Answers from what it holds, and asks for what it does not. `upstream` is what the authorities know now, `None`
    /// while they do not answer.
    pub fn ask(
        &mut self,
        name: &Name,
        kind: RecordType,
        now: Moment,
        upstream: Option<&Book>,
    ) -> Told {
        self.turn = (self.turn + 1) % self.shelves.len();
        let mut told = Told {
            rcode: ResponseCode::NoError,
            answers: Vec::new(),
            soa: None,
        };
        let mut owner = name.clone();
        for _ in 0..HOPS {
            let Some((node, left)) = self.get(&plain(&owner), kind, now, upstream) else {
                told.rcode = ResponseCode::ServFail;
                break;
            };
            match node {
                Node::Records(_, data) => {
                    let records = data
                        .into_iter()
                        .map(|data| Record::from_rdata(owner.clone(), left, data));
                    told.answers.extend(records);
                    break;
                }
                Node::Cname(_, target) => {
                    let Some(target) = absolute(&target) else {
                        told.rcode = ResponseCode::ServFail;
                        break;
                    };
                    let data = RData::CNAME(CNAME(target.clone()));
                    told.answers
                        .push(Record::from_rdata(owner.clone(), left, data));
                    owner = target;
                }
                Node::NoData | Node::NxDomain => {
                    if node == Node::NxDomain {
                        told.rcode = ResponseCode::NXDomain;
                    }
                    told.soa = upstream.and_then(Book::soa).map(|mut soa| {
                        soa.ttl = left;
                        soa
                    });
                    break;
                }
                Node::Foreign => {
                    told.rcode = ResponseCode::NXDomain;
                    break;
                }
            }
        }
        told
    }

    /// What is at a name, and the seconds left of it.
    fn get(
        &mut self,
        name: &str,
        kind: RecordType,
        now: Moment,
        upstream: Option<&Book>,
    ) -> Option<(Node, u32)> {
        // A CNAME answers for every type, so it is one copy whatever was asked.
        let keys = [RecordType::CNAME, kind].map(|kind| (name.to_owned(), kind));
        let copies = &mut self.shelves[self.turn];
        for key in &keys {
            if let Some(held) = copies.get(key)
                && let Some(left) = left(held, now)
            {
                return Some((held.node.clone(), left));
            }
        }
        let [cname, typed] = keys;
        let Some(book) = upstream else {
            let stale = Duration::from_secs(self.spec.stale.into());
            return [cname, typed].iter().find_map(|key| {
                let held = copies.get(key)?;
                let ended = held.fetched.plus(Duration::from_secs(held.ttl.into()));
                (now.since(ended) < stale).then(|| (held.node.clone(), STALE_TTL))
            });
        };
        let node = book.node(name, kind);
        let published = match &node {
            Node::Records(ttl, _) | Node::Cname(ttl, _) => *ttl,
            _ => NEGATIVE_TTL,
        };
        let ttl = published
            .max(self.spec.min_ttl)
            .min(self.spec.max_ttl.max(self.spec.min_ttl));
        let key = if matches!(node, Node::Cname(..)) {
            copies.remove(&typed);
            cname
        } else {
            copies.remove(&cname);
            typed
        };
        if copies.len() >= MOST {
            copies.retain(|_, held| left(held, now).is_some());
        }
        if copies.len() < MOST {
            let held = Held {
                node: node.clone(),
                fetched: now,
                ttl,
            };
            copies.insert(key, held);
        }
        Some((node, ttl))
    }
}

/// Whole seconds left of a copy; `None` once it has run out.
fn left(held: &Held, now: Moment) -> Option<u32> {
    let elapsed = u32::try_from(now.since(held.fetched).as_secs()).unwrap_or(u32::MAX);
    held.ttl.checked_sub(elapsed).filter(|left| *left > 0)
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
