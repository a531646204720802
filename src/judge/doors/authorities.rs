//! Are the new cluster's certificate authorities those of the old one? The most important question of a recovery: a
//! cluster that came up on an empty table looks healthy in every other respect.

use std::{collections::BTreeSet, time::Duration};

use super::{
    fallback::{self, Row},
    look::{Look, behind, known, last, look},
    unlooked,
};
use crate::{
    incident::{Door, Subject, Witnessed, brief},
    judge::{Sight, black_box},
};

/// What the comparison came to. Pins are compared as sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorities {
    /// The same set.
    Same,
    /// All of the old ones, and so many more: a rotation, or local keys beside KMS.
    Grown(usize),
    /// Some of the old ones are missing.
    Partly,
    /// None of the old ones: another cluster, in truth.
    Other,
    /// Nothing to compare with.
    NoBaseline,
    /// Nothing to compare with, and the host authority in the state table is younger than the outage, in a sentence.
    Young(String),
    /// The new pins are not known, in a sentence.
    NotSeen(String),
}

/// The comparison and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// What it came to.
    pub verdict: Authorities,
    /// The readings used.
    pub evidence: Vec<Subject>,
    planned: BTreeSet<String>,
    seen: BTreeSet<String>,
    /// How long ago the pins at the old door were last asked for.
    age: Option<Duration>,
    /// Where they are from.
    from: String,
}

impl Compared {
    /// What was compared with, in words.
    #[must_use]
    pub fn baseline(&self) -> String {
        let ago = self
            .age
            .map(|age| format!(" {} ago", brief(age)))
            .unwrap_or_default();
        match (self.planned.is_empty(), self.seen.is_empty()) {
            (false, false) => {
                format!("compared with the plan's pins and those {}{ago}", self.from)
            }
            (false, true) => "compared with the plan's pins".to_owned(),
            (true, false) => format!("compared with the pins {}{ago}", self.from),
            (true, true) => "nothing to compare with".to_owned(),
        }
    }

    /// A set of pins against the baseline.
    #[must_use]
    pub fn of(&self, pins: &[String]) -> Authorities {
        if self.planned.is_empty() && self.seen.is_empty() {
            return Authorities::NoBaseline;
        }
        let pins = pins.iter().cloned().collect();
        compare(&pins, &self.planned, &self.seen)
    }

    /// Whether a set of pins may be this cluster's: shares one with the baseline, or there is none.
    #[must_use]
    pub fn may_be(&self, pins: &[String]) -> bool {
        (self.planned.is_empty() && self.seen.is_empty())
            || pins
                .iter()
                .any(|pin| self.planned.contains(pin) || self.seen.contains(pin))
    }
}

/// Compares the pins at the new door with the plan's and with those last seen at the old one; where nobody has seen
/// those, with the black box's; and where there is nothing of all that, with what this machine keeps.
#[must_use]
pub fn authorities(sight: &Sight<'_>) -> Compared {
    let planned: BTreeSet<String> = sight.plan.cluster.ca_pins.iter().cloned().collect();
    let (mut seen, mut age) = old_pins(sight);
    let mut evidence = vec![Subject::Door(Door::New)];
    let mut from = None;
    if !seen.is_empty() {
        evidence.push(Subject::Door(Door::Old));
    } else if let Some(found) = black_box::known(sight)
        && let Some(pins) = found.pins.good()
    {
        seen = pins.iter().cloned().collect();
        age = Some(sight.now.since(found.pins.at));
        from = Some("in the black box, seen".to_owned());
        evidence.push(Subject::BlackBox);
    } else if planned.is_empty()
        && let Some(kept) = fallback::known(sight)
    {
        seen = kept.pins;
        from = Some(kept.from);
        evidence.push(Subject::Baseline);
    }
    let from = from.unwrap_or_else(|| "seen at the old door".to_owned());
    let verdict = match new_pins(sight) {
        Err(why) => Authorities::NotSeen(why),
        Ok(_) if planned.is_empty() && seen.is_empty() => match fallback::row(sight) {
            Row::Younger(why) => Authorities::Young(why),
            Row::Older(_) | Row::Unknown(_) => Authorities::NoBaseline,
        },
        Ok(sets) => sets
            .iter()
            .map(|set| compare(set, &planned, &seen))
            .max_by_key(gravity)
            .unwrap_or(Authorities::NoBaseline),
    };
    // Of a door that was not looked at as a whole, nothing good is said.
    let verdict = match (verdict, gap(sight)) {
        (Authorities::Same | Authorities::Grown(_), Some(gap)) => Authorities::NotSeen(format!(
            "Not all of the new load balancer could be looked at: {gap}."
        )),
        (verdict, _) => verdict,
    };
    Compared {
        verdict,
        evidence,
        planned,
        seen,
        age,
        from,
    }
}

