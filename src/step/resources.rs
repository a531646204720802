//! `apply-resources`: the operator's manifests are applied to the recovery cluster, or Flux is let at them; then the
//! Teleport operator is watched until it has reconciled every one (guide, step 3/4).

use std::{
    path::Path,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use serde_json::json;

use super::{
    Context, Native, StepError, expand,
    seen::{failed, planned},
};
use crate::{
    clients::{
        kube::{
            Kube, object,
            resources::{REQUESTED, kustomization, resources},
        },
        kubectl,
    },
    incident::{Fact, Instruments, Moment, Reading, Side, Subject, brief},
    plan::Plan,
};

/// How long kubectl may take over one of the manifests.
const APPLY: Duration = Duration::from_mins(2);
/// Between two looks.
const LOOK: Duration = Duration::from_secs(2);
/// How long nothing may change before the rest counts as not reconciled: the operator tries again after a minute or two.
const QUIET: Duration = Duration::from_mins(3);

/// The row of [`super::natives`].
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "apply-resources",
        needs: &["cluster.release", "cluster.namespace", "recovery.context"],
        calls,
        seen: Some(seen),
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let mut lines: Vec<String> = plan
        .resources
        .manifests
        .iter()
        .filter_map(|path| apply(plan, path, false).ok())
        .map(|line| format!("{} (with --dry-run=server first)", expand::shown(&line)))
        .collect();
    lines.extend(plan.resources.flux.iter().map(|name| {
        format!("PATCH Kustomization {name}: spec.suspend = false, annotation {REQUESTED} = now")
    }));
    lines.push(format!(
        "GET the objects of resources.teleport.dev in namespace {} until the operator has reconciled each",
        plan.cluster.namespace
    ));
    lines
}

/// Whether there is anything to do: what the plan names, or an operator that is to be watched.
fn seen(plan: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    if !plan.resources.manifests.is_empty() || !plan.resources.flux.is_empty() {
        return Ok(Vec::new());
    }
    let reading = instruments.get(&Subject::Resources);
    let operator = match reading.and_then(|reading| reading.good.as_ref()) {
        Some((_, Fact::Resources(seen))) => seen.operator.clone(),
        _ => None,
    };
    match operator {
        Some((name, _)) => Ok(vec![format!(
            "the plan names nothing in [resources]: {name} is only watched"
        )]),
        None => Err(StepError(format!(
            "the plan names neither manifests nor flux in [resources], and no Teleport operator is seen in the recovery \
             cluster: there is nothing to apply{}",
            reading
                .and_then(Reading::failure)
                .map_or_else(String::new, |why| format!(" ({why})"))
        ))),
    }
}

/// `kubectl … apply --server-side -f PATH`
fn apply(plan: &Plan, path: &Path, dry: bool) -> Result<Vec<String>, StepError> {
    let mut line = kubectl::on(plan, Side::Recovery).map_err(|why| failed(&why))?;
    line.extend(["apply", "--server-side", "--field-manager=relight"].map(str::to_owned));
    if path.is_dir() {
        line.push("--recursive".to_owned());
    }
    if dry {
        line.push("--dry-run=server".to_owned());
    }
    line.extend(["-f".to_owned(), path.to_string_lossy().into_owned()]);
    Ok(line)
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        let kube = planned(&context, Side::Recovery).await?;
        // All of them are tried before the first is done.
        for path in &plan.resources.manifests {
            one(&context, path, true).await?;
        }
        if context.dry_run {
            for name in &plan.resources.flux {
                context.say(format!("would let Flux at Kustomization {name}"));
            }
            context.say("dry run: nothing was changed");
            return Ok(());
        }
        for path in &plan.resources.manifests {
            one(&context, path, false).await?;
        }
        for name in &plan.resources.flux {
            flux(&context, &kube, name).await?;
        }
        watch(&context, &kube).await
    })
}

