//! How seldom the host authorities are asked for: the export is rate limited and goes through to Auth.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use futures::future::join_all;

use crate::{
    clients::web::Web,
    incident::{Address, Failure, FailureKind, Moment, Part, Witnessed},
};

/// For how long an answer is good while nothing about the server changes.
const GOOD_FOR: Duration = Duration::from_mins(5);

/// Shortest time between two questions to one address, whatever changes.
const AT_MOST_EVERY: Duration = Duration::from_secs(10);

/// What tells one stage of a server from the next: who it says it is, and the certificate it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stage {
    version: Option<String>,
    cluster: Option<String>,
    certificate_ends: Option<i64>,
}

#[derive(Clone, Debug)]
struct Asked {
    at: Instant,
    /// The same on the wall clock.
    when: Moment,
    /// The stage answered for; `None` since the server stopped answering ping: then it may come back as another one.
    stage: Option<Stage>,
    answer: Part<Vec<String>>,
}

/// The pins of each address, as they were last asked for.
#[derive(Debug, Default)]
pub(super) struct Pins {
    known: HashMap<IpAddr, Asked>,
}

impl Pins {
    /// Fills in the pins of addresses that answer ping, asking where that is due.
    pub(super) async fn fill(&mut self, web: &Web, seen: &mut [Address], now: Instant) {
        self.known
            .retain(|ip, _| seen.iter().any(|address| address.ip == *ip));
        let due: Vec<(IpAddr, bool, Stage)> = seen
            .iter()
            .filter_map(|address| Some((address.ip, trusted(address), self.due(address, now)?)))
            .collect();
        let answers = join_all(due.iter().map(|(ip, trusted, _)| web.pins(*ip, *trusted))).await;
        for ((ip, _, stage), answer) in due.into_iter().zip(answers) {
            self.took(ip, stage, answer, now);
        }
        for address in seen {
            if address.ping.is_ok()
                && let Some(asked) = self.known.get(&address.ip)
            {
                address.pins = asked.shown();
            }
        }
    }

    /// The pins that an address shows, with when they were asked for; `None` while there are none.
    pub(super) fn witnessed(&self, address: &Address) -> Option<Witnessed> {
        let pins = address.pins.as_ref().ok()?;
        let asked = self.known.get(&address.ip)?;
        (!pins.is_empty()).then(|| Witnessed {
            ip: address.ip,
            pins: pins.clone(),
            at: asked.when,
        })
    }

    /// The stage to ask for, if the address is to be asked now.
    fn due(&mut self, address: &Address, now: Instant) -> Option<Stage> {
        let stage = stage(address);
        let Some(asked) = self.known.get_mut(&address.ip) else {
            return stage;
        };
        let Some(stage) = stage else {
            asked.stage = None;
            return None;
        };
        let age = now.saturating_duration_since(asked.at);
        let stands = asked.answer.is_ok() && asked.stage.as_ref() == Some(&stage) && age < GOOD_FOR;
        (!stands && age >= AT_MOST_EVERY).then_some(stage)
    }

    fn took(&mut self, ip: IpAddr, stage: Stage, answer: Part<Vec<String>>, at: Instant) {
        let stage = Some(stage);
        let when = Moment::now();
        self.known.insert(
            ip,
            Asked {
                at,
                when,
                stage,
                answer,
            },
        );
    }
}

impl Asked {
    /// What may be shown: an answer of an earlier stage is nobody's any more.
    fn shown(&self) -> Part<Vec<String>> {
        if self.stage.is_some() {
            return self.answer.clone();
        }
        Err(Failure::new(
            FailureKind::NotPlanned,
            "the server has just come back: its host authorities are asked for within 10 s",
        ))
    }
}

#[cfg(test)]
impl Pins {
    /// Takes an address's pins as asked for at its present stage.
    pub(super) fn remember(&mut self, address: &Address, at: Instant) {
        if let Some(stage) = stage(address) {
            self.took(address.ip, stage, address.pins.clone(), at);
        }
    }
}

fn stage(address: &Address) -> Option<Stage> {
    let ping = address.ping.as_ref().ok()?;
    Some(Stage {
        version: ping.server_version.clone(),
        cluster: ping.cluster_name.clone(),
        certificate_ends: address.tls.as_ref().ok().map(|tls| tls.not_after.millis()),
    })
}

fn trusted(address: &Address) -> bool {
    address.tls.as_ref().is_ok_and(|tls| tls.problem.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Ping;

    fn address(version: Option<&str>) -> Address {
        let gone = Failure::new(FailureKind::Unreachable, "gone");
        Address {
            ip: IpAddr::from([192, 0, 2, 1]),
            port: 443,
            tcp: Err(gone.clone()),
            tls: Err(gone.clone()),
            ping: version
                .map(|version| Ping {
                    server_version: Some(version.to_owned()),
                    ..Ping::default()
                })
                .ok_or_else(|| gone.clone()),
            find: Err(gone.clone()),
            pins: Err(gone.clone()),
            steady: Vec::new(),
            wildcard: Err(gone),
        }
    }

    #[test]
    fn an_export_is_asked_for_once_a_stage_and_never_too_often() {
        let start = Instant::now();
        let mut pins = Pins::default();
        // Seconds, what ping says, whether the export is to be asked for.
        let story = [
            (0, None, false),
            (1, Some("17"), true),
            (6, Some("17"), false),
            (290, Some("17"), false),
            (302, Some("17"), true),
            (307, Some("18"), false),
            (313, Some("18"), true),
            (318, None, false),
            (324, Some("18"), true),
        ];
        for (at, version, due) in story {
            let seen = address(version);
            let now = start + Duration::from_secs(at);
            let stage = pins.due(&seen, now);
            assert_eq!(stage.is_some(), due, "at {at} s");
            if let Some(stage) = stage {
                pins.took(seen.ip, stage, Ok(vec!["sha256:aa".to_owned()]), now);
            }
        }
    }

    #[test]
    fn a_server_that_was_away_does_not_show_what_it_said_before() {
        let start = Instant::now();
        let mut pins = Pins::default();
        let seen = address(Some("17"));
        let stage = pins.due(&seen, start).expect("a first question");
        pins.took(seen.ip, stage, Ok(vec!["sha256:aa".to_owned()]), start);
        assert_eq!(
            pins.due(&address(None), start + Duration::from_secs(5)),
            None
        );
        assert_eq!(pins.due(&seen, start + Duration::from_secs(6)), None);
        let asked = pins.known.get(&seen.ip).expect("known");
        assert!(asked.shown().is_err());
    }
}
