use std::{path::Path, sync::Arc, time::Duration};

use super::*;
use crate::{
    incident::{
        Failure, FailureKind, Gap, Instruments, LoadBalancer, Memo, Moment, Observation, Outcome,
        Pod, Release, Side::Primary,
    },
    plan::Plan,
};

/// UID of the planned cluster.
const RIGHT: &str = "0a8e9b4e-1f2d-4c3b-8a79-112233445566";

const NOW: Moment = Moment::from_secs(100_000);

fn plan(uid: bool) -> Plan {
    let kube = |name: &str| {
        let uid = if uid && name == "primary" {
            format!("uid = \"{RIGHT}\"\n")
        } else {
            String::new()
        };
        format!("[{name}]\nregion = \"eu-{name}-1\"\n[{name}.kube]\ncontext = \"{name}\"\n{uid}")
    };
    let text = format!(
        "[cluster]\nname = \"t.example.com\"\n{}{}",
        kube("primary"),
        kube("recovery")
    );
    Plan::parse(Path::new("/p/relight.toml"), &text).expect("a plan")
}

fn pod(component: Component, name: &str) -> Pod {
    Pod {
        uid: name.into(),
        name: name.into(),
        component,
        ready: 1,
        containers: 1,
        phase: "Running".into(),
        reason: String::new(),
        message: String::new(),
        restarts: 0,
        created: Moment::from_secs(1),
        deleting: None,
        node: Some("n".into()),
        node_ready: Some(true),
    }
}

fn deployment(component: Component) -> Deployment {
    Deployment {
        name: format!("tc-{component:?}"),
        component,
        desired: 1,
        available: 1,
        updated: 1,
        observed: true,
        restarted: None,
    }
}

fn healthy() -> Cluster {
    Cluster {
        context: "primary".into(),
        uid: Some(RIGHT.into()),
        pods: vec![
            Arc::new(pod(Component::Auth, "a")),
            Arc::new(pod(Component::Proxy, "p")),
        ],
        deployments: vec![deployment(Component::Auth), deployment(Component::Proxy)],
        load_balancer: Some(LoadBalancer {
            source: "Service tc".into(),
            addresses: vec!["lb.example".into()],
        }),
        events: Vec::new(),
        release: Ok(Some(Release {
            name: "tc".into(),
            revision: 1,
            status: "deployed".into(),
            deployed: None,
        })),
        gaps: Vec::new(),
        memo: Memo::default(),
    }
}

fn empty() -> Cluster {
    Cluster {
        pods: Vec::new(),
        deployments: Vec::new(),
        load_balancer: None,
        release: Ok(None),
        ..healthy()
    }
}

fn changed(edit: impl FnOnce(&mut Cluster)) -> Cluster {
    let mut cluster = healthy();
    edit(&mut cluster);
    cluster
}

fn first(edit: impl FnOnce(&mut Pod)) -> Cluster {
    changed(|cluster| edit(Arc::make_mut(&mut cluster.pods[0])))
}

