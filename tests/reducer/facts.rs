//! Readings by name.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

use relight::incident::{
    Address, Agents, Answer, AuthLog, AuthStart, Barrier, Billing, BlackBox, Bots, Certificate,
    Cluster, Component, Deployment, Door, DoorFact, Fact, Failure, FailureKind, Find, Freeze,
    HeldLock, HostAuthorities, HostAuthority, Identity, LoadBalancer, Made, Mark, Memo, Moment,
    Observation, Ownership, Ping, Pitr, Pod, Prerequisites, Rcode, Reconciler, ReconcilerKind,
    Reconcilers, Recordings, RecoveryPoint, Release, Rights, RoleLock, STEADY, Session, Settings,
    Side, StoredObject, Subject, Table, TableRole, Tls, Values, Vault, Wildcard, Zone,
    agents::{AgentKind, Before, Headcount},
    barrier::{Balancer, Listener},
    bots::{Bot, BotLock},
    made::{Standing, Thing, What},
    recordings::ReadBack,
    rights::{Action, Denial, Grant, GrantedBy, RoleRights, Simulated, Trust},
    tls::Way,
};

pub const NAMES: &[&str] = &[
    "accounts",
    "wrong account",
    "identity silent",
    "recovery storage",
    "copies only",
    "bare tables",
    "wrong table",
    "old cluster",
    "old cluster gone",
    "primary silent",
    "old door shut",
    "old door back",
    "stranger at the old door",
    "session elsewhere",
    "session inside",
    "nothing reconciles",
    "flux acts",
    "flux paused",
    "reconcilers forbidden",
    "barrier open",
    "barrier shut",
    "auth silent",
    "auth answers",
    "freeze held",
    "freeze lost in recovery",
    "freeze held in recovery",
    "old door silent",
    "empty recovery",
    "values",
    "rights",
    "rights denied",
    "iam silent",
    "certificate",
    "no certificate",
    "black box",
    "prerequisites",
    "auth log clean",
    "recovery pods looping",
    "recovery pods ready",
    "new door",
    "new door, two looks",
    "new door without Auth",
    "new door without wildcard",
    "new door with new authorities",
    "names unowned",
    "names owned",
    "zone silent",
    "dns old",
    "dns apex only",
    "dns half switched",
    "dns new",
    "public new",
    "agents back",
    "agents coming",
    "agents uncounted",
    "nothing relaunched",
    "bots locked",
    "bots unlocked",
    "service",
    "audit stands still",
    "wrong recovery cluster",
    "drill there",
    "drill gone",
];

const PIN: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const STRANGE: &str = "sha256:9999999999999999999999999999999999999999999999999999999999999999";
const OLD: &str = "192.0.2.10";
const NEW: &str = "198.51.100.20";

