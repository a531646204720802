//! The four panes: titles and lines as the judges give them.

use std::{sync::Arc, time::Duration};

use super::{
    Line,
    model::{PaneReport, Row},
};
use crate::{
    incident::{Cluster, Door, Fact, Health, Side, Subject},
    judge::{self, Assessment, Glance, Sight, backups::Chosen, glance},
};

/// The most pods that are told one by one, the worst ones: a report is read in a channel.
const PODS: usize = 100;

/// Every pane, in the order of the screen.
pub fn all(sight: &Sight<'_>, chosen: Chosen) -> Vec<PaneReport> {
    vec![pods(sight), backups(sight, chosen), dns(sight), web(sight)]
}

fn pods(sight: &Sight<'_>) -> PaneReport {
    let sides = Side::BOTH.map(|side| judge::cluster::assess(side, sight));
    let rows = Side::BOTH
        .into_iter()
        .flat_map(|side| pod_rows(side, sight))
        .collect();
    let mut pane = titled("pods", &sides, rows);
    pane.rows.truncate(PODS);
    pane
}

fn pod_rows(side: Side, sight: &Sight<'_>) -> Vec<Row> {
    let seen = glance(&Subject::Cluster(side), sight);
    let fresh = matches!(seen, Glance::Fresh(..));
    let Some((Fact::Cluster(cluster), age)) = seen.known() else {
        return Vec::new();
    };
    let rows = cluster.pods.iter().map(|pod| {
        let (health, told) = judge::pod::judge(pod);
        let counts = format!("{}/{} {} {told}", pod.ready, pod.containers, pod.phase);
        Row {
            what: format!("{side} {}", pod.name).into(),
            health: Some(if fresh { health } else { Health::Unknown }),
            sentence: match pod.restarts {
                0 => counts.into(),
                restarts => format!("{counts}, {restarts} restarts").into(),
            },
            age: Some(age),
        }
    });
    let gaps = cluster.gaps.iter().map(|gap| Row {
        what: format!("{side} cluster").into(),
        health: Some(Health::Unknown),
        sentence: gap.why.to_string().into(),
        age: Some(age),
    });
    rows.chain(gaps)
        .chain(load_balancer(side, cluster, age))
        .collect()
}

fn load_balancer(side: Side, cluster: &Arc<Cluster>, age: Duration) -> Option<Row> {
    let found = cluster.load_balancer.as_ref()?;
    Some(Row {
        what: format!("{side} {}", found.source).into(),
        health: None,
        sentence: if found.addresses.is_empty() {
            "no address yet".into()
        } else {
            found.addresses.join(", ").into()
        },
        age: Some(age),
    })
}

/// The sources of a recovery, each with the region that it needs to be alive.
fn backups(sight: &Sight<'_>, chosen: Chosen) -> PaneReport {
    let lines = judge::backups::lines(sight).into_iter();
    let rows = lines.map(|line| Row {
        what: Line::from(line.label),
        health: Some(line.health),
        sentence: format!("{} (needs {})", line.sentence, line.needs).into(),
        age: line.age,
    });
    titled(
        "backups",
        &[judge::backups::assessment(sight, chosen)],
        rows.collect(),
    )
}

/// What each server answers for each name. A row has no health of its own: OLD is right before the switch and wrong
/// after it.
fn dns(sight: &Sight<'_>) -> PaneReport {
    let board = judge::dns::board(sight);
    let mut answers = board.rows;
    answers.sort_by_key(|row| std::cmp::Reverse(row.class));
    let rows = answers.into_iter().map(|row| {
        let ttl = row
            .ttl
            .map_or_else(String::new, |ttl| format!(" ttl {ttl}"));
        let past = if row.past_ttl { ", past its TTL" } else { "" };
        Row {
            what: format!("{} {}", row.label, row.name).into(),
            health: (!row.fresh).then_some(Health::Unknown),
            sentence: format!("{}{ttl}{past} {}", row.class.word(), row.answer).into(),
            age: row.age,
        }
    });
    let zone = judge::dns::control_plane(sight).map(|zone| Row {
        what: "Route 53 zone".into(),
        health: Some(zone.health),
        sentence: zone.sentence.into(),
        age: zone.age,
    });
    titled(
        "dns",
        &[board.assessment],
        zone.into_iter().chain(rows).collect(),
    )
}

fn web(sight: &Sight<'_>) -> PaneReport {
    let rows = Door::ALL.into_iter().map(|door| {
        let seen = judge::doors::assess(door, sight);
        Row {
            what: format!("{door} door").into(),
            health: Some(seen.health),
            sentence: Line::from(seen.sentence),
            age: seen.age,
        }
    });
    titled("web", &[judge::doors::pane(sight)], rows.collect())
}

/// A pane with the worst of its assessments first in its title.
fn titled(name: &'static str, assessments: &[Assessment], rows: Vec<Row>) -> PaneReport {
    let mut worst: Vec<&Assessment> = assessments.iter().collect();
    worst.sort_by_key(|assessment| std::cmp::Reverse(assessment.health));
    let sentences: Vec<&str> = worst.iter().map(|one| one.sentence.as_str()).collect();
    PaneReport {
        pane: name,
        health: worst
            .first()
            .map_or(Health::Unknown, |assessment| assessment.health),
        sentence: sentences.join(" · ").into(),
        age: assessments.iter().filter_map(|one| one.age).max(),
        rows,
    }
    .sorted()
}
