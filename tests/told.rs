//! What is over is told: a practice by `report`, `incidents` and `replay`, and a journal that an early build wrote.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use relight::practice;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::pty::{row, terminal::Terminal};

const PROGRAM: &str = env!("CARGO_BIN_EXE_relight");
const OLD: &str = "20261123T140000Z-teleport.example.com";

/// The exit code and what was printed, in a home of its own.
pub fn relight(args: &[&str], home: &Path) -> (i32, String) {
    let done = Command::new(PROGRAM)
        .args(args)
        .env("HOME", home)
        .env_remove("XDG_STATE_HOME")
        .current_dir(home)
        .output()
        .expect("the binary");
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&done.stderr).into_owned();
    (done.status.code().unwrap_or(-1), told + &wrong)
}

/// Every file below a folder, with what is in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                // A run leaves a FIFO, which nobody writes to any more.
                let bytes = fs::read(&path).expect("a file");
                all.insert(path, bytes);
            }
        }
    }
    all
}

/// The fixture as an incident of this user's: what git checks out may be writable by a group.
fn old_incident() -> (TempDir, PathBuf) {
    let state = tempfile::tempdir().expect("a folder");
    let folder = state.path().join(OLD);
    fs::create_dir(&folder).expect("a folder");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("ours alone");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journals/eight-steps");
    for name in ["journal.jsonl", "track.jsonl"] {
        fs::copy(fixture.join(name), folder.join(name)).expect("copied");
    }
    (state, folder)
}

#[test]
fn a_practice_is_told_from_its_first_record() {
    let dir = tempfile::tempdir().expect("a folder");
    let state = tempfile::tempdir().expect("a folder");
    let ready = practice::start_by(Path::new(PROGRAM), dir.path(), "calm").expect("a practice");
    let plan = ready.plan.to_str().expect("a path");
    let kept = state.path().to_str().expect("a path");
    let step = |args: &[&str]| {
        let args = [&["step"], args, &["--plan", plan, "--state-dir", kept]].concat();
        let (code, told) = relight(&args, dir.path());
        assert_eq!(code, 0, "{args:?}: {told}");
    };
    step(&["run", "verify-backups"]);
    step(&["skip", "stop-old-cluster", "--reason", "it is <b>calm</b>"]);
    assert!(practice::stop(dir.path()).expect("stopped"), "it ran");
    // What is told does not need the region, nor the file that the plan was in.
    fs::remove_file(&ready.plan).expect("removed");
    let before = files(state.path());
    let told = |args: &[&str]| {
        let args = [args, &["--state-dir", kept]].concat();
        relight(&args, dir.path())
    };

    let (code, text) = told(&["report"]);
    assert_eq!(code, 0, "{text}");
    for part in [
        "# teleport.example.com: practice ",
        "| Regions | us-east-1 → us-west-2 |",
        "Verify backups: PASS after",
        "PASS recordings-ready: ",
        "Stop old cluster | it is \\<b\\>calm\\</b\\> |",
        "resolvers NEW ",
        "| judged | Verify backups: PASS |",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (code, text) = told(&["report", "--format", "json"]);
    let account: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, &account["kind"]), (0, &"practice".into()), "{text}");
    assert_eq!(
        account["rto"]["objective_seconds"], 3600.0,
        "of the kept plan"
    );
    let verdict = &account["verdicts"][0];
    assert_eq!(
        (&verdict["step"], &verdict["verdict"]),
        (&"verify-backups".into(), &"PASS".into())
    );
    for finding in verdict["findings"].as_array().expect("findings") {
        for look in finding["evidence"].as_array().expect("evidence") {
            assert!(look["age_seconds"].is_number(), "{finding}");
        }
    }
    let page = dir.path().join("report.html");
    let output = ["--output", page.to_str().expect("a path")];
    let html = [&["report", "--format", "html"][..], &output].concat();
    let (code, text) = told(&html);
    assert_eq!(code, 0, "{text}");
    let text = fs::read_to_string(&page).expect("a page");
    assert!(
        text.contains("<svg") && text.contains("it is &lt;b&gt;calm"),
        "{text}"
    );
    let mode = fs::metadata(&page).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (code, text) = told(&html);
    assert!(
        code == 64 && text.contains("never overwritten"),
        "{code} {text}"
    );
    let (code, text) = told(&["report", "--brief"]);
    assert!(code == 0 && text.lines().count() <= 25, "{code} {text}");
    assert!(text.contains("1 Verify backups PASS"), "{text}");
    let (code, text) = told(&["incidents"]);
    assert!(
        code == 0 && text.contains("practice  teleport.example.com"),
        "{code} {text}"
    );
    assert_eq!(files(state.path()), before, "telling wrote something");

    // Beside it one that is broken: told with its file, and the others with it.
    fs::create_dir(state.path().join("20261123T140531Z-gone.example.com")).expect("a folder");
    let (code, text) = told(&["incidents", "--json"]);
    let listing: Value = serde_json::from_str(&text).expect("JSON");
    let states: Vec<&str> = listing["incidents"]
        .as_array()
        .expect("incidents")
        .iter()
        .filter_map(|one| one["state"].as_str())
        .collect();
    assert_eq!(code, 1, "{text}");
    assert!(
        states.contains(&"broken") && states.contains(&"open"),
        "{states:?}"
    );
    assert!(
        text.contains("gone.example.com/journal.jsonl is missing"),
        "{text}"
    );
}

