//! Every call that Relight makes to AWS, and what answers it: held against what was really called, against what the
//! practice serves, and the practice against the service models.

use std::{collections::BTreeSet, path::Path, process::Command};

use relight::{
    incident::{Fact, Side, Subject},
    plan,
    practice::{self, world::controls::Controls},
};
use serde_json::{Value, json};

use super::{
    aws::{PROBES, Rig},
    rig::{
        self,
        aws::ACCOUNT,
        eyes::Eyes,
        kube::{ControlPlane, kubeconfig},
        provision, step,
        web::NEW,
        world,
    },
};

/// Service, operation, and whether `ministack` answers it with what was put there. Where it does not, the practice's
/// answer is held against the service model alone.
const CALLS: &[(&str, &str, bool)] = &[
    ("acm", "DescribeCertificate", true),
    ("acm", "ListCertificates", true),
    ("acm", "RequestCertificate", true),
    // Restore jobs it knows of none.
    ("backup", "DescribeRestoreJob", false),
    ("backup", "GetBackupPlan", true),
    ("backup", "GetRestoreJobMetadata", false),
    ("backup", "ListBackupPlans", true),
    // Answered, and always with an empty list.
    ("backup", "ListRecoveryPointsByBackupVault", false),
    ("backup", "ListRestoreJobs", false),
    ("backup", "StartRestoreJob", false),
    ("dynamodb", "DeleteTable", true),
    ("dynamodb", "DescribeContinuousBackups", true),
    ("dynamodb", "DescribeTable", true),
    ("dynamodb", "DescribeTimeToLive", true),
    ("dynamodb", "GetItem", true),
    ("dynamodb", "GetResourcePolicy", true),
    ("dynamodb", "ListBackups", true),
    ("dynamodb", "ListTagsOfResource", true),
    ("dynamodb", "PutItem", true),
    ("dynamodb", "Query", true),
    ("dynamodb", "RestoreTableFromBackup", true),
    ("dynamodb", "RestoreTableToPointInTime", true),
    ("dynamodb", "TagResource", true),
    ("dynamodb", "UpdateContinuousBackups", true),
    ("dynamodb", "UpdateTable", true),
    ("dynamodb", "UpdateTimeToLive", true),
    ("eks", "DescribeCluster", true),
    ("eks", "DescribePodIdentityAssociation", true),
    ("eks", "ListPodIdentityAssociations", true),
    ("elasticloadbalancing", "CreateListener", true),
    ("elasticloadbalancing", "DeleteListener", true),
    ("elasticloadbalancing", "DescribeListeners", true),
    ("elasticloadbalancing", "DescribeLoadBalancers", true),
    ("elasticloadbalancing", "SetSecurityGroups", true),
    ("iam", "GetOpenIDConnectProvider", true),
    ("iam", "GetRole", true),
    ("iam", "SimulatePrincipalPolicy", true),
    ("kms", "DescribeKey", true),
    ("route53", "ChangeResourceRecordSets", true),
    ("route53", "GetChange", true),
    ("route53", "GetHostedZone", true),
    ("route53", "ListResourceRecordSets", true),
    ("route53-recovery-cluster", "GetRoutingControlState", false),
    (
        "route53-recovery-cluster",
        "UpdateRoutingControlStates",
        false,
    ),
    ("s3", "GetBucketPolicy", true),
    ("s3", "GetBucketReplication", true),
    ("s3", "GetBucketVersioning", true),
    ("s3", "GetObject", true),
    ("s3", "HeadBucket", true),
    ("s3", "HeadObject", true),
    ("s3", "ListObjectVersions", true),
    ("s3", "ListObjectsV2", true),
    ("s3", "PutObject", true),
    ("sts", "AssumeRole", true),
    ("sts", "AssumeRoleWithWebIdentity", true),
    ("sts", "GetCallerIdentity", true),
];

/// Made by `restore-tables` where there are recovery points, of which `ministack` keeps none.
const OF_JOBS: &[&str] = &[
    "DescribeRestoreJob",
    "GetRestoreJobMetadata",
    "ListRestoreJobs",
    "StartRestoreJob",
];

/// Made by `route-by-arc` at an ARC cluster's endpoints, which `ministack` does not have.
const OF_ARC: &[&str] = &["GetRoutingControlState", "UpdateRoutingControlStates"];

