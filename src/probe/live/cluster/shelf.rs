//! What the watches of one cluster have brought so far, and the [`Cluster`] that it makes.

use std::{collections::BTreeMap, sync::Arc};

use super::KINDS;
use crate::{
    clients::kube::{
        Change, Entrance, PlainPod, WireDeployment, WireEntrance, choose, text::clean, wire,
    },
    incident::{
        Cluster, ClusterEvent, ClusterKind, Deployment, Failure, FailureKind, Gap, Memo, Pod,
        Release,
    },
};

/// Events kept; 20 of them are shown.
const EVENTS_KEPT: usize = 100;
const EVENTS_SHOWN: usize = 20;

/// What came: a whole list, or one change.
pub enum News<T> {
    /// A list replaces everything of its kind.
    All(Vec<T>),
    /// A watch's change.
    One(Change<T>),
}

/// Everything known of one cluster, each kind by name.
#[derive(Debug, Default)]
pub struct Shelf {
    pods: BTreeMap<String, Arc<Pod>>,
    deployments: BTreeMap<String, Deployment>,
    services: BTreeMap<String, Entrance>,
    ingresses: BTreeMap<String, Entrance>,
    events: BTreeMap<String, ClusterEvent>,
    nodes: BTreeMap<String, bool>,
    releases: BTreeMap<String, Release>,
    /// UID of `kube-system`.
    pub uid: Option<String>,
    /// Kinds that have been listed, and those that could not be.
    kinds: BTreeMap<ClusterKind, Result<(), Failure>>,
}

impl Shelf {
    /// Takes pods in; whether anything shown changed.
    pub fn pods(&mut self, news: News<PlainPod>) -> bool {
        let nodes = &self.nodes;
        let known = matches!(self.kinds.get(&ClusterKind::Nodes), Some(Ok(())));
        let ready = |node: &str| known.then(|| nodes.get(node).copied().unwrap_or(false));
        shelve(
            &mut self.pods,
            news,
            |PlainPod(pod)| &pod.name,
            |PlainPod(pod)| {
                let node_ready = pod.node.as_deref().and_then(ready);
                Some(Arc::new(Pod {
                    node_ready,
                    ..pod.clone()
                }))
            },
        )
    }

    /// Takes Deployments in.
    pub fn deployments(&mut self, news: News<WireDeployment>) -> bool {
        shelve(
            &mut self.deployments,
            news,
            |one| &one.metadata.name,
            |one| Some(one.read()),
        )
    }

    /// Takes Services in; only those of type `LoadBalancer` stay.
    pub fn services(&mut self, news: News<WireEntrance>) -> bool {
        shelve(
            &mut self.services,
            news,
            |one| &one.metadata.name,
            WireEntrance::service,
        )
    }

    /// Takes Ingresses in.
    pub fn ingresses(&mut self, news: News<WireEntrance>) -> bool {
        shelve(
            &mut self.ingresses,
            news,
            |one| &one.metadata.name,
            |one| Some(one.ingress()),
        )
    }

    /// Takes warning events in and lets the oldest go.
    pub fn events(&mut self, news: News<wire::Event>) -> bool {
        let changed = shelve(
            &mut self.events,
            news,
            |one| &one.metadata.name,
            |one| Some(event(one)),
        );
        while self.events.len() > EVENTS_KEPT {
            let oldest = self
                .events
                .iter()
                .min_by_key(|(_, event)| event.at)
                .map(|(name, _)| name.clone());
            let Some(oldest) = oldest else { break };
            self.events.remove(&oldest);
        }
        changed
    }

    /// Takes nodes in. Pods on a node that is not Ready, or not there any more, are marked.
    pub fn nodes(&mut self, news: News<wire::Node>) -> bool {
        self.kinds.insert(ClusterKind::Nodes, Ok(()));
        shelve(
            &mut self.nodes,
            news,
            |one| &one.metadata.name,
            |one| Some(one.ready()),
        );
        self.mark_pods(true)
    }

    /// Takes release Secrets in, by their labels.
    pub fn releases(&mut self, news: News<wire::Named>) -> bool {
        shelve(&mut self.releases, news, |one| &one.metadata.name, release)
    }

    /// A kind has been listed.
    pub fn have(&mut self, kind: ClusterKind) -> bool {
        !matches!(self.kinds.insert(kind, Ok(())), Some(Ok(())))
    }

    /// A kind cannot be read: what was known of it is not shown as if it still were.
    pub fn lack(&mut self, kind: ClusterKind, why: Failure) -> bool {
        match kind {
            ClusterKind::Deployments => self.deployments.clear(),
            ClusterKind::Services => self.services.clear(),
            ClusterKind::Ingresses => self.ingresses.clear(),
            ClusterKind::Events => self.events.clear(),
            ClusterKind::Nodes => {
                self.nodes.clear();
                self.mark_pods(false);
            }
            ClusterKind::Secrets => self.releases.clear(),
            _ => {}
        }
        let why = Err(why);
        self.kinds.insert(kind, why.clone()) != Some(why)
    }

