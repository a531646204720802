//! Whether the operator has made of Teleport's dynamic resources what they say.

use super::{Glance, Sight, glance};
use crate::incident::{Fact, Finding, Subject, brief};

/// Names told in one sentence.
const NAMED: usize = 5;

/// Every custom resource of Teleport in the recovery cluster is reconciled by the operator, and every Kustomization that
/// the plan names is applied.
#[must_use]
pub fn reconciled(sight: &Sight<'_>) -> Finding {
    let seen = match glance(&Subject::Resources, sight) {
        Glance::Fresh(Fact::Resources(seen), _) => seen,
        Glance::Stale(_, age) => {
            return Finding::unknown(format!(
                "the recovery cluster's resources were last read {} ago",
                brief(age)
            ));
        }
        Glance::Failed(failure, _) => return Finding::unknown(failure.to_string()),
        Glance::Never | Glance::Fresh(..) => {
            return Finding::unknown("the recovery cluster's resources have not been read yet");
        }
    };
    let planned = sight.plan.recovery.kube.uid.as_deref();
    if let (Some(planned), Some(found)) = (planned, seen.uid.as_deref())
        && planned != found
    {
        return Finding::unknown(format!(
            "context {} reaches another cluster than the planned recovery one",
            seen.context
        ));
    }
    let evidence = vec![Subject::Resources];
    let mut lacks = seen.lacks();
    // What failed is no better for something else being unreadable.
    if !seen.failed.is_empty() || (seen.gaps.is_empty() && !lacks.is_empty()) {
        let more = lacks.len().saturating_sub(NAMED);
        lacks.truncate(NAMED);
        let more = if more > 0 {
            format!("; and {more} more")
        } else {
            String::new()
        };
        return Finding::fail(
            format!("{}: {}{more}", seen.told(), lacks.join("; ")),
            evidence,
        );
    }
    if let Some(gap) = seen.gaps.first() {
        return Finding::unknown(format!("not everything could be read: {gap}"));
    }
    if seen.objects == 0 && seen.flux.is_empty() {
        return Finding::fail(
            format!(
                "there is no object of resources.teleport.dev in namespace {} of context {}: nothing has been applied there",
                sight.plan.cluster.namespace, seen.context
            ),
            evidence,
        );
    }
    let flux = if seen.flux.is_empty() {
        String::new()
    } else {
        format!("; {} Kustomizations of Flux applied", seen.flux.len())
    };
    Finding::pass(
        format!("{}{flux} in context {}", seen.told(), seen.context),
        evidence,
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        incident::{Failure, FailureKind, Moment, Outcome, Resources, resources::Unreconciled},
        plan::sample,
    };

    const NOW: Moment = Moment::from_secs(10_000);

    fn judged(outcome: Result<Resources, Failure>) -> Finding {
        let seen = outcome.map(|seen| Fact::Resources(Arc::new(seen)));
        let mut plan = sample::plan();
        plan.recovery.kube.uid = Some("u".to_owned());
        crate::judge::judged(reconciled, &plan, NOW, [(Subject::Resources, seen)])
    }

    #[test]
    fn all_are_reconciled_or_the_first_that_are_not_are_named() {
        let fine = || Resources {
            context: "west".to_owned(),
            uid: Some("u".to_owned()),
            operator: Some(("tc-operator".to_owned(), 1)),
            objects: 3,
            kinds: 2,
            reconciled: 3,
            ..Resources::default()
        };
        let denied = Failure::new(FailureKind::Forbidden, "list teleportroles (403)");
        let failed = vec![Unreconciled {
            name: "teleportroles/editor".to_owned(),
            why: "not owned".to_owned(),
        }];
        let cases = [
            (
                Ok(fine()),
                Outcome::Pass,
                "3 of 3 resources reconciled, of 2 kinds in context west",
            ),
            (
                Ok(Resources {
                    reconciled: 2,
                    failed: failed.clone(),
                    ..fine()
                }),
                Outcome::Fail,
                "teleportroles/editor: not owned",
            ),
            (
                Ok(Resources {
                    reconciled: 2,
                    failed,
                    gaps: vec![denied.clone()],
                    ..fine()
                }),
                Outcome::Fail,
                "not owned",
            ),
            (
                Ok(Resources {
                    gaps: vec![denied.clone()],
                    ..fine()
                }),
                Outcome::Unknown,
                "403",
            ),
            (
                Ok(Resources {
                    operator: None,
                    ..fine()
                }),
                Outcome::Fail,
                "no Teleport operator",
            ),
            (
                Ok(Resources {
                    objects: 0,
                    reconciled: 0,
                    ..fine()
                }),
                Outcome::Fail,
                "nothing has been applied",
            ),
            (
                Ok(Resources {
                    uid: Some("other".to_owned()),
                    ..fine()
                }),
                Outcome::Unknown,
                "another cluster",
            ),
            (Err(denied), Outcome::Unknown, "403"),
        ];
        for (outcome, wanted, words) in cases {
            let finding = judged(outcome);
            assert_eq!(finding.outcome, wanted, "{}", finding.sentence);
            assert!(finding.sentence.contains(words), "{}", finding.sentence);
        }
    }
}
