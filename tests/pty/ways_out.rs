//! How the cockpit is left, and what becomes of what it watched: cut links, signals, crashes, dead servers.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use super::{Practice, passes, row, terminal::Terminal};

/// Opens a practice and runs its first step.
fn begun(practice: &Practice) -> Terminal {
    let mut terminal = practice.open((120, 40), &[], &[]);
    terminal.wait("verify to be ready", |screen| {
        row(screen, "Verify backups").contains("ready")
    });
    terminal.keys("1");
    passes(&terminal, "Verify backups");
    terminal
}

#[test]
fn a_cut_link_loses_nothing_and_the_next_cockpit_attaches() {
    let practice = Practice::new();
    let mut first = begun(&practice);
    first.hang_up();
    let status = first.end();
    assert_eq!(status.exit_code(), 129, "{status:?}");

    let second = practice.open((120, 40), &[], &[]);
    passes(&second, "Verify backups");
}

#[test]
fn every_way_out_gives_the_terminal_back() {
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
fn a_killed_cockpit_is_attached_again_and_its_practice_goes_on() {
    let practice = Practice::new();
    let mut first = begun(&practice);
    first.signal(Signal::KILL);
    assert!(!first.end().success());
    let second = practice.open((120, 40), &[], &[]);
    passes(&second, "Verify backups");
}

#[test]
fn a_second_cockpit_looks_on_and_goes_on_when_the_first_has_left() {
    let practice = Practice::new();
    let mut first = begun(&practice);
    let mut second = practice.open((120, 40), &[], &[]);
    passes(&second, "Verify backups");
    second.wait_for("has held this incident");
    second.keys("3");
    second.wait_for("is locked: observing");
    first.keys("q");
    assert!(first.end().success());
    second.wait_for("holds the incident now");
    second.wait("a step to be ready", |screen| {
        row(screen, "Write recovery values").contains("ready")
    });
}

#[test]
fn stopped_and_continued_it_draws_again_and_takes_keys() {
    let practice = Practice::new();
    let mut terminal = practice.open((120, 40), &[], &[]);
    terminal.wait_for("PRACTICE");
    terminal.signal(Signal::STOP);
    terminal.signal(Signal::CONT);
    terminal.keys("?");
    terminal.wait_for("━ Keys ━");
    terminal.keys("\u{1b}");
    terminal.wait("the help to be gone", |screen| !screen.contains("━ Keys ━"));
    terminal.keys("q");
    assert!(terminal.end().success());
}

/// On a slow link an escape and the key behind it come in one piece, and then look like one key with alt.
#[test]
fn an_escape_with_a_key_right_behind_it_is_two_keys() {
    let practice = Practice::new();
    let mut terminal = practice.open((120, 40), &[], &[]);
    terminal.wait_for("PRACTICE");
    terminal.keys("?");
    terminal.wait_for("━ Keys ━");
    terminal.keys("\u{1b}q");
    assert!(terminal.end().success());
}

#[test]
fn a_terminal_that_reads_nothing_does_not_keep_it() {
    let practice = Practice::new();
    for signal in [Signal::TERM, Signal::HUP] {
        let mut terminal = practice.open((200, 50), &[], &[]);
        terminal.wait_for("PRACTICE");
        terminal.stop_reading();
        // A frame that the terminal's buffer does not hold.
        terminal.keys("?");
        terminal.keys("\u{c}");
        terminal.signal(signal);
        terminal.end();
    }
}

#[test]
fn with_every_server_dead_each_pane_says_so_and_keys_go_on() {
    let practice = Practice::new();
    let mut terminal = practice.open((160, 50), &["--scenario", "calm"], &[]);
    terminal.wait("facts in every pane", |screen| {
        ["primary 4/4 ready", "newest event", "OLD ", "ping 200"]
            .iter()
            .all(|fact| screen.contains(fact))
    });
    kill_servers(practice.path());
    terminal.wait_for("primary unreachable");
    for pane in ["Pods", "Backups", "DNS", "Web API"] {
        let titles = [
            format!("┌ {pane}  ? UNKNOWN"),
            format!("├ {pane}  ? UNKNOWN"),
        ];
        terminal.wait(&format!("{pane} to be unknown"), |screen| {
            titles.iter().any(|title| screen.contains(title))
        });
    }
    terminal.keys(":");
    terminal.wait_for("━ Do ━");
    terminal.keys("\u{1b}");
    terminal.wait("the palette to be gone", |screen| {
        !screen.contains("━ Do ━")
    });
    terminal.keys("q");
    assert!(terminal.end().success());
}

#[test]
fn once_tells_what_the_cockpit_had_seen_before_everything_died() {
    let practice = Practice::new();
    let mut terminal = practice.open((160, 50), &["--scenario", "calm"], &[]);
    terminal.wait_for("primary 4/4 ready");
    terminal.keys("q");
    assert!(terminal.end().success());
    kill_servers(practice.path());
    let entries = std::fs::read_dir(practice.path()).expect("a folder");
    let incidents = entries
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.to_string_lossy().contains("incidents-"));
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_relight"))
        .arg("--plan")
        .arg(practice.path().join("relight.toml"))
        .arg("--state-dir")
        .arg(incidents.expect("its incidents"))
        .arg("--once")
        .output()
        .expect("the binary");
    let told = String::from_utf8_lossy(&done.stdout);
    assert!(told.contains("teleport-cluster-auth-"), "{told}");
    assert!(!told.contains("OK       "), "{told}");
}

fn kill_servers(dir: &Path) {
    let program = Path::new(env!("CARGO_BIN_EXE_relight"));
    let ready = relight::practice::start_by(program, dir, "calm").expect("it runs");
    let pid = i32::try_from(ready.pid).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), Signal::KILL).expect("killed");
}
