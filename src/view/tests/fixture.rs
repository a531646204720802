//! States to be drawn.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

use crate::{
    incident::{
        Address, Answer, Billing, Certificate, Cluster, ClusterEvent, Component, Deployment, Door,
        DoorFact, Fact, Failure, FailureKind, Find, Finding, Hop, HostAuthorities, HostAuthority,
        Identity, LoadBalancer, Memo, Moment, Observation, Ping, Pitr, Pod, Rcode, RecordSet,
        Recordings, RecoveryPoint, Release, Replication, Risk, RunId, Runbook, STEADY, Settings,
        Side, StepId, StoredObject, Subject, Table, TableRole, Vault, Verdict, Wildcard, Witnessed,
        Zone,
    },
    journal::{ArmedStep, Author, Entry, Kind, Record},
    plan::{ResolverPlan, sample},
    state::{Access, Event, Output, OutputLine, Prepared, State},
};

/// 2026-11-23T14:05:31Z.
pub const NOW: Moment = Moment::from_secs(1_795_442_731);

/// What a destroy step asks for where the kube context is named as `aws eks update-kubeconfig` names it.
pub const PHRASE: &str = "uninstall teleport-cluster in arn:aws:eks:us-east-1:111122223333:cluster/teleport-production-east";

const NAME: &str = "teleport.example.com";
const WILDCARD: &str = "*.teleport.example.com";
const OLD_LB: &str = "a1b2c3-111.us-east-1.elb.amazonaws.com";
const NEW_LB: &str = "d4e5f6-222.us-west-2.elb.amazonaws.com";

pub fn ago(secs: u64) -> Moment {
    NOW.minus(Duration::from_secs(secs))
}

/// Nothing seen, nothing done.
pub fn empty() -> State {
    let mut plan = sample::plan();
    plan.practice = true;
    plan.dns.names = vec![NAME.to_owned(), WILDCARD.to_owned()];
    plan.dns.old = vec![OLD_LB.to_owned(), "203.0.113.10".to_owned()];
    plan.dns.new = vec![NEW_LB.to_owned(), "198.51.100.20".to_owned()];
    plan.dns.public_resolvers = Some(Vec::new());
    plan.dns.resolvers = [
        ("office", "10.0.0.2"),
        ("Cloudflare", "1.1.1.1"),
        ("Google", "8.8.8.8"),
    ]
    .map(|(label, address)| ResolverPlan {
        label: label.to_owned(),
        address: (address.parse::<IpAddr>().expect("an address"), 53).into(),
    })
    .to_vec();
    plan.primary.account = Some("111122223333".to_owned());
    plan.recovery.account = Some("111122223333".to_owned());
    let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the embedded runbook");
    let prepare = |step: &crate::incident::Step, _, _: &_| {
        Ok(Prepared {
            calls: calls(step.id.as_str()),
            phrase: step.phrase.is_some().then(|| PHRASE.to_owned()),
        })
    };
    let mut state = State::new(
        Arc::new(plan),
        Arc::new(runbook),
        Access::Operator,
        NOW,
        Arc::new(prepare),
    );
    state.desk.themes = crate::theme::names()
        .iter()
        .map(ToString::to_string)
        .collect();
    state.desk.theme = "default".to_owned();
    state
}

/// What a step would do, as the dialog shows it.
pub fn calls(step: &str) -> Vec<String> {
    let text = match step {
        "install" => {
            "helm install teleport-cluster teleport/teleport-cluster --version 17.0.2 --values /etc/west-values.yaml --namespace teleport --create-namespace --kube-context west --kubeconfig /etc/kube/west --timeout 15m"
        }
        "stop-old-cluster" => {
            "helm uninstall teleport-cluster --namespace teleport --kube-context arn:aws:eks:us-east-1:111122223333:cluster/teleport-production-east --kubeconfig /etc/kube/east --wait --timeout 5m"
        }
        "switch-dns" => {
            return vec![
                "route53 ChangeResourceRecordSets Z1 UPSERT teleport.example.com CNAME 60 d4e5f6-222.us-west-2.elb.amazonaws.com".to_owned(),
                "route53 ChangeResourceRecordSets Z1 UPSERT \\052.teleport.example.com CNAME 60 d4e5f6-222.us-west-2.elb.amazonaws.com".to_owned(),
                "route53 GetChange until INSYNC".to_owned(),
            ];
        }
        _ => "built in",
    };
    vec![text.to_owned()]
}

