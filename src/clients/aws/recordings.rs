//! The session recordings bucket: versioning, replication rules, and whether the newest objects were copied.
//!
//! `ListObjectsV2` lists in key order, and Teleport's keys are random session ids: to find the newest object means to
//! read every key. At most a few pages are read, so in a larger bucket "newest" is the newest *seen*: a lower bound.

use aws_sdk_s3::{
    Client,
    operation::get_bucket_replication::GetBucketReplicationOutput,
    types::{Object, ReplicationRule, ReplicationRuleAndOperator},
};
use futures::future::join_all;

use super::{Reach, explain, from_sdk};
use crate::{
    clients::kube::text::clean,
    incident::{
        Failure, FailureKind, Moment, Part, Recordings, Replication, StoredObject,
        recordings::ReadBack,
    },
};

/// What is read of a recording.
const FIRST: &str = "bytes=0-15";
/// Pages of 1,000 keys read in one look.
const PAGES: usize = 3;
/// Newest objects whose replication status is asked for.
const NEWEST: usize = 5;

/// Looks once. `listed` is an earlier list of the newest objects to keep instead of a new one.
///
/// # Errors
/// If the bucket does not exist or nothing of it can be read; else the parts fail on their own.
pub async fn fetch(
    reach: &Reach,
    bucket: &str,
    listed: Option<Part<Vec<StoredObject>>>,
) -> Result<Recordings, Failure> {
    let client = reach.s3().await;
    let place = format!("{bucket} in {}", reach.region());
    let kept = listed.is_some();
    let newest = async {
        match listed {
            Some(listed) => listed,
            None => fetch_newest(&client, bucket, &place).await,
        }
    };
    let (versioning, replication, newest) = tokio::join!(
        client.get_bucket_versioning().bucket(bucket).send(),
        client.get_bucket_replication().bucket(bucket).send(),
        newest,
    );
    let versioning = versioning
        .map(|said| clean(said.status().map_or("", |status| status.as_str()), 40))
        .map_err(|error| explain("S3 GetBucketVersioning", &place, &error));
    let replication = match replication {
        Ok(said) => Ok(interpret_rules(&said)),
        Err(error) => no_rules(
            error
                .as_service_error()
                .and_then(|service| service.meta().code()),
        )
        .ok_or_else(|| explain("S3 GetBucketReplication", &place, &error)),
    };
    // A list that was kept is no sign of life.
    let silent = kept || newest.is_err();
    match (&versioning, &replication) {
        // When the bucket itself is missing or everything fails, the look as a whole has failed.
        (Err(failure), _) if failure.kind == FailureKind::NotFound => Err(failure.clone()),
        (Err(failure), Err(_)) if silent => Err(failure.clone()),
        _ => Ok(Recordings {
            bucket: bucket.to_owned(),
            region: reach.region().to_owned(),
            versioning,
            replication,
            newest,
            read: None,
        }),
    }
}

/// Reads the first bytes of the newest recording and throws them away: that it can be decrypted and read is what counts.
/// `None` where none of the objects is one.
pub async fn read(reach: &Reach, bucket: &str, newest: &[StoredObject]) -> Option<ReadBack> {
    let recording = newest.iter().find(|object| {
        let key = object.key.as_bytes();
        key.ends_with(b".tar")
    })?;
    let place = format!("{bucket} in {}", reach.region());
    let client = reach.s3().await;
    let said = client
        .get_object()
        .bucket(bucket)
        .key(&recording.key)
        .range(FIRST)
        .send()
        .await;
    let bytes = match said {
        Ok(said) => match said.body.collect().await {
            Ok(body) => match u32::try_from(body.into_bytes().len()) {
                Ok(count) if count > 0 => Ok(count),
                _ => Err(Failure::new(
                    FailureKind::Empty,
                    format!("S3 GetObject of {place} gave no bytes"),
                )),
            },
            Err(_) => Err(Failure::new(
                FailureKind::Unreachable,
                format!("S3 GetObject of {place} broke off"),
            )),
        },
        Err(error) => Err(explain("S3 GetObject", &place, &error)),
    };
    Some(ReadBack {
        key: recording.key.clone(),
        at: Moment::now(),
        bytes,
    })
}

/// A bucket without a replication configuration answers with an error that is none.
fn no_rules(code: Option<&str>) -> Option<Vec<Replication>> {
    (code == Some("ReplicationConfigurationNotFoundError")).then(Vec::new)
}

fn interpret_rules(said: &GetBucketReplicationOutput) -> Vec<Replication> {
    let Some(configuration) = said.replication_configuration() else {
        return Vec::new();
    };
    configuration
        .rules()
        .iter()
        .take(20)
        .map(|rule| Replication {
            id: clean(rule.id().unwrap_or_default(), 255),
            enabled: rule.status().as_str() == "Enabled",
            destination: rule
                .destination()
                .map(|to| clean(to.bucket(), 400))
                .unwrap_or_default(),
            kms: rule
                .source_selection_criteria()
                .and_then(|criteria| criteria.sse_kms_encrypted_objects())
                .is_some_and(|kms| kms.status().as_str() == "Enabled"),
            delete_markers: rule
                .delete_marker_replication()
                .and_then(|markers| markers.status())
                .is_some_and(|status| status.as_str() == "Enabled"),
            filter: limits(rule),
        })
        .collect()
}

