//! The plan's own kubectl: how it is called, and what its words mean.

use super::kube::text::clean;
use crate::{
    incident::{Failure, FailureKind, Side},
    plan::Plan,
};

/// How much of its words goes into a sentence.
const WORDS: usize = 240;

/// The beginning of a command line on a side: never a shell line, context and namespace always explicit.
///
/// # Errors
/// If the plan names no kube context.
pub fn line(plan: &Plan, side: Side) -> Result<Vec<String>, Failure> {
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
