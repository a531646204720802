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

/// Helm's install in the plan's recovery cluster, as an operator does it by hand: where a release is only what a case
/// begins with.
pub fn by_hand(plan: &Plan) -> Command {
    let mut helm = by_hand_as(plan, "install");
    helm.arg("--create-namespace");
    helm
}

/// Helm's install or upgrade with the plan's values.
pub fn by_hand_as(plan: &Plan, command: &str) -> Command {
    let (cluster, kube) = (&plan.cluster, &plan.recovery.kube);
    let mut helm = Command::new(&plan.tools.helm);
    helm.args([command, &cluster.release, &cluster.chart])
        .args(["--version", cluster.version.as_deref().expect("a version")])
        .args(["--namespace", &cluster.namespace, "--kube-context"])
        .arg(kube.context.as_deref().expect("a context"))
        .arg("--kubeconfig")
        .arg(kube.kubeconfig.as_deref().expect("a kubeconfig"))
        .arg("--values")
        .arg(plan.recovery.values.as_deref().expect("values"));
    at_home(plan, &mut helm);
    helm
}

/// Installs by hand.
pub fn install(plan: &Plan) -> Output {
    by_hand(plan).output().expect("helm")
}

/// What this machine's user has configured for Helm is none of a test's business.
pub fn at_home(plan: &Plan, command: &mut Command) {
    let home = plan.path.parent().expect("a folder");
    for (name, folder) in [
        ("HELM_CACHE_HOME", "helm/cache"),
        ("HELM_CONFIG_HOME", "helm/config"),
        ("HELM_DATA_HOME", "helm/data"),
    ] {
        command.env(name, home.join(folder));
    }
}

/// Runs a step of the runbook, with the plan's values, as the runner would: no shell.
pub fn step(plan: &Plan, id: &str) -> Output {
    let (argv, _incident) = super::order(plan, id, false);
    let mut step = Command::new(&argv[0]);
    step.args(&argv[1..]);
    at_home(plan, &mut step);
    step.output().expect("helm")
}
