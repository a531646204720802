//! Who is delegated the zone: asked of the parent, for the zone's own list may differ from it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use futures::future::join_all;

use super::ask::Server;
use crate::{
    clients::dns::{Kind, Lookup, Patience, Question, routed, sweep},
    incident::{Failure, FailureKind},
    plan::Plan,
};

/// Most name servers asked of one zone. Registries allow 13, Route 53 has four.
const MOST: usize = 13;

/// A name server by name, with the addresses that came along.
type Named = (String, Vec<IpAddr>);

/// What is known of a zone's name servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Those that can be asked.
    pub(super) servers: Vec<Server>,
    /// Those that are delegated to and cannot be asked, each with the reason: they count, since others ask them.
    pub(super) lost: Vec<(Arc<str>, Failure)>,
}

/// Finds the delegated name servers with their addresses: from the parent zone's servers; failing that from an ordinary
/// look-up of the zone's list; failing that from `fallback`, which the hosted zone's own description gives.
///
/// # Errors
/// If none of them is known, or none has an address.
pub(super) async fn find(
    plan: &Plan,
    lookup: &Lookup,
    fallback: &[String],
) -> Result<Found, Failure> {
    let zone = zone(plan, lookup).await?;
    let mut named = from_parent(&zone, lookup).await;
    if named.is_empty() {
        let own = lookup.nameservers(&zone).await.unwrap_or_default();
        let told = if own.is_empty() { fallback } else { &own };
        named = told.iter().map(|name| (name.clone(), Vec::new())).collect();
    }
    named.sort_unstable();
    named.truncate(MOST);
    let ids: Vec<String> = named.iter().map(|(name, _)| name.clone()).collect();
    let located = join_all(named.into_iter().map(|named| located(named, lookup))).await;
    let found = sort(ids, located);
    if found.servers.is_empty() && found.lost.is_empty() {
        return Err(Failure::new(
            FailureKind::Unresolved,
            format!(
                "no name server of {zone} could be found, neither at its parent nor by looking it up; \
                 set dns.nameservers in the plan"
            ),
        ));
    }
    Ok(found)
}

/// Each name server either with where it is or with why that is not known.
fn sort(names: Vec<String>, located: Vec<Result<Vec<Server>, Failure>>) -> Found {
    let mut found = Found::default();
    for (name, located) in names.into_iter().zip(located) {
        match located {
            Ok(servers) => found.servers.extend(servers),
            Err(failure) => found.lost.push((name.into(), failure)),
        }
    }
    found
}

/// The zone: as planned, or the closest name above the first watched one that has name servers.
async fn zone(plan: &Plan, lookup: &Lookup) -> Result<String, Failure> {
    if let Some(zone) = &plan.dns.zone {
        return Ok(zone.clone());
    }
    let Some(first) = plan.dns.names.first() else {
        return Err(Failure::new(
            FailureKind::NotPlanned,
            "the plan has no dns.names, so there is nothing to ask for",
        ));
    };
    let mut name = first.strip_prefix("*.").unwrap_or(first);
    loop {
        if !lookup.nameservers(name).await?.is_empty() {
            return Ok(name.to_owned());
        }
        match parent(name) {
            Some(above) => name = above,
            None => break,
        }
    }
    Err(Failure::new(
        FailureKind::Unresolved,
        format!("no zone above {first} was found; set dns.zone in the plan"),
    ))
}

/// The name without its first label; `None` at a top-level domain.
fn parent(name: &str) -> Option<&str> {
    name.split_once('.')
        .map(|(_, above)| above)
        .filter(|above| !above.is_empty())
}

/// What the parent zone's own servers delegate; empty if they do not tell.
async fn from_parent(zone: &str, lookup: &Lookup) -> Vec<Named> {
    let mut above = zone;
    let servers = loop {
        let Some(next) = parent(above) else {
            return Vec::new();
        };
        above = next;
        match lookup.nameservers(above).await {
            Ok(servers) if !servers.is_empty() => break servers,
            Ok(_) => {}
            Err(_) => return Vec::new(),
        }
    };
    let named = servers.into_iter().take(4).map(|name| (name, Vec::new()));
    let addresses = join_all(named.map(|named| located(named, lookup))).await;
    let questions: Vec<Question> = addresses
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|server| Question::new(server.address, zone, Kind::Ns, false).ok())
        .collect();
    let mut found = Vec::new();
    sweep(questions, Patience::default(), |outcome| {
        if let Ok(reply) = outcome.reply
            && found.is_empty()
        {
            found = reply.nameservers;
        }
    })
    .await;
    found
}

/// A name server at each of its addresses that this machine can reach. The first IPv4 address goes under the server's
/// name, further ones under name and address.
///
/// # Errors
/// If it has no address, or none that there is a way to from here.
async fn located((name, glue): Named, lookup: &Lookup) -> Result<Vec<Server>, Failure> {
    // A look-up rather than the glue alone: glue may lack IPv6.
    let mut addresses = match lookup.lookup(&name).await {
        Ok(looked) => looked.addresses,
        Err(failure) if glue.is_empty() => return Err(failure),
        Err(_) => glue,
    };
    addresses.sort_unstable();
    addresses.dedup();
    let mut servers = Vec::new();
    for address in addresses.into_iter().take(4) {
        if address.is_ipv6() && !routed(address).await {
            continue;
        }
        let id = if servers.is_empty() {
            name.clone()
        } else {
            format!("{name} {address}")
        };
        servers.push(Server {
            id: id.into(),
            address: SocketAddr::new(address, 53),
            authority: true,
        });
    }
    if servers.is_empty() {
        return Err(Failure::new(
            FailureKind::Unreachable,
            format!("{name} has IPv6 addresses only, and there is no way to them from here"),
        ));
    }
    Ok(servers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_server_that_cannot_be_found_is_lost_and_not_forgotten() {
        let server = Server {
            id: "ns-1".into(),
            address: SocketAddr::from(([192, 0, 2, 1], 53)),
            authority: true,
        };
        let failure = Failure::new(FailureKind::Timeout, "no answer in 1500 ms");
        let names = ["ns-1".to_owned(), "ns-2".to_owned()];
        let found = sort(
            names.into(),
            vec![Ok(vec![server.clone()]), Err(failure.clone())],
        );
        assert_eq!(found.servers, [server]);
        assert_eq!(found.lost, [("ns-2".into(), failure)]);
    }

    #[test]
    fn a_parent_is_found_up_to_the_top() {
        assert_eq!(parent("tele.example.com"), Some("example.com"));
        assert_eq!(parent("example.com"), Some("com"));
        assert_eq!(parent("com"), None);
        assert_eq!(parent("com."), None);
    }
}
