//! The AWS face of a region: one port over plain HTTP for every service, as the SDKs speak to it.
//!
//! The service is told by the credential scope of the signature, as `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/…`
//! says; the account by the access key ([`access_key`]). Signatures are not checked: nothing here is secret. What is
//! answered comes from a table of operation → function over the world; everything else is `UnknownOperation`.

mod acm;
mod answer;
mod arc;
mod ask;
mod backup;
mod dynamodb;
mod eks;
mod elb;
mod gate;
mod iam;
mod items;
mod kms;
mod route53;
mod s3;
mod sts;
mod tables;
mod xml;

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    response::Response,
};
use tokio::net::TcpListener;

use self::{
    answer::Answer,
    ask::Ask,
    gate::{Gate, Wire},
};
use super::world::{Fault, ROLE, Shared, World};
use crate::incident::{Moment, Side};

/// Longest request body that is read: a batch of 1,000 records is far below.
const BODY: usize = 1 << 20;

/// An operation of a service.
struct Operation {
    /// The service's name in the credential scope.
    service: &'static str,
    /// The operation's name in the service model.
    name: &'static str,
    /// What it does with the world of one side.
    run: fn(&Ask, Side, &mut World) -> Answer,
}

macro_rules! operations {
    ($($service:literal $name:literal => $run:path,)+) => {
        &[$(Operation { service: $service, name: $name, run: $run }),+]
    };
}

const OPERATIONS: &[Operation] = operations! {
    "acm" "DescribeCertificate" => acm::describe,
    "acm" "ListCertificates" => acm::list,
    "acm" "RequestCertificate" => acm::request,
    "backup" "ListRecoveryPointsByBackupVault" => backup::list_recovery_points,
    "backup" "StartRestoreJob" => backup::start_restore,
    "backup" "ListRestoreJobs" => backup::list_restores,
    "backup" "DescribeRestoreJob" => backup::describe_restore,
    "backup" "GetRestoreJobMetadata" => backup::restore_metadata,
    "backup" "ListBackupPlans" => backup::list_plans,
    "backup" "GetBackupPlan" => backup::get_plan,
    "dynamodb" "DeleteTable" => tables::delete_table,
    "dynamodb" "DescribeTable" => dynamodb::describe_table,
    "dynamodb" "DescribeContinuousBackups" => dynamodb::describe_continuous_backups,
    "dynamodb" "ListBackups" => dynamodb::list_backups,
    "dynamodb" "GetResourcePolicy" => dynamodb::get_resource_policy,
    "dynamodb" "GetItem" => items::get,
    "dynamodb" "PutItem" => items::put,
    "dynamodb" "Query" => dynamodb::query,
    "dynamodb" "DescribeTimeToLive" => tables::describe_time_to_live,
    "dynamodb" "ListTagsOfResource" => tables::list_tags,
    "dynamodb" "RestoreTableFromBackup" => tables::restore_from_backup,
    "dynamodb" "RestoreTableToPointInTime" => tables::restore_to_point_in_time,
    "dynamodb" "TagResource" => tables::tag,
    "dynamodb" "UpdateContinuousBackups" => tables::update_continuous_backups,
    "dynamodb" "UpdateTable" => tables::update_table,
    "dynamodb" "UpdateTimeToLive" => tables::update_time_to_live,
    "eks" "DescribeCluster" => eks::describe_cluster,
    "eks" "DescribePodIdentityAssociation" => eks::describe_association,
    "eks" "ListPodIdentityAssociations" => eks::list_associations,
    "elasticloadbalancing" "CreateListener" => elb::create_listener,
    "elasticloadbalancing" "DeleteListener" => elb::delete_listener,
    "elasticloadbalancing" "DescribeListeners" => elb::describe_listeners,
    "elasticloadbalancing" "DescribeLoadBalancers" => elb::describe_load_balancers,
    "elasticloadbalancing" "SetSecurityGroups" => elb::set_security_groups,
    "iam" "GetOpenIDConnectProvider" => iam::get_provider,
    "iam" "GetRole" => iam::get_role,
    "iam" "SimulatePrincipalPolicy" => iam::simulate,
    "kms" "DescribeKey" => kms::describe_key,
    "route53" "GetHostedZone" => route53::get_hosted_zone,
    "route53" "ListResourceRecordSets" => route53::list_records,
    "route53" "ChangeResourceRecordSets" => route53::change_records,
    "route53" "GetChange" => route53::get_change,
    "route53-recovery-cluster" "GetRoutingControlState" => arc::get_state,
    "route53-recovery-cluster" "UpdateRoutingControlStates" => arc::update_states,
    "s3" "GetBucketPolicy" => s3::get_policy,
    "s3" "GetBucketVersioning" => s3::get_versioning,
    "s3" "GetBucketReplication" => s3::get_replication,
    "s3" "ListObjectsV2" => s3::list_objects,
    "s3" "HeadBucket" => s3::head_bucket,
    "s3" "GetObject" => s3::get_object,
    "s3" "HeadObject" => s3::head_object,
    "s3" "ListObjectVersions" => s3::list_versions,
    "s3" "PutObject" => s3::put_object,
    "sts" "GetCallerIdentity" => sts::get_caller_identity,
    "sts" "AssumeRole" => sts::assume_role,
    "sts" "AssumeRoleWithWebIdentity" => sts::assume_role_with_token,
};

/// The access key that makes a caller a member of an account: practice credentials carry the account in the key.
#[must_use]
pub fn access_key(account: &str) -> String {
    format!("AKIA{account}")
}

pub use kms::arn as kms_key;

#[derive(Clone)]
struct Face {
    world: Shared,
    side: Side,
}

