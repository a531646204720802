//! `revert-dns`: after the cut-over, the names lead again to where the black box says that they led, in one batch.
//!
//! Only to a cluster that is the one from before: the old load balancer is asked, address by address, right before the
//! batch. Released addresses go to strangers.

use std::collections::BTreeSet;

use futures::future::BoxFuture;

use super::{Say, as_confirmed, batch, carry_out, listed, zone_id};
use crate::{
    clients::{aws::Aws, black_box::doors},
    incident::{
        BlackBox, Fact, Instruments, Moment, Reading, Subject, black_box::OldRecords, brief,
    },
    plan::Plan,
    step::{Context, Native, StepError},
};

/// The row of `revert-dns`.
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "revert-dns",
        needs: &["dns.zone_id"],
        calls,
        seen: Some(seen),
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let zone = plan.dns.zone_id.as_deref().unwrap_or_default();
    vec![
        "read  the black box, and the old load balancer: name, certificate and CA pins at each address".to_owned(),
        format!("Route 53 ListResourceRecordSets: {zone}, as it is now"),
        format!(
            "Route 53 ChangeResourceRecordSets: {zone}, one batch, the edits below and no others"
        ),
        "Route 53 GetChange: until INSYNC".to_owned(),
    ]
}

/// The edits, from the black box and the records as they were read last.
fn seen(_: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    let (edits, _) = edits(instruments)?;
    Ok(edits)
}

/// The edits that put the records back, as lines, and the age of the box they are from.
pub(in crate::step) fn edits(
    instruments: &Instruments,
) -> Result<(Vec<String>, Moment), StepError> {
    let known = |subject: &Subject, what: &str| {
        let reading = instruments.get(subject);
        let good = reading.and_then(|reading| reading.good.as_ref());
        good.map(|(_, fact)| fact).ok_or_else(|| {
            let why = reading.and_then(Reading::failure);
            let told = why.map_or_else(|| format!("{what} not read yet"), ToString::to_string);
            StepError(told)
        })
    };
    let (Fact::BlackBox(found), Fact::Zone(zone)) = (
        known(&Subject::BlackBox, "the black box was")?,
        known(&Subject::Zone, "the records of the hosted zone were")?,
    ) else {
        return Err(StepError("the black box was not read yet".to_owned()));
    };
    let old = records(found)?;
    let now = zone
        .records
        .iter()
        .map(batch::as_listed)
        .collect::<Result<Vec<_>, _>>()?;
    let edits = batch::back(&now, old)?;
    Ok((
        edits.iter().map(ToString::to_string).collect(),
        found.records.at,
    ))
}

/// The records of a box, or why there is no way back.
fn records(found: &BlackBox) -> Result<&OldRecords, StepError> {
    found.records.value.as_ref().map_err(|why| {
        StepError(format!(
            "the black box holds no DNS records, so there is no way back by it: {why}"
        ))
    })
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let say = |line: &str| context.say(line);
        let sealed = context
            .shelf()
            .read()
            .map_err(|error| StepError(format!("there is no way back: {error}")))?;
        say(&sealed.seen.told(Moment::now()));
        old_cluster(&context.plan, &sealed.seen, &say).await?;
        put_back(&context, &sealed.seen, &say).await
    })
}

/// Whether the old load balancer answers as the cluster that the box was recorded of, at each of its addresses.
///
/// # Errors
/// If not, in words: nothing is pointed there then.
async fn old_cluster(plan: &Plan, found: &BlackBox, say: Say<'_>) -> Result<(), StepError> {
    let refuse = |why: String| {
        StepError(format!(
            "nothing was changed: {why}. The names stay where they are: what does not answer as the old cluster gets none of them"
        ))
    };
    let pins = found.pins.value.as_ref();
    let pins = pins.map_err(|why| refuse(format!("the black box holds no CA pins ({why})")))?;
    let before: BTreeSet<&String> = pins.iter().collect();
    let balancer = found.load_balancer.value.as_ref();
    let balancer = balancer.map_err(|why| {
        refuse(format!(
            "the black box holds no address of the old load balancer ({why})"
        ))
    })?;
    let doors = doors(plan, &balancer.addresses).await;
    let doors =
        doors.map_err(|why| refuse(format!("the old load balancer has no address: {why}")))?;
    if doors.is_empty() {
        return Err(refuse("the old load balancer has no address".to_owned()));
    }
    for (address, seen) in &doors {
        match seen {
            Ok(pins) if !pins.is_empty() && before.iter().all(|pin| pins.contains(pin)) => {
                say(&format!(
                    "{} answers as {} with the CA pins of {} ago",
                    address.ip,
                    plan.cluster.name,
                    brief(Moment::now().since(found.pins.at))
                ));
            }
            Ok(_) => {
                return Err(refuse(format!(
                    "{} answers with OTHER CERTIFICATE AUTHORITIES than the black box has",
                    address.ip
                )));
            }
            Err(why) => {
                return Err(refuse(format!(
                    "{} does not answer as the old cluster ({why})",
                    address.ip
                )));
            }
        }
    }
    Ok(())
}

/// Sets the records as the box has them, and follows the change to INSYNC.
///
/// # Errors
/// If Route 53 cannot be asked or says no, or the edits are others than those confirmed.
pub(in crate::step) async fn put_back(
    context: &Context,
    found: &BlackBox,
    say: Say<'_>,
) -> Result<(), StepError> {
    let old = records(found)?;
    let id = zone_id(&context.plan)?;
    if id != old.zone {
        return Err(StepError(format!(
            "nothing was changed: the black box is of zone {}, the plan names {id} in [dns]",
            old.zone
        )));
    }
    let client = Aws::new(&context.plan).zone().route53().await;
    let now = listed(&client, id, &old.names).await?;
    let edits = batch::back(&now, old)?;
    if edits.is_empty() {
        say("the records are those of the black box already");
        return Ok(());
    }
    say(&format!("zone {id} back to the black box, one batch:"));
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
