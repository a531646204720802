//! `stop-old-cluster`: the release in the primary is uninstalled by Helm; where no Helm release is recorded, as where Argo
//! CD renders the chart, its Deployments are scaled to 0 by label instead.

use futures::future::BoxFuture;
use serde_json::json;

use super::{
    Context, Native, StepError, expand, helm,
    seen::{failed, only_confirmed, planned},
};
use crate::{
    clients::kube::{self, Query, WireDeployment, object, reconcilers::REMEMBERED},
    incident::{ClusterKind, Deployment, Fact, Instruments, Reading, Side, Subject},
    plan::Plan,
};

/// How long one list may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// The row of [`super::natives`].
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "stop-old-cluster",
        needs: &[
            "tools.helm",
            "cluster.release",
            "cluster.namespace",
            "primary.context",
        ],
        calls,
        seen: Some(seen),
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let context = plan.primary.kube.context.as_deref().unwrap_or_default();
    vec![format!(
        "GET secrets (metadata) and deployments of release {} in context {context}, namespace {}; then:",
        plan.cluster.release, plan.cluster.namespace
    )]
}

/// `PATCH deployments/tc-auth: spec.replicas = 0 (was 2)`
fn scaling(one: &Deployment) -> String {
    format!(
        "PATCH deployments/{}: spec.replicas = 0 (was {}), since no Helm release is recorded",
        one.name, one.desired
    )
}

/// The way that fits what is there: `recorded` unless it is known that Helm has no such release.
fn lines(
    plan: &Plan,
    recorded: bool,
    deployments: &[Deployment],
) -> Result<Vec<String>, StepError> {
    if recorded {
        return Ok(vec![expand::shown(&helm::uninstall(plan, Side::Primary)?)]);
    }
    let running = deployments.iter().filter(|one| one.desired > 0);
    Ok(running.map(scaling).collect())
}

fn seen(plan: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    let reading = instruments.get(&Subject::Cluster(Side::Primary));
    let Some((_, Fact::Cluster(cluster))) = reading.and_then(|reading| reading.good.as_ref())
    else {
        return Err(StepError(reading.and_then(Reading::failure).map_or_else(
            || "the primary cluster has not been read yet".to_owned(),
            ToString::to_string,
        )));
    };
    // Whether there is a release Helm itself will say, where we may not look.
    let recorded = !matches!(cluster.release, Ok(None));
    if let (false, Some(gap)) = (recorded, cluster.gap(ClusterKind::Deployments)) {
        return Err(StepError(format!(
            "no Helm release is recorded in the primary cluster, and what else to scale down cannot be read: {gap}"
        )));
    }
    lines(plan, recorded, &cluster.deployments)
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        let (namespace, release) = (&plan.cluster.namespace, &plan.cluster.release);
        let kube = planned(&context, Side::Primary).await?;
        let query = Query::releases(namespace, release);
        let recorded = match kube::any(&kube, &query, PATIENCE).await {
            Ok(recorded) => recorded,
            Err(why) => {
                context.say(format!(
                    "whether Helm has a release cannot be read, so Helm is asked: {why}"
                ));
                true
            }
        };
        let deployments = if recorded {
            Vec::new()
        } else {
            let query = Query::deployments(namespace, release);
            let listed = kube::list::<WireDeployment>(&kube, &query, PATIENCE).await;
            let listed = listed.map_err(|why| failed(&why))?;
            listed.items.iter().map(WireDeployment::read).collect()
        };
        let lines = lines(plan, recorded, &deployments)?;
        if lines.is_empty() {
            context.say(format!(
                "nothing to stop: no Helm release {release} and no Deployment of it that wants pods"
            ));
            return Ok(());
        }
        for line in &lines {
            context.say(line);
        }
        if context.dry_run {
            context.say("dry run: nothing was changed");
            return Ok(());
        }
        only_confirmed(&lines, &context.confirmed)?;
        if recorded {
            return uninstall(&context).await;
        }
        for one in deployments.iter().filter(|one| one.desired > 0) {
            context.fence.look()?;
            let path = format!(
                "/apis/apps/v1/namespaces/{namespace}/deployments/{}",
                one.name
            );
            let was = one.desired.to_string();
            let change =
                json!({"metadata": {"annotations": {REMEMBERED: was}}, "spec": {"replicas": 0}});
            object::merge(&kube, &path, &change)
                .await
                .map_err(|why| failed(&why))?;
            context.say(format!("{} is scaled to 0", one.name));
        }
        Ok(())
    })
}

/// Runs Helm with this process's own output: the runner stores and redacts it, and signals reach both.
async fn uninstall(context: &Context) -> Result<(), StepError> {
    let mut command = helm::command(&helm::uninstall(&context.plan, Side::Primary)?)?;
    context.fence.look()?;
    let program = &context.plan.tools.helm;
    match command.status().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(StepError(format!(
            "{program} ended with {status}: what it printed above says why; whether the old cluster is gone the pods pane says"
        ))),
        Err(error) => Err(StepError(format!(
            "{program} could not be started: {error}. Set helm in [tools] to its full path"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        incident::{
            Cluster, Component, Failure, FailureKind, Memo, Moment, Observation, Part, Release,
        },
        plan::sample,
    };

    fn told(release: Part<Option<Release>>, desired: u32) -> Result<Vec<String>, StepError> {
        let deployment = Deployment {
            name: "tc-auth".to_owned(),
            component: Component::Auth,
            desired,
            available: desired,
            updated: desired,
            observed: true,
            restarted: None,
        };
        let cluster = Cluster {
            context: "east".to_owned(),
            uid: None,
            pods: Vec::new(),
            deployments: vec![deployment],
            load_balancer: None,
            events: Vec::new(),
            release,
            gaps: Vec::new(),
            memo: Memo::default(),
        };
        let mut instruments = Instruments::default();
        instruments.take(Observation {
            subject: Subject::Cluster(Side::Primary),
            at: Moment::from_secs(1),
            took: std::time::Duration::ZERO,
            outcome: Ok(Fact::Cluster(std::sync::Arc::new(cluster))),
        });
        seen(&sample::plan(), &instruments)
    }

    #[test]
    fn helm_where_it_has_a_release_and_scaling_where_it_has_none() {
        let helm = "helm uninstall teleport-cluster --namespace teleport --kube-context east --kubeconfig /etc/kube/east --wait --timeout 5m";
        let release = Release {
            name: "teleport-cluster".to_owned(),
            revision: 3,
            status: "deployed".to_owned(),
            deployed: None,
        };
        let forbidden = Failure::new(FailureKind::Forbidden, "list secrets");
        assert_eq!(told(Ok(Some(release)), 2).expect("lines"), [helm]);
        assert_eq!(told(Err(forbidden), 2).expect("lines"), [helm]);
        let scaled = told(Ok(None), 2).expect("lines");
        assert!(
            scaled[0].starts_with("PATCH deployments/tc-auth: spec.replicas = 0 (was 2)"),
            "{scaled:?}"
        );
        assert!(told(Ok(None), 0).expect("lines").is_empty());
    }

    #[test]
    fn what_has_not_been_read_locks_the_step() {
        let why = seen(&sample::plan(), &Instruments::default()).expect_err("locked");
        assert!(why.to_string().contains("not been read yet"), "{why}");
    }
}
