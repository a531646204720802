//! DNS: every delegated name server directly, every resolver, and Relight's own look-ups of the load balancers.
//!
//! Three probes, since each has its own way to be late: a resolver that does not answer must not hold up what the
//! authorities say.

mod ask;
mod authorities;
mod delegation;
mod lookups;
mod resolvers;
mod wildcards;

use std::sync::Arc;

pub use authorities::Authorities;
pub use lookups::Lookups;
pub use resolvers::Resolvers;
pub use wildcards::Wildcards;
pub(super) use wildcards::on_wire;

use crate::{
    plan::Plan,
    probe::{Probe, Targets},
};

/// The DNS probes of a plan.
#[must_use]
pub fn probes(plan: &Arc<Plan>, targets: &Targets) -> Vec<Box<dyn Probe>> {
    let wildcards = Wildcards::of(plan);
    vec![
        Box::new(Authorities::new(
            Arc::clone(plan),
            targets.clone(),
            wildcards.clone(),
        )),
        Box::new(Resolvers::new(Arc::clone(plan), wildcards)),
        Box::new(Lookups::new(Arc::clone(plan), targets.clone())),
    ]
}

/// The names that are watched: those to be switched, and those under the wildcard that are in use.
fn names(plan: &Plan) -> impl Iterator<Item = &String> {
    let dns = &plan.dns;
    let more = dns
        .hot_names
        .iter()
        .filter(|name| !dns.names.contains(name));
    dns.names.iter().chain(more)
}
