//! AWS, DNS and the web doors in one outage: what the last steps of the runbook see, without Kubernetes.

use relight::incident::{Condition, Fact, Outcome, Side, Subject};

use super::rig::{
    aws::Aws,
    dns::Dns,
    eyes::Eyes,
    parts,
    server::until,
    step,
    web::{Balancer, CLUSTER, NEW, OLD, Web},
};

/// Of the records, in seconds.
const TTL: i64 = 4;

/// Looks until a condition is judged so.
fn judged(eyes: &mut Eyes, condition: Condition, outcome: Outcome) {
    until(&format!("{condition} to be {outcome:?}"), || {
        eyes.look();
        (eyes.judge(condition).outcome == outcome).then_some(())
    });
}

#[test]
#[ignore = "tests/live/run"]
fn a_region_is_lost_and_the_name_leads_to_the_other() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut aws = Aws::start(dir.path(), CLUSTER, OLD.0, TTL);
    let _dns = Dns::start(dir.path(), &[OLD, NEW], aws.source());
    let mut web = Web::start(dir.path());
    let own = parts::part(&format!(
        "practice = true\n[recovery]\nload_balancer = [\"{}\"]\n[dns]\nhot_names = [\"app.{CLUSTER}\"]\n",
        NEW.0
    ));
    let path = parts::write(dir.path(), [own, aws.plan(), Dns::plan(), web.plan()]);
    let all = [
        "identity",
        "table",
        "vault",
        "recordings",
        "zone",
        "dns",
        "web",
    ];
    let mut eyes = Eyes::open(&path, &all);
    for condition in [
        Condition::RecoveryAccount,
        Condition::TablesReady,
        Condition::SameAuthorities,
    ] {
        judged(&mut eyes, condition, Outcome::Pass);
    }
    judged(&mut eyes, Condition::PublicPing, Outcome::Fail);

    // The region is lost: its APIs hang and so does its load balancer.
    aws.door(Side::Primary).freeze();
    web.server(Balancer::Old).freeze();
    eyes.look();
    assert!(
        eyes.of(&Subject::Identity(Side::Primary))
            .failure()
            .is_some()
    );
    for condition in [
        Condition::RecoveryAccount,
        Condition::SameAuthorities,
        Condition::NewDoorAnswers,
    ] {
        judged(&mut eyes, condition, Outcome::Pass);
    }
    let (told, fine) = step(&path, "verify-backups", false);
    assert!(fine && told.contains("gave no answer in"), "{told}");
    let (told, fine) = step(&path, "switch-dns", false);
    assert!(fine && told.contains("is INSYNC"), "{told}");
    // Eyes that do not wait for the region that hangs.
    let mut near = Eyes::open(&path, &["dns", "web"]);
    for condition in [
        Condition::DnsPublished,
        Condition::PublicPing,
        Condition::DnsConverged,
    ] {
        judged(&mut near, condition, Outcome::Pass);
    }
    eyes.look();
    let Some(Fact::Zone(zone)) = eyes.of(&Subject::Zone).fresh() else {
        unreachable!("{:?}", eyes.of(&Subject::Zone))
    };
    assert!(
        zone.records.iter().all(|set| set.values == [NEW.0]),
        "{zone:?}"
    );

    // It comes back, and nothing leads there any more.
    aws.door(Side::Primary).thaw();
    web.server(Balancer::Old).thaw();
    until("the primary's identity", || {
        eyes.look();
        let back = eyes.of(&Subject::Identity(Side::Primary)).fresh().is_some();
        back.then_some(())
    });
    judged(&mut eyes, Condition::PublicPing, Outcome::Pass);
    // Both clusters serve now.
    judged(&mut eyes, Condition::OldDoorShut, Outcome::Fail);
}
