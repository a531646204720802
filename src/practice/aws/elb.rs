//! Elastic Load Balancing v2: the load balancer of a cluster's release, as far as Relight looks at it and shuts it.

use std::fmt::Write as _;

use super::{answer::Answer, ask::Ask, xml};
use crate::{incident::Side, practice::world::World};

pub(super) const SPACE: &str = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/";
const NAME: &str = "practice";
const ID: &str = "0123456789abcdef";

fn answer(operation: &str, result: &str) -> Answer {
    Answer::xml(&format!(
        "<{operation}Response xmlns=\"{SPACE}\"><{operation}Result>{result}</{operation}Result><ResponseMetadata><RequestId>practice</RequestId></ResponseMetadata></{operation}Response>"
    ))
}

/// `arn:aws:elasticloadbalancing:us-east-1:111122223333:KIND/net/practice/…`
fn arn(world: &World, side: Side, kind: &str) -> String {
    let region = world.side(side);
    format!(
        "arn:aws:elasticloadbalancing:{}:{}:{kind}/net/{NAME}/{ID}",
        region.name, region.account
    )
}

fn listener(world: &World, side: Side, port: u16) -> String {
    format!("{}/{port:016x}", arn(world, side, "listener"))
}

fn there(world: &World, side: Side) -> bool {
    world.side(side).cluster.running().is_some()
}

fn groups(world: &World, side: Side) -> String {
    let groups = world.side(side).barrier.groups.iter();
    groups.fold(String::new(), |all, group| {
        all + "<member>" + &xml::escape(group) + "</member>"
    })
}

pub(super) fn describe_load_balancers(_ask: &Ask, side: Side, world: &mut World) -> Answer {
    let one = if there(world, side) {
        format!(
            "<member><LoadBalancerArn>{}</LoadBalancerArn><DNSName>{}</DNSName><LoadBalancerName>{NAME}</LoadBalancerName><Scheme>internet-facing</Scheme><VpcId>vpc-0practice</VpcId><State><Code>active</Code></State><Type>network</Type><SecurityGroups>{}</SecurityGroups><IpAddressType>ipv4</IpAddressType></member>",
            arn(world, side, "loadbalancer"),
            world.scenario.site(side).load_balancer,
            groups(world, side)
        )
    } else {
        String::new()
    };
    answer(
        "DescribeLoadBalancers",
        &format!("<LoadBalancers>{one}</LoadBalancers>"),
    )
}

pub(super) fn describe_listeners(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let mine = arn(world, side, "loadbalancer");
    if !there(world, side) || ask.param("LoadBalancerArn") != Some(&mine) {
        return none(ask, "LoadBalancerNotFound", "load balancers");
    }
    let ports = &world.side(side).barrier.ports;
    answer("DescribeListeners", &listeners(world, side, ports))
}

fn listeners(world: &World, side: Side, ports: &[u16]) -> String {
    let mut members = String::new();
    for port in ports {
        let _ = write!(
            members,
            "<member><ListenerArn>{}</ListenerArn><LoadBalancerArn>{}</LoadBalancerArn><Port>{port}</Port><Protocol>TCP</Protocol><DefaultActions><member><Type>forward</Type><TargetGroupArn>{}</TargetGroupArn></member></DefaultActions></member>",
            listener(world, side, *port),
            arn(world, side, "loadbalancer"),
            arn(world, side, "targetgroup")
        );
    }
    format!("<Listeners>{members}</Listeners>")
}

pub(super) fn create_listener(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let mine = arn(world, side, "loadbalancer");
    if !there(world, side) || ask.param("LoadBalancerArn") != Some(&mine) {
        return none(ask, "LoadBalancerNotFound", "load balancers");
    }
    let group = arn(world, side, "targetgroup");
    if ask.param("DefaultActions.member.1.TargetGroupArn") != Some(&group) {
        return none(ask, "TargetGroupNotFound", "target groups");
    }
    let port = ask.param("Port").and_then(|port| port.parse::<u16>().ok());
    let Some(port) = port.filter(|_| ask.param("Protocol") == Some("TCP")) else {
        return Answer::error(
            ask,
            400,
            "ValidationError",
            "A port and a protocol are needed",
        );
    };
    let ports = &mut world.side_mut(side).barrier.ports;
    if !ports.contains(&port) {
        ports.push(port);
    }
    answer("CreateListener", &listeners(world, side, &[port]))
}

pub(super) fn delete_listener(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let asked = ask.param("ListenerArn").unwrap_or_default();
    let ports = &world.side(side).barrier.ports;
    let found = ports
        .iter()
        .position(|port| there(world, side) && listener(world, side, *port) == asked);
    let Some(at) = found else {
        return none(ask, "ListenerNotFound", "listeners");
    };
    world.side_mut(side).barrier.ports.remove(at);
    answer("DeleteListener", "")
}

pub(super) fn set_security_groups(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let mine = arn(world, side, "loadbalancer");
    if !there(world, side) || ask.param("LoadBalancerArn") != Some(&mine) {
        return none(ask, "LoadBalancerNotFound", "load balancers");
    }
    world.side_mut(side).barrier.groups = ask
        .query
        .iter()
        .filter(|(key, _)| key.starts_with("SecurityGroups.member."))
        .map(|(_, group)| group.clone())
        .collect();
    answer(
        "SetSecurityGroups",
        &format!(
            "<SecurityGroupIds>{}</SecurityGroupIds>",
            groups(world, side)
        ),
    )
}

fn none(ask: &Ask, code: &str, what: &str) -> Answer {
    Answer::error(ask, 400, code, &format!("One or more {what} not found"))
}
