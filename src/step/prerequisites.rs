//! `check-prerequisites`: looks at everything that the install will need in the recovery region and prints item by item
//! what is there. Whether that is enough, the postcondition says.

use futures::future::BoxFuture;

use super::{Context, Native, StepError};
use crate::{clients::prerequisites::fetch, incident::prerequisites::Standing, plan::Plan};

/// The row of `check-prerequisites`.
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "check-prerequisites",
        needs: &["cluster.values", "recovery.context"],
        calls,
        seen: None,
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let context = plan.recovery.kube.context.as_deref().unwrap_or_default();
    let mut calls = vec![
        format!(
            "read  Kubernetes in context {context}: the Secrets that the values name (metadata), IngressClasses, API \
             groups, controllers' Deployments, nodes, and what pods request"
        ),
        format!(
            "run   {} show chart {}",
            plan.tools.helm, plan.cluster.chart
        ),
        "HEAD  the image's manifest at its registry, with an anonymous token where it gives one"
            .to_owned(),
    ];
    for key in &plan.recovery.kms_keys {
        calls.push(format!("KMS DescribeKey {key} in {}", plan.recovery.region));
    }
    calls
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        if context.dry_run {
            for line in calls(plan) {
                context.say(line);
            }
            return Ok(());
        }
        let seen = Box::pin(fetch(plan)).await;
        let seen = seen.map_err(|why| StepError(why.to_string()))?;
        context.say(format!("as {} asks for:", seen.values));
        let items = seen.items(&plan.primary.region, &plan.recovery.region);
        for item in &items {
            let word = match item.standing {
                Standing::NotNeeded => "  –  ",
                Standing::Met => "  ok ",
                Standing::Unseen | Standing::Unclear => "  ?  ",
                Standing::Missing => "  NO ",
            };
            context.say(format!("{word}{:<26} {}", item.what, item.sentence));
        }
        let missing = items
            .iter()
            .filter(|item| item.standing == Standing::Missing)
            .count();
        match missing {
            0 => Ok(()),
            missing => Err(StepError(format!(
                "{missing} of what the install needs is missing: see the lines above for what to do"
            ))),
        }
    })
}
