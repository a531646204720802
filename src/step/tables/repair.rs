//! `repair-tables`: exactly the edits that were confirmed, one after another, each followed until the table is ACTIVE again.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction,
        GlobalSecondaryIndexUpdate, KeySchemaElement, KeyType, PointInTimeRecoverySpecification,
        Projection, ProjectionType, ProvisionedThroughput, ScalarAttributeType,
        StreamSpecification, StreamViewType, Tag, TimeToLiveSpecification,
    },
};
use futures::future::BoxFuture;
use tokio::time::Instant;

use super::{Say, pause, survey, target, wrong};
use crate::{
    clients::aws::{Aws, Reach, explain},
    incident::{
        Billing, Fact, Failure, FailureKind, Instruments, Reading, Side, Subject, Table, TableRole,
        brief,
        repair::{AUDIT_INDEX, Change, Edit, Lack, base, done, lack},
    },
    plan::Plan,
    step::{Context, Native, StepError},
};

/// Until a table is ACTIVE again; an index is filled while it is.
const PATIENCE: Duration = Duration::from_hours(2);
/// How often a call is made again that the table had no time for.
const OFFERS: u32 = 8;
/// What has not changed is told again after so long.
const TELL: Duration = Duration::from_mins(1);

/// The row of `repair-tables`.
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "repair-tables",
        needs: &["recovery.state_table", "recovery.audit_table"],
        calls,
        seen: Some(seen),
        run,
    }
}

/// What will be done, in words.
fn calls(plan: &Plan) -> Vec<String> {
    let region = &plan.recovery.region;
    vec![
        format!(
            "DynamoDB DescribeTable, DescribeTimeToLive, DescribeContinuousBackups, ListTagsOfResource in {region}: what is there now"
        ),
        format!("DynamoDB in {region}: the edits below and no others, one after another"),
    ]
}

/// What the tables lack against the primary's as they were seen last.
fn seen(plan: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    let found = lacking(plan, instruments)?;
    let mut lines: Vec<String> = found.edits.iter().map(ToString::to_string).collect();
    if lines.is_empty() {
        lines.push("nothing is lacking: no call is made".to_owned());
    }
    lines.extend(found.unclear.iter().map(|why| format!("not known: {why}")));
    lines.extend(found.notes);
    Ok(lines)
}

/// What both tables lack.
fn lacking(plan: &Plan, instruments: &Instruments) -> Result<Lack, StepError> {
    let mut all = Lack::default();
    for role in TableRole::BOTH {
        let name = target(plan, role)?;
        let table = table(instruments, role).map_err(|why| {
            StepError(format!(
                "{name} in {} cannot be repaired yet: {why}",
                plan.recovery.region
            ))
        })?;
        if table.status == "CREATING" || table.restoring {
            return Err(StepError(format!(
                "{name} in {} is still being restored",
                plan.recovery.region
            )));
        }
        let found = lack(table, base(role, instruments));
        all.edits.extend(found.edits);
        all.unclear.extend(found.unclear);
        all.notes.extend(found.notes);
    }
    Ok(all)
}

/// The recovery table as the last look found it.
fn table(instruments: &Instruments, role: TableRole) -> Result<&Table, String> {
    let reading = instruments.get(&Subject::Table(Side::Recovery, role));
    match reading.and_then(Reading::fresh) {
        Some(Fact::Table(table)) => Ok(table),
        _ => Err(reading.and_then(Reading::failure).map_or_else(
            || "it was not looked at yet".to_owned(),
            ToString::to_string,
        )),
    }
}

/// Does it.
fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let say = |line: &str| context.say(line);
        Box::pin(repair(&context, &say)).await
    })
}

