//! Whether a region can be reached at all: what the header says of the two sides.

use super::{Assessment, Glance, Sight, glance};
use crate::incident::{Door, Fact, FailureKind, Health, Side, Subject, TableRole};

/// What one source tells of its region.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Voice {
    Answers,
    Silent,
    Unseen,
}

/// The health of a side's region: whether its API endpoints, its cluster and its load balancer answer at all, whatever
/// they say. Silence on both sides at once tells more of this machine than of the regions: then it is UNKNOWN.
#[must_use]
pub fn assess(side: Side, sight: &Sight<'_>) -> Assessment {
    let [here, there] = [side, other(side)].map(|side| voices(side, sight));
    let count = |voices: &[Voice], voice| voices.iter().filter(|seen| **seen == voice).count();
    let (answers, silent) = (count(&here, Voice::Answers), count(&here, Voice::Silent));
    let cut_off = count(&there, Voice::Answers) == 0 && count(&there, Voice::Silent) > 0;
    let (health, sentence) = match (answers, silent) {
        (0, 0) => (Health::Unknown, "not looked at yet".to_owned()),
        (0, _) if cut_off => (
            Health::Unknown,
            "no region answers: is this machine cut off?".to_owned(),
        ),
        (0, _) => (Health::Down, "nothing answers".to_owned()),
        (_, 0) => (Health::Ok, "all answers".to_owned()),
        _ => (
            Health::Degraded,
            format!("{answers} of {} answer", answers + silent),
        ),
    };
    Assessment::new(health, sentence, None)
}

const fn other(side: Side) -> Side {
    match side {
        Side::Primary => Side::Recovery,
        Side::Recovery => Side::Primary,
    }
}

fn voices(side: Side, sight: &Sight<'_>) -> Vec<Voice> {
    let door = match side {
        Side::Primary => Door::Old,
        Side::Recovery => Door::New,
    };
    [
        Subject::Identity(side),
        Subject::Cluster(side),
        Subject::Table(side, TableRole::State),
        Subject::Door(door),
    ]
    .iter()
    .map(|subject| voice(subject, sight))
    .collect()
}

fn voice(subject: &Subject, sight: &Sight<'_>) -> Voice {
    match glance(subject, sight) {
        Glance::Fresh(Fact::Door(door), _) => {
            if door.addresses.iter().any(|address| address.tcp.is_ok()) {
                Voice::Answers
            } else if door.addresses.is_empty() {
                Voice::Unseen
            } else {
                Voice::Silent
            }
        }
        Glance::Fresh(..) => Voice::Answers,
        Glance::Failed(failure, _) => match failure.kind {
            FailureKind::Timeout | FailureKind::Unreachable | FailureKind::Server => Voice::Silent,
            // It said no, and so it is there.
            FailureKind::Forbidden | FailureKind::NotFound | FailureKind::Throttled => {
                Voice::Answers
            }
            // Not planned, not resolved, our own credentials: this says nothing of the region.
            _ => Voice::Unseen,
        },
        Glance::Stale(..) | Glance::Never => Voice::Unseen,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        incident::{Failure, Identity, Instruments, Moment, Observation},
        plan::sample,
    };

    const NOW: Moment = Moment::from_secs(1_000);

    /// One look at each of these subjects: `None` answers.
    fn judged(seen: &[(Subject, Option<FailureKind>)]) -> [Health; 2] {
        let mut instruments = Instruments::default();
        for (subject, failure) in seen {
            let outcome = match failure {
                None => Ok(Fact::Identity(Identity::default())),
                Some(kind) => Err(Failure::new(*kind, "tried")),
            };
            instruments.take(Observation {
                subject: subject.clone(),
                at: NOW.minus(Duration::from_secs(1)),
                took: Duration::ZERO,
                outcome,
            });
        }
        let plan = sample::plan();
        let sight = Sight {
            instruments: &instruments,
            plan: &plan,
            now: NOW,
            since: None,
            outage: None,
        };
        Side::BOTH.map(|side| assess(side, &sight).health)
    }

    #[test]
    fn a_region_is_down_only_while_the_other_one_is_heard() {
        use FailureKind::{Credentials, Forbidden, NotPlanned, Timeout, Unreachable};
        use Health::{Degraded, Down, Ok, Unknown};
        use Side::{Primary, Recovery};

        let sts = Subject::Identity;
        let cluster = Subject::Cluster;
        let cases: [(&[_], [Health; 2]); 6] = [
            (&[], [Unknown, Unknown]),
            (
                &[(sts(Primary), Some(Timeout)), (sts(Recovery), None)],
                [Down, Ok],
            ),
            // Nobody is heard: that tells of this machine.
            (
                &[
                    (sts(Primary), Some(Timeout)),
                    (sts(Recovery), Some(Unreachable)),
                ],
                [Unknown, Unknown],
            ),
            (
                &[(sts(Primary), None), (cluster(Primary), Some(Timeout))],
                [Degraded, Unknown],
            ),
            // It said no, and so it is there.
            (&[(cluster(Recovery), Some(Forbidden))], [Unknown, Ok]),
            // Our own gaps say nothing of a region.
            (
                &[
                    (sts(Primary), Some(Credentials)),
                    (cluster(Primary), Some(NotPlanned)),
                ],
                [Unknown, Unknown],
            ),
        ];
        for (seen, healths) in cases {
            assert_eq!(judged(seen), healths, "{seen:?}");
        }
    }
}
