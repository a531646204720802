//! The roles and locks of the Teleport cluster, as `tctl` in an Auth pod of a side tells and changes them. Locks lie in the
//! state table of a side: what was copied before holds none.

use serde_json::{Value, json};

use crate::incident::{Moment, Side};

/// The locks of each side.
#[derive(Debug, Default)]
pub struct Locks([Vec<Value>; 2], bool);

impl Locks {
    /// The restored table knows another generation of a bot's certificate: Auth locks it at once.
    fn mismatch(&mut self, side: Side) {
        if side == Side::Recovery && !self.1 {
            self.1 = true;
            let message = "The bot user \"bot-ci\" has been locked due to a certificate generation mismatch, possibly \
                indicating a stolen certificate.";
            self.0[side as usize].push(json!({"kind": "lock", "version": "v2",
                "metadata": {"name": "0b07c100-0000-4000-8000-00000000c1c1"},
                "spec": {"target": {"user": "bot-ci"}, "message": message, "created_at": "0001-01-01T00:00:00Z"}}));
        }
    }

    /// Answers `tctl ARGS`.
    ///
    /// # Errors
    /// In tctl's words.
    pub fn tctl(&mut self, side: Side, args: &[String], now: Moment) -> Result<String, String> {
        self.mismatch(side);
        let locks = &mut self.0[side as usize];
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["get", "roles", "--format=json"] => Ok(roles().to_string()),
            ["get", "nodes", "--format=json"] => Ok(super::agents::nodes().to_string()),
            ["get", "bots", "--format=json"] => Ok(super::agents::bots().to_string()),
            ["get", "bot_instance", "--format=json"] => Ok(super::agents::instances().to_string()),
            ["get", "tokens", "--format=json"] => Ok("[]".to_owned()),
            ["bots", "instances", "add", bot, "--format=json"] => Ok(json!({"user_name": format!("bot-{bot}"),
                "role_name": format!("bot-{bot}"), "token_id": format!("{:032x}", fastrand::u128(..)),
                "token_ttl": 3_600_000_000_000_u64}).to_string()),
            ["get", "locks", "--format=json"] => Ok(json!(locks).to_string()),
            ["rm", what] => {
                let before = locks.len();
                locks.retain(|lock| {
                    Some(*what)
                        != lock["metadata"]["name"]
                            .as_str()
                            .map(|id| format!("lock/{id}"))
                            .as_deref()
                });
                if locks.len() == before {
                    return Err(format!("ERROR: {what:?} is not found"));
                }
                Ok(format!("{what:?} has been deleted\n"))
            }
            ["lock", flags @ ..] => {
                let flag = |name: &str| {
                    flags
                        .iter()
                        .find_map(|flag| flag.strip_prefix(name)?.strip_prefix('='))
                };
                let (Some(role), Some(message), Some(hours)) = (
                    flag("--role"),
                    flag("--message"),
                    flag("--ttl").and_then(|ttl| ttl.strip_suffix('h')?.parse().ok()),
                ) else {
                    return Err(
                        "ERROR: practice knows --role, --message and --ttl in hours".to_owned()
                    );
                };
                let id = format!(
                    "{:08x}-0000-4000-8000-{:012x}",
                    fastrand::u32(..),
                    fastrand::u32(..)
                );
                let until = now.plus(std::time::Duration::from_hours(hours)).to_string();
                locks.push(
                    json!({"kind": "lock", "version": "v2", "metadata": {"name": id},
                    "spec": {"target": {"role": role}, "message": message, "expires": until}}),
                );
                Ok(format!("Created a lock with name \"{id}\".\n"))
            }
            _ => Err(format!(
                "ERROR: practice knows no `tctl {}`",
                args.join(" ")
            )),
        }
    }
}

fn roles() -> Value {
    let role = |name: &str, resources: &[&str], verbs: &[&str]| {
        json!({"kind": "role", "metadata": {"name": name},
            "spec": {"allow": {"rules": [{"resources": resources, "verbs": verbs}]}}})
    };
    let all = ["list", "create", "read", "update", "delete"];
    json!([
        role("access", &["event"], &["list", "read"]),
        role("auditor", &["session", "event"], &["list", "read"]),
        role("editor", &["role", "user", "cert_authority"], &all),
        role("locksmith", &["lock"], &all),
        role("bot-ci", &["token"], &["create"]),
    ])
}
