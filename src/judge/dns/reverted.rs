//! Whether the names lead to where they led before anything was changed: the zone has the black box's records exactly,
//! and every authority serves them.

use super::{
    board::{Board, board, servers},
    class::Class,
    row::{Place, Row},
    sets::{Ends, other_ends},
    verdict::{subjects, told},
};
use crate::{
    incident::{
        Fact, Finding, RecordSet, Side, Subject, Zone,
        black_box::{OldRecord, OldRecords},
        brief,
    },
    judge::{Glance, Sight, black_box, glance},
};

/// The hosted zone has the records that the black box has, type for type and with their TTLs, and every authority
/// answers OLD with authority.
#[must_use]
pub fn reverted(sight: &Sight<'_>) -> Finding {
    judged(sight, None)
}

/// The same after a way back, where the old release may have another load balancer now than the black box has: then the
/// plan's names are to lead to that one.
#[must_use]
pub fn back(sight: &Sight<'_>) -> Finding {
    judged(sight, other_ends(sight).as_ref())
}

fn judged(sight: &Sight<'_>, other: Option<&Ends>) -> Finding {
    let Some(found) = black_box::known(sight) else {
        return Finding::unknown(
            "there is no black box to compare the records with, so there is no telling what was before",
        );
    };
    let Some(old) = found.records.good() else {
        return Finding::unknown(
            "the black box holds no DNS records, so there is no telling what was before",
        );
    };
    let zone = match glance(&Subject::Zone, sight) {
        Glance::Fresh(Fact::Zone(zone), _) => zone,
        Glance::Stale(_, age) => {
            return Finding::unknown(format!(
                "the records of the hosted zone were last read {} ago",
                brief(age)
            ));
        }
        Glance::Failed(failure, _) => return Finding::unknown(failure.to_string()),
        Glance::Never | Glance::Fresh(..) => {
            return Finding::unknown("the records of the hosted zone have not been read yet");
        }
    };
    let mut evidence = vec![Subject::BlackBox, Subject::Zone];
    let words = if let Some(ends) = other {
        evidence.push(Subject::Cluster(Side::Primary));
        if let Some(name) = elsewhere(sight, zone, ends) {
            let sentence = format!(
                "{name} does not lead to the load balancer that the old release has now ({})",
                ends.told()
            );
            return Finding::fail(sentence, evidence);
        }
        format!(
            "{} lead to the load balancer that the old release has now ({})",
            sight.plan.dns.names.join(" and "),
            ends.told()
        )
    } else {
        let age = brief(sight.now.since(found.records.at));
        if let Some(name) = differing(old, zone) {
            let sentence = format!("{name} has other records than the black box of {age} ago");
            return Finding::fail(sentence, evidence);
        }
        format!(
            "{} as the black box of {age} ago has them",
            old.names.join(" and ")
        )
    };
    match served(sight) {
        Ok((more, seen)) => {
            evidence.extend(seen);
            Finding::pass(format!("{words}; {more}"), evidence)
        }
        Err(finding) => finding,
    }
}

/// The first of the plan's names that has no record, or one that leads elsewhere.
fn elsewhere<'a>(sight: &Sight<'a>, zone: &Zone, ends: &Ends) -> Option<&'a str> {
    let leads = |name: &&String| {
        let mut records = zone
            .records
            .iter()
            .filter(|set| set.name == **name)
            .peekable();
        records.peek().is_some() && records.all(|record| super::zone::leads(record, ends))
    };
    let mut names = sight.plan.dns.names.iter();
    names.find(|name| !leads(name)).map(String::as_str)
}

/// The first name whose record sets are not those of before.
fn differing<'a>(old: &'a OldRecords, zone: &Zone) -> Option<&'a str> {
    let same = |name: &&String| {
        let was: Vec<&RecordSet> = sorted(old.sets.iter().map(|old: &OldRecord| &old.set), name);
        let is = sorted(zone.records.iter(), name);
        was.len() == is.len() && was.iter().zip(&is).all(|(was, is)| alike(was, is))
    };
    old.names
        .iter()
        .find(|name| !same(name))
        .map(String::as_str)
}

fn sorted<'a>(sets: impl Iterator<Item = &'a RecordSet>, name: &str) -> Vec<&'a RecordSet> {
    let mut sets: Vec<_> = sets.filter(|set| set.name == name).collect();
    sets.sort_by(|a, b| a.kind.cmp(&b.kind));
    sets
}

/// Whether two record sets say the same: the order of values means nothing.
fn alike(a: &RecordSet, b: &RecordSet) -> bool {
    let values = |set: &RecordSet| {
        let mut values = set.values.clone();
        values.sort();
        values
    };
    (&a.kind, a.ttl, &a.alias_zone, values(a)) == (&b.kind, b.ttl, &b.alias_zone, values(b))
}

/// What the authorities serve; of a private zone nobody outside can ask them, and the records alone tell.
fn served(sight: &Sight<'_>) -> Result<(String, Vec<Subject>), Finding> {
    if sight.plan.dns.by_resolvers() {
        let words = "the zone is private: its authorities are not asked".to_owned();
        return Ok((words, Vec::new()));
    }
    let Board { rows, .. } = board(sight);
    let names = &sight.plan.dns.names;
    let mine: Vec<&Row> = rows
        .iter()
        .filter(|row| row.place == Place::Authority && names.contains(&row.name))
        .collect();
    if mine.is_empty() {
        return Err(Finding::unknown(
            "no authority of the zone is known; set dns.nameservers or dns.zone in the plan",
        ));
    }
    let pick = |which: &dyn Fn(&Row) -> bool| -> Vec<&Row> {
        mine.iter().copied().filter(|row| which(row)).collect()
    };
    let wrong = pick(&|row| row.fresh && (row.class != Class::Old || !row.aa));
    if !wrong.is_empty() {
        let words = told(&wrong, |row| row.class.to_string());
        let sentence = format!("the records are back and not served yet: {words}");
        return Err(Finding::fail(sentence, subjects(&wrong)));
    }
    let silent = pick(&|row| !row.fresh);
    if !silent.is_empty() {
        return Err(Finding::unknown(format!(
            "not seen at every authority: {}",
            told(&silent, |row| row.class.to_string())
        )));
    }
    let servers = servers(&rows, Place::Authority).len();
    Ok((
        format!("all {servers} authorities answer OLD"),
        subjects(&mine),
    ))
}

#[cfg(test)]
#[path = "reverted_tests.rs"]
mod tests;
