//! Which wildcards are known to exist, and the random labels that stand for them.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use crate::plan::Plan;

/// Letters of a random label: 26¹² of them are never asked twice.
const LETTERS: usize = 12;

/// The wildcards that an authority has answered for. Resolvers are asked for no other: a name that does not exist yet
/// would be remembered there as not existing, for as long as the zone's SOA says (RFC 2308). Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Wildcards {
    known: Arc<Mutex<BTreeSet<String>>>,
    /// Ask in any case: no authority can tell.
    always: bool,
}

impl Wildcards {
    /// Those of a plan. In a private zone no authority can be asked: a resolver then remembers of a wildcard that does
    /// not exist yet one random label, which is never asked again.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        Self {
            always: plan.dns.by_resolvers(),
            ..Self::default()
        }
    }

    /// Notes whether an authority has just answered for the wildcard.
    pub fn note(&self, name: &str, exists: bool) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if exists {
            known.insert(name.to_owned());
        } else {
            known.remove(name);
        }
    }

    /// Whether a name may be asked of a resolver: any name but a wildcard that is not known to exist.
    #[must_use]
    pub fn may_ask(&self, name: &str) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        self.always || !name.starts_with("*.") || known.contains(name)
    }
}

/// The name to put on the wire: for a wildcard a fresh random label, which no cache can hold.
pub(in crate::probe::live) fn on_wire(name: &str) -> String {
    name.strip_prefix("*.").map_or_else(
        || name.to_owned(),
        |rest| {
            let label: String = std::iter::repeat_with(fastrand::lowercase)
                .take(LETTERS)
                .collect();
            format!("{label}.{rest}")
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_asked_only_while_it_is_known() {
        let (wildcards, name) = (Wildcards::default(), "*.tele.example.com");
        assert!(wildcards.may_ask("tele.example.com"));
        assert!(!wildcards.may_ask(name));
        wildcards.note(name, true);
        assert!(wildcards.may_ask(name));
        wildcards.note(name, false);
        assert!(!wildcards.may_ask(name));
    }

    #[test]
    fn a_wildcard_goes_out_as_a_fresh_label() {
        let (one, other) = (on_wire("*.example.com"), on_wire("*.example.com"));
        assert_ne!(one, other);
        let label = one.strip_suffix(".example.com").expect("under the name");
        assert_eq!(label.len(), LETTERS);
        assert!(label.bytes().all(|byte| byte.is_ascii_lowercase()));
        assert_eq!(on_wire("app.example.com"), "app.example.com");
    }
}
