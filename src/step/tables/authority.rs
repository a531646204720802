//! `check-state-table`: asks the state table, by keys alone, whose host certificate authority it holds. What the answer
//! is worth, the postcondition says.

use futures::future::BoxFuture;

use super::{target, wrong};
use crate::{
    clients::aws::{
        Aws,
        tables::{find_authority, names_under},
    },
    incident::{HostAuthorities, HostAuthority, Moment, Part, Side, TableRole},
    plan::Plan,
    step::{Context, Native, StepError},
};

/// The row of `check-state-table`.
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "check-state-table",
        needs: &["recovery.state_table"],
        calls,
        seen: None,
        run,
    }
}

/// What will be done, in words.
fn calls(plan: &Plan) -> Vec<String> {
    let cluster = &plan.cluster.name;
    let query = |side: Side| {
        let region = plan.side(side);
        let table = region.table(TableRole::State).unwrap_or("no table planned");
        format!(
            "DynamoDB Query, consistent, keys and revisions only: {table} in {}, teleport/authorities/host/{cluster}",
            region.region
        )
    };
    vec![query(Side::Recovery), query(Side::Primary)]
}

/// Does it.
fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        if context.dry_run {
            for line in calls(&context.plan) {
                context.say(line);
            }
            return Ok(());
        }
        let plan = &context.plan;
        let aws = Aws::new(plan);
        let name = target(plan, TableRole::State)?;
        let (ours, theirs) = tokio::join!(
            Box::pin(ask(plan, &aws, Side::Recovery, name)),
            Box::pin(async {
                match plan.primary.state_table.as_deref() {
                    Some(name) => Some(ask(plan, &aws, Side::Primary, name).await),
                    None => None,
                }
            }),
        );
        let ours = ours.map_err(|failure| wrong(&failure))?;
        for line in told(plan, name, &ours, theirs.as_ref()) {
            context.say(line);
        }
        if plan.isolated().is_some() {
            reaches_out(context.clone(), &aws, name).await?;
        }
        if ours.own.is_some() {
            return Ok(());
        }
        Err(StepError(format!(
            "{name} in {} is not the table of {}: on it Teleport would make new certificate authorities. Correct state_table in [recovery] of {}, or restore the tables",
            plan.recovery.region,
            plan.cluster.name,
            plan.path.display()
        )))
    })
}

/// What a restored state makes an Auth Service do by itself, in an isolated drill beside the real one: said before it is
/// installed. Keys alone are read.
async fn reaches_out(context: Context, aws: &Aws, name: &str) -> Result<(), StepError> {
    let reach = aws.side(Side::Recovery);
    let place = format!("{name} in {}", reach.region());
    let client = reach.dynamodb().await;
    for (prefix, what) in [
        (
            "teleport/trustedclusters/",
            "trusted clusters, whose root is dialled as by the real cluster",
        ),
        (
            "teleport/plugins/",
            "plugins, which act as those of the real cluster do",
        ),
    ] {
        let names = names_under(&client, name, &place, prefix).await;
        let names = names.map_err(|failure| wrong(&failure))?;
        context.say(if names.is_empty() {
            format!("{place}: no {what}")
        } else {
            format!("DANGER: {place} holds {what}: {}. Keep the drill's pods from reaching them, by a network policy, before the install", names.join(", "))
        });
    }
    Ok(())
}

async fn ask(plan: &Plan, aws: &Aws, side: Side, name: &str) -> Part<HostAuthorities> {
    let reach = aws.side(side);
    let place = format!("{name} in {}", reach.region());
    let client = reach.dynamodb().await;
    find_authority(&client, name, &place, &plan.cluster.name, Moment::now()).await
}

fn told(
    plan: &Plan,
    name: &str,
    ours: &HostAuthorities,
    theirs: Option<&Part<HostAuthorities>>,
) -> Vec<String> {
    let place = format!("{name} in {}", plan.recovery.region);
    let cluster = &plan.cluster.name;
    let Some(own) = &ours.own else {
        let mut lines = vec![format!("{place}: no host authority of {cluster}")];
        lines.extend(
            ours.others
                .iter()
                .map(|other| format!("  it holds that of {other}")),
        );
        return lines;
    };
    let mut lines = vec![format!(
        "{place}: the host authority of {cluster} is there, revision {}",
        revision(own)
    )];
    lines.push(match theirs {
        None => "  the plan names no table of the primary to compare it with".to_owned(),
        Some(Err(failure)) => format!("  the primary's could not be compared: {failure}"),
        Some(Ok(theirs)) => match &theirs.own {
            Some(there) if there == own && own.revision.is_some() => {
                "  the primary's row is the very same object".to_owned()
            }
            Some(there) => format!(
                "  the primary's row has revision {}: written again since the copy, as by a rotation",
                revision(there)
            ),
            None => "  WARNING: the primary's table has no such row: is it the right one?".to_owned(),
        },
    });
    lines
}

fn revision(row: &HostAuthority) -> &str {
    row.revision.as_deref().unwrap_or("unknown")
}
