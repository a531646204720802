use std::{net::IpAddr, sync::Arc};

use super::*;
use crate::{
    incident::{
        Address, Certificate, Cluster, Failure, FailureKind, Find, Instruments, Memo, Observation,
        Outcome, Ping, Pod, Recordings, Table, recordings::ReadBack,
    },
    plan::{Plan, sample},
};

const NOW: Moment = Moment::from_secs(100_000);
const RELAUNCH: Moment = Moment::from_secs(99_000);

fn pin(of: char) -> String {
    format!("sha256:{}", of.to_string().repeat(64))
}

fn plan() -> Plan {
    let mut plan = sample::plan();
    plan.cluster.version = Some("17.0.2".to_owned());
    plan.cluster.ca_pins = vec![pin('a')];
    plan
}

fn address(version: &str, name: &str, pins: Result<Vec<String>, Failure>) -> Address {
    Address {
        ip: IpAddr::from([192, 0, 2, 9]),
        port: 443,
        tcp: Ok(Duration::ZERO),
        tls: Ok(Certificate {
            issuer: String::new(),
            names: Vec::new(),
            not_before: Moment::default(),
            not_after: NOW,
            problem: None,
        }),
        ping: Ok(Ping {
            status: 200,
            cluster_name: Some(name.to_owned()),
            server_version: Some(version.to_owned()),
            ..Ping::default()
        }),
        find: Ok(Find::default()),
        pins,
        steady: Vec::new(),
        wildcard: Err(Failure::new(FailureKind::NotPlanned, "not asked")),
    }
}