/// The observations of that name, made now.
pub fn named(name: &str, now: Moment) -> Vec<Observation> {
    let seen: Vec<(Subject, Result<Fact, Failure>)> = match name {
        "new door, two looks" => return new_door(now, |address| address.steady.truncate(2)),
        "new door without Auth" => {
            return new_door(now, |address| {
                address.ping = Err(Failure::new(FailureKind::Server, "HTTP 504, no auth"));
                address.steady.clear();
            });
        }
        "new door without wildcard" => {
            return new_door(now, |address| {
                if let Ok(wildcard) = &mut address.wildcard {
                    wildcard.tls.problem =
                        Some("not valid for a name under the cluster's".to_owned());
                }
            });
        }
        "accounts" => Side::BOTH.map(|side| identity(side, "111122223333")).into(),
        "wrong account" => vec![identity(Side::Recovery, "999999999999")],
        "identity silent" => vec![(Subject::Identity(Side::Recovery), silent())],
        "recovery storage" => storage(now, true, true),
        "bare tables" => storage(now, true, false),
        "wrong table" => storage(now, false, true),
        "copies only" => copies(now),
        "old cluster" => vec![cluster(Side::Primary, now, true, "")],
        "old cluster gone" => vec![empty(Side::Primary)],
        "primary silent" => vec![(Subject::Cluster(Side::Primary), silent())],
        "old door shut" => vec![door(Door::Old, OLD, &Err(refused()), PIN, now)],
        "old door back" => vec![door(Door::Old, OLD, &Ok(()), PIN, now)],
        "stranger at the old door" => vec![door(Door::Old, OLD, &Ok(()), STRANGE, now)],
        "session elsewhere" => vec![session(&[])],
        "session inside" => vec![session(&["this shell is a session of it"])],
        "nothing reconciles" => vec![reconcilers(None, Vec::new())],
        "flux acts" => vec![reconcilers(Some(true), Vec::new())],
        "flux paused" => vec![reconcilers(Some(false), Vec::new())],
        "reconcilers forbidden" => {
            let why = Failure::new(FailureKind::Forbidden, "list helmreleases (403)");
            vec![reconcilers(None, vec![why])]
        }
        "barrier open" => vec![barrier(&[443])],
        "barrier shut" => vec![barrier(&[])],
        "auth silent" => Side::BOTH
            .map(|side| (Subject::Freeze(side), silent()))
            .into(),
        "auth answers" => vec![freeze(Side::Primary, &[], &[])],
        "freeze held" => vec![freeze(Side::Primary, &["a"], &["a"])],
        "freeze lost in recovery" => vec![
            (Subject::Freeze(Side::Primary), silent()),
            freeze(Side::Recovery, &["a"], &[]),
        ],
        "freeze held in recovery" => vec![
            (Subject::Freeze(Side::Primary), silent()),
            freeze(Side::Recovery, &["a", "b"], &["b"]),
        ],
        "old door silent" => vec![(Subject::Door(Door::Old), silent())],
        "empty recovery" => vec![empty(Side::Recovery)],
        "wrong recovery cluster" => vec![stranger()],
        "black box" => vec![(Subject::BlackBox, Ok(Fact::BlackBox(black_box())))],
        "prerequisites" => vec![(
            Subject::Prerequisites,
            Ok(Fact::Prerequisites(prerequisites())),
        )],
        "values" => vec![(Subject::Values, Ok(Fact::Values(values())))],
        "rights" => vec![rights(Ok(0))],
        "rights denied" => vec![rights(Ok(3))],
        "iam silent" => vec![rights(Err(silent_iam()))],
        "certificate" => vec![tls(true, now)],
        "no certificate" => vec![tls(false, now)],
        "auth log clean" => vec![auth_log(now)],
        "recovery pods looping" => vec![cluster(Side::Recovery, now, false, "CrashLoopBackOff")],
        "recovery pods ready" => vec![cluster(Side::Recovery, now, true, "")],
        "new door" => vec![door(Door::New, NEW, &Ok(()), PIN, now)],
        "new door with new authorities" => vec![door(Door::New, NEW, &Ok(()), STRANGE, now)],
        "public new" => vec![door(Door::Public, NEW, &Ok(()), PIN, now)],
        other => relaunched(other, now),
    };
    let observe = |(subject, outcome)| Observation {
        subject,
        at: now,
        took: Duration::from_millis(9),
        outcome,
    };
    seen.into_iter().map(observe).collect()
}

/// What is seen of the cluster once it runs again.
fn relaunched(name: &str, now: Moment) -> Vec<(Subject, Result<Fact, Failure>)> {
    match name {
        "agents back" => vec![agents(6, Some(6), now)],
        "agents coming" => vec![agents(2, Some(6), now)],
        "agents uncounted" => vec![agents(6, None, now)],
        "nothing relaunched" => {
            let why = "context west has no Auth pod of release teleport-cluster";
            vec![(
                Subject::Agents,
                Err(Failure::new(FailureKind::NotFound, why)),
            )]
        }
        "drill there" => vec![drill(Standing::Ours, now)],
        "drill gone" => vec![drill(Standing::Gone, now)],
        "bots locked" => vec![bots(&["a-b"], now)],
        "bots unlocked" => vec![bots(&[], now)],
        "service" => service(now, now),
        "audit stands still" => service(now, now.minus(Duration::from_hours(1))),
        other => of_names(other),
    }
}

/// A box as this version wrote it first: later ones must still read it.
fn black_box() -> Arc<BlackBox> {
    let text = include_str!("../fixtures/black-box/seen-1.json");
    Arc::new(serde_json::from_str(text).expect("a black box"))
}

fn prerequisites() -> Arc<Prerequisites> {
    let text = include_str!("../fixtures/black-box/prerequisites-1.json");
    Arc::new(serde_json::from_str(text).expect("prerequisites"))
}

