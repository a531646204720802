//! `confirm-service`: looks at what a user meets: the public name's version and authorities, the newest audit event, the
//! newest recording. Whether that is enough, the postconditions say.

use futures::future::{BoxFuture, join_all};

use super::{Context, Native, StepError};
use crate::{
    clients::{
        aws::{
            Aws, recordings,
            tables::{Asked, Measured, fetch},
        },
        dns::Lookup,
        web::Web,
    },
    incident::{Moment, Side, TableRole, brief},
    plan::Plan,
};

/// The row of [`super::natives`].
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "confirm-service",
        needs: &[],
        calls,
        seen: None,
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let recovery = &plan.recovery;
    let mut lines = vec![format!(
        "GET https://{}:{}/webapi/ping and /webapi/auth/export at each address",
        plan.cluster.name, plan.cluster.port
    )];
    lines.extend(recovery.audit_table.as_ref().map(|table| {
        format!(
            "DynamoDB Query of timesearchV2: {table} in {}, the newest event's time",
            recovery.region
        )
    }));
    lines.extend(recovery.bucket.as_ref().map(|bucket| {
        format!("S3 GetObject: the first bytes of the newest recording of {bucket} in {}, which are thrown away", recovery.region)
    }));
    lines
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        if context.dry_run {
            for line in calls(&context.plan) {
                context.say(line);
            }
            return Ok(());
        }
        Box::pin(doors(&context)).await?;
        Box::pin(storage(&context)).await;
        Ok(())
    })
}

async fn doors(context: &Context) -> Result<(), StepError> {
    let plan = context.plan.clone();
    let name = &plan.cluster.name;
    let lookup = Lookup::new(&plan).map_err(|failure| StepError(failure.detail))?;
    let web = {
        let plan = plan.clone();
        tokio::task::spawn_blocking(move || Web::load(&plan))
            .await
            .map_err(|error| StepError(format!("TLS could not be set up: {error}")))?
    };
    let looked = lookup
        .lookup(name)
        .await
        .map_err(|failure| StepError(format!("{name}: {failure}")))?;
    for seen in join_all(looked.addresses.iter().map(|ip| web.visit(*ip))).await {
        let version = match &seen.ping {
            Ok(ping) => format!(
                "{} as {}",
                ping.server_version.as_deref().unwrap_or("no version"),
                ping.cluster_name.as_deref().unwrap_or("nobody")
            ),
            Err(why) => why.to_string(),
        };
        context.say(format!("{} {version}", seen.ip));
        match &seen.pins {
            Ok(pins) => pins.iter().for_each(|pin| context.say(format!("  {pin}"))),
            Err(why) => context.say(format!("  {why}")),
        }
    }
    Ok(())
}

async fn storage(context: &Context) {
    let plan = &context.plan;
    let aws = Aws::new(plan);
    let reach = aws.side(Side::Recovery);
    let now = Moment::now();
    if let Some(table) = &plan.recovery.audit_table {
        let asked = Asked {
            name: table,
            role: TableRole::Audit,
            cluster: &plan.cluster.name,
        };
        let found = Box::pin(fetch(reach, &asked, &mut Measured::default(), now)).await;
        context.say(match found.and_then(|found| found.newest) {
            Ok(Some(newest)) => format!("{table}: newest event {} ago", brief(now.since(newest))),
            Ok(None) => format!("{table}: no event today or yesterday"),
            Err(why) => format!("{table}: {why}"),
        });
    }
    if let Some(bucket) = &plan.recovery.bucket {
        let seen = Box::pin(recordings::fetch(reach, bucket, None)).await;
        let line = match seen.and_then(|seen| seen.newest) {
            Ok(newest) => match Box::pin(recordings::read(reach, bucket, &newest)).await {
                Some(read) => match read.bytes {
                    Ok(bytes) => format!("{bytes} bytes read of {}", read.key),
                    Err(why) => format!("{}: {why}", read.key),
                },
                None => "none of its newest objects is a recording".to_owned(),
            },
            Err(why) => why.to_string(),
        };
        context.say(format!("{bucket}: {line}"));
    }
}
