//! Agents and bots of the Teleport cluster: whose heartbeats lie in which state table, and since when. They follow the
//! names: one after the other, some time after the names lead to proxies that are ready.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Stored, World};
use crate::incident::{Moment, Side};

/// How long a heartbeat lasts.
const LASTS: Duration = Duration::from_mins(10);
/// The cluster's own heartbeats: key and how far they lag behind the newest, in seconds.
const OWN: [(&str, u64); 4] = [
    ("authservers/auth-0", 0),
    ("authservers/auth-1", 21),
    ("proxies/proxy-0", 9),
    ("proxies/proxy-1", 33),
];
/// The agents: key, and the host name of a node. They come back in this order.
const AGENTS: [(&str, &str); 6] = [
    (
        "nodes/default/6f1c0000-0000-4000-8000-000000000001",
        "web-1",
    ),
    (
        "nodes/default/9a200000-0000-4000-8000-000000000002",
        "web-2",
    ),
    (
        "nodes/default/c3d70000-0000-4000-8000-000000000003",
        "bastion",
    ),
    (
        "appServers/default/6f1c0000-0000-4000-8000-000000000001/grafana",
        "",
    ),
    (
        "databaseServers/default/9a200000-0000-4000-8000-000000000002/orders",
        "",
    ),
    ("kubeServers/c3d70000-0000-4000-8000-000000000003/edge", ""),
];
/// How many agents there are.
pub const COUNT: usize = AGENTS.len();
/// Instances of bots. They come back, if at all, later than a practice lasts.
const BOTS: [&str; 2] = ["bot_instance/ci/b07c1000", "bot_instance/deploy/b07de000"];

/// `[agents]` of a scenario.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Comeback {
    /// From one agent's return to the next one's, in seconds.
    #[serde(deserialize_with = "super::scenario::secs")]
    pub every: Duration,
    /// How many of them never return.
    pub away: usize,
}

impl Default for Comeback {
    fn default() -> Self {
        Self {
            every: Duration::from_millis(1500),
            away: 0,
        }
    }
}

/// Since when the names lead the agents to the proxies of a side.
#[derive(Clone, Copy, Debug)]
pub struct Led([Option<Moment>; 2]);

impl Led {
    /// To the primary, long since.
    #[must_use]
    pub fn to_primary(began: Moment) -> Self {
        Self([Some(began.minus(Duration::from_hours(24))), None])
    }
}

impl World {
    /// Takes in where the names lead now.
    pub(super) fn lead(&mut self, now: Moment) {
        let name = &self.scenario.release.cluster;
        let records = self.zone.published(now);
        let leads = |side: Side| {
            let balancer = &self.scenario.site(side).load_balancer;
            let to = records
                .iter()
                .any(|set| set.name == *name && set.values.contains(balancer));
            let running = self.side(side).cluster.running();
            to && running.is_some_and(|running| running.proxy_ready)
        };
        let [primary, recovery] = Side::BOTH.map(leads);
        for (since, leads) in self.led.0.iter_mut().zip([primary, recovery]) {
            *since = leads.then(|| since.unwrap_or(now));
        }
    }

    /// The heartbeats in a state table of a side at a moment: key, `Timestamp` and `Expires`, ordered by key.
    #[must_use]
    pub fn heartbeats(
        &self,
        side: Side,
        table: &Stored,
        now: Moment,
    ) -> Vec<(String, Moment, Moment)> {
        let (Some(newest), Some(stood)) = (table.newest(now), table.newest) else {
            return Vec::new();
        };
        let since = table.written_since;
        let of = |at: Moment| since.map_or(at, |since| at.max(since));
        let mut rows: Vec<_> = OWN
            .iter()
            .map(|(key, lag)| {
                (
                    (*key).to_owned(),
                    of(newest.minus(Duration::from_secs(*lag))),
                )
            })
            .collect();
        let writer = Side::BOTH.into_iter().find(|from| {
            self.writing[*from as usize]
                .as_ref()
                .is_some_and(|(to, name)| *to == side && *name == table.name)
        });
        let led = writer.and_then(|from| self.led.0[from as usize]);
        let comeback = self.scenario.agents;
        for (place, (key, _)) in AGENTS.iter().enumerate() {
            let turn = u32::try_from(place + 1).unwrap_or(u32::MAX);
            // On the primary all are there from the beginning.
            let stays = writer == Some(Side::Recovery) && place + comeback.away >= COUNT;
            let back = led
                .map(|led| led.plus(comeback.every * turn))
                .filter(|back| *back <= now && !stays);
            let at = back.map_or(stood, |back| back.max(newest));
            rows.push(((*key).to_owned(), at));
        }
        rows.extend(BOTS.map(|key| (key.to_owned(), stood)));
        rows.sort();
        rows.into_iter()
            .map(|(key, at)| (format!("teleport/{key}"), at, at.plus(LASTS)))
            .collect()
    }
}

/// `tctl get nodes --format=json`
#[must_use]
pub fn nodes() -> Value {
    let nodes = AGENTS.iter().filter(|(_, host)| !host.is_empty());
    nodes
        .map(|(key, host)| {
            let id = key.rsplit('/').next().unwrap_or_default();
            json!({"kind": "node", "version": "v2", "metadata": {"name": id}, "spec": {"hostname": host}})
        })
        .collect()
}

/// `tctl get bots --format=json`
#[must_use]
pub fn bots() -> Value {
    json!([{"kind": "bot", "metadata": {"name": "ci"}}, {"kind": "bot", "metadata": {"name": "deploy"}}])
}

/// `tctl get bot_instance --format=json`: one bot joined by a shared secret, one by what runs it. Neither has come back.
#[must_use]
pub fn instances() -> Value {
    let instance = |bot: &str, method: &str| {
        let once = json!({"join_method": method, "authenticated_at": "2026-01-05T08:00:00Z"});
        json!({"kind": "bot_instance", "version": "v1", "spec": {"bot_name": bot, "instance_id": format!("b07-{bot}")},
            "status": {"initial_authentication": once, "latest_authentications": [once],
                "latest_heartbeats": [{"recorded_at": "2026-01-05T09:00:00Z", "hostname": "runner"}]}})
    };
    json!([instance("ci", "token"), instance("deploy", "kubernetes")])
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::{
        incident::TableRole,
        practice::world::{Addresses, Scenario},
    };

    #[test]
    fn on_the_primary_all_are_there_and_a_copy_holds_what_was() {
        let scenario = Scenario::named("calm").expect("a scenario");
        let addresses = Addresses::within(Ipv4Addr::new(127, 7, 9, 0), &scenario);
        let mut world = World::new(scenario, addresses, Moment::from_secs(1_795_000_000));
        let later = world.began.plus(Duration::from_mins(10));
        world.tick(later);
        let fresh = |side: Side| {
            let name = world
                .scenario
                .site(side)
                .names()
                .table(TableRole::State)
                .to_owned();
            let table = world.side(side).storage.table(&name).expect("a table");
            let rows = world.heartbeats(side, table, later);
            let fresh = rows.iter().filter(|(_, at, _)| later.since(*at) < LASTS);
            (fresh.count(), rows.len())
        };
        assert_eq!(fresh(Side::Primary), (OWN.len() + COUNT, 12));
        assert_eq!(fresh(Side::Recovery), (0, 12));
    }
}
