//! What the authorities know at one moment, and what they answer from it (RFC 1034 section 4.3.2, RFC 4592). Pure.

use std::net::IpAddr;

use hickory_proto::{
    op::ResponseCode,
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, AAAA, CNAME, NS, SOA},
    },
};

use crate::{
    incident::{Moment, RecordSet, Side},
    practice::world::World,
};

/// TTL of an alias, which has its target's: load balancers publish with 60 s.
const ALIAS_TTL: u32 = 60;

/// TTL of a load balancer's own addresses.
const BALANCER_TTL: u32 = 60;

/// How long a negative answer lives: short, because a practice is.
const NEGATIVE_TTL: u32 = 15;

/// Most CNAMEs that one answer follows.
const HOPS: usize = 8;

/// What there is at one name for one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// Records of the type.
    Records(u32, Vec<RData>),
    /// An alias by CNAME.
    Cname(u32, String),
    /// The name exists, the type does not.
    NoData,
    /// The name does not exist.
    NxDomain,
    /// Not in any zone served here.
    Foreign,
}

/// An answer of an authority.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Response code.
    pub rcode: ResponseCode,
    /// The answer section.
    pub answers: Vec<Record>,
    /// The SOA that goes with a negative answer.
    pub soa: Option<Record>,
}

/// What the authorities know at one moment.
#[derive(Clone, Debug, Default)]
pub struct Book {
    zone: String,
    records: Vec<RecordSet>,
    nameservers: Vec<(String, IpAddr)>,
    balancers: Vec<Balancer>,
}

#[derive(Clone, Debug)]
struct Balancer {
    /// Its own name.
    host: String,
    /// `None` while there is no load balancer.
    address: Option<IpAddr>,
}

impl Book {
    /// What the world publishes at a moment.
    #[must_use]
    pub fn of(world: &World, now: Moment) -> Self {
        let balancers = Side::BOTH.map(|side| {
            let address = world.addresses.load_balancers[usize::from(side == Side::Recovery)];
            let running = world.side(side).cluster.running();
            Balancer {
                host: world.scenario.site(side).load_balancer.to_ascii_lowercase(),
                address: running.map(|_| address.into()),
            }
        });
        Self {
            zone: world.zone.name.to_ascii_lowercase(),
            records: world.zone.published(now),
            nameservers: world
                .addresses
                .authorities
                .iter()
                .map(|(name, address)| (name.clone(), address.ip()))
                .collect(),
            balancers: balancers.into(),
        }
    }

    /// What there is at a name, wildcards expanded.
    #[must_use]
    pub fn node(&self, name: &str, kind: RecordType) -> Node {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        if let Some(found) = self.balancer(&name, kind) {
            return found;
        }
        if !self.owns(&name) {
            let address = self.nameservers.iter().find(|(known, _)| *known == name);
            return address.map_or(Node::Foreign, |(_, address)| {
                addresses(BALANCER_TTL, &[*address], kind)
            });
        }
        if self.exists(&name) {
            return self.at(&name, kind);
        }
        // The closest encloser's wildcard, and no other, stands in (RFC 4592 section 3.3.1): a name in between blocks it.
        let mut encloser = name.as_str();
        while let Some((_, above)) = encloser.split_once('.') {
            encloser = above;
            if self.exists(encloser) {
                break;
            }
        }
        let wildcard = format!("*.{encloser}");
        if self.records.iter().any(|set| same(&set.name, &wildcard)) {
            self.at(&wildcard, kind)
        } else {
            Node::NxDomain
        }
    }

    /// An authority's answer. CNAMEs are followed as long as they stay in the zone, as Route 53 does.
    #[must_use]
    pub fn ask(&self, name: &Name, kind: RecordType) -> Told {
        let mut told = Told {
            rcode: ResponseCode::NoError,
            answers: Vec::new(),
            soa: None,
        };
        let mut owner = name.clone();
        for _ in 0..HOPS {
            match self.node(&owner.to_ascii(), kind) {
                Node::Records(ttl, data) => {
                    let records = data
                        .into_iter()
                        .map(|data| Record::from_rdata(owner.clone(), ttl, data));
                    told.answers.extend(records);
                    break;
                }
                Node::Cname(ttl, target) => {
                    let Some(target) = absolute(&target) else {
                        told.rcode = ResponseCode::ServFail;
                        break;
                    };
                    let data = RData::CNAME(CNAME(target.clone()));
                    told.answers
                        .push(Record::from_rdata(owner.clone(), ttl, data));
                    if !self.owns(&plain(&target)) {
                        break;
                    }
                    owner = target;
                }
                Node::NoData => {
                    told.soa = self.soa();
                    break;
                }
                Node::NxDomain => {
                    told.rcode = ResponseCode::NXDomain;
                    told.soa = self.soa();
                    break;
                }
                Node::Foreign => {
                    told.rcode = ResponseCode::Refused;
                    break;
                }
            }
        }
        told
    }

