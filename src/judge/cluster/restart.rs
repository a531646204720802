//! Whether the proxies of a side were restarted: agents hold long-lived connections through proxies that answer nothing
//! any more, and only a stopped process lets go of them (guide, step 2/4).

use super::{evidence, place::foreign, plural, seen};
use crate::{
    incident::{ClusterKind, Component, Finding, Moment, Pod, Side},
    judge::Sight,
};

/// Every Proxy Deployment of a side was restarted since the outage began, and no proxy pod of before is left.
#[must_use]
pub fn proxies_restarted(side: Side, sight: &Sight<'_>) -> Finding {
    let cluster = match seen(side, sight) {
        Ok(cluster) => cluster,
        Err(finding) => return finding,
    };
    if let Some(other) = foreign(side, cluster, sight) {
        return other;
    }
    if let Some(gap) = cluster.gap(ClusterKind::Deployments) {
        return Finding::unknown(format!("the Deployments of the {side} cluster: {gap}"));
    }
    let mut since: Option<Moment> = None;
    let proxies = cluster
        .deployments
        .iter()
        .filter(|one| one.component == Component::Proxy && one.desired > 0);
    for one in proxies {
        let fresh = one
            .restarted
            .filter(|at| sight.outage.is_none_or(|outage| *at >= outage));
        let Some(at) = fresh else {
            return Finding::fail(
                format!("{} was not restarted since the outage began", one.name),
                evidence(side),
            );
        };
        if !one.observed || one.updated < one.desired {
            return Finding::fail(
                format!(
                    "{} has {} of {} pods of its newest form",
                    one.name, one.updated, one.desired
                ),
                evidence(side),
            );
        }
        since = Some(since.map_or(at, |earlier| earlier.min(at)));
    }
    let Some(since) = since else {
        return Finding::fail(
            format!("no Proxy Deployment in the {side} cluster wants any pod"),
            evidence(side),
        );
    };
    // One that is ending still holds its connections.
    let of_before = |pod: &Pod| pod.component == Component::Proxy && pod.created < since;
    let old = cluster.pods.iter().filter(|pod| of_before(pod)).count();
    if old > 0 {
        return Finding::fail(
            format!(
                "{old} {} from before the restart: what cannot become Ready does not replace it",
                plural(old, "proxy pod is", "proxy pods are")
            ),
            evidence(side),
        );
    }
    Finding::pass(
        format!("every proxy pod in the {side} cluster is younger than the restart at {since}"),
        evidence(side),
    )
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        incident::{Cluster, Deployment, Fact, Instruments, Memo, Observation, Outcome, Subject},
        plan::sample,
    };

    const NOW: Moment = Moment::from_secs(100_000);
    const OUTAGE: Moment = Moment::from_secs(90_000);

    fn judged(restarted: Option<i64>, updated: u32, created: i64) -> Finding {
        let proxy = Deployment {
            name: "tc-proxy".to_owned(),
            component: Component::Proxy,
            desired: 2,
            // What answers nothing is not Ready either: that is not what is asked here.
            available: 0,
            updated,
            observed: true,
            restarted: restarted.map(Moment::from_secs),
        };
        let pod = Pod {
            uid: "u".to_owned(),
            name: "tc-proxy-x".to_owned(),
            component: Component::Proxy,
            ready: 0,
            containers: 1,
            phase: "Running".to_owned(),
            reason: String::new(),
            message: String::new(),
            restarts: 0,
            created: Moment::from_secs(created),
            deleting: None,
            node: None,
            node_ready: None,
        };
        let cluster = Cluster {
            context: "east".to_owned(),
            uid: None,
            pods: vec![Arc::new(pod)],
            deployments: vec![proxy],
            load_balancer: None,
            events: Vec::new(),
            release: Ok(None),
            gaps: Vec::new(),
            memo: Memo::default(),
        };
        let mut instruments = Instruments::default();
        instruments.take(Observation {
            subject: Subject::Cluster(Side::Primary),
            at: NOW,
            took: Duration::ZERO,
            outcome: Ok(Fact::Cluster(Arc::new(cluster))),
        });
        let plan = sample::plan();
        proxies_restarted(
            Side::Primary,
            &Sight {
                instruments: &instruments,
                plan: &plan,
                now: NOW,
                since: None,
                outage: Some(OUTAGE),
            },
        )
    }

    #[test]
    fn every_proxy_is_younger_than_a_restart_since_the_outage() {
        let cases = [
            (
                None,
                2,
                95_000,
                Outcome::Fail,
                "not restarted since the outage",
            ),
            // Somebody restarted them last month.
            (
                Some(80_000),
                2,
                80_010,
                Outcome::Fail,
                "not restarted since the outage",
            ),
            (Some(95_000), 1, 95_000, Outcome::Fail, "1 of 2"),
            (
                Some(95_000),
                2,
                94_000,
                Outcome::Fail,
                "from before the restart",
            ),
            (Some(95_000), 2, 95_000, Outcome::Pass, "younger"),
        ];
        for (restarted, updated, created, wanted, words) in cases {
            let finding = judged(restarted, updated, created);
            assert_eq!(finding.outcome, wanted, "{}", finding.sentence);
            assert!(finding.sentence.contains(words), "{}", finding.sentence);
        }
    }
}
