//! The real binary as a script calls it: `relight step …` with events as JSON, and everything else as text.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// A plan, and the home of whoever calls the binary: the incident is opened there.
pub struct Script {
    plan: PathBuf,
    home: PathBuf,
}

impl Script {
    /// Calls on this plan, with a home of its own in its folder.
    pub fn new(plan: &Path) -> Self {
        let home = plan.parent().expect("a folder").to_owned();
        Self {
            plan: plan.to_owned(),
            home,
        }
    }

    /// The same plan, called from another home: another incident.
    pub fn at(plan: &Path, home: PathBuf) -> Self {
        std::fs::create_dir_all(&home).expect("a folder");
        Self {
            home,
            ..Self::new(plan)
        }
    }

    /// Calls the binary.
    pub fn call(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_relight"))
            .args(args)
            .arg("--plan")
            .arg(&self.plan)
            .env("HOME", &self.home)
            .env_remove("XDG_STATE_HOME")
            .current_dir(&self.home)
            .output()
            .expect("the binary")
    }

    /// What `relight step` ended with, and its events.
    pub fn step(&self, args: &[&str]) -> (i32, Vec<Value>) {
        let args = [&["step"], args, &["--format", "json"]].concat();
        let done = self.call(&args);
        let told = String::from_utf8_lossy(&done.stdout).into_owned();
        let wrong = String::from_utf8_lossy(&done.stderr).into_owned();
        let read =
            |line| serde_json::from_str(line).unwrap_or_else(|_| unreachable!("{line}{wrong}"));
        (
            done.status.code().unwrap_or(-1),
            told.lines().map(read).collect(),
        )
    }

    /// A step that passes, by evidence, and says so by its last event and its exit code; gives its events.
    pub fn passes(&self, args: &[&str]) -> Vec<Value> {
        let (code, events) = self.step(args);
        let judged = events.last().expect("a last word");
        assert_eq!(
            (code, &judged["verdict"]),
            (0, &"PASS".into()),
            "{args:?}: {events:#?}"
        );
        let findings = judged["findings"].as_array().expect("findings");
        assert!(!findings.is_empty(), "{judged}");
        for finding in findings {
            assert!(
                finding["evidence"]
                    .as_array()
                    .is_some_and(|seen| !seen.is_empty()),
                "{finding}"
            );
        }
        events
    }

    /// A call that starts nothing and says why.
    pub fn refused(&self, args: &[&str], words: &str) {
        let (code, events) = self.step(args);
        let last = events.last().expect("a last word");
        let why = last["why"].as_str().unwrap_or_default();
        assert!(
            code == 3 && last["event"] == "refused" && why.contains(words),
            "{args:?}: {code} {events:#?}"
        );
    }
}
