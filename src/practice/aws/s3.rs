//! Amazon S3: one bucket, path style.

use std::fmt::Write as _;

use serde_json::json;

use super::{answer::Answer, ask::Ask, xml};
use crate::{
    incident::{Moment, Replication, Side, StoredObject},
    practice::world::{Bucket, World},
};

const SPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

pub(super) fn get_versioning(ask: &Ask, side: Side, world: &mut World) -> Answer {
    with_bucket(ask, side, world, |bucket| {
        let status = match bucket.versioning.as_str() {
            "" => String::new(),
            status => format!("<Status>{status}</Status>"),
        };
        Answer::xml(&format!(
            "<VersioningConfiguration xmlns=\"{SPACE}\">{status}</VersioningConfiguration>"
        ))
    })
}

/// Nothing in the clear, as most buckets have it.
pub(super) fn get_policy(ask: &Ask, side: Side, world: &mut World) -> Answer {
    with_bucket(ask, side, world, |bucket| {
        let arn = format!("arn:aws:s3:::{}", bucket.name);
        Answer::json(
            &json!({"Version": "2012-10-17", "Statement": [{"Sid": "OnlyTls", "Effect": "Deny",
            "Principal": "*", "Action": "s3:*", "Resource": [arn, format!("{arn}/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}),
        )
    })
}

pub(super) fn head_bucket(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let region = world.side(side).name.clone();
    with_bucket(ask, side, world, |_| {
        Answer::empty(200).with("x-amz-bucket-region", region)
    })
}

pub(super) fn list_versions(ask: &Ask, side: Side, world: &mut World) -> Answer {
    with_bucket(ask, side, world, |bucket| {
        let most = ask
            .param("max-keys")
            .and_then(|text| text.parse().ok())
            .unwrap_or(1000);
        let more = bucket.objects.len() > most;
        let mut versions = String::new();
        for object in bucket.objects.iter().take(most) {
            let _ = write!(
                versions,
                "<Version><Key>{}</Key><VersionId>1</VersionId><IsLatest>true</IsLatest><LastModified>{}</LastModified><ETag>&quot;0&quot;</ETag><Size>4096</Size><StorageClass>STANDARD</StorageClass></Version>",
                xml::escape(&object.key),
                object.modified
            );
        }
        Answer::xml(&format!(
            "<ListVersionsResult xmlns=\"{SPACE}\"><Name>{}</Name><Prefix></Prefix><KeyMarker></KeyMarker><VersionIdMarker></VersionIdMarker><MaxKeys>{most}</MaxKeys><IsTruncated>{more}</IsTruncated>{versions}</ListVersionsResult>",
            xml::escape(&bucket.name)
        ))
    })
}

pub(super) fn get_replication(ask: &Ask, side: Side, world: &mut World) -> Answer {
    with_bucket(ask, side, world, |bucket| {
        if bucket.rules.is_empty() {
            return Answer::error(
                ask,
                404,
                "ReplicationConfigurationNotFoundError",
                "The replication configuration was not found",
            );
        }
        let rules: String = bucket.rules.iter().map(rule).collect();
        Answer::xml(&format!(
            "<ReplicationConfiguration xmlns=\"{SPACE}\"><Role>arn:aws:iam::111122223333:role/replication</Role>{rules}</ReplicationConfiguration>"
        ))
    })
}

fn rule(rule: &Replication) -> String {
    let word = |on: bool| if on { "Enabled" } else { "Disabled" };
    format!(
        "<Rule><ID>{}</ID><Priority>1</Priority><Filter></Filter><Status>{}</Status><SourceSelectionCriteria><SseKmsEncryptedObjects><Status>{}</Status></SseKmsEncryptedObjects></SourceSelectionCriteria><Destination><Bucket>{}</Bucket><EncryptionConfiguration><ReplicaKmsKeyID>arn:aws:kms:us-west-2:111122223333:key/practice</ReplicaKmsKeyID></EncryptionConfiguration></Destination><DeleteMarkerReplication><Status>{}</Status></DeleteMarkerReplication></Rule>",
        xml::escape(&rule.id),
        word(rule.enabled),
        word(rule.kms),
        xml::escape(&rule.destination),
        word(rule.delete_markers),
    )
}

pub(super) fn list_objects(ask: &Ask, side: Side, world: &mut World) -> Answer {
    with_bucket(ask, side, world, |bucket| {
        let after = ask.param("continuation-token").unwrap_or_default();
        let prefix = ask.param("prefix").unwrap_or_default();
        let most = ask
            .param("max-keys")
            .and_then(|text| text.parse().ok())
            .unwrap_or(1000);
        let rest: Vec<_> = bucket
            .objects
            .iter()
            .filter(|object| object.key.as_str() > after && object.key.starts_with(prefix))
            .collect();
        let page = &rest[..rest.len().min(most)];
        let more = rest.len() > page.len();
        let mut contents = String::new();
        for object in page {
            let _ = write!(
                contents,
                "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>&quot;0&quot;</ETag><Size>4096</Size><StorageClass>STANDARD</StorageClass></Contents>",
                xml::escape(&object.key),
                object.modified
            );
        }
        let next = match page.last() {
            Some(last) if more => format!(
                "<NextContinuationToken>{}</NextContinuationToken>",
                xml::escape(&last.key)
            ),
            _ => String::new(),
        };
        Answer::xml(&format!(
            "<ListBucketResult xmlns=\"{SPACE}\"><Name>{}</Name><Prefix></Prefix><KeyCount>{}</KeyCount><MaxKeys>{most}</MaxKeys><IsTruncated>{more}</IsTruncated>{next}{contents}</ListBucketResult>",
            xml::escape(&bucket.name),
            page.len()
        ))
    })
}

pub(super) fn head_object(ask: &Ask, side: Side, world: &mut World) -> Answer {
    with_bucket(ask, side, world, |bucket| {
        let key = ask.path[1..].join("/");
        let Some(object) = bucket.objects.iter().find(|object| object.key == key) else {
            return Answer::error(ask, 404, "NotFound", "Not Found");
        };
        let answer = Answer::empty(200)
            .with("last-modified", http_date(object.modified))
            .with("etag", "\"0\"");
        if object.replication.is_empty() {
            answer
        } else {
            answer.with("x-amz-replication-status", &*object.replication)
        }
    })
}

/// The first bytes of a recording: nobody asks for more.
pub(super) fn get_object(ask: &Ask, side: Side, world: &mut World) -> Answer {
    with_bucket(ask, side, world, |bucket| {
        let key = ask.path[1..].join("/");
        let Some(object) = bucket.objects.iter().find(|object| object.key == key) else {
            return Answer::error(ask, 404, "NoSuchKey", "The specified key does not exist.");
        };
        Answer::empty(206)
            .with("last-modified", http_date(object.modified))
            .with("etag", "\"0\"")
            .with("accept-ranges", "bytes")
            .with("content-range", "bytes 0-15/4096")
            .with("content-type", "binary/octet-stream")
            .holding(b"practice-session")
    })
}

/// Takes an object in; what it holds is kept by nobody.
pub(super) fn put_object(ask: &Ask, side: Side, world: &mut World) -> Answer {
    let key = ask.path.get(1..).unwrap_or_default().join("/");
    let there = &world.side(side).storage.bucket.objects;
    if ask.unless && there.iter().any(|object| object.key == key) {
        let said = "At least one of the pre-conditions you specified did not hold";
        return Answer::error(ask, 412, "PreconditionFailed", said);
    }
    let answer = with_bucket(ask, side, world, |_| {
        Answer::empty(200)
            .with("etag", "\"0\"")
            .with("x-amz-server-side-encryption", "AES256")
    });
    let bucket = &mut world.side_mut(side).storage.bucket;
    if ask.path.first() == Some(&bucket.name) {
        bucket.objects.retain(|object| object.key != key);
        bucket.objects.push(StoredObject {
            key,
            modified: Moment::now(),
            replication: String::new(),
            unread: None,
        });
        bucket.objects.sort_by(|a, b| a.key.cmp(&b.key));
    }
    answer
}

fn with_bucket(
    ask: &Ask,
    side: Side,
    world: &World,
    answer: impl FnOnce(&Bucket) -> Answer,
) -> Answer {
    let bucket = &world.side(side).storage.bucket;
    if ask.path.first() == Some(&bucket.name) {
        answer(bucket)
    } else {
        Answer::error(
            ask,
            404,
            "NoSuchBucket",
            "The specified bucket does not exist",
        )
    }
}

/// `Mon, 23 Nov 2026 14:05:31 GMT`.
fn http_date(at: Moment) -> String {
    jiff::Timestamp::from_millisecond(at.millis())
        .map(|stamp| stamp.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .unwrap_or_default()
}
