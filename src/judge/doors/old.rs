//! Whether there is something to go back to: the old load balancer answers as the cluster that it was.

use std::{collections::BTreeSet, net::IpAddr};

use super::look::{Answers, Look, answers, look};
use crate::{
    incident::{Address, Door, FailureKind, Finding, Subject, brief},
    judge::{Sight, black_box, dns::other_ends},
};

/// Every address of the old load balancer answers as this cluster, with a trusted certificate and the pins that the black
/// box has. Released addresses go to strangers, and a cluster that came up anew has other authorities: to neither a name
/// may be pointed back.
#[must_use]
pub fn answers_as_before(sight: &Sight<'_>) -> Finding {
    judged(sight, None)
}

/// The same of the load balancer that the old release has now, where a way back has given it another one than before: the
/// one of before is gone then, and its addresses are nobody's or a stranger's.
#[must_use]
pub fn side_answers(sight: &Sight<'_>) -> Finding {
    let Some(ends) = other_ends(sight) else {
        return judged(sight, None);
    };
    if ends.addresses.is_empty() {
        return Finding::unknown(format!(
            "the old release has another load balancer now ({}), whose addresses are not known yet",
            ends.told()
        ));
    }
    judged(sight, Some(&ends.addresses))
}

/// `addresses` are those that count; all of the door's where none are given.
fn judged(sight: &Sight<'_>, addresses: Option<&BTreeSet<IpAddr>>) -> Finding {
    let Some(found) = black_box::known(sight) else {
        return Finding::unknown(
            "there is no black box, so there is no telling whether the old cluster is the one from before",
        );
    };
    let Some(before) = found.pins.good() else {
        return Finding::unknown(
            "the black box holds no CA pins, so there is no telling whether the old cluster is the one from before",
        );
    };
    let before: BTreeSet<&String> = before.iter().collect();
    let evidence = vec![Subject::Door(Door::Old), Subject::BlackBox];
    let door = match look(Door::Old, sight) {
        Look::Seen(door) => door,
        Look::Failed(failure) if failure.kind == FailureKind::NotPlanned => {
            return Finding::unknown(failure.to_string());
        }
        Look::Failed(failure) => {
            let sentence = format!("The old load balancer does not answer: {failure}.");
            return Finding::fail(sentence, evidence);
        }
        other => return Finding::unknown(other.why("the old load balancer")),
    };
    let counts = |address: &&Address| addresses.is_none_or(|known| known.contains(&address.ip));
    let counted: Vec<&Address> = door.addresses.iter().filter(counts).collect();
    if counted.is_empty() {
        return Finding::unknown("The old load balancer has no address to look at.");
    }
    for address in counted {
        match fault(address, &before, sight) {
            Some(Fault::Wrong(why)) => {
                let sentence = format!("There is nothing to go back to: {why}.");
                return Finding::fail(sentence, evidence);
            }
            Some(Fault::Unseen(why)) => return Finding::unknown(why),
            None => {}
        }
    }
    let which = if addresses.is_some() {
        "The load balancer that the old release has now"
    } else {
        "The old load balancer"
    };
    Finding::pass(
        format!(
            "{which} answers as {} with the authorities of the black box, seen {} ago.",
            sight.plan.cluster.name,
            brief(sight.now.since(found.pins.at))
        ),
        evidence,
    )
}

enum Fault {
    Wrong(String),
    Unseen(String),
}

fn fault(address: &Address, before: &BTreeSet<&String>, sight: &Sight<'_>) -> Option<Fault> {
    let place = address.ip;
    match answers(address, sight.plan) {
        Answers::Ours => {}
        Answers::ProxyOnly => {
            return Some(Fault::Wrong(format!(
                "at {place} proxies are up without Auth"
            )));
        }
        Answers::Stranger(name) => {
            return Some(Fault::Wrong(format!(
                "{place} answers as cluster {name}: the address is somebody else's now"
            )));
        }
        Answers::Odd(why) => return Some(Fault::Wrong(why)),
        Answers::Shut => return Some(Fault::Wrong(format!("{place} is shut"))),
        Answers::Silent => return Some(Fault::Wrong(format!("{place} gives no answer"))),
    }
    if let Some(problem) = address
        .tls
        .as_ref()
        .ok()
        .and_then(|tls| tls.problem.as_ref())
    {
        return Some(Fault::Wrong(format!(
            "the certificate at {place} is {problem}"
        )));
    }
    match &address.pins {
        // More than before is a rotation since; fewer or others are another cluster.
        Ok(pins) if before.iter().all(|pin| pins.contains(pin)) && !pins.is_empty() => None,
        Ok(_) => Some(Fault::Wrong(format!(
            "{place} answers with OTHER CERTIFICATE AUTHORITIES than the black box has"
        ))),
        Err(why) => Some(Fault::Unseen(format!(
            "the certificate authorities at {place} are not known: {why}"
        ))),
    }
}

#[cfg(test)]
#[path = "old_tests.rs"]
mod tests;
