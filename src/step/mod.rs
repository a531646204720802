//! HANDS: what a step does; with [`crate::run`] the only code that changes the world. One file per noun.
//!
//! A step is either argv, expanded by [`expand`], or native code in a row of [`natives`]. Both run in a process of their
//! own, started by the runner, and talk by lines on standard output: to stream, redact, store and cancel them is the
//! same for both.

mod backups;
mod dns;
pub mod expand;
mod load_balancer;
mod ping;
mod pods;
mod values;
mod yaml;

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::{incident::RunId, plan::Plan};

/// What a native step is given.
#[derive(Clone, Debug)]
pub struct Context {
    /// The intent.
    pub plan: Arc<Plan>,
    /// The run it is.
    pub run: RunId,
    /// Say what would be done and change nothing.
    pub dry_run: bool,
}

impl Context {
    /// Writes one line of output. An output that nobody reads any more is no reason to stop: the world matters.
    pub fn say(&self, line: impl AsRef<str>) {
        use std::io::Write as _;

        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{}", line.as_ref());
        let _ = out.flush();
    }
}

/// Why a native step ended without having done its work: a full sentence, printed as its last line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StepError(pub String);

/// A native step.
pub struct Native {
    /// The name in the runbook.
    pub name: &'static str,
    /// What it will do, one line for each call: shown in the dialog before it is confirmed.
    pub calls: fn(&Plan) -> Vec<String>,
    /// Does it.
    pub run: fn(Context) -> BoxFuture<'static, Result<(), StepError>>,
}

/// Every native step.
#[must_use]
pub fn natives() -> Vec<Native> {
    vec![
        backups::native(),
        values::native(),
        pods::native(),
        load_balancer::native(),
        dns::native(),
        ping::native(),
    ]
}
