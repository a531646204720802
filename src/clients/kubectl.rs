//! The plan's own kubectl, for what the client library does not do: exec, port-forward, and apply as an operator's hands
//! know it. Never a shell line; context and namespace always explicit.

use std::{process::Stdio, time::Duration};

use tokio::{io::AsyncReadExt as _, process::Command};

use super::kube::text::clean;
use crate::{
    incident::{Failure, FailureKind, Side},
    plan::Plan,
};

/// The most that is read of its output, in bytes.
const CAP: u64 = 8 << 20;
/// How much of its words goes into a sentence.
const WORDS: usize = 240;

/// The beginning of every call on a side: program, context, kubeconfig, namespace.
///
/// # Errors
/// If the plan names no kube context.
pub fn on(plan: &Plan, side: Side) -> Result<Vec<String>, Failure> {
    let kube = &plan.side(side).kube;
    let Some(context) = &kube.context else {
        return Err(Failure::new(
            FailureKind::NotPlanned,
            format!("[{side}.kube] names no context"),
        ));
    };
    let mut line = vec![
        plan.tools.kubectl.clone(),
        "--context".into(),
        context.clone(),
    ];
    if let Some(file) = &kube.kubeconfig {
        line.extend(["--kubeconfig".into(), file.to_string_lossy().into_owned()]);
    }
    line.extend(["-n".into(), plan.cluster.namespace.clone()]);
    Ok(line)
}

/// Runs a line and gives what it printed. `place` says in a sentence what it was and where.
///
/// # Errors
/// If the program cannot be started, does not answer in time, or fails: with the first of its words.
pub async fn run(line: &[String], place: &str, patience: Duration) -> Result<String, Failure> {
    let Some((program, args)) = line.split_first() else {
        return Err(Failure::new(
            FailureKind::Other,
            format!("{place}: no program"),
        ));
    };
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| unstarted(program, &error))?;
    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Failure::new(
            FailureKind::Other,
            format!("{place}: no output"),
        ));
    };
    let (mut out, mut err) = (out.take(CAP), err.take(CAP));
    let (mut said, mut told) = (Vec::new(), Vec::new());
    let ended = tokio::time::timeout(patience, async {
        tokio::try_join!(
            out.read_to_end(&mut said),
            err.read_to_end(&mut told),
            child.wait()
        )
    });
    let status = match ended.await {
        Ok(Ok((_, _, status))) => status,
        Ok(Err(error)) => {
            return Err(Failure::new(
                FailureKind::Other,
                format!("{place}: {error}"),
            ));
        }
        Err(_) => {
            return Err(Failure::new(
                FailureKind::Timeout,
                format!("{place} took longer than {} s", patience.as_secs()),
            ));
        }
    };
    if status.success() {
        return String::from_utf8(said)
            .map_err(|_| Failure::new(FailureKind::Garbage, format!("{place} printed no text")));
    }
    Err(failed(place, &told))
}

/// Why it could not be started.
pub(super) fn unstarted(program: &str, error: &std::io::Error) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        format!("{program} cannot be started: {error}; set `kubectl` in [tools]"),
    )
}

/// Why it failed, by the words that it left.
pub(super) fn failed(place: &str, told: &[u8]) -> Failure {
    let words = clean(&String::from_utf8_lossy(told), WORDS);
    let kind = match words.to_lowercase() {
        low if low.contains("forbidden") || low.contains("access denied") => FailureKind::Forbidden,
        low if low.contains("not found") || low.contains("notfound") => FailureKind::NotFound,
        low if low.contains("refused") || low.contains("no route") || low.contains("reset") => {
            FailureKind::Unreachable
        }
        _ => FailureKind::Other,
    };
    Failure::new(kind, format!("{place}: {words}"))
}
