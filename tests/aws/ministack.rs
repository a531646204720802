//! The real clients against `ministack` (`pip install ministack`, `GATEWAY_PORT=4566 ministack`). Run by hand:
//! `RELIGHT_MINISTACK=http://127.0.0.1:4566 cargo test --test main ministack -- --ignored`

use std::sync::Arc;

use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use relight::{
    clients::aws::{Aws, identity, recordings, tables, zone},
    incident::{FailureKind, Moment, RunId, Side, StepId, TableRole},
    step::{Context, natives},
};

use super::canned::plan;

#[tokio::test]
#[ignore = "needs ministack, named by RELIGHT_MINISTACK"]
async fn a_zone_is_made_read_and_switched() {
    let url = std::env::var("RELIGHT_MINISTACK").expect("RELIGHT_MINISTACK=http://127.0.0.1:4566");
    let dir = tempfile::tempdir().expect("a folder");
    let client = Aws::new(&plan(dir.path(), &url, "none"))
        .zone()
        .route53()
        .await;
    let made = client
        .create_hosted_zone()
        .name("example.com")
        .caller_reference(Moment::now().to_string())
        .send()
        .await
        .expect("a zone");
    let id = made.hosted_zone().expect("a zone").id().to_owned();
    let id = id.trim_start_matches("/hostedzone/");
    let value = ResourceRecord::builder()
        .value("192.0.2.1")
        .build()
        .expect("a value");
    let set = ResourceRecordSet::builder()
        .name("tele.example.com")
        .r#type(RrType::A)
        .ttl(300)
        .resource_records(value)
        .build()
        .expect("a set");
    let change = Change::builder()
        .action(ChangeAction::Create)
        .resource_record_set(set)
        .build()
        .expect("a change");
    let batch = ChangeBatch::builder()
        .changes(change)
        .build()
        .expect("a batch");
    client
        .change_resource_record_sets()
        .hosted_zone_id(id)
        .change_batch(batch)
        .send()
        .await
        .expect("accepted");

    let plan = plan(dir.path(), &url, id);
    let step = StepId::try_from("switch-dns".to_owned()).expect("a step");
    let native = natives()
        .into_iter()
        .find(|native| native.name == "switch-dns")
        .expect("a native step");
    let context = Context::new(
        Arc::new(plan.clone()),
        RunId::new(&step, 1, Moment::from_secs(1)),
        false,
    );
    (native.run)(context).await.expect("switched");
    let seen = zone::fetch(Aws::new(&plan).zone(), id, &plan.dns.names)
        .await
        .expect("read");
    let kinds: Vec<_> = seen
        .records
        .iter()
        .map(|set| (set.name.as_str(), set.kind.as_str(), set.values[0].as_str()))
        .collect();
    let wanted = plan
        .dns
        .names
        .iter()
        .map(|name| (name.as_str(), "CNAME", "new.elb.example"));
    assert_eq!(kinds, wanted.collect::<Vec<_>>());
}

#[tokio::test]
#[ignore = "needs ministack, named by RELIGHT_MINISTACK"]
async fn identity_is_known_and_what_is_not_there_is_not_found() {
    let url = std::env::var("RELIGHT_MINISTACK").expect("RELIGHT_MINISTACK=http://127.0.0.1:4566");
    let dir = tempfile::tempdir().expect("a folder");
    let aws = Aws::new(&plan(dir.path(), &url, "none"));
    let reach = aws.side(Side::Recovery);
    let who = identity::fetch(reach).await.expect("someone");
    assert_eq!(who.account, "111122223333");
    let failure = tables::fetch(
        reach,
        "no-such-table",
        TableRole::State,
        &mut None,
        Moment::now(),
    )
    .await
    .expect_err("no table");
    assert_eq!(failure.kind, FailureKind::NotFound, "{failure}");
    let failure = recordings::fetch(reach, "no-such-bucket", None)
        .await
        .expect_err("no bucket");
    assert_eq!(failure.kind, FailureKind::NotFound, "{failure}");
}
