//! The best evidence: a token of the chart's own service account, the role taken with it, and reads as that role.

use aws_sdk_dynamodb::types::AttributeValue;

use super::needs::{partition, table_arn};
use crate::{
    clients::{
        aws::{Reach, explain},
        kube::account::Token,
    },
    incident::{
        Failure, FailureKind, Moment, Part,
        rights::{Action, Session, Tried},
    },
    plan::Plan,
};

/// Shortest life that STS gives a session, in seconds.
const LIFE: i32 = 900;

/// Takes the role with the token at the region's own STS, and reads as it.
///
/// # Errors
/// If STS does not answer. That it says no is an answer.
pub(super) async fn act(plan: &Plan, reach: &Reach, role: &str, token: &Token) -> Part<Session> {
    let place = format!("{role} in {}", reach.region());
    let said = reach
        .sts()
        .await
        .assume_role_with_web_identity()
        .role_arn(role)
        .role_session_name("relight-check")
        .web_identity_token(token.secret())
        .duration_seconds(LIFE)
        .send()
        .await;
    let said = match said {
        Ok(said) => said,
        Err(error) => {
            let code = error
                .as_service_error()
                .and_then(|known| known.meta().code())
                .unwrap_or_default()
                .to_owned();
            let failure = explain("STS AssumeRoleWithWebIdentity", &place, &error);
            // The provider is not known, or the token is none of it: that is a no, too.
            let no = failure.kind == FailureKind::Forbidden
                || matches!(code.as_str(), "InvalidIdentityToken" | "IDPRejectedClaim");
            return if no {
                Ok(Session {
                    refused: Some(failure.detail),
                    reads: Vec::new(),
                })
            } else {
                Err(failure)
            };
        }
    };
    let Some(credentials) = said.credentials() else {
        return Err(Failure::new(
            FailureKind::Garbage,
            format!("STS AssumeRoleWithWebIdentity of {place} gave no credentials"),
        ));
    };
    let account = role.split(':').nth(4).unwrap_or_default();
    let account = plan.recovery.account.as_deref().unwrap_or(account);
    let session = reach.with_session(credentials).await;
    let mut reads = tables(plan, &session, account).await;
    reads.extend(bucket(plan, &session).await);
    Ok(Session {
        refused: None,
        reads,
    })
}

fn tried<T>(name: &str, on: &str, outcome: Part<T>) -> Tried {
    Tried {
        what: Action {
            name: name.to_owned(),
            on: on.to_owned(),
        },
        outcome: outcome.map(|_| ()),
    }
}

async fn tables(plan: &Plan, session: &Reach, account: &str) -> Vec<Tried> {
    let recovery = &plan.recovery;
    let client = session.dynamodb().await;
    let mut reads = Vec::new();
    for (name, events) in [
        (&recovery.state_table, false),
        (&recovery.audit_table, true),
    ] {
        let Some(name) = name else { continue };
        let arn = table_arn(&recovery.region, account, name);
        let place = format!("{name} in {} as the chart's role", recovery.region);
        let described = client.describe_table().table_name(name).send().await;
        let described =
            described.map_err(|error| explain("DynamoDB DescribeTable", &place, &error));
        reads.push(tried("dynamodb:DescribeTable", &arn, described));
        // Keys alone, and no more than one: nothing of value is read.
        let query = client.query().table_name(name).limit(1);
        let (query, on) = if events {
            let today: String = Moment::now().to_string().chars().take(10).collect();
            let query = query
                .index_name("timesearchV2")
                .key_condition_expression("CreatedAtDate = :d")
                .expression_attribute_values(":d", AttributeValue::S(today))
                .projection_expression("CreatedAt");
            (query, format!("{arn}/index/timesearchV2"))
        } else {
            let query = query
                .key_condition_expression("HashKey = :h AND begins_with(FullPath, :p)")
                .expression_attribute_values(":h", AttributeValue::S("teleport".to_owned()))
                .expression_attribute_values(
                    ":p",
                    AttributeValue::S("teleport/authservers/".to_owned()),
                )
                .projection_expression("FullPath, #Timestamp")
                .expression_attribute_names("#Timestamp", "Timestamp");
            (query, arn)
        };
        let queried = query.send().await;
        let queried = queried.map_err(|error| explain("DynamoDB Query", &place, &error));
        reads.push(tried("dynamodb:Query", &on, queried));
    }
    reads
}

async fn bucket(plan: &Plan, session: &Reach) -> Vec<Tried> {
    let Some(bucket) = &plan.recovery.bucket else {
        return Vec::new();
    };
    let client = session.s3().await;
    let arn = format!("arn:{}:s3:::{bucket}", partition(&plan.recovery.region));
    let place = format!("{bucket} in {} as the chart's role", plan.recovery.region);
    let head = client.head_bucket().bucket(bucket).send().await;
    let head = head.map_err(|error| explain("S3 HeadBucket", &place, &error));
    let versions = client
        .list_object_versions()
        .bucket(bucket)
        .max_keys(1)
        .send()
        .await;
    let versions = versions.map_err(|error| explain("S3 ListObjectVersions", &place, &error));
    vec![
        tried("s3:ListBucket", &arn, head),
        tried("s3:ListBucketVersions", &arn, versions),
    ]
}
