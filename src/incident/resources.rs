//! Teleport's dynamic resources in the recovery cluster: what the operator has made of them.

use serde::{Deserialize, Serialize};

use super::Failure;

/// Objects of the group `resources.teleport.dev`, and who applies them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// The kube context asked.
    pub context: String,
    /// UID of its `kube-system` namespace.
    pub uid: Option<String>,
    /// The operator's Deployment and how many of its pods are available; `None` if there is none.
    pub operator: Option<(String, u32)>,
    /// How many objects there are, of how many kinds.
    pub objects: u32,
    /// See [`Self::objects`].
    pub kinds: u32,
    /// How many the operator has reconciled.
    pub reconciled: u32,
    /// Those that it could not, the first twenty.
    pub failed: Vec<Unreconciled>,
    /// Those that it has not come to, the first twenty.
    pub waiting: Vec<Unreconciled>,
    /// Flux's Kustomizations that the plan names.
    pub flux: Vec<Applied>,
    /// What could not be read.
    pub gaps: Vec<Failure>,
}

/// An object that is not reconciled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreconciled {
    /// `teleportrolesv7/editor`
    pub name: String,
    /// Why not, in the operator's words; empty where it said nothing yet.
    pub why: String,
}

/// A Kustomization of Flux.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// `flux-system/teleport-resources`
    pub name: String,
    /// `spec.suspend`
    pub suspended: bool,
    /// Its condition `Ready` for the newest generation.
    pub ready: bool,
    /// What it says of it.
    pub words: String,
}

impl Unreconciled {
    /// `teleportrolesv7/editor: access denied`
    #[must_use]
    pub fn told(&self) -> String {
        if self.why.is_empty() {
            return self.name.clone();
        }
        format!("{}: {}", self.name, self.why)
    }
}

impl Resources {
    /// How many are not reconciled.
    #[must_use]
    pub const fn open(&self) -> u32 {
        self.objects.saturating_sub(self.reconciled)
    }

    /// Everything that stands against it, in words, worst first; empty where all is reconciled.
    #[must_use]
    pub fn lacks(&self) -> Vec<String> {
        let mut lacks: Vec<String> = self.failed.iter().map(Unreconciled::told).collect();
        match &self.operator {
            None if self.objects > 0 => lacks.push(
                "no Teleport operator runs there: nobody reconciles them (operator.enabled of the values)".to_owned(),
            ),
            Some((name, 0)) => lacks.push(format!("no pod of {name} is available")),
            _ => {}
        }
        for one in self.flux.iter().filter(|one| !one.ready || one.suspended) {
            let state = if one.suspended {
                "is suspended"
            } else {
                "is not Ready"
            };
            let words = if one.words.is_empty() {
                String::new()
            } else {
                format!(" ({})", one.words)
            };
            lacks.push(format!("Kustomization {} {state}{words}", one.name));
        }
        if !self.waiting.is_empty() {
            let names: Vec<String> = self.waiting.iter().map(Unreconciled::told).collect();
            lacks.push(format!("not reconciled yet: {}", names.join(", ")));
        }
        lacks
    }

    /// `12 of 14 resources reconciled, of 4 kinds`
    #[must_use]
    pub fn told(&self) -> String {
        format!(
            "{} of {} resources reconciled, of {} kinds",
            self.reconciled, self.objects, self.kinds
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_against_it_is_told_worst_first() {
        let one = |name: &str, why: &str| Unreconciled {
            name: name.to_owned(),
            why: why.to_owned(),
        };
        let seen = Resources {
            objects: 3,
            reconciled: 1,
            failed: vec![one("teleportroles/b", "not owned")],
            waiting: vec![one("teleportusers/c", "")],
            flux: vec![Applied {
                name: "flux-system/t".to_owned(),
                suspended: true,
                ready: true,
                words: String::new(),
            }],
            ..Resources::default()
        };
        let lacks = seen.lacks();
        assert_eq!(seen.open(), 2);
        assert_eq!(lacks[0], "teleportroles/b: not owned");
        assert!(lacks[1].starts_with("no Teleport operator runs there"));
        assert_eq!(lacks[2], "Kustomization flux-system/t is suspended");
        assert_eq!(lacks[3], "not reconciled yet: teleportusers/c");
        let fine = Resources {
            objects: 1,
            reconciled: 1,
            operator: Some(("o".to_owned(), 1)),
            ..Resources::default()
        };
        assert!(fine.lacks().is_empty());
        let none = Resources {
            operator: Some(("o".to_owned(), 0)),
            ..fine
        };
        assert_eq!(none.lacks(), ["no pod of o is available"]);
    }
}