pub fn see(state: &mut State, subject: Subject, secs: u64, outcome: Result<Fact, Failure>) {
    let seen = Observation {
        subject,
        at: ago(secs),
        took: Duration::from_millis(14),
        outcome,
    };
    state.decide(Event::Observed(vec![seen], NOW));
}

pub fn silent(what: &str) -> Failure {
    Failure::new(
        FailureKind::Timeout,
        format!("{what} gave no answer in 3s: is the region reachable from here?"),
    )
}

/// In the middle of a recovery: the chart is being installed.
pub fn busy() -> State {
    let mut state = empty();
    state.desk.focus = crate::state::Pane::Runbook;
    identities(&mut state);
    clusters(&mut state);
    backups(&mut state);
    answers(&mut state);
    zone(&mut state);
    doors(&mut state);
    story(&mut state);
    output(&mut state);
    state
}

fn identities(state: &mut State) {
    let identity = Identity {
        arn: "arn:aws:sts::111122223333:assumed-role/dr-operator/alice".to_owned(),
        account: "111122223333".to_owned(),
        region: "us-west-2".to_owned(),
        expires: Some(NOW.plus(Duration::from_mins(41))),
    };
    let subject = Subject::Identity(Side::Recovery);
    see(state, subject, 20, Ok(Fact::Identity(identity)));
    let subject = Subject::Identity(Side::Primary);
    see(state, subject, 4, Err(silent("STS in us-east-1")));
}

pub fn pod(name: &str, component: Component, phase: &str, reason: &str) -> Arc<Pod> {
    let ready = u16::from(phase == "Running" && reason.is_empty());
    Arc::new(Pod {
        uid: name.to_owned(),
        name: name.to_owned(),
        component,
        ready,
        containers: 1,
        phase: phase.to_owned(),
        reason: reason.to_owned(),
        message: match reason {
            "Unschedulable" => "0/3 nodes are available: 3 Insufficient cpu.".to_owned(),
            _ => String::new(),
        },
        restarts: u32::from(reason == "CrashLoopBackOff") * 4,
        created: ago(190),
        deleting: None,
        node: Some("ip-10-1-2-3.us-west-2.compute.internal".to_owned()),
        node_ready: Some(true),
    })
}

pub fn cluster(context: &str, pods: Vec<Arc<Pod>>) -> Cluster {
    Cluster {
        context: context.to_owned(),
        uid: None,
        pods,
        deployments: ["auth", "proxy"]
            .map(|name| Deployment {
                name: format!("teleport-cluster-{name}"),
                component: if name == "auth" {
                    Component::Auth
                } else {
                    Component::Proxy
                },
                desired: 2,
                available: 1,
                updated: 2,
                observed: true,
                restarted: None,
            })
            .to_vec(),
        load_balancer: Some(LoadBalancer {
            source: "Service teleport-cluster".to_owned(),
            addresses: vec![NEW_LB.to_owned()],
        }),
        events: vec![ClusterEvent {
            at: ago(44),
            object: "Pod/teleport-cluster-proxy-5d9c7b6f4-q8w2e".to_owned(),
            reason: "FailedScheduling".to_owned(),
            message: "0/3 nodes are available: 3 Insufficient cpu.".to_owned(),
        }],
        release: Ok(Some(Release {
            name: "teleport-cluster".to_owned(),
            revision: 1,
            status: "pending-install".to_owned(),
        })),
        gaps: Vec::new(),
        memo: Memo::default(),
    }
}

