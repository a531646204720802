//! What ails the pods that a cluster starts, though Helm has ended well: a process that ends again and again, an image
//! that lies where nobody can fetch it.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

/// How long the kubelet waits before it starts the container again.
const BACK_OFF: Duration = Duration::from_secs(2);

/// `[pods]`: of the recovery cluster; nothing ails them unless said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ills {
    /// Auth ends by itself so many milliseconds after each of its starts.
    pub auth_ends_ms: Option<u64>,
    /// Images whose name holds this cannot be fetched.
    pub no_image_from: Option<String>,
}

impl Ills {
    /// What keeps a container of this image waiting, if it can never be fetched.
    pub(super) fn image(&self, image: &str) -> Option<Value> {
        let from = self.no_image_from.as_ref()?;
        image.contains(from).then(|| {
            json!({"waiting": {"reason": "ImagePullBackOff",
                "message": format!("Back-off pulling image {image:?}: dial tcp: i/o timeout")}})
        })
    }

    /// The container's state and how often it was started again, so long after Auth's first start; `None` where it
    /// stays up.
    pub(super) fn auth(&self, since: Duration, started: &str) -> Option<(Value, u64)> {
        let up = Duration::from_millis(self.auth_ends_ms?);
        let round = up + BACK_OFF;
        let ends = since.as_millis() / round.as_millis();
        let into = since.saturating_sub(round * u32::try_from(ends).unwrap_or(u32::MAX));
        let state = if into < up {
            json!({"running": {"startedAt": started}})
        } else {
            json!({"waiting": {"reason": "CrashLoopBackOff",
                "message": "back-off restarting failed container teleport"}})
        };
        Some((state, u64::try_from(ends).unwrap_or(u64::MAX)))
    }
}
