//! Bots after a restore: who is locked out, and whether the locks that the restore made are gone.

use super::{Glance, Sight, glance};
use crate::incident::{Bots, Fact, Finding, Subject, bots::BotLock, brief};

/// Names told in one sentence.
const NAMED: usize = 10;

/// Bots, how they join and which are locked have been read; who is at risk is named.
#[must_use]
pub fn known(sight: &Sight<'_>) -> Finding {
    let seen = match told(sight) {
        Ok(seen) => seen,
        Err(unknown) => return unknown,
    };
    if let Some(gap) = seen.gaps.first() {
        return Finding::unknown(format!("not all of the bots could be read: {gap}"));
    }
    let risk: Vec<&str> = seen.at_risk().map(|bot| bot.name.as_str()).collect();
    let mut words = vec![format!(
        "{} bots in context {}",
        seen.bots.len(),
        seen.context
    )];
    if risk.is_empty() {
        words.push("none that joined by a shared secret is away".to_owned());
    } else {
        words.push(format!(
            "AT RISK, joined by a shared secret and not heard of since the relaunch: {}; give each a delegated join \
             method (kubernetes, iam, github, bound_keypair and the like), or a new token by Unlock bots",
            few(&risk)
        ));
    }
    let locks: Vec<String> = seen.artefacts().map(BotLock::told).collect();
    if !locks.is_empty() {
        words.push(format!("LOCKED by a generation mismatch: {}", few(&locks)));
    }
    let older: Vec<String> = seen.older().map(BotLock::told).collect();
    if !older.is_empty() {
        words.push(format!(
            "locked since before the relaunch, so not by the restore, and never unlocked here: {}",
            few(&older)
        ));
    }
    Finding::pass(words.join("; "), vec![Subject::Bots])
}

/// No lock is left that a restore made.
#[must_use]
pub fn unlocked(sight: &Sight<'_>) -> Finding {
    let seen = match told(sight) {
        Ok(seen) => seen,
        Err(unknown) => return unknown,
    };
    let evidence = vec![Subject::Bots];
    let locks: Vec<String> = seen.artefacts().map(BotLock::told).collect();
    if locks.is_empty() {
        return Finding::pass(
            format!(
                "context {} has no lock of a generation mismatch of since the relaunch",
                seen.context
            ),
            evidence,
        );
    }
    Finding::fail(
        format!("locked by a generation mismatch: {}", few(&locks)),
        evidence,
    )
}

fn told<'a>(sight: &Sight<'a>) -> Result<&'a Bots, Finding> {
    let seen = match glance(&Subject::Bots, sight) {
        Glance::Fresh(Fact::Bots(seen), _) => seen,
        Glance::Stale(_, age) => {
            return Err(Finding::unknown(format!(
                "bots were last asked for {} ago",
                brief(age)
            )));
        }
        Glance::Failed(failure, _) => return Err(Finding::unknown(failure.to_string())),
        Glance::Never | Glance::Fresh(..) => {
            return Err(Finding::unknown("bots have not been asked for yet"));
        }
    };
    let planned = sight.plan.recovery.kube.uid.as_deref();
    match (planned, seen.uid.as_deref()) {
        (Some(planned), Some(found)) if planned != found => Err(Finding::unknown(format!(
            "context {} reaches another cluster than the planned recovery one",
            seen.context
        ))),
        _ => Ok(seen),
    }
}

fn few<T: AsRef<str>>(names: &[T]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMED).map(AsRef::as_ref).collect();
    let more = names.len().saturating_sub(NAMED);
    if more > 0 {
        return format!("{} and {more} more", shown.join(", "));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        incident::{Failure, FailureKind, Moment, Outcome, bots::Bot},
        plan::sample,
    };

    const NOW: Moment = Moment::from_secs(10_000);
    const SINCE: Moment = Moment::from_secs(9_000);

    fn seen(bots: &[(&str, &str, i64)], locks: &[(&str, Option<i64>)]) -> Bots {
        Bots {
            context: "west".to_owned(),
            since: SINCE,
            bots: bots
                .iter()
                .map(|(name, method, last)| Bot {
                    name: (*name).to_owned(),
                    methods: vec![(*method).to_owned()],
                    instances: 1,
                    last: Some(Moment::from_secs(*last)),
                })
                .collect(),
            locks: locks
                .iter()
                .map(|(id, made)| BotLock {
                    id: (*id).to_owned(),
                    target: "user bot-ci".to_owned(),
                    made: made.map(Moment::from_secs),
                })
                .collect(),
            ..Bots::default()
        }
    }

    fn judged(judge: fn(&Sight<'_>) -> Finding, outcome: Result<Bots, Failure>) -> Finding {
        let seen = outcome.map(|seen| Fact::Bots(Arc::new(seen)));
        crate::judge::judged(judge, &sample::plan(), NOW, [(Subject::Bots, seen)])
    }

    #[test]
    fn who_joined_by_a_secret_and_is_away_is_named_and_who_is_back_is_not() {
        let bots = [
            ("ci", "token", 8_000),
            ("deploy", "kubernetes", 8_000),
            ("back", "token", 9_500),
        ];
        let finding = judged(known, Ok(seen(&bots, &[("a", None), ("old", Some(1_000))])));
        assert_eq!(finding.outcome, Outcome::Pass);
        let told = &finding.sentence;
        assert!(told.contains("since the relaunch: ci; give"), "{told}");
        assert!(
            told.contains("LOCKED by a generation mismatch: a on user bot-ci;"),
            "{told}"
        );
        assert!(told.contains("never unlocked here: old on"), "{told}");
        let calm = judged(known, Ok(seen(&bots[1..], &[])));
        assert!(
            calm.sentence
                .contains("none that joined by a shared secret is away"),
            "{}",
            calm.sentence
        );
        let gap = Bots {
            gaps: vec![Failure::new(FailureKind::Forbidden, "tctl get bots")],
            ..seen(&bots, &[])
        };
        assert_eq!(judged(known, Ok(gap)).outcome, Outcome::Unknown);
    }

    #[test]
    fn a_lock_that_the_copy_brought_along_is_not_the_restores() {
        let cases = [
            (Ok(seen(&[], &[])), Outcome::Pass, "no lock"),
            (
                Ok(seen(&[], &[("a", Some(9_500))])),
                Outcome::Fail,
                "a on user bot-ci",
            ),
            (Ok(seen(&[], &[("a", None)])), Outcome::Fail, "a on"),
            (
                Ok(seen(&[], &[("a", Some(8_999))])),
                Outcome::Pass,
                "no lock",
            ),
            (
                Err(Failure::new(FailureKind::Timeout, "5s")),
                Outcome::Unknown,
                "no answer",
            ),
        ];
        for (outcome, wanted, words) in cases {
            let finding = judged(unlocked, outcome);
            assert_eq!(finding.outcome, wanted, "{}", finding.sentence);
            assert!(finding.sentence.contains(words), "{}", finding.sentence);
        }
    }
}
