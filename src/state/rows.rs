//! Which rows a pane has, by identity: what the cursor stays on, and what the view draws.

use std::{
    cmp::Ordering,
    hash::{Hash, Hasher},
    net::IpAddr,
    sync::Arc,
};

use super::{Pane, State};
use crate::{
    incident::{Cluster, ClusterEvent, Door, Fact, Pod, Side, StepId, Subject},
    judge,
};

/// So many warnings of a cluster are shown, the newest.
const EVENTS: usize = 5;

/// The identity of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKey {
    /// A step of the runbook.
    Step(StepId),
    /// A cluster as a whole: the heading above its pods.
    Cluster(Side),
    /// A warning event of a cluster, by [`crate::incident::ClusterEvent::id`].
    Event(Side, String),
    /// A pod, by side and UID.
    Pod(Side, PodKey),
    /// A source of backup facts.
    Source(String),
    /// A DNS server's answer for a name.
    Answer(Arc<str>, Arc<str>),
    /// A way to the proxy.
    Door(Door),
    /// One address behind it.
    Address(Door, IpAddr),
}

/// A pod by its UID. It brings the cluster along, as it was when the row was made, so that a row on screen need not be
/// looked up among 10,000; and one cluster is cheaper to hold 10,000 times than as many pods.
#[derive(Clone, Debug)]
pub struct PodKey {
    cluster: Arc<Cluster>,
    place: usize,
}

impl PodKey {
    /// The pod, as it was when the row was made.
    #[must_use]
    pub fn pod(&self) -> &Pod {
        &self.cluster.pods[self.place]
    }
}

impl PartialEq for PodKey {
    fn eq(&self, other: &Self) -> bool {
        self.pod().uid == other.pod().uid
    }
}

impl Eq for PodKey {}

impl PartialOrd for PodKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PodKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.pod().uid.cmp(&other.pod().uid)
    }
}

impl Hash for PodKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.pod().uid.hash(state);
    }
}

impl State {
    /// The rows of a list pane, in the order of the screen, after its filter. The output pane has lines, not rows.
    #[must_use]
    pub fn rows(&self, pane: Pane) -> Vec<RowKey> {
        let filter = self.desk.pane(pane).filter.to_lowercase();
        let fits = |text: &str| filter.is_empty() || text.to_lowercase().contains(&filter);
        match pane {
            Pane::Runbook => {
                let steps = self.runbook.steps.iter().filter(|step| fits(&step.title));
                steps.map(|step| RowKey::Step(step.id.clone())).collect()
            }
            Pane::Pods => self.pod_rows(&fits),
            Pane::Backups => self.source_rows(&fits),
            Pane::Dns => self.answer_rows(&fits),
            Pane::Web => self.door_rows(&fits),
            Pane::Output => Vec::new(),
        }
    }

    /// For each side, recovery first: its heading, its pods with the worst first, its newest warnings.
    fn pod_rows(&self, fits: &dyn Fn(&str) -> bool) -> Vec<RowKey> {
        let mut rows = Vec::new();
        for side in [Side::Recovery, Side::Primary] {
            let whole = fits(side.word());
            if whole {
                rows.push(RowKey::Cluster(side));
            }
            let reading = self.instruments.get(&Subject::Cluster(side));
            let Some((_, Fact::Cluster(cluster))) =
                reading.and_then(|reading| reading.good.as_ref())
            else {
                continue;
            };
            let places = judge::cluster::muster(cluster)
                .order
                .iter()
                .filter(|place| {
                    let pod = &cluster.pods[**place];
                    whole || fits(&pod.name) || fits(&pod.reason)
                });
            rows.extend(places.map(|place| {
                let cluster = Arc::clone(cluster);
                let place = *place;
                RowKey::Pod(side, PodKey { cluster, place })
            }));
            let events = cluster.events.iter().map(ClusterEvent::id);
            let events = events.filter(|id| whole || fits(id)).take(EVENTS);
            rows.extend(events.map(|id| RowKey::Event(side, id)));
        }
        rows
    }

    fn source_rows(&self, fits: &dyn Fn(&str) -> bool) -> Vec<RowKey> {
        let lines = judge::backups::lines(&self.sight()).into_iter();
        lines
            .filter(|line| fits(&line.label) || fits(&line.sentence) || fits(&line.needs))
            .map(|line| RowKey::Source(line.label))
            .collect()
    }

    fn answer_rows(&self, fits: &dyn Fn(&str) -> bool) -> Vec<RowKey> {
        let rows = judge::dns::board(&self.sight()).rows;
        let rows = rows.into_iter().filter(|row| {
            fits(&row.label) || fits(&row.name) || fits(row.class.word()) || fits(row.place.word())
        });
        rows.filter_map(|row| match row.subject {
            Subject::Answer { server, name } => Some(RowKey::Answer(server, name)),
            _ => None,
        })
        .collect()
    }

    /// The three doors, then each address behind them.
    fn door_rows(&self, fits: &dyn Fn(&str) -> bool) -> Vec<RowKey> {
        let doors = || Door::ALL.into_iter().filter(|door| fits(door.word()));
        let addresses = doors().flat_map(|door| {
            let reading = self.instruments.get(&Subject::Door(door));
            let known = match reading.and_then(|reading| reading.good.as_ref()) {
                Some((_, Fact::Door(fact))) => fact.addresses.as_slice(),
                _ => &[],
            };
            known
                .iter()
                .map(move |address| RowKey::Address(door, address.ip))
        });
        doors().map(RowKey::Door).chain(addresses).collect()
    }

    /// The index of the selected row among `rows`; the first if the selected one is gone or none is.
    #[must_use]
    pub fn cursor(&self, pane: Pane, rows: &[RowKey]) -> usize {
        let selected = match (pane, self.desk.pane(pane).selected) {
            (Pane::Runbook, None) => self
                .selected_step()
                .map(|step| RowKey::Step(step.id.clone())),
            (_, selected) => selected,
        };
        selected
            .and_then(|key| rows.iter().position(|row| *row == key))
            .unwrap_or(0)
    }
}