#[test]
fn what_is_not_there_is_told_and_nothing_is_made() {
    let home = tempfile::tempdir().expect("a folder");
    for (args, code, words) in [
        (&["report"][..], 2, "nothing was ever kept"),
        (&["report", "2026"], 2, "nothing was ever kept"),
        (&["report", "./nowhere"], 2, "is no incident"),
        (&["incidents"], 0, "no incidents"),
        (&["replay"], 64, "needs a terminal"),
        (
            &["--once", "--format", "html"],
            64,
            "for `relight report` alone",
        ),
    ] {
        let (got, text) = relight(args, home.path());
        assert!(
            got == code && text.contains(words),
            "{args:?}: {got} {text}"
        );
    }
    assert_eq!(files(home.path()).len(), 0);
    assert_eq!(
        fs::read_dir(home.path()).expect("a folder").count(),
        0,
        "a folder was made"
    );
}

#[test]
fn a_journal_of_an_early_build_is_told_by_the_binary() {
    let (state, folder) = old_incident();
    let path = folder.to_str().expect("a path");
    for form in ["markdown", "html", "json"] {
        let (code, text) = relight(&["report", path, "--format", form], state.path());
        assert_eq!(code, 0, "{text}");
        assert!(
            text.contains("written by hand from the break-glass vault"),
            "{text}"
        );
        assert!(text.contains("is gone or is another cluster"), "{text}");
    }
    let kept = ["--state-dir", state.path().to_str().expect("a path")];
    let (code, text) = relight(&[&["incidents"][..], &kept].concat(), state.path());
    assert!(code == 0 && text.contains("closed"), "{code} {text}");
    let (code, _) = relight(&[&["report", "20261123"][..], &kept].concat(), state.path());
    assert_eq!(code, 0);

    // A word changed in the middle: told, and told that it was changed.
    let journal = folder.join("journal.jsonl");
    let text = fs::read_to_string(&journal).expect("a journal");
    fs::write(
        &journal,
        text.replacen("2 pods are still there", "no pods are there", 1),
    )
    .expect("written");
    let (code, text) = relight(&["report", path], state.path());
    assert!(
        code == 1 && text.contains("changed from outside"),
        "{code} {text}"
    );
    let (code, text) = relight(&[&["incidents"][..], &kept].concat(), state.path());
    assert!(
        code == 1 && text.contains("journal.jsonl: journal line"),
        "{code} {text}"
    );
}

#[test]
fn an_incident_is_played_to_its_end_and_nothing_is_written() {
    let (state, folder) = old_incident();
    let before = files(state.path());
    let path = folder.to_str().expect("a path");
    let mut terminal = Terminal::start(
        &["replay", path, "--speed", "1"],
        (160, 50),
        &[],
        state.path(),
    );
    terminal.wait_for("REPLAY");
    terminal.wait_for("1× playing");
    terminal.wait_for("unknown region");
    // It stands, and goes from transition to transition: time goes by with them alone.
    terminal.keys(" ");
    terminal.wait_for("1× paused");
    let transitions = [
        ("14:00:20Z", "running"),
        ("14:00:25Z", "running"),
        ("14:00:26Z", "running"),
        ("14:00:54Z", "settling"),
        ("14:00:56Z", "PASS"),
    ];
    for (clock, word) in transitions {
        terminal.keys(".");
        terminal.wait(clock, |screen| screen.contains(clock));
        if clock > "14:00:20Z" {
            let shown = |screen: &str| row(screen, "Verify backups").contains(word);
            terminal.wait(word, shown);
        }
    }
    terminal.keys(",");
    terminal.wait("the transition before", |screen| {
        screen.contains("14:00:54Z")
    });
    // What acts has no key here, and what looks neither.
    terminal.keys("r");
    terminal.wait_for("nothing is looked at");
    for _ in 0..12 {
        terminal.keys("]");
    }
    terminal.wait_for("3600× paused");
    terminal.keys(" ");
    terminal.wait_for("at its end");
    terminal.wait("the incident's own clock", |screen| {
        screen.contains("14:18:25Z")
    });
    for (title, word) in [
        ("Stop old cluster", "PASS"),
        ("Write recovery values", "skipped"),
        ("Install the chart", "PASS"),
        ("Confirm public ping", "PASS"),
    ] {
        terminal.wait(title, |screen| row(screen, title).contains(word));
    }
    terminal.keys("q");
    assert!(terminal.end().success());
    terminal.wait_for("left at 2026-11-23T14:18:25.000Z");
    assert_eq!(files(state.path()), before, "a replay wrote something");
}

