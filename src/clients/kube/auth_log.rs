//! How the Auth pods of the release have started, by their logs. Only the head of a log is read, and of a pod whose start
//! is over nothing more.

use std::{collections::BTreeMap, time::Duration};

use super::{Kube, Query, WirePod, failure, list, query::encode, text::clean};
use crate::incident::{AuthLog, AuthStart, Component, Failure, Pod};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes read of a log: a start writes a few hundred lines, also where it is verbose.
const HEAD: u32 = 256 << 10;
/// The chart's name of the container.
const CONTAINER: &str = "teleport";

/// Reads the starts of a release's Auth pods, look after look.
#[derive(Debug, Default)]
pub struct AuthLogs {
    /// By UID and restarts: starts that are over do not change any more.
    over: BTreeMap<(String, u32), AuthStart>,
}

impl AuthLogs {
    /// What the Auth pods have said so far, the pods read for it.
    ///
    /// # Errors
    /// If the pods cannot be listed.
    pub async fn look(
        &mut self,
        kube: &Kube,
        namespace: &str,
        release: &str,
    ) -> Result<AuthLog, Failure> {
        let pods = list::<WirePod>(kube, &Query::pods(namespace, release), PATIENCE).await?;
        let pods: Vec<Pod> = pods.items.iter().map(|pod| pod.read(|_| None)).collect();
        Ok(self.of(kube, namespace, &pods).await)
    }

    /// The same of pods that were read already. A pod whose log cannot be read has a gap that says why.
    pub async fn of(&mut self, kube: &Kube, namespace: &str, pods: &[Pod]) -> AuthLog {
        let mut pods: Vec<&Pod> = pods
            .iter()
            .filter(|pod| pod.component == Component::Auth && pod.deleting.is_none())
            .collect();
        pods.sort_by(|a, b| a.name.cmp(&b.name));
        let mut log = AuthLog::default();
        let mut over = BTreeMap::new();
        for pod in pods {
            let key = (pod.uid.clone(), pod.restarts);
            let start = match self.over.remove(&key) {
                Some(start) => start,
                None => start(kube, namespace, pod).await,
            };
            if start.over() && start.gap.is_none() {
                over.insert(key, start.clone());
            }
            log.pods.push(start);
        }
        self.over = over;
        log
    }
}

/// The start of one pod: what its container says, and before it the one that ended.
async fn start(kube: &Kube, namespace: &str, pod: &Pod) -> AuthStart {
    let mut start = AuthStart {
        pod: pod.name.clone(),
        created: pod.created,
        ..AuthStart::default()
    };
    // Not running yet, and never was: there is no log.
    if pod.phase == "Pending" && pod.restarts == 0 {
        return start;
    }
    if pod.restarts > 1 {
        start.gap = Some(format!(
            "{} has restarted {} times, and only the last two logs are kept",
            pod.name, pod.restarts
        ));
    }
    let mut parts = vec![false];
    if pod.restarts > 0 {
        parts.insert(0, true);
    }
    for previous in parts {
        match head(kube, namespace, &pod.name, previous).await {
            Ok(log) => start.read(&log),
            Err(why) => start.gap = Some(why.to_string()),
        }
    }
    start
}

async fn head(kube: &Kube, namespace: &str, pod: &str, previous: bool) -> Result<String, Failure> {
    let doing = format!("read the log of pod {pod}");
    let uri = format!(
        "/api/v1/namespaces/{}/pods/{}/log?container={CONTAINER}&limitBytes={HEAD}{}",
        encode(namespace),
        encode(pod),
        if previous { "&previous=true" } else { "" }
    );
    let request = http::Request::get(uri)
        .body(Vec::new())
        .map_err(|error| failure::request(&kube.place, &doing, &::kube::Error::HttpError(error)))?;
    match tokio::time::timeout(PATIENCE, kube.client.request_text(request)).await {
        Ok(Ok(log)) => Ok(log.lines().map(|line| clean(line, 1000) + "\n").collect()),
        Ok(Err(error)) => Err(failure::request(&kube.place, &doing, &error)),
        Err(_) => Err(failure::timeout(
            &kube.place,
            &doing,
            PATIENCE.as_secs_f32(),
        )),
    }
}
