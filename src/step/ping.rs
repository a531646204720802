//! `confirm-ping`: asks ping by the public name until the answer comes from the recovery side.
//!
//! The name is resolved anew each time, by the same servers and without a cache, and each address is gone through stage
//! by stage: DNS, TCP, TLS, HTTP. What counts as the recovery side is what the new load balancer's own name resolves to,
//! as the plan or the recovery cluster's Service or Ingress gives it.

use std::{net::IpAddr, time::Duration};

use futures::future::{BoxFuture, join_all};

use super::{Context, Native, StepError};
use crate::{
    clients::{dns::Lookup, kube, web::Web},
    incident::{Address, Failure, brief},
    plan::Plan,
};

/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(5);

/// Most addresses gone through in a round.
const ADDRESSES: usize = 16;

/// The row of [`super::natives`].
#[must_use]
pub fn native() -> Native {
    Native {
        name: "confirm-ping",
        needs: &[],
        calls,
        seen: None,
        run: |context| run(context),
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    vec![
        format!("look up {} by {}", plan.cluster.name, servers(plan)),
        format!("GET https://{}:{}/webapi/ping at each address", plan.cluster.name, plan.cluster.port),
        "until every address answers as this cluster, from the new load balancer where its address is declared".to_owned(),
    ]
}

fn servers(plan: &Plan) -> String {
    if plan.dns.lookup.is_empty() {
        return "the system's name servers".to_owned();
    }
    let servers: Vec<String> = plan.dns.lookup.iter().map(ToString::to_string).collect();
    servers.join(", ")
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = context.plan.clone();
        if context.dry_run {
            for call in calls(&plan) {
                context.say(format!("would {call}"));
            }
            return Ok(());
        }
        let lookup = Lookup::new(&plan).map_err(|failure| StepError(failure.detail))?;
        let web = {
            let plan = plan.clone();
            tokio::task::spawn_blocking(move || Web::load(&plan))
                .await
                .map_err(|error| StepError(format!("TLS could not be set up: {error}")))?
        };
        let new = new_hosts(&context).await;
        let mut round: u32 = 0;
        loop {
            round += 1;
            context.say(format!("── look {round} ──"));
            if once(&context, &lookup, &web, &new).await {
                context.say(format!(
                    "{} answers from the recovery side.",
                    plan.cluster.name
                ));
                return Ok(());
            }
            context.say(format!("again in {}", brief(ROUND)));
            tokio::time::sleep(ROUND).await;
        }
    })
}

/// The hosts of the new load balancer: as declared, and as the recovery cluster says.
async fn new_hosts(context: &Context) -> Vec<String> {
    let plan = &context.plan;
    let mut hosts: Vec<String> = plan
        .recovery
        .load_balancer
        .iter()
        .chain(&plan.dns.new)
        .cloned()
        .collect();
    let asked = async {
        let cluster = kube::connect(&plan.recovery.kube).await?;
        kube::load_balancer(&cluster, &plan.cluster.namespace, &plan.cluster.release).await
    };
    match asked.await {
        Ok(Some(balancer)) => {
            context.say(format!(
                "new load balancer by {}: {}",
                balancer.source,
                balancer.addresses.join(", ")
            ));
            hosts.extend(balancer.addresses);
        }
        Ok(None) => context.say("the recovery cluster has no load balancer with an address"),
        Err(failure) => context.say(format!(
            "the new load balancer could not be asked for: {failure}"
        )),
    }
    hosts
}

/// One round: whether every address answered as it should.
async fn once(context: &Context, lookup: &Lookup, web: &Web, new: &[String]) -> bool {
    let plan = &context.plan;
    let name = &plan.cluster.name;
    let looked = match lookup.lookup(name).await {
        Ok(looked) => looked,
        Err(failure) => {
            context.say(format!("DNS   {failure}"));
            return false;
        }
    };
    let mut addresses = looked.addresses;
    if addresses.len() > ADDRESSES {
        context.say(format!(
            "DNS   {name} has {} addresses: only the first {ADDRESSES} are asked",
            addresses.len()
        ));
        addresses.truncate(ADDRESSES);
    }
    let list: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let ttl = looked
        .ttl
        .map_or_else(String::new, |ttl| format!(", ttl {ttl}s"));
    context.say(format!(
        "DNS   {name} → {} in {} ms{ttl}",
        list.join(", "),
        looked.took.as_millis()
    ));
    let [old, new] = sides(plan, lookup, new).await;
    let mut fine = true;
    for seen in join_all(addresses.iter().map(|ip| web.visit(*ip))).await {
        for line in stages(&seen) {
            context.say(line);
        }
        match judge(&seen, plan, &old, &new) {
            Ok(words) => context.say(format!("      {words}")),
            Err(why) => {
                fine = false;
                context.say(format!("      not yet: {why}"));
            }
        }
    }
    fine && !addresses.is_empty()
}

/// The addresses of the old and of the new load balancer, as far as their hosts are known. What does not resolve is
/// left out: the old one's name may be gone.
async fn sides(plan: &Plan, lookup: &Lookup, new: &[String]) -> [Vec<IpAddr>; 2] {
    let old = plan.primary.load_balancer.iter().chain(&plan.dns.old);
    let old: Vec<String> = old.cloned().collect();
    let (old, new) = futures::join!(addresses(lookup, &old), addresses(lookup, new));
    [old, new]
}

async fn addresses(lookup: &Lookup, hosts: &[String]) -> Vec<IpAddr> {
    let looked = join_all(hosts.iter().map(|host| lookup.lookup(host))).await;
    looked
        .into_iter()
        .flatten()
        .flat_map(|looked| looked.addresses)
        .collect()
}

