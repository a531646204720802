//! `relight check` against practice regions, as cron would run it: no terminal, nothing in the way, an exit code.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use relight::practice;
use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_relight");

/// A region with a state folder of its own.
struct Region {
    dir: TempDir,
    plan: PathBuf,
    state: TempDir,
}

impl Region {
    fn of(scenario: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let ready = practice::start_by(Path::new(PROGRAM), dir.path(), scenario);
        let plan = ready.expect("a practice").plan;
        Self {
            dir,
            plan,
            state: tempfile::tempdir().expect("a folder"),
        }
    }

    /// The exit code and what was printed.
    fn relight(&self, args: &[&str]) -> (i32, String) {
        let done = Command::new(PROGRAM)
            .args(args)
            .arg("--plan")
            .arg(&self.plan)
            .arg("--state-dir")
            .arg(self.state.path())
            .env("HOME", self.dir.path())
            .stdin(Stdio::null())
            .output()
            .expect("the binary");
        let told = String::from_utf8_lossy(&done.stdout).into_owned();
        let wrong = String::from_utf8_lossy(&done.stderr).into_owned();
        (done.status.code().unwrap_or(-1), told + &wrong)
    }

    fn check(&self, more: &[&str]) -> (i32, Value) {
        let (code, text) = self.relight(&[&["check", "--format", "json"], more].concat());
        (code, serde_json::from_str(&text).expect(&text))
    }

    /// The boxes that are kept.
    fn boxes(&self) -> Vec<PathBuf> {
        let kept = self.state.path().join("black-box/teleport.example.com");
        let listed = fs::read_dir(kept).into_iter().flatten();
        listed
            .map(|entry| entry.expect("an entry").path())
            .collect()
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        let _ = practice::stop(self.dir.path());
    }
}

/// Verdict and sentence of a row.
fn row<'a>(told: &'a Value, what: &str) -> (&'a str, &'a str) {
    let rows = told["rows"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["what"] == what);
    let row = row.expect(what);
    let text = |key: &str| row[key].as_str().expect("a text");
    (text("verdict"), text("sentence"))
}

#[test]
fn a_calm_region_lacks_a_drill_alone_and_a_box_is_kept_each_time() {
    let region = Region::of("calm");
    let (code, told) = region.check(&[]);
    let open: Vec<&str> = told["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .filter(|row| row["verdict"] != "READY")
        .filter_map(|row| row["what"].as_str())
        .collect();
    assert_eq!((code, open), (1, vec!["last drill"]), "{told:#}");
    assert_eq!(told["counts"]["not_ready"], 1);
    assert_eq!(told["drill"], "never drilled");
    let boxes = region.boxes();
    assert_eq!(boxes.len(), 1, "{boxes:?}");
    let mode = fs::metadata(&boxes[0]).expect("a box").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        told["black_box"]
            .as_str()
            .expect("words")
            .contains("(0600)")
    );

    // Not asked to, it keeps none, and looks at the one that is there.
    let (_, told) = region.check(&["--no-black-box"]);
    assert_eq!(region.boxes().len(), 1);
    assert_eq!(told["black_box"], Value::Null);
    assert_eq!(row(&told, "black box").0, "READY");

    // Beside an open incident it takes no lock, and that one's own box counts.
    let (code, text) = region.relight(&["step", "run", "verify-backups"]);
    assert_eq!(code, 0, "{text}");
    let (_, told) = region.check(&[]);
    assert_eq!(region.boxes().len(), 1);
    let kept = told["black_box"].as_str().expect("words");
    assert!(kept.contains("is open, its own black box counts"), "{kept}");

    // For people and for the channel the same, without a byte that moves a terminal.
    for format in ["text", "markdown"] {
        let (code, text) = region.relight(&["check", "--no-black-box", "--format", format]);
        assert_eq!(code, 1, "{text}");
        assert!(
            text.contains("NOT READY") && !text.contains('\u{1b}'),
            "{text}"
        );
    }
}

