//! The two predicates of the runbook: published at the authorities, and gone from the caches.

use std::fmt::Write as _;

use super::{
    board::{Board, board, list, servers},
    class::Class,
    row::{Place, Row},
    sets::sets,
};
use crate::{
    incident::{Finding, Subject, brief},
    judge::Sight,
    plan::{Plan, panel},
};

/// Every authority answers NEW, with authority, for every name that is switched, the wildcard too; all of it fresh.
#[must_use]
pub fn published(sight: &Sight<'_>) -> Finding {
    if let Some(finding) = no_target(sight) {
        return finding;
    }
    let Board { rows, .. } = board(sight);
    let names = &sight.plan.dns.names;
    let by_resolvers = sight.plan.dns.by_resolvers();
    let place = if by_resolvers {
        Place::Resolver
    } else {
        Place::Authority
    };
    let mine: Vec<&Row> = rows
        .iter()
        .filter(|row| row.place == place && names.contains(&row.name))
        .filter(|row| !by_resolvers || planned(row, sight.plan))
        .collect();
    if mine.is_empty() {
        return Finding::unknown(if by_resolvers {
            "the zone is private, so only resolvers inside can tell, and none is known; set dns.resolvers in the plan"
        } else {
            "no authority of the zone is known; set dns.nameservers or dns.zone in the plan"
        });
    }
    let wrong: Vec<&Row> = mine
        .iter()
        .copied()
        .filter(|row| row.fresh && (row.class != Class::New || !(row.aa || by_resolvers)))
        .collect();
    if !wrong.is_empty() {
        let told = told(&wrong, |row| {
            if row.class == Class::New {
                "not authoritative".to_owned()
            } else {
                row.class.to_string()
            }
        });
        return Finding::fail(format!("not published yet: {told}"), subjects(&wrong));
    }
    let silent: Vec<&Row> = mine.iter().copied().filter(|row| !row.fresh).collect();
    if !silent.is_empty() {
        return Finding::unknown(format!(
            "not seen at every {place}: {}",
            told(&silent, |row| row.class.to_string())
        ));
    }
    let missing: Vec<&str> = names
        .iter()
        .filter(|name| mine.iter().all(|row| row.name != **name))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        return Finding::unknown(format!("no {place} was asked for {}", list(&missing)));
    }
    let mut sentence = if by_resolvers {
        format!(
            "the zone is private and its resolvers decide: each of the plan's {} answers NEW for {}",
            sight.plan.dns.resolvers.len(),
            names.join(" and ")
        )
    } else {
        format!(
            "all {} authorities answer NEW for {}",
            servers(&rows, Place::Authority).len(),
            names.join(" and ")
        )
    };
    let hot: Vec<&str> = rows
        .iter()
        .filter(|row| row.place == place && row.fresh && row.class.holds_old())
        .map(|row| row.name.as_str())
        .collect();
    if !hot.is_empty() {
        let _ = write!(
            sentence,
            "; but {} has a record of its own that is still OLD",
            list(&hot)
        );
    }
    Finding::pass(sentence, subjects(&mine))
}

/// Authorities that send people to the primary, wholly or in part, by a fresh look: after a switch somebody has written the
/// old records back.
#[must_use]
pub fn written_back(sight: &Sight<'_>) -> Option<String> {
    let Board { rows, .. } = board(sight);
    let names = &sight.plan.dns.names;
    let old: Vec<&Row> = rows
        .iter()
        .filter(|row| row.place == Place::Authority && names.contains(&row.name))
        .filter(|row| row.fresh && row.class.holds_old())
        .collect();
    (!old.is_empty()).then(|| told(&old, |row| row.class.to_string()))
}

/// No watched resolver hands out anything but NEW, and for each name that is asked there is one that does. Resolvers
/// that fail are named and do not block, unless all of them do.
#[must_use]
pub fn converged(sight: &Sight<'_>) -> Finding {
    if let Some(finding) = no_target(sight) {
        return finding;
    }
    let Board { rows, last_old, .. } = board(sight);
    let mine: Vec<&Row> = rows
        .iter()
        .filter(|row| row.place == Place::Resolver)
        .collect();
    if mine.is_empty() {
        return Finding::unknown(
            "no resolver is watched; set dns.resolvers or dns.public_resolvers in the plan",
        );
    }
    let failing: Vec<&Row> = pick(&mine, |row| row.class.fails());
    let stuck = pick(&mine, |row| {
        matches!(
            row.class,
            Class::Old | Class::Mixed | Class::NxDomain | Class::Empty
        )
    });
    if !stuck.is_empty() {
        let mut sentence = format!(
            "caches still hold what was before: {}",
            told(&stuck, |row| {
                let past = if row.past_ttl { " PAST-TTL" } else { "" };
                format!("{}{past}", row.class)
            })
        );
        if let Some(last) = last_old {
            let _ = write!(
                sentence,
                "; the last honest copy dies in ≤ {}",
                brief(last.since(sight.now))
            );
        }
        return Finding::fail(sentence, subjects(&stuck));
    }
    let unsure = pick(&mine, |row| {
        matches!(row.class, Class::Other | Class::Unknown)
    });
    if !unsure.is_empty() {
        return Finding::unknown(format!(
            "no telling yet: {}",
            told(&unsure, |row| row.class.to_string())
        ));
    }
    let new = pick(&mine, |row| row.class == Class::New);
    for row in &mine {
        if new.iter().all(|seen| seen.name != row.name) {
            return Finding::unknown(format!("no resolver answers for {}", row.name));
        }
    }
    let mut sentence = format!(
        "{} of {} answers from caches are NEW",
        new.len(),
        mine.len()
    );
    if !failing.is_empty() {
        let _ = write!(
            sentence,
            "; failing: {}",
            told(&failing, |row| row.class.to_string())
        );
    }
    Finding::pass(sentence, subjects(&new))
}

/// Whether a row is of one of the plan's own resolvers.
fn planned(row: &Row, plan: &Plan) -> bool {
    let Subject::Answer { server, .. } = &row.subject else {
        return false;
    };
    plan.dns
        .resolvers
        .iter()
        .any(|known| panel::address_text(known.address) == **server)
}

fn no_target(sight: &Sight<'_>) -> Option<Finding> {
    sets(sight).new.is_empty().then(|| {
        Finding::unknown(
            "the recovery's load balancer is not known yet; it comes from the cluster's status or dns.new in the plan",
        )
    })
}

fn pick<'a>(rows: &[&'a Row], which: impl Fn(&Row) -> bool) -> Vec<&'a Row> {
    rows.iter().copied().filter(|row| which(row)).collect()
}

/// `ns-1 teleport.example.com OLD, …`, the first three.
pub(super) fn told(rows: &[&Row], what: impl Fn(&Row) -> String) -> String {
    let told: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {} {}", row.label, row.name, what(row)))
        .collect();
    list(&told.iter().map(String::as_str).collect::<Vec<_>>())
}

pub(super) fn subjects(rows: &[&Row]) -> Vec<Subject> {
    rows.iter().map(|row| row.subject.clone()).collect()
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
