//! The runner with real processes: it outlives its starter, a killed runner is replaced, a cancelled child ends, nothing
//! starts under an old token.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    os::unix::process::CommandExt as _,
    path::Path,
    time::{Duration, Instant},
};

use relight::{
    incident::{Moment, RunId, StepId},
    journal::{Claim, Folder, Lock},
    run::{
        Cancel, Follow, Output, RunDir, RunEvent, RunFact, Spec, Watch, cancel, live, start_with,
    },
};
use rustix::process::{Pid, Signal};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_relight");
/// Longest wait for anything: only a broken test comes near it.
const PATIENCE: Duration = Duration::from_secs(30);

/// An incident of which this test is the operator.
struct Incident {
    _temp: TempDir,
    folder: Folder,
    lock: Lock,
}

impl Incident {
    fn declare() -> Self {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temp.path());
        let lock = Lock::take(&folder, &claim("ann")).expect("free");
        Self {
            _temp: temp,
            folder,
            lock,
        }
    }

    /// A run of a shell script. (Relight itself never runs a shell line; the tests need a child that does as told.)
    fn spec(&self, script: &str) -> Spec {
        let step = StepId::try_from("test".to_owned()).expect("an id");
        Spec {
            by: String::new(),
            digest: String::new(),
            run: RunId::new(&step, 1, Moment::from_secs(7)),
            step,
            argv: ["sh", "-c", script].map(str::to_owned).into(),
            env: BTreeMap::new(),
            cwd: self.folder.path().to_owned(),
            timeout: Duration::from_mins(2),
            grace: Duration::from_secs(20),
            token: self.lock.token(),
            incident: self.folder.path().to_owned(),
            dry_run: false,
            print_only: false,
            at: Moment::now(),
            calls: Vec::new(),
        }
    }

    fn watch(&self, operator: bool) -> Watch {
        Watch::new(self.folder.clone(), operator).with_binary(BINARY.into())
    }
}

fn claim(operator: &str) -> Claim {
    Claim {
        operator: operator.to_owned(),
        host: "bastion".to_owned(),
        floor: 0,
    }
}

/// Waits for a condition, never for a time.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Polls until an event is there that is wanted, and returns all up to then.
fn follow(watch: &mut Watch, what: &str, wanted: impl Fn(&RunEvent) -> bool) -> Vec<RunEvent> {
    let mut seen = Vec::new();
    until(what, || {
        seen.extend(watch.poll());
        seen.iter().any(&wanted).then_some(())
    });
    seen
}

fn exit(events: &[RunEvent]) -> (Option<i32>, String) {
    events
        .iter()
        .find_map(|event| match event {
            RunEvent::Exited { code, how, .. } => Some((*code, how.clone())),
            _ => None,
        })
        .expect("an exit")
}

fn start(spec: &Spec) -> RunDir {
    start_with(Path::new(BINARY), spec).expect("started")
}

const fn ended(event: &RunEvent) -> bool {
    matches!(
        event,
        RunEvent::Exited { .. } | RunEvent::ContactLost { .. }
    )
}

fn text(dir: &RunDir) -> String {
    fs::read_to_string(dir.output()).unwrap_or_default()
}

fn started(dir: &RunDir) -> (u32, u32) {
    until("the start", || {
        let records = Follow::default().read(dir).expect("read");
        records.iter().find_map(|record| match record.what {
            RunFact::Started { runner, child, .. } => Some((runner, child)),
            _ => None,
        })
    })
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).expect("small")).expect("a process")
}

fn kill(id: u32) {
    rustix::process::kill_process(pid(id), Signal::KILL).expect("killed");
}

#[test]
fn a_run_is_recorded_from_start_to_exit_with_its_output() {
    let incident = Incident::declare();
    let dir = start(&incident.spec("echo one; echo two >&2; printf half; exit 3"));
    let events = follow(&mut incident.watch(true), "the exit", ended);
    assert!(matches!(
        events.first(),
        Some(RunEvent::Progress { .. } | RunEvent::Started { .. })
    ));
    assert_eq!(exit(&events), (Some(3), "exit code 3".to_owned()));
    assert_eq!(text(&dir), "one\ntwo\nhalf");
    let output = Output::open(&dir).expect("opened").expect("there");
    assert_eq!(output.lines(), 3);
    until("the lock", || {
        live(&incident.folder)
            .expect("told")
            .is_empty()
            .then_some(())
    });
    // A second look, as of a cockpit that attaches, tells the same.
    let again = follow(&mut incident.watch(false), "the exit", ended);
    assert_eq!(exit(&again), exit(&events));
}

