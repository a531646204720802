//! `restart-proxies`: the primary's proxies are stopped and started, as `kubectl rollout restart` does it, so that agents
//! let go of connections that lead nowhere (guide, step 2/4).

use futures::future::BoxFuture;
use serde_json::json;

use super::{
    Context, Native, StepError,
    seen::{failed, only_confirmed, planned},
};
use crate::{
    clients::kube::{self, Query, WireDeployment, object},
    incident::{
        ClusterKind, Component, Deployment, Fact, Instruments, Moment, Reading, Side, Subject,
    },
    plan::Plan,
};

/// How long one list may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
/// The annotation by which kubectl restarts a rollout.
const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

/// The row of [`super::natives`].
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "restart-proxies",
        needs: &["cluster.release", "cluster.namespace", "primary.context"],
        calls,
        seen: Some(seen),
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let context = plan.primary.kube.context.as_deref().unwrap_or_default();
    vec![format!(
        "GET deployments of release {} in context {context}, namespace {}; then:",
        plan.cluster.release, plan.cluster.namespace
    )]
}

fn lines(deployments: &[Deployment]) -> Vec<String> {
    proxies(deployments).map(line).collect()
}

fn proxies(deployments: &[Deployment]) -> impl Iterator<Item = &Deployment> {
    deployments
        .iter()
        .filter(|one| one.component == Component::Proxy && one.desired > 0)
}

fn line(one: &Deployment) -> String {
    format!(
        "PATCH deployments/{}: annotation {RESTARTED} of its pods = now ({} pods are replaced)",
        one.name, one.desired
    )
}

fn seen(_: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    let reading = instruments.get(&Subject::Cluster(Side::Primary));
    let Some((_, Fact::Cluster(cluster))) = reading.and_then(|reading| reading.good.as_ref())
    else {
        return Err(StepError(reading.and_then(Reading::failure).map_or_else(
            || "the primary cluster has not been read yet".to_owned(),
            ToString::to_string,
        )));
    };
    if let Some(gap) = cluster.gap(ClusterKind::Deployments) {
        return Err(StepError(gap.to_string()));
    }
    let lines = lines(&cluster.deployments);
    if lines.is_empty() {
        return Err(StepError(
            "no Proxy Deployment in the primary cluster wants any pod: there is nothing to restart"
                .to_owned(),
        ));
    }
    Ok(lines)
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        let (namespace, release) = (&plan.cluster.namespace, &plan.cluster.release);
        let kube = planned(&context, Side::Primary).await?;
        let query = Query::deployments(namespace, release);
        let listed = kube::list::<WireDeployment>(&kube, &query, PATIENCE).await;
        let listed = listed.map_err(|why| failed(&why))?;
        let deployments: Vec<Deployment> = listed.items.iter().map(WireDeployment::read).collect();
        if !context.dry_run {
            only_confirmed(&lines(&deployments), &context.confirmed)?;
        }
        if proxies(&deployments).next().is_none() {
            context.say(format!(
                "no Proxy Deployment of release {release} in {} wants any pod: there is nothing to restart",
                kube.place
            ));
            return Ok(());
        }
        for one in proxies(&deployments) {
            context.say(line(one));
            if context.dry_run {
                continue;
            }
            context.fence.look()?;
            let path = format!(
                "/apis/apps/v1/namespaces/{namespace}/deployments/{}",
                one.name
            );
            // Whole seconds, as pods tell their age.
            let now = Moment::from_secs(Moment::now().secs()).to_string();
            let annotations = json!({RESTARTED: now});
            let change = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
            object::merge(&kube, &path, &change)
                .await
                .map_err(|why| failed(&why))?;
            context.say(format!("{} is being restarted", one.name));
        }
        if context.dry_run {
            context.say("dry run: nothing was changed");
        }
        Ok(())
    })
}