fn sighted(plan: &Plan, facts: Vec<(Subject, Fact)>, judge: fn(&Sight<'_>) -> Finding) -> Finding {
    let mut instruments = Instruments::default();
    for (subject, fact) in facts {
        instruments.take(Observation {
            subject,
            at: NOW,
            took: Duration::ZERO,
            outcome: Ok(fact),
        });
    }
    judge(&Sight {
        instruments: &instruments,
        plan,
        now: NOW,
        since: Some(NOW.minus(Duration::from_secs(30))),
        outage: None,
    })
}

fn public_door(addresses: Vec<Address>) -> (Subject, Fact) {
    let door = DoorFact {
        host: "teleport.example.com".to_owned(),
        addresses,
        ..DoorFact::default()
    };
    (Subject::Door(Door::Public), Fact::Door(Arc::new(door)))
}

fn expect(finding: &Finding, wanted: Outcome, words: &str) {
    assert_eq!(finding.outcome, wanted, "{}", finding.sentence);
    assert!(finding.sentence.contains(words), "{}", finding.sentence);
}

#[test]
fn the_public_name_answers_in_the_version_of_before_or_says_which() {
    let here = "teleport.example.com";
    let cases = [
        (
            "17.0.2",
            here,
            Outcome::Pass,
            "Teleport 17.0.2, as the plan",
        ),
        ("v17.0.2-ent", here, Outcome::Pass, "17.0.2"),
        (
            "18.0.0",
            here,
            Outcome::Fail,
            "is 18.0.0, and the plan has 17.0.2",
        ),
        (
            "17.0.2",
            "other.example.com",
            Outcome::Fail,
            "answers as other",
        ),
    ];
    for (seen, name, wanted, words) in cases {
        let door = public_door(vec![address(seen, name, Ok(Vec::new()))]);
        expect(&sighted(&plan(), vec![door], version), wanted, words);
    }
    let mut bare = plan();
    bare.cluster.version = None;
    let door = || public_door(vec![address("17.0.2", here, Ok(Vec::new()))]);
    expect(
        &sighted(&bare, vec![door()], version),
        Outcome::Unknown,
        "which version ran before",
    );
    expect(
        &sighted(&plan(), Vec::new(), version),
        Outcome::Unknown,
        "no look at the public name",
    );
    expect(
        &sighted(&plan(), vec![public_door(Vec::new())], version),
        Outcome::Unknown,
        "no address",
    );
}

#[test]
fn every_address_must_show_the_old_authorities() {
    let here = "teleport.example.com";
    let with = |sets: &[Result<Vec<String>, Failure>]| {
        let addresses = sets.iter().map(|set| address("17.0.2", here, set.clone()));
        vec![public_door(addresses.collect())]
    };
    let none = Failure::new(FailureKind::Timeout, "3s");
    let cases = [
        (
            with(&[Ok(vec![pin('a')])]),
            Outcome::Pass,
            "the old certificate authorities",
        ),
        (
            with(&[Ok(vec![pin('a')]), Ok(vec![pin('b')])]),
            Outcome::Fail,
            "STOP",
        ),
        (
            with(&[Ok(vec![pin('a')]), Err(none)]),
            Outcome::Unknown,
            "does not show",
        ),
    ];
    for (facts, wanted, words) in cases {
        expect(&sighted(&plan(), facts, public_authorities), wanted, words);
    }
    let mut bare = plan();
    bare.cluster.ca_pins.clear();
    let facts = with(&[Ok(vec![pin('a')])]);
    expect(
        &sighted(&bare, facts, public_authorities),
        Outcome::Unknown,
        "nothing to compare",
    );
}

fn audit(newest: Result<Option<i64>, Failure>, asked: Moment) -> Vec<(Subject, Fact)> {
    let silence = || Failure::new(FailureKind::Other, "not asked");
    let table = Table {
        name: "audit-dr".to_owned(),
        role: TableRole::Audit,
        region: "us-west-2".to_owned(),
        status: "ACTIVE".to_owned(),
        restoring: false,
        created: None,
        replicas: Vec::new(),
        indexes: Vec::new(),
        pitr: Err(silence()),
        backups: Ok(Vec::new()),
        newest: newest.map(|newest| newest.map(Moment::from_secs)),
        newest_at: Some(asked),
        authority: Err(silence()),
        settings: Err(silence()),
    };
    let pod = Pod {
        uid: "u".to_owned(),
        name: "auth".to_owned(),
        component: Component::Auth,
        ready: 1,
        containers: 1,
        phase: "Running".to_owned(),
        reason: String::new(),
        message: String::new(),
        restarts: 0,
        created: RELAUNCH,
        deleting: None,
        node: None,
        node_ready: None,
    };
    let cluster = Cluster {
        context: "west".to_owned(),
        uid: None,
        pods: vec![Arc::new(pod)],
        deployments: Vec::new(),
        load_balancer: None,
        events: Vec::new(),
        release: Ok(None),
        gaps: Vec::new(),
        memo: Memo::default(),
    };
    vec![
        (
            Subject::Table(Side::Recovery, TableRole::Audit),
            Fact::Table(Arc::new(table)),
        ),
        (
            Subject::Cluster(Side::Recovery),
            Fact::Cluster(Arc::new(cluster)),
        ),
    ]
}

#[test]
fn events_flow_when_one_is_younger_than_the_relaunch() {
    let denied = Failure::new(FailureKind::Forbidden, "Query");
    let cases = [
        (Ok(Some(99_500)), NOW, Outcome::Pass, "after the relaunch"),
        (
            Ok(Some(98_999)),
            NOW,
            Outcome::Fail,
            "no audit event of since",
        ),
        (Ok(None), NOW, Outcome::Fail, "holds no audit event"),
        (Err(denied), NOW, Outcome::Unknown, "is not known"),
        (
            Ok(Some(99_500)),
            NOW.minus(Duration::from_mins(2)),
            Outcome::Unknown,
            "last asked for 2m",
        ),
    ];
    for (newest, asked, wanted, words) in cases {
        expect(
            &sighted(&plan(), audit(newest, asked), audit_flows),
            wanted,
            words,
        );
    }
    expect(
        &sighted(&plan(), Vec::new(), audit_flows),
        Outcome::Unknown,
        "no look at the recovery cluster",
    );
}

#[test]
fn a_recording_is_readable_once_some_of_it_was_read() {
    let seen = |read: Option<(Result<u32, Failure>, Moment)>| {
        let recordings = Recordings {
            bucket: "b".to_owned(),
            region: "us-west-2".to_owned(),
            versioning: Ok("Enabled".to_owned()),
            replication: Ok(Vec::new()),
            newest: Ok(Vec::new()),
            read: read.map(|(bytes, at)| ReadBack {
                key: "x.tar".to_owned(),
                at,
                bytes,
            }),
        };
        vec![(
            Subject::Recordings(Side::Recovery),
            Fact::Recordings(Arc::new(recordings)),
        )]
    };
    let denied = Failure::new(FailureKind::Forbidden, "S3 GetObject: KMS");
    let cases = [
        (
            seen(Some((Ok(16), NOW))),
            Outcome::Pass,
            "16 bytes read of x.tar",
        ),
        (
            seen(Some((Err(denied), NOW))),
            Outcome::Fail,
            "cannot be read",
        ),
        (
            seen(Some((Ok(16), NOW.minus(Duration::from_mins(3))))),
            Outcome::Unknown,
            "last read 3m",
        ),
        (seen(None), Outcome::Unknown, "was read yet"),
    ];
    for (facts, wanted, words) in cases {
        expect(&sighted(&plan(), facts, recording_readable), wanted, words);
    }
}
