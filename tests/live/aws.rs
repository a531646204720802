//! The AWS probes and the steps that call AWS, against `ministack`.

use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ResourceRecordSet, RrType,
};
use relight::{
    clients::aws::{
        recordings,
        tables::{self, Asked, Measured},
    },
    incident::{
        Condition, Fact, FailureKind, Moment, Outcome, Side, Subject, Table, TableRole, Zone,
    },
};

use super::rig::{
    self,
    aws::{ACCOUNT, Aws, region},
    eyes::Eyes,
    parts,
    server::until,
    step,
    web::{CLUSTER, NEW, OLD},
    world::{self, COPIED},
};

/// The probes that ask AWS.
pub const PROBES: [&str; 5] = ["identity", "table", "vault", "recordings", "zone"];
/// What names that are to be switched are left with, in seconds.
const TTL: i64 = 30;

pub struct Rig {
    pub dir: tempfile::TempDir,
    pub aws: Aws,
}

impl Rig {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let aws = Aws::start(dir.path(), CLUSTER, OLD.0, TTL);
        Self { dir, aws }
    }

    /// A plan with what else it needs.
    pub fn plan(&self, more: &str) -> std::path::PathBuf {
        let base = format!("practice = true\n[cluster]\nname = \"{CLUSTER}\"\n");
        let parts = [parts::part(&base), self.aws.plan(), parts::part(more)];
        parts::write(self.dir.path(), parts)
    }
}

fn table(eyes: &Eyes, side: Side, role: TableRole) -> Table {
    match eyes.of(&Subject::Table(side, role)).fresh() {
        Some(Fact::Table(table)) => table.as_ref().clone(),
        other => unreachable!("{side} {role}: {other:?}"),
    }
}

fn zone(eyes: &Eyes) -> Zone {
    match eyes.of(&Subject::Zone).fresh() {
        Some(Fact::Zone(zone)) => zone.as_ref().clone(),
        other => unreachable!("{other:?}"),
    }
}

#[test]
#[ignore = "tests/live/run"]
fn every_probe_reads_both_regions() {
    let rig = Rig::new();
    let mut eyes = Eyes::open(&rig.plan(""), &PROBES);
    let began = Moment::now();
    eyes.look();
    for side in Side::BOTH {
        let Some(Fact::Identity(who)) = eyes.of(&Subject::Identity(side)).fresh() else {
            unreachable!("{:?}", eyes.of(&Subject::Identity(side)))
        };
        assert_eq!(
            (who.account.as_str(), who.region.as_str()),
            (ACCOUNT, region(side))
        );
        let age = if side == Side::Recovery {
            COPIED.as_secs()
        } else {
            0
        };
        for role in TableRole::BOTH {
            let seen = table(&eyes, side, role);
            assert_eq!(
                (seen.status.as_str(), seen.restoring),
                ("ACTIVE", false),
                "{seen:?}"
            );
            assert!(seen.replicas.is_empty(), "{seen:?}");
            let pitr = seen.pitr.expect("point-in-time recovery");
            assert!(pitr.enabled && pitr.latest.is_some(), "{pitr:?}");
            assert_eq!(seen.backups.expect("backups").len(), 1);
            let newest = seen
                .newest
                .expect("measured")
                .expect("something to measure");
            let old = began.since(newest).as_secs();
            assert!(
                (age..age + 60).contains(&old),
                "{side} {role} is {old} s old"
            );
            let indexes: &[&str] = if role == TableRole::Audit {
                &["timesearchV2"]
            } else {
                &[]
            };
            assert_eq!(seen.indexes, indexes);
        }
        let Some(Fact::Recordings(seen)) = eyes.of(&Subject::Recordings(side)).fresh() else {
            unreachable!("{:?}", eyes.of(&Subject::Recordings(side)))
        };
        assert_eq!(seen.versioning.as_deref(), Ok("Enabled"));
        let rules = seen.replication.as_ref().expect("rules");
        assert_eq!(rules.len(), usize::from(side == Side::Primary));
        assert!(
            rules
                .iter()
                .all(|rule| rule.enabled && rule.kms && rule.delete_markers)
        );
        let word = if side == Side::Primary {
            "COMPLETED"
        } else {
            "REPLICA"
        };
        let newest = seen.newest.as_ref().expect("objects");
        assert_eq!(newest.len(), world::RECORDINGS);
        assert!(
            newest.iter().all(|object| object.replication == word),
            "{newest:?}"
        );
    }
    vaults_are_read(&eyes);
    the_zone_is_read(&eyes);
    for condition in [
        Condition::PrimaryAccount,
        Condition::RecoveryAccount,
        Condition::TablesReady,
        Condition::RecordingsReady,
    ] {
        let finding = eyes.judge(condition);
        assert_eq!(
            finding.outcome,
            Outcome::Pass,
            "{condition}: {}",
            finding.sentence
        );
    }
}

