//! Graceful or not: whether the primary's Kubernetes API answers, which is what a step that acts on it needs.

use super::{Glance, Sight, glance};
use crate::incident::{FailureKind, Finding, Side, Subject, Way, brief};

const PRIMARY: Subject = Subject::Cluster(Side::Primary);

/// The way that the instruments speak for, and why. Without a look there is no telling: then it is the graceful one, which
/// at worst fails.
#[must_use]
pub fn usual(sight: &Sight<'_>) -> (Way, String) {
    match glance(&PRIMARY, sight) {
        Glance::Fresh(..) => (
            Way::Graceful,
            "the primary's Kubernetes API answers".to_owned(),
        ),
        Glance::Failed(failure, _) if silent(failure.kind) => (
            Way::Ungraceful,
            format!("the primary's Kubernetes API: {failure}"),
        ),
        Glance::Failed(failure, _) => (
            Way::Graceful,
            format!("whether the primary's Kubernetes API answers is UNKNOWN: {failure}"),
        ),
        Glance::Stale(_, age) => (
            Way::Graceful,
            format!(
                "whether the primary's Kubernetes API answers is UNKNOWN: it was last read {} ago",
                brief(age)
            ),
        ),
        Glance::Never => (
            Way::Graceful,
            "the primary's Kubernetes API has not been looked at yet".to_owned(),
        ),
    }
}

/// The primary's Kubernetes API was asked lately and gave no answer: what a declaration that it cannot be reached rests on.
#[must_use]
pub fn primary_silent(sight: &Sight<'_>) -> Finding {
    match glance(&PRIMARY, sight) {
        Glance::Fresh(..) => Finding::fail(
            "the primary's Kubernetes API answers: go the graceful way",
            vec![PRIMARY],
        ),
        Glance::Failed(failure, _) if silent(failure.kind) => {
            let asked = sight.instruments.get(&PRIMARY);
            let late = asked.is_none_or(|asked| {
                sight.now.since(asked.last.at) > sight.plan.stale_after(&PRIMARY)
            });
            if late {
                return Finding::unknown("the primary's Kubernetes API was not asked lately");
            }
            Finding::pass(
                format!("the primary's Kubernetes API: {failure}"),
                vec![PRIMARY],
            )
        }
        Glance::Failed(failure, _) => Finding::unknown(format!(
            "whether the primary's Kubernetes API answers: {failure}"
        )),
        Glance::Stale(_, age) => Finding::unknown(format!(
            "the primary's Kubernetes API was last read {} ago",
            brief(age)
        )),
        Glance::Never => {
            Finding::unknown("the primary's Kubernetes API has not been looked at yet")
        }
    }
}

/// Whether a failure means that nothing came back. `Forbidden` is an answer; our own credentials or a plan without a
/// context say nothing of the primary.
const fn silent(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::Timeout | FailureKind::Unreachable | FailureKind::Server
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        incident::{Fact, Failure, Identity, Instruments, Moment, Observation, Outcome},
        plan::sample,
    };

    #[test]
    fn only_a_primary_that_was_asked_lately_and_gave_no_answer_is_given_up() {
        let now = Moment::from_secs(1_000);
        let answers = || Ok(Fact::Identity(Identity::default()));
        let failed = |kind| Err(Failure::new(kind, "tried"));
        let cases = [
            (Some((1, answers())), Way::Graceful, Outcome::Fail),
            (Some((900, answers())), Way::Graceful, Outcome::Unknown),
            (
                Some((1, failed(FailureKind::Timeout))),
                Way::Ungraceful,
                Outcome::Pass,
            ),
            (
                Some((900, failed(FailureKind::Timeout))),
                Way::Ungraceful,
                Outcome::Unknown,
            ),
            (
                Some((1, failed(FailureKind::Forbidden))),
                Way::Graceful,
                Outcome::Unknown,
            ),
            (
                Some((1, failed(FailureKind::Credentials))),
                Way::Graceful,
                Outcome::Unknown,
            ),
            (None, Way::Graceful, Outcome::Unknown),
        ];
        for (seen, way, silent) in cases {
            let mut instruments = Instruments::default();
            if let Some((ago, outcome)) = seen {
                instruments.take(Observation {
                    subject: PRIMARY,
                    at: now.minus(Duration::from_secs(ago)),
                    took: Duration::ZERO,
                    outcome,
                });
            }
            let plan = sample::plan();
            let sight = Sight {
                instruments: &instruments,
                plan: &plan,
                now,
                since: None,
                outage: None,
            };
            let (usual, why) = usual(&sight);
            assert_eq!(usual, way, "{why}");
            let finding = primary_silent(&sight);
            assert_eq!(finding.outcome, silent, "{}", finding.sentence);
        }
    }
}
