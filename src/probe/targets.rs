//! Load balancer host names that only the clusters' own status knows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{clients::black_box::Shelf, incident::Side};

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
    before: Vec<String>,
    boxes: Shelf,
    nameservers: Vec<String>,
}

impl Targets {
    /// Replaces what is known of a side. At most 16 are kept.
    pub fn set(&self, side: Side, mut hosts: Vec<String>) {
        hosts.truncate(MOST);
        self.lock().sides[place(side)] = hosts;
    }

    /// What is known of a side, perhaps nothing; of the primary, with what led there by the black box.
    #[must_use]
    pub fn get(&self, side: Side) -> Vec<String> {
        let inner = self.lock();
        let mut known = inner.sides[place(side)].clone();
        if side == Side::Primary {
            for host in &inner.before {
                if !known.contains(host) {
                    known.push(host.clone());
                }
            }
        }
        known
    }

    /// Replaces what led to the primary before anything was changed, as the black box has it. At most 16 are kept.
    pub fn set_before(&self, mut hosts: Vec<String>) {
        hosts.truncate(MOST);
        self.lock().before = hosts;
    }

    /// Tells where the black boxes lie: the incident's folder is known only once there is one.
    pub fn set_boxes(&self, boxes: Shelf) {
        self.lock().boxes = boxes;
    }

    /// Where the black boxes lie.
    #[must_use]
    pub fn boxes(&self) -> Shelf {
        self.lock().boxes.clone()
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
        targets.set_before(vec!["old.example".into()]);
        assert!(other.get(Side::Recovery).is_empty());
        targets.set(
            Side::Primary,
            vec!["now.example".into(), "old.example".into()],
        );
        assert_eq!(other.get(Side::Primary), ["now.example", "old.example"]);
    }
}
