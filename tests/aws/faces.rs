//! Every operation, and every fault.

use std::{fmt::Write as _, time::Duration};

use relight::{
    clients::aws::{Aws, identity, recordings, vault, zone},
    incident::{FailureKind, Moment, Side, TableRole},
    practice::{aws::access_key, world::Scenario},
};

use super::rig::{CALM, calm, look, rig};

#[tokio::test]
async fn every_table_is_described_and_its_age_measured() {
    let rig = calm().await;
    let aws = Aws::new(&rig.plan);
    let began = rig.world.lock().began;
    for role in TableRole::BOTH {
        let name = rig.plan.recovery.table(role).expect("planned");
        let reach = aws.side(Side::Recovery);
        let table = look(reach, name, role).await.expect("described");
        assert_eq!((table.status.as_str(), table.restoring), ("ACTIVE", false));
        assert!(
            table
                .pitr
                .as_ref()
                .is_ok_and(|pitr| pitr.enabled && pitr.latest.is_some())
        );
        let backups = table.backups.as_ref().expect("listed");
        assert!(backups.len() == 3 && backups[0].created > backups[2].created);
        let newest = table.newest.clone().expect("measured").expect("an item");
        let behind = began.since(newest).as_secs();
        assert!((250..360).contains(&behind), "{role} is {behind} s behind");
        assert_eq!(table.indexes.is_empty(), role == TableRole::State);
        let settings = table.settings.as_ref().expect("described");
        assert_eq!(settings.ttl, Ok(Some("Expires".to_owned())));
        assert_eq!(settings.stream.is_some(), role == TableRole::State);
        assert_eq!(
            settings.tags.as_ref().map(std::collections::BTreeMap::len),
            Ok(2)
        );
        if role == TableRole::State {
            let there = table.authority.as_ref().expect("asked");
            assert!(there.own.is_some() && there.others.is_empty(), "{there:?}");
            let primary = rig.plan.primary.table(role).expect("planned");
            let theirs = look(aws.side(Side::Primary), primary, role).await;
            let theirs = theirs.expect("described").authority.expect("asked");
            assert_eq!(theirs.own, there.own, "a copy of the same object");
        }
    }
}

#[tokio::test]
async fn copies_recordings_zone_and_identity_are_read() {
    let rig = calm().await;
    let aws = Aws::new(&rig.plan);
    let reach = aws.side(Side::Recovery);
    let arn = vault::table_arn(TableRole::State, &rig.plan).expect("planned");
    let name = rig.plan.recovery.backup_vault.as_deref().expect("planned");
    let (points, more) = vault::fetch_points(reach, name, &arn)
        .await
        .expect("listed");
    assert_eq!((points.len(), more), (24, false));
    assert!(points[0].created > points[23].created && points[23].restored.is_some());
    let primary = rig.plan.primary.backup_vault.as_deref().expect("planned");
    let rules = vault::fetch_schedules(aws.side(Side::Primary), primary)
        .await
        .expect("read");
    assert_eq!(rules.len(), 1);

    let bucket = rig.plan.recovery.bucket.as_deref().expect("planned");
    let seen = recordings::fetch(reach, bucket, None).await.expect("read");
    assert_eq!(seen.versioning.as_deref(), Ok("Enabled"));
    assert_eq!(seen.replication, Ok(Vec::new()));
    let newest = seen.newest.expect("listed");
    assert!(
        newest.iter().all(|object| object.replication == "REPLICA"),
        "{newest:?}"
    );
    let bucket = rig.plan.primary.bucket.as_deref().expect("planned");
    let seen = recordings::fetch(aws.side(Side::Primary), bucket, None)
        .await
        .expect("read");
    let rules = seen.replication.expect("read");
    assert!(rules[0].enabled && rules[0].kms && rules[0].delete_markers);

    let id = rig.plan.dns.zone_id.as_deref().expect("planned");
    let zone = zone::fetch(aws.zone(), id, &rig.plan.dns.names)
        .await
        .expect("read");
    let names: Vec<_> = zone.records.iter().map(|set| set.name.as_str()).collect();
    assert_eq!(names, rig.plan.dns.names);
    assert!(!zone.nameservers.is_empty());

    let who = identity::fetch(reach).await.expect("someone");
    assert_eq!(Some(&who.account), rig.plan.recovery.account.as_ref());
    assert_eq!(who.expires, None);
}

