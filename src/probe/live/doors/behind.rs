//! What is behind the new load balancer where it cannot be reached from here: an internal one, from outside its network.
//! A proxy pod is asked through a port-forward, so that the certificate authorities are known before names are pointed
//! there. Of the load balancer itself that says nothing.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use crate::{
    clients::{forward::Forward, web::Web},
    incident::{Address, Failure, FailureKind, Forwarded, Moment, Part, Side},
    plan::Plan,
};

/// Between two port-forwards: each starts a kubectl, and asks for the rate-limited export.
const EVERY: Duration = Duration::from_mins(1);

/// The same where one is wanted: a run has ended, or somebody asks.
const AT_MOST_EVERY: Duration = Duration::from_secs(10);

/// Longest that one may take, kubectl's start included.
const TOTAL: Duration = Duration::from_secs(12);

/// What was last seen through a port-forward.
#[derive(Debug, Default)]
pub(super) struct Behind {
    last: Option<(Instant, Forwarded)>,
    wanted: bool,
}

impl Behind {
    /// The next look is to be a new one, as soon as may be.
    pub(super) const fn wanted(&mut self) {
        self.wanted = true;
    }

    /// What is behind addresses of which none can be reached; `None` where one can, or where the plan names no kube
    /// context.
    pub(super) async fn look(
        &mut self,
        plan: &Plan,
        web: &Web,
        seen: &[Address],
    ) -> Option<Forwarded> {
        if !unreachable(seen) {
            self.last = None;
            return None;
        }
        let context = plan.recovery.kube.context.as_ref()?;
        if self.due(Instant::now()) {
            let asked = tokio::time::timeout(TOTAL, ask(plan, web)).await;
            let seen = asked.unwrap_or_else(|_| {
                Err(Failure::new(
                    FailureKind::Timeout,
                    format!(
                        "a port-forward in context {context} took longer than {} s",
                        TOTAL.as_secs()
                    ),
                ))
            });
            let forwarded = Forwarded {
                through: format!(
                    "deployment/{}-proxy in context {context}",
                    plan.cluster.release
                ),
                at: Moment::now(),
                seen,
            };
            self.wanted = false;
            self.last = Some((Instant::now(), forwarded));
        }
        self.last.as_ref().map(|(_, forwarded)| forwarded.clone())
    }

    fn due(&self, now: Instant) -> bool {
        let least = if self.wanted { AT_MOST_EVERY } else { EVERY };
        self.last
            .as_ref()
            .is_none_or(|(at, _)| now.saturating_duration_since(*at) >= least)
    }
}

/// Whether there are addresses and TCP reaches none of them.
fn unreachable(seen: &[Address]) -> bool {
    let away = |address: &Address| {
        address
            .tcp
            .as_ref()
            .is_err_and(|why| matches!(why.kind, FailureKind::Timeout | FailureKind::Unreachable))
    };
    !seen.is_empty() && seen.iter().all(away)
}

/// One look through a port-forward of its own. Behind a load balancer that ends TLS the proxies may show a certificate
/// that nobody trusts: the way there is Kubernetes', which is who vouches for them.
async fn ask(plan: &Plan, web: &Web) -> Part<Address> {
    let forward = Forward::open(plan, Side::Recovery).await?;
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let web = web.at(forward.port());
    let mut address = web.visit(here).await;
    if address.ping.is_ok() {
        let trusted = address.tls.as_ref().is_ok_and(|tls| tls.problem.is_none());
        address.pins = web.pins(here, trusted).await;
    }
    forward.close().await;
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(tcp: Option<FailureKind>) -> Address {
        let failure = Failure::new(tcp.unwrap_or(FailureKind::Tls), "said so");
        let tcp = tcp.map_or(Ok(Duration::ZERO), |kind| {
            Err(Failure::new(kind, "said so"))
        });
        Address::stopped([192, 0, 2, 1].into(), 443, tcp, &failure)
    }

    #[test]
    fn only_where_tcp_reaches_no_address_there_is_another_way() {
        use FailureKind::{Other, Timeout, Unreachable};
        let cases: [(&[Option<FailureKind>], bool); 5] = [
            (&[], false),
            (&[Some(Timeout), Some(Unreachable)], true),
            (&[Some(Timeout), None], false),
            (&[Some(Other)], false),
            (&[None], false),
        ];
        for (tcp, away) in cases {
            let seen: Vec<Address> = tcp.iter().map(|tcp| address(*tcp)).collect();
            assert_eq!(unreachable(&seen), away, "{tcp:?}");
        }
    }

    #[test]
    fn a_port_forward_is_opened_seldom_and_soon_where_it_is_wanted() {
        let start = Instant::now();
        let mut behind = Behind::default();
        assert!(behind.due(start));
        let seen = Forwarded {
            through: String::new(),
            at: Moment::default(),
            seen: Ok(address(None)),
        };
        behind.last = Some((start, seen));
        for (wanted, after, due) in [
            (false, 59, false),
            (false, 60, true),
            (true, 9, false),
            (true, 10, true),
        ] {
            behind.wanted = wanted;
            assert_eq!(
                behind.due(start + Duration::from_secs(after)),
                due,
                "{wanted} {after}"
            );
        }
    }
}
