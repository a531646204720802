//! Whether the operator saws at the branch that he sits on.

use super::{Glance, Sight, glance};
use crate::incident::{Fact, Finding, Subject, brief};

/// Neither this session nor a kube context of the plan goes through the Teleport cluster: what is stopped would take the
/// hands away that stop it, half-way.
#[must_use]
pub fn elsewhere(sight: &Sight<'_>) -> Finding {
    let session = match glance(&Subject::Session, sight) {
        Glance::Fresh(Fact::Session(session), _) => session,
        Glance::Stale(_, age) => {
            return Finding::unknown(format!(
                "the ways of this session were last looked at {} ago",
                brief(age)
            ));
        }
        Glance::Failed(failure, _) => return Finding::unknown(failure.to_string()),
        Glance::Never | Glance::Fresh(..) => {
            return Finding::unknown("the ways of this session have not been looked at yet");
        }
    };
    let evidence = vec![Subject::Session];
    let name = &sight.plan.cluster.name;
    if !session.through.is_empty() {
        return Finding::fail(
            format!(
                "YOU ARE INSIDE WHAT WOULD BE STOPPED: {}. Come in another way (SSM, a bastion, the EKS endpoint with AWS \
                 credentials) and attach to this incident from there",
                session.through.join("; ")
            ),
            evidence,
        );
    }
    if !session.doubts.is_empty() {
        return Finding::unknown(format!(
            "whether this session goes through {name} cannot be told: {}",
            session.doubts.join("; ")
        ));
    }
    Finding::pass(
        format!(
            "nothing here goes through {name} ({})",
            session.looked.join(", ")
        ),
        evidence,
    )
}

/// The recovery side's credentials and kubeconfig need nothing of the primary region.
#[must_use]
pub fn independent(sight: &Sight<'_>) -> Finding {
    let session = match glance(&Subject::Session, sight) {
        Glance::Fresh(Fact::Session(session), _) => session,
        Glance::Stale(_, age) => {
            return Finding::unknown(format!(
                "what the credentials hang on was last looked at {} ago",
                brief(age)
            ));
        }
        Glance::Failed(failure, _) => return Finding::unknown(failure.to_string()),
        Glance::Never | Glance::Fresh(..) => {
            return Finding::unknown("what the credentials hang on has not been looked at yet");
        }
    };
    let evidence = vec![Subject::Session];
    let region = &sight.plan.primary.region;
    if !session.hangs.is_empty() {
        return Finding::fail(
            format!(
                "with {region} gone this is gone too: {}",
                session.hangs.join("; ")
            ),
            evidence,
        );
    }
    if !session.unsure.is_empty() {
        return Finding::unknown(format!(
            "whether the recovery credentials need {region} cannot be told: {}",
            session.unsure.join("; ")
        ));
    }
    Finding::pass(
        format!("neither profile nor kubeconfig of the recovery side names {region}"),
        evidence,
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::incident::{Instruments, Moment, Observation, Outcome, Session};

    #[test]
    fn what_hangs_on_the_primary_fails_and_a_doubt_is_no_pass() {
        let plan = crate::plan::sample::plan();
        let said = |words: &str| vec![words.to_owned()];
        let cases = [
            (
                Session::default(),
                Outcome::Pass,
                "neither profile nor kubeconfig",
            ),
            (
                Session {
                    hangs: said("sso_region"),
                    unsure: said("line 3"),
                    ..Session::default()
                },
                Outcome::Fail,
                "sso_region",
            ),
            (
                Session {
                    unsure: said("line 3"),
                    ..Session::default()
                },
                Outcome::Unknown,
                "line 3",
            ),
        ];
        for (session, outcome, words) in cases {
            let mut instruments = Instruments::default();
            instruments.take(Observation {
                subject: Subject::Session,
                at: Moment::from_secs(1),
                took: Duration::ZERO,
                outcome: Ok(Fact::Session(session)),
            });
            let sight = Sight {
                instruments: &instruments,
                plan: &plan,
                now: Moment::from_secs(2),
                since: None,
                outage: None,
            };
            let finding = independent(&sight);
            assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
            assert!(finding.sentence.contains(words), "{}", finding.sentence);
        }
        let nothing = Instruments::default();
        let sight = Sight {
            instruments: &nothing,
            plan: &plan,
            now: Moment::from_secs(2),
            since: None,
            outage: None,
        };
        assert_eq!(independent(&sight).outcome, Outcome::Unknown);
    }
}