fn known() -> BTreeSet<(String, String)> {
    CALLS
        .iter()
        .map(|(service, name, _)| ((*service).to_owned(), (*name).to_owned()))
        .collect()
}

/// Service and operation of a call, by each service's own convention.
fn operation([_, target, request, body]: &[String; 4]) -> (String, String) {
    let mut words = request.split(' ');
    let (method, url) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let asks = |name: &str| {
        query
            .split('&')
            .any(|pair| pair == name || pair == format!("{name}="))
    };
    let (service, name) = match (method, parts.as_slice()) {
        _ if target.starts_with("DynamoDB_") => {
            ("dynamodb", target.split('.').nth(1).unwrap_or_default())
        }
        _ if target.starts_with("CertificateManager.") => {
            ("acm", target.split('.').nth(1).unwrap_or_default())
        }
        _ if target.starts_with("TrentService.") => {
            ("kms", target.split('.').nth(1).unwrap_or_default())
        }
        ("POST", []) => {
            let action = body
                .split('&')
                .find_map(|pair| pair.strip_prefix("Action="));
            // Those that are asked by forms are told apart by the versions of their APIs.
            let service = if body.contains("Version=2010-05-08") {
                "iam"
            } else if body.contains("Version=2015-12-01") {
                "elasticloadbalancing"
            } else {
                "sts"
            };
            (service, action.unwrap_or_default())
        }
        ("GET", ["clusters", _]) => ("eks", "DescribeCluster"),
        ("GET", ["clusters", _, "pod-identity-associations"]) => {
            ("eks", "ListPodIdentityAssociations")
        }
        ("GET", ["clusters", _, "pod-identity-associations", _]) => {
            ("eks", "DescribePodIdentityAssociation")
        }
        ("GET", ["backup-vaults", _, "recovery-points"]) => {
            ("backup", "ListRecoveryPointsByBackupVault")
        }
        ("GET", ["backup", "plans"]) => ("backup", "ListBackupPlans"),
        ("GET", ["backup", "plans", _]) => ("backup", "GetBackupPlan"),
        ("GET", [_, "hostedzone", _]) => ("route53", "GetHostedZone"),
        ("GET", [_, "hostedzone", _, "rrset"]) => ("route53", "ListResourceRecordSets"),
        ("POST", [_, "hostedzone", _, "rrset"]) => ("route53", "ChangeResourceRecordSets"),
        ("GET", [_, "change", _]) => ("route53", "GetChange"),
        ("HEAD", [_]) => ("s3", "HeadBucket"),
        ("GET", [_]) if asks("policy") => ("s3", "GetBucketPolicy"),
        ("GET", [_]) if asks("versions") => ("s3", "ListObjectVersions"),
        ("GET", [_]) if asks("versioning") => ("s3", "GetBucketVersioning"),
        ("GET", [_]) if asks("replication") => ("s3", "GetBucketReplication"),
        ("GET", [_]) if query.contains("list-type=2") => ("s3", "ListObjectsV2"),
        ("HEAD", [_, _, ..]) => ("s3", "HeadObject"),
        ("GET", [_, _, ..]) => ("s3", "GetObject"),
        ("PUT", [_, _, ..]) => ("s3", "PutObject"),
        _ => ("unknown", request.as_str()),
    };
    (service.to_owned(), name.to_owned())
}