fn clusters(state: &mut State) {
    let pods = vec![
        pod(
            "teleport-cluster-auth-7c9d8f6b5-x2k4p",
            Component::Auth,
            "Running",
            "",
        ),
        pod(
            "teleport-cluster-auth-7c9d8f6b5-z8m3n",
            Component::Auth,
            "Running",
            "CrashLoopBackOff",
        ),
        pod(
            "teleport-cluster-proxy-5d9c7b6f4-j7h5g",
            Component::Proxy,
            "Running",
            "",
        ),
        pod(
            "teleport-cluster-proxy-5d9c7b6f4-q8w2e",
            Component::Proxy,
            "Pending",
            "Unschedulable",
        ),
    ];
    let fact = Fact::Cluster(Arc::new(cluster("west", pods)));
    see(state, Subject::Cluster(Side::Recovery), 2, Ok(fact));
    let mut old = cluster(
        "east",
        vec![
            pod(
                "teleport-cluster-auth-66b4d5c7f-aaaaa",
                Component::Auth,
                "Running",
                "",
            ),
            pod(
                "teleport-cluster-proxy-77c5e6d8g-bbbbb",
                Component::Proxy,
                "Running",
                "",
            ),
        ],
    );
    old.events.clear();
    old.load_balancer = None;
    let subject = Subject::Cluster(Side::Primary);
    see(
        state,
        subject.clone(),
        2600,
        Ok(Fact::Cluster(Arc::new(old))),
    );
    see(
        state,
        subject.clone(),
        2520,
        Err(silent("The Kubernetes API of east")),
    );
    see(state, subject, 3, Err(silent("The Kubernetes API of east")));
}

pub fn table(side: Side, role: TableRole) -> Table {
    let (region, name) = match side {
        Side::Primary => ("us-east-1", "east"),
        Side::Recovery => ("us-west-2", "west"),
    };
    Table {
        name: format!("{name}-{role}"),
        role,
        region: region.to_owned(),
        status: "ACTIVE".to_owned(),
        restoring: false,
        created: Some(ago(86_400)),
        replicas: Vec::new(),
        indexes: vec!["timesearchV2".to_owned()],
        pitr: Ok(Pitr {
            enabled: true,
            earliest: Some(ago(86_400)),
            latest: Some(ago(300)),
        }),
        backups: Ok(Vec::new()),
        newest: Ok(Some(ago(2520 + 252))),
        newest_at: Some(ago(60)),
        authority: Ok(HostAuthorities {
            at: ago(60),
            own: Some(HostAuthority::default()),
            others: Vec::new(),
        }),
        settings: Ok(Settings {
            arn: format!("arn:aws:dynamodb:{region}:111122223333:table/{name}-{role}"),
            ttl: Ok(Some("Expires".to_owned())),
            stream: Some("NEW_IMAGE".to_owned()),
            billing: Billing::OnDemand,
            protected: false,
            tags: Ok(BTreeMap::new()),
            indexes: BTreeMap::from([("timesearchV2".to_owned(), "ACTIVE".to_owned())]),
            key: None,
        }),
    }
}

