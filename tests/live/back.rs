//! The way back after the cut-over, against Route 53 of `ministack`, real authorities and real proxies: the records of the
//! black box, and only to the cluster that it was recorded of.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use relight::{
    clients::black_box::Shelf,
    incident::{Condition, Fact, Moment, Observation, Outcome, RecordSet, Subject},
};

use super::rig::{
    aws::Aws,
    dns::Dns,
    eyes::Eyes,
    parts,
    script::Script,
    step, step_in,
    web::{Balancer, CLUSTER, NEW, OLD, Proxy, Web},
};

/// Of the records, in seconds.
const TTL: i64 = 7;

/// What leads to the cluster, as Route 53 has it.
fn records(aws: &Aws) -> Vec<RecordSet> {
    let mut all = aws.records();
    all.retain(|set| set.name.ends_with(CLUSTER));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// The folder of the incident that a script has opened: that of its black box.
fn incident(within: &Path) -> Option<PathBuf> {
    if within.join("black-box.json").is_file() {
        return Some(within.to_owned());
    }
    let entries = std::fs::read_dir(within).ok()?.flatten();
    let mut folders = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir());
    folders.find_map(|folder| incident(&folder))
}

/// Whether there is something to go back to, as eyes see it that have seen nothing before but the box of an incident.
fn looked(plan: &Path, kept: &Path) -> (Outcome, String) {
    let mut eyes = Eyes::open(plan, &["web"]);
    let sealed = Shelf::new(None, Some(kept), CLUSTER).read();
    let sealed = sealed.unwrap_or_else(|error| unreachable!("{error}"));
    eyes.take(Observation {
        subject: Subject::BlackBox,
        at: Moment::now(),
        took: Duration::ZERO,
        outcome: Ok(Fact::BlackBox(sealed.seen.into())),
    });
    eyes.look();
    let finding = eyes.judge(Condition::OldDoorAnswers);
    (finding.outcome, finding.sentence)
}

#[test]
#[ignore = "tests/live/run"]
fn the_names_lead_back_exactly_and_only_to_the_cluster_of_before() {
    let dir = tempfile::tempdir().expect("a folder");
    let aws = Aws::start(dir.path(), CLUSTER, OLD.0, TTL);
    let _dns = Dns::start(dir.path(), &[OLD, NEW], aws.source());
    let mut web = Web::start(dir.path());
    let own = parts::part(&format!(
        "practice = true\n[recovery]\nload_balancer = [\"{}\"]\n[dns]\nhot_names = [\"app.{CLUSTER}\"]\nrecord_ttl = 5\n\
         interval = \"2s\"\n",
        NEW.0
    ));
    let path = parts::write(dir.path(), [own, aws.plan(), Dns::plan(), web.plan()]);
    let script = Script::at(&path, dir.path().join("home"));
    script.passes(&["run", "verify-backups"]);
    script.passes(&["run", "record-black-box", "--yes"]);
    let before = records(&aws);
    assert!(
        before.len() == 2 && before.iter().all(|set| set.ttl == Some(TTL)),
        "{before:?}"
    );
    let (told, fine) = step(&path, "switch-dns", false);
    assert!(fine && told.contains("is INSYNC"), "{told}");
    let after = records(&aws);
    assert!(after.iter().all(|set| set.values == [NEW.0]), "{after:?}");

    // The step's own last look, with the box of the incident: a guard beside the runbook's.
    let kept = incident(&dir.path().join("home")).expect("a black box");
    let own = dir.path().join("another");
    std::fs::create_dir_all(&own).expect("a folder");
    std::fs::copy(kept.join("black-box.json"), own.join("black-box.json")).expect("copied");
    assert_eq!(looked(&path, &kept).0, Outcome::Pass);
    let anew = Proxy {
        anew: true,
        ..Proxy::SOUND
    };
    let strangers = "OTHER CERTIFICATE AUTHORITIES";
    web.becomes(Balancer::Old, anew);
    let (told, fine) = step_in(&path, "revert-dns", false, &own);
    assert!(!fine && told.contains(strangers), "{told}");
    let (outcome, why) = looked(&path, &kept);
    assert!(outcome == Outcome::Fail && why.contains(strangers), "{why}");
    web.server(Balancer::Old).kill();
    let (told, fine) = step_in(&path, "revert-dns", false, &own);
    assert!(
        !fine && told.contains("does not answer as the old cluster"),
        "{told}"
    );
    let (outcome, why) = looked(&path, &kept);
    assert_eq!(outcome, Outcome::Fail, "{why}");
    assert_eq!(records(&aws), after, "nothing leads anywhere else");

    web.becomes(Balancer::Old, Proxy::SOUND);
    let (told, fine) = step_in(&path, "revert-dns", true, &own);
    assert!(fine && told.contains("nothing was changed"), "{told}");
    assert_eq!(records(&aws), after, "a dry run");
    script.passes(&["run", "revert-dns", "--yes"]);
    assert_eq!(records(&aws), before);
    let (told, fine) = step_in(&path, "revert-dns", false, &own);
    assert!(
        fine && told.contains("are those of the black box already"),
        "{told}"
    );
}
