//! The README cannot lie: every command in it is run, and its key table is the program's.

use std::{path::Path, process::Command};

use crate::pty::terminal::Terminal;

const README: &str = include_str!("../README.md");
const CI: &str = include_str!("../.ci/run");
const PROGRAM: &str = env!("CARGO_BIN_EXE_relight");

/// The lines of the README's `sh` blocks.
fn commands() -> Vec<&'static str> {
    let blocks = README.split("```sh\n").skip(1);
    let texts = blocks.filter_map(|rest| rest.split("```").next());
    texts.flat_map(str::lines).collect()
}

/// The arguments of a call of the program; `None` for another program.
fn arguments(line: &str) -> Option<Vec<&str>> {
    let rest = line
        .strip_prefix("cargo run -- ")
        .or_else(|| line.strip_prefix("relight"))?;
    Some(rest.split_whitespace().collect())
}

/// Whether the command opens the full screen.
fn opens(args: &[&str]) -> bool {
    let prints = [
        "--once",
        "list",
        "heal",
        "stop",
        "init",
        "plan",
        "step",
        "check",
        "drill",
        "report",
        "export",
        "incidents",
    ];
    !args.iter().any(|arg| prints.contains(arg))
}

/// Runs a command as it stands, in a folder, with practices kept there.
fn run(args: &[&str], folder: &Path) {
    let vars = [("XDG_RUNTIME_DIR", folder.to_str().expect("a path"))];
    if args.contains(&"watch") {
        let (code, told) = crate::told::watched(args, folder, "watching ");
        assert!(code <= 2, "{args:?}: {told}");
        return;
    }
    if opens(args) {
        let mut terminal = Terminal::start(args, (120, 40), &vars, folder);
        terminal.wait_for("Runbook");
        terminal.keys("q");
        assert!(terminal.end().success(), "{args:?}");
        return;
    }
    let done = Command::new(PROGRAM)
        .args(args)
        .envs(vars)
        .env("HOME", folder)
        .current_dir(folder)
        .output()
        .expect("the binary");
    let told = String::from_utf8_lossy(&done.stdout);
    let fine = if args.contains(&"--once") || args.contains(&"check") {
        // 1 and 2 say how things stand.
        matches!(done.status.code(), Some(0..=2)) && !told.is_empty()
    } else if args.contains(&"--all") {
        // 1 says that a step cannot be told yet.
        matches!(done.status.code(), Some(0..=1)) && !told.is_empty()
    } else {
        done.status.success()
    };
    let wrong = String::from_utf8_lossy(&done.stderr);
    assert!(fine, "{args:?}: {}\n{told}{wrong}", done.status);
}

#[test]
fn every_command_works_as_it_stands() {
    let home = tempfile::tempdir().expect("a folder");
    // "In its folder" is that of a plan which leads to servers on loopback.
    let region = tempfile::tempdir().expect("a folder");
    let ready = relight::practice::start_by(Path::new(PROGRAM), region.path(), "calm");
    let ready = ready.expect("a practice");
    let planned = ready.plan.parent().expect("a folder");
    let lines = commands();
    assert!(lines.len() >= 8, "{lines:?}");
    for line in lines {
        match arguments(line) {
            Some(args) if args.first() == Some(&"practice") || args.first() == Some(&"init") => {
                run(&args, home.path());
            }
            Some(args) => run(&args, planned),
            None => assert!(CI.contains(line), "neither a test nor .ci/run runs: {line}"),
        }
    }
    run(&["practice", "stop"], home.path());
    assert!(relight::practice::stop(region.path()).expect("stopped"));
}

#[test]
fn its_key_table_is_the_programs() {
    assert!(README.contains(&relight::input::markdown()));
}

#[test]
fn its_pictures_and_files_are_there() {
    let links = README
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    for link in links.filter(|link| !link.starts_with("http")) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(link);
        assert!(path.exists(), "the README names {link}, which is not there");
    }
}
