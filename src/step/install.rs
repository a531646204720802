//! `install`: the chart in the recovery cluster by Helm, rendered against its API first; a release that runs there warm is
//! upgraded instead. Hook Jobs, pods and the starts of Auth are watched beside it: what must stop a recovery ends Helm.

use std::{
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::process::Child;

use super::{
    Context, Native, Say, StepError, expand, helm,
    pods::Rollout,
    seen::{failed, only_confirmed, planned, recovery_cluster},
};
use crate::{
    clients::{
        drill,
        kube::{self, Kube, Query, object},
    },
    incident::{
        Instruments, Moment, Side, brief,
        made::{Standing, What},
    },
    plan::{Isolated, Plan},
};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// How long Auth may take, after Helm, to say that it reached its table: then waiting is the next step's.
const REACH: Duration = Duration::from_mins(3);
/// How long Helm may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(10);

/// What both ways of Helm have in common, as the runbook writes argv: context and namespace always explicit.
const COMMON: [&str; 15] = [
    "{cluster.release}",
    "{cluster.chart}",
    "--version",
    "{cluster.version}",
    "--values",
    "{recovery.values}",
    "--namespace",
    "{cluster.namespace}",
    "--kube-context",
    "{recovery.context}",
    "--kubeconfig",
    "{recovery.kubeconfig?}",
    "--timeout",
    "15m",
    // Last, so that what a dry run adds comes after it.
    "{way}",
];

/// The row of [`super::natives`].
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "install",
        needs: &[
            "tools.helm",
            "cluster.release",
            "cluster.namespace",
            "cluster.chart",
            "cluster.version",
            "recovery.context",
            "recovery.values",
            "recovery.state_table",
        ],
        calls,
        seen: Some(seen),
        run,
    }
}

/// How the release comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// There is none.
    Install,
    /// One runs warm.
    Upgrade,
}

fn calls(plan: &Plan) -> Vec<String> {
    let mut lines = vec![format!(
        "GET secrets (metadata) of release {} in context {}; pods, Deployments and the logs of Auth while it starts; and:",
        plan.cluster.release,
        plan.recovery.kube.context.as_deref().unwrap_or_default()
    )];
    if let Some(drill) = plan.isolated() {
        lines.push(format!(
            "POST namespaces/{} with the label {}={}, where there is none; trusted clusters in the restored state are dialled \
             from there: Check state table names them",
            plan.cluster.namespace,
            Isolated::TAG,
            drill.stamp
        ));
    }
    lines
}

/// Helm's argv of a way, and of its rehearsal.
fn argv(plan: &Plan, way: Way, rehearsal: bool) -> Result<Vec<String>, StepError> {
    let (command, flag) = match way {
        Way::Install => ("install", "--create-namespace"),
        // Nothing of the values it ran with before stays: the file is the whole truth.
        Way::Upgrade => ("upgrade", "--reset-values"),
    };
    let mut template = vec!["{tools.helm}".to_owned(), command.to_owned()];
    template.extend(COMMON.iter().map(|word| word.replace("{way}", flag)));
    if rehearsal {
        template.push("--dry-run=server".to_owned());
    }
    expand::argv(&template, plan).map_err(|why| StepError(why.to_string()))
}

fn lines(plan: &Plan, way: Way) -> Result<Vec<String>, StepError> {
    Ok(vec![
        expand::shown(&argv(plan, way, true)?),
        expand::shown(&argv(plan, way, false)?),
    ])
}

fn seen(plan: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    let cluster = recovery_cluster(instruments)?;
    match &cluster.release {
        Ok(None) => lines(plan, Way::Install),
        Ok(Some(_)) => lines(plan, Way::Upgrade),
        Err(why) => Err(StepError(format!(
            "whether a release is in the recovery cluster cannot be read: {why}"
        ))),
    }
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        let kube = planned(&context, Side::Recovery).await?;
        let query = Query::releases(&plan.cluster.namespace, &plan.cluster.release);
        let there = kube::any(&kube, &query, PATIENCE).await;
        let way = if there.map_err(|why| failed(&why))? {
            Way::Upgrade
        } else {
            Way::Install
        };
        let lines = lines(plan, way)?;
        if !context.dry_run {
            only_confirmed(&lines, &context.confirmed)?;
        }
        let [rehearsal, real] = [true, false].map(|rehearsal| argv(plan, way, rehearsal));
        context.say(&lines[0]);
        let written = plan
            .recovery
            .values
            .as_ref()
            .is_some_and(|file| file.exists());
        if context.dry_run && !written {
            context.say("not rehearsed: the recovery values are not written yet");
        } else {
            rehearse(plan, &rehearsal?).await?;
            context.say("the chart renders against this cluster");
        }
        context.say(&lines[1]);
        if context.dry_run {
            context.say("dry run: nothing was changed");
            return Ok(());
        }
        let real = real?;
        drill(&context, &kube).await?;
        context.fence.look()?;
        install(&context, &kube, &real).await
    })
}

