//! The names and their records, before they must move.

use std::time::Duration;

use super::{Inquiry, Ruling};
use crate::{
    incident::{Fact, Outcome, RecordSet, Subject, Zone, brief},
    judge::{Glance, Sight, backups::unseen, black_box, glance},
};

/// What an elastic load balancer publishes its addresses with: an alias has no TTL of its own (facts/recovery.md 2.3).
const ALIAS: Duration = Duration::from_mins(1);

/// The records' TTL is as low as the plan writes them, and lower than a relaunch takes: with a longer one clients go on to
/// the old region (guide).
pub(super) fn ttl(inquiry: &Inquiry<'_>) -> Ruling {
    let sight = &inquiry.sight;
    let relaunch = inquiry.relaunch;
    let by = match relaunch.incidents {
        0 => "by the guide".to_owned(),
        some => format!("by {some} earlier"),
    };
    let (seen, age, from) = match zone(sight) {
        Ok((zone, age)) => {
            let sets: Vec<&RecordSet> = zone.records.iter().collect();
            (longest(&sets), age, format!("zone {}", zone.name))
        }
        Err(why) => {
            let Some((records, at)) = black_box::known(sight)
                .and_then(|found| Some((found.records.good()?, found.records.at)))
            else {
                return Ruling::unknown(why);
            };
            let sets: Vec<&RecordSet> = records.sets.iter().map(|old| &old.set).collect();
            let age = sight.now.since(at);
            (longest(&sets), age, format!("the black box; now {why}"))
        }
    };
    let Some((ttl, alias)) = seen else {
        return Ruling::unknown(format!("no record of the names is in {from}"));
    };
    let most = Duration::from_secs(u64::from(sight.plan.dns.record_ttl)).max(ALIAS);
    let how = if alias {
        " (an alias: its load balancer's own)"
    } else {
        ""
    };
    let (outcome, words) = if ttl > relaunch.takes {
        (
            Outcome::Fail,
            "longer than a relaunch takes: clients would go on to the old region after it",
        )
    } else if ttl > most {
        (Outcome::Fail, "more than the plan's record_ttl")
    } else {
        (Outcome::Pass, "low")
    };
    let sentence = format!(
        "the longest is {}{how}, {words}; a relaunch takes {} {by} ({from})",
        brief(ttl),
        brief(relaunch.takes)
    );
    Ruling::new(outcome, sentence, Some(age))
}

/// The longest TTL, and whether it is an alias's.
fn longest(sets: &[&RecordSet]) -> Option<(Duration, bool)> {
    let each = sets
        .iter()
        .filter_map(|set| match (set.ttl, &set.alias_zone) {
            (Some(own), _) => Some((Duration::from_secs(u64::try_from(own).ok()?), false)),
            (None, Some(_)) => Some((ALIAS, true)),
            (None, None) => None,
        });
    each.max()
}

/// Every name that is to be switched has a record in the planned zone.
pub(super) fn records(inquiry: &Inquiry<'_>) -> Ruling {
    let sight = &inquiry.sight;
    let zone = match zone(sight) {
        Ok((zone, _)) => zone,
        Err(why) => return Ruling::unknown(why),
    };
    let evidence = [Subject::Zone];
    if zone.private != sight.plan.dns.private {
        let is = if zone.private { "private" } else { "public" };
        let sentence = format!("zone {} is {is}, and the plan says otherwise", zone.name);
        return Ruling::on(Outcome::Fail, sentence, &evidence, sight);
    }
    let names = &sight.plan.dns.names;
    let lacks = |name: &&String| !zone.records.iter().any(|set| set.name == **name);
    let lacking: Vec<&str> = names.iter().filter(lacks).map(String::as_str).collect();
    if !lacking.is_empty() {
        let sentence = format!("zone {} has no record of {}", zone.name, lacking.join(", "));
        return Ruling::on(Outcome::Fail, sentence, &evidence, sight);
    }
    let kinds = zone
        .records
        .iter()
        .map(|set| format!("{} {}", set.name, set.kind));
    let kinds: Vec<String> = kinds.collect();
    let sentence = format!("zone {} has {}", zone.name, kinds.join(", "));
    Ruling::on(Outcome::Pass, sentence, &evidence, sight)
}

/// Records can be read now by who would change them.
pub(super) fn control_plane(inquiry: &Inquiry<'_>) -> Ruling {
    let sight = &inquiry.sight;
    match zone(sight) {
        Ok((zone, age)) => {
            let sentence = format!("answers for zone {}; {}", zone.id, otherwise(zone, sight));
            Ruling::new(Outcome::Pass, sentence, Some(age))
        }
        Err(why) if sight.plan.dns.zone_id.is_none() => {
            Ruling::new(Outcome::Fail, why, None).with_remedy("set zone_id in [dns]")
        }
        Err(why) => Ruling::unknown(why),
    }
}

/// What still moves the names when it is silent (facts/recovery.md 3.2): advice, and in no step's way.
fn otherwise(zone: &Zone, sight: &Sight<'_>) -> String {
    let mut ways = Vec::new();
    if sight.plan.dns.arc.is_some() {
        ways.push("ARC routing controls ([dns.arc])");
    }
    if zone.routed.iter().any(|set| set.failover.is_some()) {
        ways.push("failover records and their health checks");
    }
    if zone.accelerated.as_deref() == Some("ENABLED") {
        ways.push("accelerated recovery, within 60 minutes");
    }
    if ways.is_empty() {
        return "when it is silent nothing moves the names: consider accelerated recovery of the zone, failover records, or \
                ARC"
            .to_owned();
    }
    format!("when it is silent: {}", ways.join(", "))
}

/// The zone as it is now, with the age of the reading.
fn zone<'a>(sight: &Sight<'a>) -> Result<(&'a Zone, Duration), String> {
    match glance(&Subject::Zone, sight) {
        Glance::Fresh(Fact::Zone(zone), age) => Ok((zone, age)),
        _ if sight.plan.dns.zone_id.is_none() => {
            Err("the plan names no hosted zone: records are switched by hand".to_owned())
        }
        other => Err(unseen("the hosted zone", other)),
    }
}