    /// Whether every one of these kinds has been listed, or is known not to be readable.
    #[must_use]
    pub fn settled(&self, kinds: &[ClusterKind]) -> bool {
        kinds.iter().all(|kind| self.kinds.contains_key(kind))
    }

    /// Whether any pod is known.
    #[must_use]
    pub fn has_pods(&self) -> bool {
        !self.pods.is_empty()
    }

    /// What is shown. Unchanged pods are the same as before, not copies.
    #[must_use]
    pub fn cluster(&self, context: &str) -> Cluster {
        let mut events: Vec<ClusterEvent> = self.events.values().cloned().collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.at));
        events.truncate(EVENTS_SHOWN);
        let release = match self.kinds.get(&ClusterKind::Secrets) {
            Some(Ok(())) => Ok(Release::newest(self.releases.values().cloned())),
            Some(Err(why)) => Err(why.clone()),
            None => Err(Failure::new(
                FailureKind::Timeout,
                format!("Helm's release Secrets in context {context} have not been read yet"),
            )),
        };
        Cluster {
            context: context.to_owned(),
            uid: self.uid.clone(),
            pods: self.pods.values().cloned().collect(),
            deployments: self.deployments.values().cloned().collect(),
            load_balancer: choose(self.services.values(), self.ingresses.values()),
            events,
            release,
            gaps: self.gaps(context),
            memo: Memo::default(),
        }
    }

    /// The kinds that could not be read, and those that have not been yet.
    fn gaps(&self, context: &str) -> Vec<Gap> {
        let unread = |kind| {
            let why = format!("{kind} in context {context} have not been read yet");
            Failure::new(FailureKind::Timeout, why)
        };
        let missing = KINDS
            .into_iter()
            .filter(|kind| !self.kinds.contains_key(kind))
            .map(|kind| (kind, unread(kind)));
        let failed = self
            .kinds
            .iter()
            .filter_map(|(kind, read)| Some((*kind, read.clone().err()?)));
        let mut gaps: Vec<Gap> = failed
            .chain(missing)
            .map(|(kind, why)| Gap { kind, why })
            .collect();
        gaps.sort_by_key(|gap| gap.kind);
        gaps
    }

    fn mark_pods(&mut self, known: bool) -> bool {
        let mut changed = false;
        for pod in self.pods.values_mut() {
            let ready = match &pod.node {
                Some(node) if known => Some(self.nodes.get(node).copied().unwrap_or(false)),
                _ => None,
            };
            if pod.node_ready != ready {
                *pod = Arc::new(Pod {
                    node_ready: ready,
                    ..(**pod).clone()
                });
                changed = true;
            }
        }
        changed
    }
}

/// Puts news into a map and keeps what did not change.
fn shelve<T, K: PartialEq>(
    map: &mut BTreeMap<String, K>,
    news: News<T>,
    key: impl Fn(&T) -> &String,
    read: impl Fn(&T) -> Option<K>,
) -> bool {
    match news {
        News::All(items) => {
            let mut changed = false;
            let mut new = BTreeMap::new();
            for item in items {
                let Some(value) = read(&item) else { continue };
                let name = key(&item);
                let kept = match map.remove(name) {
                    Some(old) if old == value => old,
                    _ => {
                        changed = true;
                        value
                    }
                };
                new.insert(name.clone(), kept);
            }
            changed |= !map.is_empty();
            *map = new;
            changed
        }
        News::One(Change::Bookmark) => false,
        News::One(Change::Gone(item)) => map.remove(key(&item)).is_some(),
        News::One(Change::Put(item)) => match read(&item) {
            None => map.remove(key(&item)).is_some(),
            Some(value) if map.get(key(&item)) == Some(&value) => false,
            Some(value) => {
                map.insert(key(&item).clone(), value);
                true
            }
        },
    }
}

fn event(event: &wire::Event) -> ClusterEvent {
    let at = event
        .series
        .as_ref()
        .and_then(|series| series.last_observed_time)
        .or(event.last_timestamp)
        .or(event.event_time)
        .or(event.metadata.creation_timestamp)
        .unwrap_or_default();
    ClusterEvent {
        at,
        object: clean(
            &format!(
                "{}/{}",
                event.involved_object.kind, event.involved_object.name
            ),
            253,
        ),
        reason: clean(&event.reason, 128),
        message: clean(&event.message, 300),
    }
}

