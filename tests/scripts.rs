//! `relight step` as a script meets it: exit codes, events, who may, and what stays when it is asked to leave.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use relight::{
    incident::{Action, Runbook, Step},
    journal::{Claim, Folder, Lock},
    plan, practice,
    run::RunDir,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_relight");

/// A practice region, and where its incidents are kept.
struct Region {
    dir: TempDir,
    state: TempDir,
    plan: PathBuf,
}

impl Drop for Region {
    fn drop(&mut self) {
        let _ = practice::stop(self.dir.path());
    }
}

impl Region {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let ready = practice::start_by(Path::new(PROGRAM), dir.path(), "calm").expect("a practice");
        Self {
            dir,
            state: tempfile::tempdir().expect("a folder"),
            plan: ready.plan,
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(["step"]).args(args);
        command.arg("--plan").arg(&self.plan);
        command.arg("--state-dir").arg(self.state.path());
        command
    }

    /// The exit code and what was printed.
    fn step(&self, args: &[&str]) -> (i32, String) {
        let done = self.command(args).output().expect("the binary");
        let told = String::from_utf8_lossy(&done.stdout).into_owned();
        let wrong = String::from_utf8_lossy(&done.stderr).into_owned();
        (done.status.code().unwrap_or(-1), told + &wrong)
    }

    /// The exit code and the events.
    fn events(&self, args: &[&str]) -> (i32, Vec<Value>) {
        let args = [args, &["--format", "json"]].concat();
        let (code, told) = self.step(&args);
        let read = |line| serde_json::from_str(line).unwrap_or_else(|_| unreachable!("{line}"));
        (code, told.lines().map(read).collect())
    }

    /// The folder of its only incident.
    fn incident(&self) -> Folder {
        let mut folders = fs::read_dir(self.state.path()).expect("a folder");
        let folder = folders.next().expect("an incident").expect("an entry");
        assert!(folders.next().is_none(), "a second incident");
        Folder::at(&folder.path())
    }

    fn journal(&self) -> String {
        fs::read_to_string(self.incident().journal()).expect("a journal")
    }
}

fn names(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| event["event"].as_str())
        .collect()
}

#[test]
fn a_step_is_told_from_armed_to_judged() {
    let region = Region::start();
    let (code, told) = region.step(&["run", "install", "--yes"]);
    assert!(
        code == 3 && told.contains("Install the chart is locked: needs"),
        "{code} {told}"
    );
    let (code, told) = region.step(&["run", "nowhere"]);
    assert!(
        code == 64 && told.contains("there is no step \"nowhere\"; there are verify-backups"),
        "{code} {told}"
    );
    let (code, told) = region.step(&["run"]);
    assert!(code != 0 && told.contains("<ID>"), "{code} {told}");
    let (code, events) = region.events(&["wait", "verify-backups"]);
    assert_eq!((code, names(&events)), (3, vec!["refused"]));

    let (code, events) = region.events(&["run", "verify-backups"]);
    let mut seen = names(&events);
    seen.dedup();
    assert_eq!(code, 0, "{events:?}");
    let course = [
        "armed",
        "confirmed",
        "started",
        "line",
        "exited",
        "settling",
        "judged",
    ];
    assert_eq!(
        seen.iter()
            .filter(|name| **name != "settling")
            .collect::<Vec<_>>(),
        course
            .iter()
            .filter(|name| **name != "settling")
            .collect::<Vec<_>>()
    );
    let judged = events.last().expect("a verdict");
    assert_eq!(judged["verdict"], "PASS");
    for finding in judged["findings"].as_array().expect("findings") {
        assert_ne!(
            finding["evidence"].as_array().map(Vec::len),
            Some(0),
            "{finding}"
        );
    }
    // Told again, from the beginning, by a process that comes later.
    let (code, again) = region.events(&["wait", "verify-backups"]);
    let lines = |events: &[Value]| -> Vec<Value> {
        let lines = events.iter().filter(|event| event["event"] == "line");
        lines.map(|event| event["text"].clone()).collect()
    };
    assert_eq!((code, lines(&again)), (0, lines(&events)));
    assert_eq!(again.last().expect("a verdict")["verdict"], "PASS");

    let (code, events) = region.events(&["run", "write-values", "--yes"]);
    assert_eq!(code, 0, "{events:?}");
}

