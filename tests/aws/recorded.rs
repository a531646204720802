//! Bodies recorded from `ministack` 1.5.33, and bodies that no service should send.

use std::sync::Arc;

use relight::{
    clients::aws::{
        Aws, identity, recordings,
        tables::{Asked, Measured, fetch},
        vault, zone,
    },
    incident::{FailureKind, Moment, RunId, Side, StepId, TableRole},
    step::{self, Context, StepError},
};

use super::{
    canned::{Rule, plan, rule, serve},
    rig::look,
};

macro_rules! body {
    ($name:literal) => {
        include_str!(concat!("../fixtures/aws/", $name))
    };
}

#[tokio::test]
async fn a_table_is_read_from_recorded_answers() {
    let url = serve(vec![
        rule(
            "DynamoDB_20120810.DescribeTable",
            200,
            body!("table-audit.json"),
        ),
        rule(
            "DynamoDB_20120810.DescribeContinuousBackups",
            200,
            body!("continuous-backups.json"),
        ),
        rule("DynamoDB_20120810.ListBackups", 200, body!("backups.json")),
        rule(
            "\"IndexName\":\"timesearchV2\"",
            200,
            body!("query-event.json"),
        ),
        rule("teleport/authservers/", 200, body!("query-presence.json")),
        rule(
            "FullPath = :p",
            200,
            r#"{"Items":[{"FullPath":{"S":"teleport/authorities/host/teleport.example.com"},"Revision":{"S":"r1"}}],"Count":1,"ScannedCount":1}"#,
        ),
    ])
    .await;
    let dir = tempfile::tempdir().expect("a folder");
    let aws = Aws::new(&plan(dir.path(), &url, "Z1"));
    let reach = aws.side(Side::Recovery);
    for (role, newest) in [
        (TableRole::State, 1_795_478_400),
        (TableRole::Audit, 1_795_478_300),
    ] {
        let table = look(reach, "teleport-audit", role).await.expect("read");
        assert_eq!(table.status, "ACTIVE");
        assert_eq!(table.indexes, ["timesearchV2"]);
        assert_eq!(table.newest, Ok(Some(Moment::from_secs(newest))));
        assert!(table.pitr.is_ok_and(|pitr| pitr.enabled));
        let own = table.authority.map(|found| found.own);
        let revision = own.map(|own| own.and_then(|own| own.revision));
        assert_eq!(
            revision.ok().flatten().as_deref(),
            (role == TableRole::State).then_some("r1")
        );
        let backups = table.backups.expect("read");
        assert_eq!(
            (backups[0].name.as_str(), backups[0].kind.as_str()),
            ("by-hand", "USER")
        );
    }
}

#[tokio::test]
async fn a_part_that_fails_leaves_the_rest() {
    let denied = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"}"#;
    let url = serve(vec![
        rule(
            "DynamoDB_20120810.DescribeTable",
            200,
            body!("table-state.json"),
        ),
        rule("DynamoDB_20120810.DescribeContinuousBackups", 400, denied),
        rule("DynamoDB_20120810.ListBackups", 200, "not json"),
        rule(
            "DynamoDB_20120810.Query",
            200,
            r#"{"Count":0,"Items":[],"ScannedCount":0}"#,
        ),
    ])
    .await;
    let dir = tempfile::tempdir().expect("a folder");
    let aws = Aws::new(&plan(dir.path(), &url, "Z1"));
    let table = look(aws.side(Side::Recovery), "t", TableRole::State)
        .await
        .expect("read");
    assert_eq!(
        table.pitr.map_err(|failure| failure.kind),
        Err(FailureKind::Forbidden)
    );
    assert_eq!(
        table.backups.map_err(|failure| failure.kind),
        Err(FailureKind::Garbage)
    );
    assert_eq!(table.newest, Ok(None));
}

