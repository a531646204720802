//! Whether the service is whole again as a user meets it: version and authorities by the public name, audit events
//! flowing, a recording that can be read.

use std::time::Duration;

use super::{
    Glance, Sight, black_box,
    doors::{Authorities, authorities},
    glance,
};
use crate::incident::{
    Component, Door, DoorFact, Fact, Finding, Moment, Side, Subject, TableRole, brief,
};

/// Longest that a billed look counts: they are made every five minutes.
const SEEN: Duration = Duration::from_mins(11);

/// Every address of the public name answers as this cluster in the version that ran before.
#[must_use]
pub fn version(sight: &Sight<'_>) -> Finding {
    let door = match public(sight) {
        Ok(door) => door,
        Err(unknown) => return unknown,
    };
    let name = &sight.plan.cluster.name;
    let mut evidence = vec![Subject::Door(Door::Public)];
    let planned = sight.plan.cluster.version.as_deref();
    let boxed = black_box::known(sight).and_then(|found| {
        let release = found.release.good()?;
        release.app_version.as_deref()
    });
    let (wanted, by) = match (boxed, planned) {
        (Some(boxed), _) => {
            evidence.push(Subject::BlackBox);
            (boxed, "the black box")
        }
        (None, Some(planned)) => (planned, "the plan"),
        (None, None) => {
            return Finding::unknown(
                "nothing tells which version ran before: neither a black box nor [cluster] version",
            );
        }
    };
    for address in &door.addresses {
        let ping = match &address.ping {
            Ok(ping) => ping,
            Err(why) => {
                return Finding::fail(format!("{} answers no ping: {why}", address.ip), evidence);
            }
        };
        let own = ping.cluster_name.as_deref().unwrap_or("nobody");
        if !own.eq_ignore_ascii_case(name) {
            return Finding::fail(
                format!("{} answers as {own}, not as {name}", address.ip),
                evidence,
            );
        }
        let version = ping.server_version.as_deref().unwrap_or("of no version");
        if bare(version) != bare(wanted) {
            return Finding::fail(
                format!("{} is {version}, and {by} has {wanted}", address.ip),
                evidence,
            );
        }
    }
    Finding::pass(
        format!("{name} answers as Teleport {wanted}, as {by} has it"),
        evidence,
    )
}

/// Every address of the public name has the authorities of the old cluster.
#[must_use]
pub fn public_authorities(sight: &Sight<'_>) -> Finding {
    let door = match public(sight) {
        Ok(door) => door,
        Err(unknown) => return unknown,
    };
    let compared = authorities(sight);
    let mut evidence = vec![Subject::Door(Door::Public)];
    evidence.extend(
        compared
            .evidence
            .iter()
            .filter(|one| **one != Subject::Door(Door::New))
            .cloned(),
    );
    for address in &door.addresses {
        let pins = match &address.pins {
            Ok(pins) => pins,
            Err(why) => {
                return Finding::unknown(format!(
                    "{} does not show its authorities: {why}",
                    address.ip
                ));
            }
        };
        match compared.of(pins) {
            Authorities::Same | Authorities::Grown(_) => {}
            Authorities::NoBaseline => {
                return Finding::unknown(
                    "there is nothing to compare the public name's certificate authorities with",
                );
            }
            Authorities::Partly => {
                return Finding::unknown(format!(
                    "{} has only some of the certificate authorities expected ({})",
                    address.ip,
                    compared.baseline()
                ));
            }
            Authorities::Other | Authorities::Young(_) | Authorities::NotSeen(_) => {
                return Finding::fail(
                    format!(
                        "STOP: {} answers by the public name with OTHER CERTIFICATE AUTHORITIES than the old cluster had ({})",
                        address.ip,
                        compared.baseline()
                    ),
                    evidence,
                );
            }
        }
    }
    Finding::pass(
        format!(
            "{} has the old certificate authorities at each of {} addresses ({})",
            sight.plan.cluster.name,
            door.addresses.len(),
            compared.baseline()
        ),
        evidence,
    )
}