fn session(through: &[&str]) -> (Subject, Result<Fact, Failure>) {
    let session = Session {
        through: through.iter().map(ToString::to_string).collect(),
        doubts: Vec::new(),
        looked: vec!["environment".to_owned()],
    };
    (Subject::Session, Ok(Fact::Session(session)))
}

/// A Flux `HelmRelease` that acts or is paused, or none.
fn reconcilers(flux: Option<bool>, gaps: Vec<Failure>) -> (Subject, Result<Fact, Failure>) {
    let release = |acts: bool| Reconciler {
        kind: ReconcilerKind::FluxHelmRelease,
        api: "/apis/helm.toolkit.fluxcd.io/v2".to_owned(),
        plural: "helmreleases".to_owned(),
        namespace: "flux-system".to_owned(),
        name: "teleport".to_owned(),
        why: "installs release teleport-cluster again".to_owned(),
        acts: acts.then(|| "null".to_owned()),
        before: None,
        owner: None,
        dns: None,
    };
    let seen = Reconcilers {
        context: "east".to_owned(),
        uid: Some(uid(Side::Primary)),
        found: flux.map(release).into_iter().collect(),
        absent: vec!["Argo CD".to_owned()],
        gaps,
        hostnames: None,
    };
    let fact = Fact::Reconcilers(Arc::new(seen));
    (Subject::Reconcilers(Side::Primary), Ok(fact))
}

/// What is seen of the names.
fn of_names(name: &str) -> Vec<(Subject, Result<Fact, Failure>)> {
    match name {
        "names unowned" => owned_by(None),
        "names owned" => owned_by(Some("east")),
        "zone silent" => vec![(Subject::Zone, silent())],
        "dns old" => answers([OLD, OLD]),
        "dns apex only" => {
            let mut seen = answers([NEW, NEW]);
            let wildcard = answers([OLD, OLD]).into_iter();
            seen.extend(wildcard.filter(|(subject, _)| subject.to_string().contains("*.")));
            seen
        }
        "dns half switched" => answers([NEW, OLD]),
        "dns new" => answers([NEW, NEW]),
        other => unreachable!("no such reading: {other}"),
    }
}

/// What external-dns has written down of the names in the zone, and a recovery cluster without one.
fn owned_by(owner: Option<&str>) -> Vec<(Subject, Result<Fact, Failure>)> {
    let names = ["teleport.example.com", "*.teleport.example.com"];
    let owners = names.iter().filter_map(|name| {
        owner.map(|owner| Ownership {
            name: (*name).to_owned(),
            record: format!("cname-{name}"),
            owner: owner.to_owned(),
            resource: None,
        })
    });
    let zone = Zone {
        id: "Z0123456789ABCDEFGHIJ".to_owned(),
        name: "example.com".to_owned(),
        owners: Some(Ok(owners.collect())),
        ..Zone::default()
    };
    let seen = Reconcilers {
        context: "west".to_owned(),
        uid: Some(uid(Side::Recovery)),
        ..Reconcilers::default()
    };
    vec![
        (Subject::Zone, Ok(Fact::Zone(zone.into()))),
        (
            Subject::Reconcilers(Side::Recovery),
            Ok(Fact::Reconcilers(Arc::new(seen))),
        ),
    ]
}

/// The old load balancer at AWS, listening on these ports.
fn barrier(ports: &[u16]) -> (Subject, Result<Fact, Failure>) {
    let listeners = ports.iter().map(|port| Listener {
        port: *port,
        ..Listener::default()
    });
    let barrier = Barrier {
        region: "us-east-1".to_owned(),
        balancers: vec![Balancer {
            name: "old".to_owned(),
            listeners: listeners.collect(),
            ..Balancer::default()
        }],
        ..Barrier::default()
    };
    (Subject::Barrier, Ok(Fact::Barrier(Arc::new(barrier))))
}

/// Locks that this incident remembers, and those that an Auth Service has.
fn freeze(side: Side, held: &[&str], there: &[&str]) -> (Subject, Result<Fact, Failure>) {
    let held = held.iter().map(|id| HeldLock {
        id: (*id).to_owned(),
        role: "editor".to_owned(),
        context: "east".to_owned(),
    });
    let locks = there.iter().map(|id| RoleLock {
        id: (*id).to_owned(),
        role: "editor".to_owned(),
        message: String::new(),
        expires: None,
    });
    let seen = Freeze {
        context: side.word().to_owned(),
        uid: Some(uid(side)),
        held: held.collect(),
        locks: locks.collect(),
        ..Freeze::default()
    };
    (Subject::Freeze(side), Ok(Fact::Freeze(Arc::new(seen))))
}

