//! Where the faces listen: loopback addresses of this practice's own `127.a.b.0/24`, so that several practices and
//! tests run side by side. Ports are above 1024 (no privileges) and below the ephemeral range.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::Scenario;
use crate::incident::Side;

/// Port of both AWS faces.
const AWS: u16 = 24_566;
/// Port of both Kubernetes faces.
const KUBE: u16 = 26_443;
/// Port of every DNS server.
const DNS: u16 = 25_353;
/// Port of every load balancer.
const PROXY: u16 = 23_080;
/// Port of the listener that holds the network: bound first, kept until the end.
const CLAIM: u16 = 24_999;

/// Every address of a practice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// `127.a.b.0`.
    pub net: Ipv4Addr,
    /// The AWS face of the primary and of the recovery region.
    pub aws: [SocketAddr; 2],
    /// The Kubernetes face of the primary and of the recovery region.
    pub kube: [SocketAddr; 2],
    /// The zone's authorities, with the names they are delegated under.
    pub authorities: Vec<(String, SocketAddr)>,
    /// Caching resolvers, by label, in the order of [`Scenario::resolvers`].
    pub resolvers: Vec<(String, SocketAddr)>,
    /// The resolver that stands for this machine's own (`dns.lookup`): honest, apart from `resolvers`.
    pub lookup: SocketAddr,
    /// Load balancer addresses of the primary and of the recovery region.
    pub load_balancers: [Ipv4Addr; 2],
    /// The port that every load balancer listens on.
    pub proxy_port: u16,
}

impl Addresses {
    /// The addresses of the practice that holds `127.a.b.0/24`.
    #[must_use]
    pub fn within(net: Ipv4Addr, scenario: &Scenario) -> Self {
        let host = |last| host(net, last);
        let at = |last, port| SocketAddr::new(IpAddr::V4(host(last)), port);
        // Route 53 delegates to one name server in each of four top-level domains.
        let names = [
            "ns-1.awsdns-01.com",
            "ns-2.awsdns-02.net",
            "ns-3.awsdns-03.org",
            "ns-4.awsdns-04.co.uk",
        ];
        Self {
            net,
            aws: [at(10, AWS), at(20, AWS)],
            kube: [at(11, KUBE), at(21, KUBE)],
            authorities: (31..)
                .zip(names)
                .map(|(last, name)| (name.to_owned(), at(last, DNS)))
                .collect(),
            resolvers: (51..=250)
                .zip(&scenario.resolvers)
                .map(|(last, resolver)| (resolver.label.clone(), at(last, DNS)))
                .collect(),
            lookup: at(50, DNS),
            load_balancers: [host(12), host(22)],
            proxy_port: PROXY,
        }
    }

    /// The AWS face of a side.
    #[must_use]
    pub const fn aws(&self, side: Side) -> SocketAddr {
        self.aws[side as usize]
    }

    /// The Kubernetes face of a side.
    #[must_use]
    pub const fn kube(&self, side: Side) -> SocketAddr {
        self.kube[side as usize]
    }

    /// The load balancer of a side, with its port.
    #[must_use]
    pub const fn load_balancer(&self, side: Side) -> SocketAddr {
        SocketAddr::new(
            IpAddr::V4(self.load_balancers[side as usize]),
            self.proxy_port,
        )
    }

    /// The address whose listener holds `net`.
    #[must_use]
    pub const fn claim(net: Ipv4Addr) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(host(net, 1)), CLAIM)
    }
}

const fn host(net: Ipv4Addr, last: u8) -> Ipv4Addr {
    let [a, b, c, _] = net.octets();
    Ipv4Addr::new(a, b, c, last)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_face_has_an_address_of_its_own_in_the_network() {
        let net = Ipv4Addr::new(127, 7, 9, 0);
        let addresses = Addresses::within(net, &Scenario::default());
        let mut all = vec![
            Addresses::claim(net),
            addresses.lookup,
            addresses.aws(Side::Primary),
            addresses.aws(Side::Recovery),
            addresses.kube(Side::Primary),
            addresses.kube(Side::Recovery),
            addresses.load_balancer(Side::Primary),
            addresses.load_balancer(Side::Recovery),
        ];
        all.extend(
            addresses
                .authorities
                .iter()
                .chain(&addresses.resolvers)
                .map(|(_, at)| *at),
        );
        let different: BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert!(
            all.iter()
                .all(|at| at.ip().to_string().starts_with("127.7.9."))
        );
        assert_eq!(addresses.resolvers.len(), 5);
    }
}
