//! Bots of the Teleport cluster: how they joined, which of them a restore locks out, and the locks that it makes.

use serde::{Deserialize, Serialize};

use super::{Failure, Moment};

/// The join method of a shared secret: a bot that joined so renews by its own certificate, and cannot once that has
/// expired or is of another generation than the restored state knows.
pub const SECRET: &str = "token";

/// Bots and the locks that a restore makes on them, as the recovery cluster's Auth Service tells them. No token's name is
/// ever kept: of a shared secret it is the secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bots {
    /// The kube context of the Auth pods asked.
    pub context: String,
    /// UID of its `kube-system` namespace.
    pub uid: Option<String>,
    /// When the recovery cluster was relaunched: its oldest Auth pod was made then.
    pub since: Moment,
    /// The bots, by name.
    pub bots: Vec<Bot>,
    /// Locks whose message tells of a generation mismatch.
    pub locks: Vec<BotLock>,
    /// What could not be read.
    pub gaps: Vec<Failure>,
}

/// A bot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bot {
    /// Its name.
    pub name: String,
    /// The join methods of its instances' latest authentications, or where none is recorded of its tokens.
    pub methods: Vec<String>,
    /// How many instances are recorded.
    pub instances: u32,
    /// When one of them last authenticated or sent a heartbeat.
    pub last: Option<Moment>,
}

/// A lock on a bot, an instance of one, or a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BotLock {
    /// Its name.
    pub id: String,
    /// What is locked: `user bot-ci`, `bot instance 7f…`, `a join token`.
    pub target: String,
    /// When it was made, where it says.
    pub made: Option<Moment>,
}

impl Bot {
    /// Whether an instance of it joined by a shared secret.
    #[must_use]
    pub fn by_secret(&self) -> bool {
        self.methods.iter().any(|method| method == SECRET)
    }

    /// Whether it was heard of since a moment.
    #[must_use]
    pub fn back(&self, since: Moment) -> bool {
        self.last.is_some_and(|last| last >= since)
    }

    /// `ci (token, 2 instances)`
    #[must_use]
    pub fn told(&self) -> String {
        let methods = if self.methods.is_empty() {
            "joined by nobody knows what".to_owned()
        } else {
            self.methods.join(" and ")
        };
        format!("{} ({methods}, {} instances)", self.name, self.instances)
    }
}

impl BotLock {
    /// `dc7cee9d-… on user bot-ci`
    #[must_use]
    pub fn told(&self) -> String {
        format!("{} on {}", self.id, self.target)
    }
}

impl Bots {
    /// Bots that joined by a shared secret and have not been heard of since the relaunch: they are locked out unless they
    /// are given a new token.
    pub fn at_risk(&self) -> impl Iterator<Item = &Bot> {
        self.bots
            .iter()
            .filter(|bot| bot.by_secret() && !bot.back(self.since))
    }

    /// Locks that a restore may have made: of since the relaunch, or of a time that nobody told.
    pub fn artefacts(&self) -> impl Iterator<Item = &BotLock> {
        let since = self.since;
        let of_since = move |lock: &&BotLock| lock.made.is_none_or(|made| made >= since);
        self.locks.iter().filter(of_since)
    }

    /// Locks that the copy brought along: they were there before the outage, so a restore did not make them.
    pub fn older(&self) -> impl Iterator<Item = &BotLock> {
        let since = self.since;
        let of_before = move |lock: &&BotLock| lock.made.is_some_and(|made| made < since);
        self.locks.iter().filter(of_before)
    }
}
