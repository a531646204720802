//! ARC routing control (`route53-recovery-cluster`): a cluster's five endpoints are this one face, told apart by the region
//! that a request is signed for.

use serde_json::{Value, json};

use super::{answer::Answer, ask::Ask};
use crate::{
    incident::Side,
    practice::world::{World, controls::Controls},
};

pub(super) fn get_state(ask: &Ask, _side: Side, world: &mut World) -> Answer {
    if let Some(dead) = dead(ask, world) {
        return dead;
    }
    let said = ask.value();
    let arn = said["RoutingControlArn"].as_str().unwrap_or_default();
    match known(arn, world) {
        Some(side) => Answer::json(&json!({
            "RoutingControlArn": arn,
            "RoutingControlName": side.to_string(),
            "RoutingControlState": if world.controls().on(side) { "On" } else { "Off" },
        })),
        None => missing(ask, arn),
    }
}

pub(super) fn update_states(ask: &Ask, _side: Side, world: &mut World) -> Answer {
    if let Some(dead) = dead(ask, world) {
        return dead;
    }
    let said = ask.value();
    let entries = said["UpdateRoutingControlStateEntries"].as_array();
    let mut states = Vec::new();
    for entry in entries.into_iter().flatten() {
        let arn = entry["RoutingControlArn"].as_str().unwrap_or_default();
        let Some(side) = known(arn, world) else {
            return missing(ask, arn);
        };
        states.push((side, entry["RoutingControlState"] == "On"));
    }
    let rule = Controls::rule(account(world));
    let overridden = said["SafetyRulesToOverride"].as_array();
    let overridden = overridden.is_some_and(|rules| rules.contains(&Value::from(rule.as_str())));
    if world.turn(&states, overridden) {
        return Answer::json(&json!({}));
    }
    Answer::json(&json!({
        "__type": "ConflictException",
        "message": format!("The requested change would violate the safety rule {rule}"),
        "resourceId": rule,
        "resourceType": "safety rule",
    }))
    .under(400)
}

fn account(world: &World) -> &str {
    &world.scenario.recovery.account
}

fn known(arn: &str, world: &World) -> Option<Side> {
    Side::BOTH
        .into_iter()
        .find(|side| Controls::arn(account(world), *side) == arn)
}

fn missing(ask: &Ask, arn: &str) -> Answer {
    let said = format!("There is no routing control {arn}");
    Answer::error(ask, 400, "ResourceNotFoundException", &said)
}

fn dead(ask: &Ask, world: &World) -> Option<Answer> {
    let arc = world.scenario.arc.as_ref()?;
    arc.dead.contains(&ask.region).then(|| {
        let code = "EndpointTemporarilyUnavailableException";
        Answer::error(ask, 503, code, "The endpoint is temporarily unavailable")
    })
}
