//! An incident in one archive: it unpacks, its checksums hold, nothing in it is a secret, and it is the same each time.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use relight::{
    incident::{Moment, RunId, StepId, plain},
    journal::{Claim, Entry, Folder, Kind, Lock, Tail, Writer},
    run::{RunEvent, Spec, Watch, start_with},
};

use crate::told::relight;

const BINARY: &str = env!("CARGO_BIN_EXE_relight");
const NAME: &str = "20261123T140000Z-teleport.example.com";
const CORPUS: &str = include_str!("fixtures/secrets.txt");
/// Only a broken test comes near it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The secrets of the corpus that are told by the line they stand in, and the lines.
fn corpus() -> (String, Vec<String>) {
    let lines: Vec<&str> = CORPUS
        .lines()
        .skip(1)
        // This one is known by the environment of the process alone.
        .filter(|line| !line.contains("0wn-value"))
        .collect();
    let text = lines.join("\n") + "\n";
    let secrets = text.split('«').skip(1);
    let secrets = secrets.filter_map(|part| part.split('»').next());
    let secrets = secrets.map(str::to_owned).collect();
    (text.replace(['«', '»'], ""), secrets)
}

/// An incident that has everything in it that must stay at home, and in every file that is packed every secret.
fn incident(state: &Path) -> Folder {
    let path = state.join(NAME);
    for folder in [&path, &path.join("runs")] {
        fs::create_dir(folder).expect("a folder");
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).expect("ours alone");
    }
    let folder = Folder::at(&path);
    let claim = Claim {
        operator: "ann".to_owned(),
        host: "bastion".to_owned(),
        floor: 0,
    };
    let lock = Lock::take(&folder, &claim).expect("free");
    let mut writer = Writer::open(&lock, folder.journal(), Tail::default()).expect("opened");
    let at = Moment::from_secs(1_795_442_400);
    let (text, _) = corpus();
    let declared = Entry::Declared {
        what: Kind::Incident,
        cluster: "teleport.example.com".to_owned(),
        plan: "/nowhere/relight.toml".to_owned(),
        digest: String::new(),
        outage: at,
    };
    writer.append(&lock, at, declared).expect("written");
    // As a journal of an older build may have them, each in a record of its own; a key is one text.
    let (before, keys) = text.split_at(text.find("-----BEGIN RSA").expect("a key"));
    for line in before.lines().chain([keys]) {
        let entry = Entry::Noted {
            text: format!("{line} \u{1b}[2J\u{202e}"),
        };
        writer.append(&lock, at, entry).expect("written");
    }
    fs::write(
        folder.plan(),
        format!("[cluster]\nname = \"teleport.example.com\"\n{text}"),
    )
    .expect("written");
    run(&folder, &lock, &text);
    for file in [
        "black-box.json",
        "bot-tokens.json",
        "old-values.json",
        "listeners.json",
        "freeze.json",
        "values.yaml",
        "copy-row-1.txt",
        "checkpoint.json",
    ] {
        fs::write(path.join(file), "home-alone").expect("written");
    }
    // Links are not followed: what they lead to is somebody else's.
    fs::write(state.join("shadow"), "home-alone\n").expect("written");
    folder
}

