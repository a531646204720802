//! Whether the recovery region has what the install needs, and whether the chart is the one that ran before.

use super::{Glance, Sight, black_box, glance};
use crate::incident::{
    Fact, Finding, Prerequisites, Subject, brief,
    prerequisites::{Item, Standing},
};

/// Every item that the values ask for is there. What only could not be seen from here, such as an image behind
/// credentials, is said and in nobody's way.
#[must_use]
pub fn met(sight: &Sight<'_>) -> Finding {
    let seen = match seen(sight) {
        Ok(seen) => seen,
        Err(unknown) => return unknown,
    };
    let mut evidence = vec![Subject::Prerequisites];
    let mut items = seen.items(&sight.plan.primary.region, &sight.plan.recovery.region);
    if let Some(item) = version(sight) {
        evidence.push(Subject::BlackBox);
        items.push(item);
    }
    let of = |standing: Standing| -> Vec<String> {
        items
            .iter()
            .filter(|item| item.standing == standing)
            .map(|item| format!("{}: {}", item.what, item.sentence))
            .collect()
    };
    let missing = of(Standing::Missing);
    if !missing.is_empty() {
        return Finding::fail(missing.join("; "), evidence);
    }
    let unclear = of(Standing::Unclear);
    if !unclear.is_empty() {
        return Finding::unknown(unclear.join("; "));
    }
    let met = of(Standing::Met).len();
    let mut sentence = format!("all {met} that {} asks for are there", seen.values);
    let unseen = of(Standing::Unseen);
    if !unseen.is_empty() {
        sentence = format!("{sentence}; {}", unseen.join("; "));
    }
    Finding::pass(sentence, evidence)
}

/// A reading that is fresh, or why there is none.
pub(super) fn seen<'a>(sight: &Sight<'a>) -> Result<&'a Prerequisites, Finding> {
    match glance(&Subject::Prerequisites, sight) {
        Glance::Fresh(Fact::Prerequisites(seen), _) => Ok(seen),
        Glance::Stale(_, age) => Err(Finding::unknown(format!(
            "the prerequisites were last looked at {} ago",
            brief(age)
        ))),
        Glance::Failed(failure, _) => Err(Finding::unknown(failure.to_string())),
        Glance::Never | Glance::Fresh(..) => Err(Finding::unknown(
            "the prerequisites have not been looked at yet",
        )),
    }
}

/// The pinned chart against the one that ran before: Teleport from v18 on refuses a backend that a newer version has
/// written.
pub(super) fn version(sight: &Sight<'_>) -> Option<Item> {
    let pinned = sight.plan.cluster.version.as_deref()?;
    let found = black_box::known(sight)?;
    let before = found.release.good()?;
    let age = brief(sight.now.since(found.release.at));
    let (pin, ran) = (parts(pinned), parts(&before.version));
    let (standing, sentence) = match pin.cmp(&ran) {
        std::cmp::Ordering::Equal => (
            Standing::Met,
            format!("{pinned} is what ran before, by the black box of {age} ago"),
        ),
        std::cmp::Ordering::Less => (
            Standing::Missing,
            format!(
                "the plan pins {pinned}, and {} ran before (black box of {age} ago): an older one refuses what a newer \
                 has written. Set version in [cluster]",
                before.version
            ),
        ),
        std::cmp::Ordering::Greater => (
            Standing::Unseen,
            format!(
                "the plan pins {pinned}, and {} ran before (black box of {age} ago): a recovery is no time to upgrade",
                before.version
            ),
        ),
    };
    Some(Item {
        what: "chart version".to_owned(),
        standing,
        sentence,
    })
}

/// The numbers of a version; what follows a hyphen or plus does not count.
pub(super) fn parts(version: &str) -> Vec<u32> {
    let version = version.trim_start_matches('v');
    let plain = version.split(['-', '+']).next().unwrap_or_default();
    plain
        .split('.')
        .map(|part| part.parse().unwrap_or(0))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        incident::{
            Failure, FailureKind, Instruments, Moment, Observation, Outcome,
            black_box::sample::sealed, prerequisites::tests,
        },
        plan::sample::plan,
    };

    const NOW: Moment = Moment::from_secs(1_795_000_000);

    fn judged(outcome: Result<Prerequisites, Failure>, ran: Option<&str>) -> (Outcome, String) {
        let mut instruments = Instruments::default();
        let mut take = |subject, outcome| {
            instruments.take(Observation {
                subject,
                at: NOW,
                took: Duration::ZERO,
                outcome,
            });
        };
        let outcome = outcome.map(|seen| Fact::Prerequisites(seen.into()));
        take(Subject::Prerequisites, outcome);
        if let Some(ran) = ran {
            let mut found = sealed(NOW).seen;
            if let Ok(release) = &mut found.release.value {
                ran.clone_into(&mut release.version);
            }
            take(Subject::BlackBox, Ok(Fact::BlackBox(found.into())));
        }
        let plan = plan();
        let finding = met(&Sight {
            instruments: &instruments,
            plan: &plan,
            now: NOW,
            since: None,
            outage: None,
        });
        (finding.outcome, finding.sentence)
    }

    #[test]
    fn missing_fails_unclear_is_unknown_and_unseen_is_only_said() {
        assert_eq!(judged(Ok(tests::met()), None).0, Outcome::Pass);
        let mut seen = tests::met();
        seen.image.1 = Err(Failure::new(FailureKind::Unreachable, "no way there"));
        let (outcome, told) = judged(Ok(seen.clone()), None);
        assert_eq!(outcome, Outcome::Pass);
        assert!(told.contains("not known from here"), "{told}");
        seen.nodes = Err(Failure::new(FailureKind::Forbidden, "nodes"));
        assert_eq!(judged(Ok(seen.clone()), None).0, Outcome::Unknown);
        seen.chart = Err(Failure::new(FailureKind::NotFound, "no chart"));
        let (outcome, told) = judged(Ok(seen), None);
        assert_eq!(outcome, Outcome::Fail);
        assert!(told.contains("chart: not found: no chart"), "{told}");
        let none = Failure::new(FailureKind::NotPlanned, "no values");
        assert_eq!(judged(Err(none), None).0, Outcome::Unknown);
    }

    #[test]
    fn an_older_chart_than_ran_before_fails_and_a_newer_is_said() {
        // The sample plan pins 17.0.2.
        for (ran, outcome, words) in [
            ("17.0.2", Outcome::Pass, "are there"),
            ("17.1.0", Outcome::Fail, "refuses what a newer has written"),
            ("16.9.9", Outcome::Pass, "no time to upgrade"),
        ] {
            let (found, told) = judged(Ok(tests::met()), Some(ran));
            assert_eq!(found, outcome, "{told}");
            assert!(told.contains(words), "{told}");
        }
    }
}