fn backups(state: &mut State) {
    for role in TableRole::BOTH {
        let subject = Subject::Table(Side::Recovery, role);
        let fact = Fact::Table(Arc::new(table(Side::Recovery, role)));
        see(state, subject, 12, Ok(fact));
        let subject = Subject::Table(Side::Primary, role);
        see(state, subject, 8, Err(silent("DynamoDB in us-east-1")));
        let vault = Vault {
            vault: "west".to_owned(),
            region: "us-west-2".to_owned(),
            role,
            points: vec![RecoveryPoint {
                arn: "arn:aws:backup:us-west-2:111122223333:recovery-point:1".to_owned(),
                resource: "arn:aws:dynamodb:us-east-1:111122223333:table/east".to_owned(),
                status: "COMPLETED".to_owned(),
                created: ago(3900),
                completed: Some(ago(3000)),
                cold_at: None,
                delete_at: None,
                restored: None,
                bytes: Some(123_456_789),
            }],
            more: false,
            schedules: Ok(Vec::new()),
        };
        see(
            state,
            Subject::Vault(role),
            31,
            Ok(Fact::Vault(Arc::new(vault))),
        );
    }
    let recordings = Recordings {
        read: None,
        bucket: "west-recordings".to_owned(),
        region: "us-west-2".to_owned(),
        versioning: Ok("Enabled".to_owned()),
        replication: Ok(vec![Replication {
            id: "dr".to_owned(),
            enabled: true,
            destination: "arn:aws:s3:::east-recordings".to_owned(),
            kms: true,
            delete_markers: true,
            filter: None,
        }]),
        newest: Ok(vec![StoredObject {
            key: "records/1.tar".to_owned(),
            modified: ago(2700),
            replication: "REPLICA".to_owned(),
            unread: None,
        }]),
    };
    let fact = Fact::Recordings(Arc::new(recordings));
    see(state, Subject::Recordings(Side::Recovery), 15, Ok(fact));
    let subject = Subject::Recordings(Side::Primary);
    see(state, subject, 9, Err(silent("S3 in us-east-1")));
}

pub fn answer(server: &str, authority: bool, target: Option<(&str, &str)>, ttl: u32) -> Answer {
    Answer {
        server: server.to_owned(),
        authority,
        asked: NAME.to_owned(),
        rcode: if target.is_some() {
            Rcode::NoError
        } else {
            Rcode::ServFail
        },
        aa: authority,
        chain: target
            .iter()
            .map(|(name, _)| Hop {
                target: (*name).to_owned(),
                ttl,
            })
            .collect(),
        addresses: target
            .iter()
            .map(|(_, ip)| ip.parse().expect("an address"))
            .collect(),
        ttl: Some(ttl),
        rtt: Duration::from_millis(12),
        transport: "udp".to_owned(),
        changed: None,
    }
}

fn answers(state: &mut State) {
    let (old, new) = ((OLD_LB, "203.0.113.10"), (NEW_LB, "198.51.100.20"));
    let cases = [
        ("10.0.0.2", false, Some(old), 37, 6),
        ("1.1.1.1", false, Some(new), 58, 6),
        ("8.8.8.8", false, None, 0, 6),
        ("ns-1.awsdns-01.org", true, Some(new), 60, 7),
        ("ns-2.awsdns-02.net", true, Some(old), 60, 7),
    ];
    for (server, authority, target, ttl, secs) in cases {
        for name in [NAME, WILDCARD] {
            let subject = Subject::Answer {
                server: server.into(),
                name: name.into(),
            };
            let fact = Fact::Answer(Arc::new(answer(server, authority, target, ttl)));
            see(state, subject, secs, Ok(fact));
        }
    }
    let subject = Subject::Answer {
        server: "10.9.9.9".into(),
        name: NAME.into(),
    };
    see(state, subject, 6, Err(silent("10.9.9.9 port 53")));
}

fn wildcard() -> Wildcard {
    Wildcard {
        asked: format!("abcdefghijkl.{NAME}"),
        tls: certificate(),
        answer: Ok(302),
    }
}

fn certificate() -> Certificate {
    Certificate {
        issuer: "CN=R11,O=Let's Encrypt,C=US".to_owned(),
        names: vec![NAME.to_owned(), WILDCARD.to_owned()],
        not_before: ago(86_400),
        not_after: NOW.plus(Duration::from_hours(63 * 24)),
        problem: None,
    }
}

