//! Whether somebody would write the old records back after a switch: an external-dns that owns the names.
//!
//! It knows its own records by an owner id in TXT records beside them, and changes no others (registry `txt`); with `noop`
//! every record under its filter is its own. So what is written in the zone is held against what is seen in both clusters.

use std::collections::BTreeSet;

use crate::{
    incident::{
        ExternalDns, Fact, Finding, Ownership, Part, Reconciler, Reconcilers, Side, Subject, Zone,
        brief,
    },
    judge::{Glance, Sight, glance, reconcilers::found},
};

/// What an external-dns would do to the names.
enum Act {
    /// It would undo the switch.
    Harms(String),
    /// It leaves them, or writes what is wanted; why.
    Fine(String),
    /// Nobody can tell.
    Unsure(String),
}

/// No external-dns would write the old records back: none owns the names, or each that does is seen paused, or leaves them
/// alone. One that owns them and is in neither cluster, or in one that cannot be looked at, is UNKNOWN.
#[must_use]
pub fn held(sight: &Sight<'_>) -> Finding {
    let zone = match zone(sight) {
        Ok(zone) => zone,
        Err(unknown) => return unknown,
    };
    let owners = match &zone.owners {
        Some(Ok(owners)) => owners,
        Some(Err(why)) => {
            return Finding::unknown(format!("who owns the names cannot be told: {why}"));
        }
        None => return Finding::unknown("who owns the names has not been read yet"),
    };
    let sides = Side::BOTH.map(|side| (side, found(side, sight)));
    let mut evidence = vec![Subject::Zone];
    let (mut harms, mut doubts, mut fine) = (Vec::new(), Vec::new(), Vec::new());
    for (side, seen) in &sides {
        let seen = match seen {
            Ok(seen) => *seen,
            Err(unknown) => {
                doubts.extend(unseen(*side, &unknown.sentence, owners, sight));
                continue;
            }
        };
        evidence.push(Subject::Reconcilers(*side));
        for (one, dns) in external(seen) {
            match act(one, dns, *side, seen, owners) {
                Act::Harms(why) => harms.push(why),
                Act::Fine(why) => fine.push(why),
                Act::Unsure(why) => doubts.push(why),
            }
        }
        let gap = seen
            .gaps
            .iter()
            .find(|gap| gap.detail.contains("deployments"));
        doubts.extend(gap.map(|gap| {
            format!("whether an external-dns acts in the {side} cannot be told: {gap}")
        }));
    }
    let seen: Vec<&Reconcilers> = sides
        .iter()
        .filter_map(|(_, seen)| seen.as_ref().ok().copied())
        .collect();
    if seen.len() == sides.len() {
        doubts.extend(elsewhere(&seen, owners));
    }
    if !harms.is_empty() {
        return Finding::fail(harms.join("; "), evidence);
    }
    if !doubts.is_empty() {
        return Finding::unknown(doubts.join("; "));
    }
    if owners.is_empty() {
        fine.insert(
            0,
            "no external-dns has written down that the names are its own".to_owned(),
        );
    }
    Finding::pass(fine.join("; "), evidence)
}

/// Who owns the names, in words, as the zone was last read: `east (cname-teleport.example.com)`.
#[must_use]
pub fn owners(sight: &Sight<'_>) -> Option<String> {
    let (Fact::Zone(zone), _) = glance(&Subject::Zone, sight).known()? else {
        return None;
    };
    let owners = zone.owners.as_ref()?.as_ref().ok()?;
    (!owners.is_empty()).then(|| told(owners))
}

fn zone<'a>(sight: &Sight<'a>) -> Result<&'a Zone, Finding> {
    Err(Finding::unknown(match glance(&Subject::Zone, sight) {
        Glance::Fresh(Fact::Zone(zone), _) => return Ok(zone),
        Glance::Stale(_, age) => {
            format!("who owns the names was last read {} ago", brief(age))
        }
        Glance::Failed(failure, _) => format!("who owns the names cannot be told: {failure}"),
        Glance::Never | Glance::Fresh(..) => "who owns the names has not been read yet".to_owned(),
    }))
}

/// Each external-dns of a cluster.
fn external(seen: &Reconcilers) -> impl Iterator<Item = (&Reconciler, &ExternalDns)> {
    let all = seen.found.iter();
    all.filter_map(|one| Some((one, one.dns.as_ref()?)))
}

