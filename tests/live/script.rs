//! The runbook by `relight step`, as a script has it: real API servers, Helm and AWS calls, exit codes and events.

use std::process::Command;

use serde_json::Value;

use super::rig::{
    helm::Helm,
    regions::{Regions, listens},
    server::until,
    web::Balancer,
};

/// What a call ended with, and its events.
fn step(regions: &Regions, args: &[&str]) -> (i32, Vec<Value>) {
    let done = Command::new(env!("CARGO_BIN_EXE_relight"))
        .arg("step")
        .args(args)
        .args(["--format", "json", "--plan"])
        .arg(&regions.plan)
        .env("HOME", regions.path())
        .current_dir(regions.path())
        .output()
        .expect("the binary");
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&done.stderr).into_owned();
    let read = |line| serde_json::from_str(line).unwrap_or_else(|_| unreachable!("{line}{wrong}"));
    (
        done.status.code().unwrap_or(-1),
        told.lines().map(read).collect(),
    )
}

/// A step that passes, by evidence, and says so by its last event and its exit code.
fn passes(regions: &Regions, args: &[&str]) {
    let (code, events) = step(regions, args);
    let judged = events.last().expect("a last word");
    assert_eq!(
        (code, &judged["verdict"]),
        (0, &"PASS".into()),
        "{args:?}: {events:#?}"
    );
    let findings = judged["findings"].as_array().expect("findings");
    assert!(!findings.is_empty(), "{judged}");
    for finding in findings {
        assert!(
            finding["evidence"]
                .as_array()
                .is_some_and(|seen| !seen.is_empty()),
            "{finding}"
        );
    }
}

/// A call that starts nothing and says why.
fn refused(regions: &Regions, args: &[&str], words: &str) {
    let (code, events) = step(regions, args);
    let last = events.last().expect("a last word");
    let why = last["why"].as_str().unwrap_or_default();
    assert!(
        code == 3 && last["event"] == "refused" && why.contains(words),
        "{args:?}: {code} {events:#?}"
    );
}

#[test]
#[ignore = "tests/live/run"]
fn a_script_stops_the_old_cluster_with_the_guards_of_the_cockpit() {
    let regions = Regions::start(Helm::Four);
    refused(&regions, &["run", "install", "--yes"], "is locked");
    passes(&regions, &["run", "verify-backups"]);
    passes(&regions, &["run", "record-black-box", "--yes"]);
    refused(
        &regions,
        &["run", "stop-old-cluster", "--yes"],
        "Pause what would undo it",
    );
    passes(&regions, &["run", "pause-reconcilers", "--yes"]);
    refused(
        &regions,
        &["run", "stop-old-cluster", "--yes", "uninstall it"],
        "uninstall teleport-cluster in primary",
    );
    let (code, events) = step(&regions, &["run", "stop-old-cluster", "--dry-run"]);
    assert_eq!(code, 0, "{events:#?}");
    assert!(listens(Balancer::Old.address()), "a dry run stopped it");
    passes(
        &regions,
        &[
            "run",
            "stop-old-cluster",
            "--yes",
            "uninstall teleport-cluster in primary",
        ],
    );
    until("the old proxies to be gone", || {
        (!listens(Balancer::Old.address())).then_some(())
    });
    passes(&regions, &["run", "write-values", "--yes"]);
    let (code, events) = step(&regions, &["wait", "stop-old-cluster"]);
    assert_eq!(code, 0, "told again by another process: {events:#?}");
}
