//! Elastic Load Balancing v2: the load balancers behind known host names, their listeners, and how they are shut.

mod taken;

use std::net::IpAddr;

use aws_sdk_elasticloadbalancingv2::{
    Client,
    types::{
        Action, ActionTypeEnum, Listener as Said, LoadBalancer, LoadBalancerTypeEnum, ProtocolEnum,
    },
};
use serde_json::{Map, Value, json};

pub use taken::{NAME, Written, create_listener};

use super::{Reach, explain, not_planned};
use crate::{
    clients::kube::text::clean,
    incident::{
        Failure, FailureKind,
        barrier::{Balancer, Barrier, Listener, same_host},
    },
    plan::Plan,
};

/// Pages of a list: 400 load balancers a page, of which an account has 50 to begin with.
const PAGES: usize = 20;

/// What was found, and for each listener, by its ARN, what `CreateListener` needs to make it again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// As it is shown and judged.
    pub barrier: Barrier,
    /// As it is kept.
    pub kept: Vec<(String, Value)>,
}

/// The host names that led to the old cluster: the plan's `[primary] load_balancer`, else `more`, which the black box
/// and the primary cluster's last reading have. Addresses are no names, and what leads to the recovery side is left out.
///
/// # Errors
/// If no name is known.
pub fn hosts(plan: &Plan, more: &[String]) -> Result<Vec<String>, Failure> {
    let ours = |host: &&String| {
        let others = plan.recovery.load_balancer.iter().chain(&plan.dns.new);
        host.parse::<IpAddr>().is_err() && !others.clone().any(|other| same_host(other, host))
    };
    let mut planned = plan.primary.load_balancer.iter().filter(ours).peekable();
    let mut hosts: Vec<String> = if planned.peek().is_some() {
        planned.cloned().collect()
    } else {
        more.iter().filter(ours).cloned().collect()
    };
    hosts.sort();
    hosts.dedup();
    if hosts.is_empty() {
        return Err(not_planned(
            "host name of the old load balancer, and neither a black box nor the primary cluster has told one",
            "load_balancer to [primary]",
        ));
    }
    Ok(hosts)
}

/// The load balancers whose `DNSName` is one of these hosts, with their listeners.
///
/// # Errors
/// If AWS does not answer, refuses, or its lists have no end.
pub async fn fetch(reach: &Reach, hosts: &[String]) -> Result<Found, Failure> {
    let client = reach.load_balancing().await;
    let place = format!("load balancers in {}", reach.region());
    let mut found = Found::default();
    reach.region().clone_into(&mut found.barrier.region);
    let (mut next, mut complete) = (None, false);
    for _ in 0..PAGES {
        let said = client
            .describe_load_balancers()
            .page_size(400)
            .set_marker(next)
            .send()
            .await
            .map_err(|error| explain("ELB DescribeLoadBalancers", &place, &error))?;
        for one in said.load_balancers() {
            let name = one.dns_name().unwrap_or_default();
            if hosts.iter().any(|host| same_host(name, host)) {
                let mut balancer = interpret(one);
                listeners(&client, &mut balancer, &mut found.kept).await?;
                found.barrier.balancers.push(balancer);
            }
        }
        next = said.next_marker().map(str::to_owned);
        if next.as_deref().unwrap_or_default().is_empty() {
            complete = true;
            break;
        }
    }
    if !complete {
        return Err(endless(&place));
    }
    let known = &found.barrier.balancers;
    let missing = hosts
        .iter()
        .filter(|host| !known.iter().any(|one| same_host(&one.dns_name, host)));
    found.barrier.missing = missing.cloned().collect();
    Ok(found)
}

async fn listeners(
    client: &Client,
    balancer: &mut Balancer,
    kept: &mut Vec<(String, Value)>,
) -> Result<(), Failure> {
    let place = format!("listeners of {}", balancer.arn);
    let mut next = None;
    for _ in 0..PAGES {
        let said = client
            .describe_listeners()
            .load_balancer_arn(&balancer.arn)
            .set_marker(next)
            .send()
            .await
            .map_err(|error| explain("ELB DescribeListeners", &place, &error))?;
        for one in said.listeners() {
            let (value, unkept) = keep(one);
            let listener = Listener {
                arn: one.listener_arn().unwrap_or_default().to_owned(),
                port: one
                    .port()
                    .and_then(|port| u16::try_from(port).ok())
                    .unwrap_or_default(),
                protocol: clean(one.protocol().map_or("", ProtocolEnum::as_str), 20),
                unkept,
            };
            if listener.arn.is_empty() {
                return Err(Failure::new(
                    FailureKind::Garbage,
                    format!("ELB DescribeListeners of {place} gave one without an ARN"),
                ));
            }
            kept.push((listener.arn.clone(), value));
            balancer.listeners.push(listener);
        }
        next = said.next_marker().map(str::to_owned);
        if next.as_deref().unwrap_or_default().is_empty() {
            return Ok(());
        }
    }
    Err(endless(&place))
}

fn endless(place: &str) -> Failure {
    Failure::new(
        FailureKind::Garbage,
        format!("the list of {place} has more than {PAGES} pages: narrow what the credentials see"),
    )
}

/// Deletes a listener: nobody gets in through its port any more.
///
/// # Errors
/// If AWS does not answer or refuses.
pub async fn delete_listener(reach: &Reach, arn: &str) -> Result<(), Failure> {
    let place = format!("{arn} in {}", reach.region());
    let client = reach.load_balancing().await;
    let done = client.delete_listener().listener_arn(arn).send().await;
    done.map(drop)
        .map_err(|error| explain("ELB DeleteListener", &place, &error))
}

