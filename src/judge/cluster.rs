//! Pods, Deployments, release and load balancer of a side.

mod muster;
mod pending;
mod place;
mod restart;

pub use muster::muster;
pub use pending::{release_free, release_pending};
pub use place::{context, misplaced};
pub use restart::proxies_restarted;

use muster::at;
use place::foreign;

use super::{Assessment, Glance, Sight, glance};
use crate::{
    incident::{
        Cluster, ClusterKind, Component, Deployment, Fact, Finding, Health, Side, Subject, brief,
    },
    judge::pod,
};

/// A cluster as a judge sees it: the fact with its age, or the finding that there is none.
fn seen<'a>(side: Side, sight: &Sight<'a>) -> Result<&'a Cluster, Finding> {
    match glance(&Subject::Cluster(side), sight) {
        Glance::Fresh(Fact::Cluster(cluster), _) => Ok(cluster),
        Glance::Stale(_, age) => Err(Finding::unknown(format!(
            "the {side} cluster was last read {} ago, which is too long",
            brief(age)
        ))),
        Glance::Failed(failure, _) => {
            Err(Finding::unknown(format!("the {side} cluster: {failure}")))
        }
        Glance::Never | Glance::Fresh(..) => Err(Finding::unknown(format!(
            "the {side} cluster has not been read yet"
        ))),
    }
}

fn evidence(side: Side) -> Vec<Subject> {
    vec![Subject::Cluster(side)]
}

/// No pod of the release and no release is left on a side, by a fresh reading: an API that does not answer proves
/// nothing.
#[must_use]
pub fn gone(side: Side, sight: &Sight<'_>) -> Finding {
    let cluster = match seen(side, sight) {
        Ok(cluster) => cluster,
        Err(finding) => return finding,
    };
    if let Some(other) = foreign(side, cluster, sight) {
        return other;
    }
    let left = muster(cluster).members;
    if left > 0 {
        return Finding::fail(
            format!(
                "{left} {} of the release still in the {side} cluster",
                plural(left, "pod is", "pods are")
            ),
            evidence(side),
        );
    }
    // Scaled to 0, as where Argo CD renders the chart, a Deployment starts nothing.
    let wanting: Vec<&str> = cluster
        .deployments
        .iter()
        .filter(|one| one.desired > 0)
        .map(|one| one.name.as_str())
        .collect();
    if !wanting.is_empty() {
        return Finding::fail(
            format!(
                "Deployments are left in the {side} cluster and will start pods: {}",
                wanting.join(", ")
            ),
            evidence(side),
        );
    }
    if let Some(gap) = cluster.gap(ClusterKind::Deployments) {
        return Finding::unknown(format!(
            "no pod is left in the {side} cluster, but whether Deployments will start new ones cannot be read: {gap}"
        ));
    }
    match &cluster.release {
        Ok(None) => Finding::pass(
            format!(
                "no pod and no release {} in the {side} cluster",
                sight.plan.cluster.release
            ),
            evidence(side),
        ),
        Ok(Some(release)) => Finding::fail(
            format!(
                "release {} is still recorded as {} in the {side} cluster",
                release.name, release.status
            ),
            evidence(side),
        ),
        Err(failure) => Finding::unknown(format!(
            "no pod is left in the {side} cluster, but whether the release is gone cannot be read: {failure}"
        )),
    }
}

/// No release of that name is recorded on a side yet: `helm install` would refuse to use the name again.
#[must_use]
pub fn release_absent(side: Side, sight: &Sight<'_>) -> Finding {
    let cluster = match seen(side, sight) {
        Ok(cluster) => cluster,
        Err(finding) => return finding,
    };
    match &cluster.release {
        Ok(None) => Finding::pass(
            format!(
                "no release {} in the {side} cluster yet",
                sight.plan.cluster.release
            ),
            evidence(side),
        ),
        Ok(Some(release)) => Finding::fail(
            format!(
                "release {} is in the {side} cluster already ({}, revision {}); uninstall it there first",
                release.name, release.status, release.revision
            ),
            evidence(side),
        ),
        Err(failure) => Finding::unknown(format!(
            "whether a release is in the {side} cluster: {failure}"
        )),
    }
}

