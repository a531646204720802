//! A journal that somebody has edited, told by the binary.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use relight::journal::{Folder, Item, Replay};
use serde_json::Value;

use super::{SECRET, corpus, foul, places, strings};
use crate::told::relight;

const NAME: &str = "20261123T140000Z-teleport.example.com";

/// The fixture, with a text in every place of every line that takes any: the chain is broken from the first one on.
fn edited(state: &Path, text: &str) -> Folder {
    let folder = state.join(NAME);
    fs::create_dir(&folder).expect("a folder");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("ours alone");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journals/eight-steps");
    for name in ["journal.jsonl", "track.jsonl"] {
        let lines = fs::read_to_string(fixture.join(name)).expect("the fixture");
        // The last line of the track is torn, as a crash leaves it.
        let lines = lines.lines().filter_map(|line| {
            let mut value: Value = serde_json::from_str(line).ok()?;
            let mut all = Vec::new();
            places(&value, "", &mut all);
            let free = [
                "operator", "host", "calls", "because", "note", "how", "why", "reason",
            ];
            let more = [
                "sentence", "text", "detail", "message", "cluster", "name", "phrase",
            ];
            for at in all {
                let last = at.rsplit('/').find(|part| part.parse::<usize>().is_err());
                if last.is_some_and(|last| free.contains(&last) || more.contains(&last)) {
                    *value.pointer_mut(&at).expect("a place") = text.into();
                }
            }
            Some(value.to_string() + "\n")
        });
        fs::write(folder.join(name), lines.collect::<String>()).expect("written");
    }
    Folder::at(&folder)
}

#[test]
fn an_edited_journal_reaches_no_terminal() {
    let corpus = corpus();
    for name in ["clear", "c1", "override", "tower", "lines"] {
        let state = tempfile::tempdir().expect("a folder");
        let text = format!("{} {SECRET} x", corpus[name]);
        let folder = edited(state.path(), &text);
        // What is read of it is plain already; that it was edited is told with the line.
        let mut broken = 0;
        for item in Replay::open(&folder.journal()).expect("a journal") {
            match item {
                Item::Record(record) => {
                    let value = serde_json::to_value(&record).expect("JSON");
                    strings(&value, &mut |text| {
                        assert_eq!(foul(text, false), None, "{value}");
                    });
                }
                Item::Notice(notice) => {
                    broken += 1;
                    assert_eq!(foul(&notice.to_string(), false), None, "{notice:?}");
                }
            }
        }
        assert!(broken > 0, "{name}: nobody noticed");
        let kept = state.path().to_str().expect("a path");
        for args in [
            &["report"][..],
            &["report", "--brief"],
            &["report", "--format", "json"],
            &["report", "--format", "html"],
            &["incidents"],
            &["incidents", "--json"],
        ] {
            let args = [args, &["--state-dir", kept]].concat();
            let (code, told) = relight(&args, state.path());
            assert_eq!(code, 1, "{args:?}: {told}");
            assert_eq!(foul(&told, true), None, "{name} {args:?}: {told}");
            assert!(!told.contains(SECRET), "{name} {args:?}: {told}");
            assert!(
                !told.contains("\\u001b") && !told.contains("\\u202e"),
                "{told}"
            );
        }
    }
}
