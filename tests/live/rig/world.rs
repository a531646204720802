//! What lies in AWS before the outage, made with the SDKs: what Teleport's Auth Service would have written
//! (`lib/backend/dynamo`, `lib/events/dynamoevents`), the copies in the recovery region, and the zone.

use std::time::Duration;

use aws_sdk_backup::types::{BackupPlanInput, BackupRuleInput, CopyAction};
use aws_sdk_dynamodb::{
    Client,
    primitives::Blob,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
        KeyType, PointInTimeRecoverySpecification, Projection, ProjectionType, ScalarAttributeType,
        TimeToLiveSpecification,
    },
};
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
    DeleteMarkerReplication, DeleteMarkerReplicationStatus, Destination, EncryptionConfiguration,
    ReplicationConfiguration, ReplicationRule, ReplicationRuleFilter, ReplicationRuleStatus,
    SourceSelectionCriteria, SseKmsEncryptedObjects, SseKmsEncryptedObjectsStatus,
    VersioningConfiguration,
};
use relight::{
    clients::aws::{Aws, Reach},
    incident::{Moment, Side},
};

use super::aws::{ACCOUNT, ZONE, region};

/// The vault of both regions.
pub const VAULT: &str = "teleport";
/// How old the newest heartbeat and event of the copies are; in the primary they are just written.
pub const COPIED: Duration = Duration::from_mins(4);
/// Recordings of each run of [`make`].
pub const RECORDINGS: usize = 3;

/// The state table of a side.
pub const fn state(side: Side) -> &'static str {
    match side {
        Side::Primary => "teleport-state",
        Side::Recovery => "teleport-state-dr",
    }
}

/// The audit table of a side.
pub const fn audit(side: Side) -> &'static str {
    match side {
        Side::Primary => "teleport-audit",
        Side::Recovery => "teleport-audit-dr",
    }
}

/// The recordings bucket of a side.
pub const fn bucket(side: Side) -> &'static str {
    match side {
        Side::Primary => "teleport-recordings",
        Side::Recovery => "teleport-recordings-dr",
    }
}

/// Makes all of it; gives the id of the hosted zone.
pub async fn make(clients: &Aws, cluster: &str, balancer: &str, ttl: i64) -> String {
    let now = Moment::now();
    for (side, at) in [(Side::Primary, now), (Side::Recovery, now.minus(COPIED))] {
        let reach = clients.side(side);
        let client = reach.dynamodb().await;
        tables(&client, side).await;
        heartbeat(&client, side, at).await;
        authority(&client, side, cluster).await;
        event(&client, side, at).await;
    }
    vault(clients.side(Side::Recovery)).await;
    buckets(clients).await;
    zone(clients.zone(), cluster, balancer, ttl).await
}

async fn tables(client: &Client, side: Side) {
    table(
        client,
        state(side),
        ("HashKey", "FullPath", ScalarAttributeType::S),
        false,
    )
    .await;
    table(
        client,
        audit(side),
        ("SessionID", "EventIndex", ScalarAttributeType::N),
        true,
    )
    .await;
    for name in [state(side), audit(side)] {
        let on = PointInTimeRecoverySpecification::builder()
            .point_in_time_recovery_enabled(true)
            .build()
            .expect("a specification");
        client
            .update_continuous_backups()
            .table_name(name)
            .point_in_time_recovery_specification(on)
            .send()
            .await
            .expect("point-in-time recovery on");
        let expires = TimeToLiveSpecification::builder()
            .enabled(true)
            .attribute_name("Expires")
            .build()
            .expect("a specification");
        client
            .update_time_to_live()
            .table_name(name)
            .time_to_live_specification(expires)
            .send()
            .await
            .expect("time to live on");
        client
            .create_backup()
            .table_name(name)
            .backup_name(format!("{name}-weekly"))
            .send()
            .await
            .expect("an on-demand backup");
    }
}