#[tokio::test]
async fn bucket_zone_identity_and_plans_are_read_from_recorded_answers() {
    let url = serve(vec![
        rule("/rec-primary/?versioning", 200, body!("versioning.xml")),
        rule("/rec-primary?versioning", 200, body!("versioning.xml")),
        rule("?replication", 200, body!("replication.xml")),
        rule("list-type=2", 200, body!("objects.xml")),
        rule("HEAD ", 200, ""),
        rule("/rrset?", 200, body!("record-sets.xml")),
        rule("/hostedzone/", 200, body!("hosted-zone.xml")),
        rule("GetCallerIdentity", 200, body!("caller-identity.xml")),
        rule("GET /backup/plans/f", 200, body!("backup-plan.json")),
        rule("GET /backup/plans", 200, body!("backup-plans.json")),
    ])
    .await;
    let dir = tempfile::tempdir().expect("a folder");
    let aws = Aws::new(&plan(dir.path(), &url, "Z1"));
    let reach = aws.side(Side::Primary);
    let seen = recordings::fetch(reach, "rec-primary", None)
        .await
        .expect("read");
    assert_eq!(seen.versioning.as_deref(), Ok("Enabled"));
    let rules = seen.replication.expect("read");
    assert!(rules[0].enabled && rules[0].kms && !rules[0].delete_markers);
    assert_eq!(seen.newest.expect("read")[0].key, "6f1c.tar");

    let names = ["*.tele.example.com".to_owned()];
    let seen = zone::fetch(aws.zone(), "Z1", &names).await.expect("read");
    assert_eq!(seen.nameservers.len(), 4);
    assert_eq!(seen.records[0].values, ["old.elb.example"]);

    let who = identity::fetch(reach).await.expect("read");
    assert_eq!(who.account, "111122223333");
    let rules = vault::fetch_schedules(reach, "dr").await.expect("read");
    assert_eq!(rules[0].expression, "cron(0 * ? * * *)");
}

#[tokio::test]
async fn what_no_service_should_send_is_never_a_fact() {
    use FailureKind as K;
    let cases: [(u16, &str, &[FailureKind]); 6] = [
        (200, "", &[K::Garbage]),
        (200, "{}", &[K::Garbage]),
        (200, "<html>Welcome</html>", &[K::Garbage]),
        (502, "<html>Bad gateway</html>", &[K::Server]),
        (500, "", &[K::Server]),
        (403, "\u{0}\u{1b}[2J", &[K::Forbidden]),
    ];
    for (status, body, kinds) in cases {
        let url = serve(vec![rule("HTTP/1.1", status, body)]).await;
        let dir = tempfile::tempdir().expect("a folder");
        let aws = Aws::new(&plan(dir.path(), &url, "Z1"));
        let reach = aws.side(Side::Recovery);
        let failures = [
            identity::fetch(reach).await.expect_err("no identity"),
            look(reach, "t", TableRole::State)
                .await
                .expect_err("no table"),
            zone::fetch(aws.zone(), "Z1", &[])
                .await
                .expect_err("no zone"),
        ];
        for failure in failures {
            assert!(
                kinds.contains(&failure.kind),
                "{status} {body:?}: {failure}"
            );
            assert!(!failure.detail.contains('\u{1b}'), "{failure:?}");
        }
    }
}

async fn switch(url: &str) -> Result<(), StepError> {
    let dir = tempfile::tempdir().expect("a folder");
    let step = StepId::try_from("switch-dns".to_owned()).expect("a step");
    let native = step::native("switch-dns").expect("a native step");
    (native.run)(Context::new(
        Arc::new(plan(dir.path(), url, "Z1")),
        RunId::new(&step, 1, Moment::from_secs(1)),
        false,
    ))
    .await
}

fn busy() -> (u16, String) {
    let body = "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error><Type>Sender</Type><Code>PriorRequestNotComplete</Code><Message>The request was rejected because Route 53 was still processing a prior request.</Message></Error><RequestId>x</RequestId></ErrorResponse>";
    (400, body.to_owned())
}

fn zone_rules(change: Vec<(u16, String)>) -> Vec<Rule> {
    vec![
        Rule {
            when: "POST /2013-04-01/hostedzone/Z1/rrset",
            answers: change,
        },
        rule("/rrset?", 200, body!("record-sets.xml")),
        rule("/hostedzone/", 200, body!("hosted-zone.xml")),
        rule("/change/", 200, body!("change-insync.xml")),
    ]
}

