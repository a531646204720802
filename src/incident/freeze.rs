//! The change freeze: which Teleport roles may change dynamic resources, and which locks stand on them (guide, "Imposing a
//! change freeze").

use serde::{Deserialize, Serialize};

use super::Moment;

/// Verbs that only look: every other one, `*` too, changes something.
const LOOKS: [&str; 3] = ["read", "list", "readnosecrets"];

/// Roles and locks of the Teleport cluster as its Auth Service on one side tells them, and what this incident remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// The kube context of the Auth pods asked.
    pub context: String,
    /// UID of its `kube-system` namespace.
    pub uid: Option<String>,
    /// Roles with at least one verb that changes something, by name.
    pub roles: Vec<FreezeRole>,
    /// Locks on roles that have not expired.
    pub locks: Vec<RoleLock>,
    /// Locks that this incident's freeze made, on either side, by the incident's folder.
    pub held: Vec<HeldLock>,
}

/// A role that may change something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeRole {
    /// Its name.
    pub name: String,
    /// What it may change: resource and verbs, from `spec.allow.rules`.
    pub writes: Vec<(String, Vec<String>)>,
}

/// A lock on a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleLock {
    /// Its name, a UUID where `tctl lock` made it.
    pub id: String,
    /// The role.
    pub role: String,
    /// Its message.
    pub message: String,
    /// Until when; `None`: for ever.
    pub expires: Option<Moment>,
}

/// A lock that the freeze of this incident made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLock {
    /// Its name, as `tctl lock` told it.
    pub id: String,
    /// The role it is on.
    pub role: String,
    /// The kube context of the Auth pods that made it.
    pub context: String,
}

impl FreezeRole {
    /// The rule's part in the role: `None` where its verbs only look.
    #[must_use]
    pub fn write(resource: &str, verbs: &[String]) -> Option<(String, Vec<String>)> {
        let mut writes = verbs.to_vec();
        writes.retain(|verb| !LOOKS.contains(&verb.as_str()));
        (!writes.is_empty()).then(|| (resource.to_owned(), writes))
    }

    /// Why it is not locked unless the plan names it: a lock would stop what the recovery needs.
    #[must_use]
    pub fn spared(&self) -> Option<&'static str> {
        if self.name.starts_with("bot-") {
            Some("a bot's role: a lock would stop it")
        } else if self.name.contains("operator") {
            Some("the operator's role: the recovery needs it")
        } else if self.writes.iter().all(|(resource, _)| resource == "lock") {
            Some("it changes nothing but locks, so its holders can lift the freeze")
        } else {
            None
        }
    }

    /// `role (create update), cert_authority (*)`
    #[must_use]
    pub fn told(&self) -> String {
        let parts: Vec<String> = self
            .writes
            .iter()
            .map(|(resource, verbs)| format!("{resource} ({})", verbs.join(" ")))
            .collect();
        parts.join(", ")
    }
}

impl Freeze {
    /// Roles to lock, and those left out with the reason. `only` are the names that the plan ticks, `exclude` those it
    /// spares.
    #[must_use]
    pub fn choose(
        &self,
        only: Option<&[String]>,
        exclude: &[String],
    ) -> (Vec<&FreezeRole>, Vec<(&FreezeRole, &'static str)>) {
        let mut ticked = Vec::new();
        let mut left = Vec::new();
        for role in &self.roles {
            let why = match only {
                _ if exclude.contains(&role.name) => Some("the plan excludes it"),
                Some(only) if only.contains(&role.name) => None,
                Some(_) => Some("the plan names other roles"),
                None => role.spared(),
            };
            match why {
                Some(why) => left.push((role, why)),
                None => ticked.push(role),
            }
        }
        (ticked, left)
    }

    /// The lock with that name, if it stands at `now`.
    #[must_use]
    pub fn standing(&self, id: &str, now: Moment) -> Option<&RoleLock> {
        self.locks
            .iter()
            .find(|lock| lock.id == id && lock.expires.is_none_or(|until| until > now))
    }

    /// The remembered lock on a role that stands at `now`.
    #[must_use]
    pub fn holds(&self, role: &str, now: Moment) -> Option<&HeldLock> {
        self.held
            .iter()
            .find(|held| held.role == role && self.standing(&held.id, now).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str, resource: &str, verbs: &[&str]) -> FreezeRole {
        let verbs: Vec<String> = verbs.iter().map(|verb| (*verb).to_owned()).collect();
        FreezeRole {
            name: name.to_owned(),
            writes: FreezeRole::write(resource, &verbs).into_iter().collect(),
        }
    }

    #[test]
    fn what_only_looks_is_no_write_and_a_star_is() {
        for (verbs, writes) in [
            (&["read", "list", "readnosecrets"][..], false),
            (&["list", "update"], true),
            (&["*"], true),
            (&["rotate"], true),
        ] {
            assert_eq!(
                !role("r", "role", verbs).writes.is_empty(),
                writes,
                "{verbs:?}"
            );
        }
    }

    #[test]
    fn the_plan_decides_over_the_names_and_a_bot_is_spared() {
        let freeze = Freeze {
            roles: vec![
                role("editor", "role", &["*"]),
                role("locksmith", "lock", &["create"]),
                role("bot-ci", "role", &["create"]),
                role("teleport-operator", "role", &["create"]),
            ],
            ..Freeze::default()
        };
        let names = |only: Option<&[String]>, exclude: &[String]| -> Vec<String> {
            let (ticked, _) = freeze.choose(only, exclude);
            ticked.iter().map(|role| role.name.clone()).collect()
        };
        assert_eq!(names(None, &[]), ["editor"]);
        let editor = ["editor".to_owned()];
        assert!(names(None, &editor).is_empty());
        assert_eq!(names(Some(&["bot-ci".to_owned()]), &[]), ["bot-ci"]);
    }
}
