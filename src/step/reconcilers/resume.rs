//! The way back from the pause: what the annotation on each paused object remembers is put in force again.

use serde_json::{Value, json};

use crate::{
    clients::kube::{
        Kube, object,
        reconcilers::{REMEMBERED, Target, reconcilers},
    },
    incident::{
        Fact, Instruments, Reading, Reconciler, ReconcilerKind, Reconcilers, Side, Subject,
    },
    step::{Context, StepError, seen::failed},
};

/// What is paused and remembers what it was, in the order in which it is resumed: what is applied before who applies it.
fn paused(seen: &Reconcilers) -> impl Iterator<Item = &Reconciler> {
    let all = seen.found.iter().rev();
    all.filter(|one| one.paused())
}

/// `PATCH Flux HelmRelease flux-system/teleport: spec.suspend = null, as before it was paused`
fn line(one: &Reconciler) -> String {
    let was = one.before.as_deref().unwrap_or_default();
    let title = one.title();
    match patch(one) {
        Some(_) => format!(
            "PATCH {title}: {} = {was}, as before it was paused",
            super::field(one.kind)
        ),
        None => format!(
            "{title} stays paused: {REMEMBERED} on it says {was}, which is no state it can have had; resume it by hand"
        ),
    }
}

/// The merge patch that resumes one: the field as it was, and the annotation gone. `None` where the annotation, which
/// anybody with the right may have written, does not hold what Relight writes there.
fn patch(one: &Reconciler) -> Option<Value> {
    let was: Value = serde_json::from_str(one.before.as_deref()?).ok()?;
    let spec = match one.kind {
        ReconcilerKind::FluxKustomization | ReconcilerKind::FluxHelmRelease => {
            (was.is_null() || was == false).then(|| json!({"suspend": was}))
        }
        ReconcilerKind::ArgoApplication => was
            .is_object()
            .then(|| json!({"syncPolicy": {"automated": was}})),
        ReconcilerKind::ExternalDns | ReconcilerKind::Operator => was
            .as_u64()
            .filter(|count| (1..=100).contains(count))
            .map(|count| json!({"replicas": count})),
    }?;
    Some(json!({"metadata": {"annotations": {REMEMBERED: null}}, "spec": spec}))
}

/// The patches, as the primary's cluster was seen last; where it could not be, that.
pub(in crate::step) fn lines(instruments: &Instruments) -> Vec<String> {
    let reading = instruments.get(&Subject::Reconcilers(Side::Primary));
    match reading.map(|reading| &reading.last.outcome) {
        Some(Ok(Fact::Reconcilers(seen))) => paused(seen).map(line).collect(),
        _ => vec![format!(
            "what was paused in the primary is not known now and stays so: {}",
            reading
                .and_then(Reading::failure)
                .map_or_else(|| "not looked for yet".to_owned(), ToString::to_string)
        )],
    }
}

/// Resumes what is paused.
///
/// # Errors
/// If the API does not answer or refuses, or something was not among what was confirmed: that stays paused.
pub(in crate::step) async fn resume(context: &Context, kube: &Kube) -> Result<(), StepError> {
    let plan = &context.plan;
    let target = Target {
        namespace: &plan.cluster.namespace,
        release: &plan.cluster.release,
        names: &plan.dns.names,
    };
    let seen = reconcilers(kube, target).await;
    let seen = seen.map_err(|why| {
        StepError(format!(
            "what was paused in the primary cannot be looked for, and stays paused: {why}. All else is done; run this step again"
        ))
    })?;
    for gap in &seen.gaps {
        context.say(format!(
            "could not be looked at, so what is paused there stays paused: {gap}"
        ));
    }
    let (mut unshown, mut done) = (Vec::new(), 0);
    for one in paused(&seen) {
        let line = line(one);
        let Some(change) = patch(one) else {
            context.say(line);
            continue;
        };
        if !context.dry_run && !context.confirmed.is_empty() && !context.confirmed.contains(&line) {
            unshown.push(one.title());
            continue;
        }
        context.say(line);
        done += 1;
        if context.dry_run {
            continue;
        }
        context.fence.look()?;
        object::merge(kube, &one.path(), &change)
            .await
            .map_err(|why| failed(&why))?;
    }
    if !unshown.is_empty() {
        return Err(StepError(format!(
            "{} stays paused: it was not among what was confirmed. All else is done; run this step again to see and resume it",
            unshown.join(", ")
        )));
    }
    if done == 0 {
        context.say("nothing in the primary's cluster is paused by Relight");
    }
    context.say(
        "what a person suspended elsewhere (in Git, at the hub of Argo CD) is resumed there, by hand",
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(kind: ReconcilerKind, before: &str) -> Reconciler {
        Reconciler {
            kind,
            api: "/apis/x/v1".to_owned(),
            plural: "things".to_owned(),
            namespace: "ns".to_owned(),
            name: "it".to_owned(),
            why: "because".to_owned(),
            acts: None,
            before: Some(before.to_owned()),
            owner: None,
            dns: None,
        }
    }

    #[test]
    fn each_kind_gets_back_what_it_was_and_forgets_it() {
        use ReconcilerKind::{ArgoApplication, ExternalDns, FluxHelmRelease, FluxKustomization};
        for (kind, before, spec) in [
            (FluxHelmRelease, "null", Some(json!({"suspend": null}))),
            (FluxKustomization, "false", Some(json!({"suspend": false}))),
            (
                ArgoApplication,
                "{\"prune\":true}",
                Some(json!({"syncPolicy": {"automated": {"prune": true}}})),
            ),
            (ExternalDns, "2", Some(json!({"replicas": 2}))),
            // What Relight never wrote is not put in force.
            (FluxHelmRelease, "{\"x\":1}", None),
            (ArgoApplication, "true", None),
            (ExternalDns, "0", None),
            (ExternalDns, "5000", None),
            (ExternalDns, "x", None),
        ] {
            let one = one(kind, before);
            let patch = patch(&one);
            assert_eq!(patch.as_ref().map(|patch| &patch["spec"]), spec.as_ref());
            if let Some(patch) = patch {
                assert!(patch["metadata"]["annotations"][REMEMBERED].is_null());
                assert!(line(&one).contains("as before it was paused"));
            } else {
                assert!(line(&one).contains("by hand"));
            }
        }
    }

    #[test]
    fn what_is_applied_comes_before_who_applies_it_and_what_acts_is_left_alone() {
        use ReconcilerKind::{ExternalDns, FluxHelmRelease, FluxKustomization};
        let mut acts = one(ExternalDns, "1");
        acts.acts = Some("1".to_owned());
        let mut others = one(FluxHelmRelease, "null");
        others.before = None;
        let seen = Reconcilers {
            found: vec![
                one(FluxKustomization, "null"),
                one(FluxHelmRelease, "null"),
                others,
                acts,
            ],
            ..Reconcilers::default()
        };
        let kinds: Vec<_> = paused(&seen).map(|one| one.kind).collect();
        assert_eq!(kinds, [FluxHelmRelease, FluxKustomization]);
    }
}
