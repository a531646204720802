//! `abort`: back to the old side by the black box. The old release is brought up again and seen to answer as before; only
//! then do the names follow, and the recovery release goes last, so that at no time nobody serves. What the fence shut is
//! opened first of all, and what was paused acts again last of all.

mod old;

use std::time::Duration;

use futures::future::BoxFuture;

use super::{
    Context, Native, Say, StepError, barrier, dns, expand, freeze, helm, reconcilers, seen::failed,
};
use crate::{
    clients::kube::{self, Kube, Query},
    incident::{Cluster, Fact, Instruments, Moment, Reading, Sealed, Side, Subject, TableRole},
    plan::Plan,
};

/// How long one list may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// The row of `abort`.
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "abort",
        needs: &[
            "tools.helm",
            "cluster.release",
            "cluster.namespace",
            "cluster.chart",
            "primary.context",
            "recovery.context",
            "dns.zone_id",
        ],
        calls,
        seen: Some(seen),
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let context = |side: Side| plan.side(side).kube.context.as_deref().unwrap_or_default();
    vec![format!(
        "read  the black box; the release in contexts {} and {}; then, each only after the one before is seen to have worked:",
        context(Side::Primary),
        context(Side::Recovery)
    )]
}

/// The calls in their order, from the black box and both clusters as they were seen last.
fn seen(plan: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    let cluster = |side: Side| -> Result<&Cluster, StepError> {
        let reading = instruments.get(&Subject::Cluster(side));
        match reading.map(|reading| &reading.last.outcome) {
            Some(Ok(Fact::Cluster(cluster))) => Ok(cluster),
            _ => Err(StepError(reading.and_then(Reading::failure).map_or_else(
                || format!("the {side} cluster has not been read yet"),
                |why| {
                    format!(
                        "the {side} cluster cannot be read, so there is no way back by it: {why}"
                    )
                },
            ))),
        }
    };
    let reading = instruments.get(&Subject::BlackBox);
    let Some((_, Fact::BlackBox(found))) = reading.and_then(|reading| reading.good.as_ref()) else {
        return Err(StepError(reading.and_then(Reading::failure).map_or_else(
            || "the black box was not read yet".to_owned(),
            ToString::to_string,
        )));
    };
    let (primary, recovery) = (cluster(Side::Primary)?, cluster(Side::Recovery)?);
    let (edits, at) = dns::revert_edits(instruments)?;
    let mut lines = vec![format!("by the {}", found.told(at.max(found.at)))];
    lines.extend(barrier::back_lines(plan, instruments));
    if let Ok(Some(release)) = &primary.release {
        old::whole(plan, Some(&release.status))?;
    }
    let there = !matches!(primary.release, Ok(None)) || !primary.deployments.is_empty();
    lines.extend(old::lines(plan, found, there, &primary.deployments)?);
    lines.push(old::wait_line(found));
    lines.extend(edits);
    lines.push(format!(
        "or, where the old release gets another load balancer than {}: the names to that one, one batch",
        old::addresses(found).join(", ")
    ));
    if !matches!(recovery.release, Ok(None)) {
        lines.push(expand::shown(&helm::uninstall(plan, Side::Recovery)?));
    }
    lines.extend(freeze::remembered(plan, instruments));
    lines.extend(reconcilers::resume_lines(instruments));
    Ok(lines)
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let say = |line: &str| context.say(line);
        let plan = &context.plan;
        let sealed = context
            .shelf()
            .read()
            .map_err(|error| StepError(format!("there is no way back: {error}")))?;
        say(&sealed.seen.told(Moment::now()));
        let primary = connect(plan, Side::Primary, &sealed).await?;
        let recovery = connect(plan, Side::Recovery, &sealed).await?;
        say("── the old load balancer at AWS");
        barrier::put_back(&context, &sealed.seen).await?;
        say("── the old release");
        old::bring_up(&context, &sealed, &primary, &say).await?;
        if context.dry_run {
            say("then, once the old load balancer answers as before:");
        } else {
            old::wait(&context, &sealed.seen, &primary, &say).await?;
        }
        say("── the names");
        old::names(&context, &sealed.seen, &primary, &say).await?;
        say("── the recovery release");
        let (namespace, release) = (&plan.cluster.namespace, &plan.cluster.release);
        let query = Query::releases(namespace, release);
        let there = kube::any(&recovery, &query, PATIENCE).await;
        if there.map_err(|why| failed(&why))? {
            run_helm(&context, &helm::uninstall(plan, Side::Recovery)?, &say).await?;
        } else {
            say("there is none");
        }
        say("── the change freeze");
        // Which Auth Service has them is known only now that one of two is gone.
        let anywhere = Context {
            confirmed: Vec::new(),
            ..context.clone()
        };
        freeze::lift(anywhere).await?;
        say("── what was paused in the primary");
        reconcilers::resume(&context, &primary).await?;
        let tables = TableRole::BOTH.map(|role| plan.recovery.table(role).unwrap_or_default());
        say(&format!(
            "The tables {} stay. A later recovery keeps what it finds under those names, however old: name others in [recovery] of {}, or delete them, before that",
            tables.join(" and "),
            plan.path.display()
        ));
        Ok(())
    })
}