#[test]
#[ignore = "tests/live/run"]
fn the_calls_that_are_made_are_those_listed_and_no_value_is_ever_asked_for() {
    let rig = Rig::new();
    let role = format!("arn:aws:iam::{ACCOUNT}:role/relight");
    let path = rig.plan(&format!(
        "[recovery]\nrole = \"{role}\"\n[dns]\nnew = [\"{}\"]\n[black_box]\ncopy_to = \"s3://{}/black-box\"\n",
        NEW.0,
        world::bucket(Side::Recovery)
    ));
    let mut eyes = Eyes::open(&path, &PROBES);
    eyes.look();
    for name in ["verify-backups", "record-black-box", "switch-dns"] {
        let (told, fine) = step(&path, name, false);
        assert!(fine, "{told}");
    }
    let plane = rights(&rig, &role);
    super::barrier::shut(&rig);
    super::barrier::reopened(&rig, &plane);
    super::tables::restored_and_repaired(&rig);
    super::tables::drilled(&rig);
    super::shared::by_two(&rig);
    let calls: Vec<_> = Side::BOTH
        .iter()
        .flat_map(|side| rig.aws.calls(*side))
        .collect();
    let made: BTreeSet<_> = calls.iter().map(operation).collect();
    let mut wanted = known();
    wanted.retain(|(_, name)| ![OF_JOBS, OF_ARC].concat().contains(&name.as_str()));
    assert_eq!(made, wanted);
    for call in &calls {
        let [status, target, request, body] = call;
        // Only the recovery's bucket has no rules of replication, neither it nor the tables have a policy, and tables
        // that are restored were not there before.
        let absent = ["replication", "?policy"]
            .iter()
            .any(|what| request.contains(what));
        let asks = target.contains(".Describe") || target.ends_with(".Query");
        // The first bytes of a recording are a part of it.
        let part = status == "206" && request.contains("x-id=GetObject");
        let fine = status == "200"
            || part
            || (status == "404" && absent)
            || (status == "400" && target.ends_with("GetResourcePolicy"))
            // Somebody else was first.
            || (status == "400" && target.ends_with("PutItem"))
            || (status == "400" && asks && super::tables::is_new(body));
        assert!(fine, "{call:?}");
        if target.ends_with(".Query") {
            let fine = body.contains("incident = :incident")
                || body.contains("FullPath, #Timestamp")
                || body.contains("FullPath, Revision")
                || body.contains(r#"ProjectionExpression\":\"CreatedAt\""#);
            assert!(fine && !body.contains("Value,"), "{body}");
            // Of the rows with private keys, key and revision alone.
            let of_keys = body.contains("authorities");
            assert!(!of_keys || body.contains("FullPath, Revision"), "{body}");
        }
    }
    let Some(Fact::Identity(who)) = eyes.of(&Subject::Identity(Side::Recovery)).fresh() else {
        unreachable!("{:?}", eyes.of(&Subject::Identity(Side::Recovery)))
    };
    assert!(
        who.arn.contains(":assumed-role/relight/relight"),
        "{}",
        who.arn
    );
    assert!(who.expires.is_some(), "credentials of a role end");
}

/// Looks at rights in each of the ways that there are, and asks for a certificate; gives the cluster that it was of.
fn rights(rig: &Rig, operator: &str) -> ControlPlane {
    let key = rig.aws.with(Side::Recovery, async |reach| {
        let trust = provision::trust("teleport-cluster");
        let policy = provision::policy(&["us-west-2"]);
        provision::role(reach, &trust, &policy).await;
        provision::associate(reach).await;
        let made = reach.kms().await.create_key().send().await;
        let made = made.expect("a key").key_metadata.expect("of a key");
        made.arn.expect("its ARN")
    });
    let folder = rig.dir.path();
    let plane = ControlPlane::start(Side::Recovery, folder);
    kubeconfig(&folder.join("kubeconfig"), &[&plane]);
    provision::account(&plane);
    // As the role; by Pod Identity; and with nobody but EKS to say who issues the cluster's tokens.
    for (annotation, context) in [
        (provision::annotation(), "recovery"),
        (String::new(), "recovery"),
        (provision::annotation(), "nowhere"),
    ] {
        let values = format!("clusterName: teleport.example.com\n{annotation}");
        std::fs::write(folder.join("values.yaml"), values).expect("values");
        let path = rig.plan(&format!(
            "[cluster]\nvalues = \"values.yaml\"\n[recovery]\nrole = \"{operator}\"\nkms_keys = [\"{key}\"]\n[recovery.kube]\n\
             context = \"{context}\"\nkubeconfig = \"kubeconfig\"\neks_cluster = \"{}\"\n",
            provision::CLUSTER
        ));
        let (told, fine) = step(&path, "check-rights", false);
        assert!(fine && told.contains("actions granted"), "{told}");
        // What else is missing there is none of this test's business.
        let (told, _) = step(&path, "check-prerequisites", false);
        let asked = told.lines().find(|line| line.contains(&key));
        assert!(asked.is_some_and(|line| line.contains("  ok ")), "{told}");
        for name in ["check-certificate", "request-certificate"] {
            let (told, fine) = step(&path, name, false);
            assert!(fine, "{told}");
        }
    }
    plane
}

#[test]
#[ignore = "tests/live/run"]
fn the_practice_serves_every_call() {
    let served: BTreeSet<_> = operations()
        .into_iter()
        .map(|[service, name]| (service, name))
        .collect();
    assert_eq!(served, known());
}

/// The rows of the practice's table of operations.
fn operations() -> Vec<[String; 2]> {
    let source = include_str!("../../src/practice/aws/mod.rs");
    let rows: Vec<_> = source
        .lines()
        .filter_map(|line| {
            let (names, _) = line.trim().strip_prefix('"')?.split_once("\" =>")?;
            let (service, name) = names.split_once("\" \"")?;
            Some([service.to_owned(), name.to_owned()])
        })
        .collect();
    assert!(rows.len() >= 17, "{rows:?}");
    rows
}

/// Holds a region's raw answers against the service models; gives what the validator printed and whether it is content.
fn held(dir: &Path, request: &Value) -> (String, bool) {
    let file = dir.join("request.json");
    std::fs::write(&file, request.to_string()).expect("a file");
    let done = validator(&[file.as_os_str()]);
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&done.stderr).into_owned();
    (text + &wrong, done.status.success())
}