/// A real run that prints the corpus and more than one window of lines, and what a runner may have said.
fn run(folder: &Folder, lock: &Lock, text: &str) {
    let step = StepId::try_from("test".to_owned()).expect("an id");
    fs::write(folder.path().join("said"), text).expect("written");
    let spec = Spec {
        by: String::new(),
        digest: String::new(),
        again: None,
        shared: None,
        run: RunId::new(&step, 1, Moment::from_secs(7)),
        step,
        argv: [
            "sh",
            "-c",
            "printf '%0100d\\n' 0; cat said; seq 10000; printf '\\033[2J\\377torn'",
            "x",
            "--password",
            "hunter2",
        ]
        .map(str::to_owned)
        .into(),
        env: BTreeMap::new(),
        cwd: folder.path().to_owned(),
        timeout: PATIENCE,
        grace: Duration::from_secs(1),
        token: lock.token(),
        incident: folder.path().to_owned(),
        dry_run: false,
        print_only: false,
        at: Moment::now(),
        calls: Vec::new(),
    };
    let dir = start_with(Path::new(BINARY), &spec).expect("started");
    let mut watch = Watch::new(folder.clone(), true).with_binary(BINARY.into());
    let begun = Instant::now();
    let mut ended = false;
    while !ended || dir.is_live().expect("told") {
        ended |= watch
            .poll()
            .iter()
            .any(|event| matches!(event, RunEvent::Exited { .. }));
        assert!(begun.elapsed() < PATIENCE, "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
    // A build without redaction has written this.
    let mut log = fs::read(dir.output()).expect("output");
    let first = text.lines().next().expect("a line").as_bytes();
    let cut = log.iter().position(|byte| *byte == b'\n').expect("a line");
    assert!(!log.starts_with(first) && first.len() <= cut, "{cut}");
    log[..cut].fill(b' ');
    log[..first.len()].copy_from_slice(first);
    fs::write(dir.output(), log).expect("written");
    fs::write(dir.runner_log(), text).expect("written");
    fs::remove_file(folder.path().join("said")).expect("removed");
}

fn system(program: &str, args: &[&str], cwd: &Path) -> String {
    let done = Command::new(program)
        .args(args)
        .current_dir(cwd)
        .output()
        .expect("a program");
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{program} {args:?}: {told}{wrong}");
    told
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all.sort();
    all
}

#[test]
fn an_incident_goes_into_one_archive_without_a_secret() {
    let state = tempfile::tempdir().expect("a folder");
    let home = tempfile::tempdir().expect("a folder");
    let folder = incident(state.path());
    let kept = state.path().to_str().expect("a path");
    let archive = home.path().join(format!("relight-{NAME}.tar.gz"));
    let (code, told) = relight(&["export", "--state-dir", kept], home.path());
    // Lines had to be cleaned, which is told; the journal itself is whole.
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("journal.jsonl: cleaned: line 2"), "{told}");
    let mode = fs::metadata(&archive).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let sum = system(
        "sha256sum",
        &[archive.to_str().expect("a path")],
        home.path(),
    );
    let sum = sum.split(' ').next().expect("a sum");
    assert!(
        told.starts_with(&format!("{sum}  relight-{NAME}.tar.gz\n")),
        "{told}"
    );

    // Never over one that is there; elsewhere the same incident gives the same bytes.
    let before = fs::read(&archive).expect("the archive");
    let (code, told) = relight(&["export", "2026", "--state-dir", kept], home.path());
    assert!(
        code == 64 && told.contains("never overwritten"),
        "{code} {told}"
    );
    assert_eq!(fs::read(&archive).expect("the archive"), before);
    let (code, told) = relight(
        &[
            "export",
            folder.path().to_str().expect("a path"),
            "--output",
            "again.tar.gz",
        ],
        home.path(),
    );
    assert_eq!(code, 0, "{told}");
    assert_eq!(
        fs::read(home.path().join("again.tar.gz")).expect("the archive"),
        before,
        "not the same"
    );

    system(
        "tar",
        &["-xzf", archive.to_str().expect("a path")],
        home.path(),
    );
    let unpacked = home.path().join(NAME);
    let checked = system("sha256sum", &["-c", "SHA256SUMS"], &unpacked);
    let all = files(&unpacked);
    assert_eq!(checked.lines().count() + 1, all.len(), "{checked}");
    let run = "runs/test-1-7";
    for file in [
        "report.md",
        "report.html",
        "report.json",
        "handover.md",
        "journal.jsonl",
        "plan.toml",
        "README.txt",
    ] {
        assert!(unpacked.join(file).is_file(), "{file}: {all:?}");
    }
    for file in ["output.log", "events.jsonl", "spec.json", "runner.log"] {
        assert!(unpacked.join(run).join(file).is_file(), "{file}: {all:?}");
    }
    let (_, secrets) = corpus();
    assert!(secrets.len() > 60, "{}", secrets.len());
    for path in &all {
        let text = fs::read_to_string(path).expect("UTF-8");
        let mode = fs::metadata(path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path:?}");
        assert!(!text.contains("home-alone"), "{path:?}");
        let mut shown = plain::filter();
        let bad = text.chars().find(|c| !shown(*c) && *c != '\n');
        assert_eq!(bad, None, "{path:?}");
        for secret in &secrets {
            // The escapes of Markdown and JSON do not hide one.
            let (escaped, read) = (secret.replace('"', "\\\""), text.replace('\\', ""));
            assert!(
                !text.contains(&escaped) && !read.contains(&secret.replace('\\', "")),
                "{secret} in {path:?}"
            );
        }
    }
    let output = fs::read_to_string(unpacked.join(run).join("output.log")).expect("output");
    assert!(
        output.contains(" 10000\n") && output.contains("torn"),
        "the end is missing"
    );
    let journal = fs::read_to_string(unpacked.join("journal.jsonl")).expect("a journal");
    let before = fs::read_to_string(folder.journal()).expect("a journal");
    assert_eq!(
        journal.lines().next(),
        before.lines().next(),
        "a clean line was changed"
    );
    assert_eq!(journal.lines().count(), before.lines().count());
}

#[test]
fn a_link_in_an_incident_is_not_followed_into_an_archive() {
    let state = tempfile::tempdir().expect("a folder");
    let home = tempfile::tempdir().expect("a folder");
    let folder = incident(state.path());
    let track = folder.track();
    std::os::unix::fs::symlink(state.path().join("shadow"), &track).expect("a link");
    let kept = state.path().to_str().expect("a path");
    let (code, told) = relight(
        &["export", "--state-dir", kept, "--output", "a.tar.gz"],
        home.path(),
    );
    assert_eq!(code, 64, "{told}");
    assert!(told.contains(track.to_str().expect("a path")), "{told}");
    assert!(
        !home.path().join("a.tar.gz").exists(),
        "half an archive is left"
    );
    let (code, told) = relight(&["export", "--state-dir", "/nowhere"], home.path());
    assert_eq!(code, 2, "{told}");
}
