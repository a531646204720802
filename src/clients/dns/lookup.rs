//! Look-ups as this machine would make them: through the plan's `dns.lookup` servers, or the system's.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use hickory_resolver::{
    Resolver, TokioResolver,
    config::{
        ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
        ServerOrderingStrategy,
    },
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{RData, RecordType},
    },
};

use super::name;
use crate::{
    incident::{Failure, FailureKind, Hop},
    plan::Plan,
};

/// How long one server is waited for. Look-ups are made every few seconds: a slow one is no help.
const TIMEOUT: Duration = Duration::from_millis(1500);

/// Most addresses taken of an answer.
const MOST: usize = 64;

/// What a look-up found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// The addresses, sorted, IPv4 first; never empty.
    pub addresses: Vec<IpAddr>,
    /// CNAME hops in order.
    pub chain: Vec<Hop>,
    /// The least TTL over chain and addresses in seconds; `None` for what was an address already.
    pub ttl: Option<u32>,
    /// How long it took.
    pub took: Duration,
}

/// Relight's own resolver: no cache, short timeouts, no search list. Building it reads `/etc/resolv.conf` at most once.
#[derive(Clone, Debug)]
pub struct Lookup {
    resolver: TokioResolver,
    servers: String,
}

impl Lookup {
    /// A resolver for the plan.
    ///
    /// # Errors
    /// If the plan names no servers and the system's cannot be read, or must not be used (practice).
    pub fn new(plan: &Plan) -> Result<Self, Failure> {
        let servers = if plan.dns.lookup.is_empty() {
            if plan.practice {
                return Err(Failure::new(
                    FailureKind::NotPlanned,
                    "a practice plan must name its dns.lookup servers: nothing may leave loopback",
                ));
            }
            system_servers()?
        } else {
            plan.dns.lookup.clone()
        };
        // /etc/hosts counts for this machine's own programs, so it does here; but in practice it must not leak in.
        Self::through(&servers, !plan.practice)
    }

    /// A resolver that asks these servers, each over UDP and then TCP, in this order.
    fn through(servers: &[SocketAddr], hosts: bool) -> Result<Self, Failure> {
        let config = ResolverConfig::from_name_servers(
            servers
                .iter()
                .map(|server| {
                    let mut udp = ConnectionConfig::udp();
                    let mut tcp = ConnectionConfig::tcp();
                    udp.port = server.port();
                    tcp.port = server.port();
                    NameServerConfig::new(server.ip(), true, vec![udp, tcp])
                })
                .collect(),
        );
        let mut options = ResolverOpts::default();
        options.timeout = TIMEOUT;
        options.attempts = 1;
        options.cache_size = 0;
        options.edns0 = true;
        options.num_concurrent_reqs = 2;
        options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
        options.use_hosts_file = if hosts {
            ResolveHosts::Always
        } else {
            ResolveHosts::Never
        };
        let resolver = Resolver::builder_with_config(config, TokioRuntimeProvider::default())
            .with_options(options)
            .build()
            .map_err(|error| {
                Failure::new(
                    FailureKind::Other,
                    format!("the resolver for Relight's own look-ups could not be built: {error}"),
                )
            })?;
        let servers = servers
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        Ok(Self { resolver, servers })
    }

