//! Bots by `tctl` in the recovery cluster's Auth pods: how they joined, which locks a restore has made on them, and new
//! join tokens. A token's name is the secret where it is of the method `token`: it goes into one file and nowhere else.

mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use tokens::{Issued, Tokens, TokensError, issue};

use super::{freeze::tctl, kube::text::clean};
use crate::{
    incident::{
        Bots, Failure, FailureKind, Moment, Side,
        bots::{Bot, BotLock},
    },
    plan::Plan,
};

/// What the Auth Service says of a lock that it made by itself, in every version
/// (`lib/auth/bot.go`, "due to a certificate generation mismatch").
const MISMATCH: &str = "generation mismatch";
/// How far text goes into a name.
const NAME: usize = 200;

/// Looks once. The cluster's UID and the time of the relaunch are the caller's to add.
///
/// # Errors
/// If the Auth Service does not answer; bots' instances and tokens may be missing on their own.
pub async fn look(plan: &Plan) -> Result<Bots, Failure> {
    let locks = get(plan, "locks").await?;
    let mut seen = Bots {
        context: plan.recovery.kube.context.clone().unwrap_or_default(),
        locks: mismatches(&locks),
        ..Bots::default()
    };
    let mut part = |found: Result<Vec<Value>, Failure>| match found {
        Ok(found) => found,
        Err(failure) => {
            seen.gaps.push(failure);
            Vec::new()
        }
    };
    let bots = part(get(plan, "bots").await);
    let instances = part(get(plan, "bot_instance").await);
    let tokens = part(get(plan, "tokens").await);
    seen.bots = merge(&bots, &instances, &tokens);
    Ok(seen)
}

async fn get(plan: &Plan, what: &str) -> Result<Vec<Value>, Failure> {
    let args = ["get", what, "--format=json"].map(str::to_owned);
    let said = tctl(plan, Side::Recovery, &args).await?;
    list(&said).ok_or_else(|| {
        // Without the text: it may hold names of tokens.
        Failure::new(
            FailureKind::Garbage,
            format!("`tctl get {what}` printed no list in JSON"),
        )
    })
}

fn list(said: &str) -> Option<Vec<Value>> {
    if matches!(said.trim(), "" | "null") {
        return Some(Vec::new());
    }
    match serde_json::from_str(said).ok()? {
        Value::Array(list) => Some(list),
        one @ Value::Object(_) => Some(vec![one]),
        _ => None,
    }
}

fn text(value: &Value, pointers: &[&str]) -> Option<String> {
    let found = pointers
        .iter()
        .find_map(|pointer| value.pointer(pointer)?.as_str())?;
    let text = clean(found, NAME);
    (!text.is_empty()).then_some(text)
}

fn mismatches(locks: &[Value]) -> Vec<BotLock> {
    let ours = locks.iter().filter(|lock| {
        let message = lock.pointer("/spec/message").and_then(Value::as_str);
        message.is_some_and(|message| message.to_lowercase().contains(MISMATCH))
    });
    let found = ours.filter_map(|lock| {
        let id = text(lock, &["/metadata/name"])?;
        let target = |key: &str| text(lock, &[&format!("/spec/target/{key}")]);
        let target = if let Some(user) = target("user") {
            format!("user {user}")
        } else if let Some(instance) = target("bot_instance_id") {
            format!("bot instance {instance}")
        } else if target("join_token").is_some() {
            "a join token".to_owned()
        } else {
            "something else".to_owned()
        };
        let made = text(lock, &["/spec/created_at"]).and_then(|at| at.parse().ok());
        // Go's zero time stands for none.
        let made = made.filter(|made: &Moment| made.secs() > 0);
        Some(BotLock { id, target, made })
    });
    found.collect()
}

/// Bots by name, with what their instances and else their tokens tell of how they join.
fn merge(bots: &[Value], instances: &[Value], tokens: &[Value]) -> Vec<Bot> {
    let mut found: BTreeMap<String, Bot> = BTreeMap::new();
    let mut methods: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let named = |name: &str| Bot {
        name: name.to_owned(),
        ..Bot::default()
    };
    for name in bots.iter().filter_map(|bot| text(bot, &["/metadata/name"])) {
        found.entry(name.clone()).or_insert_with(|| named(&name));
    }
    for one in instances {
        let Some(name) = text(one, &["/spec/bot_name", "/spec/botName"]) else {
            continue;
        };
        let bot = found.entry(name.clone()).or_insert_with(|| named(&name));
        bot.instances += 1;
        let last = latest(one, ["latest_authentications", "latestAuthentications"])
            .or_else(|| one.pointer("/status/initial_authentication"))
            .or_else(|| one.pointer("/status/initialAuthentication"));
        if let Some(last) = last {
            let method = text(
                last,
                &[
                    "/join_attrs/meta/join_method",
                    "/joinAttrs/meta/joinMethod",
                    "/join_method",
                    "/joinMethod",
                ],
            );
            methods.entry(name).or_default().extend(method);
            heard(bot, last, ["/authenticated_at", "/authenticatedAt"]);
        }
        if let Some(beat) = latest(one, ["latest_heartbeats", "latestHeartbeats"]) {
            heard(bot, beat, ["/recorded_at", "/recordedAt"]);
        }
    }
    for token in tokens {
        let Some(name) = text(token, &["/spec/bot_name"]) else {
            continue;
        };
        let bot = found.entry(name.clone()).or_insert_with(|| named(&name));
        if bot.instances == 0 {
            let method = text(token, &["/spec/join_method"]);
            methods.entry(name).or_default().extend(method);
        }
    }
    for (name, methods) in methods {
        if let Some(bot) = found.get_mut(&name) {
            bot.methods = methods.into_iter().collect();
        }
    }
    found.into_values().collect()
}