#[test]
fn what_is_not_answered_is_not_armed() {
    let region = Region::start();
    for step in ["verify-backups", "record-black-box", "pause-reconcilers"] {
        let (code, told) = region.step(&["skip", step, "--reason", "a rehearsal"]);
        assert!(
            code == 0 && told.contains("skipped: a rehearsal"),
            "{code} {told}"
        );
    }
    for (args, words) in [
        (&["run", "write-values"][..], "asks first: give --yes"),
        (
            &["run", "write-values", "--yes", "please"],
            "has no phrase: give --yes alone",
        ),
        (
            &["run", "stop-old-cluster", "--yes"],
            "asks for its phrase: --yes \"uninstall",
        ),
        (
            &["run", "stop-old-cluster", "--yes", "uninstall everything"],
            "asks for its phrase",
        ),
        (&["skip", "write-values"], "a reason is needed"),
        (&["cancel", "write-values"], "it is not running"),
        (
            &["run", "write-values", "--yes", "--read-only"],
            "read-only",
        ),
    ] {
        let (code, told) = region.step(args);
        assert!(code == 3 && told.contains(words), "{args:?}: {code} {told}");
    }
    assert!(
        !region.journal().contains("\"armed\""),
        "{}",
        region.journal()
    );
    let (code, told) = region.step(&["list", "--format", "json"]);
    let list: Value = serde_json::from_str(&told).expect("JSON");
    let steps = list["steps"].as_array().expect("steps").iter();
    let states: Vec<&str> = steps.filter_map(|step| step["state"].as_str()).collect();
    assert_eq!(code, 0);
    for state in ["skipped", "ready", "locked"] {
        assert!(states.contains(&state), "{states:?}");
    }
}

#[test]
fn while_another_holds_the_incident_only_looking_works() {
    let region = Region::start();
    let (code, _) = region.step(&["skip", "verify-backups", "--reason", "a rehearsal"]);
    assert_eq!(code, 0);
    let claim = Claim {
        operator: "ann".to_owned(),
        host: "bastion".to_owned(),
        floor: 0,
    };
    let _held = Lock::take(&region.incident(), &claim).expect("free");
    for args in [
        &["run", "verify-backups"][..],
        &["run", "verify-backups", "--dry-run"],
        &["skip", "write-values", "--reason", "x"],
    ] {
        let (code, told) = region.step(args);
        assert!(
            code == 3 && told.contains("ann on bastion"),
            "{args:?}: {code} {told}"
        );
    }
    let (code, told) = region.step(&["show", "verify-backups"]);
    assert!(
        code == 0 && told.contains("skipped: a rehearsal"),
        "{code} {told}"
    );
}

#[test]
fn what_needs_a_second_person_is_refused_with_words_how() {
    let mut region = Region::start();
    let text = fs::read_to_string(&region.plan).expect("a plan");
    let rule = |named: &str| format!("{text}\n[approvals]\nsteps = [\"{named}\"]\n");
    region.plan = region.plan.with_file_name("two.toml");
    fs::write(&region.plan, rule("verify-backups")).expect("written");
    // What reads only runs without being asked, by whatever name: it is the changes that need two.
    let (code, told) = region.step(&["run", "verify-backups"]);
    assert_eq!(code, 0, "{told}");
    fs::write(&region.plan, rule("change")).expect("written");
    let (code, told) = region.step(&["run", "record-black-box", "--yes"]);
    assert_eq!(code, 3, "{told}");
    assert!(told.contains("another person's approval"), "{told}");
    assert!(told.contains("approves it by Y"), "{told}");
    let (code, told) = region.step(&["run", "record-black-box", "--dry-run"]);
    assert_eq!(code, 0, "{told}");
    // A slip of the pen is no rule that nobody notices.
    fs::write(&region.plan, rule("stop-old-clutser")).expect("written");
    let (code, told) = region.step(&["list"]);
    assert_eq!(code, 64, "{told}");
    assert!(
        told.contains("\"stop-old-clutser\", and the runbook has no such step"),
        "{told}"
    );
}