/// The recovery audit table holds an event that is younger than the relaunch.
#[must_use]
pub fn audit_flows(sight: &Sight<'_>) -> Finding {
    let since = match relaunched(sight) {
        Ok(since) => since,
        Err(unknown) => return unknown,
    };
    let subject = Subject::Table(Side::Recovery, TableRole::Audit);
    let table = match glance(&subject, sight) {
        Glance::Fresh(Fact::Table(table), _) => table,
        other => return Finding::unknown(old("the recovery audit table", other)),
    };
    let asked = table.newest_at.unwrap_or_default();
    if early(asked, sight) {
        return Finding::unknown(format!(
            "the newest event in {} was last asked for {} ago",
            table.name,
            brief(sight.now.since(asked))
        ));
    }
    let evidence = vec![subject, Subject::Cluster(Side::Recovery)];
    match &table.newest {
        Ok(Some(newest)) if *newest >= since => Finding::pass(
            format!(
                "the newest audit event in {} is of {newest}, after the relaunch at {since}",
                table.name
            ),
            evidence,
        ),
        Ok(newest) => Finding::fail(
            format!(
                "{} holds no audit event of since the relaunch at {since}{}: see the Auth pods' log for what refuses them",
                table.name,
                newest.map_or_else(String::new, |newest| format!(
                    " (the newest is of {newest})"
                ))
            ),
            evidence,
        ),
        Err(why) => Finding::unknown(format!(
            "the newest event in {} is not known: {why}",
            table.name
        )),
    }
}

/// The newest recording in the recovery region's bucket can be read.
#[must_use]
pub fn recording_readable(sight: &Sight<'_>) -> Finding {
    let subject = Subject::Recordings(Side::Recovery);
    let seen = match glance(&subject, sight) {
        Glance::Fresh(Fact::Recordings(seen), _) => seen,
        other => return Finding::unknown(old("the recovery recordings bucket", other)),
    };
    let Some(read) = &seen.read else {
        return Finding::unknown(format!("no recording of {} was read yet", seen.bucket));
    };
    if early(read.at, sight) {
        return Finding::unknown(format!(
            "a recording of {} was last read {} ago",
            seen.bucket,
            brief(sight.now.since(read.at))
        ));
    }
    match &read.bytes {
        Ok(bytes) => Finding::pass(
            format!("{bytes} bytes read of {} in {}", read.key, seen.bucket),
            vec![subject],
        ),
        Err(why) => Finding::fail(
            format!(
                "{} in {} cannot be read: {why}. With another region's KMS key it stays so until the key is a replica or the \
                 object is copied anew",
                read.key, seen.bucket
            ),
            vec![subject],
        ),
    }
}

fn public<'a>(sight: &Sight<'a>) -> Result<&'a DoorFact, Finding> {
    let door = match glance(&Subject::Door(Door::Public), sight) {
        Glance::Fresh(Fact::Door(door), _) => door,
        other => return Err(Finding::unknown(old("the public name", other))),
    };
    if door.addresses.is_empty() {
        return Err(Finding::unknown(format!(
            "{} has no address to look at",
            sight.plan.cluster.name
        )));
    }
    if let Some(gap) = door.gaps.first() {
        return Err(Finding::unknown(format!(
            "not all of the public name could be looked at: {gap}"
        )));
    }
    Ok(door)
}

/// When the recovery cluster's oldest Auth pod was made.
fn relaunched(sight: &Sight<'_>) -> Result<Moment, Finding> {
    let cluster = match glance(&Subject::Cluster(Side::Recovery), sight) {
        Glance::Fresh(Fact::Cluster(cluster), _) => cluster,
        other => return Err(Finding::unknown(old("the recovery cluster", other))),
    };
    let pods = cluster
        .pods
        .iter()
        .filter(|pod| pod.component == Component::Auth && pod.deleting.is_none());
    pods.map(|pod| pod.created)
        .min()
        .ok_or_else(|| Finding::unknown("no Auth pod runs in the recovery cluster"))
}

fn early(at: Moment, sight: &Sight<'_>) -> bool {
    sight.now.since(at) > SEEN || sight.since.is_some_and(|since| at < since)
}

fn old(what: &str, seen: Glance<'_>) -> String {
    match seen {
        Glance::Stale(_, age) => format!("the last look at {what} was {} ago", brief(age)),
        Glance::Failed(why, _) => format!("no telling about {what}: {why}"),
        Glance::Never | Glance::Fresh(..) => format!("there has been no look at {what} yet"),
    }
}

/// A version as the chart and the proxy both write it: without `v`, and without what an edition adds.
fn bare(version: &str) -> &str {
    let version = version.trim_start_matches('v');
    version.split(['-', '+']).next().unwrap_or(version)
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
