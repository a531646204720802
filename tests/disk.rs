//! A disk that takes nothing more, for real (a limit on how far a file may grow), and the incident taken to another one.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use relight::{
    journal::{Entry, Folder, Item, Replay, StateDir},
    practice,
};

use crate::told::relight;

const PROGRAM: &str = env!("CARGO_BIN_EXE_relight");

/// The program, where no file may grow beyond a size.
fn limited(bytes: u64, args: &[&str], home: &Path) -> (i32, String) {
    // The signal is ignored, so that the write fails as it does on a full disk.
    let script = r#"trap "" XFSZ; limit=$1; shift; exec prlimit --fsize="$limit" -- "$@""#;
    let limit = bytes.to_string();
    let done = Command::new("sh")
        .args(["-c", script, "sh", &limit, PROGRAM])
        .args(args)
        .env("HOME", home)
        .env_remove("XDG_STATE_HOME")
        .current_dir(home)
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    let told = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    (done.status.code().unwrap_or(-1), told.into_owned())
}

fn runs(folder: &Folder) -> usize {
    fs::read_dir(folder.runs()).expect("runs").count()
}

#[test]
fn a_full_disk_stops_what_is_new_and_the_incident_goes_on_elsewhere() {
    let home = tempfile::tempdir().expect("a folder");
    let (old, new) = (home.path().join("old"), home.path().join("new"));
    let region = home.path().join("region");
    let ready = practice::start_by(Path::new(PROGRAM), &region, "calm").expect("a practice");
    let plan = ready.plan.to_str().expect("a path");
    let on = |dir: &Path, args: &[&str]| {
        let dir = dir.to_str().expect("a path").to_owned();
        let mut all: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        all.extend([
            "--plan".to_owned(),
            plan.to_owned(),
            "--state-dir".to_owned(),
            dir,
        ]);
        all
    };
    let run = |dir: &Path, args: &[&str]| {
        let args = on(dir, args);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        relight(&args, home.path())
    };
    let (code, told) = run(&old, &["step", "run", "verify-backups"]);
    assert_eq!(code, 0, "{told}");
    let folder = StateDir::at(&old)
        .expect("there")
        .incidents()
        .expect("listed")
        .remove(0);
    let size = fs::metadata(folder.journal()).expect("a journal").len();

    // Not a byte more: nothing is started, and why is said with what to do.
    let step: &[&str] = &["step", "run", "verify-backups"];
    let args = on(&old, step);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (code, told) = limited(size, &args, home.path());
    assert_ne!(code, 0, "{step:?}: {told}");
    assert!(
        told.contains("cannot write the journal") && told.contains("relight move"),
        "{step:?}: {told}"
    );
    assert_eq!(runs(&folder), 1, "{step:?} was started: {told}");
    assert_eq!(
        fs::metadata(folder.journal()).expect("a journal").len(),
        size,
        "half a record is left"
    );

    // Elsewhere it goes on, chained to what was before; nobody goes on at the old place.
    let place = folder.path().to_str().expect("a path");
    let there = new.to_str().expect("a path");
    let (code, told) = relight(&["move", place, "--state-dir", there], home.path());
    assert!(code == 0 && told.contains("go on there"), "{code} {told}");
    let (code, told) = run(&new, &["step", "run", "verify-backups"]);
    assert_eq!(code, 0, "{told}");
    let moved = StateDir::at(&new)
        .expect("there")
        .incidents()
        .expect("listed")
        .remove(0);
    assert_eq!((moved.name(), runs(&moved)), (folder.name(), 2));
    let mut notes = Vec::new();
    for item in Replay::open(&moved.journal()).expect("a journal") {
        match item {
            Item::Record(record) => {
                if let Entry::Noted { text } = record.entry {
                    notes.push(text);
                }
            }
            Item::Notice(notice) => unreachable!("{notice}"),
        }
    }
    assert_eq!(
        notes,
        [format!("moved here from {}", folder.path().display())]
    );
    let mode = fs::metadata(moved.journal())
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let (code, told) = run(&old, &["incidents"]);
    assert!(code == 1 && told.contains("was moved to"), "{code} {told}");
    let (_, told) = relight(&["move", place, "--state-dir", there], home.path());
    assert!(told.contains("was moved to"), "{told}");
    assert!(practice::stop(&region).expect("stopped"), "it ran");
}
