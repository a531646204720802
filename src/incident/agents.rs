//! Agents: who has a heartbeat in the state table, and whether it is one of since the relaunch.
//!
//! A restored table holds the heartbeats of before until they expire, so a row alone proves nothing: see [`Beat::live`].

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Moment, brief};
use crate::plan::Plan;

/// Longest that a heartbeat lasts (`ServerAnnounceTTL` of Teleport): a row that was last renewed before a moment expires
/// no later than this after it.
const LASTS: Duration = Duration::from_mins(10);
/// Names of missing ones that are kept.
const NAMED: usize = 20;

/// What sends heartbeats, by the prefix of its rows (`lib/services/local/presence.go`, `bot_instance.go`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentKind {
    /// SSH nodes.
    Node,
    /// Proxied applications.
    Application,
    /// Databases.
    Database,
    /// Kubernetes clusters.
    Kubernetes,
    /// Windows desktop services.
    Desktop,
    /// Instances of bots: they renew every 20 to 30 minutes, far too seldom to be waited for.
    Bot,
    /// Proxies of the cluster itself.
    Proxy,
    /// Auth servers of the cluster itself.
    Auth,
}

impl AgentKind {
    /// Every kind, agents first.
    pub const ALL: [Self; 8] = [
        Self::Node,
        Self::Application,
        Self::Database,
        Self::Kubernetes,
        Self::Desktop,
        Self::Bot,
        Self::Proxy,
        Self::Auth,
    ];

    /// Where its rows lie, under `teleport/`.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Node => "nodes/",
            Self::Application => "appServers/",
            Self::Database => "databaseServers/",
            Self::Kubernetes => "kubeServers/",
            Self::Desktop => "windowsDesktopServices/",
            Self::Bot => "bot_instance/",
            Self::Proxy => "proxies/",
            Self::Auth => "authservers/",
        }
    }

    /// As it is told, in the plural.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Node => "nodes",
            Self::Application => "applications",
            Self::Database => "databases",
            Self::Kubernetes => "Kubernetes clusters",
            Self::Desktop => "desktop services",
            Self::Bot => "bots",
            Self::Proxy => "proxies",
            Self::Auth => "auth servers",
        }
    }

    /// Whether it is waited for: an agent that connects from elsewhere and does so every few minutes. Proxies and Auth
    /// servers are the release's own pods, bots have a step of their own.
    #[must_use]
    pub const fn counts(self) -> bool {
        !matches!(self, Self::Bot | Self::Proxy | Self::Auth)
    }
}

/// How many there are of each kind.
pub type Headcount = BTreeMap<AgentKind, u32>;

/// A heartbeat row: key and times, never its `Value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// The key after the prefix, such as `default/6f1c…`.
    pub id: String,
    /// `Timestamp`: when the row was written. A keep-alive moves `Expires` alone.
    pub at: Option<Moment>,
    /// `Expires`. A row without one belongs to no agent: an OpenSSH server that somebody registered.
    pub until: Moment,
}

impl Beat {
    /// Whether it was renewed since a moment and has not expired: written since, or kept alive for longer than a
    /// heartbeat from before could last. Of a bot's row only the first counts: it lasts as long as its certificate.
    #[must_use]
    pub fn live(&self, kind: AgentKind, since: Moment, now: Moment) -> bool {
        let written = self.at.is_some_and(|at| at >= since);
        let kept = kind != AgentKind::Bot && self.until > since.plus(LASTS);
        self.until > now && (written || kept)
    }
}

/// Heartbeat rows by kind.
pub type Beats = BTreeMap<AgentKind, Vec<Beat>>;

/// Who there was, to name who is missing: kept in the black box's file, in no observation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roll {
    /// The ids of each kind, with a host name where one was told.
    pub members: BTreeMap<AgentKind, Vec<(String, Option<String>)>>,
}

/// How many agents there were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// When they were counted.
    pub at: Moment,
    /// By kind.
    pub counts: Headcount,
}

/// Who has a heartbeat of since the relaunch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agents {
    /// When the rows were read: it is billed, so it is not done at every look.
    pub at: Moment,
    /// The relaunch: the oldest Auth pod of the recovery cluster was made then.
    pub since: Moment,
    /// The state table: `teleport-state-dr in us-west-2`.
    pub table: String,
    /// With a heartbeat of since.
    pub live: Headcount,
    /// Rows that the restore brought along and nobody has renewed.
    pub lapsed: Headcount,
    /// How many there were, by the black box.
    pub before: Option<Before>,
    /// Agents that are not back, by name or else by key: the first twenty.
    pub missing: Vec<String>,
    /// Rows were left unread: there are at least so many.
    pub cut: bool,
}

