//! A `DynamoDB` table: state, point-in-time recovery, on-demand backups, replicas, and how old its data is.
//!
//! The data age is *measured*: the newest timestamp under the presence prefixes, which a running cluster rewrites about
//! every minute, and for the audit table the newest event in `timesearchV2`. `Value` is never asked for: it holds
//! private keys. Such a read is billed by the whole item whatever is projected, so it is eventually consistent and small.

mod authority;
mod presence;
mod settings;

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    operation::{
        describe_continuous_backups::DescribeContinuousBackupsOutput,
        describe_table::DescribeTableOutput,
    },
    types::{AttributeValue, BackupSummary, BackupTypeFilter, PointInTimeRecoveryStatus},
};

use super::{Reach, explain, from_sdk};
use crate::{
    clients::kube::text::clean,
    incident::{
        Backup, Failure, FailureKind, HostAuthorities, Moment, Part, Pitr, Table, TableRole,
    },
};

pub use authority::{find as find_authority, names_under};
pub use presence::beats;
pub use settings::tags;

/// Presence prefixes under `teleport/`, cheapest first: there are two Auth servers and a few proxies, but perhaps
/// thousands of nodes, so these are only asked when the first two hold nothing.
const PRESENCE: [&str; 3] = ["authservers/", "proxies/", "nodes/"];
/// Items read under one prefix: one heartbeat in the last minute is enough.
const ITEMS: i32 = 50;
/// Backups kept of the answer.
const BACKUPS: usize = 20;

/// Backups listed in a call, and how many calls are made: together more than 1,000 on-demand backups of one table.
const BACKUP_PAGE: i32 = 100;
const BACKUP_PAGES: usize = 12;

/// A table that is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it holds.
    pub role: TableRole,
    /// Whose authority a state table should hold.
    pub cluster: &'a str,
}

/// What was read by billed queries, which outlives the look that made them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// When the data age was measured, and the newest item; `None` if there is none.
    pub newest: Option<(Moment, Option<Moment>)>,
    /// The host certificate authorities of a state table.
    pub authority: Option<HostAuthorities>,
}

/// Looks once. What an earlier look read by billed queries is kept instead of being read anew; what is read is put there
/// as soon as it is, whatever becomes of the rest of the look. What failed is not kept.
///
/// # Errors
/// If `DescribeTable` fails; the other calls fail on their own.
pub async fn fetch(
    reach: &Reach,
    asked: &Asked<'_>,
    measured: &mut Measured,
    now: Moment,
) -> Result<Table, Failure> {
    let Asked {
        name,
        role,
        cluster,
    } = *asked;
    let client = reach.dynamodb().await;
    let place = format!("{name} in {}", reach.region());
    let Measured {
        newest: age,
        authority: owner,
    } = measured;
    let newest = async {
        if let Some((at, kept)) = age {
            return (*at, Ok(*kept));
        }
        let newest = measure(&client, name, &place, role, now).await;
        if let Ok(newest) = newest {
            *age = Some((now, newest));
        }
        (now, newest)
    };
    let authority = async {
        if role == TableRole::Audit {
            return Err(Failure::new(
                FailureKind::Other,
                "not asked of an audit table",
            ));
        }
        if let Some(kept) = owner {
            return Ok(kept.clone());
        }
        let found = authority::find(&client, name, &place, cluster, now).await;
        if let Ok(found) = &found {
            *owner = Some(found.clone());
        }
        found
    };
    let described = async {
        let described = client.describe_table().table_name(name).send().await;
        let described =
            described.map_err(|error| explain("DynamoDB DescribeTable", &place, &error))?;
        let table = describe(&described, name, role, reach.region())?;
        let settings = settings::fetch(&client, &described, &place).await;
        Ok::<_, Failure>((table, settings))
    };
    // On the heap: the SDK's futures are large, and a look is polled on a thread's stack.
    let (described, pitr, backups, (newest_at, newest), authority) = tokio::join!(
        Box::pin(described),
        Box::pin(client.describe_continuous_backups().table_name(name).send()),
        Box::pin(list_backups(&client, name, &place)),
        Box::pin(newest),
        Box::pin(authority),
    );
    let (mut table, settings) = described?;
    let pitr = pitr.map_err(|error| explain("DynamoDB DescribeContinuousBackups", &place, &error));
    table.pitr = pitr.map(|said| interpret_pitr(&said));
    table.backups = backups;
    table.newest = newest;
    table.newest_at = Some(newest_at);
    table.authority = authority;
    table.settings = settings;
    Ok(table)
}

