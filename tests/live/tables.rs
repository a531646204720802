//! Tables restored, repaired and looked at before anything runs on them, against the `DynamoDB` of `ministack`. It restores
//! within a region alone, so the plan here is that of a zone's outage: both sides in one region, tables of two names.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use aws_sdk_dynamodb::{
    Client,
    types::{
        BillingMode, DeleteGlobalSecondaryIndexAction, GlobalSecondaryIndexUpdate,
        ProvisionedThroughput, TableDescription, Tag,
    },
};
use relight::{
    clients::drill::{self, Ledger},
    incident::{
        Condition, Outcome, RunId, Side,
        made::{Standing, What},
    },
    plan::isolated_text,
};

use super::{
    aws::Rig,
    rig::{
        aws::region,
        eyes::Eyes,
        folder,
        script::Script,
        server::until,
        step, step_in,
        web::CLUSTER,
        world::{audit, state},
    },
};

/// How the names of restored tables end: of an empty backup, to a point in time, of a backup with data.
const ENDS: [&str; 3] = ["-empty", "-pitr", "-backup"];

/// What the names of an isolated drill's tables end in.
const STAMP: &str = "20261125t163354z";

/// Where both sides lie.
const PLACE: Side = Side::Recovery;

/// The plan of a zone's outage; the restored tables' names end so.
fn plan(rig: &Rig, end: &str, more: &str) -> PathBuf {
    rig.plan(&format!(
        "[primary]\nregion = \"{}\"\nstate_table = \"{}\"\naudit_table = \"{}\"\n[recovery]\nstate_table = \"state{end}\"\n\
         audit_table = \"audit{end}\"\n{more}",
        region(PLACE),
        state(PLACE),
        audit(PLACE),
    ))
}

/// Whether a question is about a table that is to be restored.
pub fn is_new(body: &str) -> bool {
    ENDS.iter()
        .any(|end| body.contains(&format!("state{end}")) || body.contains(&format!("audit{end}")))
}

fn dynamo<T>(rig: &Rig, work: impl AsyncFnOnce(&Client) -> T) -> T {
    rig.aws
        .with(PLACE, async |reach| work(&reach.dynamodb().await).await)
}

async fn described(client: &Client, name: &str) -> TableDescription {
    let said = client.describe_table().table_name(name).send().await;
    said.expect("a table").table.expect("described")
}

fn units(read: i64, write: i64) -> ProvisionedThroughput {
    ProvisionedThroughput::builder()
        .read_capacity_units(read)
        .write_capacity_units(write)
        .build()
        .expect("units")
}

