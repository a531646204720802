//! The real Helm, 3 or 4, and the runbook's steps run as the runner runs them.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use relight::{
    incident::{Action, Moment, RunId, Runbook},
    plan::Plan,
    step::expand,
};

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

/// A kubectl, for what the product does not do itself.
pub fn kubectl() -> Command {
    Command::new(cache().join("helm-4/bin/kubectl"))
}

/// The chart of this folder.
pub fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/chart/teleport-cluster")
}

/// The product itself.
pub const RELIGHT: &str = env!("CARGO_BIN_EXE_relight");

/// The argv of a step of the runbook, with the plan's values; a native step is the product's own, with the plan's file.
pub fn argv(plan: &Plan, id: &str) -> Vec<String> {
    let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the runbook");
    let step = runbook
        .steps
        .iter()
        .find(|step| step.id.as_str() == id)
        .expect("the step");
    match &step.action {
        Action::Argv(template) => expand::argv(template, plan).expect("an argv"),
        Action::Native(name) => {
            let run = RunId::new(&step.id, 1, Moment::now());
            let plan = plan.path.display().to_string();
            [
                RELIGHT,
                "step",
                "exec",
                name,
                "--plan",
                &plan,
                "--run",
                run.as_str(),
            ]
            .map(str::to_owned)
            .to_vec()
        }
    }
}

/// Runs such a step as the runner would: no shell.
pub fn step(plan: &Plan, id: &str) -> Output {
    let argv = argv(plan, id);
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
