//! `free-release`: a release that a Helm was killed at is pending, and Helm refuses it from then on. Where an earlier revision
//! was deployed, Helm rolls it back to that; where there is none, Helm's record of the pending revision alone is deleted.

use std::process::Stdio;

use futures::future::BoxFuture;

use super::{
    Context, Native, StepError, expand, helm,
    seen::{failed, only_confirmed, planned, recovery_cluster},
};
use crate::{
    clients::kube,
    incident::{Instruments, Release, Side},
    plan::Plan,
};

const ROLLBACK: [&str; 12] = [
    "{tools.helm}",
    "rollback",
    "{cluster.release}",
    "REVISION",
    "--namespace",
    "{cluster.namespace}",
    "--kube-context",
    "{recovery.context}",
    "--kubeconfig",
    "{recovery.kubeconfig?}",
    "--timeout",
    "5m",
];

/// The row of [`super::natives`].
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "free-release",
        needs: &[
            "tools.helm",
            "cluster.release",
            "cluster.namespace",
            "recovery.context",
        ],
        calls,
        seen: Some(seen),
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    vec![format!(
        "GET secrets (metadata) of release {} in context {}; and:",
        plan.cluster.release,
        plan.recovery.kube.context.as_deref().unwrap_or_default()
    )]
}

/// What frees a pending release.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// Helm's own argv.
    RollBack(Vec<String>),
    /// The Secret of the revision is deleted.
    Forget(String),
}

fn way(plan: &Plan, release: Option<&Release>) -> Result<Way, StepError> {
    let pending = release.filter(|release| release.is_pending());
    let Some(release) = pending else {
        let how = release.map_or_else(
            || "there is no such release".to_owned(),
            |release| format!("revision {} is {}", release.revision, release.status),
        );
        return Err(StepError(format!(
            "nothing was changed: release {} is not pending in the recovery cluster ({how})",
            plan.cluster.release
        )));
    };
    match release.deployed {
        None => Ok(Way::Forget(kube::revision_secret(release))),
        Some(revision) => {
            let template = ROLLBACK.map(|word| word.replace("REVISION", &revision.to_string()));
            let argv = expand::argv(&template, plan);
            argv.map(Way::RollBack)
                .map_err(|why| StepError(why.to_string()))
        }
    }
}

impl Way {
    fn line(&self, plan: &Plan) -> String {
        match self {
            Self::RollBack(argv) => expand::shown(argv),
            Self::Forget(secret) => format!(
                "DELETE secrets/{secret} in namespace {} of context {}",
                plan.cluster.namespace,
                plan.recovery.kube.context.as_deref().unwrap_or_default()
            ),
        }
    }
}

fn seen(plan: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    let cluster = recovery_cluster(instruments)?;
    let release = cluster.release.as_ref().map_err(|why| {
        StepError(format!(
            "whether a release is in the recovery cluster cannot be read: {why}"
        ))
    })?;
    // That there is nothing to free is its precondition's to say.
    Ok(way(plan, release.as_ref())
        .map(|way| vec![way.line(plan)])
        .unwrap_or_default())
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        let kube = planned(&context, Side::Recovery).await?;
        let (namespace, name) = (&plan.cluster.namespace, &plan.cluster.release);
        let there = kube::recorded(&kube, namespace, name).await;
        let release = there.map_err(|why| failed(&why))?;
        let way = way(plan, release.as_ref())?;
        let lines = [way.line(plan)];
        if !context.dry_run {
            only_confirmed(&lines, &context.confirmed)?;
        }
        context.say(&lines[0]);
        if context.dry_run {
            context.say("dry run: nothing was changed");
            return Ok(());
        }
        context.fence.look()?;
        match (way, release) {
            (Way::RollBack(argv), _) => roll_back(plan, &argv).await,
            (Way::Forget(_), Some(release)) => {
                let forgotten = kube::forget(&kube, namespace, &release).await;
                forgotten.map_err(|why| failed(&why))?;
                context.say(
                    "Helm has forgotten the pending revision; what it had made stays, and the next install takes it over",
                );
                Ok(())
            }
            (Way::Forget(_), None) => Ok(()),
        }
    })
}

async fn roll_back(plan: &Plan, argv: &[String]) -> Result<(), StepError> {
    let spawned = helm::command(argv)?.stdout(Stdio::inherit()).spawn();
    let mut child = spawned.map_err(|error| {
        StepError(format!(
            "nothing was changed: {} cannot be started: {error}; set `helm` in [tools]",
            plan.tools.helm
        ))
    })?;
    match child.wait().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(StepError(format!(
            "Helm ended with {status}: what it printed above says why"
        ))),
        Err(error) => Err(StepError(format!(
            "Helm was lost: {error}; the pods pane says what the release is now"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample::plan;

    fn release(status: &str, deployed: Option<u32>) -> Release {
        Release {
            name: "teleport-cluster".to_owned(),
            revision: 4,
            status: status.to_owned(),
            deployed,
        }
    }

    #[test]
    fn back_to_what_was_deployed_or_else_forgotten_and_nothing_that_is_not_pending() {
        let plan = plan();
        let line = |status, deployed| {
            way(&plan, Some(&release(status, deployed))).map(|way| way.line(&plan))
        };
        let back = line("pending-upgrade", Some(3)).expect("a way");
        assert!(
            back.starts_with(
                "helm rollback teleport-cluster 3 --namespace teleport --kube-context west"
            ),
            "{back}"
        );
        let gone = line("pending-install", None).expect("a way");
        assert!(
            gone.starts_with(
                "DELETE secrets/sh.helm.release.v1.teleport-cluster.v4 in namespace teleport"
            ),
            "{gone}"
        );
        for status in ["deployed", "failed", "uninstalling"] {
            let refused = line(status, Some(3)).expect_err("not pending");
            assert!(refused.0.contains(status), "{refused}");
        }
        assert!(way(&plan, None).is_err());
    }
}