fn wanted_tags() -> BTreeMap<String, String> {
    [("team", "access"), ("cost", "4 2")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// Gives the tables of before what an operator gives them and a restore drops.
fn dress(rig: &Rig) {
    dynamo(rig, async |client| {
        for name in [state(PLACE), audit(PLACE)] {
            let arn = described(client, name).await.table_arn.expect("an ARN");
            let mut call = client.tag_resource().resource_arn(arn);
            for (key, value) in wanted_tags() {
                call = call.tags(Tag::builder().key(key).value(value).build().expect("a tag"));
            }
            call.send().await.expect("tags");
            client
                .create_backup()
                .table_name(name)
                .backup_name("with data")
                .send()
                .await
                .expect("a backup");
        }
        client
            .update_table()
            .table_name(state(PLACE))
            .billing_mode(BillingMode::Provisioned)
            .provisioned_throughput(units(40, 20))
            .deletion_protection_enabled(true)
            .send()
            .await
            .expect("capacity and protection");
    });
}

/// Takes more away than this server's restore does: the index, and capacity.
fn strip(rig: &Rig, end: &str) {
    dynamo(rig, async |client| {
        let gone = DeleteGlobalSecondaryIndexAction::builder()
            .index_name("timesearchV2")
            .build()
            .expect("an index");
        client
            .update_table()
            .table_name(format!("audit{end}"))
            .global_secondary_index_updates(
                GlobalSecondaryIndexUpdate::builder().delete(gone).build(),
            )
            .send()
            .await
            .expect("the index gone");
        client
            .update_table()
            .table_name(format!("state{end}"))
            .provisioned_throughput(units(5, 5))
            .send()
            .await
            .expect("less capacity");
    });
    until("the index to be gone", || {
        let audit = dynamo(rig, async |client| {
            described(client, &format!("audit{end}")).await
        });
        audit.global_secondary_indexes().is_empty().then_some(())
    });
}

/// What `DynamoDB` itself says of a repaired table.
async fn whole(client: &Client, name: &str) {
    let table = described(client, name).await;
    let ttl = client.describe_time_to_live().table_name(name).send().await;
    let ttl = ttl
        .expect("told")
        .time_to_live_description
        .expect("described");
    assert_eq!(ttl.attribute_name(), Some("Expires"), "{name}: {ttl:?}");
    let status = ttl.time_to_live_status.as_ref().map(ToString::to_string);
    assert!(
        matches!(status.as_deref(), Some("ENABLED" | "ENABLING")),
        "{name}: {ttl:?}"
    );
    let backups = client
        .describe_continuous_backups()
        .table_name(name)
        .send()
        .await;
    let backups = backups.expect("told").continuous_backups_description;
    let pitr = backups.and_then(|told| told.point_in_time_recovery_description);
    let pitr = pitr.expect("described").point_in_time_recovery_status;
    assert_eq!(
        pitr.expect("a status").as_str(),
        "ENABLED",
        "point-in-time recovery of {name}"
    );
    let arn = table.table_arn().expect("an ARN");
    let tags = client
        .list_tags_of_resource()
        .resource_arn(arn)
        .send()
        .await;
    let tags: BTreeMap<_, _> = tags
        .expect("told")
        .tags()
        .iter()
        .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
        .collect();
    assert_eq!(tags, wanted_tags(), "tags of {name}");
}

fn judged(path: &Path, condition: Condition) -> (Outcome, String) {
    let mut eyes = Eyes::open(path, &["table"]);
    eyes.look();
    let finding = eyes.judge(condition);
    (finding.outcome, finding.sentence)
}

fn told(path: &Path, name: &str, words: &[&str]) {
    let (told, fine) = step(path, name, false);
    assert!(fine, "{told}");
    for word in words {
        assert!(told.contains(word), "no {word:?} in\n{told}");
    }
}

/// Restores by both of `DynamoDB`'s own calls, repairs what the first one made, and looks whose tables they are.
pub fn restored_and_repaired(rig: &Rig) {
    // The only backup there is was made before Teleport wrote anything: restored, it is nobody's table.
    let path = plan(rig, ENDS[0], "restore_from = \"backups\"\n");
    let (told, fine) = step(&path, "restore-tables", false);
    assert!(
        !fine && told.contains("WRONG TABLE: it holds no host authority"),
        "{told}"
    );
    assert_eq!(judged(&path, Condition::RightTable).0, Outcome::Fail);
    dress(rig);
    for (end, only, call) in [
        (ENDS[1], "pitr", "RestoreTableToPointInTime"),
        (ENDS[2], "backups", "RestoreTableFromBackup"),
    ] {
        restored(rig, end, only, call);
    }
    repaired(rig, ENDS[1]);
}

fn restored(rig: &Rig, end: &str, only: &str, call: &str) {
    let path = plan(rig, end, &format!("restore_from = \"{only}\"\n"));
    assert_eq!(judged(&path, Condition::TablesReady).0, Outcome::Fail);
    let (dry, fine) = step(&path, "restore-tables", true);
    assert!(fine && dry.contains("nothing was changed"), "{dry}");
    assert_eq!(judged(&path, Condition::TablesReady).0, Outcome::Fail);
    let arn = format!("{call} arn:aws:dynamodb:{}:", region(PLACE));
    let there = format!("state table state{end} is ACTIVE, with the host authority");
    told(&path, "restore-tables", &[&arn, &there]);
    for condition in [Condition::TablesReady, Condition::RightTable] {
        let (outcome, why) = judged(&path, condition);
        assert_eq!(outcome, Outcome::Pass, "{condition}: {why}");
    }
    let same = "the primary's row is the very same object";
    told(&path, "check-state-table", &[same]);
    // A second run finds its own work.
    let keeps = format!("keep state{end}: it is there");
    told(&path, "restore-tables", &[&keeps]);
}

fn repaired(rig: &Rig, end: &str) {
    strip(rig, end);
    let path = plan(rig, end, "");
    let (outcome, why) = judged(&path, Condition::TablesRepaired);
    assert_eq!(outcome, Outcome::Fail, "{why}");
    let edits = [
        "UpdateTable state-pitr: billing PROVISIONED 40 read 20 write",
        "UpdateTimeToLive state-pitr: on, by Expires",
        "UpdateTable state-pitr: stream NEW_IMAGE",
        "UpdateContinuousBackups state-pitr: point-in-time recovery on",
        "UpdateTable state-pitr: deletion protection on",
        "TagResource state-pitr",
        "UpdateTable audit-pitr: create index timesearchV2",
        "UpdateTimeToLive audit-pitr: on, by Expires",
        "UpdateContinuousBackups audit-pitr: point-in-time recovery on",
        "TagResource audit-pitr",
    ];
    let (dry, fine) = step(&path, "repair-tables", true);
    assert!(fine && dry.contains("nothing was changed"), "{dry}");
    assert_eq!(judged(&path, Condition::TablesRepaired).0, Outcome::Fail);
    told(
        &path,
        "repair-tables",
        &[&edits[..], &["10 edits made"]].concat(),
    );
    dynamo(rig, async |client| {
        for name in ["state-pitr", "audit-pitr"] {
            whole(client, name).await;
        }
        let state = described(client, "state-pitr").await;
        let stream = state.stream_specification().expect("a stream");
        assert!(stream.stream_enabled(), "{stream:?}");
        let view = stream.stream_view_type().expect("a view");
        assert_eq!(view.as_str(), "NEW_IMAGE");
        assert_eq!(state.deletion_protection_enabled(), Some(true));
        let paid = state.provisioned_throughput().expect("capacity");
        assert_eq!(
            (paid.read_capacity_units(), paid.write_capacity_units()),
            (Some(40), Some(20))
        );
        let audit = described(client, "audit-pitr").await;
        assert_ne!(audit.deletion_protection_enabled(), Some(true));
        let [index] = audit.global_secondary_indexes() else {
            unreachable!("{audit:?}")
        };
        let keys: Vec<_> = index
            .key_schema()
            .iter()
            .map(|key| (key.attribute_name(), key.key_type().as_str()))
            .collect();
        assert_eq!(keys, [("CreatedAtDate", "HASH"), ("CreatedAt", "RANGE")]);
    });
    until("the tables to be judged repaired", || {
        (judged(&path, Condition::TablesRepaired).0 == Outcome::Pass).then_some(())
    });
    told(&path, "repair-tables", &["0 edits made"]);
}

/// An isolated drill beside restored tables, which are the real ones here: restores its own, tags them, and takes down
/// those alone, one of them protected, whatever else its list says.
pub fn drilled(rig: &Rig) {
    let end = ENDS[2];
    let real = plan(
        rig,
        end,
        "restore_from = \"pitr\"\n[recovery.kube]\ncontext = \"west\"\n",
    );
    let text = std::fs::read_to_string(&real).expect("a plan");
    let folder = folder(rig.dir.path(), "drill");
    let path = folder.join("plan.toml");
    std::fs::write(&path, isolated_text(&text, &real, STAMP)).expect("written");
    let own = ["state", "audit"].map(|name| format!("{name}{end}-drill-{STAMP}"));
    let run = |name: &str| {
        let (told, fine) = step_in(&path, name, false, &folder);
        assert!(fine, "{told}");
        told
    };
    let said = run("restore-tables");
    for name in &own {
        assert!(
            said.contains(&format!("{name}: tagged relight-drill={STAMP}")),
            "{said}"
        );
    }
    let said = run("check-state-table");
    assert!(said.contains("no trusted clusters"), "{said}");
    dynamo(rig, async |client| {
        let call = client.update_table().table_name(&own[0]);
        let call = call.deletion_protection_enabled(true).send().await;
        call.expect("protected");
    });
    let by = RunId::parse("restore-tables-1-7").expect("an id");
    let mut ledger = Ledger::read(&folder).expect("drill.json");
    assert_eq!(ledger.things.len(), 2, "{ledger:?}");
    // A table that is listed and has no tag: somebody's own.
    let other = format!("state{end}");
    ledger.note(What::Table, &other, &by).expect("noted");
    let said = run("teardown");
    assert!(
        said.contains(&format!(
            "table {other} stays: it has no tag relight-drill={STAMP}"
        )),
        "{said}"
    );
    let stands = |name: &str| {
        rig.aws.with(PLACE, async |reach| {
            drill::table(reach, name, STAMP).await.expect("told")
        })
    };
    for name in &own {
        assert_eq!(stands(name), Standing::Gone, "{name}");
    }
    for name in [&other, &format!("audit{end}"), state(PLACE), audit(PLACE)] {
        assert!(matches!(stands(name), Standing::Foreign(_)), "{name}");
    }
}

#[test]
#[ignore = "tests/live/run"]
fn a_drill_takes_down_its_own_tables_and_no_others() {
    let rig = Rig::new();
    restored_and_repaired(&rig);
    drilled(&rig);
}

#[test]
#[ignore = "tests/live/run"]
fn tables_are_restored_repaired_and_read_back() {
    let rig = Rig::new();
    restored_and_repaired(&rig);
}

#[test]
#[ignore = "tests/live/run"]
fn a_table_of_another_cluster_is_the_wrong_one_and_nothing_gets_past_it() {
    let rig = Rig::new();
    let path = rig.plan("");
    told(
        &path,
        "check-state-table",
        &[&format!("the host authority of {CLUSTER} is there")],
    );
    let (outcome, why) = judged(&path, Condition::RightTable);
    assert_eq!(outcome, Outcome::Pass, "{why}");

    let wrong = rig.plan("[cluster]\nname = \"another.example.com\"\n");
    let (said, fine) = step(&wrong, "check-state-table", false);
    assert!(!fine, "{said}");
    for words in [
        "no host authority of another.example.com",
        &format!("it holds that of {CLUSTER}"),
        "Correct state_table in [recovery]",
    ] {
        assert!(said.contains(words), "no {words:?} in\n{said}");
    }
    let (outcome, why) = judged(&wrong, Condition::RightTable);
    assert_eq!(outcome, Outcome::Fail, "{why}");
    assert!(
        why.contains("WRONG TABLE") && why.contains(CLUSTER),
        "{why}"
    );
    // Neither kept nor restored over.
    let (said, fine) = step(&wrong, "restore-tables", false);
    assert!(!fine && said.contains(CLUSTER), "{said}");
    let script = Script::new(&wrong);
    script.refused(
        &["run", "check-state-table", "--wait", "0"],
        "Restore tables",
    );
    script.refused(&["run", "install", "--yes", "--wait", "0"], "is locked");
}
