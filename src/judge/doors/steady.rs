//! What must hold at the new door before names are pointed at it: in order three looks running, and the wildcard, too.

use super::{
    Authorities, authorities, list,
    look::{Look, look},
    new_answers, unlooked,
};
use crate::{
    incident::{Address, Door, DoorFact, Finding, Health, Outcome, STEADY, Subject},
    judge::Sight,
    plan::Plan,
};

/// The new load balancer was found in order three looks in a row at each of its addresses, all of them younger than what
/// they are to be evidence of, and its authorities are the old cluster's. Ping is asked at each look; the pins, whose
/// export is rate limited, once a stage, and a server that was away shows none until they are asked for again.
#[must_use]
pub fn new_steady(sight: &Sight<'_>) -> Finding {
    let answers = new_answers(sight);
    let (Look::Seen(door), Outcome::Pass) = (look(Door::New, sight), answers.outcome) else {
        return answers;
    };
    let counted = |address: &Address| {
        let young = |at: &&_| sight.since.is_none_or(|since| **at >= since);
        address.steady.iter().filter(young).count()
    };
    let shortest = door.addresses.iter().min_by_key(|address| counted(address));
    if let Some(address) = shortest
        && counted(address) < STEADY
    {
        return Finding::unknown(format!(
            "{} of {STEADY} looks in a row have found the new load balancer in order at {}: waiting for more.",
            counted(address),
            address.ip
        ));
    }
    let compared = authorities(sight);
    let same = match compared.verdict {
        Authorities::Same | Authorities::Grown(_) => compared,
        Authorities::Other => {
            return Finding::fail(
                "STOP: the new load balancer answers steadily, with OTHER CERTIFICATE AUTHORITIES than the old cluster had.",
                compared.evidence,
            );
        }
        _ => {
            return Finding::unknown(
                "The new load balancer answers steadily; whether with the old cluster's authorities is not known (see \
                 same-authorities).",
            );
        }
    };
    Finding::pass(
        format!(
            "The last {STEADY} looks found the new load balancer in order, with the old cluster's authorities, at {}.",
            list(&door.addresses)
        ),
        same.evidence,
    )
}

/// At each address of the new load balancer a fresh name under the cluster's gets a certificate that is valid for it, and
/// an answer: any, since applications come back only with their agents.
#[must_use]
pub fn wildcard_answers(sight: &Sight<'_>) -> Finding {
    let door = match look(Door::New, sight) {
        Look::Seen(door) => door,
        other => return Finding::unknown(other.why("the new load balancer")),
    };
    let evidence = vec![Subject::Door(Door::New)];
    let name = &sight.plan.cluster.name;
    if door.addresses.is_empty() {
        return Finding::unknown("The new load balancer has no address to look at.");
    }
    if !switched(sight.plan) {
        return Finding::pass(
            format!("[dns] names of the plan does not switch *.{name}, so nothing is asked of it."),
            evidence,
        );
    }
    for address in &door.addresses {
        let place = address.ip;
        let wildcard = match &address.wildcard {
            Ok(wildcard) => wildcard,
            Err(why) => {
                return Finding::unknown(format!(
                    "What a name under {name} gets at {place} is not known: {why}."
                ));
            }
        };
        if let Some(problem) = &wildcard.tls.problem {
            return Finding::fail(
                format!(
                    "Applications under {name} could not be reached: the certificate at {place} is {problem}. It must be \
                     for {name} and *.{name}."
                ),
                evidence,
            );
        }
        if let Err(why) = &wildcard.answer {
            return Finding::fail(
                format!("A name under {name} gets no answer from the new proxies: {why}."),
                evidence,
            );
        }
    }
    if let Some(gap) = unlooked(door) {
        return Finding::unknown(format!(
            "Not all of the new load balancer could be looked at: {gap}."
        ));
    }
    Finding::pass(
        format!(
            "Names under {name} get a valid certificate and an answer at {}.",
            list(&door.addresses)
        ),
        evidence,
    )
}

/// What of this is not as it must be, in a few words for the pane: nothing while all is well.
pub(super) fn remark(door: &DoorFact, sight: &Sight<'_>) -> Option<(Health, String)> {
    if door.addresses.iter().any(|address| address.ping.is_err()) {
        return None;
    }
    let refused = door.addresses.iter().find_map(|address| {
        let wildcard = address.wildcard.as_ref().ok()?;
        let problem = wildcard.tls.problem.clone();
        problem.or_else(|| Some(wildcard.answer.as_ref().err()?.kind.word().to_owned()))
    });
    if let Some(why) = refused
        && switched(sight.plan)
    {
        return Some((Health::Degraded, format!("*.: {why}")));
    }
    let looks = door.addresses.iter().map(|address| address.steady.len());
    let looks = looks.min().unwrap_or_default();
    (looks < STEADY).then(|| (Health::Ok, format!("{looks} of {STEADY} looks")))
}

/// Whether the plan switches the wildcard.
fn switched(plan: &Plan) -> bool {
    plan.dns.names.iter().any(|name| {
        name.strip_prefix("*.")
            .is_some_and(|rest| rest.eq_ignore_ascii_case(&plan.cluster.name))
    })
}

#[cfg(test)]
#[path = "steady_tests.rs"]
mod tests;