fn silent() -> Result<Fact, Failure> {
    Err(Failure::new(FailureKind::Timeout, "no answer in 3s"))
}

fn refused() -> Failure {
    Failure::new(FailureKind::Unreachable, "connection refused")
}

fn identity(side: Side, account: &str) -> (Subject, Result<Fact, Failure>) {
    let arn = format!("arn:aws:sts::{account}:assumed-role/dr-operator/alice");
    let region = if side == Side::Primary {
        "us-east-1"
    } else {
        "us-west-2"
    }
    .to_owned();
    let identity = Identity {
        arn,
        account: account.to_owned(),
        region,
        expires: None,
    };
    (Subject::Identity(side), Ok(Fact::Identity(identity)))
}

/// No table yet, and a copy of each in the vault.
fn copies(now: Moment) -> Vec<(Subject, Result<Fact, Failure>)> {
    let mut seen = storage(now, true, true);
    for (subject, outcome) in &mut seen {
        if matches!(subject, Subject::Table(..)) {
            let why = format!("DynamoDB DescribeTable of {subject} found nothing");
            *outcome = Err(Failure::new(FailureKind::NotFound, why));
        }
        if let Ok(Fact::Vault(vault)) = outcome {
            let point = RecoveryPoint {
                arn: format!(
                    "arn:aws:backup:us-west-2:111122223333:recovery-point:{}",
                    vault.role
                ),
                resource: String::new(),
                status: "COMPLETED".to_owned(),
                created: now.minus(Duration::from_mins(6)),
                completed: None,
                cold_at: None,
                delete_at: None,
                restored: None,
                bytes: None,
            };
            Arc::make_mut(vault).points.push(point);
        }
    }
    seen
}

fn storage(now: Moment, right: bool, repaired: bool) -> Vec<(Subject, Result<Fact, Failure>)> {
    let recent = now.minus(Duration::from_mins(2));
    let mut seen = Vec::new();
    for role in TableRole::BOTH {
        let name = if role == TableRole::State {
            "teleport-state-dr"
        } else {
            "teleport-events-dr"
        };
        let table = Table {
            name: name.to_owned(),
            role,
            region: "us-west-2".to_owned(),
            status: "ACTIVE".to_owned(),
            restoring: false,
            created: Some(now.minus(Duration::from_hours(1))),
            replicas: Vec::new(),
            indexes: vec!["timesearchV2".to_owned()],
            pitr: Ok(Pitr {
                enabled: true,
                earliest: None,
                latest: None,
            }),
            backups: Ok(Vec::new()),
            newest: Ok(Some(recent)),
            newest_at: Some(now),
            authority: Ok(HostAuthorities {
                at: now,
                own: right.then(|| HostAuthority {
                    revision: Some("r1".to_owned()),
                    ..HostAuthority::default()
                }),
                others: vec!["other.example.com".to_owned()],
            }),
            settings: Ok(Settings {
                arn: format!("arn:aws:dynamodb:us-west-2:111122223333:table/{name}"),
                ttl: Ok(repaired.then(|| "Expires".to_owned())),
                stream: Some("NEW_IMAGE".to_owned()),
                billing: Billing::OnDemand,
                protected: false,
                tags: Ok(BTreeMap::new()),
                indexes: BTreeMap::from([("timesearchV2".to_owned(), "ACTIVE".to_owned())]),
                key: None,
            }),
        };
        seen.push((
            Subject::Table(Side::Recovery, role),
            Ok(Fact::Table(Arc::new(table))),
        ));
        let vault = Vault {
            vault: "teleport-dr".to_owned(),
            region: "us-west-2".to_owned(),
            role,
            points: Vec::new(),
            more: false,
            schedules: Ok(Vec::new()),
        };
        seen.push((Subject::Vault(role), Ok(Fact::Vault(Arc::new(vault)))));
    }
    let bucket = Recordings {
        read: None,
        bucket: "teleport-recordings-us-west-2".to_owned(),
        region: "us-west-2".to_owned(),
        versioning: Ok("Enabled".to_owned()),
        replication: Ok(Vec::new()),
        newest: Ok(vec![StoredObject {
            key: "a.tar".to_owned(),
            modified: recent,
            replication: "REPLICA".to_owned(),
            unread: None,
        }]),
    };
    seen.push((
        Subject::Recordings(Side::Recovery),
        Ok(Fact::Recordings(Arc::new(bucket))),
    ));
    seen
}

