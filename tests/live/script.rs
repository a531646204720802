//! The runbook by `relight step`, as a script has it: real API servers, Helm and AWS calls, exit codes and events.

use super::rig::{
    helm::Helm,
    regions::{Regions, listens},
    script::Script,
    server::until,
    web::Balancer,
};

#[test]
#[ignore = "tests/live/run"]
fn a_script_stops_the_old_cluster_with_the_guards_of_the_cockpit() {
    let regions = Regions::start(Helm::Four);
    let script = Script::new(&regions.plan);
    script.refused(&["run", "install", "--yes"], "is locked");
    script.passes(&["run", "verify-backups"]);
    script.passes(&["run", "record-black-box", "--yes"]);
    script.refused(
        &["run", "stop-old-cluster", "--yes"],
        "Pause what would undo it",
    );
    script.passes(&["run", "pause-reconcilers", "--yes"]);
    script.refused(
        &["run", "stop-old-cluster", "--yes", "uninstall it"],
        "uninstall teleport-cluster in primary",
    );
    let (code, events) = script.step(&["run", "stop-old-cluster", "--dry-run"]);
    assert_eq!(code, 0, "{events:#?}");
    assert!(listens(Balancer::Old.address()), "a dry run stopped it");
    script.passes(&[
        "run",
        "stop-old-cluster",
        "--yes",
        "uninstall teleport-cluster in primary",
    ]);
    until("the old proxies to be gone", || {
        (!listens(Balancer::Old.address())).then_some(())
    });
    script.passes(&["run", "write-values", "--yes"]);
    let (code, events) = script.step(&["wait", "stop-old-cluster"]);
    assert_eq!(code, 0, "told again by another process: {events:#?}");
}
