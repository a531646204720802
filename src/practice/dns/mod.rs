//! The DNS face: four authorities, caching resolvers in front of them, and the machine's own resolver.

mod book;
mod cache;
mod face;

use std::{io, net::SocketAddr, time::Duration};

use hickory_server::Server as Listener;
use tokio::net::{TcpListener, UdpSocket};

pub use book::{Book, Node, Told};
pub use cache::Cache;
use face::{Role, Server};

use super::world::{CacheSpec, Shared};

/// How long an idle TCP connection is kept.
const IDLE: Duration = Duration::from_secs(5);

/// Answers that may wait on one TCP connection.
const BACKLOG: usize = 32;

/// The DNS servers of a practice; dropping it ends them.
pub struct DnsFace {
    listeners: Vec<Listener<Server>>,
}

impl std::fmt::Debug for DnsFace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DnsFace")
            .field("servers", &self.listeners.len())
            .finish()
    }
}

/// Starts every DNS server on the addresses of the world, UDP and TCP: [`Addresses::authorities`],
/// [`Addresses::resolvers`] (as the scenario's `[[resolver]]` of the same label says; honest if it says nothing) and
/// [`Addresses::lookup`]. All sockets are bound when this returns.
///
/// The load balancers' own names ([`Site::load_balancer`]) are answered with their addresses in
/// [`Addresses::load_balancers`] while that side's cluster runs one; authorities answer for them too.
///
/// [`Site::load_balancer`]: super::world::Site::load_balancer
/// [`Addresses::authorities`]: super::world::Addresses::authorities
/// [`Addresses::resolvers`]: super::world::Addresses::resolvers
/// [`Addresses::lookup`]: super::world::Addresses::lookup
/// [`Addresses::load_balancers`]: super::world::Addresses::load_balancers
///
/// # Errors
/// If an address cannot be bound.
pub async fn serve(world: &Shared) -> io::Result<DnsFace> {
    let servers: Vec<(SocketAddr, Role)> = {
        let world = world.lock();
        let authorities = world.addresses.authorities.iter();
        let resolvers = world.addresses.resolvers.iter().map(|(label, address)| {
            let spec = world
                .scenario
                .resolvers
                .iter()
                .find(|spec| spec.label == *label);
            let spec = spec.cloned().unwrap_or_else(|| CacheSpec::honest(label));
            (*address, Role::resolver(spec))
        });
        authorities
            .map(|(_, address)| (*address, Role::Authority))
            .chain(resolvers)
            .chain([(
                world.addresses.lookup,
                Role::resolver(CacheSpec::honest("lookup")),
            )])
            .collect()
    };
    let mut listeners = Vec::new();
    for (address, role) in servers {
        let mut listener = Listener::new(Server::new(world.clone(), role));
        let named = |error: io::Error| {
            io::Error::new(
                error.kind(),
                format!("the practice's DNS cannot listen on {address}: {error}"),
            )
        };
        listener.register_socket(UdpSocket::bind(address).await.map_err(named)?);
        let stream = TcpListener::bind(address).await.map_err(named)?;
        listener.register_listener(stream, IDLE, BACKLOG);
        listeners.push(listener);
    }
    Ok(DnsFace { listeners })
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