#[test]
fn a_signal_ends_the_script_and_not_the_run() {
    let region = Region::start();
    for step in [
        "verify-backups",
        "stop-old-cluster",
        "write-values",
        "install",
    ] {
        // What the runbook has grown by is passed over with what it needs.
        let (code, told) = region.step(&["skip", step, "--reason", "a rehearsal"]);
        assert_eq!(code, 0, "{told}");
    }
    // Nothing was installed: it waits for a quarter of an hour.
    let mut child = region
        .command(&["run", "wait-for-pods", "--format", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary");
    let mut events = Vec::new();
    for line in BufReader::new(child.stdout.take().expect("a pipe")).lines() {
        let event: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        let started = event["event"] == "started";
        events.push(event);
        if started {
            let pid = i32::try_from(child.id()).expect("small");
            kill_process(Pid::from_raw(pid).expect("a process"), Signal::TERM).expect("sent");
        }
    }
    assert_eq!(child.wait().expect("ended").code(), Some(4), "{events:?}");
    let left = events.last().expect("a last word");
    assert_eq!(left["event"], "left");
    let again = left["again"].as_str().expect("a command");
    assert!(again.ends_with("step wait wait-for-pods"), "{again}");
    let run = relight::incident::RunId::parse(left["run"].as_str().expect("a run")).expect("an id");
    let dir = RunDir::of(&region.incident(), &run);
    assert!(dir.is_live().expect("told"), "{run} goes on");

    let (code, events) = region.events(&["cancel", "wait-for-pods"]);
    assert_eq!(code, 1, "{events:?}");
    assert_eq!(events.last().expect("a verdict")["verdict"], "FAIL");
    assert!(!dir.is_live().expect("told"), "{run} was stopped");
}

#[test]
fn to_say_what_would_be_done_declares_nothing() {
    let region = Region::start();
    // The same world as a real plan: a practice is an incident as soon as it is opened.
    let text = fs::read_to_string(&region.plan).expect("the plan");
    let real = region.plan.with_file_name("real.toml");
    fs::write(&real, text.replace("practice = true", "")).expect("written");
    assert!(!plan::load(&real).expect("a plan").practice);
    let done = Command::new(PROGRAM)
        .args([
            "step",
            "run",
            "--all",
            "--dry-run",
            "--format",
            "json",
            "--plan",
        ])
        .arg(&real)
        .arg("--state-dir")
        .arg(region.state.path())
        .env("TMPDIR", region.dir.path())
        .output()
        .expect("the binary");
    let told = String::from_utf8_lossy(&done.stdout);
    let events: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the runbook");
    let armed: Vec<&str> = events
        .iter()
        .filter(|event| event["event"] == "armed" || event["event"] == "refused")
        .filter_map(|event| event["step"].as_str())
        .collect();
    // What a person does is told in words: there is nothing to arm.
    let (by_hand, run): (Vec<&Step>, Vec<&Step>) = runbook
        .steps
        .iter()
        .partition(|step| matches!(step.action, Action::Manual(_)));
    let steps: Vec<&str> = run.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(armed, steps, "every step, in order");
    for step in by_hand {
        let words = format!("{} is done by hand", step.title);
        assert!(told.contains(&words), "{words}");
    }
    for event in events.iter().filter(|event| event["event"] == "armed") {
        assert_eq!(
            (&event["risk"], &event["dry_run"]),
            (&"look".into(), &true.into()),
            "{event}"
        );
    }
    assert!(!names(&events).contains(&"judged"));
    assert!(
        !region.dir.path().join("recovery-values.yaml").exists(),
        "a file was written"
    );
    assert_eq!(
        fs::read_dir(region.state.path()).expect("a folder").count(),
        0,
        "an incident was declared"
    );
    let left: Vec<_> = fs::read_dir(region.dir.path())
        .expect("a folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("relight-dry-run"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
