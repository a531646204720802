//! Whether the change freeze stands, and whether it is lifted: by the names of the locks that this incident made.

use super::{Glance, Sight, glance};
use crate::incident::{Fact, Finding, Freeze, Moment, Side, Subject, brief};

/// An Auth Service tells roles and locks: the primary's, or the recovery's after the relaunch. Without one nothing can be
/// locked, and nobody changes anything there either.
#[must_use]
pub fn answers(sight: &Sight<'_>) -> Finding {
    match told([Side::Primary, Side::Recovery], sight) {
        Ok((side, seen)) => Finding::pass(
            format!(
                "the {side} Auth Service tells {} roles that may change something and {} locks (context {})",
                seen.roles.len(),
                seen.locks.len(),
                seen.context
            ),
            vec![Subject::Freeze(side)],
        ),
        Err(unknown) => unknown,
    }
}

/// Every role that this incident's freeze locked has one of its locks, unexpired, in what the Auth Service tells: the
/// primary's, or the recovery's where the primary's tells nothing any more.
#[must_use]
pub fn held(sight: &Sight<'_>) -> Finding {
    let (side, seen) = match told([Side::Primary, Side::Recovery], sight) {
        Ok(told) => told,
        Err(unknown) => return unknown,
    };
    let evidence = vec![Subject::Freeze(side)];
    if seen.held.is_empty() {
        return Finding::fail("this incident's freeze has locked no role yet", evidence);
    }
    let mut open: Vec<&str> = seen
        .held
        .iter()
        .map(|held| held.role.as_str())
        .filter(|role| seen.holds(role, sight.now).is_none())
        .collect();
    open.dedup();
    if !open.is_empty() {
        return Finding::fail(
            format!(
                "no lock of this freeze stands on {} in context {}: a table restored from a copy made before holds none. \
                 Run Freeze changes again",
                open.join(", "),
                seen.context
            ),
            evidence,
        );
    }
    let standing = seen
        .held
        .iter()
        .filter_map(|held| seen.standing(&held.id, sight.now));
    let until: Option<Moment> = standing.filter_map(|lock| lock.expires).min();
    let until = until.map_or_else(String::new, |until| format!(" until {until}"));
    let mut roles: Vec<&str> = seen.held.iter().map(|held| held.role.as_str()).collect();
    roles.sort_unstable();
    roles.dedup();
    Finding::pass(
        format!(
            "locked in context {}{until}: {}",
            seen.context,
            roles.join(", ")
        ),
        evidence,
    )
}

/// No lock that this incident made is left in the recovery cluster, or in the primary where the recovery tells nothing.
#[must_use]
pub fn lifted(sight: &Sight<'_>) -> Finding {
    let (side, seen) = match told([Side::Recovery, Side::Primary], sight) {
        Ok(told) => told,
        Err(unknown) => return unknown,
    };
    let evidence = vec![Subject::Freeze(side)];
    let left: Vec<String> = seen
        .held
        .iter()
        .filter(|held| seen.standing(&held.id, sight.now).is_some())
        .map(|held| format!("{} on {}", held.id, held.role))
        .collect();
    if !left.is_empty() {
        return Finding::fail(
            format!(
                "locked still in context {}: {}",
                seen.context,
                left.join(", ")
            ),
            evidence,
        );
    }
    Finding::pass(
        if seen.held.is_empty() {
            "this incident's freeze has locked no role, so there is none to lift".to_owned()
        } else {
            format!(
                "none of the {} remembered is left in context {}",
                seen.held.len(),
                seen.context
            )
        },
        evidence,
    )
}