/// What was seen at an address, a line a stage, up to the first that failed.
fn stages(seen: &Address) -> Vec<String> {
    let failed = |stage: &str, failure: &Failure| format!("{stage:<5} {failure}");
    let mut lines = Vec::new();
    match &seen.tcp {
        Ok(took) => lines.push(format!(
            "TCP   {}:{} in {} ms",
            seen.ip,
            seen.port,
            took.as_millis()
        )),
        Err(failure) => return vec![failed("TCP", failure)],
    }
    match &seen.tls {
        Ok(certificate) => lines.push(format!(
            "TLS   {} · issued by {} · until {}",
            certificate.problem.as_deref().unwrap_or("trusted"),
            certificate.issuer,
            certificate.not_after,
        )),
        Err(failure) => {
            lines.push(failed("TLS", failure));
            return lines;
        }
    }
    match (&seen.ping, &seen.find) {
        (Ok(ping), _) => lines.push(format!(
            "HTTP  {} · {} · version {} in {} ms",
            ping.status,
            ping.cluster_name.as_deref().unwrap_or("no cluster name"),
            ping.server_version.as_deref().unwrap_or("unknown"),
            ping.took.as_millis(),
        )),
        (Err(failure), Ok(_)) => {
            lines.push(failed("HTTP", failure));
            lines.push("      find answers: the proxy is up, Auth is down".to_owned());
        }
        (Err(failure), Err(_)) => lines.push(failed("HTTP", failure)),
    }
    lines
}

/// Whether an address answers as it should, in words either way.
fn judge(seen: &Address, plan: &Plan, old: &[IpAddr], new: &[IpAddr]) -> Result<String, String> {
    let ip = seen.ip;
    let ping = seen
        .ping
        .as_ref()
        .map_err(|failure| format!("{ip} does not answer ping ({})", failure.kind.word()))?;
    let name = ping
        .cluster_name
        .as_deref()
        .unwrap_or("a cluster without a name");
    if !name.eq_ignore_ascii_case(&plan.cluster.name) {
        return Err(format!("{ip} answers as {name}"));
    }
    if let Some(problem) = seen.tls.as_ref().ok().and_then(|tls| tls.problem.as_ref()) {
        return Err(format!("the certificate at {ip} is {problem}"));
    }
    if new.contains(&ip) {
        Ok(format!("{ip} is the new load balancer"))
    } else if old.contains(&ip) {
        Err(format!(
            "{ip} is the old load balancer; caches still hold the old answer"
        ))
    } else if new.is_empty() {
        Ok(format!(
            "{ip} is not the old load balancer; the new one is not declared, so the Web pane must tell"
        ))
    } else {
        Err(format!("{ip} is neither the old nor the new load balancer"))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::incident::{Certificate, FailureKind, Find, Moment, Ping};

    fn plan() -> Plan {
        let text = "[cluster]\nname = \"t.example.com\"\n[primary]\nregion = \"us-east-1\"\n[recovery]\nregion = \"us-west-2\"\n";
        Plan::parse(Path::new("/p/relight.toml"), text).expect("a plan")
    }

    fn seen(name: &str, problem: Option<&str>) -> Address {
        Address {
            ip: IpAddr::from([192, 0, 2, 1]),
            port: 443,
            tcp: Ok(Duration::from_millis(3)),
            tls: Ok(Certificate {
                issuer: "CN=R3".to_owned(),
                names: Vec::new(),
                not_before: Moment::from_secs(0),
                not_after: Moment::from_secs(9),
                problem: problem.map(str::to_owned),
            }),
            ping: Ok(Ping {
                status: 200,
                cluster_name: Some(name.to_owned()),
                server_version: Some("17.0.2".to_owned()),
                ..Ping::default()
            }),
            find: Ok(Find::default()),
            pins: Ok(Vec::new()),
            steady: Vec::new(),
            wildcard: Err(crate::incident::Failure::new(
                FailureKind::NotPlanned,
                "not asked",
            )),
        }
    }

    /// What was seen, old and new addresses, whether it counts, and a part of what is said.
    type Case<'a> = (Address, &'a [IpAddr], &'a [IpAddr], bool, &'a str);

    #[test]
    fn only_the_new_side_counts() {
        let here = [IpAddr::from([192, 0, 2, 1])];
        let there = [IpAddr::from([192, 0, 2, 9])];
        let fine = seen("t.example.com", None);
        let cases: [Case<'_>; 6] = [
            (fine.clone(), &there, &here, true, "the new load balancer"),
            (fine.clone(), &here, &there, false, "the old load balancer"),
            (fine.clone(), &[], &there, false, "neither"),
            (fine, &there, &[], true, "not declared"),
            (
                seen("other.example.com", None),
                &[],
                &here,
                false,
                "answers as other.example.com",
            ),
            (
                seen("t.example.com", Some("expired")),
                &[],
                &here,
                false,
                "is expired",
            ),
        ];
        for (seen, old, new, fine, part) in cases {
            let judged = judge(&seen, &plan(), old, new);
            assert_eq!(judged.is_ok(), fine, "{judged:?}");
            let words = judged.unwrap_or_else(|why| why);
            assert!(words.contains(part), "{words}");
        }
    }

    #[test]
    fn stages_end_at_the_first_that_failed() {
        let mut address = seen("t.example.com", None);
        assert_eq!(stages(&address).len(), 3);
        address.ping = Err(Failure::new(FailureKind::Server, "HTTP 504"));
        assert!(stages(&address).join("\n").contains("Auth is down"));
        address.tls = Err(Failure::new(FailureKind::Tls, "alert"));
        assert_eq!(stages(&address)[1], "TLS   TLS failed: alert");
        address.tcp = Err(Failure::new(FailureKind::Unreachable, "refused"));
        assert_eq!(stages(&address), ["TCP   unreachable: refused"]);
    }
}
