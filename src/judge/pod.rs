//! One pod: its health and a short text, as its line in the pane shows it.

use crate::incident::{Component, Health, Pod};

/// The judged line of a pod. A pod on a node that is not Ready is UNKNOWN, never Running: the API server repeats what it
/// heard last.
#[must_use]
pub fn judge(pod: &Pod) -> (Health, String) {
    if pod.node_ready == Some(false) {
        let node = pod.node.as_deref().unwrap_or("its node");
        return (Health::Unknown, format!("unknown, {node} not ready"));
    }
    if pod.deleting.is_some() {
        return (Health::Degraded, "terminating".to_owned());
    }
    if pod.component == Component::Hook {
        return match pod.phase.as_str() {
            "Succeeded" => (Health::Ok, "hook done".to_owned()),
            "Failed" => (Health::Down, format!("hook failed {}", pod.reason)),
            _ => (Health::Degraded, or(&pod.reason, "hook running")),
        };
    }
    match (pod.phase.as_str(), pod.reason.as_str()) {
        ("Running", "") if is_ready(pod) => (Health::Ok, "ready".to_owned()),
        ("Running", "") => (Health::Degraded, "not ready".to_owned()),
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
        ) => (Health::Down, pod.reason.clone()),
        (_, reason) if reason.starts_with("Init:") && !reason.contains('/') => {
            (Health::Down, reason.to_owned())
        }
        ("Failed", _) => (Health::Down, or(&pod.reason, "failed")),
        ("Pending" | "Running" | "Succeeded", _) => {
            (Health::Degraded, or(&pod.reason, &pod.phase.to_lowercase()))
        }
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

fn or(text: &str, instead: &str) -> String {
    if text.is_empty() {
        instead.to_owned()
    } else {
        text.to_owned()
    }
}
