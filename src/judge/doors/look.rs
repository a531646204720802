//! What a door's reading is worth, and what an address behind it answers as.

use std::{net::IpAddr, time::Duration};

use crate::{
    incident::{Address, Door, DoorFact, Fact, Failure, FailureKind, Forwarded, Subject, brief},
    judge::Sight,
    plan::Plan,
};

/// A door's reading as a condition may use it. Unlike [`crate::judge::glance`], a failure must be fresh, too: that a
/// name has gone is evidence here.
#[derive(Debug)]
pub(super) enum Look<'a> {
    /// Seen, young enough.
    Seen(&'a DoorFact),
    /// Could not be looked at just now.
    Failed(&'a Failure),
    /// Looked at too long ago, or before what it is to be evidence of.
    Old(Duration),
    /// Not looked at yet.
    Never,
}

impl Look<'_> {
    /// Why there is no telling.
    pub(super) fn why(&self, what: &str) -> String {
        match self {
            Self::Seen(_) => format!("Looked at {what}."),
            Self::Failed(failure) => format!("No telling about {what}: {failure}."),
            Self::Old(age) => format!(
                "Waiting for a new look at {what}: the last was {} ago.",
                brief(*age)
            ),
            Self::Never => format!("There has been no look at {what} yet."),
        }
    }
}

/// Looks a door up and weighs the reading's age.
pub(super) fn look<'a>(door: Door, sight: &Sight<'a>) -> Look<'a> {
    let subject = Subject::Door(door);
    let Some(reading) = sight.instruments.get(&subject) else {
        return Look::Never;
    };
    let at = reading.last.at;
    let age = sight.now.since(at);
    if sight.since.is_some_and(|since| at < since) || age > sight.plan.stale_after(&subject) {
        return Look::Old(age);
    }
    match &reading.last.outcome {
        Ok(Fact::Door(fact)) => Look::Seen(fact),
        Ok(_) => Look::Never,
        Err(failure) => Look::Failed(failure),
    }
}

/// The last good fact of a door, of whatever age, with its age.
pub(super) fn last<'a>(door: Door, sight: &Sight<'a>) -> Option<(&'a DoorFact, Duration)> {
    let reading = sight.instruments.get(&Subject::Door(door))?;
    match reading.good.as_ref()? {
        (at, Fact::Door(fact)) => Some((fact, sight.now.since(*at))),
        _ => None,
    }
}

/// The addresses of a door as they were last known.
pub(super) fn known(door: Door, sight: &Sight<'_>) -> Vec<IpAddr> {
    last(door, sight)
        .map(|(fact, _)| fact.addresses.iter().map(|address| address.ip).collect())
        .unwrap_or_default()
}

/// Longest that what a port-forward showed counts: it is opened every minute.
const BEHIND: Duration = Duration::from_secs(150);

/// What a proxy pod answers through a port-forward, as a condition may use it: with where it leads.
pub(super) fn behind<'a>(sight: &Sight<'a>) -> Option<(&'a Forwarded, &'a Address)> {
    let Look::Seen(door) = look(Door::New, sight) else {
        return None;
    };
    let forwarded = door.forwarded.as_ref()?;
    let early = sight.since.is_some_and(|since| forwarded.at < since);
    let late = sight.now.since(forwarded.at) > BEHIND;
    let seen = forwarded.seen.as_ref().ok()?;
    (!early && !late).then_some((forwarded, seen))
}

/// As whom an address answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// As this cluster, with its Auth Service.
    Ours,
    /// A proxy of this cluster, whose Auth Service does not answer: find works, ping does not.
    ProxyOnly,
    /// Another Teleport cluster.
    Stranger(String),
    /// Something that is not clearly either: an error, a redirect, garbage. With the reason.
    Odd(String),
    /// Refused, reset, unroutable.
    Shut,
    /// Nothing in time.
    Silent,
}

/// Tells as whom an address answers.
pub(super) fn answers(address: &Address, plan: &Plan) -> Answers {
    let cluster = &plan.cluster.name;
    let named = |name: &Option<String>| match name {
        Some(name) if !name.eq_ignore_ascii_case(cluster) => Some(Answers::Stranger(name.clone())),
        _ => None,
    };
    match (&address.ping, &address.find) {
        (Ok(ping), _) if ping.cluster_name.is_none() => Answers::Odd(format!(
            "{} answers ping without a cluster name",
            address.ip
        )),
        (Ok(ping), _) => named(&ping.cluster_name).unwrap_or(Answers::Ours),
        (Err(_), Ok(find)) => named(&find.cluster_name).unwrap_or(Answers::ProxyOnly),
        (Err(failure), Err(_)) => match failure.kind {
            FailureKind::Unreachable | FailureKind::Unresolved => Answers::Shut,
            FailureKind::Timeout => Answers::Silent,
            _ => Answers::Odd(failure.detail.clone()),
        },
    }
}