#[test]
fn what_is_wrong_for_weeks_is_found_before_the_day() {
    for (scenario, what, words) in [
        (
            "missing-iam",
            "IAM rights and trust",
            "denied to Auth's role",
        ),
        ("missing-certificate", "certificate", ""),
        (
            "wrong-table",
            "tables in the recovery region",
            "WRONG TABLE",
        ),
    ] {
        let region = Region::of(scenario);
        let (code, told) = region.check(&["--no-black-box"]);
        let (verdict, sentence) = row(&told, what);
        assert_eq!((code, verdict), (1, "NOT READY"), "{scenario}: {told:#}");
        assert!(sentence.contains(words), "{scenario}: {sentence}");
    }
}

#[test]
fn a_drill_is_declared_by_its_phrase_and_is_one_to_its_end() {
    let mut region = Region::of("calm");
    let (code, text) = region.relight(&["drill", "full", "--yes", "drill teleport.example.com"]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("this is a practice"), "{text}");

    // The same loopback, by a plan that does not call itself a practice.
    let text = fs::read_to_string(&region.plan).expect("a plan");
    let real = region.plan.with_file_name("drill.toml");
    fs::write(&real, text.replace("practice = true", "practice = false")).expect("written");
    region.plan = real;
    let (code, text) = region.relight(&["drill"]);
    assert_eq!(code, 0, "{text}");
    for words in [
        "never drilled",
        "is stopped in us-east-1",
        "drill full --yes \"drill teleport.example.com\"",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    for yes in [
        &[][..],
        &["--yes", ""],
        &["--yes", "drill other.example.com"],
    ] {
        let (code, text) = region.relight(&[&["drill", "full"], yes].concat());
        assert_eq!(code, 3, "{text}");
        assert!(text.contains("asks for its phrase"), "{text}");
    }
    let (_, listed) = region.relight(&["incidents"]);
    assert!(listed.contains("no incidents"), "{listed}");

    let declare = ["drill", "full", "--yes", "drill teleport.example.com"];
    let (code, text) = region.relight(&declare);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("DRILL of teleport.example.com declared"),
        "{text}"
    );
    // Once more it is the same one.
    let (code, text) = region.relight(&declare);
    assert!(code == 0 && text.contains("is open since"), "{code} {text}");

    // A step goes on in it, and everybody is told what it is.
    let (code, text) = region.relight(&["step", "run", "verify-backups"]);
    assert_eq!(code, 0, "{text}");
    let (_, text) = region.relight(&["--once", "--format", "json"]);
    let told: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(told["kind"], "drill");
    let (code, text) = region.relight(&["report", "--format", "json"]);
    let told: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, &told["kind"]), (0, &Value::from("drill")), "{text}");
    let (_, text) = region.relight(&["incidents", "--json"]);
    let listed: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        listed["incidents"].as_array().map(Vec::len),
        Some(1),
        "{text}"
    );
}

#[test]
fn no_drill_is_declared_beside_an_incident() {
    let mut region = Region::of("calm");
    let text = fs::read_to_string(&region.plan).expect("a plan");
    let real = region.plan.with_file_name("drill.toml");
    fs::write(&real, text.replace("practice = true", "practice = false")).expect("written");
    region.plan = real;
    let (code, text) = region.relight(&["step", "skip", "freeze-changes"]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = region.relight(&["drill", "full", "--yes", "drill teleport.example.com"]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("is no drill but INCIDENT"), "{text}");
}

#[test]
fn a_wrong_plan_is_no_verdict() {
    let home = tempfile::tempdir().expect("a folder");
    let done = Command::new(PROGRAM)
        .args(["check", "--plan", "nowhere.toml"])
        .current_dir(home.path())
        .env("HOME", home.path())
        .output()
        .expect("the binary");
    assert_eq!(done.status.code(), Some(64));
}
