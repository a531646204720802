//! What a restore drops of a table's settings: `DescribeTable`, `DescribeTimeToLive`, `ListTagsOfResource`.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{
    Client,
    operation::describe_table::DescribeTableOutput,
    types::{
        BillingMode, ProvisionedThroughputDescription as Throughput, TableDescription,
        TimeToLiveStatus,
    },
};

use crate::{
    clients::{aws::explain, kube::text::clean},
    incident::{Billing, Failure, FailureKind, Part, Settings},
};

/// Tags that AWS itself sets (`aws:backup:source-resource`, `aws:cloudformation:…`); nobody else can.
const RESERVED: &str = "aws:";
/// Pages of tags: a table has 50 at most.
const PAGES: usize = 6;

pub(super) async fn fetch(
    client: &Client,
    said: &DescribeTableOutput,
    place: &str,
) -> Part<Settings> {
    let Some((table, arn)) = said
        .table()
        .and_then(|table| Some((table, table.table_arn()?)))
    else {
        return Err(Failure::new(
            FailureKind::Garbage,
            format!(
                "DynamoDB DescribeTable of {place} named no ARN: check for a wrong endpoint in between"
            ),
        ));
    };
    let (ttl, tags) = tokio::join!(
        Box::pin(ttl(client, table, place)),
        Box::pin(tags(client, arn, place)),
    );
    Ok(Settings {
        arn: clean(arn, 400),
        ttl,
        stream: table
            .stream_specification()
            .filter(|stream| stream.stream_enabled())
            .and_then(|stream| stream.stream_view_type())
            .map(|view| clean(view.as_str(), 40)),
        billing: billing(table),
        protected: table.deletion_protection_enabled().unwrap_or(false),
        tags,
        indexes: table
            .global_secondary_indexes()
            .iter()
            .take(32)
            .filter_map(|index| {
                let status = index.index_status().map_or("", |status| status.as_str());
                Some((clean(index.index_name()?, 255), clean(status, 40)))
            })
            .collect(),
        key: table
            .sse_description()
            .and_then(|sse| sse.kms_master_key_arn())
            .map(|key| clean(key, 400)),
    })
}

/// A table that never was on-demand has no summary of its billing.
fn billing(table: &TableDescription) -> Billing {
    let mode = table
        .billing_mode_summary()
        .and_then(|summary| summary.billing_mode());
    if mode == Some(&BillingMode::PayPerRequest) {
        return Billing::OnDemand;
    }
    let throughput = table.provisioned_throughput();
    Billing::Provisioned {
        read: throughput
            .and_then(Throughput::read_capacity_units)
            .unwrap_or_default(),
        write: throughput
            .and_then(Throughput::write_capacity_units)
            .unwrap_or_default(),
    }
}

async fn ttl(client: &Client, table: &TableDescription, place: &str) -> Part<Option<String>> {
    let said = client
        .describe_time_to_live()
        .table_name(table.table_name().unwrap_or_default())
        .send()
        .await
        .map_err(|error| explain("DynamoDB DescribeTimeToLive", place, &error))?;
    let described = said.time_to_live_description();
    // It takes up to an hour to be ENABLED; from then on it cannot be asked for again.
    let on = described.filter(|ttl| {
        matches!(
            ttl.time_to_live_status(),
            Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
        )
    });
    Ok(on.map(|ttl| clean(ttl.attribute_name().unwrap_or_default(), 255)))
}

/// Tags of a table by its ARN, without those of AWS itself.
///
/// # Errors
/// If they cannot be read.
pub async fn tags(client: &Client, arn: &str, place: &str) -> Part<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut token = None;
    for _ in 0..PAGES {
        let said = client
            .list_tags_of_resource()
            .resource_arn(arn)
            .set_next_token(token.take())
            .send()
            .await
            .map_err(|error| explain("DynamoDB ListTagsOfResource", place, &error))?;
        found.extend(
            said.tags()
                .iter()
                .filter(|tag| !tag.key().starts_with(RESERVED))
                .map(|tag| (clean(tag.key(), 128), clean(tag.value(), 256))),
        );
        token = said
            .next_token()
            .filter(|token| !token.is_empty())
            .map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    Ok(found)
}