/// The cluster of a side, if it is the planned one and the one of the box.
async fn connect(plan: &Plan, side: Side, sealed: &Sealed) -> Result<Kube, StepError> {
    let kube = kube::connect(&plan.side(side).kube)
        .await
        .map_err(|why| failed(&why))?;
    let found = kube::identity(&kube, PATIENCE)
        .await
        .map_err(|why| failed(&why))?;
    let boxed = match side {
        Side::Primary => &sealed.seen.primary_uid,
        Side::Recovery => &sealed.seen.recovery_uid,
    };
    let wanted = plan.side(side).kube.uid.as_ref().or(boxed.good());
    match (wanted, &found) {
        (Some(wanted), Some(found)) if wanted != found => Err(StepError(format!(
            "nothing was changed: {} is another cluster (kube-system has UID {found}) than the {side} one ({wanted}); correct the kubeconfig",
            kube.place
        ))),
        _ => Ok(kube),
    }
}

/// Runs Helm with the step's own output.
async fn run_helm(context: &Context, argv: &[String], say: Say<'_>) -> Result<(), StepError> {
    say(&expand::shown(argv));
    if context.dry_run {
        return Ok(());
    }
    let mut command = helm::command(argv)?;
    context.fence.look()?;
    let program = &context.plan.tools.helm;
    match command.status().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(StepError(format!(
            "{program} ended with {status}, see its lines above; what was done before stays done, and this step can be run again"
        ))),
        Err(error) => Err(StepError(format!(
            "{program} cannot be started: {error}; set `helm` in [tools]"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        incident::{
            BlackBox, Failure, FailureKind, LoadBalancer, Observation, Zone,
            black_box::{Place, sample::sealed},
        },
        plan::sample::plan,
    };

    const NOW: Moment = Moment::from_secs(1_795_000_000);

    fn cluster(side: Side, release: bool) -> Observation {
        let found = sealed(NOW).seen;
        let deployments = if release {
            found.deployments.good().cloned().unwrap_or_default()
        } else {
            Vec::new()
        };
        let cluster = Cluster {
            context: side.word().to_owned(),
            uid: None,
            pods: Vec::new(),
            deployments,
            load_balancer: None::<LoadBalancer>,
            events: Vec::new(),
            release: Ok(release.then(|| crate::incident::Release {
                name: "teleport-cluster".to_owned(),
                revision: 1,
                status: "deployed".to_owned(),
                deployed: None,
            })),
            gaps: Vec::new(),
            memo: crate::incident::Memo::default(),
        };
        seen_of(Subject::Cluster(side), Fact::Cluster(cluster.into()))
    }

    fn seen_of(subject: Subject, fact: Fact) -> Observation {
        Observation {
            subject,
            at: NOW,
            took: Duration::ZERO,
            outcome: Ok(fact),
        }
    }

    fn world(old: bool, new: bool, switched: bool) -> Instruments {
        let found = BlackBox {
            place: Place::Incident,
            ..sealed(NOW.minus(Duration::from_mins(9))).seen
        };
        let records = found.records.good().expect("records");
        let records = records.sets.iter().map(|old| {
            let mut set = old.set.clone();
            if switched {
                set.values = vec!["new.elb.example".to_owned()];
            }
            set
        });
        let zone = Zone {
            id: "Z1".to_owned(),
            name: "example.com".to_owned(),
            private: false,
            nameservers: Vec::new(),
            records: records.collect(),
            ..Zone::default()
        };
        let mut instruments = Instruments::default();
        for seen in [
            cluster(Side::Primary, old),
            cluster(Side::Recovery, new),
            seen_of(Subject::BlackBox, Fact::BlackBox(found.into())),
            seen_of(Subject::Zone, Fact::Zone(zone.into())),
        ] {
            instruments.take(seen);
        }
        instruments
    }

    fn at(lines: &[String], words: &str) -> Option<usize> {
        lines.iter().position(|line| line.contains(words))
    }

    #[test]
    fn the_old_release_comes_first_and_the_recovery_release_goes_last() {
        let lines = seen(&plan(), &world(false, true, true)).expect("lines");
        let install = at(&lines, "helm install teleport-cluster").expect("the old release");
        let names = at(&lines, "UPSERT teleport.example.com CNAME old.elb.example").expect("names");
        let uninstall = at(&lines, "helm uninstall").expect("the new one");
        assert!(install < names && names < uninstall, "{lines:?}");
        assert!(lines[install].contains("--version 17.0.2"), "{lines:?}");
        assert!(lines[install].contains("--kube-context east"), "{lines:?}");
        assert!(
            lines[uninstall].contains("--kube-context west"),
            "{lines:?}"
        );
        let told = lines.join("\n");
        assert!(!told.contains("hunter2"), "{told}");
    }

    #[test]
    fn what_is_as_before_is_left_alone() {
        let lines = seen(&plan(), &world(true, false, false)).expect("lines");
        for words in ["helm install", "helm uninstall", "UPSERT", "PATCH"] {
            assert_eq!(at(&lines, words), None, "{lines:?}");
        }
    }

    #[test]
    fn without_a_box_or_a_primary_there_is_no_way_back() {
        let why = |instruments: &Instruments| {
            let refused = seen(&plan(), instruments);
            refused.expect_err("no way back").to_string()
        };
        assert!(why(&Instruments::default()).contains("black box"));
        let mut instruments = world(true, true, true);
        let gone = Failure::new(FailureKind::Timeout, "no answer in 5s");
        instruments.take(Observation {
            outcome: Err(gone),
            at: NOW.plus(Duration::from_secs(1)),
            ..cluster(Side::Primary, true)
        });
        assert!(why(&instruments).contains("primary cluster cannot be read"));
    }
}
