//! `route-by-arc`: ARC routing controls are turned, so that the health checks that hang on them move the names.
//!
//! A data plane of five regional endpoints, of which any one will do: each is asked in turn until one answers. States are
//! set by their value, all of them in one call, so that a call whose answer was lost may be made again at the next.

use futures::future::BoxFuture;

use super::{Context, Native, StepError};
use crate::{
    clients::aws::{
        Aws,
        arc::{Control, Denied, set, state},
    },
    incident::FailureKind,
    plan::{ArcPlan, Plan},
};

/// The row of [`super::natives`].
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "route-by-arc",
        needs: &["dns.arc"],
        calls,
        seen: None,
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let Some(arc) = &plan.dns.arc else {
        return Vec::new();
    };
    let rotation = arc.rotation(&plan.primary.region, &plan.recovery.region);
    let regions: Vec<&str> = rotation.iter().map(|(region, _)| *region).collect();
    let mut calls = vec![
        format!(
            "ARC GetRoutingControlState of each, at the first endpoint that answers: {}",
            regions.join(", ")
        ),
        "ARC UpdateRoutingControlStates there, one call for all that stand otherwise:".to_owned(),
    ];
    calls.extend(wanted(arc).map(|(arn, on)| format!("  {} {arn}", word(on))));
    if !arc.overridable.is_empty() {
        calls.push(format!(
            "and if a safety rule refuses, once more with SafetyRulesToOverride: {}",
            arc.overridable.join(", ")
        ));
    }
    calls
}

/// Every routing control with the state that it is to have.
fn wanted(arc: &ArcPlan) -> impl Iterator<Item = (&String, bool)> {
    let on = arc.on.iter().map(|arn| (arn, true));
    on.chain(arc.off.iter().map(|arn| (arn, false)))
}

const fn word(on: bool) -> &'static str {
    if on { "On" } else { "Off" }
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        let Some(arc) = &plan.dns.arc else {
            return Err(StepError(
                "the plan names no routing controls: add [dns.arc]".to_owned(),
            ));
        };
        let aws = Aws::new(plan);
        let rotation = arc.rotation(&plan.primary.region, &plan.recovery.region);
        for (region, url) in &rotation {
            context.say(format!("asking the endpoint in {region}, {url}"));
            let client = aws.zone().arc(region, url).await;
            if at(&context, arc, &client, region).await? {
                return Ok(());
            }
        }
        Err(StepError(format!(
            "none of the {} endpoints in the plan took it: run this step again, any one of them will do. If their answers are all alike, compare [dns.arc.endpoints] with what describe-cluster of route53-recovery-control-config tells, and the rights to route53-recovery-cluster:*",
            rotation.len()
        )))
    })
}

/// Does it at one endpoint; whether it was done there.
async fn at(
    context: &Context,
    arc: &ArcPlan,
    client: &aws_sdk_route53recoverycluster::Client,
    region: &str,
) -> Result<bool, StepError> {
    let mut change = Vec::new();
    for (arn, on) in wanted(arc) {
        match state(client, region, arn).await {
            Ok(control) => {
                context.say(format!("  {}", line(&control)));
                if control.on != on {
                    change.push((arn.clone(), on));
                }
            }
            Err(why) => {
                context.say(format!("  {why}; the next endpoint is asked"));
                return Ok(false);
            }
        }
    }
    if change.is_empty() {
        context
            .say("every routing control stands as wanted; the health checks follow within seconds");
        return Ok(true);
    }
    for (arn, on) in &change {
        context.say(format!("  to be turned {}: {arn}", word(*on)));
    }
    if context.dry_run {
        context.say("dry run: nothing was changed");
        return Ok(true);
    }
    context.fence.look()?;
    let said = match set(client, region, &change, &[]).await {
        Err(Denied::Conflict(why)) => {
            context.say(format!(
                "  a safety rule or a change under way is against it: {why}"
            ));
            if arc.overridable.is_empty() {
                return Err(StepError(format!(
                    "nothing was changed: {why}. Correct on and off in [dns.arc], or name the rule under safety_rules_to_override there if it is to be overridden"
                )));
            }
            context.say(format!(
                "  once more, overriding {}",
                arc.overridable.join(", ")
            ));
            context.fence.look()?;
            set(client, region, &change, &arc.overridable).await
        }
        other => other,
    };
    match said {
        Ok(()) => {
            context.say(format!(
                "done at the endpoint in {region}; the health checks follow within seconds, and then the names"
            ));
            Ok(true)
        }
        Err(Denied::Conflict(why)) => Err(StepError(format!(
            "nothing was changed, although the planned safety rules were to be overridden: {why}"
        ))),
        Err(Denied::Failed(why)) if why.kind == FailureKind::Forbidden => {
            Err(StepError(format!("nothing was changed: {why}")))
        }
        Err(Denied::Failed(why)) => {
            context.say(format!(
                "  {why}; it may or may not have been done: the next endpoint is asked"
            ));
            Ok(false)
        }
    }
}

fn line(control: &Control) -> String {
    let name = if control.name.is_empty() {
        String::new()
    } else {
        format!("{} ", control.name)
    };
    format!("{name}is {}: {}", word(control.on), control.arn)
}
