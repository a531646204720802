//! `verify-backups`: reads every source of a recovery and prints what it finds. Whether that is enough, the
//! postconditions say.

mod outlook;
mod report;

use futures::future::BoxFuture;

use super::{Context, Native, StepError, tables::survey};
use crate::{
    clients::aws::{Aws, Reach, identity, recordings},
    incident::{Fact, Failure, Identity, Instruments, Moment, Side, Subject, TableRole},
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
                    "DynamoDB DescribeTable, DescribeContinuousBackups, DescribeTimeToLive, ListTagsOfResource, ListBackups, Query of keys and timestamps: {table} in {}",
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
    let (recovery, primary, seen) = tokio::join!(
        Box::pin(side(plan, aws.side(Side::Recovery), Side::Recovery)),
        Box::pin(side(plan, aws.side(Side::Primary), Side::Primary)),
        Box::pin(survey(plan, &aws)),
    );
    for (which, of_side, when) in [
        (
            Side::Recovery,
            &recovery,
            "usable while the primary is down",
        ),
        (Side::Primary, &primary, "usable only while it answers"),
    ] {
        say(&format!("── {} ({which}): {when}", plan.side(which).region));
        say(&of_side.who);
        for role in TableRole::BOTH {
            for line in tables(plan, &seen, which, role) {
                say(&line);
            }
        }
        for line in &of_side.bucket {
            say(line);
        }
        if which == Side::Recovery {
            for role in TableRole::BOTH {
                for line in copies(plan, &seen, role) {
                    say(&line);
                }
            }
        }
    }
    say("── what can be recovered");
    let mut lost = false;
    for line in outlook::told(plan, &seen, &mut lost) {
        say(&line);
    }
    if lost {
        return Err(StepError(format!(
            "in {} there is neither a state table nor a copy of one that could be read: see the lines above for what to do",
            plan.recovery.region
        )));
    }
    Ok(())
}

/// What one side told besides its tables.
struct Told {
    who: String,
    bucket: Vec<String>,
}

async fn side(plan: &Plan, reach: &Reach, side: Side) -> Told {
    let region = plan.side(side);
    let bucket = async {
        match &region.bucket {
            Some(bucket) => Some(recordings::fetch(reach, bucket, None).await),
            None => None,
        }
    };
    let (who, bucket) = tokio::join!(Box::pin(identity::fetch(reach)), Box::pin(bucket));
    Told {
        who: signed_in(who),
        bucket: or_why(bucket, "recordings", |seen| {
            report::bucket(&seen, Moment::now())
        }),
    }
}

fn tables(plan: &Plan, seen: &Instruments, side: Side, role: TableRole) -> Vec<String> {
    let what = format!("{role} table");
    match outcome(seen, &Subject::Table(side, role)) {
        Some(Ok(Fact::Table(table))) => report::table(table, &plan.cluster.name, Moment::now()),
        Some(Err(failure)) => vec![format!("{what}: {failure}")],
        _ => vec![format!("{what}: not in the plan")],
    }
}

fn copies(plan: &Plan, seen: &Instruments, role: TableRole) -> Vec<String> {
    match outcome(seen, &Subject::Vault(role)) {
        Some(Ok(Fact::Vault(vault))) => {
            report::points(role, vault, plan.objectives.rpo, Moment::now())
        }
        Some(Err(failure)) => vec![format!("{role} copies in the vault: {failure}")],
        _ => vec![format!("{role} copies in the vault: not in the plan")],
    }
}

fn outcome<'a>(seen: &'a Instruments, subject: &Subject) -> Option<&'a Result<Fact, Failure>> {
    seen.get(subject).map(|reading| &reading.last.outcome)
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
            renews: false,
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