#[test]
fn a_run_has_a_session_of_its_own_and_its_files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;

    let incident = Incident::declare();
    let dir = start(&incident.spec("read x; echo not reached; sleep 1000"));
    let second = start(&Spec {
        run: RunId::parse("second").expect("an id"),
        ..incident.spec("exec sleep 1000")
    });
    // Its input is empty, so that `read` ends at once.
    until("output", || (text(&dir) == "not reached\n").then_some(()));
    let (runner, child) = started(&second);
    let session = |id| rustix::process::getsid(Some(pid(id))).expect("a session");
    assert_eq!(session(runner), pid(runner));
    assert_eq!(session(child), pid(runner));
    for file in [
        "spec.json",
        "events.jsonl",
        "output.log",
        "output.idx",
        "output.fifo",
    ] {
        let mode = fs::metadata(dir.path().join(file))
            .expect("meta")
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{file}");
    }
    for dir in [&dir, &second] {
        cancel(dir, Cancel::Kill).expect("asked");
    }
    until("the end", || {
        live(&incident.folder)
            .expect("told")
            .is_empty()
            .then_some(())
    });
}

#[test]
fn output_is_complete_when_the_starter_is_gone() {
    let incident = Incident::declare();
    let lines = 20_000;
    let gate = incident.folder.path().join("gate");
    let script = format!(
        "while [ ! -e {} ]; do sleep 0.02; done; seq {lines}",
        gate.display()
    );
    // The starter is a process of its own, which is killed while the child waits.
    let spec = incident.spec(&script);
    let dir = RunDir::of(&incident.folder, &spec.run);
    fs::create_dir_all(dir.path()).expect("made");
    spec.save(&dir).expect("saved");
    let mut starter = std::process::Command::new("sh")
        .args(["-c", "\"$0\" runner \"$1\" & sleep 1000", BINARY])
        .arg(dir.path())
        .process_group(0)
        .spawn()
        .expect("a starter");
    started(&dir);
    // With its whole group, as a terminal that hangs up does it.
    rustix::process::kill_process_group(pid(starter.id()), Signal::KILL).expect("killed");
    starter.wait().expect("gone");
    fs::write(gate, "").expect("opened");
    let events = follow(&mut incident.watch(false), "the exit", ended);
    assert_eq!(exit(&events).0, Some(0));
    let mut expected = String::new();
    for number in 1..=lines {
        writeln!(expected, "{number}").expect("memory");
    }
    assert!(text(&dir) == expected, "{} bytes", text(&dir).len());
}

#[test]
fn a_killed_runner_leaves_the_child_which_a_new_runner_adopts() {
    let incident = Incident::declare();
    let gate = incident.folder.path().join("gate");
    let script = format!(
        "i=0; while [ ! -e {} ]; do i=$((i+1)); echo line $i; done; echo last; exit 0",
        gate.display()
    );
    let dir = start(&incident.spec(&script));
    let (runner, child) = started(&dir);
    until("output", || {
        (text(&dir).lines().count() > 100).then_some(())
    });
    kill(runner);
    let mut watch = incident.watch(true);
    let events = follow(&mut watch, "the adoption", |event| {
        matches!(event, RunEvent::Gap { .. })
    });
    assert!(
        events
            .iter()
            .any(|event| matches!(event, RunEvent::Orphaned { .. }))
    );
    assert!(!events.iter().any(ended), "{events:?}");
    rustix::process::test_kill_process(pid(child)).expect("the child goes on");
    let before = text(&dir).len();
    until("more output", || {
        (text(&dir).len() > before + 1000).then_some(())
    });
    fs::write(gate, "").expect("opened");
    let events = follow(&mut watch, "the exit", ended);
    let (code, how) = exit(&events);
    assert_eq!(code, None, "nobody could know it");
    assert!(how.contains("exit code is unknown"), "{how}");
    let text = text(&dir);
    assert!(text.ends_with("last\n"));
    assert!(text.contains("at most 1 MiB of output is missing here"));
}

#[test]
fn contact_is_lost_only_when_runner_and_child_are_gone() {
    let incident = Incident::declare();
    let dir = start(&incident.spec("exec sleep 1000"));
    let (runner, child) = started(&dir);
    kill(runner);
    // An observer adopts nothing.
    let mut observer = incident.watch(false);
    let events = follow(&mut observer, "the orphan", |event| {
        matches!(event, RunEvent::Orphaned { .. })
    });
    assert!(!events.iter().any(ended));
    assert_eq!(live(&incident.folder).expect("told").len(), 1);
    kill(child);
    let events = follow(&mut observer, "the loss", ended);
    assert!(matches!(events.last(), Some(RunEvent::ContactLost { .. })));
    // Whoever comes later is told the same, and starts nothing again.
    relight::run::adopt_with(Path::new(BINARY), &dir).expect("started");
    let events = follow(&mut incident.watch(true), "the loss", ended);
    assert!(matches!(events.last(), Some(RunEvent::ContactLost { .. })));
}

#[test]
fn a_cancelled_child_is_asked_first() {
    let incident = Incident::declare();
    let script = "trap 'echo asked; exit 7' TERM; echo ready; while :; do sleep 0.02; done";
    let dir = start(&incident.spec(script));
    until("the child", || text(&dir).contains("ready").then_some(()));
    cancel(&dir, Cancel::Term).expect("asked");
    let events = follow(&mut incident.watch(false), "the exit", ended);
    assert_eq!(
        exit(&events),
        (Some(7), "cancelled: exit code 7".to_owned())
    );
    assert!(text(&dir).ends_with("asked\n"));
}

