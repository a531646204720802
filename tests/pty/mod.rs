//! The practice recovery walked by keys, as its operator does it: the real binary in a real terminal, against servers
//! on loopback that speak the real protocols.

mod operators;
pub mod picture;
mod poor;
pub mod terminal;
mod ways_out;

use std::path::Path;

use terminal::Terminal;

/// A practice in a folder of its own; stopped when dropped.
struct Practice {
    dir: tempfile::TempDir,
}

impl Practice {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a folder"),
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn open(&self, size: (u16, u16), more: &[&str], vars: &[(&str, &str)]) -> Terminal {
        let dir = self.path().to_str().expect("a path");
        let mut args = vec!["practice", "--dir", dir];
        args.extend(more);
        Terminal::start(&args, size, vars, self.path())
    }
}

impl Drop for Practice {
    fn drop(&mut self) {
        let _ = std::process::Command::new(env!("CARGO_BIN_EXE_relight"))
            .args(["practice", "stop", "--dir"])
            .arg(self.path())
            .output();
    }
}

/// The row of the runbook that holds a step's title.
pub fn row<'a>(screen: &'a str, title: &str) -> &'a str {
    screen
        .lines()
        .find(|line| line.contains(title))
        .unwrap_or("")
}

pub fn passes(terminal: &Terminal, title: &str) {
    terminal.wait(&format!("{title} to pass"), |screen| {
        row(screen, title).contains("PASS")
    });
}

/// Runs a step by its title, through the palette: there are more steps than digits.
pub fn run(terminal: &mut Terminal, title: &str) {
    terminal.keys(":");
    terminal.wait_for("━ Do ━");
    terminal.keys(title);
    terminal.wait("the palette to have found the step", |screen| {
        screen
            .lines()
            .any(|line| line.contains("run step") && line.contains(title))
    });
    terminal.keys("\r");
    terminal.wait("the palette to be gone", |screen| {
        !screen.contains("━ Do ━")
    });
}

/// Runs a step that asks first, and confirms it.
pub fn confirm(terminal: &mut Terminal, title: &str) {
    run(terminal, title);
    terminal.wait_for("Cancel");
    terminal.keys("\t\r");
    passes(terminal, title);
}

#[test]
fn from_first_frame_to_public_ping() {
    let practice = Practice::new();
    let mut terminal = practice.open((160, 50), &[], &[]);
    terminal.wait_for("PRACTICE");
    terminal.wait("every pane to be there", |screen| {
        ["Pods", "Backups", "DNS", "Web API"]
            .iter()
            .all(|pane| screen.contains(pane))
    });
    terminal.wait("verify to be ready", |screen| {
        row(screen, "Verify backups").contains("ready")
    });
    run(&mut terminal, "Verify backups");
    passes(&terminal, "Verify backups");

    confirm(&mut terminal, "Record the black box");
    run(&mut terminal, "Check prerequisites");
    passes(&terminal, "Check prerequisites");
    confirm(&mut terminal, "Pause what would");
    run(&mut terminal, "Stop old cluster");
    terminal.wait_for("uninstall teleport-cluster in");
    terminal.keys("uninstall teleport-cluster in practice-us-east-1\r");
    passes(&terminal, "Stop old cluster");

    confirm(&mut terminal, "Restore tables");
    confirm(&mut terminal, "Repair tables");
    run(&mut terminal, "Check state table");
    passes(&terminal, "Check state table");
    confirm(&mut terminal, "Write recovery values");
    for look in ["Check rights", "Check certificate"] {
        run(&mut terminal, look);
        passes(&terminal, look);
    }
    confirm(&mut terminal, "Install the chart");
    for look in ["Wait for pods", "Get load balancer"] {
        run(&mut terminal, look);
        passes(&terminal, look);
    }
    confirm(&mut terminal, "Switch DNS");
    run(&mut terminal, "Confirm public ping");
    passes(&terminal, "Confirm public ping");

    terminal.keys("q");
    assert!(terminal.end().success());
    terminal.wait_for("attach again: ");
    let words = terminal.text();
    let asked = String::from_utf8_lossy(&terminal.bytes()).contains("\x1b[6n");
    assert!(!asked, "the terminal was asked for its cursor");

    // The way back is the line that is printed: typed as it is, it comes to the same incident.
    let (_, line) = words.split_once("attach again: ").expect("a way back");
    let line = line.lines().next().unwrap_or_default();
    let args: Vec<&str> = line.split(' ').skip(1).collect();
    let again = Terminal::start(&args, (160, 50), &[], practice.path());
    passes(&again, "Confirm public ping");
}
