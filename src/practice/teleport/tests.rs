//! Proxies as the product's own clients see them.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio_rustls::TlsAcceptor;

use crate::{
    clients::{tls::Tls, web::Web},
    incident::{Address, FailureKind, Moment, Side},
    practice::{
        teleport::{PublicAuthority, pins_for, serve},
        world::{Addresses, Scenario, Shared, World, cluster::Resource},
    },
};

/// A world with the primary's proxies served on a load balancer of its own.
struct Rig {
    world: Shared,
    web: Web,
    at: SocketAddr,
    folder: tempfile::TempDir,
    _proxies: tokio::task::JoinSet<()>,
}

impl Rig {
    fn new(scenario: &str, net: Ipv4Addr) -> Self {
        let scenario = Scenario::named(scenario).expect("a scenario");
        let addresses = Addresses::within(net, &scenario);
        let cluster = scenario.release.cluster.clone();
        let at = addresses.load_balancer(Side::Primary);
        let world = Shared::new(World::new(scenario, addresses, Moment::now()));
        let public = PublicAuthority::new().expect("an authority");
        let tls: TlsAcceptor = public.acceptor(&cluster).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, public.pem()).expect("a file");
        let mut proxies = tokio::task::JoinSet::new();
        proxies.spawn(serve(world.clone(), Side::Primary, at, tls));
        Self {
            web: Web::new(Tls::load(Some(&file)), &cluster, at.port()),
            world,
            at,
            folder,
            _proxies: proxies,
        }
    }

    /// Looks until what is seen is as wanted; the limit is for a defect.
    async fn until(&self, wanted: impl Fn(&Address) -> bool) -> Address {
        let ip: IpAddr = self.at.ip();
        let looks = async {
            loop {
                let seen = self.web.visit(ip).await;
                if wanted(&seen) {
                    return seen;
                }
                tokio::task::yield_now().await;
            }
        };
        let seen = tokio::time::timeout(Duration::from_secs(30), looks).await;
        seen.expect("what was waited for")
    }

    /// Deletes a Deployment with its pods, and lets their grace pass.
    fn stop(&self, component: &str) {
        let mut world = self.world.lock();
        let release = world.scenario.running();
        let now = Moment::now();
        let cluster = &mut world.primary.cluster;
        let name = format!("{}-{component}", release.release);
        cluster
            .delete(Resource::Deployments, &release.namespace, &name, true, now)
            .expect("a Deployment");
        for step in 1..100 {
            cluster.tick(now.plus(Duration::from_secs(step)));
        }
    }
}

fn kind<T>(part: &Result<T, crate::incident::Failure>) -> Option<FailureKind> {
    part.as_ref().err().map(|failure| failure.kind)
}

#[tokio::test]
async fn a_running_cluster_answers_and_shows_the_authorities_of_its_table() {
    let rig = Rig::new("calm", Ipv4Addr::new(127, 213, 1, 0));
    let seen = rig.until(|seen| seen.ping.is_ok()).await;
    assert_eq!(seen.tls.expect("a certificate").problem, None);
    let (running, stored) = {
        let world = rig.world.lock();
        let running = world.primary.cluster.running().expect("a cluster");
        let storage = &world.primary.storage;
        let row = storage.host_authority(&running.state_table, &running.cluster_name);
        (running, row.expect("a row"))
    };
    let ping = seen.ping.expect("ping");
    assert_eq!(
        ping.cluster_name.as_deref(),
        Some(running.cluster_name.as_str())
    );
    assert_eq!(
        ping.server_version.as_deref(),
        Some(running.version.as_str())
    );
    assert_eq!(rig.web.pins(rig.at.ip(), true).await, Ok(pins_for(&stored)));
}

#[tokio::test]
async fn without_auth_find_answers_and_ping_does_not_and_without_proxies_nobody_listens() {
    let rig = Rig::new("calm", Ipv4Addr::new(127, 213, 2, 0));
    rig.until(|seen| seen.ping.is_ok()).await;
    rig.stop("auth");
    let seen = rig.until(|seen| seen.ping.is_err()).await;
    if seen.find.is_ok() {
        assert_eq!(
            kind(&seen.ping),
            Some(FailureKind::Server),
            "{:?}",
            seen.ping
        );
        let pins = rig.web.pins(rig.at.ip(), true).await;
        assert_eq!(kind(&pins), Some(FailureKind::Server), "{pins:?}");
    }
    rig.stop("proxy");
    let seen = rig.until(|seen| seen.tcp.is_err()).await;
    assert_eq!(
        kind(&seen.tcp),
        Some(FailureKind::Unreachable),
        "{:?}",
        seen.tcp
    );
}

#[tokio::test]
async fn a_half_alive_region_hangs_or_resets() {
    let rig = Rig::new("half-alive", Ipv4Addr::new(127, 213, 3, 0));
    let seen = rig.until(|seen| seen.tcp.is_ok()).await;
    let kind = kind(&seen.tls);
    assert!(
        matches!(kind, Some(FailureKind::Timeout | FailureKind::Unreachable)),
        "{:?}",
        seen.tls
    );
}

#[tokio::test]
async fn a_host_that_is_not_the_clusters_is_sent_to_the_launcher() {
    let rig = Rig::new("calm", Ipv4Addr::new(127, 213, 4, 0));
    rig.until(|seen| seen.ping.is_ok()).await;
    let file = rig.folder.path().join("ca.pem");
    let cluster = rig.world.lock().scenario.release.cluster.clone();
    let web = Web::new(
        Tls::load(Some(&file)),
        &format!("grafana.{cluster}"),
        rig.at.port(),
    );
    let seen = web.visit(rig.at.ip()).await;
    assert_eq!(seen.tls.expect("a wildcard certificate").problem, None);
    let failure = seen.ping.expect_err("a redirect");
    assert!(failure.detail.contains("redirected (302)"), "{failure}");
    assert!(failure.detail.contains("/web/launch"), "{failure}");
    let name = format!("abcdefghijkl.{cluster}");
    let seen = rig.web.wildcard(rig.at.ip(), &name).await;
    let seen = seen.expect("a certificate");
    assert_eq!((seen.tls.problem, seen.answer), (None, Ok(302)));
}

#[test]
fn the_same_seed_gives_the_same_pins_and_another_gives_others() {
    assert_eq!(pins_for("a"), pins_for("a"));
    assert_ne!(pins_for("a"), pins_for("b"));
    let pins = pins_for("a");
    assert!(
        pins[0].starts_with("sha256:") && pins[0].len() == 71,
        "{pins:?}"
    );
}
