//! Whether the old cluster answers at the old load balancer's addresses again. Released addresses go to strangers, so
//! an answer counts as the old cluster's only with a trusted certificate, the cluster's name and its CA pins.

use super::{
    Compared, authorities,
    look::{Answers, Look, answers, look},
};
use crate::{
    incident::{Address, Door},
    judge::Sight,
};

/// Who an address is that answers under the cluster's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Certificate, name and pins are the old cluster's.
    Proven,
    /// The name is; why the rest is not proven.
    Unproven(String),
    /// The pins are another cluster's.
    Other,
}

/// Weighs the claim of an address that answers under the cluster's name.
pub(super) fn claim(address: &Address, compared: &Compared) -> Claim {
    let problem = match &address.tls {
        Ok(certificate) => certificate.problem.clone(),
        Err(failure) => Some(failure.detail.clone()),
    };
    match (&address.pins, problem) {
        (Ok(pins), _) if !compared.may_be(pins) => Claim::Other,
        // Pins are public: without a certificate that only the cluster has, they prove nothing.
        (_, Some(problem)) => Claim::Unproven(format!("its certificate is {problem}")),
        (Ok(_), None) => Claim::Proven,
        (Err(_), None) => Claim::Unproven("its authorities have not been seen".to_owned()),
    }
}

/// What answers at the old addresses as this cluster, in words: `Ok` is the old cluster, `Err` may be.
#[must_use]
pub fn comeback(sight: &Sight<'_>) -> Option<Result<String, String>> {
    let Look::Seen(door) = look(Door::Old, sight) else {
        return None;
    };
    let compared = authorities(sight);
    let claims = door.addresses.iter().filter_map(|address| {
        let what = match answers(address, sight.plan) {
            Answers::Ours => "answers",
            // Its Auth Service does not answer, so that its pins cannot be had.
            Answers::ProxyOnly => "has proxies up, without Auth",
            _ => return None,
        };
        let place = address.ip;
        match claim(address, &compared) {
            Claim::Proven => Some(Ok(format!(
                "it {what} at {place} with its own certificate and authorities"
            ))),
            Claim::Unproven(why) => Some(Err(format!(
                "something {what} at {place} under its name; {why}"
            ))),
            Claim::Other => None,
        }
    });
    claims.max_by_key(Result::is_ok)
}
