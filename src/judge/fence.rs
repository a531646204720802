//! Whether the old cluster is out of the way: STOPPED is proven, silence is UNREACHABLE.

use super::{Sight, cluster, doors};
use crate::incident::{Fact, Outcome, Side, Subject};

/// Where the old cluster stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// Its pods and its release are seen to be gone, and no old address answers as this cluster.
    Stopped,
    /// Some of it is seen.
    Running,
    /// Neither its Kubernetes API nor its load balancer answers: that is no proof of anything.
    Unreachable,
    /// One of the two proves something, the other cannot be told.
    Unclear,
}

impl Fence {
    /// The word shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stopped => "STOPPED",
            Self::Running => "RUNNING",
            Self::Unreachable => "UNREACHABLE",
            Self::Unclear => "UNCLEAR",
        }
    }
}

/// Where the old cluster stands, with the reason.
#[must_use]
pub fn fence(sight: &Sight<'_>) -> (Fence, String) {
    let gone = cluster::gone(Side::Primary, sight);
    let shut = doors::old_shut(sight);
    match (gone.outcome, shut.outcome) {
        (Outcome::Fail, _) => (Fence::Running, gone.sentence),
        (_, Outcome::Fail) => (Fence::Running, shut.sentence),
        (Outcome::Pass, Outcome::Pass) => (Fence::Stopped, shut.sentence),
        (Outcome::Unknown, Outcome::Unknown) => (
            Fence::Unreachable,
            format!("{}; {}", gone.sentence, shut.sentence),
        ),
        (Outcome::Unknown, _) => (Fence::Unclear, gone.sentence),
        (_, Outcome::Unknown) => (Fence::Unclear, shut.sentence),
    }
}

/// What of the old cluster is there again, in words: `Ok` is beyond doubt, `Err` may be.
#[must_use]
pub fn comeback(sight: &Sight<'_>) -> Option<Result<String, String>> {
    let door = doors::comeback(sight);
    if let Some(Ok(_)) = door {
        return door;
    }
    pods(sight).map(Ok).or(door)
}