fn release(secret: &wire::Named) -> Option<Release> {
    let labels = &secret.metadata.labels;
    Some(Release {
        name: clean(labels.name.as_deref()?, 64),
        revision: labels.version.as_deref()?.parse().ok()?,
        status: clean(labels.status.as_deref()?, 32),
        deployed: None,
    })
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, de::DeserializeOwned};

    use super::*;

    #[derive(Deserialize)]
    struct Recorded<T> {
        items: Vec<T>,
    }

    fn all<T: DeserializeOwned>(body: &str) -> News<T> {
        News::All(
            serde_json::from_str::<Recorded<T>>(body)
                .expect("a list")
                .items,
        )
    }

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../../../tests/fixtures/kube/", $name, ".json"))
        };
    }

    /// Everything recorded from kube-apiserver 1.36.3.
    fn recorded() -> Shelf {
        let mut shelf = Shelf::default();
        shelf.pods(all(fixture!("pods")));
        shelf.deployments(all(fixture!("deployments")));
        shelf.services(all(fixture!("services")));
        shelf.ingresses(all(fixture!("ingresses")));
        shelf.events(all(fixture!("events")));
        shelf.nodes(all(fixture!("nodes")));
        shelf.releases(all(fixture!("secrets")));
        for kind in KINDS {
            shelf.have(kind);
        }
        shelf
    }

    #[test]
    fn recorded_lists_make_a_cluster() {
        let cluster = recorded().cluster("dr");
        assert_eq!(cluster.pods.len(), 13);
        assert!(cluster.pods.is_sorted_by(|a, b| a.name < b.name));
        let release = cluster.release.expect("readable").expect("a release");
        assert_eq!(
            (
                release.name.as_str(),
                release.revision,
                release.status.as_str()
            ),
            ("teleport-cluster", 1, "deployed")
        );
        let balancer = cluster.load_balancer.expect("a load balancer");
        assert_eq!(balancer.source, "Service teleport-cluster");
        assert_eq!(
            balancer.addresses,
            ["k8s-teleport-0123456789abcdef.elb.us-west-2.amazonaws.com"]
        );
        assert!(
            cluster.events.iter().any(
                |event| event.reason == "FailedScheduling" && event.object == "Pod/odd-pending"
            )
        );
        assert_eq!(
            cluster
                .deployments
                .iter()
                .map(|one| (one.desired, one.available))
                .collect::<Vec<_>>(),
            [(2, 2), (2, 2)]
        );
        let on_lost: Vec<_> = cluster
            .pods
            .iter()
            .filter(|pod| pod.node_ready == Some(false))
            .map(|pod| pod.name.as_str())
            .collect();
        assert_eq!(on_lost, ["odd-lost"]);
    }

    #[test]
    fn what_has_not_been_read_yet_is_a_gap_and_not_empty() {
        let mut shelf = Shelf::default();
        shelf.have(ClusterKind::Pods);
        shelf.have(ClusterKind::Deployments);
        let cluster = shelf.cluster("dr");
        assert!(cluster.gap(ClusterKind::Deployments).is_none());
        let gap = cluster.gap(ClusterKind::Services).expect("a gap");
        assert!(gap.detail.contains("not been read yet"), "{gap}");
    }

    #[test]
    fn the_same_news_changes_nothing_and_keeps_the_pods() {
        let mut shelf = recorded();
        let before = shelf.cluster("dr");
        assert!(!shelf.pods(all(fixture!("pods"))));
        assert!(!shelf.nodes(all(fixture!("nodes"))));
        let after = shelf.cluster("dr");
        assert!(
            before
                .pods
                .iter()
                .zip(&after.pods)
                .all(|(a, b)| Arc::ptr_eq(a, b))
        );
    }

    #[test]
    fn a_recorded_watch_is_followed() {
        let mut shelf = recorded();
        for line in include_str!("../../../../tests/fixtures/kube/watch.jsonl").lines() {
            #[derive(Deserialize)]
            struct Line {
                r#type: String,
                object: PlainPod,
            }
            let line: Line = serde_json::from_str(line).expect("a line");
            let change = match line.r#type.as_str() {
                "DELETED" => Change::Gone(line.object),
                "BOOKMARK" => Change::Bookmark,
                _ => Change::Put(line.object),
            };
            shelf.pods(News::One(change));
        }
        let names: Vec<_> = shelf
            .cluster("dr")
            .pods
            .iter()
            .map(|pod| pod.name.clone())
            .collect();
        assert!(
            !names.iter().any(|name| name == "odd-terminating"),
            "{names:?}"
        );
        assert_eq!(names.len(), 12);
    }

    #[test]
    fn what_is_forbidden_is_a_gap_and_the_pods_stay() {
        let mut shelf = recorded();
        let forbidden =
            |kind: ClusterKind| Failure::new(FailureKind::Forbidden, kind.word().to_owned());
        for kind in [
            ClusterKind::Nodes,
            ClusterKind::Events,
            ClusterKind::Secrets,
        ] {
            assert!(shelf.lack(kind, forbidden(kind)));
            assert!(!shelf.lack(kind, forbidden(kind)), "said once");
        }
        let cluster = shelf.cluster("dr");
        assert_eq!(
            (cluster.pods.len(), cluster.gaps.len(), cluster.events.len()),
            (13, 3, 0)
        );
        assert!(cluster.pods.iter().all(|pod| pod.node_ready.is_none()));
        assert_eq!(
            cluster.release.expect_err("forbidden").kind,
            FailureKind::Forbidden
        );
    }
}