/// In an isolated drill: lists the release before it is asked for, and makes the namespace where there is none, with the
/// drill's label, by which it is known when it goes.
async fn drill(context: &Context, kube: &Kube) -> Result<(), StepError> {
    let plan = &context.plan;
    let Some(isolated) = plan.isolated() else {
        return Ok(());
    };
    let folder = drill::folder(plan).map_err(|why| failed(&why))?;
    let listed = |error: drill::LedgerError| StepError(error.to_string());
    let mut ledger = drill::Ledger::read(folder).map_err(listed)?;
    let name = &plan.cluster.namespace;
    let (stands, _) = drill::namespace(kube, name, &isolated.stamp)
        .await
        .map_err(|why| failed(&why))?;
    match stands {
        Standing::Gone => {
            ledger
                .note(What::Namespace, name, &context.run)
                .map_err(listed)?;
            context.fence.look()?;
            let made = json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": name, "labels": {Isolated::TAG: isolated.stamp}}});
            object::create(kube, "/api/v1/namespaces", &made)
                .await
                .map_err(|why| failed(&why))?;
            context.say(format!("namespace {name} is made"));
        }
        Standing::Going => {
            return Err(StepError(format!(
                "nothing was changed: namespace {name} is being deleted; run this step again when it is gone"
            )));
        }
        Standing::Ours | Standing::Foreign(_) => {}
    }
    let release = &plan.cluster.release;
    ledger
        .note(What::Release, release, &context.run)
        .map_err(listed)
}

/// Renders the chart with the values against the API server and makes nothing. What it prints are the manifests, Secrets
/// among them: nobody gets to see those.
async fn rehearse(plan: &Plan, argv: &[String]) -> Result<(), StepError> {
    let status = spawn(plan, argv, Stdio::null())?.wait().await;
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(StepError(format!(
            "nothing was changed: the rehearsal ended with {status}, and what Helm printed above says why"
        ))),
        Err(error) => Err(StepError(format!(
            "nothing was changed: the rehearsal was lost: {error}; run this step again"
        ))),
    }
}

fn spawn(plan: &Plan, argv: &[String], out: Stdio) -> Result<Child, StepError> {
    helm::command(argv)?.stdout(out).spawn().map_err(|error| {
        StepError(format!(
            "nothing was changed: {} cannot be started: {error}; set `helm` in [tools]",
            plan.tools.helm
        ))
    })
}

async fn install(context: &Context, kube: &Kube, argv: &[String]) -> Result<(), StepError> {
    let plan = &context.plan;
    let say = |line: &str| context.say(line);
    let mut rollout = Rollout::default();
    rollout.starts.since(Moment::now());
    let mut helm = spawn(plan, argv, Stdio::inherit())?;
    let status = loop {
        tokio::select! {
            status = helm.wait() => break status,
            () = tokio::time::sleep(LOOK) => {
                if let Err(danger) = rollout.look(kube, plan, &say).await {
                    end(&mut helm, &say).await;
                    return Err(danger);
                }
            }
        }
    };
    ended(status)?;
    let table = plan.recovery.state_table.as_deref().unwrap_or_default();
    let began = Instant::now();
    while began.elapsed() < REACH {
        if let Some((log, available)) = rollout.look(kube, plan, &say).await? {
            if let Some(start) = log.reached(table) {
                say(&format!(
                    "{} reached {table}, {} after Helm had ended",
                    start.pod,
                    brief(began.elapsed())
                ));
                return Ok(());
            }
            if available {
                // Where the values were the same, the old pods are the new ones.
                rollout.starts.all();
            }
        }
        tokio::time::sleep(LOOK).await;
    }
    say(&format!(
        "no Auth pod has said within {} that it reached its table: \"Wait for pods\" goes on watching",
        brief(REACH)
    ));
    Ok(())
}

fn ended(status: std::io::Result<ExitStatus>) -> Result<(), StepError> {
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(StepError(format!(
            "Helm ended with {status}: what it printed above says why. A release that is left as failed is uninstalled before the next attempt"
        ))),
        Err(error) => Err(StepError(format!(
            "Helm was lost: {error}; the pods pane says what is there"
        ))),
    }
}

/// Helm is asked to end, so that it records the release as failed, and made to if it does not.
async fn end(helm: &mut Child, say: Say<'_>) {
    say("Helm is asked to end");
    let pid = helm
        .id()
        .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(pid) = pid {
        let _ = kill_process(pid, Signal::TERM);
    }
    if tokio::time::timeout(GRACE, helm.wait()).await.is_err() {
        let _ = helm.kill().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample::plan;

    #[test]
    fn the_rehearsal_is_the_same_line_and_one_word_more() {
        let plan = plan();
        for way in [Way::Install, Way::Upgrade] {
            let real = argv(&plan, way, false).expect("filled in");
            let mut rehearsal = argv(&plan, way, true).expect("filled in");
            assert_eq!(rehearsal.pop().as_deref(), Some("--dry-run=server"));
            assert_eq!(rehearsal, real);
        }
        let upgrade = argv(&plan, Way::Upgrade, false).expect("filled in");
        assert!(upgrade.contains(&"--reset-values".to_owned()));
        assert!(!upgrade.contains(&"--create-namespace".to_owned()));
    }
}
