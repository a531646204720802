//! Helm, as the steps run it: its argv filled in from the plan, context and namespace always explicit.

use std::process::Stdio;

use tokio::process::Command;

use super::{StepError, expand};
use crate::{incident::Side, plan::Plan};

const UNINSTALL: [&str; 12] = [
    "{tools.helm}",
    "uninstall",
    "{cluster.release}",
    "--namespace",
    "{cluster.namespace}",
    "--kube-context",
    "{SIDE.context}",
    "--kubeconfig",
    "{SIDE.kubeconfig?}",
    "--wait",
    "--timeout",
    "5m",
];

/// What uninstalls the release of a side.
///
/// # Errors
/// If the plan lacks something for it.
pub(super) fn uninstall(plan: &Plan, side: Side) -> Result<Vec<String>, StepError> {
    let template = UNINSTALL.map(|word| word.replace("SIDE", side.word()));
    expand::argv(&template, plan).map_err(|why| StepError(why.to_string()))
}

/// A program of the step's own output that nobody can type to: the runner stores and redacts what it prints.
///
/// # Errors
/// If there is nothing to run.
pub(super) fn command(argv: &[String]) -> Result<Command, StepError> {
    let Some((program, rest)) = argv.split_first() else {
        return Err(StepError("an empty argv: a defect in Relight".to_owned()));
    };
    let mut command = Command::new(program);
    command.args(rest).stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}