/// The release may be installed, or upgraded where it runs warm already: Helm upgrades only what is deployed.
#[must_use]
pub fn release_installable(side: Side, sight: &Sight<'_>) -> Finding {
    match seen(side, sight).map(|cluster| &cluster.release) {
        Ok(Ok(Some(release))) if release.status == "deployed" => Finding::pass(
            format!(
                "release {} runs in the {side} cluster already (revision {}): it is upgraded with the recovery values",
                release.name, release.revision
            ),
            evidence(side),
        ),
        Ok(Ok(Some(release))) if release.is_pending() => {
            Finding::fail(pending::words(side, release), evidence(side))
        }
        Ok(Ok(Some(release))) => Finding::fail(
            format!(
                "release {} in the {side} cluster is {} (revision {}), and Helm upgrades only what is deployed: \
                 uninstall it there first, or roll it back",
                release.name, release.status, release.revision
            ),
            evidence(side),
        ),
        _ => release_absent(side, sight),
    }
}

/// Helm has recorded the release as deployed.
#[must_use]
pub fn release_deployed(side: Side, sight: &Sight<'_>) -> Finding {
    let cluster = match seen(side, sight) {
        Ok(cluster) => cluster,
        Err(finding) => return finding,
    };
    match &cluster.release {
        Ok(Some(release)) if release.status == "deployed" => Finding::pass(
            format!(
                "release {} revision {} is deployed in the {side} cluster",
                release.name, release.revision
            ),
            evidence(side),
        ),
        Ok(Some(release)) => Finding::fail(
            format!(
                "release {} in the {side} cluster is {}, not deployed",
                release.name, release.status
            ),
            evidence(side),
        ),
        Ok(None) => Finding::fail(
            format!(
                "there is no release {} in the {side} cluster",
                sight.plan.cluster.release
            ),
            evidence(side),
        ),
        Err(failure) => Finding::unknown(format!("the release in the {side} cluster: {failure}")),
    }
}

/// Auth and Proxy Deployments are there, observed, and available and up to date as desired; nothing crash-loops.
#[must_use]
pub fn ready(side: Side, sight: &Sight<'_>) -> Finding {
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
    for (component, name) in [(Component::Auth, "Auth"), (Component::Proxy, "Proxy")] {
        let mut of = cluster
            .deployments
            .iter()
            .filter(|one| one.component == component)
            .peekable();
        if of.peek().is_none() {
            return Finding::fail(
                format!("there is no {name} Deployment in the {side} cluster"),
                evidence(side),
            );
        }
        if let Some(short) = of.find(|one| !complete(one)) {
            let observed = if short.observed {
                ""
            } else {
                ", and its newest form has not been taken up yet"
            };
            return Finding::fail(
                format!(
                    "{} has {} of {} pods available and {} up to date{observed}{}",
                    short.name,
                    short.available,
                    short.desired,
                    short.updated,
                    held_up(cluster, component)
                ),
                evidence(side),
            );
        }
    }
    let muster = muster(cluster);
    if let Some(looping) = at(cluster, muster.looping) {
        return Finding::fail(
            format!(
                "{} is in CrashLoopBackOff: {}",
                looping.name, looping.message
            ),
            evidence(side),
        );
    }
    if let Some(lost) = at(cluster, muster.lost) {
        return Finding::unknown(format!(
            "{} is on a node that does not report, so its state is hearsay",
            lost.name
        ));
    }
    let blind = cluster
        .gap(ClusterKind::Nodes)
        .map_or_else(String::new, |gap| {
            format!(
                "; whether their nodes report is not visible ({})",
                gap.kind.word()
            )
        });
    Finding::pass(
        format!("Auth and Proxy are available as desired in the {side} cluster{blind}"),
        evidence(side),
    )
}

/// The worst pod of a component and what it waits for, to follow a sentence; nothing if no pod says.
fn held_up(cluster: &Cluster, component: Component) -> String {
    let pods = cluster
        .pods
        .iter()
        .filter(|pod| pod.component == component && !pod::is_ready(pod));
    let worst = pods
        .map(|pod| (pod, pod::judge(pod)))
        .max_by_key(|(_, (health, _))| *health);
    worst.map_or_else(String::new, |(pod, (_, text))| {
        format!(": {} {text}", pod.name)
    })
}