    /// Looks a host up, IPv4 and IPv6 at once. An address is its own answer, without a question.
    ///
    /// # Errors
    /// [`FailureKind::Unresolved`] if the name does not exist, [`FailureKind::Empty`] if it exists and both kinds of
    /// address were seen to be missing, [`FailureKind::Timeout`] if nobody
    /// answers in time, [`FailureKind::Server`] if the servers answer without an answer.
    pub async fn lookup(&self, host: &str) -> Result<Looked, Failure> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(Looked {
                addresses: vec![address],
                ..Looked::default()
            });
        }
        let asked = name::absolute(host)?;
        let began = Instant::now();
        let (v4, v6) = futures::join!(
            self.resolver.lookup(asked.clone(), RecordType::A),
            self.resolver.lookup(asked, RecordType::AAAA),
        );
        let took = began.elapsed();
        let mut looked = Looked {
            took,
            ..Looked::default()
        };
        let mut failures = Vec::new();
        for result in [v4, v6] {
            match result {
                Ok(found) => gather(&mut looked, found.answers()),
                Err(error) => failures.push(error),
            }
        }
        looked.addresses.sort_unstable();
        looked.addresses.dedup();
        looked.addresses.truncate(MOST);
        if looked.addresses.is_empty() {
            Err(self.explain(host, telling(&failures), took))
        } else {
            Ok(looked)
        }
    }

    /// The name servers of a zone as the look-up servers tell them, in lower case without the final dot; empty if the
    /// name is no zone.
    ///
    /// # Errors
    /// If nobody answers.
    pub async fn nameservers(&self, zone: &str) -> Result<Vec<String>, Failure> {
        let asked = name::absolute(zone)?;
        let began = Instant::now();
        let found = match self.resolver.lookup(asked.clone(), RecordType::NS).await {
            Ok(found) => found,
            Err(NetError::Dns(DnsError::NoRecordsFound(_))) => return Ok(Vec::new()),
            Err(error) => return Err(self.explain(zone, Some(&error), began.elapsed())),
        };
        let mut servers: Vec<String> = found
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::NS(server) if record.name == asked => Some(name::text(&server.0)),
                _ => None,
            })
            .take(MOST)
            .collect();
        servers.sort_unstable();
        servers.dedup();
        Ok(servers)
    }

    fn explain(&self, host: &str, error: Option<&NetError>, took: Duration) -> Failure {
        let servers = &self.servers;
        let kind = match error {
            Some(NetError::Timeout) => FailureKind::Timeout,
            Some(NetError::Dns(DnsError::NoRecordsFound(none))) => match none.response_code {
                ResponseCode::NXDomain => FailureKind::Unresolved,
                ResponseCode::NoError => FailureKind::Empty,
                _ => FailureKind::Server,
            },
            Some(NetError::Dns(_)) => FailureKind::Server,
            Some(NetError::Io(_) | NetError::NoConnections) => FailureKind::Unreachable,
            Some(_) => FailureKind::Other,
            None => FailureKind::Empty,
        };
        let why = match (kind, error) {
            (FailureKind::Unresolved, _) => "it does not exist (NXDOMAIN)".to_owned(),
            (FailureKind::Empty, _) => "it exists and has no address".to_owned(),
            (FailureKind::Timeout, _) => format!("no answer in {} ms", took.as_millis()),
            (_, Some(error)) => name::shorten(&error.to_string(), 120),
            (_, None) => "nothing was found".to_owned(),
        };
        Failure::new(
            kind,
            format!(
                "looking up {} at {servers}: {why}; set dns.lookup in the plan to ask other servers",
                name::shorten(host, 120)
            ),
        )
    }
}

/// The failure that tells most of a name without an address: that it does not exist, which one question settles; else
/// why a question has no answer, since an address may hide behind it; else that both answers were empty.
fn telling(failures: &[NetError]) -> Option<&NetError> {
    let code = |error: &NetError| match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => Some(none.response_code),
        _ => None,
    };
    let find = |wanted: fn(Option<ResponseCode>) -> bool| {
        failures.iter().find(|error| wanted(code(error)))
    };
    find(|code| code == Some(ResponseCode::NXDomain))
        .or_else(|| find(|code| code != Some(ResponseCode::NoError)))
        .or(failures.first())
}

/// The system's name servers from `/etc/resolv.conf`, in its order.
///
/// # Errors
/// If the file cannot be read or names none.
pub fn system_servers() -> Result<Vec<SocketAddr>, Failure> {
    let remedy = "set dns.lookup and dns.resolvers in the plan";
    let (config, _) = hickory_resolver::system_conf::read_system_conf().map_err(|error| {
        Failure::new(
            FailureKind::Other,
            format!("/etc/resolv.conf could not be read: {error}; {remedy}"),
        )
    })?;
    let mut servers: Vec<SocketAddr> = config
        .name_servers()
        .iter()
        .map(|server| SocketAddr::new(server.ip, 53))
        .collect();
    servers.dedup();
    if servers.is_empty() {
        return Err(Failure::new(
            FailureKind::NotPlanned,
            format!("/etc/resolv.conf names no server; {remedy}"),
        ));
    }
    Ok(servers)
}

fn gather(looked: &mut Looked, records: &[hickory_resolver::proto::rr::Record]) {
    for record in records {
        match &record.data {
            RData::A(address) => looked.addresses.push(IpAddr::V4(address.0)),
            RData::AAAA(address) => looked.addresses.push(IpAddr::V6(address.0)),
            RData::CNAME(target) => {
                let hop = Hop {
                    target: name::text(&target.0),
                    ttl: record.ttl,
                };
                if !looked.chain.iter().any(|seen| seen.target == hop.target)
                    && looked.chain.len() < MOST
                {
                    looked.chain.push(hop);
                }
            }
            _ => continue,
        }
        looked.ttl = Some(looked.ttl.map_or(record.ttl, |least| least.min(record.ttl)));
    }
}
