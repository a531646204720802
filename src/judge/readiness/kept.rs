//! What is kept and tried beforehand: the black box, the pins, the plan, a drill.

use std::time::Duration;

use super::{Inquiry, Ruling};
use crate::{
    incident::{Drill, Drills, Outcome, Subject, brief},
    judge::black_box as boxes,
    plan::Level,
};

/// A box is made each night; one that is older has missed a night.
const BOX: Duration = Duration::from_hours(36);

/// The guide says "regularly" and names no time: a quarter is the longest that is called so here.
const DRILL: Duration = Duration::from_hours(92 * 24);

/// The newest box is young, whole and not on this host alone.
pub(super) fn black_box(inquiry: &Inquiry<'_>) -> Ruling {
    let sight = &inquiry.sight;
    let found = match boxes::look(sight) {
        Ok(found) => found,
        Err(unknown) => return Ruling::of(unknown, sight),
    };
    let age = sight.now.since(found.at);
    let planned = |name: &str| name != "DNS records" || sight.plan.dns.zone_id.is_some();
    let parts = found.parts();
    let lacking: Vec<&str> = parts
        .iter()
        .filter(|(name, part)| planned(name) && !part.good)
        .map(|(name, _)| *name)
        .collect();
    let earlier: Vec<&str> = parts
        .iter()
        .filter(|(_, part)| part.good && part.why.is_some())
        .map(|(name, _)| *name)
        .collect();
    let (mut bad, mut unclear) = (Vec::new(), Vec::new());
    if age > BOX {
        bad.push(format!("the newest is {} old", brief(age)));
    }
    if !lacking.is_empty() {
        bad.push(format!("it lacks {}", lacking.join(", ")));
    }
    match &found.copied {
        Some(Ok(_)) => {}
        Some(Err(why)) => bad.push(format!("it was not copied off this host: {why}")),
        None => bad.push("it lies on this host only".to_owned()),
    }
    if !earlier.is_empty() {
        unclear.push(format!(
            "{} could not be seen this time and is of an earlier one",
            earlier.join(", ")
        ));
    }
    let (outcome, words) = match (bad.is_empty(), unclear.is_empty()) {
        (false, _) => (Outcome::Fail, bad),
        (true, false) => (Outcome::Unknown, unclear),
        (true, true) => {
            let whole = format!(
                "recorded {} ago, whole, and copied off this host",
                brief(age)
            );
            (Outcome::Pass, vec![whole])
        }
    };
    Ruling::new(outcome, words.join("; "), Some(age))
}

/// By which pins the new cluster is told from one with other authorities.
pub(super) fn pins(inquiry: &Inquiry<'_>) -> Ruling {
    let sight = &inquiry.sight;
    let planned = sight.plan.cluster.ca_pins.len();
    let kept = boxes::known(sight).map(|found| &found.pins);
    match kept.and_then(|pins| Some((pins.good()?, pins.at))) {
        Some((pins, at)) => Ruling::new(
            Outcome::Pass,
            format!("{} in the black box, {planned} in the plan", pins.len()),
            Some(sight.now.since(at)),
        ),
        None if planned > 0 => Ruling::on(
            Outcome::Pass,
            format!("{planned} in the plan, none in the black box"),
            &[Subject::BlackBox],
            sight,
        ),
        None => Ruling::new(
            Outcome::Fail,
            "neither plan nor black box holds any: new authorities could not be told from the old ones",
            None,
        ),
    }
}

/// Nothing is missing in the plan.
pub(super) fn plan(inquiry: &Inquiry<'_>) -> Ruling {
    let plan = inquiry.sight.plan;
    let gaps: Vec<&str> = plan
        .warnings
        .iter()
        .filter(|found| found.level == Level::Gap)
        .map(|found| found.message.as_str())
        .collect();
    let place = plan.path.display();
    match gaps.split_first() {
        None => Ruling::new(
            Outcome::Pass,
            format!("nothing is missing in {place}"),
            None,
        ),
        Some((first, [])) => Ruling::new(Outcome::Fail, format!("{place}: {first}"), None),
        Some((first, rest)) => Ruling::new(
            Outcome::Fail,
            format!("{place}: {first}, and {} more", rest.len()),
            None,
        ),
    }
}

/// The last drill is not long ago, was finished, and was fast enough.
pub(super) fn drill(inquiry: &Inquiry<'_>) -> Ruling {
    let sight = &inquiry.sight;
    let rto = sight.plan.objectives.rto;
    let sentence = inquiry.drills.told(sight.now, rto);
    let sentence = sentence.unwrap_or_else(|| "the incidents kept here cannot be read".to_owned());
    match inquiry.drills {
        Drills::Unread => Ruling::unknown(sentence),
        Drills::Never => Ruling::new(Outcome::Fail, sentence, None),
        // Nobody knows yet whether the stop and the switch work, nor how long the whole takes.
        Drills::Isolated(Drill { at, .. }) => {
            Ruling::new(Outcome::Fail, sentence, Some(sight.now.since(*at)))
        }
        Drills::Last(Drill { at, took, .. }) => {
            let age = sight.now.since(*at);
            let done = took.is_some_and(|took| took <= rto);
            let outcome = if done && age <= DRILL {
                Outcome::Pass
            } else {
                Outcome::Fail
            };
            let late = match took {
                Some(took) if *took > rto => {
                    format!(": {} over the objective", brief(took.saturating_sub(rto)))
                }
                _ if age > DRILL => format!(": longer ago than {}", brief(DRILL)),
                _ => String::new(),
            };
            Ruling::new(outcome, format!("{sentence}{late}"), Some(age))
        }
    }
}
