//! Where the names are to point to.

use std::{fmt, net::IpAddr};

use super::Say;
use crate::{clients::kube, plan::Plan, step::StepError};

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
