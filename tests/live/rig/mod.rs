//! Real servers on loopback, each an implementation that nobody here wrote.
//!
//! Each rig is started into a folder, answers at fixed addresses within 127.41.0.0/16, and tells its part of a plan;
//! [`parts::write`] makes one plan of them.

pub mod aws;
pub mod cloud;
pub mod dns;
pub mod eyes;
pub mod front;
pub mod hand;
pub mod helm;
pub mod kube;
pub mod parts;
pub mod pki;
pub mod provision;
pub mod regions;
pub mod release;
pub mod script;
pub mod server;
pub mod watch;
pub mod web;
pub mod world;

use std::path::{Path, PathBuf};

use relight::{
    incident::{Action, Moment, RunId, Runbook, StepId},
    journal::{Claim, Folder, Lock},
    plan::{self, Plan},
    run::{RunDir, spec},
};

/// Where `tests/live/run` has put what it installed.
pub fn cache() -> PathBuf {
    std::env::var_os("RELIGHT_LIVE")
        .map(PathBuf::from)
        .expect("RELIGHT_LIVE, the cache folder: start these tests by tests/live/run")
}

/// A program of the system; servers often lie where only root's PATH leads.
pub fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| unreachable!("no {name}: tests/live/install/servers installs it"))
}

/// A folder inside a folder, made if it is not there.
pub fn folder(within: &Path, name: &str) -> PathBuf {
    let path = within.join(name);
    std::fs::create_dir_all(&path).expect("a folder");
    path
}

/// What a runner would start for a step that was confirmed: its argv, and the incident's folder that it looks into.
pub fn order(plan: &Plan, name: &str, dry_run: bool) -> (Vec<String>, tempfile::TempDir) {
    let temp = tempfile::tempdir().expect("a folder");
    (order_in(plan, name, dry_run, temp.path()), temp)
}

/// What a runner would start in the folder of an incident.
pub fn order_in(plan: &Plan, name: &str, dry_run: bool, incident: &Path) -> Vec<String> {
    let mut runbook = Runbook::parse(Runbook::EMBEDDED).expect("the runbook");
    if plan.isolated().is_some() {
        runbook = runbook.isolated().expect("that of a drill");
    }
    let id = StepId::try_from(name.to_owned()).expect("a step");
    let incident = Folder::at(incident);
    let claim = Claim {
        operator: "alice".to_owned(),
        host: "bastion".to_owned(),
        floor: 0,
    };
    let lock = Lock::take(&incident, &claim).expect("nobody else's");
    let run = RunId::new(&id, 1, Moment::now());
    let step = runbook.get(&id).expect("a step of the runbook");
    let spec = spec::for_step(step, plan, &run, lock.token(), &incident, dry_run);
    let mut spec = spec.expect("a run");
    // Nobody was asked, so nothing is held against what they saw.
    spec.calls.clear();
    let dir = RunDir::of(&incident, &run);
    std::fs::create_dir_all(dir.spec().parent().expect("a folder")).expect("a folder");
    spec.save(&dir).expect("saved");
    let mut argv = spec.argv;
    if matches!(step.action, Action::Native(_)) {
        // The test itself stands for the cockpit, and is another program.
        env!("CARGO_BIN_EXE_relight").clone_into(&mut argv[0]);
    }
    argv
}

/// Runs a native step by the real binary; what it printed and whether it ended well.
pub fn step(path: &Path, name: &str, dry_run: bool) -> (String, bool) {
    let plan = plan::load(path).unwrap_or_else(|errors| unreachable!("{errors}"));
    let (argv, _incident) = order(&plan, name, dry_run);
    ran(&argv)
}

/// Runs a native step in the folder of an incident, which may hold what earlier ones left there.
pub fn step_in(path: &Path, name: &str, dry_run: bool, incident: &Path) -> (String, bool) {
    let plan = plan::load(path).unwrap_or_else(|errors| unreachable!("{errors}"));
    ran(&order_in(&plan, name, dry_run, incident))
}

fn ran(argv: &[String]) -> (String, bool) {
    let done = std::process::Command::new(&argv[0])
        .args(&argv[1..])
        .output()
        .expect("the binary");
    let wrong = String::from_utf8_lossy(&done.stderr);
    let told = String::from_utf8_lossy(&done.stdout).into_owned() + &wrong;
    (told, done.status.success())
}
