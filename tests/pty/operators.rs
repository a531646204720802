//! Two operators at one incident: handed over, taken over, and approved by the other.

use std::path::{Path, PathBuf};

use relight::journal::{Entry, Folder, Item, Replay};
use rustix::process::Signal;

use super::{Practice, passes, row, run, terminal::Terminal};

/// The profile of another person, beside the practice's own credentials: STS there takes who it is from the session token.
fn config(practice: &Practice, who: &str) -> String {
    let path = practice.path().join(format!("config-{who}"));
    let text = format!("[profile practice-recovery]\naws_session_token = dr-operator/{who}\n");
    std::fs::write(&path, text).expect("written");
    path.to_str().expect("a path").to_owned()
}

fn open(practice: &Practice, who: &str) -> Terminal {
    let config = config(practice, who);
    practice.open((140, 44), &[], &[("AWS_CONFIG_FILE", &config)])
}

fn incident(practice: &Practice) -> Folder {
    let below = |path: &Path| -> Vec<PathBuf> {
        let all = std::fs::read_dir(path).expect("a folder");
        let all = all.map(|entry| entry.expect("an entry").path());
        all.filter(|path| path.is_dir()).collect()
    };
    let incidents = below(practice.path())
        .into_iter()
        .find(|path| path.to_string_lossy().contains("incidents-"));
    let folder = below(&incidents.expect("its incidents")).pop();
    Folder::at(&folder.expect("an incident"))
}

fn entries(folder: &Folder) -> Vec<(String, Entry)> {
    let replay = Replay::open(&folder.journal()).expect("a journal");
    let records = replay.map(|item| match item {
        Item::Record(record) => (record.author.operator, record.entry),
        Item::Notice(notice) => unreachable!("{notice}"),
    });
    records.collect()
}

/// Waits until it looks on, and knows of whom.
fn looks_on(terminal: &Terminal) {
    terminal.wait("to look on", |screen| {
        screen.contains("OBSERVING: dr-operator/alice on ")
            && screen.contains("has held this incident")
    });
}

/// The phrase that the dialog of a take-over asks for, as it stands there.
fn phrase(terminal: &Terminal) -> String {
    let text = terminal.text();
    let begin = text.rfind("take over from ").expect("a phrase");
    let line = text[begin..].split(['┃', '\n']).next().expect("a line");
    line.trim_end().to_owned()
}

#[test]
fn handed_over_it_goes_on_with_the_new_operators_credentials() {
    let practice = Practice::new();
    let mut alice = open(&practice, "alice");
    alice.wait("verify to be ready", |screen| {
        row(screen, "Verify backups").contains("ready") && screen.contains("dr-operator/alice")
    });
    run(&mut alice, "Verify backups");
    passes(&alice, "Verify backups");
    let mut bob = open(&practice, "bob");
    looks_on(&bob);
    alice.keys("H");
    bob.wait_for("OFFERED by dr-operator/alice");
    alice.wait_for("OFFERED: goes to who accepts");
    bob.keys("A");
    alice.wait_for("dr-operator/bob");
    bob.wait("to be the operator", |screen| !screen.contains("OBSERVING"));
    alice.wait_for("has held this incident");
    run(&mut bob, "Record the black box");
    bob.wait_for("Cancel");
    bob.keys("\t\r");
    passes(&bob, "Record the black box");
    passes(&alice, "Record the black box");

    let folder = incident(&practice);
    let entries = entries(&folder);
    // STS may have said who bob is only after he had accepted: the user of the operating system is known first.
    let handed = entries.iter().find_map(|(by, entry)| match entry {
        Entry::HandedOver { to, .. } => Some((by.clone(), to.clone())),
        _ => None,
    });
    let (from, to) = handed.expect("a hand-over");
    assert!(from.contains("dr-operator/alice (alice)"), "{from}");
    let took = entries.iter().find_map(|(by, entry)| match entry {
        Entry::Took { from, .. } => Some((by.clone(), from.operator.clone())),
        _ => None,
    });
    let (by, before) = took.expect("taken");
    assert_eq!(before, from);
    let known = entries.iter().find_map(|(_, entry)| match entry {
        Entry::Identified { who } if who.is_same_cockpit(&to) => Some(who.name()),
        _ => None,
    });
    let bob_is = known.unwrap_or(by);
    assert!(bob_is.contains("dr-operator/bob (alice)"), "{bob_is}");
    let mut specs: Vec<serde_json::Value> = Vec::new();
    for dir in relight::run::all(&folder).expect("runs") {
        let text = std::fs::read_to_string(dir.spec()).expect("a spec");
        specs.push(serde_json::from_str(&text).expect("JSON"));
    }
    let by = |step: &str| {
        let spec = specs.iter().find(|spec| spec["step"] == step);
        spec.expect(step)["by"].as_str().expect("a name").to_owned()
    };
    assert_eq!(by("verify-backups"), from);
    assert_eq!(by("record-black-box"), bob_is);
}

