//! Old, new and public way to the proxy: who answers, as whom, and with whose certificate authorities.

mod authorities;
mod comeback;
mod fallback;
mod look;
mod old;
mod pane;
mod steady;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

pub use authorities::{Authorities, Compared, authorities};
pub use comeback::comeback;
pub use old::{answers_as_before as old_answers, side_answers as old_side_answers};
pub use pane::{assess, pane};
pub use steady::{new_steady, wildcard_answers};

use self::comeback::{Claim, claim};
use self::fallback::Row;
use self::look::{Answers, Look, answers, behind, known, look};
use super::Sight;
use crate::{
    incident::{Address, Door, DoorFact, FailureKind, Finding, Side, Subject, TableRole},
    plan::Plan,
};

/// Where a person finds the old cluster's CA pins.
const WHERE: &str = "ca_pin in an agent's /etc/teleport.yaml, a join script, or your records";

/// No address of the old load balancer answers as this cluster. Refused, reset and unresolved are shut; silence is not:
/// behind it anything may still hold agents.
#[must_use]
pub fn old_shut(sight: &Sight<'_>) -> Finding {
    let evidence = vec![Subject::Door(Door::Old)];
    let door = match look(Door::Old, sight) {
        Look::Seen(door) => door,
        Look::Failed(failure) if failure.kind == FailureKind::Unresolved => {
            let sentence = format!("The old load balancer's name is gone: {}.", failure.detail);
            return Finding::pass(sentence, evidence);
        }
        Look::Failed(failure) if failure.kind == FailureKind::Empty => {
            return Finding::unknown(format!(
                "The old load balancer's name stands and gives no address, which is not the same as shut: {}.",
                failure.detail
            ));
        }
        other => return Finding::unknown(other.why("the old load balancer")),
    };
    let mut doubt = unlooked(door)
        .map(|gap| format!("Not all of the old load balancer could be looked at: {gap}."));
    for address in &door.addresses {
        let place = address.ip;
        match answers(address, sight.plan) {
            // A released address goes to a stranger: shut it is not, and the old cluster it is not either.
            Answers::Ours if claim(address, &authorities(sight)) == Claim::Other => {
                doubt.get_or_insert(format!(
                    "{place} of the old load balancer answers as {} with OTHER certificate authorities: not the old \
                     cluster, but not shut either.",
                    sight.plan.cluster.name
                ));
            }
            Answers::Ours => {
                return Finding::fail(
                    format!("The old load balancer still answers as this cluster at {place}."),
                    evidence,
                );
            }
            Answers::ProxyOnly => {
                return Finding::fail(
                    format!(
                        "At {place} old proxies are still up, without Auth: agents may hold on to them."
                    ),
                    evidence,
                );
            }
            Answers::Silent => {
                doubt = Some(format!(
                    "{place} of the old load balancer gives no answer, which is not the same as shut: proxies behind \
                     it may still hold agents."
                ));
            }
            Answers::Odd(why) => {
                doubt.get_or_insert(format!(
                    "Something answers at the old load balancer: {why}."
                ));
            }
            Answers::Shut | Answers::Stranger(_) => {}
        }
    }
    match doubt {
        Some(doubt) => Finding::unknown(doubt),
        None if door.addresses.is_empty() => {
            Finding::unknown("The old load balancer has no address to look at.")
        }
        None => Finding::pass(
            format!(
                "No address of the old load balancer answers as this cluster ({}).",
                list(&door.addresses)
            ),
            evidence,
        ),
    }
}

