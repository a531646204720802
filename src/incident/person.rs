//! Who sits at a cockpit: what STS says of the credentials, and the user of the operating system.

use serde::{Deserialize, Serialize};

/// Longest name kept of what another process says, in characters.
const CAP: usize = 200;

/// Who sits at a cockpit. On a bastion everyone may be the same user of the operating system, so that the ARN tells
/// people apart; STS answers late or never while a region is down, so that the user is known first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// ARN that the recovery region's STS gave for this cockpit's credentials; `None` while it has not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// User of the operating system, by name.
    pub user: String,
    /// The same by number: a name in the environment is easily another.
    pub uid: u32,
    /// Host name.
    pub host: String,
    /// Process id of the cockpit on that host.
    pub pid: u32,
}

impl Person {
    /// As records name an operator: `arn:aws:sts::…:assumed-role/dr-operator/alice (ec2-user)`, or the user alone.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.arn {
            Some(arn) => format!("{arn} ({})", self.user),
            None => self.user.clone(),
        }
    }

    /// Whether it is the same cockpit, whatever STS has said of it meanwhile.
    #[must_use]
    pub fn is_same_cockpit(&self, other: &Self) -> bool {
        (self.pid, &self.host) == (other.pid, &other.host)
    }

    /// Whether two are known to be two people: another ARN, or the same of two users. The same user with the same ARN is
    /// one.
    ///
    /// # Errors
    /// Why they are one, or why it cannot be told.
    pub fn is_another(&self, other: &Self) -> Result<(), String> {
        for one in [self, other] {
            if one.arn.is_none() {
                return Err(format!(
                    "STS in the recovery region has not said who {} on {} is, and without its ARN nobody can be told apart",
                    one.user, one.host
                ));
            }
        }
        let two = self.arn != other.arn || (self.uid != other.uid && self.user != other.user);
        if two {
            Ok(())
        } else {
            Err(format!(
                "both cockpits are {}: the same identity is no second person",
                short(&self.name())
            ))
        }
    }

    /// The same with every text cut and without control characters: what came from another process.
    #[must_use]
    pub fn tamed(self) -> Self {
        Self {
            arn: self.arn.map(|arn| tame(&arn)),
            user: tame(&self.user),
            host: tame(&self.host),
            ..self
        }
    }
}

fn tame(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(CAP).collect()
}

/// The part of an operator's name that a person reads and types: `dr-operator/alice` of an assumed role, `alice` of an IAM
/// or operating system user.
#[must_use]
pub fn short(name: &str) -> &str {
    let Some((arn, _)) = name.split_once(" (").filter(|_| name.starts_with("arn:")) else {
        return name;
    };
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    ["assumed-role/", "user/", "role/"]
        .iter()
        .find_map(|kind| resource.strip_prefix(kind))
        .unwrap_or(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(arn: Option<&str>, user: &str, uid: u32) -> Person {
        Person {
            arn: arn.map(str::to_owned),
            user: user.to_owned(),
            uid,
            host: "bastion".to_owned(),
            pid: 7,
        }
    }

    #[test]
    fn people_are_told_apart_by_arn_then_by_user_and_else_not_at_all() {
        let alice = person(
            Some("arn:aws:sts::1:assumed-role/dr/alice"),
            "ec2-user",
            1000,
        );
        let cases = [
            (
                person(Some("arn:aws:sts::1:assumed-role/dr/bob"), "ec2-user", 1000),
                true,
            ),
            (person(alice.arn.as_deref(), "ec2-user", 1000), false),
            // A name that was set in the environment, and a number of another host.
            (person(alice.arn.as_deref(), "mallory", 1000), false),
            (person(alice.arn.as_deref(), "ec2-user", 1001), false),
            (person(alice.arn.as_deref(), "bob", 1001), true),
            (person(None, "bob", 1001), false),
        ];
        for (other, two) in cases {
            assert_eq!(alice.is_another(&other).is_ok(), two, "{other:?}");
            assert_eq!(other.is_another(&alice).is_ok(), two, "{other:?}");
        }
        let unknown = person(None, "bob", 1001);
        let why = alice.is_another(&unknown).expect_err("unknown");
        assert!(why.contains("has not said who bob"), "{why}");
    }

    #[test]
    fn a_name_is_shortened_to_what_a_person_types() {
        let cases = [
            (
                "arn:aws:sts::1:assumed-role/dr/alice (ec2-user)",
                "dr/alice",
            ),
            ("arn:aws:iam::1:user/ops/alice (root)", "ops/alice"),
            ("arn:aws:iam::1:root (root)", "root"),
            ("alice", "alice"),
        ];
        for (name, wanted) in cases {
            assert_eq!(short(name), wanted);
        }
        let foul = person(Some("a\u{1b}[2Jb"), &"x".repeat(1000), 0).tamed();
        assert_eq!(foul.arn.as_deref(), Some("a[2Jb"));
        assert_eq!(foul.user.len(), CAP);
    }
}
