//! The public resolvers of `assets/resolvers.toml`, and which resolvers a plan watches.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::OnceLock,
};

use serde::Deserialize;

use super::{Plan, ResolverPlan};

const EMBEDDED: &str = include_str!("../../assets/resolvers.toml");

/// A public resolver.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicResolver {
    /// The name in `dns.public_resolvers`.
    pub id: String,
    /// What the pane calls it.
    pub label: String,
    /// Who runs it: who is told the names.
    pub operator: String,
    /// IPv4 address, the one that is asked.
    pub ipv4: Ipv4Addr,
    /// IPv6 address, where there is one.
    pub ipv6: Option<Ipv6Addr>,
    /// What is known of its ways.
    pub note: String,
    /// Whether it is asked unless the plan says otherwise.
    #[serde(default)]
    pub default: bool,
}

/// Every public resolver there is to choose from, in the order of the file.
#[must_use]
pub fn public() -> &'static [PublicResolver] {
    static PANEL: OnceLock<Vec<PublicResolver>> = OnceLock::new();
    // A file that does not parse cannot be built: the test below reads it.
    PANEL.get_or_init(|| parse(EMBEDDED).unwrap_or_default())
}

fn parse(text: &str) -> Result<Vec<PublicResolver>, toml::de::Error> {
    #[derive(Deserialize)]
    struct File {
        resolver: Vec<PublicResolver>,
    }
    toml::from_str::<File>(text).map(|file| file.resolver)
}

/// An address as resolvers are listed by it: without the port where that is 53.
#[must_use]
pub fn address_text(address: SocketAddr) -> String {
    if address.port() == 53 {
        address.ip().to_string()
    } else {
        address.to_string()
    }
}

impl Plan {
    /// The resolvers that the plan watches: its own first, then the public ones. A practice asks no public resolver
    /// unless it names one, and nor does a private zone, which they cannot know. The system's own are added where they are asked,
    /// because to know them a file must be read.
    #[must_use]
    pub fn watched_resolvers(&self) -> Vec<ResolverPlan> {
        let mut watched: Vec<ResolverPlan> = Vec::new();
        let chosen = public().iter().filter(|resolver| {
            self.dns.public_resolvers.as_ref().map_or(
                resolver.default && !self.practice && !self.dns.private,
                |ids| ids.contains(&resolver.id),
            )
        });
        let chosen = chosen.map(|resolver| ResolverPlan {
            label: resolver.label.clone(),
            address: SocketAddr::new(IpAddr::V4(resolver.ipv4), 53),
        });
        for resolver in self.dns.resolvers.iter().cloned().chain(chosen) {
            if watched.iter().all(|seen| seen.address != resolver.address) {
                watched.push(resolver);
            }
        }
        watched
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_embedded_list_is_sound() {
        let all = parse(EMBEDDED).expect("assets/resolvers.toml");
        assert_eq!(all.iter().filter(|resolver| resolver.default).count(), 3);
        let ids: BTreeSet<_> = all.iter().map(|resolver| &resolver.id).collect();
        let addresses: BTreeSet<_> = all.iter().map(|resolver| resolver.ipv4).collect();
        assert_eq!((ids.len(), addresses.len()), (all.len(), all.len()));
        assert!(
            all.iter()
                .all(|resolver| !resolver.ipv4.is_private() && !resolver.ipv4.is_loopback())
        );
    }

    #[test]
    fn the_usual_port_is_not_told() {
        let cases = [
            ("192.0.2.1:53", "192.0.2.1"),
            ("[2001:db8::1]:53", "2001:db8::1"),
            ("127.0.0.1:5353", "127.0.0.1:5353"),
        ];
        for (address, text) in cases {
            assert_eq!(address_text(address.parse().expect("an address")), text);
        }
    }
}
