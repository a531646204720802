//! What a caching resolver of the practice is like: the ways in which real ones differ, as data.

use serde::Deserialize;

/// One caching resolver, `[[resolver]]` in a scenario. Without any setting it is honest: it asks when its copy has run
/// out, and hands out what is left of the TTL.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheSpec {
    /// What the pane calls it; its address is the one listed under the same label in
    /// [`Addresses::resolvers`](super::Addresses).
    pub label: String,
    /// Keeps every copy at least this long, in seconds, as `cache-min-ttl` in unbound or dnsmasq does.
    #[serde(default)]
    pub min_ttl: u32,
    /// Keeps no copy longer than this, in seconds, as public resolvers do.
    #[serde(default = "day")]
    pub max_ttl: u32,
    /// For this long, in seconds, an old copy is handed out with a TTL of 30 while the authorities fail (RFC 8767).
    #[serde(default)]
    pub stale: u32,
    /// Caches behind the one address, asked in turn, as at an anycast site.
    #[serde(default = "one")]
    pub caches: u8,
    /// Milliseconds before each answer.
    #[serde(default)]
    pub delay: u64,
    /// What it does instead of answering.
    #[serde(default)]
    pub fault: CacheFault,
}

/// What a resolver does instead of answering.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CacheFault {
    /// Nothing: it answers.
    #[default]
    None,
    /// Says SERVFAIL.
    Servfail,
    /// Says REFUSED.
    Refused,
    /// Says nothing.
    Dead,
}

impl CacheSpec {
    /// An honest resolver.
    #[must_use]
    pub fn honest(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            min_ttl: 0,
            max_ttl: day(),
            stale: 0,
            caches: one(),
            delay: 0,
            fault: CacheFault::None,
        }
    }
}

const fn day() -> u32 {
    86_400
}

const fn one() -> u8 {
    1
}