/// What the validator is to know of a side of a plan.
fn request(path: &Path, side: Side, key: &str) -> Value {
    let plan = plan::load(path).expect("a plan");
    let region = plan.side(side);
    let state = plan.primary.state_table.as_deref().expect("planned");
    let from = &plan.primary.region;
    json!({
        "endpoint": region.endpoints.values().next().expect("planned"),
        "region": region.region,
        "key": key,
        "state_table": region.state_table,
        "audit_table": region.audit_table,
        "bucket": region.bucket,
        "vault": region.backup_vault,
        "table_arn": format!("arn:aws:dynamodb:{from}:{ACCOUNT}:table/{state}"),
        "zone": plan.dns.zone_id,
        "cluster": plan.side(side).kube.context,
        "role": format!("arn:aws:iam::{ACCOUNT}:role/teleport-auth"),
        "provider": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.{}.amazonaws.com/id/PRACTICE", region.region),
        "token": format!("practice.{side}.{}.{}", plan.cluster.namespace, plan.cluster.release),
        "kms_key": practice::aws::kms_key(&region.region, ACCOUNT),
        "name": plan.cluster.name,
        "controls": Side::BOTH.map(|side| Controls::arn(ACCOUNT, side)),
        "operations": operations(),
    })
}

#[test]
#[ignore = "tests/live/run"]
fn the_practice_answers_in_the_shapes_of_the_service_models() {
    for scenario in practice::world::Scenario::names() {
        let dir = tempfile::tempdir().expect("a folder");
        let program = Path::new(env!("CARGO_BIN_EXE_relight"));
        let ready = practice::start_by(program, dir.path(), scenario).expect("a practice");
        let key = practice::aws::access_key(ACCOUNT);
        // A primary that is lost in the scenario gives no answers to hold.
        let sides: &[Side] = if scenario == "calm" {
            &Side::BOTH
        } else {
            &[Side::Recovery]
        };
        for side in sides {
            let mut asked = request(&ready.plan, *side, &key);
            // Where Route 53 is down, it gives none either.
            if scenario == "route53-down" {
                let all = asked["operations"].as_array_mut().expect("a list");
                all.retain(|one| one[0] != "route53");
            }
            let (told, fine) = held(dir.path(), &asked);
            assert!(fine, "{scenario}, {side}:\n{told}");
            assert!(told.ends_with("answers, 0 findings\n"), "{told}");
        }
        practice::stop(dir.path()).expect("stopped");
    }
}

/// `ministack` is held against the same models: what it does differently is a note in its log, not a failure of ours.
#[test]
#[ignore = "tests/live/run"]
fn the_validator_reads_ministack_too_and_finds_faults_where_there_are_some() {
    let rig = Rig::new();
    let (told, _) = held(
        rig.dir.path(),
        &request(&rig.plan(""), Side::Recovery, ACCOUNT),
    );
    let last = told.lines().last().unwrap_or_default();
    assert!(last.contains(" answers, "), "{told}");
    std::fs::write(rig::cache().join("ministack-shapes.txt"), &told).expect("a note");
    let done = validator(&["--check".as_ref()]);
    let told = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

fn validator(args: &[&std::ffi::OsStr]) -> std::process::Output {
    Command::new(rig::cache().join("aws/bin/python"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/aws_shapes.py"))
        .args(args)
        .output()
        .expect("python")
}