fn describe(
    said: &DescribeTableOutput,
    name: &str,
    role: TableRole,
    region: &str,
) -> Result<Table, Failure> {
    let Some((table, status)) = said
        .table()
        .and_then(|table| Some((table, table.table_status()?)))
    else {
        return Err(Failure::new(
            FailureKind::Garbage,
            format!(
                "DynamoDB DescribeTable of {name} in {region} named no status: check for a wrong endpoint in between"
            ),
        ));
    };
    let not_asked = || Failure::new(FailureKind::Other, "not asked");
    Ok(Table {
        name: name.to_owned(),
        role,
        region: region.to_owned(),
        status: clean(status.as_str(), 40),
        restoring: table
            .restore_summary()
            .is_some_and(aws_sdk_dynamodb::types::RestoreSummary::restore_in_progress),
        created: table.creation_date_time().and_then(from_sdk),
        // A global table names its own region as well when asked by the newer version of the API.
        replicas: table
            .replicas()
            .iter()
            .filter_map(|replica| replica.region_name())
            .filter(|replica| *replica != region)
            .take(32)
            .map(|replica| clean(replica, 40))
            .collect(),
        indexes: table
            .global_secondary_indexes()
            .iter()
            .filter(|index| index.index_status().is_some_and(|s| s.as_str() == "ACTIVE"))
            .filter_map(|index| index.index_name())
            .take(32)
            .map(|index| clean(index, 255))
            .collect(),
        pitr: Err(not_asked()),
        backups: Err(not_asked()),
        newest: Err(not_asked()),
        newest_at: None,
        authority: Err(not_asked()),
        settings: Err(not_asked()),
    })
}

fn interpret_pitr(said: &DescribeContinuousBackupsOutput) -> Pitr {
    let pitr = said
        .continuous_backups_description()
        .and_then(|backups| backups.point_in_time_recovery_description());
    Pitr {
        enabled: pitr.is_some_and(|pitr| {
            pitr.point_in_time_recovery_status() == Some(&PointInTimeRecoveryStatus::Enabled)
        }),
        earliest: pitr
            .and_then(|pitr| pitr.earliest_restorable_date_time())
            .and_then(from_sdk),
        latest: pitr
            .and_then(|pitr| pitr.latest_restorable_date_time())
            .and_then(from_sdk),
    }
}

/// Reads page after page: the oldest come first.
async fn list_backups(client: &Client, name: &str, place: &str) -> Part<Vec<Backup>> {
    let mut summaries = Vec::new();
    let mut last = None;
    for _ in 0..BACKUP_PAGES {
        let said = client
            .list_backups()
            .table_name(name)
            .backup_type(BackupTypeFilter::All)
            .limit(BACKUP_PAGE)
            .set_exclusive_start_backup_arn(last.take())
            .send()
            .await
            .map_err(|error| explain("DynamoDB ListBackups", place, &error))?;
        summaries.extend(said.backup_summaries().iter().cloned());
        last = said.last_evaluated_backup_arn().map(str::to_owned);
        if last.is_none() {
            return Ok(interpret_backups(&summaries));
        }
    }
    Err(Failure::new(
        FailureKind::Other,
        format!(
            "DynamoDB ListBackups of {place} goes on after {} backups: which is the newest is not known",
            summaries.len()
        ),
    ))
}

fn interpret_backups(said: &[BackupSummary]) -> Vec<Backup> {
    let mut backups: Vec<_> = said
        .iter()
        .filter_map(|backup| {
            Some(Backup {
                arn: clean(backup.backup_arn()?, 400),
                name: clean(backup.backup_name().unwrap_or_default(), 255),
                status: clean(backup.backup_status().map_or("", |s| s.as_str()), 40),
                kind: clean(backup.backup_type().map_or("", |k| k.as_str()), 40),
                created: from_sdk(backup.backup_creation_date_time()?)?,
                bytes: backup.backup_size_bytes(),
            })
        })
        .collect();
    backups.sort_by_key(|backup| std::cmp::Reverse(backup.created));
    backups.truncate(BACKUPS);
    backups
}

