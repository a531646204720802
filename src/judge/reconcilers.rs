//! Whether something would bring the old cluster back, or point the names back, by itself.

use super::{Glance, Sight, glance};
use crate::incident::{Fact, Finding, Reconciler, Reconcilers, Side, Subject, brief};

/// Nothing acts by itself on the release in the primary or on its names: what was found is paused, and everything could
/// be looked at. What is forbidden to look at is UNKNOWN, never "not there".
#[must_use]
pub fn paused(sight: &Sight<'_>) -> Finding {
    let side = Side::Primary;
    let seen = match found(side, sight) {
        Ok(seen) => seen,
        Err(unknown) => return unknown,
    };
    let evidence = vec![Subject::Reconcilers(side)];
    let acting: Vec<String> = seen
        .found
        .iter()
        .filter(|one| one.active())
        .map(words)
        .collect();
    if !acting.is_empty() {
        return Finding::fail(
            format!("would act by itself in the {side}: {}", acting.join("; ")),
            evidence,
        );
    }
    if let Some(gap) = seen.gaps.first() {
        return Finding::unknown(format!(
            "whether anything would bring the old cluster back cannot be told: {gap}"
        ));
    }
    Finding::pass(settled(seen), evidence)
}

/// Nothing in the primary's cluster is paused by Relight: what remembers what it was is in force again, or was deleted.
#[must_use]
pub fn resumed(sight: &Sight<'_>) -> Finding {
    let seen = match found(Side::Primary, sight) {
        Ok(seen) => seen,
        Err(unknown) => return unknown,
    };
    let evidence = vec![Subject::Reconcilers(Side::Primary)];
    let paused: Vec<String> = seen
        .found
        .iter()
        .filter(|one| one.paused())
        .map(Reconciler::title)
        .collect();
    if !paused.is_empty() {
        return Finding::fail(
            format!("still paused in the primary: {}", paused.join(", ")),
            evidence,
        );
    }
    if let Some(gap) = seen.gaps.first() {
        return Finding::unknown(format!(
            "whether something is still paused in the primary cannot be told: {gap}"
        ));
    }
    Finding::pass(
        format!("nothing in context {} is paused by Relight", seen.context),
        evidence,
    )
}

/// What was looked for in the cluster of a side, if lately and in the planned one.
pub(super) fn found<'a>(side: Side, sight: &Sight<'a>) -> Result<&'a Reconcilers, Finding> {
    let seen = match glance(&Subject::Reconcilers(side), sight) {
        Glance::Fresh(Fact::Reconcilers(seen), _) => seen,
        Glance::Stale(_, age) => {
            return Err(Finding::unknown(format!(
                "what reconciles in the {side} cluster was last looked for {} ago",
                brief(age)
            )));
        }
        Glance::Failed(failure, _) => {
            return Err(Finding::unknown(format!(
                "what reconciles in the {side} cluster: {failure}"
            )));
        }
        Glance::Never | Glance::Fresh(..) => {
            return Err(Finding::unknown(format!(
                "what reconciles in the {side} cluster has not been looked for yet"
            )));
        }
    };
    if let (Some(planned), Some(found)) = (
        sight.plan.side(side).kube.uid.as_deref(),
        seen.uid.as_deref(),
    ) && planned != found
    {
        return Err(Finding::unknown(format!(
            "context {} reaches another cluster than the planned {side} one, so what it shows says nothing",
            seen.context
        )));
    }
    Ok(seen)
}

/// What acts by itself in a cluster, by the last look that told, whatever its age: for an alarm after the pause.
#[must_use]
pub fn acting<'a>(side: Side, sight: &Sight<'a>) -> Vec<&'a Reconciler> {
    match glance(&Subject::Reconcilers(side), sight) {
        Glance::Fresh(Fact::Reconcilers(seen), _) => {
            seen.found.iter().filter(|one| one.active()).collect()
        }
        _ => Vec::new(),
    }
}

/// `Flux HelmRelease flux-system/teleport (installs release teleport-cluster)`.
#[must_use]
pub fn words(one: &Reconciler) -> String {
    let owner = one.owner.as_ref().map_or_else(String::new, |owner| {
        format!("; it belongs to {owner}, which may put it back")
    });
    format!("{} ({}{owner})", one.title(), one.why)
}

