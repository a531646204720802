//! The practice as its users meet it: a process of its own, with real clients at its faces.

use std::{fs, path::Path};

use relight::{
    plan,
    practice::{self, Practice, Ready, world::Scenario},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_relight");

fn start(dir: &Path, scenario: &str) -> Ready {
    practice::start_by(Path::new(PROGRAM), dir, scenario).expect("a practice")
}

#[test]
fn every_scenario_starts_says_where_it_is_and_stops() {
    for scenario in Scenario::names() {
        let dir = tempfile::tempdir().expect("a folder");
        let ready = start(dir.path(), scenario);
        assert_eq!(ready.scenario, scenario);
        for name in [
            "relight.toml",
            "kubeconfig",
            "credentials",
            "values.yaml",
            "ca.pem",
        ] {
            let text = fs::read_to_string(dir.path().join(name)).expect(name);
            assert!(!text.is_empty(), "{name} is empty");
        }
        let helm = fs::read_link(dir.path().join("bin/helm")).expect("a stand-in for helm");
        assert_eq!(helm.file_name(), Path::new(PROGRAM).file_name());
        assert!(practice::stop(dir.path()).expect("stopped"));
        assert!(!dir.path().join("ready.json").exists());
        assert!(!practice::stop(dir.path()).expect("nothing to stop"));
    }
}

#[test]
fn a_second_start_finds_the_first_and_practices_run_side_by_side() {
    let (one, two) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    let first = start(one.path(), "calm");
    assert_eq!(start(one.path(), "calm"), first);
    let error = practice::start_by(Path::new(PROGRAM), one.path(), "clean-loss")
        .expect_err("another scenario");
    assert!(
        error.to_string().contains("is a calm, not a clean-loss"),
        "{error}"
    );
    let other = start(two.path(), "calm");
    assert_ne!(other.addresses.net, first.addresses.net);
    for dir in [one, two] {
        assert!(practice::stop(dir.path()).expect("stopped"));
    }
}

#[test]
fn one_that_cannot_start_says_why() {
    let dir = tempfile::tempdir().expect("a folder");
    let error =
        practice::start_by(Path::new(PROGRAM), dir.path(), "flood").expect_err("no such scenario");
    assert!(
        error.to_string().contains("there is no scenario \"flood\""),
        "{error}"
    );
}

#[tokio::test]
async fn a_folder_holds_one_practice_and_is_free_again_when_it_ends() {
    let dir = tempfile::tempdir().expect("a folder");
    let helm = Path::new(PROGRAM);
    let first = Practice::begin(dir.path(), "calm", helm)
        .await
        .expect("a practice");
    let error = Practice::begin(dir.path(), "calm", helm)
        .await
        .expect_err("taken");
    assert!(error.to_string().contains("already runs in"), "{error}");
    drop(first);
    Practice::begin(dir.path(), "calm", helm)
        .await
        .expect("a practice again");
}

#[test]
fn its_plan_is_whole_and_points_nowhere_else() {
    let dir = tempfile::tempdir().expect("a folder");
    let ready = start(dir.path(), "calm");
    let plan = plan::load(&ready.plan).expect("a plan without errors");
    let remarks: Vec<String> = plan.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(remarks, Vec::<String>::new());
    assert!(plan.practice);
    assert_eq!(plan.dns.public_resolvers, Some(Vec::new()));
    for server in plan.dns.nameservers.iter().chain(&plan.dns.resolvers) {
        assert!(server.address.ip().is_loopback(), "{server:?}");
    }
    assert!(practice::stop(dir.path()).expect("stopped"));
}