/// Through the new load balancer, at each of its addresses, the cluster name answers ping with a valid certificate and
/// the planned name.
#[must_use]
pub fn new_answers(sight: &Sight<'_>) -> Finding {
    let door = match look(Door::New, sight) {
        Look::Seen(door) => door,
        other => return Finding::unknown(other.why("the new load balancer")),
    };
    let evidence = vec![Subject::Door(Door::New)];
    if door.addresses.is_empty() {
        return Finding::unknown("The new load balancer has no address to look at.");
    }
    if let Some((forwarded, seen)) = behind(sight)
        && answers(seen, sight.plan) == Answers::Ours
    {
        return Finding::unknown(format!(
            "The new load balancer itself was not reached from here ({}); through a port-forward to {} a proxy answers as {} \
             {}. Look from a machine that reaches it, or override by phrase and reason.",
            door.addresses
                .iter()
                .find_map(|address| address.tcp.as_ref().err())
                .map_or("no way there", |why| why.detail.as_str()),
            forwarded.through,
            sight.plan.cluster.name,
            version(std::slice::from_ref(seen)),
        ));
    }
    for address in &door.addresses {
        if let Some(why) = fault(address, sight.plan) {
            return Finding::fail(
                format!("The new load balancer does not serve yet: {why}."),
                evidence,
            );
        }
    }
    if let Some(gap) = unlooked(door) {
        return Finding::unknown(format!(
            "Not all of the new load balancer could be looked at: {gap}."
        ));
    }
    let version = version(&door.addresses);
    let mut sentence = format!(
        "The new load balancer answers as {} {version} at {}.",
        sight.plan.cluster.name,
        list(&door.addresses)
    );
    if let Some(planned) = &sight.plan.cluster.version
        && planned.trim_start_matches('v') != version
    {
        sentence = format!("{sentence} The plan says version {planned}.");
    }
    Finding::pass(sentence, evidence)
}

/// The new load balancer's CA pins are those of the old cluster.
#[must_use]
pub fn same_authorities(sight: &Sight<'_>) -> Finding {
    let seen = authorities(sight);
    match &seen.verdict {
        Authorities::Same => Finding::pass(
            format!(
                "The new cluster has the old one's certificate authorities ({}).",
                seen.baseline()
            ),
            seen.evidence,
        ),
        Authorities::Grown(more) => Finding::pass(
            format!(
                "The new cluster has the old one's certificate authorities and {more} more ({}): a rotation, or keys \
                 of another KMS region. See `tctl status`.",
                seen.baseline()
            ),
            seen.evidence,
        ),
        Authorities::Partly => Finding::unknown(format!(
            "The new cluster has only some of the certificate authorities expected ({}). Compare with `tctl status` \
             before anything points there.",
            seen.baseline()
        )),
        Authorities::Other => Finding::fail(
            format!(
                "STOP: the new cluster has OTHER CERTIFICATE AUTHORITIES than the old one ({}). It has started on an \
                 empty or wrong state table; no agent, bot or user will trust it. Do not switch DNS: check \
                 aws.backendTable and aws.region.",
                seen.baseline()
            ),
            seen.evidence,
        ),
        Authorities::Young(why) => Finding::fail(
            format!(
                "STOP: the new cluster's certificate authorities were made or written again since the outage: {why}, and \
                 there is nothing to compare them with. An Auth Service that found no authority makes new ones, which \
                 nobody trusts. Put the old CA pins into ca_pins of the plan ({WHERE}), and they are compared instead."
            ),
            vec![
                Subject::Door(Door::New),
                Subject::Table(Side::Recovery, TableRole::State),
            ],
        ),
        Authorities::NoBaseline => {
            let (Row::Older(row) | Row::Younger(row) | Row::Unknown(row)) = fallback::row(sight);
            Finding::unknown(format!(
                "There is nothing to compare the new cluster's certificate authorities with: the plan has no ca_pins, there \
                 is no black box with pins, the old door was not seen answering; {}. What else there is: {row}. Compare \
                 the CA pins of `tctl status` in the recovery cluster with {WHERE}, and put those into ca_pins.",
                fallback::in_vain(sight)
            ))
        }
        Authorities::NotSeen(why) => Finding::unknown(why.clone()),
    }
}

