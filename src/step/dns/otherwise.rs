//! `switch-dns-otherwise`: what still moves the names while Route 53's control plane gives no answer, in order, with what
//! of it is known to exist. It changes nothing: the authorities are watched, and tell when somebody has.

use futures::future::BoxFuture;

use super::target;
use crate::{
    incident::{BlackBox, Fact, Instruments, Moment, Subject, Zone, black_box::OldRecords, brief},
    plan::Plan,
    step::{Context, Native, StepError},
};

/// The row of [`crate::step::natives`].
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "switch-dns-otherwise",
        needs: &[],
        calls,
        seen: Some(seen),
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let names = plan.dns.names.join(" and ");
    vec![format!(
        "nothing is changed here: {names} are watched at every authority. What still moves them, in order:"
    )]
}

fn seen(plan: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    let good = |subject: &Subject| {
        let reading = instruments.get(subject)?;
        reading.good.as_ref()
    };
    let zone = match good(&Subject::Zone) {
        Some((at, Fact::Zone(zone))) => Some((*at, &**zone)),
        _ => None,
    };
    let kept: Option<&BlackBox> = match good(&Subject::BlackBox) {
        Some((_, Fact::BlackBox(kept))) => Some(kept),
        _ => None,
    };
    let kept = kept.and_then(|kept| Some((kept.records.at, kept.records.good()?)));
    let now = instruments
        .get(&Subject::Zone)
        .map_or_else(Moment::default, |reading| reading.last.at);
    let to = target::seen(plan, instruments)?.to_string();
    Ok(order(plan, zone, kept, Some(&to), now))
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        if context.confirmed.is_empty() {
            for line in calls(&context.plan).into_iter().chain(order(
                &context.plan,
                None,
                None,
                None,
                Moment::now(),
            )) {
                context.say(line);
            }
        }
        for line in &context.confirmed {
            context.say(line);
        }
        context.say(
            "nothing was changed; this turns green when every authority serves the new target",
        );
        Ok(())
    })
}

/// The ways in the order of facts/recovery.md, 3.2: first what needs nobody's hand.
fn order(
    plan: &Plan,
    zone: Option<(Moment, &Zone)>,
    kept: Option<(Moment, &OldRecords)>,
    to: Option<&str>,
    now: Moment,
) -> Vec<String> {
    let to = to.unwrap_or("the new load balancer");
    let ago = |at: Moment| brief(now.since(at));
    let mut lines = vec![format!("1. {}", failover(zone, kept, &ago))];
    lines.push(match &plan.dns.arc {
        Some(arc) => format!(
            "2. ARC routing control: in the plan, with {} endpoints: run \"Route by ARC\"",
            arc.endpoints.len()
        ),
        None => "2. ARC routing control: not in the plan ([dns.arc]); where there is one, aws route53-recovery-cluster update-routing-control-states --endpoint-url … at any of its five endpoints".to_owned(),
    });
    let checks = checks(zone);
    lines.push(if checks.is_empty() {
        "3. a health check that you can turn from the recovery region (inverted, on an object or endpoint there): none is known here".to_owned()
    } else {
        format!(
            "3. a health check that you can turn from the recovery region: the records hang on {}; turn what it looks at",
            checks.join(", ")
        )
    });
    lines.push(format!("4. {}", accelerated(zone, kept, &ago)));
    lines.push("5. a second DNS provider, or other name servers at the registrar: takes hours; a last resort".to_owned());
    lines.push(format!(
        "6. user by user until then: a line in the hosts file, ADDRESS {}, with an address of {to}; or tsh --proxy=NAME with a standing name of the recovery region that its certificate and public_addr have. Never with --insecure",
        plan.cluster.name
    ));
    lines
}

/// Whether the names have failover records.
fn failover(
    zone: Option<(Moment, &Zone)>,
    kept: Option<(Moment, &OldRecords)>,
    ago: &dyn Fn(Moment) -> String,
) -> String {
    let what = "failover records with a health check move by themselves when the old side is seen unhealthy";
    let known = match (zone, kept) {
        (Some((at, zone)), _) => {
            let pairs: Vec<String> = zone
                .routed
                .iter()
                .map(|one| {
                    let role = one.failover.as_deref().unwrap_or("of another policy");
                    let check = one.health_check.as_deref().map_or_else(
                        || "without a health check".to_owned(),
                        |id| format!("health check {id}"),
                    );
                    format!(
                        "{} {role} {:?} to {}, {check}",
                        one.name,
                        one.set,
                        one.values.join(", ")
                    )
                })
                .collect();
            Some((at, pairs))
        }
        (None, Some((at, old))) => {
            let routed = old.sets.iter().filter_map(|old| {
                let set = old.routed.as_ref()?;
                Some(format!("{} {set:?} with a routing policy", old.set.name))
            });
            Some((at, routed.collect()))
        }
        (None, None) => None,
    };
    match known {
        None => {
            format!("{what}: whether there are any is not known here, the records were never read")
        }
        Some((at, found)) if found.is_empty() => {
            format!("{what}: there are none, as read {} ago", ago(at))
        }
        Some((at, found)) => format!(
            "{what}: as read {} ago, {}. A half-alive old side keeps them where they are: fence or stop it",
            ago(at),
            found.join("; ")
        ),
    }
}

/// The health checks that records are known to hang on.
fn checks(zone: Option<(Moment, &Zone)>) -> Vec<String> {
    let routed = zone.into_iter().flat_map(|(_, zone)| &zone.routed);
    let mut checks: Vec<String> = routed.filter_map(|one| one.health_check.clone()).collect();
    checks.sort();
    checks.dedup();
    checks
}

/// Whether the control plane may fail over for the zone.
fn accelerated(
    zone: Option<(Moment, &Zone)>,
    kept: Option<(Moment, &OldRecords)>,
    ago: &dyn Fn(Moment) -> String,
) -> String {
    let known = zone
        .map(|(at, zone)| (at, zone.accelerated.as_deref()))
        .or_else(|| kept.map(|(at, old)| (at, old.accelerated.as_deref())));
    match known {
        Some((at, Some(status @ ("ENABLED" | "ENABLING_HOSTED_ZONE_LOCKED" | "DISABLING_HOSTED_ZONE_LOCKED")))) => format!(
            "accelerated recovery is {status} for the zone, as read {} ago: the control plane fails over to us-west-2 within 60 minutes. Then this step goes its usual way again; a change that was PENDING before may be lost, so it is read anew and submitted again",
            ago(at)
        ),
        Some((at, status)) => format!(
            "accelerated recovery is {} for the zone, as read {} ago: the control plane does not fail over, and it cannot be enabled now",
            status.unwrap_or("not enabled"),
            ago(at)
        ),
        None => "accelerated recovery: whether it is enabled for the zone is not known here; where it is, the control plane fails over to us-west-2 within 60 minutes, and this step then goes its usual way".to_owned(),
    }
}

#[cfg(test)]
#[path = "otherwise_tests.rs"]
mod tests;