/// What the first of two sides tells whose Auth Service answers.
fn told<'a>(order: [Side; 2], sight: &Sight<'a>) -> Result<(Side, &'a Freeze), Finding> {
    let mut why = Vec::new();
    for side in order {
        match glance(&Subject::Freeze(side), sight) {
            Glance::Fresh(Fact::Freeze(seen), _) => {
                let planned = sight.plan.side(side).kube.uid.as_deref();
                if let (Some(planned), Some(found)) = (planned, seen.uid.as_deref())
                    && planned != found
                {
                    return Err(Finding::unknown(format!(
                        "context {} reaches another cluster than the planned {side} one",
                        seen.context
                    )));
                }
                return Ok((side, seen));
            }
            // It answered a moment ago: the other side would tell of other locks.
            Glance::Stale(_, age) => {
                return Err(Finding::unknown(format!(
                    "the {side} Auth Service was last asked {} ago",
                    brief(age)
                )));
            }
            Glance::Failed(failure, _) => why.push(format!("{side}: {failure}")),
            Glance::Never | Glance::Fresh(..) => {
                why.push(format!("{side}: the Auth Service was not asked yet"));
            }
        }
    }
    Err(Finding::unknown(why.join("; ")))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        incident::{Failure, FailureKind, HeldLock, Outcome, RoleLock},
        plan::sample,
    };

    const NOW: Moment = Moment::from_secs(10_000);

    fn held_lock(id: &str) -> HeldLock {
        HeldLock {
            id: id.to_owned(),
            role: "editor".to_owned(),
            context: "east".to_owned(),
        }
    }

    fn seen(held: &[&str], locks: &[(&str, i64)]) -> Freeze {
        Freeze {
            context: "east".to_owned(),
            held: held.iter().map(|id| held_lock(id)).collect(),
            locks: locks
                .iter()
                .map(|(id, until)| RoleLock {
                    id: (*id).to_owned(),
                    role: "editor".to_owned(),
                    message: String::new(),
                    expires: Some(Moment::from_secs(*until)),
                })
                .collect(),
            ..Freeze::default()
        }
    }

    fn judged(
        judge: fn(&Sight<'_>) -> Finding,
        sides: [Option<Result<Freeze, Failure>>; 2],
    ) -> Finding {
        let sides = Side::BOTH.into_iter().zip(sides);
        let seen = sides.filter_map(|(side, outcome)| {
            let seen = outcome?.map(|seen| Fact::Freeze(Arc::new(seen)));
            Some((Subject::Freeze(side), seen))
        });
        crate::judge::judged(judge, &sample::plan(), NOW, seen)
    }

    fn silent() -> Result<Freeze, Failure> {
        Err(Failure::new(FailureKind::Timeout, "5s"))
    }

    #[test]
    fn it_stands_while_a_remembered_lock_does_and_fails_once_expired_or_gone() {
        let cases = [
            (
                Some(Ok(seen(&["a"], &[("a", 20_000)]))),
                None,
                Outcome::Pass,
                "editor",
            ),
            (
                Some(Ok(seen(&["a"], &[("a", 9_000)]))),
                None,
                Outcome::Fail,
                "again",
            ),
            (
                Some(Ok(seen(&["a"], &[("other", 20_000)]))),
                None,
                Outcome::Fail,
                "again",
            ),
            (
                Some(Ok(seen(&[], &[("other", 20_000)]))),
                None,
                Outcome::Fail,
                "no role yet",
            ),
            (Some(silent()), None, Outcome::Unknown, "no answer"),
            (None, None, Outcome::Unknown, "not asked"),
            // Restored without it, and locked again there.
            (
                Some(silent()),
                Some(Ok(seen(&["a"], &[]))),
                Outcome::Fail,
                "before holds none",
            ),
            (
                Some(silent()),
                Some(Ok(seen(&["a", "b"], &[("b", 20_000)]))),
                Outcome::Pass,
                "until",
            ),
        ];
        for (primary, recovery, wanted, words) in cases {
            let finding = judged(held, [primary, recovery]);
            assert_eq!(finding.outcome, wanted, "{}", finding.sentence);
            assert!(finding.sentence.contains(words), "{}", finding.sentence);
        }
    }

    #[test]
    fn an_auth_service_answers_on_one_side_or_nobody_knows() {
        for (primary, recovery, wanted, words) in [
            (
                Some(Ok(seen(&[], &[]))),
                None,
                Outcome::Pass,
                "primary Auth",
            ),
            (
                Some(silent()),
                Some(Ok(seen(&[], &[("a", 20_000)]))),
                Outcome::Pass,
                "recovery Auth Service tells 0 roles that may change something and 1 locks",
            ),
            (
                Some(silent()),
                Some(silent()),
                Outcome::Unknown,
                "recovery: ",
            ),
            (None, None, Outcome::Unknown, "not asked yet"),
        ] {
            let finding = judged(answers, [primary, recovery]);
            assert_eq!(finding.outcome, wanted, "{}", finding.sentence);
            assert!(finding.sentence.contains(words), "{}", finding.sentence);
        }
    }

    #[test]
    fn it_is_lifted_when_none_of_ours_is_left_whoever_elses_is() {
        let cases = [
            (
                None,
                Some(Ok(seen(&["a"], &[("a", 20_000)]))),
                Outcome::Fail,
                "locked still",
            ),
            (
                None,
                Some(Ok(seen(&["a"], &[("other", 20_000)]))),
                Outcome::Pass,
                "none of the 1",
            ),
            (
                None,
                Some(Ok(seen(&[], &[]))),
                Outcome::Pass,
                "none to lift",
            ),
            // The way back: the recovery release is gone again.
            (
                Some(Ok(seen(&["a"], &[("a", 20_000)]))),
                Some(silent()),
                Outcome::Fail,
                "locked still",
            ),
            (
                Some(silent()),
                Some(silent()),
                Outcome::Unknown,
                "no answer",
            ),
        ];
        for (primary, recovery, wanted, words) in cases {
            let finding = judged(lifted, [primary, recovery]);
            assert_eq!(finding.outcome, wanted, "{}", finding.sentence);
            assert!(finding.sentence.contains(words), "{}", finding.sentence);
        }
    }
}
