//! `record-black-box`: what the old side is like is saved in the incident's folder before anything is changed, and copied
//! into the recovery region where the plan says so.

use futures::future::BoxFuture;

use super::{Context, Native, StepError};
use crate::{
    clients::black_box::{copy, look},
    incident::{BlackBox, Moment, brief},
    plan::Plan,
};

/// The row of `record-black-box`.
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "record-black-box",
        needs: &[],
        calls,
        seen: None,
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let context = |context: &Option<String>| {
        let named = context.as_deref();
        named.unwrap_or("(not in the plan)").to_owned()
    };
    let mut lines = vec![
        format!(
            "read  Route 53 GetHostedZone, ListResourceRecordSets: {}",
            plan.dns.names.join(", ")
        ),
        format!(
            "read  Kubernetes in context {}: Helm's newest release Secret with its values, Deployments, ServiceAccounts, \
             Services, Ingresses, namespace kube-system; in context {}: the last three",
            context(&plan.primary.kube.context),
            context(&plan.recovery.kube.context)
        ),
        "read  /webapi/ping, /webapi/find, /webapi/auth/export at the old load balancer".to_owned(),
        format!(
            "read  DynamoDB in {}: both tables and their settings",
            plan.primary.region
        ),
        "write black-box.json in the incident's folder (0600, with the Helm values)".to_owned(),
    ];
    lines.push(match &plan.black_box.copy_to {
        Some(to) => format!(
            "S3 PutObject s3://{}/{}{}/… in {} (encrypted, with a checksum, never over another)",
            to.bucket, to.prefix, plan.cluster.name, plan.recovery.region
        ),
        None => "no copy off this host: the plan has no copy_to in [black_box], and the box is lost with this host"
            .to_owned(),
    });
    lines
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        let shelf = context.shelf();
        let wrong = |error: &dyn std::fmt::Display| StepError(error.to_string());
        let before = shelf.newest().map_err(|error| wrong(&error))?;
        if let Some(before) = &before {
            context.say(format!(
                "an earlier box is there: {}",
                before.seen.told(Moment::now())
            ));
        }
        let sealed = look(plan, &host(), before).await;
        for line in told(&sealed.seen, Moment::now()) {
            context.say(line);
        }
        if context.dry_run {
            context.say("dry run: nothing was written");
            return Ok(());
        }
        context.fence.look()?;
        let mut sealed = shelf.put_incident(sealed).map_err(|error| wrong(&error))?;
        context.say(format!("wrote {} (0600)", sealed.seen.path));
        if plan.black_box.copy_to.is_none() {
            context.say(
                "WARNING: it lies on this host only, and is lost with it: set copy_to in [black_box]",
            );
            return Ok(());
        }
        context.fence.look()?;
        let copied = copy(plan, &sealed).await;
        sealed.seen.copied = Some(copied.clone());
        shelf.put_incident(sealed).map_err(|error| wrong(&error))?;
        match copied {
            Ok(copied) => {
                context.say(format!("copied to {}", copied.to));
                Ok(())
            }
            Err(why) => Err(StepError(format!(
                "the box is recorded, and NOT copied off this host: {why}. Run this step again when that answers"
            ))),
        }
    })
}

/// The name of this machine.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "unknown host".to_owned(),
        name => name.to_owned(),
    }
}

/// A line for each part: what there is, how old and by whom, or why not.
#[must_use]
pub fn told(seen: &BlackBox, now: Moment) -> Vec<String> {
    let mut lines: Vec<String> = seen
        .parts()
        .into_iter()
        .map(|(name, part)| {
            let age = brief(now.since(part.at));
            match (part.good, part.why) {
                (true, None) => format!("{name:<24} {} · {age} ago", part.source),
                (true, Some(why)) => {
                    format!("{name:<24} {} · {age} ago, since: {why}", part.source)
                }
                (false, why) => format!(
                    "{name:<24} NOT recorded: {}",
                    why.map_or_else(String::new, ToString::to_string)
                ),
            }
        })
        .collect();
    for old in seen.records.good().into_iter().flat_map(|old| &old.sets) {
        let set = &old.set;
        let ttl = set
            .ttl
            .map_or_else(|| "alias".to_owned(), |ttl| format!("ttl {ttl}"));
        lines.push(format!(
            "  {} {} {} {ttl}",
            set.name,
            set.kind,
            set.values.join(", ")
        ));
    }
    if let Some(release) = seen.release.good() {
        lines.push(format!(
            "  {} revision {} of chart {}-{}, values sha256 {}",
            release.name,
            release.revision,
            release.chart,
            release.version,
            release.digest.get(..12).unwrap_or_default()
        ));
    }
    if let Some(counts) = seen.agents.as_ref().and_then(|agents| agents.good()) {
        let told: Vec<String> = counts
            .iter()
            .map(|(kind, count)| format!("{} {count}", kind.words()))
            .collect();
        lines.push(format!("  {}", told.join(", ")));
    }
    for pin in seen.pins.good().into_iter().flatten() {
        lines.push(format!("  {pin}"));
    }
    for role in seen.roles.good().into_iter().flatten() {
        lines.push(format!("  {} acts as {}", role.account, role.arn));
    }
    lines
}