async fn repair(context: &Context, say: Say<'_>) -> Result<(), StepError> {
    let plan = &context.plan;
    let aws = Aws::new(plan);
    let world = survey(plan, &aws).await;
    let found = lacking(plan, &world)?;
    // The primary may answer now and not then, or the other way round: what was confirmed is what is wanted.
    let wanted: Vec<Edit> = if context.confirmed.is_empty() {
        found.edits.clone()
    } else {
        let lines = context.confirmed.iter();
        lines.filter_map(|line| line.parse().ok()).collect()
    };
    for other in found.edits.iter().filter(|edit| !wanted.contains(edit)) {
        say(&format!("not confirmed and not made: {other}"));
    }
    for line in found.unclear.iter().chain(&found.notes) {
        say(line);
    }
    let reach = aws.side(Side::Recovery);
    let client = reach.dynamodb().await;
    let mut made = 0;
    let mut tables = Vec::new();
    for role in TableRole::BOTH {
        tables.extend(table(&world, role).ok().cloned());
    }
    for edit in &wanted {
        let have = tables.iter_mut().find(|table| table.name == edit.table);
        let Some(have) = have else {
            return Err(StepError(format!(
                "nothing more was changed: \"{edit}\" is of a table that the plan does not name"
            )));
        };
        if done(edit, have) {
            say(&format!("already so: {edit}"));
            continue;
        }
        say(&edit.to_string());
        if context.dry_run {
            continue;
        }
        ready(plan, reach, &edit.table, say).await?;
        make(context, &client, edit, have, reach.region(), say).await?;
        // An index is made with the capacity that its table has by then.
        if let (Change::Billing(billing), Ok(settings)) = (&edit.change, &mut have.settings) {
            settings.billing = *billing;
        }
        made += 1;
    }
    if context.dry_run {
        say("dry run: nothing was changed");
        return Ok(());
    }
    for role in TableRole::BOTH {
        ready(plan, reach, target(plan, role)?, say).await?;
    }
    say(&format!("{made} edits made"));
    Ok(())
}

/// Makes one edit, offered again while the table is busy with the one before.
async fn make(
    context: &Context,
    client: &Client,
    edit: &Edit,
    have: &Table,
    region: &str,
    say: Say<'_>,
) -> Result<(), StepError> {
    for tried in 1..=OFFERS {
        context.fence.look()?;
        let Err(refusal) = call(client, edit, have, region).await else {
            return Ok(());
        };
        match refusal {
            Refusal::Busy(why) if tried < OFFERS => {
                say(&format!("{}: {why}; offered again", edit.table));
                tokio::time::sleep(pause(&context.plan)).await;
            }
            Refusal::Busy(why) => {
                return Err(StepError(format!(
                    "{why}. The edits before this one were made: run this step again, it makes what is still lacking"
                )));
            }
            Refusal::No(failure) => return Err(wrong(&failure)),
        }
    }
    Ok(())
}

/// Why an edit was not made.
enum Refusal {
    /// The table is busy, or its backups are being set up: later.
    Busy(String),
    /// Another reason.
    No(Failure),
}

macro_rules! sent {
    ($call:expr, $name:literal, $place:expr, $busy:ident) => {
        match $call.send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let busy = error.as_service_error().is_some_and(|said| said.$busy());
                let failure = explain($name, $place, &error);
                Err(if busy || failure.kind == FailureKind::Throttled {
                    Refusal::Busy(failure.to_string())
                } else {
                    Refusal::No(failure)
                })
            }
        }
    };
}

async fn call(client: &Client, edit: &Edit, have: &Table, region: &str) -> Result<(), Refusal> {
    let place = format!("{} in {region}", edit.table);
    let update = client.update_table().table_name(&edit.table);
    let update = match &edit.change {
        Change::Ttl(attribute) => {
            let on = TimeToLiveSpecification::builder()
                .enabled(true)
                .attribute_name(attribute)
                .build()
                .map_err(|error| broken(&error))?;
            let call = client
                .update_time_to_live()
                .table_name(&edit.table)
                .time_to_live_specification(on);
            return sent!(
                call,
                "DynamoDB UpdateTimeToLive",
                &place,
                is_resource_in_use_exception
            );
        }
        Change::Pitr => {
            let on = PointInTimeRecoverySpecification::builder()
                .point_in_time_recovery_enabled(true)
                .build()
                .map_err(|error| broken(&error))?;
            let call = client
                .update_continuous_backups()
                .table_name(&edit.table)
                .point_in_time_recovery_specification(on);
            return sent!(
                call,
                "DynamoDB UpdateContinuousBackups",
                &place,
                is_continuous_backups_unavailable_exception
            );
        }
        Change::Tags(tags) => {
            let arn = have.settings.as_ref().map(|settings| &settings.arn);
            let mut call = client
                .tag_resource()
                .resource_arn(arn.map_err(|failure| Refusal::No(failure.clone()))?);
            for (key, value) in tags {
                call = call.tags(
                    Tag::builder()
                        .key(key)
                        .value(value)
                        .build()
                        .map_err(|error| broken(&error))?,
                );
            }
            return sent!(
                call,
                "DynamoDB TagResource",
                &place,
                is_resource_in_use_exception
            );
        }
        Change::Stream => {
            let on = StreamSpecification::builder()
                .stream_enabled(true)
                .stream_view_type(StreamViewType::NewImage)
                .build()
                .map_err(|error| broken(&error))?;
            update.stream_specification(on)
        }
        Change::Protect => update.deletion_protection_enabled(true),
        Change::Billing(Billing::OnDemand) => update.billing_mode(BillingMode::PayPerRequest),
        Change::Billing(Billing::Provisioned { read, write }) => update
            .billing_mode(BillingMode::Provisioned)
            .provisioned_throughput(units(*read, *write)?),
        Change::Index => index(update, have)?,
    };
    sent!(
        update,
        "DynamoDB UpdateTable",
        &place,
        is_resource_in_use_exception
    )
}

