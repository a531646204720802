//! ARC routing control: its states, at one of the cluster's five regional endpoints. No control plane is needed for it.

use aws_sdk_route53recoverycluster::{
    Client,
    types::{RoutingControlState, UpdateRoutingControlStateEntry},
};

use super::explain;
use crate::{clients::kube::text::clean, incident::Failure};

/// How a routing control stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Its ARN.
    pub arn: String,
    /// Its name, where the endpoint tells it.
    pub name: String,
    /// Whether it is On.
    pub on: bool,
}

/// Why the states were not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// A safety rule, or a change under way, is against it: the service's own words, and the rule where it names one.
    Conflict(String),
    /// There was no answer, or another one.
    Failed(Failure),
}

/// How a routing control stands at an endpoint of a region.
///
/// # Errors
/// If the endpoint does not answer or says no.
pub async fn state(client: &Client, region: &str, arn: &str) -> Result<Control, Failure> {
    let asked = client.get_routing_control_state().routing_control_arn(arn);
    let said = asked.send().await.map_err(|error| {
        explain(
            "ARC GetRoutingControlState",
            &format!("{arn} at the endpoint in {region}"),
            &error,
        )
    })?;
    Ok(Control {
        arn: arn.to_owned(),
        name: clean(said.routing_control_name().unwrap_or_default(), 64),
        on: *said.routing_control_state() == RoutingControlState::On,
    })
}

/// Sets states, all of them or none, in one call.
///
/// # Errors
/// If the endpoint does not answer, or a safety rule is against it.
pub async fn set(
    client: &Client,
    region: &str,
    states: &[(String, bool)],
    overriding: &[String],
) -> Result<(), Denied> {
    let place = format!("the endpoint in {region}");
    let mut asked = client.update_routing_control_states();
    for (arn, on) in states {
        let state = if *on {
            RoutingControlState::On
        } else {
            RoutingControlState::Off
        };
        let entry = UpdateRoutingControlStateEntry::builder()
            .routing_control_arn(arn)
            .routing_control_state(state)
            .build();
        let entry = entry.map_err(|error| {
            let detail = format!("a routing control entry could not be made: {error}");
            Denied::Failed(Failure::new(crate::incident::FailureKind::Other, detail))
        })?;
        asked = asked.update_routing_control_state_entries(entry);
    }
    for rule in overriding {
        asked = asked.safety_rules_to_override(rule);
    }
    let Err(error) = asked.send().await else {
        return Ok(());
    };
    let service = error.as_service_error();
    if let Some(aws_sdk_route53recoverycluster::operation::update_routing_control_states::UpdateRoutingControlStatesError::ConflictException(conflict)) = service {
        let (kind, id) = (conflict.resource_type(), conflict.resource_id());
        return Err(Denied::Conflict(clean(
            &format!("{} ({kind} {id})", conflict.message()),
            600,
        )));
    }
    Err(Denied::Failed(explain(
        "ARC UpdateRoutingControlStates",
        &place,
        &error,
    )))
}
