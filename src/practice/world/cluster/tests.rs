use super::*;

fn cluster() -> Cluster {
    Cluster::new(
        "uid-1",
        Timing::default(),
        "127.9.9.9",
        Moment::from_secs(1000),
    )
}

fn seed(age: Duration) -> Seed {
    Seed {
        release: "tc".into(),
        namespace: "teleport".into(),
        version: "18.2.4".into(),
        cluster_name: "teleport.example.com".into(),
        region: "us-east-1".into(),
        state_table: "state".into(),
        audit_table: "audit".into(),
        bucket: "rec".into(),
        age,
    }
}

#[test]
fn a_seeded_release_runs_at_once() {
    let mut cluster = cluster();
    assert_eq!(cluster.running(), None);
    cluster.seed_release(
        &seed(Duration::from_hours(72)),
        Moment::from_secs(1_000_000),
    );
    let running = cluster.running().expect("a load balancer");
    let wanted = Running {
        proxy_ready: true,
        auth_ready: true,
        cluster_name: "teleport.example.com".into(),
        version: "18.2.4".into(),
        region: "us-east-1".into(),
        state_table: "state".into(),
    };
    assert_eq!(running, wanted);
    assert_eq!(cluster.store.list(Resource::Pods, None).count(), 4);
}

#[test]
fn proxies_wait_for_auth_and_the_address_for_its_time() {
    let mut cluster = cluster();
    let start = Moment::from_secs(2000);
    cluster.seed_release(&seed(Duration::ZERO), start);
    let mut seen = Vec::new();
    for step in 0..120 {
        cluster.tick(start.plus(Duration::from_millis(100 * step)));
        let running = cluster
            .running()
            .map(|running| (running.auth_ready, running.proxy_ready));
        if seen.last() != Some(&running) {
            seen.push(running);
        }
    }
    assert_eq!(
        seen,
        [
            None,
            Some((false, false)),
            Some((true, false)),
            Some((true, true))
        ]
    );
}

#[test]
fn what_a_deployment_owns_goes_with_it_after_its_grace() {
    let mut cluster = cluster();
    let now = Moment::from_secs(1_000_000);
    cluster.seed_release(&seed(Duration::from_hours(1)), now);
    for name in ["tc-auth", "tc-proxy"] {
        cluster
            .delete(Resource::Deployments, "teleport", name, false, now)
            .expect("deleted");
    }
    cluster.tick(now);
    assert_eq!(
        cluster.store.list(Resource::Pods, None).count(),
        4,
        "terminating"
    );
    assert!(!cluster.running().expect("the Service is there").auth_ready);
    cluster.tick(now.plus(Duration::from_secs(3)));
    assert_eq!(cluster.store.list(Resource::Pods, None).count(), 0);
}

#[test]
fn lost_nodes_freeze_their_pods() {
    let mut cluster = cluster();
    let now = Moment::from_secs(1_000_000);
    cluster.seed_release(&seed(Duration::from_hours(1)), now);
    cluster.lose_nodes(now);
    let before: Vec<Value> = cluster.store.list(Resource::Pods, None).cloned().collect();
    cluster.tick(now.plus(Duration::from_mins(1)));
    let after: Vec<Value> = cluster.store.list(Resource::Pods, None).cloned().collect();
    assert_eq!(before, after);
    assert!(
        cluster
            .store
            .list(Resource::Nodes, None)
            .all(|node| node["status"]["conditions"][0]["status"] == "Unknown")
    );
}

#[test]
fn changes_are_told_from_a_version_on_until_they_are_forgotten() {
    let mut cluster = cluster();
    let from = cluster.store.version();
    cluster.seed_release(&seed(Duration::ZERO), Moment::from_secs(5000));
    let told: Vec<u64> = cluster
        .store
        .changes(from)
        .expect("remembered")
        .map(|change| change.version)
        .collect();
    assert_eq!(
        told,
        (from + 1..=cluster.store.version()).collect::<Vec<_>>()
    );
    cluster.store.compact();
    assert!(cluster.store.changes(from).is_none());
    assert_eq!(
        cluster
            .store
            .changes(cluster.store.version())
            .expect("now")
            .count(),
        0
    );
    assert!(cluster.store.changes(cluster.store.version() + 5).is_none());
}
