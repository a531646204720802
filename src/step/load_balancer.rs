//! `load-balancer`: the address of the proxy's load balancer in the recovery cluster, found by label, never by name.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use super::{Context, Native, StepError};
use crate::{
    clients::kube,
    incident::{Failure, LoadBalancer, Side, brief},
    plan::Plan,
};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// The row of [`super::natives`].
#[must_use]
pub fn native() -> Native {
    Native {
        name: "load-balancer",
        needs: &["recovery.context"],
        calls,
        seen: None,
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let context = plan
        .recovery
        .kube
        .context
        .as_deref()
        .unwrap_or("(no context in the plan)");
    let selector = format!(
        "-n {} -l app.kubernetes.io/instance={}",
        plan.cluster.namespace, plan.cluster.release
    );
    vec![
        format!(
            "GET services {selector} in context {context}, until one of type LoadBalancer has an address"
        ),
        format!("GET ingresses {selector} in context {context}, where there is no such Service"),
    ]
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
        let kube = kube::connect(&plan.side(Side::Recovery).kube)
            .await
            .map_err(|why| StepError(why.to_string()))?;
        let began = Instant::now();
        let mut said = String::new();
        loop {
            let found = kube::entrance(&kube, &plan.cluster.namespace, &plan.cluster.release).await;
            let (line, done) = words(&found);
            if said != line {
                context.say(&line);
                said = line;
            }
            if done {
                context.say(format!(
                    "known after {}; the web pane asks it for ping under {}",
                    brief(began.elapsed()),
                    plan.cluster.name
                ));
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    })
}

/// What to say of it, and whether it is enough.
fn words(found: &Result<Option<LoadBalancer>, Failure>) -> (String, bool) {
    match found {
        Ok(Some(balancer)) if balancer.addresses.is_empty() => (
            format!(
                "{} has no address yet; the cloud takes two to five minutes",
                balancer.source
            ),
            false,
        ),
        Ok(Some(balancer)) => (
            format!("{}: {}", balancer.source, balancer.addresses.join(", ")),
            true,
        ),
        Ok(None) => (
            "no Service of type LoadBalancer and no Ingress of the release yet".to_owned(),
            false,
        ),
        Err(failure) => (failure.to_string(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::FailureKind;

    #[test]
    fn only_an_address_is_enough() {
        let balancer = |addresses: Vec<String>| LoadBalancer {
            source: "Service tc".into(),
            addresses,
        };
        assert!(!words(&Ok(None)).1);
        assert!(!words(&Ok(Some(balancer(vec![])))).1);
        assert!(!words(&Err(Failure::new(FailureKind::Timeout, "no"))).1);
        let (line, done) = words(&Ok(Some(balancer(vec!["nlb.example".into()]))));
        assert!(done && line == "Service tc: nlb.example");
    }
}