fn act(
    one: &Reconciler,
    dns: &ExternalDns,
    side: Side,
    seen: &Reconcilers,
    owners: &[Ownership],
) -> Act {
    let title = format!("{} in the {side} ({})", one.title(), seen.context);
    if !one.active() {
        return Act::Fine(format!("{title} is paused"));
    }
    if dns.policy == "create-only" {
        return Act::Fine(format!(
            "{title} changes no record that is there (policy create-only)"
        ));
    }
    let mine: Vec<Ownership> = owners
        .iter()
        .filter(|record| record.owner == dns.owner)
        .cloned()
        .collect();
    let how = match dns.registry.as_str() {
        "noop" => "takes every record under its filter for its own (registry noop)".to_owned(),
        "txt" if mine.is_empty() => {
            let of = if owners.is_empty() {
                "nobody's by record".to_owned()
            } else {
                format!("those of {}", told(owners))
            };
            return Act::Fine(format!(
                "{title} leaves the names alone: its owner id is {}, and they are {of}",
                dns.owner
            ));
        }
        "txt" => format!("owns the names by {}", told(&mine)),
        other => {
            return Act::Unsure(format!(
                "{title} keeps what it owns in registry {other}, which is not read: {}",
                pause(one, seen)
            ));
        }
    };
    let policy = &dns.policy;
    if side == Side::Primary {
        return Act::Harms(format!(
            "{title} {how} and would write the old record back (policy {policy}): run \"Pause what would undo it\""
        ));
    }
    match asked(seen, &mine) {
        Ok(true) => Act::Fine(format!(
            "{title} {how}, and namespace and release there ask it for them: it writes the new load balancer"
        )),
        Ok(false) if policy != "sync" => Act::Fine(format!(
            "{title} {how}, and nothing there asks it for them: it leaves them (policy {policy})"
        )),
        Ok(false) => Act::Harms(format!(
            "{title} {how}, and no Service or Ingress of the release asks it for them: with policy sync it would DELETE the records. {}, or annotate the Service with external-dns.alpha.kubernetes.io/hostname",
            pause(one, seen)
        )),
        Err(why) => Act::Unsure(format!(
            "{title} {how}; whether it would write the new load balancer or delete the records cannot be told: {why}. {}",
            pause(one, seen)
        )),
    }
}

/// Whether the release asks for every name that is owned; of an owner of everything, for any.
fn asked(seen: &Reconcilers, mine: &[Ownership]) -> Result<bool, String> {
    let hostnames: &Part<Vec<String>> = seen
        .hostnames
        .as_ref()
        .ok_or("Services and Ingresses were not looked at")?;
    let hostnames = hostnames.as_ref().map_err(ToString::to_string)?;
    Ok(!hostnames.is_empty() && mine.iter().all(|record| hostnames.contains(&record.name)))
}

/// How one is paused by hand: the step for it acts on the primary's cluster.
fn pause(one: &Reconciler, seen: &Reconcilers) -> String {
    format!(
        "Pause it: kubectl --context {} -n {} scale deployment/{} --replicas=0",
        seen.context, one.namespace, one.name
    )
}

/// What may act in a cluster that cannot be looked at: an owner that is written down, or one that was seen there before.
fn unseen(side: Side, why: &str, owners: &[Ownership], sight: &Sight<'_>) -> Option<String> {
    if side == Side::Recovery {
        return Some(why.to_owned());
    }
    let region = &sight.plan.side(side).region;
    if !owners.is_empty() {
        return Some(format!(
            "the names are owned by external-dns {}, and its cluster cannot be seen ({why}): it may write the old record back when {region} returns. Suspend it where it is kept (Git, the hub of Argo CD), or take its role's right to route53:ChangeResourceRecordSets",
            told(owners)
        ));
    }
    let Some((Fact::Reconcilers(before), age)) = glance(&Subject::Reconcilers(side), sight).known()
    else {
        return None;
    };
    let noop = external(before).find(|(one, dns)| one.active() && dns.registry == "noop");
    noop.map(|(one, _)| {
        format!(
            "{} acted in the {side} {} ago and takes every record for its own (registry noop): it may write the old record back when {region} returns",
            one.title(),
            brief(age)
        )
    })
}

/// Owners that are written down and seen in neither cluster.
fn elsewhere(seen: &[&Reconcilers], owners: &[Ownership]) -> Option<String> {
    let known: BTreeSet<&str> = seen
        .iter()
        .flat_map(|seen| external(seen))
        .map(|(_, dns)| dns.owner.as_str())
        .collect();
    let strange: Vec<Ownership> = owners
        .iter()
        .filter(|record| !known.contains(record.owner.as_str()))
        .cloned()
        .collect();
    (!strange.is_empty()).then(|| {
        format!(
            "the names are owned by external-dns {}, which is in neither cluster: find and pause it, or delete its TXT records if it is long gone",
            told(&strange)
        )
    })
}

/// `east (cname-teleport.example.com, cname-*.teleport.example.com)`
fn told(owners: &[Ownership]) -> String {
    let ids: BTreeSet<&str> = owners.iter().map(|record| record.owner.as_str()).collect();
    let of = |id: &str| {
        let records = owners.iter().filter(|record| record.owner == id);
        let records: Vec<&str> = records.map(|record| record.record.as_str()).collect();
        format!("{id} ({})", records.join(", "))
    };
    let all: Vec<String> = ids.into_iter().map(of).collect();
    all.join(" and ")
}

#[cfg(test)]
#[path = "held_tests.rs"]
mod tests;
