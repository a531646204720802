//! What Teleport's chart needs at AWS, action by action (Teleport's `dynamodb-iam-policy` and `s3-iam-policy`;
//! facts/teleport.md, 2.5 and 3), on the recovery region's things.

use crate::plan::Plan;

/// On the state table.
const STATE: &[&str] = &[
    "dynamodb:BatchWriteItem",
    "dynamodb:UpdateTimeToLive",
    "dynamodb:PutItem",
    "dynamodb:DeleteItem",
    "dynamodb:Scan",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:DescribeTable",
    "dynamodb:GetItem",
    "dynamodb:UpdateTable",
    "dynamodb:UpdateContinuousBackups",
];
/// On its stream.
const STREAM: &[&str] = &[
    "dynamodb:DescribeStream",
    "dynamodb:GetShardIterator",
    "dynamodb:GetRecords",
];
/// On the events table: the same, and its index is only queried.
const INDEX: &[&str] = &["dynamodb:Query"];
/// On a bucket that is there already.
const BUCKET: &[&str] = &[
    "s3:ListBucketVersions",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucket",
    "s3:GetEncryptionConfiguration",
    "s3:GetBucketVersioning",
];
/// On its objects.
const OBJECTS: &[&str] = &[
    "s3:GetObjectVersion",
    "s3:GetObjectRetention",
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListMultipartUploadParts",
    "s3:AbortMultipartUpload",
];
/// On a customer-managed key that tables or recordings are encrypted with.
const KEY: &[&str] = &[
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:DescribeKey",
];
/// What makes a table, and a bucket: better not granted.
const MAKE_TABLE: &str = "dynamodb:CreateTable";
const MAKE_BUCKET: &str = "s3:CreateBucket";

/// What is needed on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// The resource.
    pub arn: String,
    /// What is needed.
    pub actions: &'static [&'static str],
    /// What would make it, where it could be made.
    pub makes: Option<&'static str>,
    /// Whose policy says more of it.
    pub holder: Holder,
}

/// What carries a policy of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// The state or the events table, by its ARN.
    Table(String),
    /// The bucket.
    Bucket,
    /// A key; its policy is not read.
    Key,
}

/// `aws`, `aws-cn` or `aws-us-gov`, by the region.
pub(super) fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// The ARN of a table.
pub(super) fn table_arn(region: &str, account: &str, table: &str) -> String {
    format!(
        "arn:{}:dynamodb:{region}:{account}:table/{table}",
        partition(region)
    )
}

/// Everything the Auth Service needs of the recovery region, in an account.
pub(super) fn needs(plan: &Plan, account: &str) -> Vec<Need> {
    let recovery = &plan.recovery;
    let mut needs = Vec::new();
    let mut need = |arn: String, actions, makes, holder: &Holder| {
        needs.push(Need {
            arn,
            actions,
            makes,
            holder: holder.clone(),
        });
    };
    let arn = |table: &String| table_arn(&recovery.region, account, table);
    if let Some(table) = recovery.state_table.as_ref().map(arn) {
        let holder = Holder::Table(table.clone());
        need(table.clone(), STATE, Some(MAKE_TABLE), &holder);
        need(format!("{table}/stream/label"), STREAM, None, &holder);
    }
    if let Some(table) = recovery.audit_table.as_ref().map(arn) {
        let holder = Holder::Table(table.clone());
        need(table.clone(), STATE, Some(MAKE_TABLE), &holder);
        need(format!("{table}/index/timesearchV2"), INDEX, None, &holder);
    }
    if let Some(bucket) = &recovery.bucket {
        let arn = format!("arn:{}:s3:::{bucket}", partition(&recovery.region));
        need(arn.clone(), BUCKET, Some(MAKE_BUCKET), &Holder::Bucket);
        need(format!("{arn}/relight.tar"), OBJECTS, None, &Holder::Bucket);
    }
    for key in recovery
        .kms_keys
        .iter()
        .filter(|key| key.starts_with("arn:"))
    {
        need(key.clone(), KEY, None, &Holder::Key);
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_needs_name_the_new_arns_and_no_old_one() {
        let mut plan = crate::plan::sample::plan();
        plan.recovery.kms_keys = vec![
            "arn:aws:kms:us-west-2:1:key/mrk-1".to_owned(),
            "alias/x".to_owned(),
        ];
        let needs = needs(&plan, "123456789012");
        let arns: Vec<&str> = needs.iter().map(|need| need.arn.as_str()).collect();
        assert_eq!(
            arns,
            [
                "arn:aws:dynamodb:us-west-2:123456789012:table/west-state",
                "arn:aws:dynamodb:us-west-2:123456789012:table/west-state/stream/label",
                "arn:aws:dynamodb:us-west-2:123456789012:table/west-audit",
                "arn:aws:dynamodb:us-west-2:123456789012:table/west-audit/index/timesearchV2",
                "arn:aws:s3:::west-recordings",
                "arn:aws:s3:::west-recordings/relight.tar",
                "arn:aws:kms:us-west-2:1:key/mrk-1",
            ]
        );
        let makes: Vec<_> = needs.iter().filter_map(|need| need.makes).collect();
        assert_eq!(makes, [MAKE_TABLE, MAKE_TABLE, MAKE_BUCKET]);
        assert_eq!(partition("us-gov-west-1"), "aws-us-gov");
    }
}