/// How far they are back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// So many are back; of a kind never more than there were.
    pub back: u32,
    /// Of so many.
    pub of: u32,
    /// By whom that is told.
    pub by: String,
}

impl Compared {
    /// In whole percent, rounded down; all of none is all.
    #[must_use]
    pub fn percent(&self) -> u8 {
        let share = u64::from(self.back) * 100;
        let share = share.checked_div(u64::from(self.of)).unwrap_or(100);
        u8::try_from(share.min(100)).unwrap_or(100)
    }
}

impl Agents {
    /// Counts rows at a moment.
    #[must_use]
    pub fn count(
        table: String,
        beats: &Beats,
        since: Moment,
        now: Moment,
        known: Option<(Before, Option<&Roll>)>,
    ) -> Self {
        let mut seen = Self {
            at: now,
            since,
            table,
            live: Headcount::new(),
            lapsed: Headcount::new(),
            before: None,
            missing: Vec::new(),
            cut: false,
        };
        let (before, roll) = known.unzip();
        let roll = roll.flatten();
        for (kind, rows) in beats {
            let (live, lapsed): (Vec<&Beat>, Vec<&Beat>) =
                rows.iter().partition(|row| row.live(*kind, since, now));
            seen.live.insert(*kind, number(live.len()));
            seen.lapsed.insert(*kind, number(lapsed.len()));
            if !kind.counts() || seen.missing.len() >= NAMED {
                continue;
            }
            match roll.and_then(|roll| roll.members.get(kind)) {
                Some(members) => {
                    let live: std::collections::BTreeSet<&str> =
                        live.iter().map(|row| row.id.as_str()).collect();
                    let away = members.iter().filter(|(id, _)| !live.contains(id.as_str()));
                    seen.missing
                        .extend(away.map(|(id, name)| called(*kind, id, name.as_deref())));
                }
                None => seen
                    .missing
                    .extend(lapsed.iter().map(|row| called(*kind, &row.id, None))),
            }
        }
        seen.missing.truncate(NAMED);
        seen.before = before;
        seen
    }

    /// How far they are back: by the black box, else by the plan; `None` where neither tells how many there were.
    #[must_use]
    pub fn compared(&self, plan: &Plan) -> Option<Compared> {
        let live = |kind: AgentKind| self.live.get(&kind).copied().unwrap_or(0);
        let counted = AgentKind::ALL.into_iter().filter(|kind| kind.counts());
        if let Some(before) = &self.before {
            let mut compared = Compared {
                back: 0,
                of: 0,
                by: format!("the black box's count at {}", before.at),
            };
            for kind in counted {
                let were = before.counts.get(&kind).copied().unwrap_or(0);
                compared.of = compared.of.saturating_add(were);
                compared.back = compared.back.saturating_add(live(kind).min(were));
            }
            return Some(compared);
        }
        let of = plan.cluster.agents?;
        Some(Compared {
            back: self.total().min(of),
            of,
            by: "[cluster] agents of the plan".to_owned(),
        })
    }

    /// All agents with a heartbeat of since.
    #[must_use]
    pub fn total(&self) -> u32 {
        let counted = self.live.iter().filter(|(kind, _)| kind.counts());
        counted.map(|(_, count)| *count).sum()
    }

    /// `nodes 3/5, databases 1/1, bots 0/2, proxies 2, auth servers 2`
    #[must_use]
    pub fn told(&self) -> String {
        let parts: Vec<String> = AgentKind::ALL
            .into_iter()
            .filter_map(|kind| {
                let live = self.live.get(&kind).copied().unwrap_or(0);
                let were = self
                    .before
                    .as_ref()
                    .map_or(0, |before| before.counts.get(&kind).copied().unwrap_or(0));
                match (live, were) {
                    (0, 0) => None,
                    (live, 0) => Some(format!("{} {live}", kind.words())),
                    (live, were) => Some(format!("{} {live}/{were}", kind.words())),
                }
            })
            .collect();
        if parts.is_empty() {
            return "no heartbeat of since the relaunch".to_owned();
        }
        parts.join(", ")
    }

