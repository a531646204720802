//! From a pod as the API server gives it to the few fields that are shown. Follows what `kubectl get pods` prints.

use serde::{Deserialize, de::IgnoredAny};

use super::{
    text::clean,
    wire::{Condition, Meta},
};
use crate::incident::{Component, Moment, Pod};

/// Longest name and reason shown: Kubernetes names have at most 253 characters.
const NAME: usize = 253;
/// Longest message kept.
const MESSAGE: usize = 300;

/// A pod on the wire.
#[derive(Debug, Deserialize)]
pub struct WirePod {
    /// `metadata`
    #[serde(default)]
    pub metadata: Meta,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    node_name: Option<String>,
    #[serde(deserialize_with = "super::wire::list")]
    containers: Vec<IgnoredAny>,
    init_containers: Vec<InitContainer>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct InitContainer {
    name: String,
    restart_policy: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    phase: String,
    reason: String,
    message: String,
    conditions: Vec<Condition>,
    container_statuses: Vec<ContainerStatus>,
    init_container_statuses: Vec<ContainerStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerStatus {
    name: String,
    ready: bool,
    started: Option<bool>,
    restart_count: u32,
    state: State,
    last_state: State,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    waiting: Option<Waiting>,
    running: Option<IgnoredAny>,
    terminated: Option<Terminated>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Waiting {
    reason: String,
    message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Terminated {
    reason: String,
    message: String,
    exit_code: i64,
    signal: i64,
}

/// A pod as it is shown, but for whether its node is Ready. Made of each pod as it comes: 10,000 of them as they are on
/// the wire would be half of the cockpit's memory.
#[derive(Debug, Deserialize)]
#[serde(from = "WirePod")]
pub struct PlainPod(pub Pod);

impl From<WirePod> for PlainPod {
    fn from(wire: WirePod) -> Self {
        Self(wire.read(|_| None))
    }
}

impl WirePod {
    /// What is shown of it. `node_ready` tells whether a node is Ready, `None` where that is not known.
    #[must_use]
    pub fn read(&self, node_ready: impl Fn(&str) -> Option<bool>) -> Pod {
        let (reason, message) = self.telling();
        let sidecars = || {
            self.spec
                .init_containers
                .iter()
                .filter(|init| init.restart_policy.as_deref() == Some("Always"))
        };
        let is_sidecar = |name: &str| sidecars().any(|sidecar| sidecar.name == name);
        let mut ready = 0_usize;
        let mut restarts = 0_u32;
        for status in &self.status.container_statuses {
            ready += usize::from(status.ready && status.state.running.is_some());
            restarts = restarts.saturating_add(status.restart_count);
        }
        for status in self
            .status
            .init_container_statuses
            .iter()
            .filter(|status| is_sidecar(&status.name))
        {
            ready += usize::from(status.ready);
            restarts = restarts.saturating_add(status.restart_count);
        }
        let node = self
            .spec
            .node_name
            .as_deref()
            .filter(|name| !name.is_empty());
        Pod {
            uid: clean(&self.metadata.uid, 64),
            name: clean(&self.metadata.name, NAME),
            component: component(&self.metadata),
            ready: u16::try_from(ready).unwrap_or(u16::MAX),
            containers: u16::try_from(self.spec.containers.len() + sidecars().count())
                .unwrap_or(u16::MAX),
            phase: match clean(&self.status.phase, 32) {
                phase if phase.is_empty() => "Unknown".to_owned(),
                phase => phase,
            },
            reason: clean(&reason, NAME),
            message: clean(&message, MESSAGE),
            restarts,
            created: self.metadata.creation_timestamp.unwrap_or_default(),
            deleting: self
                .metadata
                .deletion_timestamp
                .map(|end| asked(end, self.metadata.deletion_grace_period_seconds)),
            node: node.map(|name| clean(name, NAME)),
            node_ready: node.and_then(node_ready),
        }
    }

    /// The most telling reason and its message.
    fn telling(&self) -> (String, String) {
        if let Some(found) = self.initialising() {
            return found;
        }
        // The worst container tells: one that waits, before one that ended.
        let waiting = self.status.container_statuses.iter().find_map(|status| {
            let waiting = status.state.waiting.as_ref()?;
            Some((
                waiting.reason.clone(),
                with_last(&waiting.message, &status.last_state),
            ))
        });
        if let Some(found) = waiting.filter(|found| !found.0.is_empty()) {
            return found;
        }
        let ended = self.status.container_statuses.iter().find_map(|status| {
            let ended = status.state.terminated.as_ref()?;
            Some((end(ended), ended.message.clone()))
        });
        if let Some(found) = ended {
            return found;
        }
        if !self.status.reason.is_empty() {
            return (self.status.reason.clone(), self.status.message.clone());
        }
        self.status
            .conditions
            .iter()
            .find(|condition| condition.r#type == "PodScheduled" && condition.status == "False")
            .map(|condition| (condition.reason.clone(), condition.message.clone()))
            .unwrap_or_default()
    }

    /// `Init:…` while an init container has not done its work.
    fn initialising(&self) -> Option<(String, String)> {
        let sidecar = |name: &str| {
            self.spec
                .init_containers
                .iter()
                .any(|init| init.name == name && init.restart_policy.as_deref() == Some("Always"))
        };
        let total = self
            .spec
            .init_containers
            .len()
            .max(self.status.init_container_statuses.len());
        for (index, status) in self.status.init_container_statuses.iter().enumerate() {
            if sidecar(&status.name) && status.started == Some(true) {
                continue;
            }
            if let Some(ended) = &status.state.terminated {
                if ended.exit_code == 0 {
                    continue;
                }
                return Some((format!("Init:{}", end(ended)), ended.message.clone()));
            }
            if let Some(waiting) = &status.state.waiting
                && !waiting.reason.is_empty()
                && waiting.reason != "PodInitializing"
            {
                return Some((
                    format!("Init:{}", waiting.reason),
                    with_last(&waiting.message, &status.last_state),
                ));
            }
            return Some((
                format!("Init:{index}/{total}"),
                format!("in {}", status.name),
            ));
        }
        None
    }
}

/// Which part of the release an object is. A hook Job's pods carry the component's label too, so the owner goes first.
#[must_use]
pub fn component(metadata: &Meta) -> Component {
    if metadata.labels.job.is_some()
        || metadata
            .owner_references
            .iter()
            .any(|owner| owner.kind == "Job")
    {
        return Component::Hook;
    }
    match metadata.labels.component.as_deref() {
        Some("auth") => Component::Auth,
        Some("proxy") => Component::Proxy,
        Some("operator") => Component::Operator,
        _ => Component::Other,
    }
}

/// `deletionTimestamp` lies ahead by the grace period: since when it has been asked to go.
fn asked(end: Moment, grace: i64) -> Moment {
    end.minus(std::time::Duration::from_secs(
        u64::try_from(grace).unwrap_or(0),
    ))
}

fn end(ended: &Terminated) -> String {
    match (ended.reason.as_str(), ended.signal) {
        ("", 0) => format!("ExitCode:{}", ended.exit_code),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

/// The message of a waiting container, with how it ended the time before: `CrashLoopBackOff` alone says too little.
fn with_last(message: &str, last: &State) -> String {
    match &last.terminated {
        Some(ended) => {
            let reason = end(ended);
            let code = if ended.reason.is_empty() {
                String::new()
            } else {
                format!(" (exit code {})", ended.exit_code)
            };
            format!("last ended with {reason}{code}; {message}")
        }
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Deserialize)]
    struct Recorded {
        items: Vec<WirePod>,
    }

    /// Recorded from kube-apiserver 1.36.3.
    fn recorded() -> BTreeMap<String, Pod> {
        let list: Recorded =
            serde_json::from_str(include_str!("../../../tests/fixtures/kube/pods.json"))
                .expect("a list");
        let read = |pod: &WirePod| pod.read(|node| Some(node != "node-c"));
        list.items
            .iter()
            .map(|pod| (pod.metadata.name.clone(), read(pod)))
            .collect()
    }

    #[test]
    fn recorded_pods_read_as_kubectl_prints_them() {
        let pods = recorded();
        // name, ready, reason, part of the message
        let table = [
            ("odd-pending", "0/1", "Unschedulable", "nodes are available"),
            (
                "odd-imagepull",
                "0/1",
                "ImagePullBackOff",
                "Back-off pulling image",
            ),
            (
                "odd-crashloop",
                "0/1",
                "CrashLoopBackOff",
                "last ended with Error (exit code 1); back-off 5m0s",
            ),
            ("odd-oom", "0/1", "OOMKilled", ""),
            ("odd-init", "0/1", "Init:0/1", "in wait-auth-update"),
            ("odd-sidecar", "2/2", "", ""),
            ("odd-lost", "1/1", "", ""),
            ("odd-terminating", "1/1", "", ""),
        ];
        for (name, ready, reason, message) in table {
            let pod = &pods[name];
            assert_eq!(format!("{}/{}", pod.ready, pod.containers), ready, "{name}");
            assert_eq!(pod.reason, reason, "{name}");
            assert!(pod.message.contains(message), "{name}: {:?}", pod.message);
        }
        assert_eq!(pods["odd-crashloop"].restarts, 7);
        assert_eq!(pods["odd-sidecar"].restarts, 1);
        assert_eq!(pods["odd-lost"].node_ready, Some(false));
        assert_eq!(pods["odd-pending"].node_ready, None);
        let going = &pods["odd-terminating"];
        let asked = going.deleting.expect("terminating");
        assert!(
            asked.since(going.created).as_secs() < 60,
            "the grace period is taken off: {asked}"
        );
    }

    #[test]
    fn a_hook_jobs_pod_is_no_member_though_it_carries_the_label() {
        let pods = recorded();
        let of = |start: &str| {
            pods.iter()
                .filter(|(name, _)| name.starts_with(start))
                .map(|(_, pod)| pod.component)
                .collect::<Vec<_>>()
        };
        assert_eq!(of("teleport-cluster-auth-test"), [Component::Hook]);
        assert_eq!(of("teleport-cluster-proxy"), [Component::Proxy; 2]);
        assert_eq!(of("teleport-cluster-auth-6"), [Component::Auth; 2]);
    }

    #[test]
    fn hostile_text_is_made_harmless() {
        let pod: WirePod = serde_json::from_value(serde_json::json!({
            "metadata": {"name": "a\u{1b}]0;x\u{7}\nb", "uid": "u".repeat(500), "creationTimestamp": "yesterday"},
            "status": {"phase": "Run\u{202e}ning", "containerStatuses": [{"name": "c", "restartCount": 4_000_000_000_u32,
                "state": {"waiting": {"reason": "R\r", "message": "m".repeat(5000)}}},
                {"name": "d", "restartCount": 4_000_000_000_u32}]},
        }))
        .expect("a pod");
        let pod = pod.read(|_| None);
        assert_eq!(pod.name, "a ]0;x  b");
        assert!(pod.uid.len() < 70 && pod.message.chars().count() <= 301);
        assert_eq!((pod.phase.as_str(), pod.reason.as_str()), ("Run ning", "R"));
        assert_eq!((pod.restarts, pod.created), (u32::MAX, Moment::default()));
        assert_eq!(
            serde_json::from_str::<WirePod>("{}")
                .expect("empty")
                .read(|_| None)
                .phase,
            "Unknown"
        );
    }
}
