//! What an isolated drill has made: is it gone.

use super::{Glance, Sight, glance};
use crate::incident::{
    Fact, Finding, Made, Subject, brief,
    made::{Standing, Thing},
};

/// Nothing that this drill made is there any more.
#[must_use]
pub fn gone(sight: &Sight<'_>) -> Finding {
    let made = match seen(sight) {
        Ok(made) => made,
        Err(unknown) => return unknown,
    };
    let evidence = vec![Subject::Made];
    let of = |wanted: fn(&Thing) -> bool| -> Vec<String> {
        let found = made.things.iter().filter(|thing| wanted(thing));
        found.map(ToString::to_string).collect()
    };
    let there = of(|thing| matches!(thing.stands, Ok(Standing::Ours | Standing::Going)));
    if !there.is_empty() {
        return Finding::fail(format!("still there: {}", there.join(", ")), evidence);
    }
    let foreign = of(|thing| matches!(thing.stands, Ok(Standing::Foreign(_))));
    if !foreign.is_empty() {
        return Finding::fail(
            format!(
                "left alone, since nothing says that it is this drill's: {}; Restore tables tags what it has restored, else \
                 look at it and delete it by hand",
                foreign.join(", ")
            ),
            evidence,
        );
    }
    if let Some(failure) = made
        .things
        .iter()
        .find_map(|thing| thing.stands.as_ref().err())
    {
        return Finding::unknown(format!("whether all of the drill is gone: {failure}"));
    }
    let stays = match made.stays() {
        words if words.is_empty() => String::new(),
        words => format!("; {}", words.join("; ")),
    };
    Finding::pass(
        format!(
            "{} things that drill {} made are gone{stays}",
            made.things.len(),
            made.stamp
        ),
        evidence,
    )
}

/// Whether something of the drill may be left: `None` where it was seen that nothing is.
#[must_use]
pub fn left(sight: &Sight<'_>) -> Option<String> {
    let made = match seen(sight) {
        Ok(made) => made,
        Err(unknown) => return Some(unknown.sentence),
    };
    let all_gone = made
        .things
        .iter()
        .all(|thing| thing.stands == Ok(Standing::Gone));
    (!all_gone).then(|| gone(sight).sentence)
}

fn seen<'a>(sight: &Sight<'a>) -> Result<&'a Made, Finding> {
    match glance(&Subject::Made, sight) {
        Glance::Fresh(Fact::Made(made), _) => Ok(made),
        Glance::Stale(_, age) => Err(Finding::unknown(format!(
            "what the drill made was last looked at {} ago",
            brief(age)
        ))),
        Glance::Failed(failure, _) => Err(Finding::unknown(failure.to_string())),
        Glance::Never | Glance::Fresh(..) => Err(Finding::unknown(
            "what the drill made has not been looked at yet",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        incident::{Failure, FailureKind, Moment, Outcome, Part, made::What},
        plan::sample,
    };

    const NOW: Moment = Moment::from_secs(10_000);

    fn made(stands: &[Part<Standing>]) -> Made {
        Made {
            stamp: "1234".to_owned(),
            things: stands
                .iter()
                .map(|stands| Thing {
                    what: What::Table,
                    name: "west-state-drill-1234".to_owned(),
                    at: NOW,
                    stands: stands.clone(),
                })
                .collect(),
            prefix: "s3://west/relight-drill/1234".to_owned(),
            recordings: Some(Ok(2)),
        }
    }

    #[test]
    fn gone_is_what_was_seen_to_be_gone() {
        let silent = || Failure::new(FailureKind::Timeout, "no answer");
        let foreign = || Ok(Standing::Foreign("it has no tag".to_owned()));
        let cases: [(&[Part<Standing>], Outcome, &str); 6] = [
            (&[], Outcome::Pass, "0 things"),
            (
                &[Ok(Standing::Gone)],
                Outcome::Pass,
                "2 recordings stay under s3://west",
            ),
            (
                &[Ok(Standing::Gone), Ok(Standing::Ours)],
                Outcome::Fail,
                "still there: table west",
            ),
            (&[Ok(Standing::Going)], Outcome::Fail, "still there"),
            (&[foreign()], Outcome::Fail, "left alone"),
            (
                &[Ok(Standing::Gone), Err(silent())],
                Outcome::Unknown,
                "no answer",
            ),
        ];
        for (stands, outcome, words) in cases {
            let fact = Ok(Fact::Made(Arc::new(made(stands))));
            let judged = |judge| {
                crate::judge::judged(judge, &sample::plan(), NOW, [(Subject::Made, fact.clone())])
            };
            let finding: Finding = judged(gone);
            assert_eq!(finding.outcome, outcome, "{}", finding.sentence);
            assert!(finding.sentence.contains(words), "{}", finding.sentence);
        }
        let never = crate::judge::judged(gone, &sample::plan(), NOW, []);
        assert_eq!(never.outcome, Outcome::Unknown);
    }
}