fn uid(side: Side) -> String {
    match side {
        Side::Primary => "11111111-0000-4000-8000-000000000001",
        Side::Recovery => "22222222-0000-4000-8000-000000000002",
    }
    .to_owned()
}

fn bare(side: Side) -> Cluster {
    Cluster {
        context: if side == Side::Primary {
            "east"
        } else {
            "west"
        }
        .to_owned(),
        uid: Some(uid(side)),
        pods: Vec::new(),
        deployments: Vec::new(),
        load_balancer: None,
        events: Vec::new(),
        release: Ok(None),
        gaps: Vec::new(),
        memo: Memo::default(),
    }
}

fn fact(side: Side, cluster: Cluster) -> (Subject, Result<Fact, Failure>) {
    (Subject::Cluster(side), Ok(Fact::Cluster(Arc::new(cluster))))
}

fn empty(side: Side) -> (Subject, Result<Fact, Failure>) {
    fact(side, bare(side))
}

fn stranger() -> (Subject, Result<Fact, Failure>) {
    fact(
        Side::Recovery,
        Cluster {
            uid: Some("99999999-0000-4000-8000-000000000009".to_owned()),
            ..bare(Side::Recovery)
        },
    )
}

fn cluster(side: Side, now: Moment, ready: bool, reason: &str) -> (Subject, Result<Fact, Failure>) {
    let parts = [("auth", Component::Auth), ("proxy", Component::Proxy)];
    let pods = parts.map(|(name, component)| {
        Arc::new(Pod {
            uid: format!("{side}-{name}"),
            name: format!("teleport-cluster-{name}-7c9f-x2x4z"),
            component,
            ready: u16::from(ready),
            containers: 1,
            phase: "Running".to_owned(),
            reason: reason.to_owned(),
            message: String::new(),
            restarts: if ready { 0 } else { 7 },
            created: now.minus(Duration::from_mins(1)),
            deleting: None,
            node: Some("node-1".to_owned()),
            node_ready: Some(true),
        })
    });
    let deployments = parts.map(|(name, component)| Deployment {
        name: format!("teleport-cluster-{name}"),
        component,
        desired: 1,
        available: u32::from(ready),
        updated: 1,
        observed: true,
        restarted: None,
    });
    let address = if side == Side::Primary { OLD } else { NEW };
    let balancer = LoadBalancer {
        source: "Service teleport-cluster".to_owned(),
        addresses: vec![address.to_owned()],
    };
    let release = Release {
        name: "teleport-cluster".to_owned(),
        revision: 1,
        status: "deployed".to_owned(),
    };
    fact(
        side,
        Cluster {
            pods: pods.into(),
            deployments: deployments.into(),
            load_balancer: Some(balancer),
            release: Ok(Some(release)),
            ..bare(side)
        },
    )
}

/// An Auth pod that has reached the planned table and started.
fn auth_log(now: Moment) -> (Subject, Result<Fact, Failure>) {
    let state = Mark::State {
        table: "teleport-state-dr".to_owned(),
        region: "us-west-2".to_owned(),
    };
    let pod = AuthStart {
        pod: "teleport-cluster-auth-7c9f-x2x4z".to_owned(),
        created: now.minus(Duration::from_mins(1)),
        marks: vec![state, Mark::Audit, Mark::Starting],
        gap: None,
    };
    let log = AuthLog { pods: vec![pod] };
    (Subject::AuthLog, Ok(Fact::AuthLog(Arc::new(log))))
}

fn values() -> Values {
    Values {
        path: "/plans/values.recovery.yaml".to_owned(),
        cluster_name: Some("teleport.example.com".to_owned()),
        region: Some("us-west-2".to_owned()),
        state_table: Some("teleport-state-dr".to_owned()),
        audit_table: Some("teleport-events-dr".to_owned()),
        bucket: Some("teleport-recordings-us-west-2".to_owned()),
        ..Values::default()
    }
}

