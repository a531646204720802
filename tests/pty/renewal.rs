//! Credentials renewed while the cockpit is open: by a command that has the terminal, and by somebody else.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rustix::process::Signal;

use super::{Practice, passes, row, terminal::Terminal};

/// A practice whose plan says how credentials are renewed: by a command that asks for a code.
fn opened(practice: &Practice) -> Terminal {
    let mut first = practice.open((160, 50), &[], &[]);
    first.wait_for("PRACTICE");
    first.keys("q");
    assert!(first.end().success());

    let dir = practice.path();
    let renew = dir.join("renew");
    let script = "#!/bin/sh\nprintf 'the code: '\nread code\n\
                  printf '[practice-recovery]\\naws_access_key_id = %s\\naws_secret_access_key = x\\n\
                  aws_session_token = dr/%s\\n' \"$KEY\" \"$code\" > credentials\n";
    fs::write(&renew, script).expect("written");
    fs::set_permissions(&renew, fs::Permissions::from_mode(0o700)).expect("executable");
    let plan = dir.join("relight.toml");
    let text = fs::read_to_string(&plan).expect("the plan");
    let kubectl = "kubectl = \"bin/kubectl\"\n";
    assert!(text.contains(kubectl), "{text}");
    let with = text.replace(kubectl, &format!("{kubectl}renew = [\"./renew\"]\n"));
    fs::write(&plan, with).expect("written");

    let key = key(dir);
    let (plan, state) = (plan.to_string_lossy(), dir.join("state"));
    let args = [
        "--plan",
        &*plan,
        "--state-dir",
        state.to_str().expect("a path"),
    ];
    let terminal = Terminal::start(&args, (160, 50), &[("KEY", &key)], dir);
    terminal.wait("verify to be ready", |screen| {
        row(screen, "Verify backups").contains("ready")
    });
    terminal
}

/// The access key of the recovery side.
fn key(dir: &Path) -> String {
    let text = fs::read_to_string(dir.join("credentials")).expect("credentials");
    let (_, recovery) = text.split_once("[practice-recovery]").expect("a profile");
    let (_, key) = recovery.split_once("aws_access_key_id = ").expect("a key");
    key.lines().next().unwrap_or_default().to_owned()
}

fn journal(dir: &Path) -> String {
    let folders = fs::read_dir(dir.join("state")).expect("incidents");
    let journals: Vec<PathBuf> = folders
        .map(|entry| entry.expect("an entry").path().join("journal.jsonl"))
        .filter(|path| path.exists())
        .collect();
    journals
        .iter()
        .map(|path| fs::read_to_string(path).expect("a journal"))
        .collect()
}

#[test]
fn a_command_that_renews_them_has_the_terminal_and_its_keys_and_is_journalled() {
    let practice = Practice::new();
    let mut terminal = opened(&practice);
    terminal.keys("1");
    passes(&terminal, "Verify backups");
    terminal.keys("L");
    terminal.wait_for("the code: ");
    assert!(!terminal.is_full_screen());
    terminal.keys("renewed\r");
    terminal.wait_for("us-west-2 dr/renewed");
    assert!(terminal.is_full_screen());
    // Keys are the cockpit's again.
    terminal.keys("?");
    terminal.wait_for("━ Keys ━");
    terminal.keys("\u{1b}");
    terminal.wait("the help to be gone", |screen| !screen.contains("━ Keys ━"));
    terminal.keys("q");
    assert!(terminal.end().success());
    let journal = journal(practice.path());
    assert!(journal.contains("renewed by hand with"), "{journal}");
}

#[test]
fn a_command_that_is_broken_off_or_hung_up_leaves_the_cockpit_in_order() {
    let practice = Practice::new();
    let mut terminal = opened(&practice);
    terminal.keys("L");
    terminal.wait_for("the code: ");
    // What ctrl-c makes ends the command alone.
    terminal.keys("\u{3}");
    terminal.wait_for("ended by signal 2");
    assert!(terminal.is_full_screen());

    terminal.keys("L");
    terminal.wait("the code to be asked for again", |screen| {
        screen.matches("the code: ").count() == 2
    });
    terminal.signal(Signal::HUP);
    assert_eq!(terminal.end().exit_code(), 129);
}

#[test]
fn a_file_that_somebody_else_writes_is_read_again_by_itself() {
    let practice = Practice::new();
    let terminal = opened(&practice);
    let dir = practice.path();
    let text = format!(
        "[practice-recovery]\naws_access_key_id = {}\naws_secret_access_key = x\naws_session_token = dr/elsewhere\n",
        key(dir)
    );
    let new = dir.join("credentials.new");
    fs::write(&new, text).expect("written");
    fs::rename(&new, dir.join("credentials")).expect("renamed");
    terminal.wait_for("us-west-2 dr/elsewhere");
}