/// Gives a load balancer these security groups instead of those that it has.
///
/// # Errors
/// If AWS does not answer or refuses.
pub async fn set_groups(reach: &Reach, arn: &str, groups: &[String]) -> Result<(), Failure> {
    let place = format!("{arn} in {}", reach.region());
    let client = reach.load_balancing().await;
    let ask = client.set_security_groups().load_balancer_arn(arn);
    let done = ask.set_security_groups(Some(groups.to_vec())).send().await;
    done.map(drop)
        .map_err(|error| explain("ELB SetSecurityGroups", &place, &error))
}

fn interpret(said: &LoadBalancer) -> Balancer {
    let text = |text: Option<&str>| clean(text.unwrap_or_default(), 300);
    Balancer {
        arn: text(said.load_balancer_arn()),
        name: text(said.load_balancer_name()),
        dns_name: text(said.dns_name()),
        kind: text(said.r#type().map(LoadBalancerTypeEnum::as_str)),
        vpc: text(said.vpc_id()),
        groups: said
            .security_groups()
            .iter()
            .map(|group| clean(group, 100))
            .collect(),
        listeners: Vec::new(),
    }
}

/// A listener in the words of `CreateListener`, and what of it is not in them.
fn keep(said: &Said) -> (Value, Option<String>) {
    let mut unkept = None;
    let mut actions = Vec::new();
    for action in said.default_actions() {
        let (value, lost) = keep_action(action);
        actions.push(value);
        unkept = unkept.or(lost);
    }
    if said
        .mutual_authentication()
        .is_some_and(|mutual| mutual.mode() != Some("off"))
    {
        unkept.get_or_insert_with(|| "mutual authentication".to_owned());
    }
    let certificates = said.certificates().iter();
    let certificates: Vec<Value> = certificates
        .map(|one| json!({"CertificateArn": one.certificate_arn()}))
        .collect();
    let value = json!({
        "ListenerArn": said.listener_arn(),
        "LoadBalancerArn": said.load_balancer_arn(),
        "Protocol": said.protocol().map(ProtocolEnum::as_str),
        "Port": said.port(),
        "SslPolicy": said.ssl_policy(),
        "AlpnPolicy": said.alpn_policy(),
        "Certificates": certificates,
        "DefaultActions": actions,
    });
    (value, unkept)
}

fn keep_action(said: &Action) -> (Value, Option<String>) {
    let kind = said.r#type().map_or("", ActionTypeEnum::as_str);
    let mut value = Map::new();
    value.insert("Type".to_owned(), json!(kind));
    value.insert("Order".to_owned(), json!(said.order()));
    value.insert("TargetGroupArn".to_owned(), json!(said.target_group_arn()));
    if let Some(forward) = said.forward_config() {
        let groups: Vec<Value> = forward
            .target_groups()
            .iter()
            .map(|one| json!({"TargetGroupArn": one.target_group_arn(), "Weight": one.weight()}))
            .collect();
        let sticky = forward.target_group_stickiness_config().map(
            |one| json!({"Enabled": one.enabled(), "DurationSeconds": one.duration_seconds()}),
        );
        value.insert(
            "ForwardConfig".to_owned(),
            json!({"TargetGroups": groups, "TargetGroupStickinessConfig": sticky}),
        );
    }
    let unkept = (said.r#type() != Some(&ActionTypeEnum::Forward))
        .then(|| format!("a default action {kind:?}"));
    (Value::Object(value), unkept)
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::Certificate;

    use super::*;

    fn said(kind: ActionTypeEnum) -> Said {
        let action = Action::builder()
            .r#type(kind)
            .target_group_arn("arn:tg")
            .build();
        Said::builder()
            .listener_arn("arn:listener")
            .protocol(ProtocolEnum::Tls)
            .port(443)
            .ssl_policy("ELBSecurityPolicy-TLS13-1-2-2021-06")
            .alpn_policy("None")
            .certificates(Certificate::builder().certificate_arn("arn:cert").build())
            .default_actions(action)
            .build()
    }

    #[test]
    fn a_listener_is_kept_as_it_is_made() {
        let (kept, unkept) = keep(&said(ActionTypeEnum::Forward));
        assert_eq!(unkept, None);
        assert_eq!(
            (&kept["Protocol"], &kept["Port"]),
            (&json!("TLS"), &json!(443))
        );
        assert_eq!(
            kept["Certificates"],
            json!([{"CertificateArn": "arn:cert"}])
        );
        assert_eq!(kept["AlpnPolicy"], json!(["None"]));
        assert_eq!(kept["DefaultActions"][0]["TargetGroupArn"], "arn:tg");
    }

    #[test]
    fn the_plans_names_go_first_and_addresses_and_the_recovery_side_are_none() {
        let mut plan = crate::plan::sample::plan();
        plan.recovery.load_balancer = vec!["new.example".to_owned()];
        plan.dns.new.clear();
        let more = ["dualstack.new.example", "192.0.2.1", "old.example"].map(str::to_owned);
        plan.primary.load_balancer = vec!["192.0.2.1".to_owned()];
        assert_eq!(hosts(&plan, &more).expect("told"), ["old.example"]);
        plan.primary
            .load_balancer
            .push("planned.example".to_owned());
        assert_eq!(hosts(&plan, &more).expect("planned"), ["planned.example"]);
        plan.primary.load_balancer.clear();
        let none = hosts(&plan, &[]).expect_err("none");
        assert_eq!(none.kind, FailureKind::NotPlanned);
    }

    #[test]
    fn what_cannot_be_made_again_is_said() {
        let (_, unkept) = keep(&said(ActionTypeEnum::AuthenticateOidc));
        assert!(unkept.is_some_and(|why| why.contains("authenticate-oidc")));
    }
}