/// The pins last seen at the old door, however long ago, at addresses that are not the new one's: a plan may name too
/// much as old. With the time since the newest of them.
fn old_pins(sight: &Sight<'_>) -> (BTreeSet<String>, Option<Duration>) {
    let new = known(Door::New, sight);
    let seen: Vec<&Witnessed> = last(Door::Old, sight)
        .map(|(door, _)| &door.witnessed)
        .into_iter()
        .flatten()
        .filter(|seen| !new.contains(&seen.ip))
        .collect();
    let age = seen.iter().map(|seen| sight.now.since(seen.at)).min();
    let pins = seen.iter().flat_map(|seen| &seen.pins).cloned().collect();
    (pins, age)
}

fn gap<'a>(sight: &Sight<'a>) -> Option<&'a str> {
    match look(Door::New, sight) {
        Look::Seen(door) => unlooked(door),
        _ => None,
    }
}

/// The pins at the new door, one set for each address that gave them.
fn new_pins(sight: &Sight<'_>) -> Result<Vec<BTreeSet<String>>, String> {
    let door = match look(Door::New, sight) {
        Look::Seen(door) => door,
        other => return Err(other.why("the new load balancer")),
    };
    let sets: Vec<BTreeSet<String>> = door
        .addresses
        .iter()
        .filter_map(|address| address.pins.as_ref().ok())
        .map(|pins| pins.iter().cloned().collect())
        .collect();
    if !sets.is_empty() {
        return Ok(sets);
    }
    // Kubernetes vouches for the way to a pod: its pins count as those of the door do.
    if let Some((_, seen)) = behind(sight)
        && let Ok(pins) = &seen.pins
    {
        return Ok(vec![pins.iter().cloned().collect()]);
    }
    let why = door
        .addresses
        .iter()
        .find_map(|address| address.pins.as_ref().err())
        .map_or_else(|| "no address to ask".to_owned(), ToString::to_string);
    let vain = door
        .forwarded
        .as_ref()
        .and_then(|forwarded| forwarded.seen.as_ref().err())
        .map_or_else(String::new, |why| format!("; nor by a {}", why.detail));
    Err(format!(
        "The new cluster's certificate authorities are not known: {why}{vain}."
    ))
}

/// One set against the two baselines. What was measured at the old door says more than what was written down, which a
/// rotation since may have overtaken.
fn compare(
    new: &BTreeSet<String>,
    planned: &BTreeSet<String>,
    seen: &BTreeSet<String>,
) -> Authorities {
    let whole: BTreeSet<String> = planned.union(seen).cloned().collect();
    for baseline in [seen, planned, &whole] {
        if baseline.is_empty() {
            continue;
        }
        if new == baseline {
            return Authorities::Same;
        }
        if new.is_superset(baseline) {
            return Authorities::Grown(new.len() - baseline.len());
        }
    }
    if new.is_disjoint(&whole) {
        Authorities::Other
    } else {
        Authorities::Partly
    }
}

const fn gravity(verdict: &Authorities) -> u8 {
    match verdict {
        Authorities::Same => 0,
        Authorities::Grown(_) => 1,
        Authorities::NoBaseline => 2,
        Authorities::NotSeen(_) => 3,
        Authorities::Partly => 4,
        Authorities::Young(_) => 5,
        Authorities::Other => 6,
    }
}
