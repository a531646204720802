//! `pause-reconcilers`: what would bring the old cluster back by itself, or point the names back, is suspended before the
//! old cluster is stopped. What it was before stays on each object as an annotation, so that it can be put back.

mod resume;

pub(super) use resume::{lines as resume_lines, resume};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    Context, Native, StepError,
    seen::{failed, only_confirmed, planned_cluster},
};
use crate::{
    clients::kube::{
        self, object,
        reconcilers::{REMEMBERED, Target, reconcilers},
    },
    incident::{
        Fact, Instruments, Reading, Reconciler, ReconcilerKind, Reconcilers, Side, Subject,
    },
    plan::Plan,
};

/// The row of [`super::natives`].
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "pause-reconcilers",
        needs: &["cluster.release", "cluster.namespace", "primary.context"],
        calls,
        seen: Some(seen),
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let context = plan.primary.kube.context.as_deref().unwrap_or_default();
    vec![format!(
        "GET /apis and what of Flux, Argo CD, external-dns and the Teleport operator acts on release {} in context \
         {context}; then the patches below and no others",
        plan.cluster.release
    )]
}

/// The patches, from what was found last.
fn seen(_: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    let reading = instruments.get(&Subject::Reconcilers(Side::Primary));
    match reading.and_then(|reading| reading.good.as_ref()) {
        Some((_, Fact::Reconcilers(seen))) => Ok(lines(seen)),
        _ => Err(StepError(reading.and_then(Reading::failure).map_or_else(
            || "what would bring the old cluster back has not been looked for yet".to_owned(),
            ToString::to_string,
        ))),
    }
}

fn lines(seen: &Reconcilers) -> Vec<String> {
    let active = seen.found.iter().filter(|one| one.active());
    active.map(line).collect()
}

/// `PATCH Flux HelmRelease flux-system/teleport: spec.suspend = true (was null)`
fn line(one: &Reconciler) -> String {
    let what = field(one.kind);
    let to = match one.kind {
        ReconcilerKind::FluxKustomization | ReconcilerKind::FluxHelmRelease => "true",
        ReconcilerKind::ArgoApplication => "none",
        ReconcilerKind::ExternalDns | ReconcilerKind::Operator => "0",
    };
    let was = one.acts.as_deref().unwrap_or_default();
    format!(
        "PATCH {}: {what} = {to} (was {was}): {}",
        one.title(),
        one.why
    )
}

/// The field that makes it act.
const fn field(kind: ReconcilerKind) -> &'static str {
    match kind {
        ReconcilerKind::FluxKustomization | ReconcilerKind::FluxHelmRelease => "spec.suspend",
        ReconcilerKind::ArgoApplication => "spec.syncPolicy.automated",
        ReconcilerKind::ExternalDns | ReconcilerKind::Operator => "spec.replicas",
    }
}

/// The merge patch that pauses one: the field, and the annotation that remembers it.
fn patch(one: &Reconciler) -> Value {
    let spec = match one.kind {
        ReconcilerKind::FluxKustomization | ReconcilerKind::FluxHelmRelease => {
            json!({"suspend": true})
        }
        // A null in a merge patch takes the field away.
        ReconcilerKind::ArgoApplication => json!({"syncPolicy": {"automated": null}}),
        ReconcilerKind::ExternalDns | ReconcilerKind::Operator => json!({"replicas": 0}),
    };
    json!({"metadata": {"annotations": {REMEMBERED: one.acts}}, "spec": spec})
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        let cluster = &plan.cluster;
        let kube = kube::connect(&plan.primary.kube)
            .await
            .map_err(|why| failed(&why))?;
        let target = Target {
            namespace: &cluster.namespace,
            release: &cluster.release,
            names: &plan.dns.names,
        };
        let seen = reconcilers(&kube, target)
            .await
            .map_err(|why| failed(&why))?;
        planned_cluster(&context, Side::Primary, &kube, seen.uid.as_deref())?;
        for absent in &seen.absent {
            context.say(format!(
                "{absent} is not installed in context {}",
                seen.context
            ));
        }
        for gap in &seen.gaps {
            context.say(format!("could not be looked at: {gap}"));
        }
        for paused in seen.found.iter().filter(|one| !one.active()) {
            context.say(format!("{} is paused already", paused.title()));
        }
        let lines = lines(&seen);
        if lines.is_empty() {
            context.say("nothing is to be paused");
            return Ok(());
        }
        if !context.dry_run {
            only_confirmed(&lines, &context.confirmed)?;
        }
        for one in seen.found.iter().filter(|one| one.active()) {
            context.say(line(one));
            if context.dry_run {
                continue;
            }
            context.fence.look()?;
            object::merge(&kube, &one.path(), &patch(one))
                .await
                .map_err(|why| failed(&why))?;
            context.say(format!(
                "  paused; annotation {REMEMBERED} on it remembers {}",
                one.acts.as_deref().unwrap_or_default()
            ));
        }
        if context.dry_run {
            context.say("dry run: nothing was changed");
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(kind: ReconcilerKind, acts: &str) -> Reconciler {
        Reconciler {
            kind,
            api: "/apis/x/v1".to_owned(),
            plural: "things".to_owned(),
            namespace: "ns".to_owned(),
            name: "it".to_owned(),
            why: "because".to_owned(),
            acts: Some(acts.to_owned()),
            before: None,
            owner: None,
            dns: None,
        }
    }

    #[test]
    fn each_kind_is_paused_by_its_own_field_and_remembered() {
        let cases = [
            (
                ReconcilerKind::FluxHelmRelease,
                "null",
                json!({"suspend": true}),
                "spec.suspend = true (was null)",
            ),
            (
                ReconcilerKind::ArgoApplication,
                "{\"prune\":true}",
                json!({"syncPolicy": {"automated": null}}),
                "(was {\"prune\":true})",
            ),
            (
                ReconcilerKind::ExternalDns,
                "2",
                json!({"replicas": 0}),
                "spec.replicas = 0 (was 2)",
            ),
        ];
        for (kind, acts, spec, words) in cases {
            let one = one(kind, acts);
            let patch = patch(&one);
            assert_eq!(patch["spec"], spec);
            assert_eq!(patch["metadata"]["annotations"][REMEMBERED], acts);
            assert!(line(&one).contains(words), "{}", line(&one));
        }
    }

    #[test]
    fn what_was_not_confirmed_is_refused() {
        let lines = [line(&one(ReconcilerKind::ExternalDns, "2"))];
        assert!(only_confirmed(&lines, &[]).is_ok());
        assert!(only_confirmed(&lines, &lines).is_ok());
        let told = only_confirmed(&lines, &["another".to_owned()]).expect_err("refused");
        assert!(told.to_string().contains("nothing was changed"), "{told}");
    }
}