/// The public name, as this machine resolves it, answers ping from the new load balancer, as the right cluster and with
/// the right authorities.
#[must_use]
pub fn public_ping(sight: &Sight<'_>) -> Finding {
    let name = &sight.plan.cluster.name;
    let door = match look(Door::Public, sight) {
        Look::Seen(door) => door,
        other => return Finding::unknown(other.why("the public name")),
    };
    let (old, new) = (known(Door::Old, sight), known(Door::New, sight));
    let evidence = vec![Subject::Door(Door::Public), Subject::Door(Door::New)];
    if door.addresses.is_empty() {
        return Finding::unknown(format!("{name} has no address to look at."));
    }
    for address in &door.addresses {
        let place = address.ip;
        if new.contains(&place) {
            if let Some(why) = fault(address, sight.plan) {
                return Finding::fail(
                    format!("{name} leads to the new load balancer, but {why}."),
                    evidence,
                );
            }
        } else if old.contains(&place) {
            return Finding::fail(
                format!("{name} still leads to the old load balancer ({place}) from here."),
                evidence,
            );
        } else {
            return Finding::unknown(format!(
                "{name} leads to {place}, which is not an address of the new load balancer as far as it is known."
            ));
        }
    }
    let expected = authorities(sight);
    let pins: Vec<&Vec<String>> = door
        .addresses
        .iter()
        .filter_map(|address| address.pins.as_ref().ok())
        .collect();
    if expected.verdict == Authorities::Other || pins.iter().any(|pins| !expected.may_be(pins)) {
        return Finding::fail(
            format!(
                "STOP: {name} answers with OTHER CERTIFICATE AUTHORITIES than the old cluster had."
            ),
            evidence,
        );
    }
    if pins.len() < door.addresses.len() {
        return Finding::unknown(format!(
            "{name} answers from the new load balancer; its certificate authorities have not been seen yet."
        ));
    }
    if let Some(gap) = unlooked(door) {
        return Finding::unknown(format!("Not all behind {name} could be looked at: {gap}."));
    }
    Finding::pass(
        format!(
            "{name} answers from the new load balancer at {}.",
            list(&door.addresses)
        ),
        evidence,
    )
}

/// Why an address does not serve this cluster as it should; `None` if it does.
fn fault(address: &Address, plan: &Plan) -> Option<String> {
    let place = address.ip;
    match answers(address, plan) {
        Answers::Ours => {}
        Answers::ProxyOnly => return Some(format!("at {place} the proxy is up and Auth is down")),
        Answers::Stranger(name) => {
            return Some(format!(
                "{place} answers as cluster {name}, not {}",
                plan.cluster.name
            ));
        }
        Answers::Odd(why) => return Some(why),
        Answers::Shut | Answers::Silent => {
            let failure = address.ping.as_ref().err()?;
            return Some(failure.detail.clone());
        }
    }
    let certificate = address.tls.as_ref().ok()?;
    let problem = certificate.problem.as_ref()?;
    Some(format!("the certificate at {place} is {problem}"))
}

/// Why part of a door was not looked at; a name that is gone hides nothing.
fn unlooked(door: &DoorFact) -> Option<&str> {
    door.gaps
        .iter()
        .find(|gap| gap.kind != FailureKind::Unresolved)
        .map(|gap| gap.detail.as_str())
}

fn version(addresses: &[Address]) -> &str {
    addresses
        .iter()
        .filter_map(|address| address.ping.as_ref().ok())
        .find_map(|ping| ping.server_version.as_deref())
        .unwrap_or("of unknown version")
}

fn list(addresses: &[Address]) -> String {
    let ips: Vec<String> = addresses
        .iter()
        .map(|address| address.ip.to_string())
        .collect();
    ips.join(", ")
}

/// Which load balancer a set of addresses belongs to, in a word.
fn belongs(addresses: &[Address], old: &[IpAddr], new: &[IpAddr]) -> &'static str {
    let some = |known: &[IpAddr]| addresses.iter().any(|address| known.contains(&address.ip));
    let strange = addresses
        .iter()
        .any(|address| !old.contains(&address.ip) && !new.contains(&address.ip));
    match (some(old), some(new), strange) {
        (true, true, _) => "old and new",
        (true, false, false) => "old",
        (false, true, false) => "new",
        (true, false, true) => "old and unknown",
        (false, true, true) => "new and unknown",
        (false, false, _) => "elsewhere",
    }
}
