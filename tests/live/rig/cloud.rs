//! The cloud that a cluster runs in: gives Services of type `LoadBalancer` and Ingresses their address, and tells when
//! there is something behind it.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{JoinHandle, park_timeout},
    time::Duration,
};

use serde_json::{Value, json};

use super::{hand::Hand, kube::ControlPlane};

/// How often the cloud looks.
const GLANCE: Duration = Duration::from_millis(200);

/// What stands behind the load balancer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// An Auth pod is ready.
    pub auth: bool,
    /// A Proxy pod is ready.
    pub proxy: bool,
    /// The load balancer has been given its address.
    pub address: bool,
    /// `teleport.yaml` of the Auth Service: it names region, tables and bucket. Empty without a release.
    pub config: String,
}

/// A running cloud. Dropped, it stops.
pub struct Cloud {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Cloud {
    /// Gives the load balancers of a cluster this address, a host name or an IP address.
    pub fn over(plane: &ControlPlane, address: &str) -> Self {
        Self::telling(plane, address, |_| {})
    }

    /// As [`Self::over`], and tells each change of what stands behind it, from a thread of its own.
    pub fn telling(
        plane: &ControlPlane,
        address: &str,
        mut tell: impl FnMut(&Standing) + Send + 'static,
    ) -> Self {
        let field = if address.parse::<IpAddr>().is_ok() {
            "ip"
        } else {
            "hostname"
        };
        let given = json!({"status": {"loadBalancer": {"ingress": [{field: address}]}}});
        let stop = Arc::new(AtomicBool::new(false));
        let (hand, stopped) = (plane.hand.clone(), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut told = None;
            while !stopped.load(Ordering::Relaxed) {
                let standing = look(&hand, &given);
                // An API that does not answer is no news: load balancers outlive it.
                if let Some(standing) = standing
                    && told.as_ref() != Some(&standing)
                {
                    tell(&standing);
                    told = Some(standing);
                }
                park_timeout(GLANCE);
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn look(hand: &Hand, given: &Value) -> Option<Standing> {
    let mut standing = Standing::default();
    for (list, balanced) in [
        ("/api/v1/services", "Service"),
        ("/apis/networking.k8s.io/v1/ingresses", "Ingress"),
    ] {
        for one in hand.get(list).ok()?["items"].as_array()? {
            if balanced == "Service" && one["spec"]["type"] != "LoadBalancer" {
                continue;
            }
            if one["status"]["loadBalancer"]["ingress"].is_null() {
                let (base, plural) = list.rsplit_once('/')?;
                let metadata = &one["metadata"];
                let path = format!(
                    "{base}/namespaces/{}/{plural}/{}/status",
                    metadata["namespace"].as_str()?,
                    metadata["name"].as_str()?
                );
                hand.ask("PATCH", &path, Some(given)).ok()?;
            }
            standing.address = true;
        }
    }
    let chart = "?labelSelector=app.kubernetes.io/name%3Dteleport-cluster";
    let deployments = hand
        .get(&format!("/apis/apps/v1/deployments{chart}"))
        .ok()?;
    for one in deployments["items"].as_array()? {
        let ready = one["status"]["readyReplicas"].as_u64().unwrap_or(0) > 0;
        match one["metadata"]["labels"]["app.kubernetes.io/component"].as_str() {
            Some("auth") => standing.auth |= ready,
            Some("proxy") => standing.proxy |= ready,
            _ => {}
        }
    }
    let maps = hand
        .get(&format!(
            "/api/v1/configmaps{chart}%2Capp.kubernetes.io/component%3Dauth"
        ))
        .ok()?;
    maps["items"]
        .as_array()?
        .iter()
        .filter(|map| map["metadata"]["annotations"]["helm.sh/hook"].is_null())
        .find_map(|map| map["data"]["teleport.yaml"].as_str())
        .unwrap_or_default()
        .clone_into(&mut standing.config);
    Some(standing)
}
