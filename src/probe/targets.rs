//! Load balancer host names that only the clusters' own status knows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::incident::Side;

/// Most hosts kept of one side: a status field is written by others and may hold anything.
const MOST: usize = 16;

/// Host names or addresses of the load balancers of both sides beyond those in the plan. The cockpit fills it from
/// observations of the clusters; the DNS and web probes read it before each look. Cheap to clone, all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    sides: [Vec<String>; 2],
    nameservers: Vec<String>,
}

impl Targets {
    /// Replaces what is known of a side. At most 16 are kept.
    pub fn set(&self, side: Side, mut hosts: Vec<String>) {
        hosts.truncate(MOST);
        self.lock().sides[place(side)] = hosts;
    }

    /// What is known of a side, perhaps nothing.
    #[must_use]
    pub fn get(&self, side: Side) -> Vec<String> {
        self.lock().sides[place(side)].clone()
    }

    /// Replaces the names of the zone's name servers, as the hosted zone's own record of them says: asked where neither
    /// the plan nor the parent zone tells. At most 16 are kept.
    pub fn set_nameservers(&self, mut names: Vec<String>) {
        names.truncate(MOST);
        self.lock().nameservers = names;
    }

    /// The names of the zone's name servers, perhaps none.
    #[must_use]
    pub fn nameservers(&self) -> Vec<String> {
        self.lock().nameservers.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn place(side: Side) -> usize {
    match side {
        Side::Primary => 0,
        Side::Recovery => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_see_what_is_set_and_sides_stay_apart() {
        let targets = Targets::default();
        let other = targets.clone();
        targets.set(Side::Recovery, vec!["new.example".into(); 40]);
        assert_eq!(other.get(Side::Recovery).len(), MOST);
        assert!(other.get(Side::Primary).is_empty());
        targets.set(Side::Recovery, Vec::new());
        assert!(other.get(Side::Recovery).is_empty());
    }
}
