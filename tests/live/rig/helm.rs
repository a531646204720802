//! The real Helm, 3 or 4, and the runbook's steps run as the runner runs them.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use relight::plan::Plan;

use super::cache;

/// A major version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Helm {
    /// The one that has been there since 2019.
    Three,
    /// Its successor, of 2025.
    Four,
}

impl Helm {
    /// The binary.
    pub fn program(self) -> PathBuf {
        cache().join(match self {
            Self::Three => "helm-3/bin/helm",
            Self::Four => "helm-4/bin/helm",
        })
    }
}

/// The kubectl that came with Helm 4.
pub fn kubectl_program() -> PathBuf {
    cache().join("helm-4/bin/kubectl")
}

/// A kubectl, for what the product does not do itself.
pub fn kubectl() -> Command {
    Command::new(kubectl_program())
}

/// The chart of this folder.
pub fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/chart/teleport-cluster")
}

/// The product itself.
pub const RELIGHT: &str = env!("CARGO_BIN_EXE_relight");

/// Runs a step of the runbook, with the plan's values, as the runner would: no shell.
pub fn step(plan: &Plan, id: &str) -> Output {
    let (argv, _incident) = super::order(plan, id, false);
    let home = plan.path.parent().expect("a folder");
    Command::new(&argv[0])
        .args(&argv[1..])
        // What this machine's user has configured for Helm is none of a test's business.
        .env("HELM_CACHE_HOME", home.join("helm/cache"))
        .env("HELM_CONFIG_HOME", home.join("helm/config"))
        .env("HELM_DATA_HOME", home.join("helm/data"))
        .output()
        .expect("helm")
}