#[test]
fn a_stopped_cockpit_is_taken_over_and_finds_out_when_it_wakes() {
    let practice = Practice::new();
    let mut alice = open(&practice, "alice");
    alice.wait("verify to be ready", |screen| {
        row(screen, "Verify backups").contains("ready")
    });
    let mut bob = open(&practice, "bob");
    looks_on(&bob);
    alice.signal(Signal::STOP);
    bob.keys("V");
    bob.wait_for("To take it over, type exactly:");
    bob.wait_for("has been SILENT for");
    let phrase = phrase(&bob);
    assert!(
        phrase.starts_with("take over from dr-operator/alice on "),
        "{phrase}"
    );
    bob.keys(&phrase);
    bob.wait_for("enter TAKES IT OVER");
    bob.keys("\r");
    bob.wait("to be the operator", |screen| !screen.contains("OBSERVING"));
    // Typed while it was stopped: it is not what they were typed for.
    alice.keys("1");
    alice.signal(Signal::CONT);
    alice.wait_for("OBSERVING: ");
    run(&mut bob, "Verify backups");
    passes(&bob, "Verify backups");
    passes(&alice, "Verify backups");
    let folder = incident(&practice);
    let starts = relight::run::all(&folder).expect("runs").len();
    assert_eq!(starts, 1);
    assert!(entries(&folder).iter().any(|(by, entry)| {
        let taken = matches!(entry, Entry::Took { from, .. } if from.operator.contains("/alice"));
        taken && by.contains("dr-operator/bob")
    }));
}

#[test]
fn what_another_person_has_approved_is_confirmed_and_nothing_else() {
    let practice = Practice::new();
    let program = Path::new(env!("CARGO_BIN_EXE_relight"));
    let ready = relight::practice::start_by(program, practice.path(), "calm").expect("it runs");
    let text = std::fs::read_to_string(&ready.plan).expect("a plan");
    let plan = practice.path().join("two.toml");
    let rule = "[approvals]\nsteps = [\"record-black-box\"]\n";
    std::fs::write(&plan, format!("{text}\n{rule}")).expect("written");
    let (plan, state) = (
        plan.to_str().expect("a path").to_owned(),
        practice.path().join("incidents-two"),
    );
    let state = state.to_str().expect("a path");
    let seat = |who: &str| {
        let config = config(&practice, who);
        let args = ["--plan", plan.as_str(), "--state-dir", state];
        let vars = [("AWS_CONFIG_FILE", config.as_str())];
        Terminal::start(&args, (140, 44), &vars, practice.path())
    };
    let mut alice = seat("alice");
    alice.wait("verify to be ready", |screen| {
        row(screen, "Verify backups").contains("ready") && screen.contains("dr-operator/alice")
    });
    run(&mut alice, "Verify backups");
    passes(&alice, "Verify backups");
    run(&mut alice, "Record the black box");
    alice.wait_for("SECOND PERSON: another person has to approve it");
    alice.keys("\t\r");
    alice.wait_for("! another person has to approve it");
    let mut bob = seat("bob");
    bob.wait("bob to be known", |screen| {
        screen.contains("APPROVAL WANTED for record-black-box")
    });
    bob.keys("Y");
    bob.wait_for("To approve it, type exactly:");
    bob.wait_for("as arn:aws:sts::");
    bob.keys("approve record-black-box attempt 1");
    bob.wait_for("enter APPROVES it");
    bob.keys("\r");
    alice.wait_for("approved by dr-operator/bob");
    alice.keys("\r");
    passes(&alice, "Record the black box");
}