#[tokio::test]
async fn an_assumed_role_says_when_it_ends() {
    let mut rig = calm().await;
    let account = rig.plan.recovery.account.clone().expect("planned");
    rig.plan.recovery.role = Some(format!("arn:aws:iam::{account}:role/dr-operator"));
    let aws = Aws::new(&rig.plan);
    let who = identity::fetch(aws.side(Side::Recovery))
        .await
        .expect("someone");
    assert!(
        who.arn.ends_with("assumed-role/dr-operator/relight"),
        "{}",
        who.arn
    );
    let left = who.expires.expect("an end").since(Moment::now());
    assert!(left > Duration::from_secs(3500) && left <= Duration::from_hours(1));
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let rig = calm().await;
    let aws = Aws::new(&rig.plan);
    let reach = aws.side(Side::Recovery);
    let failures = [
        look(reach, "typo", TableRole::State)
            .await
            .expect_err("no table"),
        vault::fetch_points(reach, "typo", "arn")
            .await
            .expect_err("no vault"),
        recordings::fetch(reach, "typo", None)
            .await
            .expect_err("no bucket"),
        zone::fetch(aws.zone(), "ZTYPO", &[])
            .await
            .expect_err("no zone"),
    ];
    for failure in failures {
        assert_eq!(failure.kind, FailureKind::NotFound, "{failure}");
    }
}

#[tokio::test]
async fn strangers_and_the_expired_are_told_so() {
    let token = "aws_session_token = expired";
    let calm = Scenario::parse("test", CALM).expect("calm");
    let own = access_key(&calm.recovery.account);
    for (key, token, kind) in [
        (access_key("999999999999"), "", FailureKind::Forbidden),
        ("AKIANOTOURS".to_owned(), "", FailureKind::Credentials),
        (own, token, FailureKind::Credentials),
    ] {
        let rig = rig(CALM, &key, token).await;
        let aws = Aws::new(&rig.plan);
        let reach = aws.side(Side::Recovery);
        let bucket = rig.plan.recovery.bucket.as_deref().expect("planned");
        let failure = recordings::fetch(reach, bucket, None)
            .await
            .expect_err("refused");
        assert_eq!(failure.kind, kind, "{failure}");
        let failure = vault::fetch_points(reach, "x", "arn")
            .await
            .expect_err("refused");
        assert_eq!(failure.kind, kind, "{failure}");
    }
}

#[tokio::test]
async fn missing_credentials_are_said_with_a_remedy() {
    let mut rig = calm().await;
    rig.plan.recovery.profile = Some("nobody".to_owned());
    let aws = Aws::new(&rig.plan);
    let failure = identity::fetch(aws.side(Side::Recovery))
        .await
        .expect_err("nobody");
    assert_eq!(failure.kind, FailureKind::Credentials, "{failure}");
    assert!(failure.detail.contains("us-west-2") && failure.detail.contains("renew"));
}

#[tokio::test]
async fn every_fault_of_one_side_has_its_class_and_leaves_the_other_alone() {
    let cases = [
        ("reset", FailureKind::Unreachable),
        ("unavailable", FailureKind::Server),
        ("forbidden", FailureKind::Forbidden),
        ("garbage", FailureKind::Garbage),
        ("hang", FailureKind::Timeout),
    ];
    // Each on the heap, in a task of its own: the SDK's futures are large.
    let looks = cases.map(|(fault, kind)| tokio::spawn(Box::pin(suffer(fault, kind))));
    for look in looks {
        look.await.expect("no assertion failed");
    }
}

async fn suffer(fault: &'static str, kind: FailureKind) {
    let services = ["dynamodb", "s3", "backup", "sts", "route53"];
    let mut scenario = CALM.to_owned();
    for service in services {
        let _ = write!(
            scenario,
            "[[fault]]\nside = \"primary\"\nservice = \"{service}\"\nkind = \"{fault}\"\n"
        );
    }
    let account = Scenario::parse("test", CALM).expect("calm").primary.account;
    let rig = rig(&scenario, &access_key(&account), "").await;
    let aws = Aws::new(&rig.plan);
    let reach = aws.side(Side::Primary);
    let state = rig.plan.primary.table(TableRole::State).expect("planned");
    let bucket = rig.plan.primary.bucket.as_deref().expect("planned");
    let (who, table, points, recordings, other) = tokio::join!(
        Box::pin(identity::fetch(reach)),
        look(reach, state, TableRole::State),
        Box::pin(vault::fetch_points(reach, "x", "arn")),
        Box::pin(recordings::fetch(reach, bucket, None)),
        Box::pin(identity::fetch(aws.side(Side::Recovery))),
    );
    let failures = [
        who.expect_err(fault),
        table.expect_err(fault),
        points.expect_err(fault),
        recordings.expect_err(fault),
    ];
    for failure in failures {
        assert_eq!(failure.kind, kind, "{fault}: {failure}");
        assert!(failure.detail.contains("us-east-1"), "{failure}");
    }
    other.expect("the other side answers");
}
