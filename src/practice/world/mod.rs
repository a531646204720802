//! The simulated world: pure state, changed only by its methods, which are told the time. One file per noun.

pub mod addresses;
pub mod agents;
pub mod barrier;
pub mod bucket;
pub mod cache;
pub mod cluster;
pub mod controls;
pub mod copies;
pub mod gitops;
pub mod items;
pub mod locks;
pub mod names;
pub mod region;
pub mod rights;
pub mod scenario;
pub mod settings;
pub mod tables;
pub mod zone;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use addresses::Addresses;
pub use barrier::Barrier;
pub use bucket::Bucket;
pub use cache::{CacheFault, CacheSpec};
pub use cluster::{Cluster, Running, Seed, Timing};
pub use copies::{Copies, Job};
pub use names::{Release, Site};
pub use region::{Fault, Region};
pub use rights::{Forgotten, ROLE, Requested, SECRET};
pub use scenario::{Scenario, ScenarioError};
pub use settings::{Kept, Standing, Tables};
pub use tables::{Names, Storage, Stored};
pub use zone::{Change, Verb, Zone};

use crate::incident::{Moment, Side};

/// Everything there is: two regions, one hosted zone, and when each change takes effect.
#[derive(Debug)]
pub struct World {
    /// What this practice is about: faults and durations.
    pub scenario: Scenario,
    /// When it began; faults are timed from here.
    pub began: Moment,
    /// Where the faces listen.
    pub addresses: Addresses,
    /// The region that failed.
    pub primary: Region,
    /// The region we move to.
    pub recovery: Region,
    /// The hosted zone of the cluster name.
    pub zone: Zone,
    /// The routing controls that the names' health checks hang on.
    controls: controls::Controls,
    /// What was changed from outside, in order: `us-west-2 dynamodb:UpdateTable teleport-state-dr`. Tests hold against it
    /// how often something was done.
    pub changes: Vec<String>,
    /// Rows of the coordination table.
    pub items: items::Items,
    /// Locks of the Teleport cluster on each side.
    pub locks: locks::Locks,
    /// What keeps the release in the primary as Git says.
    gitops: Option<gitops::Controller>,
    /// Where the names lead the agents.
    led: agents::Led,
    /// For each side the side and state table that its Auth Service writes to.
    writing: [Option<(Side, String)>; 2],
    /// The primary has come back, whatever the scenario says.
    healed: bool,
}

impl World {
    /// The world of a scenario at its beginning: the release runs in the primary, the copies lie in the recovery region.
    #[must_use]
    pub fn new(scenario: Scenario, addresses: Addresses, began: Moment) -> Self {
        let names = Side::BOTH.map(|side| scenario.site(side).names());
        let region = |side: Side| {
            let site = scenario.site(side);
            Region {
                name: site.region.clone(),
                account: site.account.clone(),
                cluster: Cluster::new(
                    &*site.uid,
                    scenario.cluster.clone(),
                    &*site.load_balancer,
                    began,
                ),
                storage: Storage::seed(
                    side,
                    &names[0],
                    &names[1],
                    &scenario.release.cluster,
                    began,
                ),
                certificates: Vec::new(),
                barrier: Barrier::default(),
            }
        };
        let mut primary = region(Side::Primary);
        primary.cluster.seed_release(&scenario.running(), began);
        let gitops = scenario.gitops.map(|kind| {
            let (seed, zone) = (scenario.running(), &scenario.release.zone);
            gitops::Controller::settle(kind, &seed, zone, &mut primary.cluster, began)
        });
        let mut recovery = region(Side::Recovery);
        recovery.storage.standing(scenario.tables.recovery);
        recovery.cluster.ail(scenario.pods.clone());
        let authorities = addresses.authorities.iter().map(|(name, _)| name.clone());
        let zone = Zone::new(
            &scenario.release.zone_id,
            &scenario.release.zone,
            authorities.collect(),
            scenario.records(),
            scenario.dns.insync,
        )
        .with_standby(scenario.standby());
        Self {
            began,
            addresses,
            primary,
            recovery,
            zone,
            controls: controls::Controls::default(),
            changes: Vec::new(),
            items: items::Items::default(),
            locks: locks::Locks::default(),
            gitops,
            led: agents::Led::to_primary(began),
            writing: [None, None],
            healed: false,
            scenario,
        }
    }

    /// Puts the proxies' certificate into the clusters, as somebody did before the outage, unless it was forgotten.
    pub fn provision(&mut self, pem: &str, now: Moment) {
        let namespace = self.scenario.release.namespace.clone();
        for side in Side::BOTH {
            if side == Side::Recovery && self.scenario.rights.no_certificate {
                continue;
            }
            let cluster = &mut self.side_mut(side).cluster;
            cluster.provision(&namespace, SECRET, pem, now);
        }
    }

    /// Moves everything on that moves by itself: the controllers of both clusters, and what their Auth Services write.
    /// Cheap when nothing is pending.
    pub fn tick(&mut self, now: Moment) {
        if let Some(gitops) = &mut self.gitops {
            let seed = self.scenario.running();
            gitops.tick(&seed, &mut self.primary.cluster, now);
        }
        if self.fault(Side::Primary, "kubernetes", now) == Fault::None
            && let Some(gitops) = &mut self.gitops
        {
            let old = &self.scenario.primary.load_balancer;
            gitops.write_back(old, &self.primary.cluster, &mut self.zone, now);
        }
        for side in Side::BOTH {
            self.side_mut(side).cluster.tick(now);
            self.auth_writes(side, now);
        }
        self.lead(now);
    }

