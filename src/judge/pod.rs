//! One pod: its health and a short text, as its line in the pane shows it.

use std::borrow::Cow;

use crate::incident::{Component, Health, Pod};

/// The judged line of a pod. A pod on a node that is not Ready is UNKNOWN, never Running: the API server repeats what it
/// heard last.
#[must_use]
pub fn judge(pod: &Pod) -> (Health, String) {
    let (health, text) = look(pod);
    (health, text.into_owned())
}

/// Its health alone: no word is copied, so that thousands of pods are judged in passing.
#[must_use]
pub fn health(pod: &Pod) -> Health {
    look(pod).0
}

fn look(pod: &Pod) -> (Health, Cow<'_, str>) {
    if pod.node_ready == Some(false) {
        let node = pod.node.as_deref().unwrap_or("its node");
        return (Health::Unknown, format!("unknown, {node} not ready").into());
    }
    if pod.deleting.is_some() {
        return (Health::Degraded, "terminating".into());
    }
    if pod.component == Component::Hook {
        return match pod.phase.as_str() {
            "Succeeded" => (Health::Ok, "hook done".into()),
            "Failed" => (Health::Down, format!("hook failed {}", pod.reason).into()),
            _ => (Health::Degraded, or(&pod.reason, "hook running")),
        };
    }
    match (pod.phase.as_str(), pod.reason.as_str()) {
        ("Running", "") if is_ready(pod) => (Health::Ok, "ready".into()),
        ("Running", "") => (Health::Degraded, "not ready".into()),
        (
            _,
            "CrashLoopBackOff"
            | "ImagePullBackOff"
            | "ErrImagePull"
            | "InvalidImageName"
            | "CreateContainerConfigError"
            | "CreateContainerError"
            | "OOMKilled"
            | "Error"
            | "Evicted",
        ) => (Health::Down, pod.reason.as_str().into()),
        (_, reason) if reason.starts_with("Init:") && !reason.contains('/') => {
            (Health::Down, reason.into())
        }
        ("Failed", _) => (Health::Down, or(&pod.reason, "failed")),
        ("Pending" | "Succeeded", "") => (Health::Degraded, pod.phase.to_lowercase().into()),
        ("Pending" | "Running" | "Succeeded", reason) => (Health::Degraded, reason.into()),
        _ => (Health::Unknown, or(&pod.reason, "unknown")),
    }
}

/// Whether a pod serves: running, every container ready, not on its way out, on a node that reports.
#[must_use]
pub fn is_ready(pod: &Pod) -> bool {
    pod.phase == "Running"
        && pod.containers > 0
        && pod.ready == pod.containers
        && pod.deleting.is_none()
        && pod.node_ready != Some(false)
}

fn or<'a>(text: &'a str, instead: &'a str) -> Cow<'a, str> {
    if text.is_empty() {
        instead.into()
    } else {
        text.into()
    }
}