fn vaults_are_read(eyes: &Eyes) {
    for role in TableRole::BOTH {
        let Some(Fact::Vault(vault)) = eyes.of(&Subject::Vault(role)).fresh() else {
            unreachable!("{:?}", eyes.of(&Subject::Vault(role)))
        };
        // It keeps none; what a vault with points looks like, the service model says.
        assert!(vault.points.is_empty());
        let schedules = vault.schedules.as_ref().expect("schedules");
        assert_eq!(schedules[0].name, "teleport hourly");
    }
}

fn the_zone_is_read(eyes: &Eyes) {
    let seen = zone(eyes);
    assert_eq!((seen.name.as_str(), seen.private), (rig::aws::ZONE, false));
    assert!(!seen.nameservers.is_empty());
    let records: Vec<_> = seen
        .records
        .iter()
        .map(|set| {
            (
                set.name.clone(),
                set.kind.clone(),
                set.ttl,
                set.values.clone(),
            )
        })
        .collect();
    let wanted = [CLUSTER.to_owned(), format!("*.{CLUSTER}")]
        .map(|name| (name, "CNAME".to_owned(), Some(TTL), vec![OLD.0.to_owned()]));
    assert_eq!(records, wanted);
}

/// The subjects that need a region.
fn subjects(side: Side) -> Vec<Subject> {
    let mut all = vec![Subject::Identity(side), Subject::Recordings(side)];
    all.extend(TableRole::BOTH.map(|role| Subject::Table(side, role)));
    if side == Side::Recovery {
        all.extend(TableRole::BOTH.map(Subject::Vault));
        all.push(Subject::Zone);
    }
    all
}

/// Looks until every subject of a region gives a fact.
fn become_fresh(eyes: &mut Eyes, side: Side) {
    until(&format!("{side} to be fresh"), || {
        eyes.look();
        subjects(side)
            .iter()
            .all(|subject| eyes.of(subject).fresh().is_some())
            .then_some(())
    });
}

/// Every subject of a region failed in this way, names the region, and is still known as it was.
fn all_lost(eyes: &Eyes, side: Side, kind: FailureKind) {
    for subject in subjects(side) {
        let reading = eyes.of(&subject);
        let failure = reading
            .failure()
            .unwrap_or_else(|| unreachable!("{subject} answers"));
        assert_eq!(failure.kind, kind, "{subject}: {failure}");
        let place = if subject == Subject::Zone {
            "us-east-1"
        } else {
            region(side)
        };
        assert!(failure.detail.contains(place), "{subject}: {failure}");
        assert!(
            reading.good.is_some(),
            "{subject} has forgotten what it saw"
        );
        assert!(reading.failing_since.is_some());
    }
}

#[test]
#[ignore = "tests/live/run"]
fn a_region_is_killed_frozen_and_back_and_the_other_never_notices() {
    let mut rig = Rig::new();
    let mut eyes = Eyes::open(&rig.plan(""), &PROBES);
    for side in Side::BOTH {
        let other = if side == Side::Primary {
            Side::Recovery
        } else {
            Side::Primary
        };
        become_fresh(&mut eyes, side);
        rig.aws.door(side).kill();
        eyes.look();
        all_lost(&eyes, side, FailureKind::Unreachable);
        become_fresh(&mut eyes, other);
        rig.aws.reopen(side);
        become_fresh(&mut eyes, side);
        rig.aws.door(side).freeze();
        eyes.look();
        all_lost(&eyes, side, FailureKind::Timeout);
        become_fresh(&mut eyes, other);
        rig.aws.door(side).thaw();
        become_fresh(&mut eyes, side);
    }
}

#[test]
#[ignore = "tests/live/run"]
fn verify_backups_tells_of_both_regions_and_does_without_the_primary() {
    let mut rig = Rig::new();
    let path = rig.plan("");
    let (told, fine) = step(&path, "verify-backups", false);
    assert!(fine, "{told}");
    for part in [
        "state table teleport-state: ACTIVE",
        "audit table teleport-audit-dr: ACTIVE",
        "newest heartbeat",
        "newest event",
        "point-in-time recovery on",
        "1 on-demand backups, newest teleport-state-dr-weekly",
        "versioning Enabled",
        "SSE-KMS objects copied, delete markers copied",
        "state copies in vault teleport: 0 recovery points",
        "account 111122223333",
    ] {
        assert!(told.contains(part), "no {part:?} in\n{told}");
    }
    rig.aws.door(Side::Primary).kill();
    let (told, fine) = step(&path, "verify-backups", false);
    assert!(fine, "{told}");
    assert!(told.contains("could not be reached"), "{told}");
    assert!(
        told.contains("state table teleport-state-dr: ACTIVE"),
        "{told}"
    );
    rig.aws.door(Side::Recovery).kill();
    let (told, fine) = step(&path, "verify-backups", false);
    assert!(
        !fine && told.contains("in us-west-2 there is neither a state table nor a copy"),
        "{told}"
    );
}

/// Where name and wildcard lead, and by which type.
fn leads(aws: &Aws) -> Vec<(String, String, Vec<String>)> {
    aws.records()
        .into_iter()
        .filter(|set| set.name.ends_with(CLUSTER))
        .map(|set| (set.name, set.kind, set.values))
        .collect()
}