/// So many nodes with a heartbeat of since the relaunch, of so many that the black box counted.
fn agents(live: u32, before: Option<u32>, now: Moment) -> (Subject, Result<Fact, Failure>) {
    let of = |count| Headcount::from([(AgentKind::Node, count)]);
    let seen = Agents {
        at: now,
        since: now.minus(Duration::from_mins(3)),
        table: "teleport-state-dr in us-west-2".to_owned(),
        live: of(live),
        lapsed: Headcount::new(),
        before: before.map(|count| Before {
            at: now.minus(Duration::from_hours(1)),
            counts: of(count),
        }),
        missing: vec!["node web-7".to_owned()],
        cut: false,
    };
    (Subject::Agents, Ok(Fact::Agents(Arc::new(seen))))
}

/// A bot that joined by a shared secret, and these locks on it.
fn bots(locks: &[&str], now: Moment) -> (Subject, Result<Fact, Failure>) {
    let seen = Bots {
        context: "west".to_owned(),
        uid: Some(uid(Side::Recovery)),
        since: now.minus(Duration::from_mins(3)),
        bots: vec![Bot {
            name: "ci".to_owned(),
            methods: vec!["token".to_owned()],
            instances: 1,
            last: None,
        }],
        locks: locks
            .iter()
            .map(|id| BotLock {
                id: (*id).to_owned(),
                target: "user bot-ci".to_owned(),
                made: None,
            })
            .collect(),
        gaps: Vec::new(),
    };
    (Subject::Bots, Ok(Fact::Bots(Arc::new(seen))))
}

/// A table that an isolated drill has restored.
fn drill(stands: Standing, now: Moment) -> (Subject, Result<Fact, Failure>) {
    let made = Made {
        stamp: "20261125t163354z".to_owned(),
        things: vec![Thing {
            what: What::Table,
            name: "teleport-state-dr-drill-20261125t163354z".to_owned(),
            at: now,
            stands: Ok(stands),
        }],
        ..Made::default()
    };
    (Subject::Made, Ok(Fact::Made(Arc::new(made))))
}

/// What a user meets, with the newest audit event of then.
fn service(now: Moment, event: Moment) -> Vec<(Subject, Result<Fact, Failure>)> {
    let mut seen = storage(now, true, true);
    for (_, outcome) in &mut seen {
        match outcome {
            Ok(Fact::Table(table)) => Arc::make_mut(table).newest = Ok(Some(event)),
            Ok(Fact::Recordings(found)) => {
                Arc::make_mut(found).read = Some(ReadBack {
                    key: "a.tar".to_owned(),
                    at: now,
                    bytes: Ok(16),
                });
            }
            _ => {}
        }
    }
    seen.push(cluster(Side::Recovery, now, true, ""));
    seen.push(door(Door::Public, NEW, &Ok(()), PIN, now));
    seen.push(door(Door::New, NEW, &Ok(()), PIN, now));
    seen.push((Subject::BlackBox, Ok(Fact::BlackBox(black_box()))));
    seen
}

fn silent_iam() -> Failure {
    Failure::new(FailureKind::Timeout, "IAM gave no answer in 8 s")
}

/// With so many actions denied, or a simulation that failed.
fn rights(simulated: Result<usize, Failure>) -> (Subject, Result<Fact, Failure>) {
    let action = |name: &str| Action {
        name: name.to_owned(),
        on: "arn:aws:dynamodb:us-west-2:111122223333:table/teleport-state-dr".to_owned(),
    };
    let simulated = simulated.map(|denied| Simulated {
        asked: 39,
        denied: ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"]
            .into_iter()
            .take(denied)
            .map(|name| Denial {
                what: action(name),
                why: "no policy of the role allows it".to_owned(),
            })
            .collect(),
        fault: (denied > 0).then(|| "the role's policy still names us-east-1".to_owned()),
        spared: vec![action("dynamodb:CreateTable")],
        ..Simulated::default()
    });
    let of = |component, by| RoleRights {
        component,
        account: "teleport:teleport-cluster".to_owned(),
        role: Ok(Grant {
            arn: Some("arn:aws:iam::111122223333:role/teleport-auth".to_owned()),
            by,
        }),
        trust: Ok(Trust {
            through: "the OIDC provider of the cluster".to_owned(),
            refused: None,
        }),
        session: Err(Failure::new(
            FailureKind::NotFound,
            "the account does not exist before the chart is installed",
        )),
        simulated: simulated.clone(),
    };
    let rights = Rights {
        region: "us-west-2".to_owned(),
        auth: of(Component::Auth, GrantedBy::Annotation),
        proxy: of(Component::Proxy, GrantedBy::CommonAnnotation),
    };
    (Subject::Rights, Ok(Fact::Rights(Arc::new(rights))))
}