/// Judges after these outcomes were seen, the last one `age` ago.
fn with<T>(
    plan: &Plan,
    seen: Vec<Result<Cluster, Failure>>,
    age: u64,
    judge: impl Fn(&Sight<'_>) -> T,
) -> T {
    let mut instruments = Instruments::default();
    for (back, outcome) in (0..seen.len() as u64).rev().zip(seen) {
        instruments.take(Observation {
            subject: Subject::Cluster(Primary),
            at: NOW.minus(Duration::from_secs(age + back)),
            took: Duration::ZERO,
            outcome: outcome.map(|cluster| Fact::Cluster(Arc::new(cluster))),
        });
    }
    judge(&Sight {
        instruments: &instruments,
        plan,
        now: NOW,
        since: None,
        outage: None,
    })
}

fn forbidden() -> Failure {
    Failure::new(FailureKind::Forbidden, "list secrets")
}

/// A cluster in which that kind may not be read, so that nothing of it is there.
fn blind(kind: ClusterKind, cluster: Cluster) -> Cluster {
    let gaps = vec![Gap {
        kind,
        why: Failure::new(FailureKind::Forbidden, "may not list it"),
    }];
    let mut cluster = Cluster { gaps, ..cluster };
    match kind {
        ClusterKind::Deployments => cluster.deployments.clear(),
        ClusterKind::Services | ClusterKind::Ingresses => cluster.load_balancer = None,
        ClusterKind::Nodes => {
            for pod in &mut cluster.pods {
                Arc::make_mut(pod).node_ready = None;
            }
        }
        _ => {}
    }
    cluster
}

type Judge = fn(Side, &Sight<'_>) -> Finding;

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn findings() {
    use Outcome::{Fail, Pass, Unknown};
    let other = || changed(|cluster| cluster.uid = Some("other".into()));
    let table: Vec<(Judge, Cluster, Outcome, &str)> = vec![
        (context, healthy(), Pass, RIGHT),
        (context, other(), Fail, "another cluster"),
        (
            context,
            changed(|cluster| cluster.uid = None),
            Unknown,
            "kube-system",
        ),
        (ready, healthy(), Pass, "available as desired"),
        (ready, other(), Unknown, "another cluster"),
        (ready, empty(), Fail, "no Auth Deployment"),
        (
            ready,
            changed(|cluster| drop(cluster.deployments.pop())),
            Fail,
            "no Proxy Deployment",
        ),
        (
            ready,
            changed(|cluster| cluster.deployments[1].available = 0),
            Fail,
            "0 of 1",
        ),
        (
            ready,
            changed(|cluster| cluster.deployments[1].updated = 0),
            Fail,
            "0 up to date",
        ),
        (
            ready,
            changed(|cluster| cluster.deployments[0].observed = false),
            Fail,
            "not been taken up",
        ),
        (
            ready,
            changed(|cluster| {
                cluster.deployments[0] = Deployment {
                    desired: 0,
                    available: 0,
                    updated: 0,
                    ..deployment(Component::Auth)
                }
            }),
            Fail,
            "0 of 0",
        ),
        (
            ready,
            first(|pod| pod.reason = "CrashLoopBackOff".into()),
            Fail,
            "CrashLoopBackOff",
        ),
        (
            ready,
            first(|pod| pod.node_ready = Some(false)),
            Unknown,
            "hearsay",
        ),
        (
            ready,
            blind(ClusterKind::Deployments, healthy()),
            Unknown,
            "forbidden",
        ),
        // Each pod stays what it says of itself; the sentence tells what is not seen.
        (
            ready,
            blind(ClusterKind::Nodes, healthy()),
            Pass,
            "nodes report is not visible (forbidden)",
        ),
        (
            gone,
            blind(ClusterKind::Deployments, empty()),
            Unknown,
            "will start new ones cannot be read",
        ),
        (
            gone,
            blind(ClusterKind::Nodes, empty()),
            Pass,
            "no pod and no release",
        ),
        (
            load_balancer_known,
            blind(ClusterKind::Services, healthy()),
            Unknown,
            "forbidden",
        ),
        (
            load_balancer_known,
            blind(ClusterKind::Ingresses, empty()),
            Unknown,
            "not everything could be read",
        ),
        (load_balancer_known, empty(), Fail, "neither a Service"),
        (gone, empty(), Pass, "no pod and no release"),
        (gone, healthy(), Fail, "2 pods are"),
        (
            gone,
            changed(|cluster| cluster.pods.clear()),
            Fail,
            "Deployments are left",
        ),
        (
            gone,
            Cluster {
                release: healthy().release,
                ..empty()
            },
            Fail,
            "still recorded as deployed",
        ),
        (
            gone,
            Cluster {
                release: Err(forbidden()),
                ..empty()
            },
            Unknown,
            "cannot be read",
        ),
        (
            gone,
            Cluster {
                uid: Some("other".into()),
                ..empty()
            },
            Unknown,
            "another cluster",
        ),
        (
            gone,
            Cluster {
                pods: vec![Arc::new(pod(Component::Hook, "h"))],
                ..empty()
            },
            Pass,
            "no pod",
        ),
        (release_absent, empty(), Pass, "yet"),
        (release_absent, healthy(), Fail, "uninstall it there"),
        (
            release_absent,
            Cluster {
                release: Err(forbidden()),
                ..empty()
            },
            Unknown,
            "forbidden",
        ),
        (release_deployed, healthy(), Pass, "revision 1"),
        (release_deployed, empty(), Fail, "there is no release"),
        (
            release_deployed,
            changed(|cluster| {
                cluster.release = Ok(Some(Release {
                    name: "tc".into(),
                    revision: 1,
                    status: "failed".into(),
                    deployed: None,
                }));
            }),
            Fail,
            "is failed",
        ),
        (
            release_pending,
            left("pending-install", None),
            Pass,
            "pending-install",
        ),
        (release_pending, healthy(), Fail, "nothing to free"),
        (release_pending, empty(), Fail, "there is no release"),
        (
            release_free,
            left("pending-upgrade", Some(3)),
            Fail,
            "back to revision 3",
        ),
        (
            release_free,
            left("pending-install", None),
            Fail,
            "forgets that revision",
        ),
        (release_free, healthy(), Pass, "deployed"),
        (release_free, empty(), Pass, "none that is pending"),
        (
            release_installable,
            left("pending-rollback", Some(3)),
            Fail,
            "Free a pending release",
        ),
        (
            release_installable,
            left("failed", None),
            Fail,
            "uninstall it there first",
        ),
        (load_balancer_known, healthy(), Pass, "lb.example"),
        (load_balancer_known, empty(), Fail, "neither"),
        (
            load_balancer_known,
            changed(|cluster| {
                cluster
                    .load_balancer
                    .iter_mut()
                    .for_each(|one| one.addresses.clear());
            }),
            Fail,
            "no address yet",
        ),
    ];
    let plan = plan(true);
    for (judge, cluster, outcome, words) in table {
        let finding = with(&plan, vec![Ok(cluster)], 1, |sight| judge(Primary, sight));
        assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
        assert!(
            finding.sentence.contains(words),
            "{words}: {}",
            finding.sentence
        );
        assert_eq!(finding.evidence.is_empty(), outcome == Unknown);
    }
}

/// A cluster whose newest revision, the fourth, was left in a status.
fn left(status: &str, deployed: Option<u32>) -> Cluster {
    changed(|cluster| {
        cluster.release = Ok(Some(Release {
            name: "tc".into(),
            revision: 4,
            status: status.into(),
            deployed,
        }));
    })
}

#[test]
fn the_newest_revision_knows_the_last_that_was_deployed() {
    let one = |revision, status: &str| Release {
        name: "tc".into(),
        revision,
        status: status.into(),
        deployed: None,
    };
    let newest = Release::newest([
        one(2, "superseded"),
        one(4, "pending-upgrade"),
        one(3, "deployed"),
    ]);
    let newest = newest.expect("one");
    assert_eq!((newest.revision, newest.deployed), (4, Some(3)));
    let first = Release::newest([one(1, "pending-install")]).expect("one");
    assert!(first.is_pending() && first.deployed.is_none());
    assert_eq!(Release::newest([]), None);
}

#[test]
fn nothing_passes_or_fails_on_a_reading_that_is_missing_failed_or_stale() {
    let plan = plan(true);
    let silent = || Err(Failure::new(FailureKind::Timeout, "no answer in 5s"));
    let all: [Judge; 9] = [
        context,
        ready,
        gone,
        release_absent,
        release_installable,
        release_pending,
        release_free,
        release_deployed,
        load_balancer_known,
    ];
    for judge in all {
        for (seen, age) in [
            (vec![], 1),
            (vec![silent()], 1),
            (vec![Ok(empty()), silent()], 1),
            (vec![Ok(empty())], 600),
        ] {
            let finding = with(&plan, seen, age, |sight| judge(Primary, sight));
            assert_eq!(finding.outcome, Outcome::Unknown, "{}", finding.sentence);
        }
    }
    let unpinned = super::tests::plan(false);
    let finding = with(&unpinned, vec![Ok(healthy())], 1, |sight| {
        context(Primary, sight)
    });
    assert!(
        finding.outcome == Outcome::Unknown
            && finding.sentence.contains(&format!("uid = \"{RIGHT}\"")),
        "{}",
        finding.sentence
    );
}

#[test]
fn the_title_says_the_worst_first() {
    let plan = plan(true);
    let table = [
        (healthy(), Health::Ok, "primary 2/2 ready"),
        (
            first(|pod| {
                pod.ready = 0;
                pod.reason = "CrashLoopBackOff".into();
            }),
            Health::Down,
            "primary CrashLoopBackOff · ",
        ),
        (
            first(|pod| pod.node_ready = Some(false)),
            Health::Unknown,
            "primary unknown, n not ready · 1/2 ready",
        ),
        (
            first(|pod| {
                pod.phase = "Pending".into();
                pod.ready = 0;
                pod.reason = "Unschedulable".into();
            }),
            Health::Down,
            "primary Unschedulable · 1/2 ready",
        ),
        (empty(), Health::Unknown, "primary nothing installed"),
        (
            changed(|cluster| cluster.pods.clear()),
            Health::Down,
            "primary no pods of 2",
        ),
        (
            changed(|cluster| cluster.uid = Some("other".into())),
            Health::Down,
            "primary ANOTHER CLUSTER",
        ),
        (
            changed(|cluster| cluster.deployments[0].desired = 2),
            Health::Degraded,
            "primary 2/2 ready",
        ),
    ];
    for (cluster, health, words) in table {
        let judged = with(&plan, vec![Ok(cluster)], 1, |sight| assess(Primary, sight));
        assert_eq!(judged.health, health, "{}", judged.sentence);
        assert!(
            judged.sentence.starts_with(words),
            "{words}: {}",
            judged.sentence
        );
    }
    let silent = || Err(Failure::new(FailureKind::Timeout, "x"));
    let judged = with(
        &plan,
        vec![Ok(healthy()), silent(), silent()],
        720,
        |sight| assess(Primary, sight),
    );
    assert_eq!(
        (judged.health, judged.sentence.as_str()),
        (Health::Unknown, "primary no answer 12m")
    );
    let judged = with(&plan, vec![Ok(healthy())], 600, |sight| {
        assess(Primary, sight)
    });
    assert_eq!(judged.sentence, "primary not read for 10m, was 2/2 ready");
}