async fn measure(
    client: &Client,
    name: &str,
    place: &str,
    role: TableRole,
    now: Moment,
) -> Part<Option<Moment>> {
    match role {
        TableRole::State => newest_presence(client, name, place).await,
        TableRole::Audit => newest_event(client, name, place, now).await,
    }
}

async fn newest_presence(client: &Client, name: &str, place: &str) -> Part<Option<Moment>> {
    for (tried, prefix) in PRESENCE.iter().enumerate() {
        let said = client
            .query()
            .table_name(name)
            .consistent_read(false)
            .limit(ITEMS)
            .key_condition_expression("HashKey = :h AND begins_with(FullPath, :p)")
            .expression_attribute_values(":h", AttributeValue::S("teleport".to_owned()))
            .expression_attribute_values(":p", AttributeValue::S(format!("teleport/{prefix}")))
            .projection_expression("FullPath, #Timestamp")
            .expression_attribute_names("#Timestamp", "Timestamp")
            .send()
            .await
            .map_err(|error| explain("DynamoDB Query", place, &error))?;
        let newest = newest_of(said.items(), "Timestamp");
        // The nodes are only asked when neither Auth servers nor proxies are there.
        if newest.is_some() || tried + 1 == PRESENCE.len() {
            return Ok(newest);
        }
    }
    Ok(None)
}

async fn newest_event(
    client: &Client,
    name: &str,
    place: &str,
    now: Moment,
) -> Part<Option<Moment>> {
    for day in [now, now.minus(Duration::from_hours(24))] {
        let said = client
            .query()
            .table_name(name)
            .index_name("timesearchV2")
            .consistent_read(false)
            .limit(1)
            .scan_index_forward(false)
            .key_condition_expression("CreatedAtDate = :d")
            .expression_attribute_values(":d", AttributeValue::S(date(day)))
            .projection_expression("CreatedAt")
            .send()
            .await
            .map_err(|error| explain("DynamoDB Query of timesearchV2", place, &error))?;
        let newest = newest_of(said.items(), "CreatedAt");
        if newest.is_some() {
            return Ok(newest);
        }
    }
    Ok(None)
}

/// `2026-11-23`, as Teleport writes `CreatedAtDate`, in UTC.
fn date(day: Moment) -> String {
    day.to_string().chars().take(10).collect()
}

/// The newest of a numeric attribute in Unix seconds.
fn newest_of(items: &[HashMap<String, AttributeValue>], attribute: &str) -> Option<Moment> {
    items
        .iter()
        .filter_map(|item| item.get(attribute)?.as_n().ok()?.parse::<i64>().ok())
        .filter(|secs| *secs > 0)
        .max()
        .map(Moment::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_nothing_and_of_nonsense_is_nothing() {
        let item = |text: &str| {
            HashMap::from([("Timestamp".to_owned(), AttributeValue::N(text.to_owned()))])
        };
        assert_eq!(newest_of(&[], "Timestamp"), None);
        assert_eq!(
            newest_of(&[item("x"), item("-4"), item("0")], "Timestamp"),
            None
        );
        assert_eq!(
            newest_of(&[item("7"), item("9"), item("8")], "Timestamp"),
            Some(Moment::from_secs(9))
        );
        assert_eq!(newest_of(&[item("7")], "Other"), None);
    }

    #[test]
    fn a_day_is_written_as_teleport_writes_it() {
        assert_eq!(date(Moment::from_millis(1_795_466_731_250)), "2026-11-23");
    }

    #[test]
    fn a_table_without_status_is_garbage() {
        let said = DescribeTableOutput::builder().build();
        let failure = describe(&said, "t", TableRole::State, "us-west-2").expect_err("garbage");
        assert_eq!(failure.kind, FailureKind::Garbage);
    }
}
