//! A plan and readings for the tests of this room.

use std::{path::Path, sync::Arc, time::Duration};

use crate::{
    incident::{
        Answer, Change, Fact, Failure, FailureKind, Hop, Instruments, Moment, Observation, Rcode,
        Subject,
    },
    judge::Sight,
    plan::Plan,
};

/// When the tests look.
pub const NOW: Moment = Moment::from_secs(1_000_000);

pub const NAMES: [&str; 2] = ["tele.example.com", "*.tele.example.com"];
pub const AUTHORITIES: [&str; 2] = ["ns-1", "ns-2"];
pub const RESOLVERS: [&str; 2] = ["10.0.0.1", "10.0.0.2"];

/// 192.0.2.1 is OLD, 198.51.100.1 is NEW.
pub fn plan() -> Plan {
    let text = r#"
[cluster]
name = "tele.example.com"
[primary]
region = "us-east-1"
[recovery]
region = "us-west-2"
[dns]
zone = "example.com"
resolvers = [{ label = "office", address = "10.0.0.1:53" }, "10.0.0.2"]
public_resolvers = []
nameservers = [{ label = "ns-1", address = "10.1.0.1:53" }, { label = "ns-2", address = "10.1.0.2:53" }]
old = ["192.0.2.1", "old.elb.us-east-1.amazonaws.com"]
new = ["198.51.100.1", "new.elb.us-west-2.amazonaws.com"]
"#;
    Plan::parse(Path::new("/plans/relight.toml"), text).expect("a plan")
}

pub fn answer(addresses: &[&str]) -> Answer {
    Answer {
        server: "10.0.0.1:53".to_owned(),
        authority: false,
        asked: "tele.example.com".to_owned(),
        rcode: Rcode::NoError,
        aa: false,
        chain: Vec::new(),
        addresses: addresses
            .iter()
            .map(|address| address.parse().expect("an address"))
            .collect(),
        ttl: Some(60),
        rtt: Duration::from_millis(12),
        transport: "udp".to_owned(),
        changed: None,
    }
}

pub fn hop(target: &str) -> Hop {
    Hop {
        target: target.to_owned(),
        ttl: 60,
    }
}

/// Readings, put together answer by answer.
#[derive(Default)]
pub struct Readings(pub Instruments);

impl Readings {
    /// Every server gives this answer for every name, seen 5 s ago.
    pub fn all(addresses: &[&str]) -> Self {
        let mut readings = Self::default();
        for server in AUTHORITIES.iter().chain(&RESOLVERS) {
            for name in NAMES {
                readings.put(server, name, 5, answer(addresses));
            }
        }
        readings
    }

    pub fn put(&mut self, server: &str, name: &str, ago: u64, mut answer: Answer) {
        answer.authority = AUTHORITIES.contains(&server);
        answer.aa = answer.authority;
        self.raw(server, name, ago, Ok(Fact::Answer(Arc::new(answer))));
    }

    pub fn silent(&mut self, server: &str, name: &str, ago: u64) {
        let failure = Failure::new(FailureKind::Timeout, "no answer in 1000 ms");
        self.raw(server, name, ago, Err(failure));
    }

    pub fn raw(&mut self, server: &str, name: &str, ago: u64, outcome: Result<Fact, Failure>) {
        self.0.take(Observation {
            subject: Subject::Answer {
                server: server.into(),
                name: name.into(),
            },
            at: NOW.minus(Duration::from_secs(ago)),
            took: Duration::from_millis(12),
            outcome,
        });
    }

    pub fn sight<'a>(&'a self, plan: &'a Plan) -> Sight<'a> {
        Sight {
            instruments: &self.0,
            plan,
            now: NOW,
            since: None,
            outage: None,
        }
    }
}

/// The authority changed so many seconds ago, from an answer with that TTL.
pub fn changed(ago: u64, ttl_before: u32, addresses: &[&str]) -> Answer {
    let mut answer = answer(addresses);
    answer.changed = Some(Change {
        at: NOW.minus(Duration::from_secs(ago)),
        ttl_before: Some(ttl_before),
    });
    answer
}
