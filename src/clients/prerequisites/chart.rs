//! The chart, as the plan's own Helm finds it: a file, a repository, a registry.

use std::{process::Stdio, time::Duration};

use tokio::process::Command;

use crate::{
    clients::kube::text::clean,
    incident::{Failure, FailureKind, outline::Outline},
    plan::Plan,
};

/// How long Helm may take: it may ask a registry.
const PATIENCE: Duration = Duration::from_secs(12);
/// How much of Helm's own words goes into a sentence.
const WORDS: usize = 240;

/// Name and version of the chart that the plan names.
///
/// # Errors
/// If Helm cannot be started, finds no such chart, or does not answer in time.
pub(super) async fn show(plan: &Plan) -> Result<(String, String), Failure> {
    let (program, chart) = (&plan.tools.helm, &plan.cluster.chart);
    let mut command = Command::new(program);
    command.args(["show", "chart"]).arg(chart);
    if let Some(version) = &plan.cluster.version {
        command.args(["--version", version]);
    }
    let asking = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => {
            return Err(Failure::new(
                FailureKind::NotFound,
                format!("{program} cannot be started: {error}; set `helm` in [tools]"),
            ));
        }
        Err(_) => {
            return Err(Failure::new(
                FailureKind::Timeout,
                format!(
                    "{program} did not show {chart} in {}s: is its repository or registry up? A chart in a .tgz needs none",
                    PATIENCE.as_secs()
                ),
            ));
        }
    };
    let told = String::from_utf8_lossy(&output.stdout);
    if output.status.success()
        && let Ok(read) = Outline::read(&told)
        && let (Some(name), Some(version)) = (read.get(&["name"]), read.get(&["version"]))
    {
        return Ok((clean(name, 100), clean(version, 100)));
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(
        FailureKind::NotFound,
        format!(
            "{program} finds no chart {chart}: {}; correct `chart` in [cluster], or pull it into a .tgz while its \
             repository is up (helm pull)",
            clean(&said, WORDS)
        ),
    ))
}
