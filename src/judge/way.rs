//! Graceful or not: whether the primary's Kubernetes API answers, which is what a step that acts on it needs; and whether
//! Route 53's control plane does, which is what a change of records needs.

use super::{Glance, Sight, glance};
use crate::incident::{FailureKind, Finding, Side, Silence, Subject, Way, brief};

impl Silence {
    /// What is looked at to tell.
    const fn subject(self) -> Subject {
        match self {
            Self::Primary => Subject::Cluster(Side::Primary),
            Self::DnsControl => Subject::Zone,
        }
    }

    /// What answers or does not.
    const fn what(self) -> &'static str {
        match self {
            Self::Primary => "the primary's Kubernetes API",
            Self::DnsControl => "Route 53's control plane",
        }
    }

    /// Whether a failure means that nothing came back. `Forbidden` is an answer; our own credentials or a plan without a
    /// context say nothing of the other side. Of an endpoint of AWS it may be its name that is gone, as in October 2025.
    const fn is(self, kind: FailureKind) -> bool {
        match kind {
            FailureKind::Timeout | FailureKind::Unreachable | FailureKind::Server => true,
            FailureKind::Unresolved | FailureKind::Empty => matches!(self, Self::DnsControl),
            _ => false,
        }
    }
}

/// The way that the instruments speak for, and why. Without a look there is no telling: then it is the graceful one, which
/// at worst fails.
#[must_use]
pub fn usual(silence: Silence, sight: &Sight<'_>) -> (Way, String) {
    let what = silence.what();
    match glance(&silence.subject(), sight) {
        Glance::Fresh(..) => (Way::Graceful, format!("{what} answers")),
        Glance::Failed(failure, _) if silence.is(failure.kind) => {
            (Way::Ungraceful, format!("{what}: {failure}"))
        }
        Glance::Failed(failure, _) => (
            Way::Graceful,
            format!("whether {what} answers is UNKNOWN: {failure}"),
        ),
        Glance::Stale(_, age) => (
            Way::Graceful,
            format!(
                "whether {what} answers is UNKNOWN: it was last read {} ago",
                brief(age)
            ),
        ),
        Glance::Never => (Way::Graceful, format!("{what} has not been looked at yet")),
    }
}

/// Who is needed was asked lately and gave no answer: what going without rests on.
#[must_use]
pub fn silent(silence: Silence, sight: &Sight<'_>) -> Finding {
    let (subject, what) = (silence.subject(), silence.what());
    match glance(&subject, sight) {
        Glance::Fresh(..) => Finding::fail(
            format!("{what} answers: go the graceful way"),
            vec![subject],
        ),
        Glance::Failed(failure, _) if silence.is(failure.kind) => {
            let asked = sight.instruments.get(&subject);
            let late = asked.is_none_or(|asked| {
                sight.now.since(asked.last.at) > sight.plan.stale_after(&subject)
            });
            if late {
                return Finding::unknown(format!("{what} was not asked lately"));
            }
            Finding::pass(format!("{what}: {failure}"), vec![subject])
        }
        Glance::Failed(failure, _) => {
            Finding::unknown(format!("whether {what} answers: {failure}"))
        }
        Glance::Stale(_, age) => {
            Finding::unknown(format!("{what} was last read {} ago", brief(age)))
        }
        Glance::Never => Finding::unknown(format!("{what} has not been looked at yet")),
    }
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
    fn only_who_was_asked_lately_and_gave_no_answer_is_given_up() {
        for silence in [Silence::Primary, Silence::DnsControl] {
            given_up(silence);
        }
    }

    fn given_up(silence: Silence) {
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
        // An endpoint of AWS may lose its name; a cluster's is the operator's own matter.
        let unresolved = match silence {
            Silence::Primary => (Way::Graceful, Outcome::Unknown),
            Silence::DnsControl => (Way::Ungraceful, Outcome::Pass),
        };
        let unresolved = (
            Some((1, failed(FailureKind::Unresolved))),
            unresolved.0,
            unresolved.1,
        );
        let cases = cases.into_iter().chain([unresolved]);
        for (seen, way, wanted) in cases {
            let mut instruments = Instruments::default();
            if let Some((ago, outcome)) = seen {
                instruments.take(Observation {
                    subject: silence.subject(),
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
            let (usual, why) = usual(silence, &sight);
            assert_eq!(usual, way, "{why}");
            let finding = silent(silence, &sight);
            assert_eq!(finding.outcome, wanted, "{}", finding.sentence);
        }
    }
}
