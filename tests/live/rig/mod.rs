//! Real servers on loopback, each an implementation that nobody here wrote.
//!
//! Each rig is started into a folder, answers at fixed addresses within 127.41.0.0/16, and tells its part of a plan;
//! [`parts::write`] makes one plan of them.

pub mod aws;
pub mod dns;
pub mod eyes;
pub mod front;
pub mod parts;
pub mod server;
pub mod web;
pub mod world;

use std::path::{Path, PathBuf};

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

/// Runs a native step by the real binary, as the runner does; what it printed and whether it ended well.
pub fn step(plan: &Path, name: &str, dry_run: bool) -> (String, bool) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_relight"));
    command.arg("--plan").arg(plan);
    command.args(["step", "exec", name, "--run", &format!("{name}-1-1")]);
    if dry_run {
        command.arg("--dry-run");
    }
    let done = command.output().expect("the binary");
    let wrong = String::from_utf8_lossy(&done.stderr);
    let told = String::from_utf8_lossy(&done.stdout).into_owned() + &wrong;
    (told, done.status.success())
}
