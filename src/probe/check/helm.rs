//! Which Helm the steps will run: asked of the binary that the plan names, since 3 and 4 are both about.

use std::{fmt, process::Stdio, time::Duration};

use tokio::process::Command;

use crate::{
    incident::{Failure, FailureKind},
    plan::Plan,
};

/// How long a binary may take to name its version: it reads no cluster, so this is a limit for a hang.
const PATIENCE: Duration = Duration::from_secs(10);
/// The major versions that the runbook's argv is tried with, in `tests/live`.
const TRIED: [u32; 2] = [3, 4];
/// How much of what a program says goes into a sentence.
const WORDS: usize = 120;

/// A Helm that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helm {
    /// As it writes it: `v4.1.4+g05fa379`.
    pub version: String,
    /// `4`
    pub major: u32,
}

impl fmt::Display for Helm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "helm {}", self.version)?;
        if TRIED.contains(&self.major) {
            Ok(())
        } else {
            f.write_str(", which the runbook was not tried with: use 3 or 4")
        }
    }
}

/// Asks the plan's Helm for its version.
///
/// # Errors
/// If it cannot be started, does not answer in time, fails, or says something that is no version.
pub async fn helm(plan: &Plan) -> Result<Helm, Failure> {
    let program = &plan.tools.helm;
    let asking = Command::new(program)
        .args(["version", "--short"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let remedy = "set `helm` in [tools] to the path of a Helm 3 or 4";
    let output = match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => {
            return Err(Failure::new(
                FailureKind::NotFound,
                format!("{program} cannot be started: {error}; {remedy}"),
            ));
        }
        Err(_) => {
            return Err(Failure::new(
                FailureKind::Timeout,
                format!(
                    "{program} did not name its version in {}s; {remedy}",
                    PATIENCE.as_secs()
                ),
            ));
        }
    };
    let said = String::from_utf8_lossy(&output.stdout);
    match read(&said) {
        Some(found) if output.status.success() => Ok(found),
        _ => {
            let words: String = said.trim().chars().take(WORDS).collect();
            Err(Failure::new(
                FailureKind::Garbage,
                format!(
                    "{program} named no version ({}): {words:?}; {remedy}",
                    output.status
                ),
            ))
        }
    }
}

/// A version as `helm version --short` prints it.
fn read(said: &str) -> Option<Helm> {
    let version = said.split_whitespace().next()?;
    let (major, rest) = version.strip_prefix('v')?.split_once('.')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || ".+-".contains(c);
    (!rest.is_empty() && version.len() <= WORDS && rest.chars().all(plain)).then_some(())?;
    Some(Helm {
        version: version.to_owned(),
        major: major.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_real_ones_print_is_read() {
        for (said, major) in [
            ("v3.17.2+gcc0bbbd\n", 3),
            ("v4.1.4+g05fa379\n", 4),
            ("v4.1.4+relight-practice\n", 4),
        ] {
            let found = read(said).expect("a version");
            assert_eq!(found.major, major);
            assert_eq!(found.to_string(), format!("helm {}", said.trim()));
        }
        let old = read("v2.17.0+gf6d4f27").expect("a version");
        assert!(old.to_string().contains("use 3 or 4"), "{old}");
    }

    #[test]
    fn what_is_no_version_is_none() {
        for said in [
            "",
            "helm",
            "v",
            "v4",
            "vx.1",
            "v4.1\u{1b}[2J",
            "Client: v2.17.0",
        ] {
            assert_eq!(read(said), None, "{said:?}");
        }
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_or_is_another_is_told_with_the_remedy() {
        let mut plan = crate::plan::sample::plan();
        for (program, kind) in [
            ("/nowhere/helm", FailureKind::NotFound),
            ("true", FailureKind::Garbage),
        ] {
            program.clone_into(&mut plan.tools.helm);
            let failure = helm(&plan).await.expect_err("no helm");
            assert_eq!(failure.kind, kind);
            assert!(failure.detail.contains("in [tools]"), "{failure}");
        }
    }
}
