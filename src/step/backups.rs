//! `verify-backups`: reads every source of a recovery and prints what it finds. Whether that is enough, the
//! postconditions say.

mod report;

use futures::future::BoxFuture;

use super::{Context, Native, StepError};
use crate::{
    clients::aws::{Aws, Reach, identity, recordings, tables, vault},
    incident::{Failure, Identity, Moment, Side, TableRole},
    plan::Plan,
};

/// The row of `verify-backups`.
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "verify-backups",
        needs: &[],
        calls,
        seen: None,
        run,
    }
}

/// What will be done, in words.
fn calls(plan: &Plan) -> Vec<String> {
    let mut calls = vec![format!(
        "STS GetCallerIdentity in {} and {}",
        plan.recovery.region, plan.primary.region
    )];
    for side in [Side::Recovery, Side::Primary] {
        let region = plan.side(side);
        for role in TableRole::BOTH {
            if let Some(table) = region.table(role) {
                calls.push(format!(
                    "DynamoDB DescribeTable, DescribeContinuousBackups, ListBackups, Query of keys and timestamps: {table} in {}",
                    region.region
                ));
            }
        }
        if let Some(bucket) = &region.bucket {
            calls.push(format!(
                "S3 GetBucketVersioning, GetBucketReplication, ListObjectsV2, HeadObject: {bucket} in {}",
                region.region
            ));
        }
    }
    if let Some(vault) = &plan.recovery.backup_vault {
        calls.push(format!(
            "Backup ListRecoveryPointsByBackupVault, ListBackupPlans: {vault} in {}",
            plan.recovery.region
        ));
    }
    calls
}

/// Does it.
fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let say = |line: &str| context.say(line);
        if context.dry_run {
            for line in calls(&context.plan) {
                say(&line);
            }
            return Ok(());
        }
        verify(&context.plan, &say).await
    })
}

async fn verify(plan: &Plan, say: &(dyn Fn(&str) + Send + Sync)) -> Result<(), StepError> {
    let aws = Aws::new(plan);
    // The primary is asked at the same time: when it hangs, it costs its own timeout once.
    let (recovery, primary, copies) = tokio::join!(
        Box::pin(side(plan, aws.side(Side::Recovery), Side::Recovery)),
        Box::pin(side(plan, aws.side(Side::Primary), Side::Primary)),
        Box::pin(copies(plan, aws.side(Side::Recovery))),
    );
    let lost = recovery.tables == 0;
    say(&format!(
        "── {} (recovery): usable while the primary is down",
        plan.recovery.region
    ));
    for line in recovery.lines.iter().chain(&copies) {
        say(line);
    }
    say(&format!(
        "── {} (primary): usable only while it answers",
        plan.primary.region
    ));
    for line in &primary.lines {
        say(line);
    }
    if lost {
        return Err(StepError(format!(
            "neither table could be read in {}: see the lines above for what to do",
            plan.recovery.region
        )));
    }
    Ok(())
}

/// What one side told.
struct Told {
    lines: Vec<String>,
    /// How many tables could be read.
    tables: usize,
}

async fn side(plan: &Plan, reach: &Reach, side: Side) -> Told {
    let region = plan.side(side);
    let now = Moment::now();
    let table = async |role: TableRole| match region.table(role) {
        Some(name) => Some(tables::fetch(reach, name, role, &mut None, now).await),
        None => None,
    };
    let bucket = async {
        match &region.bucket {
            Some(bucket) => Some(recordings::fetch(reach, bucket, None).await),
            None => None,
        }
    };
    let (who, state, audit, bucket) = tokio::join!(
        Box::pin(identity::fetch(reach)),
        Box::pin(table(TableRole::State)),
        Box::pin(table(TableRole::Audit)),
        Box::pin(bucket),
    );
    let mut told = Told {
        lines: vec![signed_in(who)],
        tables: 0,
    };
    for (role, seen) in TableRole::BOTH.into_iter().zip([state, audit]) {
        told.tables += usize::from(matches!(&seen, Some(Ok(_))));
        told.lines
            .extend(or_why(seen, &format!("{role} table"), |table| {
                report::table(&table, now)
            }));
    }
    told.lines.extend(or_why(bucket, "recordings", |seen| {
        report::bucket(&seen, now)
    }));
    told
}

/// Who the credentials are of. No word that the redactor takes for the name of a secret stands before it: what is
/// written here goes through it, and who we are is the point of the line.
fn signed_in(who: Result<Identity, Failure>) -> String {
    match who {
        Ok(who) => format!("signed in as {}, account {}", who.arn, who.account),
        Err(failure) => format!("signed in as nobody: {failure}"),
    }
}

fn or_why<T>(
    seen: Option<Result<T, Failure>>,
    what: &str,
    tell: impl Fn(T) -> Vec<String>,
) -> Vec<String> {
    match seen {
        Some(Ok(seen)) => tell(seen),
        Some(Err(failure)) => vec![format!("{what}: {failure}")],
        None => vec![format!("{what}: not in the plan")],
    }
}

async fn copies(plan: &Plan, reach: &Reach) -> Vec<String> {
    let Some(name) = &plan.recovery.backup_vault else {
        return vec!["vault: not in the plan".to_owned()];
    };
    let now = Moment::now();
    let mut lines = Vec::new();
    for role in TableRole::BOTH {
        let points = match vault::table_arn(role, plan) {
            Ok(arn) => vault::fetch_points(reach, name, &arn).await,
            Err(failure) => Err(failure),
        };
        lines.extend(or_why(
            Some(points),
            &format!("{role} copies in vault {name}"),
            |(points, more)| report::points(role, name, (&points, more), now),
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{incident::FailureKind, run::Redactor};

    #[test]
    fn who_we_are_is_still_there_after_redaction() {
        let redactor = Redactor::new([]);
        let who = Identity {
            arn: "arn:aws:sts::111122223333:assumed-role/dr-operator/alice".to_owned(),
            account: "111122223333".to_owned(),
            region: "us-west-2".to_owned(),
            expires: None,
        };
        let line = signed_in(Ok(who));
        assert_eq!(
            redactor.line(&line),
            "signed in as arn:aws:sts::111122223333:assumed-role/dr-operator/alice, account 111122223333"
        );
        let why = "STS in us-east-1 gave no answer in 3s: is the region reachable from here?";
        let line = signed_in(Err(Failure::new(FailureKind::Timeout, why)));
        assert_eq!(redactor.line(&line), line);
        assert!(line.ends_with(why), "{line}");
    }
}