#[test]
fn a_child_that_does_not_listen_is_killed_with_its_group() {
    let incident = Incident::declare();
    let script = "trap '' TERM; sleep 1000 & echo child $!; while :; do sleep 0.02; done";
    let mut spec = incident.spec(script);
    spec.grace = Duration::from_millis(300);
    let dir = start(&spec);
    let grandchild = until("the child", || {
        let text = text(&dir);
        let id = text.trim_end().strip_prefix("child ")?;
        text.ends_with('\n')
            .then(|| id.parse::<u32>().expect("an id"))
    });
    // The runner told to end by a signal does the same as the file.
    let (runner, _) = started(&dir);
    rustix::process::kill_process(pid(runner), Signal::TERM).expect("sent");
    let events = follow(&mut incident.watch(false), "the exit", ended);
    let (code, how) = exit(&events);
    assert_eq!(code, None);
    assert!(how.contains("killed by signal 9"), "{how}");
    until("the grandchild's end", || {
        let stat = fs::read_to_string(format!("/proc/{grandchild}/stat")).unwrap_or_default();
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    });
}

#[test]
fn a_child_that_takes_too_long_is_ended() {
    let incident = Incident::declare();
    let mut spec = incident.spec("exec sleep 1000");
    spec.timeout = Duration::from_millis(400);
    start(&spec);
    let events = follow(&mut incident.watch(false), "the exit", ended);
    let (_, how) = exit(&events);
    assert!(how.starts_with("timed out after"), "{how}");
    assert!(
        events
            .iter()
            .any(|event| matches!(event, RunEvent::Stopping { .. }))
    );
}

#[test]
fn nothing_starts_under_an_old_token_or_twice() {
    let incident = Incident::declare();
    let witness = incident.folder.path().join("witness");
    let spec = incident.spec(&format!("echo x >> {}", witness.display()));
    let _bob = Lock::take_over(&incident.folder, &claim("bob")).expect("taken over");
    let dir = start(&spec);
    let events = follow(&mut incident.watch(true), "the refusal", ended);
    let (code, how) = exit(&events);
    assert_eq!(code, None);
    assert!(
        how.starts_with("could not start") && how.contains("bob on bastion"),
        "{how}"
    );
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, RunEvent::Started { .. }))
    );

    let twice = start_with(Path::new(BINARY), &spec).expect_err("twice");
    assert!(twice.to_string().contains("started already"), "{twice}");
    relight::run::adopt_with(Path::new(BINARY), &dir).expect("started");
    until("the second runner's end", || {
        live(&incident.folder)
            .expect("told")
            .is_empty()
            .then_some(())
    });
    assert!(!witness.exists(), "the child was started");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let incident = Incident::declare();
    let mut spec = incident.spec("");
    spec.argv = vec!["/nonexistent/helm".to_owned()];
    start(&spec);
    let events = follow(&mut incident.watch(true), "the refusal", ended);
    let (code, how) = exit(&events);
    assert_eq!(code, None);
    assert!(
        how.starts_with("could not start /nonexistent/helm"),
        "{how}"
    );
}

#[test]
fn a_dry_run_of_a_program_prints_and_starts_nothing() {
    let incident = Incident::declare();
    let witness = incident.folder.path().join("witness");
    let mut spec = incident.spec(&format!("echo x > {}", witness.display()));
    spec.print_only = true;
    let dir = start(&spec);
    let events = follow(&mut incident.watch(true), "the exit", ended);
    assert_eq!(exit(&events).0, Some(0));
    assert!(text(&dir).contains("sh -c 'echo x"), "{}", text(&dir));
    assert!(!witness.exists());
}

#[test]
fn secrets_do_not_reach_the_disk_nor_do_the_runners_own() {
    let incident = Incident::declare();
    let script = "printf 'AKIAIOSF'; sleep 0.1; echo ODNN7EXAMPLE; echo \"--token=$X_TOKEN\"; echo \"bare $X_TOKEN\"";
    let mut spec = incident.spec(script);
    spec.env = [("X_TOKEN".to_owned(), "abcdefghij".to_owned())].into();
    let dir = start(&spec);
    follow(&mut incident.watch(true), "the exit", ended);
    assert_eq!(
        text(&dir),
        "[redacted: AWS key]\n--token=[redacted: token]\nbare [redacted: own secret]\n"
    );
}

#[test]
fn a_flood_is_kept_whole_and_any_line_of_it_is_at_hand() {
    let incident = Incident::declare();
    let dir = start(&incident.spec("seq -f 'line %.0f of a million' 1000000"));
    let events = follow(&mut incident.watch(true), "the exit", ended);
    assert_eq!(exit(&events).0, Some(0));
    let output = Output::open(&dir).expect("opened").expect("there");
    assert_eq!(output.lines(), 1_000_000);
    for number in [0, 1, 499_999, 999_999] {
        let line = &output.window(number, 1).expect("read")[0];
        assert_eq!(line.text, format!("line {} of a million", number + 1));
    }
}
