//! Where the names are to point to.

use std::{fmt, net::IpAddr};

use super::Say;
use crate::{
    clients::kube,
    incident::{Fact, Instruments, Side, Subject},
    plan::Plan,
    step::StepError,
};

/// What the records will say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A host name: CNAME records.
    Host(String),
    /// Addresses: A and AAAA records.
    Addresses(Vec<IpAddr>),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => f.write_str(host),
            Self::Addresses(addresses) => {
                let all: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                f.write_str(&all.join(", "))
            }
        }
    }
}

/// What the plan says beforehand, if it does: `dns.new`, else `recovery.load_balancer`.
pub(super) fn planned(plan: &Plan) -> Option<&[String]> {
    [&plan.dns.new, &plan.recovery.load_balancer]
        .into_iter()
        .find(|listed| !listed.is_empty())
        .map(Vec::as_slice)
}

/// The plan's target, else the recovery cluster's load balancer as it was seen last.
///
/// A host name in the plan that is not the release's load balancer is refused: the web pane has asked the load balancer
/// that is there, and the records would point to another. A chart that is installed anew gets one of another name.
pub(super) fn seen(plan: &Plan, instruments: &Instruments) -> Result<Target, StepError> {
    let reading = instruments.get(&Subject::Cluster(Side::Recovery));
    let balancer = match reading.and_then(|reading| reading.good.as_ref()) {
        Some((_, Fact::Cluster(cluster))) => cluster.load_balancer.as_ref(),
        _ => None,
    };
    match (planned(plan), balancer) {
        (None, None) => Err(StepError(
            "the recovery cluster's load balancer has not been seen yet".to_owned(),
        )),
        (None, Some(balancer)) => read(&balancer.addresses),
        (Some(listed), None) => read(listed),
        (Some(listed), Some(balancer)) => {
            let target = read(listed)?;
            agrees(&target, &balancer.source, &balancer.addresses)?;
            Ok(target)
        }
    }
}

/// Whether a declared host name is the load balancer's. Addresses cannot be told apart by name: the web pane asks them.
fn agrees(target: &Target, source: &str, addresses: &[String]) -> Result<(), StepError> {
    match (target, read(addresses)) {
        (Target::Host(host), Ok(Target::Host(there))) if *host != there => Err(StepError(format!(
            "the plan points the names to {host}, but {source} has {there}: correct new in [dns] or load_balancer in [recovery], or take them out and the one that is there is used"
        ))),
        _ => Ok(()),
    }
}

/// The plan's target, else the recovery cluster's load balancer as its Service or Ingress says now.
pub(super) async fn find(plan: &Plan, say: Say<'_>) -> Result<Target, StepError> {
    if let Some(listed) = planned(plan) {
        say(&format!("target from the plan: {}", listed.join(", ")));
        return read(listed);
    }
    let (namespace, release) = (&plan.cluster.namespace, &plan.cluster.release);
    let cluster = kube::connect(&plan.recovery.kube)
        .await
        .map_err(|failure| StepError(failure.to_string()))?;
    let found = kube::load_balancer(&cluster, namespace, release)
        .await
        .map_err(|failure| StepError(failure.to_string()))?;
    let Some(balancer) = found else {
        return Err(StepError(format!(
            "{release} in namespace {namespace} of the recovery cluster has no load balancer address yet: wait for it, or set new in [dns]"
        )));
    };
    say(&format!(
        "target from {}: {}",
        balancer.source,
        balancer.addresses.join(", ")
    ));
    read(&balancer.addresses)
}

/// Addresses, or one host name; nothing else can be told from a list.
pub(super) fn read(listed: &[String]) -> Result<Target, StepError> {
    let addresses: Vec<IpAddr> = listed.iter().filter_map(|text| text.parse().ok()).collect();
    if !listed.is_empty() && addresses.len() == listed.len() {
        return Ok(Target::Addresses(addresses));
    }
    match listed {
        [host] if plausible(host) => Ok(Target::Host(
            host.trim_end_matches('.').to_ascii_lowercase(),
        )),
        _ => Err(StepError(format!(
            "{:?} is neither a list of addresses nor one host name: say in the plan what the names are to point to, new in [dns]",
            listed.join(", ").chars().take(200).collect::<String>()
        ))),
    }
}

fn plausible(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    host.len() <= 253
        && host.contains('.')
        && host.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_host_name_is_that_of_the_load_balancer() {
        let host = Target::Host("new.elb.example".to_owned());
        let there = |text: &str| vec![text.to_owned()];
        assert!(agrees(&host, "Service t", &there("NEW.elb.example.")).is_ok());
        assert!(agrees(&host, "Service t", &there("192.0.2.1")).is_ok());
        let told = agrees(&host, "Service t", &there("newer.elb.example")).expect_err("another");
        for part in [
            "new.elb.example",
            "Service t has newer.elb.example",
            "[dns]",
        ] {
            assert!(told.to_string().contains(part), "{told}");
        }
    }

    #[test]
    fn a_target_is_addresses_or_one_host_name() {
        let list = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let host = |text: &str| Target::Host(text.to_owned());
        assert_eq!(
            read(&list(&["LB.elb.example."])).ok(),
            Some(host("lb.elb.example"))
        );
        let both = read(&list(&["192.0.2.1", "2001:db8::1"])).expect("addresses");
        assert!(matches!(both, Target::Addresses(found) if found.len() == 2));
        for wrong in [
            &[][..],
            &["192.0.2.1", "lb.example"],
            &["a.example", "b.example"],
            &["x y.example"],
            &["localhost"],
            &["a\u{1b}.example"],
        ] {
            assert!(read(&list(wrong)).is_err(), "{wrong:?}");
        }
    }
}