async fn one(context: &Context, path: &Path, dry: bool) -> Result<(), StepError> {
    let line = apply(&context.plan, path, dry)?;
    context.say(format!("── {} ──", expand::shown(&line)));
    if !dry {
        context.fence.look()?;
    }
    let place = format!("kubectl apply of {}", path.display());
    let said = kubectl::run(&line, &place, APPLY).await.map_err(|why| {
        StepError(if dry {
            format!("nothing was changed: {why}")
        } else {
            format!(
                "{why}. What went before it is applied; run this step again when that is mended"
            )
        })
    })?;
    said.lines().for_each(|line| context.say(line));
    Ok(())
}

/// Lets Flux go on, and asks it to do so now.
async fn flux(context: &Context, kube: &Kube, name: &str) -> Result<(), StepError> {
    let groups = object::groups(kube).await.map_err(|why| failed(&why))?;
    let path = kustomization(&groups, name).map_err(|why| failed(&why))?;
    let change = json!({"metadata": {"annotations": {REQUESTED: Moment::now().to_string()}},
        "spec": {"suspend": false}});
    context.fence.look()?;
    object::merge(kube, &path, &change)
        .await
        .map_err(|why| failed(&why))?;
    context.say(format!(
        "Kustomization {name}: resumed and asked to reconcile"
    ));
    Ok(())
}

async fn watch(context: &Context, kube: &Kube) -> Result<(), StepError> {
    let plan = &context.plan;
    let cluster = &plan.cluster;
    let (mut said, mut since): (Vec<String>, _) = (Vec::new(), Instant::now());
    loop {
        let look = resources(
            kube,
            &cluster.namespace,
            &cluster.release,
            &plan.resources.flux,
        );
        let (lines, done) = match look.await {
            Ok(seen) => {
                let mut lines = vec![seen.told()];
                lines.extend(seen.lacks());
                lines.extend(seen.gaps.iter().map(ToString::to_string));
                (lines, seen.lacks().is_empty() && seen.gaps.is_empty())
            }
            Err(failure) => (vec![failure.to_string()], false),
        };
        if lines != said {
            for line in lines.iter().filter(|line| !said.contains(*line)) {
                context.say(line);
            }
            (said, since) = (lines, Instant::now());
        }
        if done {
            return Ok(());
        }
        if since.elapsed() >= QUIET {
            return Err(StepError(format!(
                "nothing has changed for {}: {}",
                brief(QUIET),
                said.join("; ")
            )));
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        incident::{Observation, Resources},
        plan::sample,
    };

    #[test]
    fn it_is_locked_in_words_while_there_is_nothing_to_apply_and_nobody_to_watch() {
        let mut plan = sample::plan();
        let mut instruments = Instruments::default();
        let why = seen(&plan, &instruments).expect_err("nothing to do").0;
        assert!(why.contains("names neither manifests nor flux"), "{why}");
        let there = Resources {
            operator: Some(("tc-operator".to_owned(), 1)),
            ..Resources::default()
        };
        instruments.take(Observation {
            subject: Subject::Resources,
            at: Moment::from_secs(1),
            took: Duration::ZERO,
            outcome: Ok(Fact::Resources(Arc::new(there))),
        });
        let lines = seen(&plan, &instruments).expect("an operator");
        assert!(
            lines[0].contains("tc-operator is only watched"),
            "{lines:?}"
        );
        plan.resources.flux = vec!["flux-system/t".to_owned()];
        assert!(seen(&plan, &Instruments::default()).is_ok());
        assert!(calls(&plan)[0].contains("PATCH Kustomization flux-system/t"));
    }

    #[test]
    fn context_and_namespace_are_named_and_a_folder_is_taken_whole() {
        let plan = sample::plan();
        let folder = tempfile::tempdir().expect("a folder");
        let line = apply(&plan, folder.path(), true).expect("a line").join(" ");
        assert!(line.contains("--context west"), "{line}");
        assert!(line.contains("-n teleport apply --server-side"), "{line}");
        assert!(line.contains("--recursive --dry-run=server -f /"), "{line}");
        let file = apply(&plan, Path::new("/x.yaml"), false)
            .expect("a line")
            .join(" ");
        assert!(
            file.ends_with("--field-manager=relight -f /x.yaml"),
            "{file}"
        );
    }
}
