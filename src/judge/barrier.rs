//! Whether the old load balancer is shut at AWS itself.

use super::{Glance, Sight, glance};
use crate::incident::{Fact, Finding, Subject, brief};

/// Every load balancer that led to the old cluster is found, and has no listener, or the closed security group of the
/// plan alone. One that is not found proves nothing: it may be another account's.
#[must_use]
pub fn shut(sight: &Sight<'_>) -> Finding {
    let barrier = match glance(&Subject::Barrier, sight) {
        Glance::Fresh(Fact::Barrier(barrier), _) => barrier,
        Glance::Stale(_, age) => {
            return Finding::unknown(format!(
                "Waiting for a new look at the old load balancer at AWS: the last was {} ago.",
                brief(age)
            ));
        }
        Glance::Failed(failure, _) => return Finding::unknown(failure.to_string()),
        Glance::Never | Glance::Fresh(..) => {
            return Finding::unknown("The old load balancer has not been looked at AWS yet.");
        }
    };
    let evidence = vec![Subject::Barrier];
    let closed = sight.plan.primary.fence_group.as_deref();
    let mut words = Vec::new();
    for one in &barrier.balancers {
        if closed.is_some_and(|group| one.behind(group)) {
            words.push(format!(
                "{} has only the security group {}, which the plan calls closed",
                one.name,
                closed.unwrap_or_default()
            ));
        } else if one.listeners.is_empty() {
            words.push(format!("{} has no listener", one.name));
        } else {
            let ports: Vec<String> = one
                .listeners
                .iter()
                .map(|listener| listener.port.to_string())
                .collect();
            return Finding::fail(
                format!(
                    "The load balancer {} still listens on {}.",
                    one.name,
                    ports.join(", ")
                ),
                evidence,
            );
        }
    }
    if !barrier.missing.is_empty() || words.is_empty() {
        return Finding::unknown(format!(
            "No load balancer in {} has the DNS name {}: whether it is shut cannot be told from here.",
            barrier.region,
            barrier.missing.join(", ")
        ));
    }
    Finding::pass(
        format!(
            "{}: nobody gets to the old cluster by it.",
            words.join("; ")
        ),
        evidence,
    )
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        incident::{
            Failure, FailureKind, Instruments, Moment, Observation, Outcome,
            barrier::{Balancer, Barrier, Listener},
        },
        plan::sample,
    };

    const NOW: Moment = Moment::from_secs(100_000);

    fn judged(
        outcome: Result<Barrier, Failure>,
        group: Option<&str>,
        since: Option<Moment>,
    ) -> Outcome {
        let mut instruments = Instruments::default();
        instruments.take(Observation {
            subject: Subject::Barrier,
            at: NOW,
            took: Duration::ZERO,
            outcome: outcome.map(|barrier| Fact::Barrier(Arc::new(barrier))),
        });
        let mut plan = sample::plan();
        plan.primary.fence_group = group.map(str::to_owned);
        let sight = Sight {
            instruments: &instruments,
            plan: &plan,
            now: NOW,
            since,
            outage: None,
        };
        shut(&sight).outcome
    }

    fn barrier(groups: &[&str], ports: &[u16], missing: &[&str]) -> Barrier {
        let listeners = ports.iter().map(|port| Listener {
            port: *port,
            ..Listener::default()
        });
        Barrier {
            region: "us-east-1".to_owned(),
            balancers: vec![Balancer {
                groups: groups.iter().map(|&group| group.to_owned()).collect(),
                listeners: listeners.collect(),
                ..Balancer::default()
            }],
            missing: missing.iter().map(|&host| host.to_owned()).collect(),
            ..Barrier::default()
        }
    }

    #[test]
    fn no_listener_or_the_closed_group_alone_and_nothing_else_is_shut() {
        use Outcome::{Fail, Pass, Unknown};
        let silent = Failure::new(FailureKind::Timeout, "no answer");
        for (seen, group, outcome) in [
            (Ok(barrier(&[], &[], &[])), None, Pass),
            (Ok(barrier(&[], &[443], &[])), None, Fail),
            (Ok(barrier(&["sg-0"], &[443], &[])), Some("sg-0"), Pass),
            (Ok(barrier(&["sg-0"], &[443], &[])), None, Fail),
            (
                Ok(barrier(&["sg-0", "sg-1"], &[443], &[])),
                Some("sg-0"),
                Fail,
            ),
            (Ok(barrier(&[], &[], &["other"])), None, Unknown),
            (Ok(Barrier::default()), None, Unknown),
            (Err(silent), None, Unknown),
        ] {
            assert_eq!(judged(seen.clone(), group, None), outcome, "{seen:?}");
        }
    }

    #[test]
    fn a_look_from_before_the_run_is_no_evidence() {
        let later = Some(NOW.plus(Duration::from_secs(1)));
        let seen = judged(Ok(barrier(&[], &[], &[])), None, later);
        assert_eq!(seen, Outcome::Unknown);
    }
}
