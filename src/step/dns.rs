//! `switch-dns`: name and wildcard in one batch, followed until Route 53 says INSYNC.
//!
//! INSYNC means that every authority serves the change; it says nothing about caches, which the DNS pane counts down.

mod batch;
mod otherwise;
mod revert;
mod target;

pub use otherwise::native as otherwise_native;
pub use revert::native as revert_native;
pub(super) use revert::{edits as revert_edits, put_back};

use std::time::Duration;

use aws_sdk_route53::{
    Client,
    types::{ChangeBatch, ChangeStatus, ResourceRecordSet},
};
use futures::future::BoxFuture;

use self::{batch::Edit, target::Target};
use super::{Context, Native, StepError};
use crate::{
    clients::aws::{
        Aws, explain,
        zone::{place, record_sets},
    },
    incident::{Fact, Failure, FailureKind, Instruments, Reading, Subject},
    plan::Plan,
};

/// Between two questions: Route 53 takes five requests a second for the whole account.
const POLL: Duration = Duration::from_secs(5);
/// The same in the practice region, which has no such limit.
const POLL_PRACTICE: Duration = Duration::from_millis(500);
/// A change usually takes less than a minute.
const PATIENCE: Duration = Duration::from_mins(10);
/// How often a batch is offered again that Route 53 had no time for.
const OFFERS: u32 = 6;

/// Where lines of output go.
type Say<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// The row of `switch-dns`.
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "switch-dns",
        needs: &["dns.zone_id"],
        calls,
        seen: Some(seen),
        run,
    }
}

/// What will be done, in words.
fn calls(plan: &Plan) -> Vec<String> {
    let zone = plan.dns.zone_id.as_deref().unwrap_or_default();
    vec![
        format!("Route 53 GetHostedZone, ListResourceRecordSets: {zone}, as it is now"),
        format!(
            "Route 53 ChangeResourceRecordSets: {zone}, one batch, the edits below and no others"
        ),
        "Route 53 GetChange: until INSYNC".to_owned(),
    ]
}

/// The edits of the batch, from the records and the load balancer as they were seen last.
fn seen(plan: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    let target = target::seen(plan, instruments)?;
    let reading = instruments.get(&Subject::Zone);
    let Some((_, Fact::Zone(zone))) = reading.and_then(|reading| reading.good.as_ref()) else {
        let why = reading.and_then(Reading::failure);
        return Err(StepError(why.map_or_else(
            || "the records of the hosted zone were not read yet".to_owned(),
            ToString::to_string,
        )));
    };
    let before = zone
        .records
        .iter()
        .map(batch::as_listed)
        .collect::<Result<Vec<_>, _>>()?;
    let edits = batch::edits(
        &before,
        &plan.dns.names,
        &target,
        plan.dns.record_ttl,
        &zone.name,
    )?;
    Ok(edits.iter().map(ToString::to_string).collect())
}

/// Does it.
fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let say = |line: &str| context.say(line);
        let target = target::find(&context.plan, &say).await?;
        switch(&context, &target, &say).await
    })
}

async fn switch(context: &Context, target: &Target, say: Say<'_>) -> Result<(), StepError> {
    let plan = &context.plan;
    let id = zone_id(plan)?;
    let client = Aws::new(plan).zone().route53().await;
    let zone = client.get_hosted_zone().id(id).send().await;
    let zone =
        zone.map_err(|error| wrong(&explain("Route 53 GetHostedZone", &place(id), &error)))?;
    let apex = zone
        .hosted_zone()
        .map(aws_sdk_route53::types::HostedZone::name)
        .unwrap_or_default();
    let before = listed(&client, id, &plan.dns.names).await?;
    let edits = batch::edits(&before, &plan.dns.names, target, plan.dns.record_ttl, apex)?;
    say(&format!("zone {id} {apex} to {target}, one batch:"));
    for edit in &edits {
        say(&format!("  {edit}"));
    }
    if context.dry_run {
        say("dry run: nothing was changed");
        return Ok(());
    }
    as_confirmed(&edits, &context.confirmed)?;
    carry_out(&client, id, &edits, context, say).await
}

fn zone_id(plan: &Plan) -> Result<&str, StepError> {
    plan.dns
        .zone_id
        .as_deref()
        .ok_or_else(|| StepError("the plan names no hosted zone: add zone_id to [dns]".to_owned()))
}

/// Every record set of some names, as Route 53 has it now.
async fn listed(
    client: &Client,
    id: &str,
    names: &[String],
) -> Result<Vec<ResourceRecordSet>, StepError> {
    let mut all = Vec::new();
    for name in names {
        let sets = record_sets(client, id, name).await;
        all.extend(sets.map_err(|failure| wrong(&failure))?);
    }
    Ok(all)
}

/// Submits the batch and follows it to INSYNC.
async fn carry_out(
    client: &Client,
    id: &str,
    edits: &[Edit],
    context: &Context,
    say: Say<'_>,
) -> Result<(), StepError> {
    let change = offer(client, id, edits, context, say).await?;
    say(&format!("accepted as change {change}"));
    let pause = if context.plan.practice {
        POLL_PRACTICE
    } else {
        POLL
    };
    follow(client, &change, pause, say).await
}