/// The last entry of a list of the status.
fn latest<'a>(instance: &'a Value, names: [&str; 2]) -> Option<&'a Value> {
    let list = names
        .iter()
        .find_map(|name| instance["status"][*name].as_array())?;
    list.last()
}

fn heard(bot: &mut Bot, entry: &Value, pointers: [&str; 2]) {
    let at: Option<Moment> = text(entry, &pointers).and_then(|at| at.parse().ok());
    bot.last = bot.last.max(at);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn how_a_bot_joins_is_told_by_its_instances_and_else_by_its_tokens() {
        let bot = |name: &str| json!({"kind": "bot", "metadata": {"name": name}});
        let instance = |name: &str, first: &str, then: &[(&str, &str)], beat: &str| {
            let then: Vec<Value> = then
                .iter()
                .map(|(method, at)| json!({"join_method": method, "authenticated_at": at}))
                .collect();
            json!({"kind": "bot_instance", "spec": {"bot_name": name},
                "status": {"initial_authentication": {"join_method": first, "authenticated_at": "2026-11-20T00:00:00Z"},
                    "latest_authentications": then, "latest_heartbeats": [{"recorded_at": beat}]}})
        };
        let token = |name: &str, method: &str| json!({"kind": "token", "metadata": {"name": "s3cret"}, "spec": {"bot_name": name, "join_method": method}});
        let found = merge(
            &[bot("idle"), bot("ci")],
            &[
                instance(
                    "ci",
                    "token",
                    &[
                        ("token", "2026-11-21T00:00:00Z"),
                        ("iam", "2026-11-22T00:00:00Z"),
                    ],
                    "2026-11-23T00:00:00Z",
                ),
                instance("ci", "token", &[], "2026-11-19T00:00:00Z"),
            ],
            &[token("ci", "github"), token("old", "token"), json!({})],
        );
        let names: Vec<&str> = found.iter().map(|bot| bot.name.as_str()).collect();
        assert_eq!(names, ["ci", "idle", "old"]);
        assert_eq!(found[0].methods, ["iam", "token"]);
        assert_eq!(found[0].instances, 2);
        assert_eq!(
            found[0].last.map(|at| at.to_string()).as_deref(),
            Some("2026-11-23T00:00:00.000Z")
        );
        assert!(found[0].by_secret() && found[2].by_secret() && !found[1].by_secret());
        assert!(!format!("{found:?}").contains("s3cret"));
    }

    #[test]
    fn only_locks_of_a_mismatch_are_taken_and_no_token_is_named() {
        let lock = |id: &str, target: Value, message: &str, made: &str| {
            json!({"kind": "lock", "metadata": {"name": id},
                "spec": {"target": target, "message": message, "created_at": made}})
        };
        let found = mismatches(&[
            lock(
                "a",
                json!({"user": "bot-ci"}),
                "The bot user \"bot-ci\" has been locked due to a certificate generation mismatch, possibly …",
                "0001-01-01T00:00:00Z",
            ),
            lock("b", json!({"role": "editor"}), "change freeze", ""),
            lock(
                "c",
                json!({"join_token": "s3cret"}),
                "certificate Generation Mismatch",
                "2026-11-25T12:00:00Z",
            ),
        ]);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].told(), "a on user bot-ci");
        assert_eq!(found[0].made, None);
        assert_eq!(found[1].target, "a join token");
        assert!(found[1].made.is_some());
        assert!(!format!("{found:?}").contains("s3cret"));
    }

    #[test]
    fn one_object_is_a_list_of_one_and_words_are_none() {
        assert_eq!(list("null"), Some(Vec::new()));
        assert_eq!(list("{\"a\":1}").map(|list| list.len()), Some(1));
        assert_eq!(list("ERROR"), None);
    }
}