fn both(kind: &str, values: &[&str]) -> Vec<(String, String, Vec<String>)> {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    let mut all = [CLUSTER.to_owned(), format!("*.{CLUSTER}")]
        .map(|name| (name, kind.to_owned(), values.clone()));
    all.sort();
    all.to_vec()
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all
}

#[test]
#[ignore = "tests/live/run"]
fn switch_dns_moves_name_and_wildcard_and_waits_for_insync() {
    let mut rig = Rig::new();
    let path = rig.plan(&format!("[dns]\nnew = [\"{}\"]\nrecord_ttl = 20\n", NEW.0));
    let (told, fine) = step(&path, "switch-dns", true);
    assert!(
        fine && told.contains("dry run: nothing was changed"),
        "{told}"
    );
    assert_eq!(sorted(leads(&rig.aws)), both("CNAME", &[OLD.0]));
    // The primary's region is gone, as it is when this step is taken.
    rig.aws.door(Side::Primary).freeze();
    let (told, fine) = step(&path, "switch-dns", false);
    assert!(fine, "{told}");
    let pending = told.find("is PENDING after").expect("PENDING first");
    let insync = told.find("is INSYNC after").expect("INSYNC in the end");
    assert!(pending < insync, "{told}");
    assert_eq!(sorted(leads(&rig.aws)), both("CNAME", &[NEW.0]));
    let ttls: Vec<_> = rig
        .aws
        .records()
        .iter()
        .filter(|set| set.name.ends_with(CLUSTER))
        .map(|set| set.ttl)
        .collect();
    assert_eq!(ttls, [Some(20); 2]);
    // Taken again it finds its own work and does no harm.
    let (told, fine) = step(&path, "switch-dns", false);
    assert!(fine, "{told}");
    assert_eq!(sorted(leads(&rig.aws)), both("CNAME", &[NEW.0]));
    rig.aws.door(Side::Recovery).kill();
    let (told, fine) = step(&path, "switch-dns", false);
    assert!(!fine && told.contains("could not be reached"), "{told}");
}

#[test]
#[ignore = "tests/live/run"]
fn a_cname_becomes_addresses_and_an_alias_becomes_a_cname_each_in_one_batch() {
    let rig = Rig::new();
    let path = rig.plan("[dns]\nnew = [\"127.41.1.7\", \"127.41.1.8\"]\n");
    let (told, fine) = step(&path, "switch-dns", false);
    assert!(fine, "{told}");
    assert_eq!(
        sorted(leads(&rig.aws)),
        both("A", &["127.41.1.7", "127.41.1.8"])
    );
    alias(&rig.aws);
    let path = rig.plan(&format!("[dns]\nnew = [\"{}\"]\n", NEW.0));
    let (told, fine) = step(&path, "switch-dns", false);
    assert!(fine, "{told}");
    assert_eq!(sorted(leads(&rig.aws)), both("CNAME", &[NEW.0]));
}

/// Makes both names aliases of the old load balancer, as Teleport's guide for EKS does.
fn alias(aws: &Aws) {
    let changes = [CLUSTER.to_owned(), format!("*.{CLUSTER}")].map(|name| {
        let target = AliasTarget::builder()
            .hosted_zone_id("Z26RNL4JYFTOTI")
            .dns_name(OLD.0)
            .evaluate_target_health(false)
            .build()
            .expect("a target");
        let set = ResourceRecordSet::builder()
            .name(name)
            .r#type(RrType::A)
            .alias_target(target)
            .build()
            .expect("a set");
        Change::builder()
            .action(ChangeAction::Upsert)
            .resource_record_set(set)
            .build()
            .expect("a change")
    });
    let batch = ChangeBatch::builder()
        .set_changes(Some(changes.to_vec()))
        .build()
        .expect("a batch");
    let id = aws.zone_id.clone();
    aws.with(Side::Recovery, async move |reach| {
        let client = reach.route53().await;
        let call = client.change_resource_record_sets().hosted_zone_id(id);
        call.change_batch(batch).send().await.expect("accepted")
    });
}

#[test]
#[ignore = "tests/live/run"]
fn what_is_not_there_is_not_found() {
    let rig = Rig::new();
    let (table, bucket) = rig.aws.with(Side::Recovery, async |reach| {
        let now = Moment::now();
        let asked = Asked {
            name: "no-such-table",
            role: TableRole::State,
            cluster: CLUSTER,
        };
        (
            tables::fetch(reach, &asked, &mut Measured::default(), now).await,
            recordings::fetch(reach, "no-such-bucket", None).await,
        )
    });
    let failure = table.expect_err("no table");
    assert_eq!(failure.kind, FailureKind::NotFound, "{failure}");
    let failure = bucket.expect_err("no bucket");
    assert_eq!(failure.kind, FailureKind::NotFound, "{failure}");
    let path = rig.plan("[dns]\nzone_id = \"ZNOTHERE\"\nnew = [\"127.41.1.7\"]\n");
    let (told, fine) = step(&path, "switch-dns", false);
    assert!(
        !fine && told.contains("ZNOTHERE") && told.contains("check name"),
        "{told}"
    );
}
