//! A Kubernetes port-forward to a proxy pod, by the plan's own kubectl: a way to the proxies where their load balancer
//! cannot be reached from here. It is opened for one look and ended with it.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, ChildStdout, Command},
};

use super::kubectl;
use crate::{
    incident::{Failure, FailureKind, Side},
    plan::Plan,
};

/// How long kubectl may take until it forwards.
const PATIENCE: Duration = Duration::from_secs(6);

/// How long its last words are waited for.
const LAST: Duration = Duration::from_secs(1);

/// The most that is read of its output, in bytes.
const CAP: u64 = 64 << 10;

/// The port of the proxy's container (chart, `tpl/proxy/deployment.yaml`).
const PROXY: u16 = 3080;

/// An open port-forward. Dropping it ends kubectl, too; [`Self::close`] waits until it has gone.
#[derive(Debug)]
pub struct Forward {
    child: Child,
    port: u16,
    /// Kept open: kubectl ends when it cannot say that it handles a connection.
    _out: BufReader<tokio::io::Take<ChildStdout>>,
}

/// The command line of a port-forward to a pod of the release's proxies on a side.
///
/// # Errors
/// If the plan names no kube context.
pub fn command_line(plan: &Plan, side: Side) -> Result<Vec<String>, Failure> {
    let mut line = kubectl::on(plan, side)?;
    line.extend([
        "port-forward".to_owned(),
        format!("deployment/{}-proxy", plan.cluster.release),
        format!(":{PROXY}"),
        "--address".to_owned(),
        "127.0.0.1".to_owned(),
    ]);
    Ok(line)
}

impl Forward {
    /// Opens one on a side, at a port of this machine that kubectl chooses.
    ///
    /// # Errors
    /// If kubectl cannot be started, ends before it forwards (with its words), or takes longer than six seconds.
    pub async fn open(plan: &Plan, side: Side) -> Result<Self, Failure> {
        Self::within(plan, side, PATIENCE).await
    }

    async fn within(plan: &Plan, side: Side, patience: Duration) -> Result<Self, Failure> {
        let line = command_line(plan, side)?;
        let context = plan.side(side).kube.context.as_deref().unwrap_or_default();
        let place = format!(
            "port-forward to deployment/{}-proxy in context {context}, namespace {}",
            plan.cluster.release, plan.cluster.namespace
        );
        let mut child = Command::new(&line[0])
            .args(&line[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| kubectl::unstarted(&line[0], &error))?;
        let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(Failure::new(
                FailureKind::Other,
                format!("{place}: no output"),
            ));
        };
        let mut out = BufReader::new(out.take(CAP));
        match tokio::time::timeout(patience, announced(&mut out)).await {
            Ok(Some(port)) => {
                return Ok(Self {
                    child,
                    port,
                    _out: out,
                });
            }
            Ok(None) => {}
            Err(_) => {
                end(child).await;
                return Err(Failure::new(
                    FailureKind::Timeout,
                    format!(
                        "{place}: nothing is forwarded within {} s",
                        patience.as_secs()
                    ),
                ));
            }
        }
        let mut told = Vec::new();
        let _ = tokio::time::timeout(LAST, err.take(CAP).read_to_end(&mut told)).await;
        end(child).await;
        Err(kubectl::failed(&place, &told))
    }

    /// The port of 127.0.0.1 that leads to the pod.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Ends it, and waits until it has gone.
    pub async fn close(self) {
        end(self.child).await;
    }
}

/// Ends kubectl. That it has ended by itself is as good.
async fn end(mut child: Child) {
    let _ = child.kill().await;
}

/// Reads until kubectl says where it listens; `None` if it ends before.
async fn announced(out: &mut BufReader<tokio::io::Take<ChildStdout>>) -> Option<u16> {
    let mut line = String::new();
    while out.read_line(&mut line).await.is_ok_and(|read| read > 0) {
        if let Some(port) = port(&line) {
            return Some(port);
        }
        line.clear();
    }
    None
}

/// `Forwarding from 127.0.0.1:40123 -> 3080`
fn port(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("Forwarding from 127.0.0.1:")?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::plan::sample;

    #[test]
    fn the_line_names_context_namespace_and_pods_and_listens_here_alone() {
        let line = command_line(&sample::plan(), Side::Recovery).expect("a line");
        let told = line.join(" ");
        assert!(told.starts_with("kubectl --context west "), "{told}");
        assert!(
            told.ends_with(
                "-n teleport port-forward deployment/teleport-cluster-proxy :3080 --address 127.0.0.1"
            ),
            "{told}"
        );
        let mut plan = sample::plan();
        plan.recovery.kube.context = None;
        let none = command_line(&plan, Side::Recovery).expect_err("no context");
        assert_eq!(none.kind, FailureKind::NotPlanned);
    }

    /// A kubectl that is this script.
    async fn run(script: &str, patience: Duration) -> Result<Forward, Failure> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("kubectl");
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700)).expect("set");
        let mut plan = sample::plan();
        plan.tools.kubectl = file.to_string_lossy().into_owned();
        Forward::within(&plan, Side::Recovery, patience).await
    }

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn it_is_open_when_kubectl_says_where_and_gone_when_closed() {
        let script =
            "echo warming up; echo 'Forwarding from 127.0.0.1:40123 -> 3080'; exec sleep 600";
        let forward = run(script, LONG).await.expect("open");
        assert_eq!(forward.port(), 40123);
        let id = forward.child.id().expect("it runs");
        let there = || std::path::Path::new(&format!("/proc/{id}")).exists();
        assert!(there());
        forward.close().await;
        assert!(!there(), "ended and reaped");
    }

    #[tokio::test]
    async fn what_does_not_forward_is_told_in_kubectls_words() {
        let cases = [
            (
                "echo 'error: unable to forward port because pod is not running. Current status=Pending' >&2; exit 1",
                FailureKind::Other,
                "Current status=Pending",
            ),
            (
                "echo 'Error from server (NotFound): deployments.apps \"x\" not found' >&2; exit 1",
                FailureKind::NotFound,
                "not found",
            ),
            (
                "echo 'Error from server (Forbidden): pods/portforward is forbidden' >&2; exit 1",
                FailureKind::Forbidden,
                "pods/portforward",
            ),
            (
                "echo 'Forwarding from [::1]:1 -> 3080'",
                FailureKind::Other,
                "in context west",
            ),
        ];
        for (script, kind, part) in cases {
            let failure = run(script, LONG).await.expect_err(script);
            assert_eq!(failure.kind, kind, "{failure}");
            assert!(failure.detail.contains(part), "{failure} lacks {part}");
        }
        let late = run("exec sleep 600", Duration::from_millis(1)).await;
        assert_eq!(late.expect_err("late").kind, FailureKind::Timeout);
        let mut plan = sample::plan();
        plan.tools.kubectl = "/nowhere/kubectl".to_owned();
        let none = Forward::open(&plan, Side::Recovery)
            .await
            .expect_err("none");
        assert!(none.detail.contains("set `kubectl` in [tools]"), "{none}");
    }
}