pub fn address(ip: &str, answers: bool) -> Address {
    let nothing = || silent(ip);
    Address {
        ip: ip.parse().expect("an address"),
        port: 443,
        tcp: if answers {
            Ok(Duration::from_millis(12))
        } else {
            Err(nothing())
        },
        tls: if answers {
            Ok(certificate())
        } else {
            Err(nothing())
        },
        ping: if answers {
            Ok(Ping {
                status: 200,
                cluster_name: Some(NAME.to_owned()),
                server_version: Some("17.0.2".to_owned()),
                took: Duration::from_millis(14),
                ..Ping::default()
            })
        } else {
            Err(nothing())
        },
        find: if answers {
            Ok(Find {
                status: 200,
                cluster_name: Some(NAME.to_owned()),
                server_version: Some("17.0.2".to_owned()),
            })
        } else {
            Err(nothing())
        },
        pins: if answers {
            Ok(vec!["sha256:aa".to_owned()])
        } else {
            Err(nothing())
        },
        steady: if answers {
            vec![ago(3); STEADY]
        } else {
            Vec::new()
        },
        wildcard: if answers {
            Ok(wildcard())
        } else {
            Err(nothing())
        },
    }
}

/// Route 53 before the switch.
fn zone(state: &mut State) {
    let records = [NAME.to_owned(), format!("*.{NAME}")].map(|name| RecordSet {
        name,
        kind: "A".to_owned(),
        ttl: None,
        values: vec![OLD_LB.to_owned()],
        alias_zone: Some("Z35SXDOTRQ7X7K".to_owned()),
    });
    let zone = Zone {
        id: "Z0123456789ABC".to_owned(),
        name: "example.com".to_owned(),
        private: false,
        nameservers: Vec::new(),
        records: records.into(),
        ..Zone::default()
    };
    see(state, Subject::Zone, 12, Ok(Fact::Zone(zone.into())));
}

fn doors(state: &mut State) {
    let cases = [
        (Door::Old, OLD_LB, "203.0.113.10", false),
        (Door::New, NEW_LB, "198.51.100.20", true),
        (Door::Public, NAME, "203.0.113.10", false),
    ];
    for (door, host, ip, answers) in cases {
        let witnessed = (door == Door::Old).then(|| Witnessed {
            ip: ip.parse().expect("an address"),
            pins: vec!["sha256:aa".to_owned()],
            at: ago(2700),
        });
        let fact = DoorFact {
            host: host.to_owned(),
            addresses: vec![address(ip, answers)],
            witnessed: witnessed.into_iter().collect(),
            ..DoorFact::default()
        };
        see(
            state,
            Subject::Door(door),
            3,
            Ok(Fact::Door(Arc::new(fact))),
        );
    }
}

pub fn record(state: &mut State, at: Moment, entry: Entry) {
    let record = Record {
        seq: state.story.seq + 1,
        at,
        author: Author {
            operator: "alice".to_owned(),
            host: "bastion-1".to_owned(),
            token: 1,
        },
        prev: String::new(),
        entry,
    };
    state.story.apply(&record);
}

pub fn declare(state: &mut State, what: Kind) {
    let entry = Entry::Declared {
        what,
        cluster: NAME.to_owned(),
        plan: "/etc/relight.toml".to_owned(),
        digest: String::new(),
        outage: ago(2537),
    };
    record(state, ago(2400), entry);
}

pub fn armed(step: &str, risk: Risk, phrase: Option<&str>) -> ArmedStep {
    let id = StepId::try_from(step.to_owned()).expect("a step id");
    let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the embedded runbook");
    let observes = runbook.get(&id).map_or_else(Vec::new, |step| {
        step.post
            .iter()
            .map(|post| post.name().to_owned())
            .collect()
    });
    ArmedStep {
        run: RunId::new(&id, 1, ago(300)),
        step: id,
        attempt: 1,
        risk,
        calls: calls(step),
        observes,
        phrase: phrase.map(ToOwned::to_owned),
        dry_run: false,
        way: crate::incident::Way::Graceful,
        because: String::new(),
        by_hand: false,
        evidence: crate::incident::Evidence::Seen,
        waiver: None,
        approval: None,
    }
}

pub fn start(state: &mut State, armed: &ArmedStep, secs: u64) {
    let run = armed.run.clone();
    record(state, ago(secs + 4), Entry::Armed(Box::new(armed.clone())));
    record(
        state,
        ago(secs + 1),
        Entry::Confirmed {
            run: run.clone(),
            phrase: None,
            note: None,
        },
    );
    record(
        state,
        ago(secs),
        Entry::Started {
            run,
            of: 1,
            pid: 4242,
        },
    );
}