/// Pods or Deployments of the release in the planned primary cluster, by a fresh reading.
fn pods(sight: &Sight<'_>) -> Option<String> {
    let finding = cluster::gone(Side::Primary, sight);
    let fresh = matches!(
        sight
            .instruments
            .get(&Subject::Cluster(Side::Primary))?
            .fresh(),
        Some(Fact::Cluster(_))
    );
    (fresh && finding.outcome == Outcome::Fail).then_some(finding.sentence)
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        incident::{
            Address, Certificate, Cluster, Door, DoorFact, Failure, FailureKind, Find, Instruments,
            Memo, Moment, Observation, Ping,
        },
        plan::{Plan, sample},
    };

    const NOW: Moment = Moment::from_secs(100_000);
    const OURS: &str = "sha256:aa";

    fn failure(kind: FailureKind) -> Failure {
        Failure::new(kind, "tried")
    }

    /// An address that answers under the cluster's name, with these pins and this problem of its certificate.
    fn answering(pins: Result<&str, FailureKind>, problem: Option<&str>) -> Address {
        Address {
            ip: [192, 0, 2, 1].into(),
            port: 443,
            tcp: Ok(Duration::ZERO),
            tls: Ok(Certificate {
                issuer: String::new(),
                names: Vec::new(),
                not_before: NOW,
                not_after: NOW,
                problem: problem.map(str::to_owned),
            }),
            ping: Ok(Ping {
                status: 200,
                cluster_name: Some("teleport.example.com".to_owned()),
                ..Ping::default()
            }),
            find: Ok(Find::default()),
            pins: pins.map(|pin| vec![pin.to_owned()]).map_err(failure),
            steady: Vec::new(),
            wildcard: Err(Failure::new(FailureKind::NotPlanned, "not asked")),
        }
    }

    fn silent(kind: FailureKind) -> Address {
        Address {
            tcp: Err(failure(kind)),
            tls: Err(failure(kind)),
            ping: Err(failure(kind)),
            find: Err(failure(kind)),
            pins: Err(failure(kind)),
            ..answering(Ok(OURS), None)
        }
    }

    fn empty() -> Cluster {
        Cluster {
            context: "east".to_owned(),
            uid: None,
            pods: Vec::new(),
            deployments: Vec::new(),
            load_balancer: None,
            events: Vec::new(),
            release: Ok(None),
            gaps: Vec::new(),
            memo: Memo::default(),
        }
    }

    fn judged<T>(
        address: Option<Address>,
        cluster: Result<Cluster, FailureKind>,
        judge: impl FnOnce(&Sight<'_>) -> T,
    ) -> T {
        let mut instruments = Instruments::default();
        let door = address.map(|address| DoorFact {
            host: "old".to_owned(),
            addresses: vec![address],
            ..DoorFact::default()
        });
        let door = door.map_or_else(
            || Err(failure(FailureKind::Timeout)),
            |door| Ok(Fact::Door(Arc::new(door))),
        );
        let cluster = cluster
            .map(|cluster| Fact::Cluster(Arc::new(cluster)))
            .map_err(failure);
        for (subject, outcome) in [
            (Subject::Door(Door::Old), door),
            (Subject::Cluster(Side::Primary), cluster),
        ] {
            instruments.take(Observation {
                subject,
                at: NOW,
                took: Duration::ZERO,
                outcome,
            });
        }
        let mut plan: Plan = sample::plan();
        plan.cluster.ca_pins = vec![OURS.to_owned()];
        judge(&Sight {
            instruments: &instruments,
            plan: &plan,
            now: NOW,
            since: None,
            outage: None,
        })
    }

    #[test]
    fn silence_is_unreachable_and_never_stopped() {
        use FailureKind::{Timeout, Unreachable};
        let place = |address, cluster| judged(address, cluster, fence).0;
        assert_eq!(place(None, Err(Timeout)), Fence::Unreachable);
        assert_eq!(
            place(Some(silent(Timeout)), Err(Unreachable)),
            Fence::Unreachable
        );
        assert_eq!(place(Some(silent(Timeout)), Ok(empty())), Fence::Unclear);
        assert_eq!(
            place(Some(silent(Unreachable)), Err(Timeout)),
            Fence::Unclear
        );
        assert_eq!(
            place(Some(silent(Unreachable)), Ok(empty())),
            Fence::Stopped
        );
        assert_eq!(
            place(Some(answering(Ok(OURS), None)), Ok(empty())),
            Fence::Running
        );
    }

    #[test]
    fn back_is_certificate_name_and_pins_together() {
        let back = |address| judged(Some(address), Ok(empty()), comeback);
        assert!(matches!(back(answering(Ok(OURS), None)), Some(Ok(_))));
        assert!(matches!(
            back(answering(Err(FailureKind::Timeout), None)),
            Some(Err(_))
        ));
        // A released address that somebody else has got.
        assert_eq!(back(answering(Ok("sha256:bb"), None)), None);
        let untrusted = back(answering(Ok(OURS), Some("self-signed")));
        assert!(matches!(untrusted, Some(Err(_))), "{untrusted:?}");
        assert_eq!(back(silent(FailureKind::Unreachable)), None);
        let stranger = judged(Some(answering(Ok("sha256:bb"), None)), Ok(empty()), fence);
        assert_eq!(stranger.0, Fence::Unclear, "{}", stranger.1);
    }

    #[test]
    fn a_release_that_is_installed_again_is_back_without_a_door() {
        let cluster = Cluster {
            release: Ok(Some(crate::incident::Release {
                name: "teleport-cluster".to_owned(),
                revision: 1,
                status: "deployed".to_owned(),
                deployed: None,
            })),
            ..empty()
        };
        let back = judged(Some(silent(FailureKind::Timeout)), Ok(cluster), comeback);
        assert!(matches!(back, Some(Ok(_))), "{back:?}");
        let unread = judged(None, Err(FailureKind::Timeout), comeback);
        assert_eq!(unread, None);
    }
}