type Update = aws_sdk_dynamodb::operation::update_table::builders::UpdateTableFluentBuilder;

/// `timesearchV2` as Teleport makes it: by day and moment, with everything in it (`dynamoevents.go`).
fn index(update: Update, have: &Table) -> Result<Update, Refusal> {
    let key = |name: &str, kind: KeyType| {
        let key = KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind);
        key.build().map_err(|error| broken(&error))
    };
    let attribute = |name: &str, kind: ScalarAttributeType| {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind);
        attribute.build().map_err(|error| broken(&error))
    };
    let all = Projection::builder()
        .projection_type(ProjectionType::All)
        .build();
    let mut create = CreateGlobalSecondaryIndexAction::builder()
        .index_name(AUDIT_INDEX)
        .key_schema(key("CreatedAtDate", KeyType::Hash)?)
        .key_schema(key("CreatedAt", KeyType::Range)?)
        .projection(all);
    if let Ok(settings) = &have.settings
        && let Billing::Provisioned { read, write } = settings.billing
    {
        create = create.provisioned_throughput(units(read, write)?);
    }
    let create = create.build().map_err(|error| broken(&error))?;
    let change = GlobalSecondaryIndexUpdate::builder().create(create).build();
    Ok(update
        .attribute_definitions(attribute("CreatedAtDate", ScalarAttributeType::S)?)
        .attribute_definitions(attribute("CreatedAt", ScalarAttributeType::N)?)
        .global_secondary_index_updates(change))
}

fn units(read: i64, write: i64) -> Result<ProvisionedThroughput, Refusal> {
    let units = ProvisionedThroughput::builder()
        .read_capacity_units(read)
        .write_capacity_units(write);
    units.build().map_err(|error| broken(&error))
}

fn broken(error: &aws_sdk_dynamodb::error::BuildError) -> Refusal {
    let said = format!("the call could not be made: {error}");
    Refusal::No(Failure::new(FailureKind::Other, said))
}

/// Waits until a table takes the next edit, and its indexes are filled: told while it lasts.
async fn ready(plan: &Plan, reach: &Reach, name: &str, say: Say<'_>) -> Result<(), StepError> {
    let client = reach.dynamodb().await;
    let place = format!("{name} in {}", reach.region());
    let began = Instant::now();
    let (mut told, mut told_at) = (String::new(), began);
    while began.elapsed() < PATIENCE {
        let said = client.describe_table().table_name(name).send().await;
        let words = match said {
            Ok(said) => match busy(said.table()) {
                None => return Ok(()),
                Some(words) => words,
            },
            Err(error) => {
                let failure = explain("DynamoDB DescribeTable", &place, &error);
                if matches!(failure.kind, FailureKind::NotFound | FailureKind::Forbidden) {
                    return Err(wrong(&failure));
                }
                failure.to_string()
            }
        };
        if words != told || told_at.elapsed() >= TELL {
            say(&format!(
                "  {name}: {words} after {}",
                brief(began.elapsed())
            ));
            (told, told_at) = (words, Instant::now());
        }
        tokio::time::sleep(pause(plan)).await;
    }
    Err(StepError(format!(
        "{name} is not ACTIVE after {}: what was asked for goes on at AWS; run this step again, it makes what is still lacking",
        brief(PATIENCE)
    )))
}

fn busy(table: Option<&aws_sdk_dynamodb::types::TableDescription>) -> Option<String> {
    let table = table?;
    let status = table.table_status().map_or("", |status| status.as_str());
    let filling = table.global_secondary_indexes().iter().find(|index| {
        index
            .index_status()
            .is_some_and(|status| status.as_str() != "ACTIVE")
    });
    match (status, filling) {
        ("ACTIVE", None) => None,
        (_, Some(index)) => Some(format!(
            "index {} {}{}",
            index.index_name().unwrap_or_default(),
            index.index_status().map_or("", |status| status.as_str()),
            if index.backfilling() == Some(true) {
                ", being filled"
            } else {
                ""
            }
        )),
        (status, None) => Some(status.to_owned()),
    }
}