pub fn end(state: &mut State, armed: &ArmedStep, secs: u64, verdict: Verdict, why: &str) {
    let run = armed.run.clone();
    let how = "exit code 0".to_owned();
    record(
        state,
        ago(secs + 2),
        Entry::Exited {
            run: run.clone(),
            of: 2,
            code: Some(0),
            how,
        },
    );
    let finding = match verdict {
        Verdict::Pass => Finding::pass(why, vec![Subject::Values]),
        Verdict::Fail => Finding::fail(why, vec![Subject::Values]),
        Verdict::Unknown => Finding::unknown(why),
    };
    let entry = Entry::Judged {
        run,
        verdict,
        findings: vec![finding],
        evidence: Vec::new(),
    };
    record(state, ago(secs), entry);
}

fn story(state: &mut State) {
    declare(state, Kind::Practice);
    let verify = armed("verify-backups", Risk::Look, None);
    start(state, &verify, 2300);
    end(
        state,
        &verify,
        2288,
        Verdict::Pass,
        "both tables have a copy within the RPO",
    );
    let step = StepId::try_from("stop-old-cluster".to_owned()).expect("a step id");
    let reason = "the primary's API gives no answer".to_owned();
    record(state, ago(2100), Entry::Skipped { step, reason });
    for (step, risk) in [
        ("restore-tables", Risk::Change),
        ("repair-tables", Risk::Change),
        ("check-state-table", Risk::Look),
    ] {
        let tables = armed(step, risk, None);
        start(state, &tables, 900);
        end(state, &tables, 720, Verdict::Pass, "the tables are there");
    }
    let values = armed("write-values", Risk::Change, None);
    start(state, &values, 700);
    end(
        state,
        &values,
        696,
        Verdict::Pass,
        "the four fields are set",
    );
    start(state, &armed("install", Risk::Change, None), 190);
}

pub fn output(state: &mut State) {
    let lines = (0..1204).map(|number| OutputLine {
        number,
        at: ago(190 - number * 190 / 1204),
        text: match number % 5 {
            0 => format!("install.go:222: [debug] Original chart version: \"17.0.2\" ({number})"),
            1 => "client.go:486: [debug] Starting delete for \"teleport-cluster-auth-test\" ServiceAccount".to_owned(),
            2 => "wait.go:104: [debug] Deployment is not ready: teleport/teleport-cluster-auth. 1 out of 2 expected pods are ready".to_owned(),
            3 => "wait.go:104: [debug] Error: pods is forbidden: quota".to_owned(),
            _ => "client.go:142: [debug] creating 27 resource(s)".to_owned(),
        },
    });
    let run = armed("install", Risk::Change, None).run;
    let output = Output {
        total: 1204,
        lines: lines.skip(1000).collect(),
    };
    state.decide(Event::Output(run, output));
}

/// Every look fails.
pub fn all_failed() -> State {
    let mut state = empty();
    declare(&mut state, Kind::Incident);
    let mut subjects = vec![Subject::Zone, Subject::Values];
    for side in Side::BOTH {
        subjects.extend([
            Subject::Identity(side),
            Subject::Cluster(side),
            Subject::Recordings(side),
        ]);
        subjects.extend(TableRole::BOTH.map(|role| Subject::Table(side, role)));
    }
    subjects.extend(TableRole::BOTH.map(Subject::Vault));
    subjects.extend(Door::ALL.map(Subject::Door));
    for server in ["10.0.0.2", "1.1.1.1", "8.8.8.8"] {
        subjects.push(Subject::Answer {
            server: server.into(),
            name: NAME.into(),
        });
    }
    for subject in subjects {
        let what = subject.to_string();
        see(&mut state, subject, 5, Err(silent(&what)));
    }
    state
}
