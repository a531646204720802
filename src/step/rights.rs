//! `check-rights`: which role the recovery cluster's pods get, who may take it, and what it grants on the recovery
//! region's things, line by line. Whether that is enough, the postcondition says.

use futures::future::BoxFuture;

use super::{Context, Native, StepError};
use crate::{
    clients::{aws::Aws, kube, rights::look, values},
    incident::{
        Component, Part, Side,
        rights::{RoleRights, Session, Simulated},
    },
    plan::Plan,
};

/// The row of [`super::natives`].
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "check-rights",
        needs: &[],
        calls,
        seen: None,
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let (region, release, namespace) = (
        &plan.recovery.region,
        &plan.cluster.release,
        &plan.cluster.namespace,
    );
    vec![
        format!(
            "Kubernetes GET /.well-known/openid-configuration; TokenRequest for ServiceAccount {namespace}/{release}, where it exists"
        ),
        format!(
            "STS AssumeRoleWithWebIdentity in {region}; as that role DynamoDB DescribeTable, Query of one key, S3 HeadBucket, ListObjectVersions of one"
        ),
        "IAM GetRole, GetOpenIDConnectProvider, SimulatePrincipalPolicy for every action that the chart needs".to_owned(),
        format!(
            "S3 GetBucketPolicy, DynamoDB GetResourcePolicy in {region}; EKS ListPodIdentityAssociations where no role is annotated"
        ),
    ]
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        if context.dry_run {
            for line in calls(plan) {
                context.say(line);
            }
            return Ok(());
        }
        let values = values::expected(plan).await;
        if let Ok(values) = &values {
            context.say(format!("roles as in {}", values.path));
        }
        let kube = kube::connect(&plan.recovery.kube).await;
        let aws = Aws::new(plan);
        let rights = Box::pin(look(plan, &values, &kube, aws.side(Side::Recovery))).await;
        for of in [&rights.auth, &rights.proxy] {
            for line in lines(of) {
                context.say(line);
            }
        }
        Ok(())
    })
}

/// What is known of the pods of one kind.
fn lines(rights: &RoleRights) -> Vec<String> {
    let name = match rights.component {
        Component::Proxy => "Proxy",
        _ => "Auth",
    };
    let mut lines = vec![format!("── {name}, ServiceAccount {}", rights.account)];
    match &rights.role {
        Err(failure) => {
            lines.push(format!("role: {failure}"));
            return lines;
        }
        Ok(grant) => match &grant.arn {
            Some(arn) => lines.push(format!("role {arn}, {}", grant.by.word())),
            None => {
                lines.push(
                    "role: neither annotation nor Pod Identity association; the node's role"
                        .to_owned(),
                );
            }
        },
    }
    if rights.component == Component::Proxy && rights.own_role().is_none() {
        lines.push("none of its own, and in aws mode the proxies need none".to_owned());
        return lines;
    }
    lines.push(match &rights.trust {
        Ok(trust) => match &trust.refused {
            None => format!("trust: through {}", trust.through),
            Some(why) => format!("trust: NO: {why}"),
        },
        Err(failure) => format!("trust: {failure}"),
    });
    lines.extend(or_why("as the role", &rights.session, session));
    lines.extend(or_why("simulated", &rights.simulated, simulated));
    lines
}

fn or_why<T>(what: &str, part: &Part<T>, tell: impl Fn(&T) -> Vec<String>) -> Vec<String> {
    match part {
        Ok(found) => tell(found),
        Err(failure) => vec![format!("{what}: {failure}")],
    }
}

fn session(session: &Session) -> Vec<String> {
    if let Some(why) = &session.refused {
        return vec![format!("as the role: NO: {why}")];
    }
    session
        .reads
        .iter()
        .map(|read| match &read.outcome {
            Ok(()) => format!("as the role: {} done", read.what),
            Err(failure) => format!("as the role: {} NO: {failure}", read.what),
        })
        .collect()
}

fn simulated(simulated: &Simulated) -> Vec<String> {
    let mut lines = vec![format!(
        "simulated: {} of {} actions granted",
        simulated.asked - simulated.denied.len().min(simulated.asked),
        simulated.asked
    )];
    lines.extend(
        simulated
            .denied
            .iter()
            .map(|denial| format!("simulated: NO: {}: {}", denial.what, denial.why)),
    );
    lines.extend(
        simulated
            .fault
            .iter()
            .map(|fault| format!("fault: {fault}")),
    );
    lines.extend(
        simulated
            .unsure
            .iter()
            .map(|why| format!("not to be told: {why}")),
    );
    lines.extend(
        simulated
            .spared
            .iter()
            .map(|action| format!("not granted, which protects from an empty table: {action}")),
    );
    lines.extend(simulated.makes.iter().map(|action| {
        format!("granted, and better not: {action}; with a wrong name Teleport would start empty")
    }));
    lines
}