#[tokio::test]
async fn a_batch_is_offered_again_while_a_prior_one_is_not_complete() {
    let accepted = (200, body!("change.xml").to_owned());
    let url = serve(zone_rules(vec![busy(), busy(), busy(), accepted])).await;
    switch(&url).await.expect("accepted at last");
}

#[tokio::test]
async fn no_answer_to_a_batch_is_not_a_no() {
    let url = serve(zone_rules(vec![(200, "<garbage".to_owned())])).await;
    let error = switch(&url).await.expect_err("no telling");
    assert!(error.0.contains("may or may not have been made"), "{error}");
}

#[tokio::test]
async fn a_measurement_outlives_a_look_that_fails_and_a_failed_one_is_not_kept() {
    let denied = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"}"#;
    let mut query = rule("DynamoDB_20120810.Query", 400, denied);
    query
        .answers
        .push((200, body!("query-presence.json").to_owned()));
    query.answers.push((400, denied.to_owned()));
    let url = serve(vec![
        rule("DynamoDB_20120810.DescribeTable", 400, denied),
        rule("DynamoDB_20120810.DescribeContinuousBackups", 400, denied),
        rule("DynamoDB_20120810.ListBackups", 400, denied),
        rule("teleport/authorities/", 400, denied),
        query,
    ])
    .await;
    let dir = tempfile::tempdir().expect("a folder");
    let aws = Aws::new(&plan(dir.path(), &url, "Z1"));
    let reach = aws.side(Side::Recovery);
    let mut measured = Measured::default();
    let asked = Asked {
        name: "t",
        role: TableRole::State,
        cluster: "tele.example.com",
    };
    // The third query would fail: it is not made, since the second look's measurement stands.
    for (secs, kept) in [(1, None), (2, Some(2)), (3, Some(2))] {
        let now = Moment::from_secs(secs);
        let look = fetch(reach, &asked, &mut measured, now);
        Box::pin(look).await.expect_err("no DescribeTable");
        let at = measured.newest.map(|(at, _)| at.secs());
        assert_eq!(at, kept, "look {secs}");
    }
}

#[tokio::test]
async fn the_newest_copy_may_be_on_the_last_page() {
    let arn = "arn:aws:dynamodb:us-east-1:111122223333:table/t";
    let point = |created: i64, more: &str| {
        format!(
            r#"{{"RecoveryPoints":[{{"RecoveryPointArn":"arn:{created}","ResourceArn":"{arn}","Status":"COMPLETED","CreationDate":{created}}}]{more}}}"#
        )
    };
    let backup = |created: i64, more: &str| {
        format!(
            r#"{{"BackupSummaries":[{{"BackupArn":"arn:aws:dynamodb:us-west-2:111122223333:table/t/backup/0123456789012{created}","BackupName":"b{created}","BackupStatus":"AVAILABLE","BackupType":"USER","BackupCreationDateTime":{created}}}]{more}}}"#
        )
    };
    let url = serve(vec![
        rule("nextToken=two", 200, &point(900, "")),
        rule("/recovery-points", 200, &point(100, r#","NextToken":"two""#)),
        rule("ExclusiveStartBackupArn", 200, &backup(900, "")),
        rule(
            "DynamoDB_20120810.ListBackups",
            200,
            &backup(
                100,
                r#","LastEvaluatedBackupArn":"arn:aws:dynamodb:us-west-2:111122223333:table/t/backup/01234567890123""#,
            ),
        ),
        rule("DynamoDB_20120810.DescribeTable", 200, body!("table-state.json")),
        rule("DynamoDB_20120810", 400, "{}"),
    ])
    .await;
    let dir = tempfile::tempdir().expect("a folder");
    let aws = Aws::new(&plan(dir.path(), &url, "Z1"));
    let reach = aws.side(Side::Recovery);
    let (points, more) = vault::fetch_points(reach, "dr", arn).await.expect("read");
    let created: Vec<i64> = points.iter().map(|point| point.created.secs()).collect();
    assert_eq!((created, more), (vec![900, 100], false));
    let table = look(reach, "t", TableRole::State).await.expect("described");
    let backups = table.backups.expect("listed");
    assert_eq!(backups[0].name, "b900");
}
