//! The DNS pane as a whole.

use std::{fmt::Write as _, time::Duration};

use super::{
    class::Class,
    row::{Place, Row, rows},
    sets::{Sets, sets},
    zone::control_plane,
};
use crate::{
    incident::{Health, Moment, Subject, brief},
    judge::{Assessment, Sight},
};

/// The DNS pane: its title and its lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// For the pane's title: `authority 4/4 NEW · caches 11/20 NEW · last old copy dies ≤ 41s`.
    pub assessment: Assessment,
    /// The lines, in the order of the pane.
    pub rows: Vec<Row>,
    /// When the last copy of the old answer must be gone, as far as the caches are honest and have been seen.
    /// It only means something once no authority hands the old answer out any more.
    pub last_old: Option<Moment>,
}

/// Judges the DNS pane.
#[must_use]
pub fn board(sight: &Sight<'_>) -> Board {
    let sets = sets(sight);
    let rows = rows(sight, &sets);
    let last_old = rows.iter().filter_map(|row| row.dies).max();
    let judges = servers(
        &rows,
        if sight.plan.dns.by_resolvers() {
            Place::Resolver
        } else {
            Place::Authority
        },
    );
    let switched = all_new(&judges);
    let assessment = assess(&rows, &sets, last_old, sight);
    Board {
        assessment: with_zone(assessment, switched, sight),
        rows,
        last_old,
    }
}

/// What the switch goes through. Before the switch a control plane that does not answer comes first: then no record can
/// be changed.
fn with_zone(told: Assessment, switched: bool, sight: &Sight<'_>) -> Assessment {
    // Before the first look there is nothing to tell.
    let seen = sight.instruments.get(&Subject::Zone).is_some();
    let Some(zone) = control_plane(sight).filter(|_| seen) else {
        return told;
    };
    if zone.health == Health::Ok || switched {
        let sentence = format!("{} · {}", told.sentence, zone.sentence);
        return Assessment { sentence, ..told };
    }
    Assessment {
        health: told.health.max(Health::Degraded),
        sentence: format!("{} · {}", zone.sentence, told.sentence),
        ..told
    }
}

/// The servers of one kind, each with its worst class over the names.
pub(super) fn servers(rows: &[Row], place: Place) -> Vec<(&str, Class)> {
    let mut servers: Vec<(&str, Class)> = Vec::new();
    for row in rows.iter().filter(|row| row.place == place) {
        match servers.iter_mut().find(|(label, _)| *label == row.label) {
            Some((_, class)) => *class = worse(*class, row.class),
            None => servers.push((&row.label, row.class)),
        }
    }
    servers
}

/// `Class` is ordered from NEW up, so the worse of two is the greater; a server that is OLD for one name and NEW for
/// the other is MIXED: flipping the name but not the wildcard is the classic half of a failover.
fn worse(one: Class, other: Class) -> Class {
    match (one, other) {
        (Class::New, Class::Old) | (Class::Old, Class::New) => Class::Mixed,
        _ => one.max(other),
    }
}

fn assess(rows: &[Row], sets: &Sets, last_old: Option<Moment>, sight: &Sight<'_>) -> Assessment {
    let age = rows
        .iter()
        .filter(|row| row.fresh)
        .filter_map(|row| row.age)
        .max();
    let (authorities, caches) = (
        servers(rows, Place::Authority),
        servers(rows, Place::Resolver),
    );
    let seen = |class: &Class| *class != Class::Unknown;
    if !rows.iter().any(|row| seen(&row.class)) {
        let sentence = if rows.is_empty() {
            "no server to ask: set dns.names and dns.resolvers in the plan"
        } else {
            "no answer seen yet"
        };
        return Assessment::new(Health::Unknown, sentence, age);
    }
    let mut parts = Vec::new();
    if sets.new.is_empty() {
        parts.push("target not known yet".to_owned());
    }
    // Of a private zone no authority can be asked from here: its resolvers stand for it.
    let by_resolvers = sight.plan.dns.by_resolvers();
    let judges = if by_resolvers { &caches } else { &authorities };
    parts.push(if by_resolvers {
        "private zone, its resolvers decide".to_owned()
    } else {
        tally("authority", &authorities)
    });
    parts.push(tally("caches", &caches));
    let published = all_new(judges);
    let past: Vec<&str> = rows
        .iter()
        .filter(|row| row.past_ttl)
        .map(|row| row.label.as_str())
        .collect();
    if !past.is_empty() {
        parts.push(format!("PAST-TTL {}", list(&past)));
    } else if published && let Some(last) = last_old {
        let left = last.since(sight.now);
        parts.push(if left == Duration::ZERO {
            "last old copy due to be gone".to_owned()
        } else {
            format!("last old copy dies ≤ {}", brief(left))
        });
    }
    Assessment::new(health(judges, &caches), parts.join(" · "), age)
}

fn all_new(servers: &[(&str, Class)]) -> bool {
    !servers.is_empty() && servers.iter().all(|(_, class)| *class == Class::New)
}

/// OK: all that is seen is NEW. DOWN: every authority that is seen has lost the name. UNKNOWN: no authority tells.
fn health(authorities: &[(&str, Class)], caches: &[(&str, Class)]) -> Health {
    let lost = |class: Class| matches!(class, Class::NxDomain | Class::Empty | Class::ServFail);
    let mute = |class: Class| {
        matches!(
            class,
            Class::Timeout | Class::Blocked | Class::Refused | Class::Unknown
        )
    };
    if authorities.iter().all(|(_, class)| mute(*class)) {
        return Health::Unknown;
    }
    if authorities
        .iter()
        .all(|(_, class)| lost(*class) || mute(*class))
    {
        return Health::Down;
    }
    let fine = all_new(authorities)
        && caches
            .iter()
            .all(|(_, class)| *class == Class::New || class.fails())
        && caches.iter().any(|(_, class)| *class == Class::New);
    if fine { Health::Ok } else { Health::Degraded }
}

/// `caches 11/20 NEW, 1 SERVFAIL`: what is neither NEW nor OLD is named, since it is another matter than staleness.
fn tally(what: &str, servers: &[(&str, Class)]) -> String {
    if servers.is_empty() {
        return format!("{what} not known");
    }
    let count = |class: Class| servers.iter().filter(|(_, seen)| *seen == class).count();
    let mut text = format!("{what} {}/{} NEW", count(Class::New), servers.len());
    for class in [
        Class::Mixed,
        Class::Empty,
        Class::NxDomain,
        Class::ServFail,
        Class::Refused,
        Class::Timeout,
        Class::Blocked,
        Class::Other,
        Class::Unknown,
    ] {
        let seen = count(class);
        if seen > 0 {
            let _ = write!(text, ", {seen} {class}");
        }
    }
    text
}

/// The first names of a list, and how many more there are.
pub(super) fn list(names: &[&str]) -> String {
    let mut names = names.to_vec();
    names.dedup();
    let shown = names.iter().take(3).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(3) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
