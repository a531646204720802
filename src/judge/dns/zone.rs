//! The hosted zone as Route 53's control plane gives it: what a switch goes through. It lives in us-east-1 and may be down
//! while the zone itself is served everywhere; then no record can be changed, and that is to be known before the step.

use super::sets::{Ends, plain, sets};
use crate::{
    incident::{Fact, Health, RecordSet, Subject, Zone},
    judge::{Assessment, Glance, Sight, glance},
};

/// What is to be said of the zone; `None` if the plan names none.
#[must_use]
pub fn control_plane(sight: &Sight<'_>) -> Option<Assessment> {
    let id = sight.plan.dns.zone_id.as_ref()?;
    Some(match glance(&Subject::Zone, sight) {
        Glance::Fresh(Fact::Zone(zone), age) => {
            let (health, words) = tell(zone, sight);
            let owner = owned(zone);
            Assessment::new(health, format!("Route 53 {words}{owner}"), Some(age))
        }
        Glance::Stale(_, age) => {
            Assessment::new(Health::Unknown, "Route 53 not read lately", Some(age))
        }
        Glance::Failed(failure, good) => Assessment::new(
            Health::Unknown,
            format!(
                "Route 53 {}: a switch may not be possible now",
                failure.kind.word()
            ),
            good.map(|(_, age)| age),
        ),
        Glance::Never => Assessment::new(
            Health::Unknown,
            format!("Route 53 zone {id} not read yet"),
            None,
        ),
        Glance::Fresh(..) => Assessment::new(
            Health::Unknown,
            "Route 53: the reading is of another kind",
            None,
        ),
    })
}

/// `, owned by external-dns east`, where it is.
fn owned(zone: &Zone) -> String {
    let owners = zone.owners.iter().flatten().flatten();
    let mut ids: Vec<&str> = owners.map(|record| record.owner.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return String::new();
    }
    format!(", owned by external-dns {}", ids.join(" and "))
}

/// The records of the names that are to be switched.
fn tell(zone: &Zone, sight: &Sight<'_>) -> (Health, String) {
    let plan = &sight.plan.dns;
    if zone.private != plan.private {
        let (is, says) = if zone.private {
            ("private", "public")
        } else {
            ("public", "private")
        };
        return (
            Health::Degraded,
            format!("zone {} is {is}, and the plan says {says}", zone.name),
        );
    }
    let sets = sets(sight);
    let mut told: Vec<(&str, &str)> = Vec::new();
    for name in &plan.names {
        let records: Vec<&RecordSet> = zone
            .records
            .iter()
            .filter(|record| record.name == *name)
            .collect();
        let word = if records.is_empty() {
            "no record"
        } else if records.iter().all(|record| leads(record, &sets.new)) {
            "NEW"
        } else if records.iter().all(|record| leads(record, &sets.old)) {
            "OLD"
        } else {
            "OTHER"
        };
        told.push((name, word));
    }
    let lacking = told.iter().any(|(_, word)| *word == "no record");
    let health = if lacking {
        Health::Degraded
    } else {
        Health::Ok
    };
    let words = match told.split_first() {
        // All alike: said once.
        Some(((_, word), rest)) if rest.iter().all(|(_, other)| other == word) => {
            format!("has {word}")
        }
        _ => {
            let each = told.iter().map(|(name, word)| format!("{name} {word}"));
            format!("has {}", each.collect::<Vec<_>>().join(", "))
        }
    };
    (health, words)
}

/// Whether every value of a record is one of these ends.
pub(super) fn leads(record: &RecordSet, ends: &Ends) -> bool {
    !record.values.is_empty()
        && record.values.iter().all(|value| match value.parse() {
            Ok(address) => ends.addresses.contains(&address),
            Err(_) => plain(value).is_some_and(|host| {
                // An alias of a dual-stack load balancer carries a prefix that the host name does not have.
                let bare = host.strip_prefix("dualstack.").unwrap_or(&host);
                ends.hosts.contains(&host) || ends.hosts.contains(bare)
            }),
        })
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        incident::{Failure, FailureKind, Observation},
        judge::dns::fixture::{NAMES, NOW, Readings, plan},
    };

    fn record(name: &str, value: &str) -> RecordSet {
        RecordSet {
            name: name.to_owned(),
            kind: "A".to_owned(),
            ttl: Some(60),
            values: vec![value.to_owned()],
            alias_zone: None,
        }
    }

    fn told(outcome: Option<Result<Zone, Failure>>) -> Option<Assessment> {
        let mut plan = plan();
        plan.dns.zone_id = Some("Z1".to_owned());
        let mut readings = Readings::default();
        if let Some(outcome) = outcome {
            readings.0.take(Observation {
                subject: Subject::Zone,
                at: NOW.minus(Duration::from_secs(3)),
                took: Duration::from_millis(9),
                outcome: outcome.map(|zone| Fact::Zone(Arc::new(zone))),
            });
        }
        control_plane(&readings.sight(&plan))
    }

    fn zone(private: bool, records: Vec<RecordSet>) -> Zone {
        Zone {
            id: "Z1".to_owned(),
            name: "example.com".to_owned(),
            private,
            nameservers: Vec::new(),
            records,
            ..Zone::default()
        }
    }

    #[test]
    fn the_control_plane_is_told_and_what_it_holds() {
        let (new, old) = ("198.51.100.1", "dualstack.old.elb.us-east-1.amazonaws.com.");
        let both =
            |one: &str, two: &str| zone(false, vec![record(NAMES[0], one), record(NAMES[1], two)]);
        let throttled = Failure::new(FailureKind::Throttled, "slow down");
        let cases = [
            (None, Health::Unknown, "not read yet"),
            (Some(Ok(both(new, new))), Health::Ok, "Route 53 has NEW"),
            (Some(Ok(both(old, old))), Health::Ok, "Route 53 has OLD"),
            (
                Some(Ok(both(new, old))),
                Health::Ok,
                "tele.example.com NEW, *.tele.example.com OLD",
            ),
            (
                Some(Ok(both("203.0.113.9", "203.0.113.9"))),
                Health::Ok,
                "OTHER",
            ),
            (
                Some(Ok(zone(false, vec![record(NAMES[0], old)]))),
                Health::Degraded,
                "*.tele.example.com no record",
            ),
            (
                Some(Ok(zone(true, Vec::new()))),
                Health::Degraded,
                "is private, and the plan says public",
            ),
            (
                Some(Err(throttled)),
                Health::Unknown,
                "throttled: a switch may not be possible",
            ),
        ];
        for (outcome, health, words) in cases {
            let said = told(outcome).expect("a zone is planned");
            assert_eq!(said.health, health, "{}", said.sentence);
            assert!(said.sentence.contains(words), "{}", said.sentence);
        }
        let plan = plan();
        assert_eq!(control_plane(&Readings::default().sight(&plan)), None);
    }
}
