//! Whether there is a black box, and what of it a way back can rest on.

use std::time::Duration;

use super::{Glance, Sight, glance};
use crate::incident::{
    BlackBox, Fact, Finding, Subject,
    black_box::{Holding, Place},
    brief,
};

/// The newest black box known, of whatever age its reading is: what was recorded does not change by being old.
#[must_use]
pub fn known<'a>(sight: &Sight<'a>) -> Option<&'a BlackBox> {
    match glance(&Subject::BlackBox, sight).known()? {
        (Fact::BlackBox(found), _) => Some(found),
        _ => None,
    }
}

/// The black box lies in the incident's folder and holds what a way back needs: records, addresses and pins. What else
/// it lacks is named: a primary that is dead tells no more.
#[must_use]
pub fn recorded(sight: &Sight<'_>) -> Finding {
    let found = match look(sight) {
        Ok(found) => found,
        Err(finding) => return finding,
    };
    let evidence = vec![Subject::BlackBox];
    if found.place == Place::Kept {
        return Finding::unknown(format!(
            "only a {} is there; this incident has none of its own yet",
            found.told(sight.now)
        ));
    }
    let planned = |name: &str| name != "DNS records" || sight.plan.dns.zone_id.is_some();
    let needed = ["DNS records", "load balancer", "CA pins"];
    let parts = found.parts();
    let lacking: Vec<String> = parts
        .iter()
        .filter(|(name, part)| needed.contains(name) && planned(name) && !part.good)
        .map(|(name, part)| lack(name, part))
        .collect();
    if !lacking.is_empty() {
        return Finding::fail(
            format!(
                "the black box lacks what a way back needs: {}. Run the step again when that answers, or skip it with a \
                 reason and go on without a way back",
                lacking.join("; ")
            ),
            evidence,
        );
    }
    let mut sentence = format!("{}: {}", found.told(sight.now), contents(found, sight));
    let without: Vec<&str> = parts
        .iter()
        .filter(|(_, part)| !part.good)
        .map(|(name, _)| *name)
        .collect();
    if !without.is_empty() {
        sentence = format!("{sentence}; without {}", without.join(", "));
    }
    match &found.copied {
        Some(Ok(copied)) => sentence = format!("{sentence}; copied to {}", copied.to),
        Some(Err(why)) => {
            sentence = format!("{sentence}; NOT copied off this host: {why}");
        }
        None => sentence.push_str("; it lies on this host only: set copy_to in [black_box]"),
    }
    Finding::pass(sentence, evidence)
}

/// A reading that is fresh, or why there is none.
pub(super) fn look<'a>(sight: &Sight<'a>) -> Result<&'a BlackBox, Finding> {
    match glance(&Subject::BlackBox, sight) {
        Glance::Fresh(Fact::BlackBox(found), _) => Ok(found),
        Glance::Stale(_, age) => Err(Finding::unknown(format!(
            "the black box was last read {} ago",
            brief(age)
        ))),
        Glance::Failed(failure, _) => Err(Finding::unknown(failure.to_string())),
        Glance::Never | Glance::Fresh(..) => {
            Err(Finding::unknown("the black box has not been read yet"))
        }
    }
}

fn lack(name: &str, part: &Holding<'_>) -> String {
    let why = part
        .why
        .map_or("nothing was told", |why| why.detail.as_str());
    format!("{name} ({why})")
}

/// What is in it, with the age of its oldest part where that is of an earlier box.
fn contents(found: &BlackBox, sight: &Sight<'_>) -> String {
    let parts = found.parts();
    let good = parts.iter().filter(|(_, part)| part.good).count();
    let oldest = parts
        .iter()
        .filter(|(_, part)| part.good)
        .map(|(name, part)| (sight.now.since(part.at), *name))
        .max();
    let told = format!("{good} of {} parts", parts.len());
    match oldest {
        // Of one look: not worth a word.
        Some((age, name)) if age > sight.now.since(found.at) + Duration::from_mins(1) => {
            format!("{told}, the oldest ({name}) {} old", brief(age))
        }
        _ => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        incident::{
            Failure, FailureKind, Instruments, Moment, Observation, Outcome,
            black_box::{
                Copied, Kept,
                sample::{sealed, silence},
            },
        },
        plan::sample::plan,
    };

    const NOW: Moment = Moment::from_secs(1_795_000_000);

    fn judged(outcome: Result<BlackBox, Failure>) -> (Outcome, String) {
        let mut instruments = Instruments::default();
        instruments.take(Observation {
            subject: Subject::BlackBox,
            at: NOW,
            took: Duration::ZERO,
            outcome: outcome.map(|found| Fact::BlackBox(found.into())),
        });
        let plan = plan();
        let finding = recorded(&Sight {
            instruments: &instruments,
            plan: &plan,
            now: NOW,
            since: None,
            outage: None,
        });
        (finding.outcome, finding.sentence)
    }

    fn boxed() -> BlackBox {
        BlackBox {
            place: Place::Incident,
            ..sealed(NOW.minus(Duration::from_mins(3))).seen
        }
    }

    #[test]
    fn a_box_passes_in_the_incident_alone_and_says_where_its_copy_is() {
        let (outcome, told) = judged(Ok(boxed()));
        assert_eq!(outcome, Outcome::Pass, "{told}");
        assert!(
            told.contains("recorded 3m00s ago in this incident"),
            "{told}"
        );
        assert!(told.contains("on this host only"), "{told}");
        let copied = Copied {
            to: "s3://b/k".to_owned(),
            at: NOW,
        };
        let copied = BlackBox {
            copied: Some(Ok(copied)),
            ..boxed()
        };
        assert!(judged(Ok(copied)).1.contains("copied to s3://b/k"));
        let kept = BlackBox {
            place: Place::Kept,
            ..boxed()
        };
        assert_eq!(judged(Ok(kept)).0, Outcome::Unknown);
        let none = Failure::new(FailureKind::NotFound, "there is no black box");
        assert_eq!(judged(Err(none)).0, Outcome::Unknown);
    }

    #[test]
    fn what_a_way_back_needs_is_needed_and_the_rest_is_named() {
        let mut found = boxed();
        found.release = Kept::new("context east", NOW, Err(silence()));
        let (outcome, told) = judged(Ok(found.clone()));
        assert_eq!(outcome, Outcome::Pass);
        assert!(told.contains("without Helm release and values"), "{told}");
        found.pins = Kept::new("old door", NOW, Err(silence()));
        let (outcome, told) = judged(Ok(found));
        assert_eq!(outcome, Outcome::Fail);
        assert!(told.contains("CA pins (us-east-1 gave no answer"), "{told}");
    }

    #[test]
    fn a_part_of_an_earlier_box_is_told_with_its_age() {
        let mut found = boxed();
        found.pins.at = NOW.minus(Duration::from_hours(30));
        let (outcome, told) = judged(Ok(found));
        assert_eq!(outcome, Outcome::Pass);
        assert!(told.contains("the oldest (CA pins) 30h00m old"), "{told}");
    }
}