async fn table(
    client: &Client,
    name: &str,
    (hash, range, kind): (&str, &str, ScalarAttributeType),
    events: bool,
) {
    let attribute = |name: &str, kind: &ScalarAttributeType| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind.clone())
            .build()
            .expect("an attribute")
    };
    let key = |name: &str, kind: KeyType| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
            .expect("a key")
    };
    let mut call = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(hash, &ScalarAttributeType::S))
        .attribute_definitions(attribute(range, &kind))
        .key_schema(key(hash, KeyType::Hash))
        .key_schema(key(range, KeyType::Range));
    if events {
        let index = GlobalSecondaryIndex::builder()
            .index_name("timesearchV2")
            .key_schema(key("CreatedAtDate", KeyType::Hash))
            .key_schema(key("CreatedAt", KeyType::Range))
            .projection(
                Projection::builder()
                    .projection_type(ProjectionType::All)
                    .build(),
            )
            .build()
            .expect("an index");
        call = call
            .attribute_definitions(attribute("CreatedAtDate", &ScalarAttributeType::S))
            .attribute_definitions(attribute("CreatedAt", &ScalarAttributeType::N))
            .global_secondary_indexes(index);
    }
    call.send().await.expect("a table");
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Both Auth Services and a proxy announce themselves, as they do about every minute.
pub async fn heartbeat(client: &Client, side: Side, at: Moment) {
    for path in [
        "authservers/5a5f0f2a-0001-4b7e-9a6e-000000000001",
        "authservers/5a5f0f2a-0001-4b7e-9a6e-000000000002",
        "proxies/5a5f0f2a-0002-4b7e-9a6e-000000000001",
    ] {
        item(client, side, path, at, br#"{"kind":"a server"}"#).await;
    }
}

/// The host authority, whose `Value` holds private keys: nobody may ask for it.
async fn authority(client: &Client, side: Side, cluster: &str) {
    let long_ago = Moment::now().minus(Duration::from_hours(24 * 300));
    client
        .put_item()
        .table_name(state(side))
        .item("HashKey", text("teleport"))
        .item(
            "FullPath",
            text(&format!("teleport/authorities/host/{cluster}")),
        )
        .item(
            "Value",
            AttributeValue::B(Blob::new(b"-----BEGIN RSA PRIVATE KEY----- ...")),
        )
        .item("Timestamp", number(long_ago.secs()))
        .item("Revision", text("0b9f1c52-5a5c-4c7e-8c1e-1f2d3c4b5a69"))
        .send()
        .await
        .expect("an authority, which does not expire");
}

async fn item(client: &Client, side: Side, path: &str, at: Moment, value: &[u8]) {
    client
        .put_item()
        .table_name(state(side))
        .item("HashKey", text("teleport"))
        .item("FullPath", text(&format!("teleport/{path}")))
        .item("Value", AttributeValue::B(Blob::new(value)))
        .item("Timestamp", number(at.secs()))
        .item("Expires", number(at.secs() + 600))
        .item("Revision", text("0b9f1c52-5a5c-4c7e-8c1e-1f2d3c4b5a69"))
        .send()
        .await
        .expect("an item");
}

/// An audit event.
pub async fn event(client: &Client, side: Side, at: Moment) {
    let day: String = at.to_string().chars().take(10).collect();
    client
        .put_item()
        .table_name(audit(side))
        .item("SessionID", text("8f2c3d1e-0003-4b7e-9a6e-000000000001"))
        .item("EventIndex", number(at.secs()))
        .item("CreatedAtDate", text(&day))
        .item("CreatedAt", number(at.secs()))
        .item("EventType", text("user.login"))
        .item("EventNamespace", text("default"))
        .send()
        .await
        .expect("an event");
}

/// A vault, and a plan whose copies go there. `ministack` keeps no recovery points.
async fn vault(reach: &Reach) {
    let client = reach.backup().await;
    client
        .create_backup_vault()
        .backup_vault_name(VAULT)
        .send()
        .await
        .expect("a vault");
    let copy = CopyAction::builder()
        .destination_backup_vault_arn(format!(
            "arn:aws:backup:{}:{ACCOUNT}:backup-vault:{VAULT}",
            region(Side::Recovery)
        ))
        .build()
        .expect("a copy");
    let rule = BackupRuleInput::builder()
        .rule_name("hourly")
        .target_backup_vault_name(VAULT)
        .schedule_expression("cron(0 * * * ? *)")
        .copy_actions(copy)
        .build()
        .expect("a rule");
    let plan = BackupPlanInput::builder()
        .backup_plan_name("teleport")
        .rules(rule)
        .build()
        .expect("a plan");
    client
        .create_backup_plan()
        .backup_plan(plan)
        .send()
        .await
        .expect("a backup plan");
}

/// Versioned buckets, a rule that also takes what SSE-KMS has encrypted, and recordings that it copies.
async fn buckets(clients: &Aws) {
    for side in Side::BOTH {
        let client = clients.side(side).s3().await;
        let mut call = client.create_bucket().bucket(bucket(side));
        if side == Side::Recovery {
            let here = CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(region(side)))
                .build();
            call = call.create_bucket_configuration(here);
        }
        call.send().await.expect("a bucket");
        let on = VersioningConfiguration::builder()
            .status(BucketVersioningStatus::Enabled)
            .build();
        client
            .put_bucket_versioning()
            .bucket(bucket(side))
            .versioning_configuration(on)
            .send()
            .await
            .expect("versioning on");
    }
    let client = clients.side(Side::Primary).s3().await;
    client
        .put_bucket_replication()
        .bucket(bucket(Side::Primary))
        .replication_configuration(replication())
        .send()
        .await
        .expect("replication on");
    for at in 0..RECORDINGS {
        recording(
            &client,
            &format!("records/5a5f0f2a-0004-4b7e-9a6e-00000000000{at}.tar"),
        )
        .await;
    }
}