/// What a rule is limited to, in words.
fn limits(rule: &ReplicationRule) -> Option<String> {
    let filter = rule.filter();
    let both = filter.and_then(|filter| filter.and());
    // The first form of the API has the prefix beside the filter.
    #[expect(
        deprecated,
        reason = "rules written so are still in use and limit what is copied"
    )]
    let old = rule.prefix();
    let prefixes = [
        old,
        filter.and_then(|filter| filter.prefix()),
        both.and_then(|both| both.prefix()),
    ];
    let tags = filter.and_then(|filter| filter.tag()).into_iter();
    let tags = tags.chain(
        both.map(ReplicationRuleAndOperator::tags)
            .unwrap_or_default(),
    );
    let words: Vec<String> = prefixes
        .into_iter()
        .flatten()
        .filter(|prefix| !prefix.is_empty())
        .map(|prefix| format!("prefix {prefix}"))
        .chain(tags.map(|tag| format!("tag {}={}", tag.key(), tag.value())))
        .collect();
    (!words.is_empty()).then(|| clean(&words.join(", "), 200))
}

async fn fetch_newest(client: &Client, bucket: &str, place: &str) -> Part<Vec<StoredObject>> {
    let mut newest = Vec::new();
    let mut token = None;
    for _ in 0..PAGES {
        let said = client
            .list_objects_v2()
            .bucket(bucket)
            .set_continuation_token(token.take())
            .send()
            .await
            .map_err(|error| explain("S3 ListObjectsV2", place, &error))?;
        newest = keep_newest(newest, said.contents());
        token = said.next_continuation_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    let heads = newest
        .iter()
        .map(|object| client.head_object().bucket(bucket).key(&object.key).send());
    let heads = join_all(heads).await;
    for (object, head) in newest.iter_mut().zip(heads) {
        match head {
            Ok(head) => {
                let status = head.replication_status();
                object.replication = clean(status.map_or("", |status| status.as_str()), 40);
            }
            Err(error) => object.unread = Some(explain("S3 HeadObject", place, &error)),
        }
    }
    Ok(newest)
}

fn keep_newest(mut newest: Vec<StoredObject>, page: &[Object]) -> Vec<StoredObject> {
    newest.extend(page.iter().filter_map(|object| {
        Some(StoredObject {
            key: clean(object.key()?, 1024),
            modified: from_sdk(object.last_modified()?)?,
            replication: String::new(),
            unread: None,
        })
    }));
    newest.sort_by_key(|object| std::cmp::Reverse(object.modified));
    newest.truncate(NEWEST);
    newest
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::{Destination, ReplicationRuleFilter, ReplicationRuleStatus};

    use super::*;
    use crate::clients::aws::to_sdk;

    #[test]
    fn the_newest_of_several_pages_are_kept() {
        let page = |times: &[i64]| -> Vec<Object> {
            times
                .iter()
                .map(|secs| {
                    Object::builder()
                        .key(format!("k{secs}"))
                        .last_modified(to_sdk(Moment::from_secs(*secs)))
                        .build()
                })
                .collect()
        };
        let seen = keep_newest(Vec::new(), &page(&[4, 9, 1, 7]));
        let seen = keep_newest(seen, &page(&[8, 2, 6]));
        let times: Vec<_> = seen.iter().map(|object| object.modified.secs()).collect();
        assert_eq!(times, [9, 8, 7, 6, 4]);
    }

    #[test]
    fn a_rule_says_what_it_is_limited_to() {
        let rule = |filter: Option<ReplicationRuleFilter>| {
            let destination = Destination::builder().bucket("arn:aws:s3:::dr").build();
            ReplicationRule::builder()
                .status(ReplicationRuleStatus::Enabled)
                .destination(destination.expect("a destination"))
                .set_filter(filter)
                .build()
                .expect("a rule")
        };
        let prefix = |text: &str| ReplicationRuleFilter::builder().prefix(text).build();
        assert_eq!(limits(&rule(None)), None);
        assert_eq!(limits(&rule(Some(prefix("")))), None);
        let limited = limits(&rule(Some(prefix("logs/"))));
        assert_eq!(limited.as_deref(), Some("prefix logs/"));
    }

    #[test]
    fn no_configuration_is_an_empty_list_and_nothing_else_is() {
        assert_eq!(
            no_rules(Some("ReplicationConfigurationNotFoundError")),
            Some(Vec::new())
        );
        assert_eq!(no_rules(Some("AccessDenied")), None);
        assert_eq!(no_rules(None), None);
    }
}