    /// How long ago the relaunch was at a moment.
    #[must_use]
    pub fn relaunched(&self, now: Moment) -> String {
        format!("{} since the relaunch", brief(now.since(self.since)))
    }
}

/// `node web-1 (6f1c…)`, `databases orders`
fn called(kind: AgentKind, id: &str, name: Option<&str>) -> String {
    let last = id.rsplit('/').next().unwrap_or(id);
    let word = kind.words().trim_end_matches('s');
    name.map_or_else(
        || format!("{word} {last}"),
        |name| format!("{word} {name} ({last})"),
    )
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample;

    const SINCE: Moment = Moment::from_secs(10_000);
    const NOW: Moment = Moment::from_secs(10_300);

    fn beat(id: &str, at: i64, until: i64) -> Beat {
        Beat {
            id: id.to_owned(),
            at: Some(Moment::from_secs(at)),
            until: Moment::from_secs(until),
        }
    }

    #[test]
    fn a_restored_row_does_not_count_until_it_is_renewed() {
        let cases = [
            // Restored, and not expired yet.
            (beat("a", 9_900, 10_500), AgentKind::Node, false),
            // Written since.
            (beat("a", 10_000, 10_600), AgentKind::Node, true),
            (beat("a", 10_200, 10_299), AgentKind::Node, false),
            // Kept alive: only Expires moved, further than one of before could reach.
            (beat("a", 9_000, 10_601), AgentKind::Node, true),
            (beat("a", 9_000, 10_600), AgentKind::Node, false),
            // A bot's row lasts as long as its certificate.
            (beat("a", 9_000, 13_000), AgentKind::Bot, false),
            (beat("a", 10_100, 13_000), AgentKind::Bot, true),
        ];
        for (beat, kind, live) in cases {
            assert_eq!(beat.live(kind, SINCE, NOW), live, "{beat:?} {kind:?}");
        }
        let unwritten = Beat {
            at: None,
            ..beat("a", 0, 10_700)
        };
        assert!(unwritten.live(AgentKind::Database, SINCE, NOW));
    }

    fn counted(known: Option<(Before, Option<&Roll>)>) -> Agents {
        let beats = Beats::from([
            (
                AgentKind::Node,
                vec![
                    beat("default/n1", 10_100, 10_700),
                    beat("default/n2", 9_000, 9_600),
                    beat("default/n4", 10_100, 10_700),
                    beat("default/n5", 10_100, 10_700),
                ],
            ),
            (
                AgentKind::Database,
                vec![beat("default/h/orders", 9_000, 9_600)],
            ),
            (AgentKind::Bot, vec![beat("ci/u", 9_000, 13_000)]),
            (AgentKind::Proxy, vec![beat("p", 10_100, 10_700)]),
        ]);
        Agents::count("t in us-west-2".to_owned(), &beats, SINCE, NOW, known)
    }

    #[test]
    fn more_of_one_kind_do_not_stand_for_those_of_another() {
        let before = Before {
            at: Moment::from_secs(1),
            counts: Headcount::from([
                (AgentKind::Node, 2),
                (AgentKind::Database, 1),
                (AgentKind::Bot, 4),
            ]),
        };
        let roll = Roll {
            members: BTreeMap::from([(
                AgentKind::Node,
                vec![
                    ("default/n1".to_owned(), Some("web-1".to_owned())),
                    ("default/n2".to_owned(), Some("web-2".to_owned())),
                ],
            )]),
        };
        let seen = counted(Some((before, Some(&roll))));
        let compared = seen.compared(&sample::plan()).expect("compared");
        assert_eq!((compared.back, compared.of, compared.percent()), (2, 3, 66));
        assert_eq!(seen.told(), "nodes 3/2, databases 0/1, bots 0/4, proxies 1");
        assert_eq!(seen.missing, ["node web-2 (n2)", "database orders"]);
    }

    #[test]
    fn without_a_black_box_the_plan_tells_and_without_both_nobody() {
        let seen = counted(None);
        let mut plan = sample::plan();
        assert_eq!(seen.compared(&plan), None);
        assert_eq!(seen.missing, ["node n2", "database orders"]);
        plan.cluster.agents = Some(4);
        let compared = seen.compared(&plan).expect("compared");
        assert_eq!((compared.back, compared.percent()), (3, 75));
        plan.cluster.agents = Some(0);
        let none = seen.compared(&plan).expect("compared");
        assert_eq!(none.percent(), 100);
    }
}