/// The proxy's load balancer has an address.
#[must_use]
pub fn load_balancer_known(side: Side, sight: &Sight<'_>) -> Finding {
    let cluster = match seen(side, sight) {
        Ok(cluster) => cluster,
        Err(finding) => return finding,
    };
    match &cluster.load_balancer {
        Some(balancer) if !balancer.addresses.is_empty() => Finding::pass(
            format!(
                "{} in the {side} cluster has {}",
                balancer.source,
                balancer.addresses.join(", ")
            ),
            evidence(side),
        ),
        Some(balancer) => Finding::fail(
            format!(
                "{} in the {side} cluster has no address yet; a load balancer takes some minutes, and never comes \
                 where no controller serves its annotations",
                balancer.source
            ),
            evidence(side),
        ),
        // Either may be the one that matters.
        None if let Some(gap) = cluster
            .gap(ClusterKind::Services)
            .or(cluster.gap(ClusterKind::Ingresses)) =>
        {
            Finding::unknown(format!(
                "no load balancer is seen in the {side} cluster, and not everything could be read: {gap}"
            ))
        }
        None => Finding::fail(
            format!(
                "there is neither a Service of type LoadBalancer nor an Ingress of the release in the {side} cluster"
            ),
            evidence(side),
        ),
    }
}

/// How a side's pods are, for the title of the pane: `recovery 4/4 ready`, `primary no answer 12m`.
#[must_use]
pub fn assess(side: Side, sight: &Sight<'_>) -> Assessment {
    let subject = Subject::Cluster(side);
    match glance(&subject, sight) {
        Glance::Fresh(Fact::Cluster(cluster), age) => {
            let (health, sentence) = sum_up(cluster, side, sight);
            Assessment::new(health, format!("{side} {sentence}"), Some(age))
        }
        Glance::Stale(Fact::Cluster(cluster), age) => {
            let (_, was) = sum_up(cluster, side, sight);
            Assessment::new(
                Health::Unknown,
                format!("{side} not read for {}, was {was}", brief(age)),
                Some(age),
            )
        }
        Glance::Failed(failure, good) => {
            let since = sight
                .instruments
                .get(&subject)
                .and_then(|reading| reading.failing_since);
            let long = since.map_or_else(String::new, |since| {
                format!(" {}", brief(sight.now.since(since)))
            });
            Assessment::new(
                Health::Unknown,
                format!("{side} {}{long}", failure.kind.word()),
                good.map(|(_, age)| age),
            )
        }
        _ => Assessment::new(Health::Unknown, format!("{side} not read yet"), None),
    }
}

/// The worst thing first.
fn sum_up(cluster: &Cluster, side: Side, sight: &Sight<'_>) -> (Health, String) {
    let planned = sight.plan.side(side).kube.uid.as_deref();
    if let (Some(planned), Some(found)) = (planned, cluster.uid.as_deref())
        && planned != found
    {
        return (Health::Down, "ANOTHER CLUSTER than planned".to_owned());
    }
    let muster = muster(cluster);
    let (ready, total) = (muster.ready, muster.members);
    if total == 0 {
        let wanted: u32 = cluster.deployments.iter().map(|one| one.desired).sum();
        return match (&cluster.release, wanted) {
            (_, 1..) => (Health::Down, format!("no pods of {wanted}")),
            (Ok(Some(release)), 0) => {
                (Health::Down, format!("no pods, release {}", release.status))
            }
            (Ok(None), 0) => (Health::Unknown, "nothing installed".to_owned()),
            (Err(_), 0) => (Health::Unknown, "no pods".to_owned()),
        };
    }
    let short: u32 = cluster
        .deployments
        .iter()
        .map(|one| one.desired.saturating_sub(one.available))
        .sum();
    let worst = at(cluster, muster.worst).map(pod::judge);
    let down = !(muster.auth && muster.proxy);
    let (health, text) = worst.unwrap_or((Health::Unknown, String::new()));
    let health = match health {
        Health::Unknown => Health::Unknown,
        _ if down => Health::Down,
        Health::Ok if short == 0 => Health::Ok,
        _ => Health::Degraded,
    };
    let first = if matches!(health, Health::Ok) {
        String::new()
    } else {
        format!("{text} · ")
    };
    let first = if first == "ready · " {
        String::new()
    } else {
        first
    };
    (health, format!("{first}{ready}/{total} ready"))
}

fn complete(one: &Deployment) -> bool {
    one.observed && one.desired > 0 && one.available == one.desired && one.updated == one.desired
}

const fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

#[cfg(test)]
#[path = "cluster_tests.rs"]
mod tests;
