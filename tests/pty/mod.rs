//! The practice recovery walked by keys, as its operator does it: the real binary in a real terminal, against servers
//! on loopback that speak the real protocols.

mod terminal;

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
fn row<'a>(screen: &'a str, title: &str) -> &'a str {
    screen
        .lines()
        .find(|line| line.contains(title))
        .unwrap_or("")
}

fn passes(terminal: &Terminal, title: &str) {
    terminal.wait(&format!("{title} to pass"), |screen| {
        row(screen, title).contains("PASS")
    });
}

fn confirm(terminal: &mut Terminal, key: &str, title: &str) {
    terminal.keys(key);
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
    terminal.keys("1");
    passes(&terminal, "Verify backups");

    terminal.keys("2");
    terminal.wait_for("uninstall teleport-cluster in");
    terminal.keys("uninstall teleport-cluster in practice-us-east-1\r");
    passes(&terminal, "Stop old cluster");

    confirm(&mut terminal, "3", "Write recovery values");
    confirm(&mut terminal, "4", "Install the chart");
    terminal.keys("5");
    passes(&terminal, "Wait for pods");
    terminal.keys("6");
    passes(&terminal, "Get load balancer");
    confirm(&mut terminal, "7", "Switch DNS");
    terminal.keys("8");
    passes(&terminal, "Confirm public ping");

    terminal.keys("q");
    assert!(terminal.end().success());
    let words = terminal.text();
    assert!(words.contains("attach again"), "{words}");
    let asked = String::from_utf8_lossy(&terminal.bytes()).contains("\x1b[6n");
    assert!(!asked, "the terminal was asked for its cursor");
}

#[test]
fn a_cut_link_loses_nothing_and_the_next_cockpit_attaches() {
    let practice = Practice::new();
    let mut first = practice.open((120, 40), &[], &[]);
    first.wait("verify to be ready", |screen| {
        row(screen, "Verify backups").contains("ready")
    });
    first.keys("1");
    passes(&first, "Verify backups");
    first.hang_up();
    let status = first.end();
    assert_eq!(status.exit_code(), 129, "{status:?}");

    let second = practice.open((120, 40), &[], &[]);
    passes(&second, "Verify backups");
}

#[test]
fn every_way_out_gives_the_terminal_back() {
    use rustix::process::Signal;

    let practice = Practice::new();
    for signal in [Signal::TERM, Signal::INT, Signal::QUIT] {
        let mut terminal = practice.open((100, 30), &[], &[]);
        terminal.wait_for("PRACTICE");
        assert!(terminal.is_full_screen());
        terminal.signal(signal);
        assert!(terminal.end().success(), "{signal:?}");
        assert!(
            !terminal.is_full_screen(),
            "{signal:?} left the alternate screen on"
        );
        let bytes = terminal.bytes();
        let shown = bytes.windows(6).any(|window| window == b"\x1b[?25h");
        assert!(shown, "{signal:?} left the cursor hidden");
    }
}

#[test]
fn it_survives_a_storm_of_resizes() {
    let practice = Practice::new();
    let mut terminal = practice.open((200, 50), &[], &[]);
    terminal.wait_for("PRACTICE");
    for (columns, rows) in [
        (1, 1),
        (20, 5),
        (80, 24),
        (39, 9),
        (500, 200),
        (120, 40),
        (40, 10),
        (200, 50),
    ] {
        terminal.resize(columns, rows);
    }
    terminal.wait_for("Runbook");
    terminal.resize(80, 24);
    terminal.wait_for("Runbook");
    terminal.keys("q");
    assert!(terminal.end().success());
}

#[test]
fn a_dumb_terminal_gets_text_and_no_escape() {
    let practice = Practice::new();
    let mut terminal = practice.open((200, 100), &[], &[("TERM", "dumb")]);
    terminal.wait_for("RUNBOOK");
    terminal.end();
    assert!(!terminal.bytes().contains(&0x1b), "{}", terminal.text());
}