/// What is printed up to the first line that says something; then the watch is asked to leave. With its exit code.
pub fn watched(args: &[&str], home: &Path, words: &str) -> (i32, String) {
    let mut child = Command::new(PROGRAM)
        .args(args)
        .env("HOME", home)
        .env_remove("XDG_STATE_HOME")
        .current_dir(home)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary");
    let mut told = String::new();
    let mut asked = false;
    for line in BufReader::new(child.stdout.take().expect("a pipe")).lines() {
        let line = line.expect("a line");
        told.push_str(&line);
        told.push('\n');
        if line.contains(words) && !asked {
            asked = true;
            let pid = i32::try_from(child.id()).expect("small");
            kill_process(Pid::from_raw(pid).expect("a process"), Signal::TERM).expect("sent");
        }
    }
    let status = child.wait().expect("ended");
    assert!(asked, "{words:?} is not in\n{told}");
    (status.code().unwrap_or(-1), told)
}

/// The old cluster was declared unreachable and the incident closed: what is left is to watch for it.
#[test]
fn a_closed_incident_is_watched_until_the_old_cluster_comes_back() {
    let home = tempfile::tempdir().expect("a folder");
    let dir = tempfile::tempdir().expect("a folder");
    let log = dir.path().join("pager.log");
    let ready = practice::start_by(Path::new(PROGRAM), dir.path(), "clean-loss").expect("started");
    let plan = ready.plan.to_str().expect("a path");
    let kept = home.path().to_str().expect("a path");
    let mut text = fs::read_to_string(plan).expect("the plan");
    text.push_str(
        "\n[watch]\non_event = [\"sh\", \"-c\", \"cat >> pager.log; echo >> pager.log\"]\n",
    );
    fs::write(plan, text).expect("written");
    let place = ["--plan", plan, "--state-dir", kept];
    let call = |args: &[&str]| relight(&[args, &place].concat(), dir.path());

    let (code, told) = call(&["watch"]);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("there is no incident of"), "{told}");

    let (code, told) = call(&["step", "skip", "stop-old-cluster", "--reason", "no answer"]);
    assert_eq!(code, 0, "{told}");
    let mut terminal = Terminal::start(&place, (80, 24), &[], dir.path());
    terminal.wait_for("Stop old cluster  skipped");
    // The lock is taken after the replay: whoever only looks on closes nothing.
    terminal.wait_for("Verify backups: ready");
    terminal.keys("E");
    terminal.wait_for("NOT seen to be stopped");
    terminal.keys("two days\r");
    terminal.wait_for("the incident is closed");
    terminal.keys("q");
    terminal.wait_for("keep watching for it");
    assert!(terminal.end().success());

    let before = files(home.path());
    let watch = |words: &str, more: &[&str]| {
        let args = [&["watch", "--format", "json"][..], more, &place].concat();
        watched(&args, dir.path(), words)
    };
    let (code, told) = watch("\"unreachable\"", &[]);
    assert_eq!(code, 2, "nobody could tell: {told}");
    assert!(practice::heal(dir.path()).expect("healed"), "it runs");
    let (code, told) = call(&["watch", "--until-alarm"]);
    assert_eq!(code, 1, "{told}");
    assert!(
        told.contains("ALARM THE OLD CLUSTER RUNS AND WAS NEVER STOPPED"),
        "{told}"
    );
    assert_eq!(files(home.path()), before, "nothing is written by looking");

    let pager = fs::read_to_string(&log).expect("the program's log");
    let kinds: Vec<Value> = pager
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["kind"].take())
        .collect();
    assert_eq!(kinds, ["unreachable", "comeback"], "{pager}");
    assert!(practice::stop(dir.path()).expect("stopped"));
}

#[test]
fn the_way_home_is_written_down_with_a_plan_that_can_be_used() {
    let home = tempfile::tempdir().expect("a folder");
    let dir = tempfile::tempdir().expect("a folder");
    let ready = practice::start_by(Path::new(PROGRAM), dir.path(), "calm").expect("started");
    let plan = ready.plan.to_str().expect("a path");
    let kept = home.path().to_str().expect("a path");
    let call = |args: &[&str]| relight(args, dir.path());
    let place = ["--plan", plan, "--state-dir", kept];
    let files = ["--output", "home.md", "--write-plan", "home.toml"];
    let (code, told) = call(&[&["plan", "failback"][..], &files, &place].concat());
    assert_eq!(code, 0, "nothing was written over there: {told}");
    let text = fs::read_to_string(dir.path().join("home.md")).expect("written");
    for part in [
        "failing back from us-west-2 to us-east-1",
        "Just switching DNS back: possible",
        "`relight --plan home.toml`",
        "Stop old cluster (`stop-old-cluster`, destroy)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (code, told) = call(&["plan", "check", "--plan", "home.toml"]);
    assert_eq!(code, 0, "{told}");
    for part in ["primary: us-west-2", "recovery: us-east-1", "-failback"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let (code, told) = call(&[&["plan", "failback"][..], &files, &place].concat());
    assert_eq!(code, 64, "{told}");
    assert!(told.contains("never overwritten"), "{told}");
    assert!(practice::stop(dir.path()).expect("stopped"));
}