/// Uploads a recording to the primary's bucket.
pub async fn recording(client: &aws_sdk_s3::Client, key: &str) {
    client
        .put_object()
        .bucket(bucket(Side::Primary))
        .key(key)
        .body(b"a session".to_vec().into())
        .send()
        .await
        .expect("a recording");
}

fn replication() -> ReplicationConfiguration {
    let kms = SseKmsEncryptedObjects::builder()
        .status(SseKmsEncryptedObjectsStatus::Enabled)
        .build()
        .expect("criteria");
    let key = format!("arn:aws:kms:{}:{ACCOUNT}:key/mrk-1", region(Side::Recovery));
    let to = Destination::builder()
        .bucket(format!("arn:aws:s3:::{}", bucket(Side::Recovery)))
        .encryption_configuration(
            EncryptionConfiguration::builder()
                .replica_kms_key_id(key)
                .build(),
        )
        .build()
        .expect("a destination");
    let markers = DeleteMarkerReplication::builder()
        .status(DeleteMarkerReplicationStatus::Enabled)
        .build();
    let rule = ReplicationRule::builder()
        .id("recordings")
        .priority(1)
        .status(ReplicationRuleStatus::Enabled)
        .filter(ReplicationRuleFilter::builder().prefix("").build())
        .source_selection_criteria(
            SourceSelectionCriteria::builder()
                .sse_kms_encrypted_objects(kms)
                .build(),
        )
        .delete_marker_replication(markers)
        .destination(to)
        .build()
        .expect("a rule");
    ReplicationConfiguration::builder()
        .role(format!("arn:aws:iam::{ACCOUNT}:role/replication"))
        .rules(rule)
        .build()
        .expect("a configuration")
}

async fn zone(reach: &Reach, cluster: &str, balancer: &str, ttl: i64) -> String {
    let client = reach.route53().await;
    let made = client
        .create_hosted_zone()
        .name(ZONE)
        .caller_reference(Moment::now().to_string())
        .send()
        .await
        .expect("a zone");
    let id = made.hosted_zone().expect("a zone").id().to_owned();
    let id = id.trim_start_matches("/hostedzone/").to_owned();
    let changes = [cluster.to_owned(), format!("*.{cluster}")].map(|name| {
        let value = ResourceRecord::builder()
            .value(balancer)
            .build()
            .expect("a value");
        let set = ResourceRecordSet::builder()
            .name(name)
            .r#type(RrType::Cname)
            .ttl(ttl)
            .resource_records(value)
            .build()
            .expect("a set");
        Change::builder()
            .action(ChangeAction::Create)
            .resource_record_set(set)
            .build()
            .expect("a change")
    });
    let batch = ChangeBatch::builder()
        .set_changes(Some(changes.to_vec()))
        .build()
        .expect("a batch");
    client
        .change_resource_record_sets()
        .hosted_zone_id(&id)
        .change_batch(batch)
        .send()
        .await
        .expect("accepted");
    id
}