/// Answers for the region of a side until the listener fails.
pub async fn serve(world: Shared, side: Side, listener: TcpListener) {
    let app = Router::new()
        .fallback(handle)
        .with_state(Face { world, side });
    let app = app.into_make_service_with_connect_info::<Wire>();
    // It ends with the practice; there is nobody left to tell.
    let _ = axum::serve(Gate::new(listener), app).await;
}

async fn handle(
    State(face): State<Face>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request<Body>,
) -> Response {
    let ask = match Ask::read(request, BODY).await {
        Ok(ask) => ask,
        Err(answer) => return answer.into_response(),
    };
    let now = Moment::now();
    // The lock is gone before anything is awaited.
    let fault = face.world.lock().fault(face.side, &ask.service, now);
    match fault {
        Fault::Hang => std::future::pending().await,
        Fault::Reset => {
            wire.cut();
            Answer::empty(200).into_response()
        }
        Fault::Unavailable => {
            Answer::error(&ask, 503, "ServiceUnavailable", "Service is unavailable").into_response()
        }
        Fault::Forbidden => denied(&ask).into_response(),
        Fault::Garbage => Answer::garbage().into_response(),
        Fault::None => answer(&ask, &face, now)
            .labelled(&ask.service)
            .into_response(),
    }
}

fn answer(ask: &Ask, face: &Face, now: Moment) -> Answer {
    let mut world = face.world.lock();
    world.tick(now);
    if let Some(refused) = refuse(ask, face.side, &world) {
        return refused;
    }
    let name = ask.operation();
    let found = OPERATIONS
        .iter()
        .find(|operation| operation.service == ask.service && Some(operation.name) == name);
    match found {
        Some(operation) => {
            let answer = (operation.run)(ask, face.side, &mut world);
            if answer.is_good() && ask.changes() {
                let (region, service) = (&world.side(face.side).name, &ask.service);
                let change = format!("{region} {service}:{} {}", operation.name, ask.subject());
                world.changes.push(change);
            }
            answer
        }
        None => Answer::error(
            ask,
            400,
            "UnknownOperationException",
            "The practice region does not know this operation",
        ),
    }
}

/// What every service checks before it looks at the request.
fn refuse(ask: &Ask, side: Side, world: &World) -> Option<Answer> {
    let region = world.side(side);
    let by = |xml: &'static str, json: &'static str| if ask.json() { json } else { xml };
    if ask.service.is_empty() {
        let code = "MissingAuthenticationToken";
        return Some(Answer::error(
            ask,
            403,
            code,
            "Request is missing Authentication Token",
        ));
    }
    if ask.token.as_deref() == Some("expired") {
        let code = by("ExpiredToken", "ExpiredTokenException");
        let status = if ask.json() { 400 } else { 403 };
        let said = "The security token included in the request is expired";
        return Some(Answer::error(ask, status, code, said));
    }
    if ask.operation() == Some("AssumeRoleWithWebIdentity") {
        // Nobody signs it: the token is what proves who asks.
        return None;
    }
    let Some(account) = &ask.account else {
        let code = match ask.service.as_str() {
            "s3" => "InvalidAccessKeyId",
            "dynamodb" | "backup" | "acm" | "eks" | "kms" | "route53-recovery-cluster" => {
                "UnrecognizedClientException"
            }
            _ => "InvalidClientTokenId",
        };
        let status = if ask.json() { 400 } else { 403 };
        let said = "The security token included in the request is invalid.";
        return Some(Answer::error(ask, status, code, said));
    };
    let global = matches!(ask.service.as_str(), "route53" | "iam");
    let anywhere = ask.service == "route53-recovery-cluster";
    if ask.region != region.name && !(global && ask.region == "us-east-1") && !anywhere {
        let code = by("SignatureDoesNotMatch", "InvalidSignatureException");
        let said = format!(
            "Credential should be scoped to a valid region, not '{}'.",
            ask.region
        );
        return Some(Answer::error(
            ask,
            if ask.json() { 400 } else { 403 },
            code,
            &said,
        ));
    }
    // Who someone else is, STS says; what we store, nobody else sees. DynamoDB looks in the caller's own account.
    let stranger = account != &region.account && ask.service != "sts" && ask.service != "dynamodb";
    let barred = ask
        .token
        .as_deref()
        .is_some_and(|token| token.starts_with(&format!("{ROLE}/")))
        && !as_role(ask, side, world);
    (stranger || barred).then(|| denied(ask))
}

/// Whether the Auth Service's role may do what is asked.
fn as_role(ask: &Ask, side: Side, world: &World) -> bool {
    let name = ask.operation().unwrap_or_default();
    match ask.service.as_str() {
        "dynamodb" => {
            let table = ask.value()["TableName"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let arn = world.side(side).storage.names.table_arn(&table);
            world.grants(&format!("dynamodb:{name}"), &arn)
        }
        "s3" => {
            let bucket = ask.path.first().map(String::as_str).unwrap_or_default();
            world.grants(&format!("s3:{name}"), &format!("arn:aws:s3:::{bucket}"))
        }
        _ => true,
    }
}

fn denied(ask: &Ask) -> Answer {
    let (status, code) = match ask.service.as_str() {
        "dynamodb" | "acm" | "kms" => (400, "AccessDeniedException"),
        "backup" | "eks" => (403, "AccessDeniedException"),
        _ => (403, "AccessDenied"),
    };
    let said = format!(
        "User: arn:aws:iam::{}:user/practice is not authorized to perform: {}:{}",
        ask.account.as_deref().unwrap_or("unknown"),
        ask.service,
        ask.operation().unwrap_or("unknown"),
    );
    Answer::error(ask, status, code, &said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_operations_has_no_two_rows_for_one() {
        let mut names: Vec<_> = OPERATIONS.iter().map(|op| (op.service, op.name)).collect();
        let rows = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), rows);
    }
}