/// Points the plan's names to a load balancer, one batch, followed to INSYNC: where the old side has got another one
/// since the black box was recorded, which nobody could confirm by name.
pub(super) async fn point(
    context: &Context,
    hosts: &[String],
    say: Say<'_>,
) -> Result<(), StepError> {
    let anyhow = Context {
        confirmed: Vec::new(),
        ..context.clone()
    };
    switch(&anyhow, &target::read(hosts)?, say).await
}

/// What was confirmed is done, and nothing else.
fn as_confirmed(edits: &[Edit], confirmed: &[String]) -> Result<(), StepError> {
    let other = edits
        .iter()
        .map(ToString::to_string)
        .find(|edit| !confirmed.is_empty() && !confirmed.contains(edit));
    match other {
        None => Ok(()),
        Some(edit) => Err(StepError(format!(
            "nothing was changed: \"{edit}\" was not among the edits that were confirmed, so the records or the load balancer have changed since. Run this step again to see what it would do now"
        ))),
    }
}

/// Submits the batch. Route 53 takes one batch at a time for a zone and five requests a second for an account.
async fn offer(
    client: &Client,
    id: &str,
    edits: &[Edit],
    context: &Context,
    say: Say<'_>,
) -> Result<String, StepError> {
    let changes = edits
        .iter()
        .map(Edit::change)
        .collect::<Result<Vec<_>, _>>()?;
    let batch = ChangeBatch::builder()
        .comment(format!("Relight run {}", context.run))
        .set_changes(Some(changes))
        .build()
        .map_err(|error| StepError(format!("the batch could not be made: {error}")))?;
    // Offered by this loop alone: the SDK's own second attempt would offer a batch that has been made already, and pass
    // its refusal off as the answer.
    let once =
        aws_sdk_route53::Config::builder().retry_config(aws_config::retry::RetryConfig::disabled());
    for tried in 1..=OFFERS {
        context.fence.look()?;
        let said = client
            .change_resource_record_sets()
            .hosted_zone_id(id)
            .change_batch(batch.clone())
            .customize()
            .config_override(once.clone())
            .send()
            .await;
        let failure = match said {
            Ok(said) => {
                let info = said.change_info();
                return info
                    .map(|info| info.id().trim_start_matches("/change/").to_owned())
                    .ok_or_else(|| {
                        StepError(format!("Route 53 accepted the batch for {id} without a change id: look at the DNS pane"))
                    });
            }
            Err(error) => explain("Route 53 ChangeResourceRecordSets", &place(id), &error),
        };
        match failure.kind {
            FailureKind::Throttled if tried < OFFERS => {
                let pause = Duration::from_millis(500 << tried);
                say(&format!(
                    "{failure}; offered again in {} s",
                    pause.as_secs_f32()
                ));
                tokio::time::sleep(pause).await;
            }
            // No answer is not "no": the batch may have been made. It reads what is there and can be run again.
            FailureKind::Timeout | FailureKind::Unreachable | FailureKind::Garbage => {
                return Err(StepError(format!(
                    "{failure}. The batch may or may not have been made: look at the DNS pane, or run this step again, it starts from what is there"
                )));
            }
            _ => return Err(wrong(&failure)),
        }
    }
    Err(StepError(format!(
        "Route 53 had no time for the batch in {OFFERS} attempts: run this step again"
    )))
}

/// Asks for the change until it is INSYNC, printing each answer.
async fn follow(
    client: &Client,
    change: &str,
    pause: Duration,
    say: Say<'_>,
) -> Result<(), StepError> {
    let began = tokio::time::Instant::now();
    while began.elapsed() < PATIENCE {
        let said = client.get_change().id(change).send().await;
        let after = began.elapsed().as_secs_f32();
        match said {
            Ok(said) => {
                let status = said.change_info().map(|info| info.status().clone());
                match status {
                    Some(ChangeStatus::Insync) => {
                        say(&format!(
                            "change {change} is INSYNC after {after:.1} s: every authority serves it"
                        ));
                        return Ok(());
                    }
                    Some(status) => say(&format!(
                        "change {change} is {} after {after:.1} s",
                        status.as_str()
                    )),
                    None => say("Route 53 GetChange named no status"),
                }
            }
            Err(error) => {
                let failure = explain("Route 53 GetChange", &format!("change {change}"), &error);
                if matches!(failure.kind, FailureKind::Forbidden | FailureKind::NotFound) {
                    return Err(StepError(format!(
                        "{failure}. The change itself was accepted: the DNS pane shows when it is served"
                    )));
                }
                say(&failure.to_string());
            }
        }
        tokio::time::sleep(pause).await;
    }
    Err(StepError(format!(
        "change {change} is not INSYNC after {} s: Route 53's control plane (us-east-1) may be down, and if it fails over, a change that was PENDING may be lost. Do not trust it: the DNS pane asks the authorities themselves, and this step, run again, reads the records anew and submits what is missing",
        PATIENCE.as_secs()
    )))
}

fn wrong(failure: &Failure) -> StepError {
    StepError(failure.to_string())
}