fn tls(there: bool, now: Moment) -> (Subject, Result<Fact, Failure>) {
    let certificate = Certificate {
        issuer: "CN=R11".to_owned(),
        names: vec![
            "teleport.example.com".to_owned(),
            "*.teleport.example.com".to_owned(),
        ],
        not_before: now.minus(Duration::from_hours(24)),
        not_after: now.plus(Duration::from_hours(60 * 24)),
        problem: None,
    };
    let missing = Failure::new(
        FailureKind::NotFound,
        "there is no Secret teleport/teleport-tls",
    );
    let tls = Tls {
        region: "us-west-2".to_owned(),
        ways: vec![Way::Secret {
            name: "teleport-tls".to_owned(),
            found: if there { Ok(certificate) } else { Err(missing) },
        }],
        known: Ok(Vec::new()),
    };
    (Subject::Tls, Ok(Fact::Tls(Arc::new(tls))))
}

fn door(
    door: Door,
    ip: &str,
    tcp: &Result<(), Failure>,
    pin: &str,
    now: Moment,
) -> (Subject, Result<Fact, Failure>) {
    let ip: IpAddr = ip.parse().expect("an address");
    let reached = tcp;
    let certificate = Certificate {
        issuer: "CN=R11".to_owned(),
        names: vec![
            "teleport.example.com".to_owned(),
            "*.teleport.example.com".to_owned(),
        ],
        not_before: now.minus(Duration::from_hours(24)),
        not_after: now.plus(Duration::from_hours(30 * 24)),
        problem: None,
    };
    let ping = Ping {
        status: 200,
        cluster_name: Some("teleport.example.com".to_owned()),
        server_version: Some("17.0.2".to_owned()),
        public_addr: Some("teleport.example.com:443".to_owned()),
        took: Duration::from_millis(20),
        ..Ping::default()
    };
    let find = Find {
        status: 200,
        server_version: Some("17.0.2".to_owned()),
        ..Find::default()
    };
    let address = Address {
        ip,
        port: 443,
        tcp: reached.clone().map(|()| Duration::from_millis(5)),
        tls: reached.clone().map(|()| certificate.clone()),
        ping: reached.clone().map(|()| ping),
        find: reached.clone().map(|()| find),
        pins: reached.clone().map(|()| vec![pin.to_owned()]),
        steady: reached
            .as_ref()
            .map_or_else(|_| Vec::new(), |()| vec![now; STEADY]),
        wildcard: reached.clone().map(|()| Wildcard {
            asked: "abcdefghijkl.teleport.example.com".to_owned(),
            tls: certificate.clone(),
            answer: Ok(302),
        }),
    };
    let fact = DoorFact {
        host: ip.to_string(),
        addresses: vec![address],
        ..DoorFact::default()
    };
    (Subject::Door(door), Ok(Fact::Door(Arc::new(fact))))
}

/// The new door with something else about its address.
fn new_door(now: Moment, other: impl Fn(&mut Address)) -> Vec<Observation> {
    let mut seen = named("new door", now);
    for one in &mut seen {
        if let Ok(Fact::Door(door)) = &mut one.outcome {
            Arc::make_mut(door).addresses.iter_mut().for_each(&other);
        }
    }
    seen
}

/// Authority and resolver, for the name and the wildcard.
fn answers([authority, resolver]: [&str; 2]) -> Vec<(Subject, Result<Fact, Failure>)> {
    let mut seen = Vec::new();
    for name in ["teleport.example.com", "*.teleport.example.com"] {
        for (server, is_authority, address) in
            [("ns-1", true, authority), ("203.0.113.53", false, resolver)]
        {
            let answer = Answer {
                server: "203.0.113.1:53".to_owned(),
                authority: is_authority,
                asked: name.replace('*', "abcdefghijkl"),
                rcode: Rcode::NoError,
                aa: is_authority,
                chain: Vec::new(),
                addresses: vec![address.parse().expect("an address")],
                ttl: Some(60),
                rtt: Duration::from_millis(12),
                transport: "udp".to_owned(),
                changed: None,
            };
            let subject = Subject::Answer {
                server: server.into(),
                name: name.into(),
            };
            seen.push((subject, Ok(Fact::Answer(Arc::new(answer)))));
        }
    }
    seen
}