fn settled(seen: &Reconcilers) -> String {
    let absent = if seen.absent.is_empty() {
        String::new()
    } else {
        format!("; not installed: {}", seen.absent.join(", "))
    };
    if seen.found.is_empty() {
        return format!(
            "nothing in context {} would bring the old cluster back by itself{absent}",
            seen.context
        );
    }
    let names: Vec<String> = seen.found.iter().map(Reconciler::title).collect();
    format!("paused: {}{absent}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        incident::{
            Failure, FailureKind, Instruments, Moment, Observation, Outcome, ReconcilerKind,
        },
        plan::sample,
    };

    const NOW: Moment = Moment::from_secs(10_000);

    fn release(acts: Option<&str>) -> Reconciler {
        Reconciler {
            kind: ReconcilerKind::FluxHelmRelease,
            api: "/apis/helm.toolkit.fluxcd.io/v2".to_owned(),
            plural: "helmreleases".to_owned(),
            namespace: "flux-system".to_owned(),
            name: "teleport".to_owned(),
            why: "installs release teleport-cluster".to_owned(),
            acts: acts.map(str::to_owned),
            before: None,
            owner: None,
            dns: None,
        }
    }

    fn judged(outcome: Result<Reconcilers, Failure>, ago: u64) -> Finding {
        let mut instruments = Instruments::default();
        instruments.take(Observation {
            subject: Subject::Reconcilers(Side::Primary),
            at: NOW.minus(Duration::from_secs(ago)),
            took: Duration::ZERO,
            outcome: outcome.map(|seen| Fact::Reconcilers(Arc::new(seen))),
        });
        let plan = sample::plan();
        paused(&Sight {
            instruments: &instruments,
            plan: &plan,
            now: NOW,
            since: None,
            outage: None,
        })
    }

    fn seen(found: Vec<Reconciler>, gaps: Vec<Failure>) -> Reconcilers {
        Reconcilers {
            context: "east".to_owned(),
            found,
            gaps,
            absent: vec!["Argo CD".to_owned()],
            ..Reconcilers::default()
        }
    }

    #[test]
    fn absent_forbidden_failed_and_empty_are_four_things() {
        let forbidden = || Failure::new(FailureKind::Forbidden, "list applications");
        let cases = [
            (
                Ok(seen(vec![], vec![])),
                1,
                Outcome::Pass,
                "not installed: Argo CD",
            ),
            (
                Ok(seen(vec![release(None)], vec![])),
                1,
                Outcome::Pass,
                "paused: Flux HelmRelease flux-system/teleport",
            ),
            (
                Ok(seen(vec![release(Some("false"))], vec![forbidden()])),
                1,
                Outcome::Fail,
                "installs release",
            ),
            (
                Ok(seen(vec![release(None)], vec![forbidden()])),
                1,
                Outcome::Unknown,
                "forbidden",
            ),
            (
                Err(Failure::new(FailureKind::Timeout, "3s")),
                1,
                Outcome::Unknown,
                "no answer",
            ),
            (Ok(seen(vec![], vec![])), 4000, Outcome::Unknown, "ago"),
        ];
        for (outcome, ago, wanted, words) in cases {
            let finding = judged(outcome, ago);
            assert_eq!(finding.outcome, wanted, "{}", finding.sentence);
            assert!(finding.sentence.contains(words), "{}", finding.sentence);
        }
    }

    #[test]
    fn another_cluster_than_the_planned_one_proves_nothing() {
        let mut other = seen(vec![], vec![]);
        other.uid = Some("someone else".to_owned());
        let mut plan = sample::plan();
        plan.primary.kube.uid = Some("planned".to_owned());
        let mut instruments = Instruments::default();
        instruments.take(Observation {
            subject: Subject::Reconcilers(Side::Primary),
            at: NOW,
            took: Duration::ZERO,
            outcome: Ok(Fact::Reconcilers(Arc::new(other))),
        });
        let finding = paused(&Sight {
            instruments: &instruments,
            plan: &plan,
            now: NOW,
            since: None,
            outage: None,
        });
        assert_eq!(finding.outcome, Outcome::Unknown, "{}", finding.sentence);
    }
}