    /// The zone's start of authority, which says how long a negative answer lives.
    #[must_use]
    pub fn soa(&self) -> Option<Record> {
        let zone = absolute(&self.zone)?;
        let server = absolute(&self.nameservers.first()?.0)?;
        let mail = absolute("awsdns-hostmaster.amazon.com")?;
        let soa = SOA::new(server, mail, 1, 7200, 900, 1_209_600, NEGATIVE_TTL);
        Some(Record::from_rdata(zone, 900, RData::SOA(soa)))
    }

    fn owns(&self, name: &str) -> bool {
        !self.zone.is_empty() && (name == self.zone || under(name, &self.zone))
    }

    /// Whether there is a node: a record of its own, or one below it.
    fn exists(&self, name: &str) -> bool {
        name == self.zone
            || self.records.iter().any(|set| {
                let owner = set.name.to_ascii_lowercase();
                owner == name || under(&owner, name)
            })
    }

    fn at(&self, name: &str, kind: RecordType) -> Node {
        if name == self.zone && kind == RecordType::NS {
            let names = self
                .nameservers
                .iter()
                .filter_map(|(name, _)| absolute(name));
            return Node::Records(172_800, names.map(|name| RData::NS(NS(name))).collect());
        }
        if name == self.zone && kind == RecordType::SOA {
            let data = self.soa().map(|record| record.data).into_iter().collect();
            return Node::Records(900, data);
        }
        let mut here = self.records.iter().filter(|set| same(&set.name, name));
        if let Some(cname) = here.clone().find(|set| set.kind == "CNAME")
            && let Some(target) = cname.values.first()
        {
            return Node::Cname(seconds(cname), target.clone());
        }
        let Some(set) = here.find(|set| set.kind == kind.to_string()) else {
            return Node::NoData;
        };
        if set.alias_zone.is_some() {
            let target = set.values.first().map_or("", String::as_str);
            let target = target.strip_prefix("dualstack.").unwrap_or(target);
            return match self.node(target, kind) {
                Node::Records(_, data) => Node::Records(ALIAS_TTL, data),
                _ => Node::NoData,
            };
        }
        let found: Vec<IpAddr> = set
            .values
            .iter()
            .filter_map(|value| value.parse().ok())
            .collect();
        addresses(seconds(set), &found, kind)
    }

    fn balancer(&self, name: &str, kind: RecordType) -> Option<Node> {
        let balancer = self.balancers.iter().find(|known| known.host == name)?;
        Some(match balancer.address {
            Some(address) => addresses(BALANCER_TTL, &[address], kind),
            None => Node::NxDomain,
        })
    }
}

fn addresses(ttl: u32, found: &[IpAddr], kind: RecordType) -> Node {
    let data: Vec<RData> = found
        .iter()
        .filter_map(|address| match (address, kind) {
            (IpAddr::V4(address), RecordType::A) => Some(RData::A(A(*address))),
            (IpAddr::V6(address), RecordType::AAAA) => Some(RData::AAAA(AAAA(*address))),
            _ => None,
        })
        .collect();
    if data.is_empty() {
        Node::NoData
    } else {
        Node::Records(ttl, data)
    }
}

fn seconds(set: &RecordSet) -> u32 {
    set.ttl
        .and_then(|ttl| u32::try_from(ttl).ok())
        .unwrap_or(ALIAS_TTL)
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn under(name: &str, above: &str) -> bool {
    name.strip_suffix(above)
        .is_some_and(|rest| rest.ends_with('.'))
}

/// A name without its final dot.
pub(super) fn plain(name: &Name) -> String {
    let mut text = name.to_lowercase().to_ascii();
    text.truncate(text.strip_suffix('.').map_or(text.len(), str::len));
    text
}

/// A name from text, absolute.
pub(super) fn absolute(text: &str) -> Option<Name> {
    let mut name = Name::from_ascii(text).ok()?;
    name.set_fqdn(true);
    Some(name)
}

#[cfg(test)]
#[path = "book_tests.rs"]
pub(super) mod tests;