    /// An Auth Service that is ready writes into the tables that its values name, while their `DynamoDB` answers.
    fn auth_writes(&mut self, side: Side, now: Moment) {
        let running = self.side(side).cluster.running();
        let ready = running.filter(|running| running.auth_ready);
        let onto = ready.and_then(|running| {
            let to = self.region_named(&running.region)?;
            (self.fault(to, "dynamodb", now) == Fault::None).then_some((to, running))
        });
        let was = self.writing[side as usize].take();
        self.writing[side as usize] = onto
            .as_ref()
            .map(|(to, running)| (*to, running.state_table.clone()));
        if was == self.writing[side as usize] {
            return;
        }
        if let Some((to, state)) = was {
            let audit = self.scenario.site(to).audit_table.clone();
            self.side_mut(to).storage.auth_stops(&state, &audit, now);
        }
        if let Some((to, running)) = onto {
            let audit = self.scenario.site(to).audit_table.clone();
            let (state, cluster) = (&running.state_table, &running.cluster_name);
            let storage = &mut self.side_mut(to).storage;
            storage.auth_starts(state, &audit, cluster, now);
        }
    }

    /// What the Auth Service of a side says of its backend, once it has reached it: also that it had to make one.
    #[must_use]
    pub fn auth_start(&self, side: Side) -> Option<Vec<String>> {
        let running = self.side(side).cluster.running()?;
        let storage = &self.side(self.region_named(&running.region)?).storage;
        let table = storage.table(&running.state_table)?;
        table.written_since?;
        let mut said = vec![format!(
            "INFO Connection established to DynamoDB state database table:{} region:{}",
            running.state_table, running.region
        )];
        let (owner, seed) = table.authority.as_ref()?;
        if table.made_by_auth {
            said.insert(
                0,
                format!("INFO Table has been created. table:{}", table.name),
            );
        }
        if owner != &running.cluster_name {
            said.push(format!(
                "WARN Cannot rename cluster to {:?}: continuing with {owner:?}",
                running.cluster_name
            ));
        } else if seed.starts_with(tables::MADE) {
            let first = "INFO First start: generating certificate authority ca_type";
            said.extend(["host", "user"].map(|kind| format!("{first}:{kind}")));
        }
        Some(said)
    }

    fn region_named(&self, name: &str) -> Option<Side> {
        Side::BOTH
            .into_iter()
            .find(|side| self.side(*side).name == name)
    }

    /// The region of a side.
    #[must_use]
    pub const fn side(&self, side: Side) -> &Region {
        match side {
            Side::Primary => &self.primary,
            Side::Recovery => &self.recovery,
        }
    }

    /// The region of a side, to be changed.
    pub const fn side_mut(&mut self, side: Side) -> &mut Region {
        match side {
            Side::Primary => &mut self.primary,
            Side::Recovery => &mut self.recovery,
        }
    }

    /// How the routing controls stand.
    #[must_use]
    pub const fn controls(&self) -> controls::Controls {
        self.controls
    }

    /// Turns routing controls, and with them the names' failover records; whether the safety rule let it.
    pub fn turn(&mut self, states: &[(Side, bool)], overridden: bool) -> bool {
        let Some(turned) = self.controls.turn(states, overridden) else {
            return false;
        };
        self.controls = turned;
        self.zone.failed_over = turned.failed_over();
        true
    }

    /// The primary comes back, with everything that ran there: from here on nothing is wrong with it.
    pub const fn heal(&mut self) {
        self.healed = true;
    }

    /// What is wrong with a service of a side now: faces ask before each answer.
    #[must_use]
    pub fn fault(&self, side: Side, service: &str, now: Moment) -> Fault {
        // Shut at AWS it stays shut, whatever comes back behind it.
        if service == "proxy" && !self.side(side).barrier.open() {
            return Fault::Reset;
        }
        if side == Side::Primary && self.healed {
            return Fault::None;
        }
        self.scenario.fault(side, service, now.since(self.began))
    }
}

/// The world as the faces share it.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Mutex<World>>);

impl Shared {
    /// Shares a world.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// The world as it is now, with the time: what every face asks for one question. Never held over an await.
    pub fn now(&self) -> (MutexGuard<'_, World>, Moment) {
        let now = Moment::now();
        let mut world = self.lock();
        world.tick(now);
        (world, now)
    }

    /// The world as it was left, for the time of one question. Never held over an await.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn world(scenario: &str) -> World {
        let scenario = Scenario::named(scenario).expect("a scenario");
        let addresses = Addresses::within(Ipv4Addr::new(127, 7, 9, 0), &scenario);
        World::new(scenario, addresses, Moment::from_secs(1_795_000_000))
    }

    #[test]
    fn it_begins_with_both_names_on_the_primary_and_the_same_authorities_on_both_sides() {
        let world = world("calm");
        let records = world.zone.published(world.began);
        let names: Vec<_> = records.iter().map(|set| set.name.as_str()).collect();
        assert_eq!(names, ["teleport.example.com", "*.teleport.example.com"]);
        assert!(
            records
                .iter()
                .all(|set| set.values == [world.scenario.primary.load_balancer.as_str()])
        );
        let authority = |side| {
            let site = world.scenario.site(side);
            let storage = &world.side(side).storage;
            storage.host_authority(&site.state_table, &world.scenario.release.cluster)
        };
        assert!(authority(Side::Primary).is_some());
        assert_eq!(authority(Side::Primary), authority(Side::Recovery));
    }

    #[test]
    fn tables_are_written_only_while_their_region_answers() {
        for (scenario, written) in [("calm", true), ("half-alive", false)] {
            let mut world = world(scenario);
            let later = world.began.plus(std::time::Duration::from_mins(10));
            world.tick(later);
            let table = world.primary.storage.table("teleport-state");
            let since = table.and_then(|table| table.written_since);
            assert_eq!(since.is_some(), written, "{scenario}");
        }
    }
}
