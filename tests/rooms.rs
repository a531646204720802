//! Keeps the house: the arrows between rooms, the size of files, and the names that grow into god files elsewhere.
//!
//! The table of arrows is the one in the crate's own documentation (`src/lib.rs`), so that it cannot drift.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Rooms that every other may use.
const COMMON: [&str; 2] = ["incident", "plan"];

/// Those who know everybody.
const ABOVE: [&str; 5] = ["lib", "main", "cockpit", "cli", "layout"];

struct Source {
    path: PathBuf,
    room: String,
    /// The text before the tests at the file's end, without comments.
    code: String,
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of src") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && !is_test(&root, &path) {
                found.push(read(&root, path));
            }
        }
    }
    assert!(found.len() > 50, "only {} files were found", found.len());
    found
}

/// Tests in files of their own beside what they test: `tests.rs`, `…_tests.rs`, or a folder `tests`.
fn is_test(root: &Path, path: &Path) -> bool {
    let inner = path.strip_prefix(root).expect("below src");
    inner.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        let name = name.trim_end_matches(".rs");
        name == "tests" || name.ends_with("_tests")
    })
}

fn read(root: &Path, path: PathBuf) -> Source {
    let text = std::fs::read_to_string(&path).expect("a source file");
    let inner = path.strip_prefix(root).expect("below src");
    let first = inner
        .components()
        .next()
        .expect("a name")
        .as_os_str()
        .to_string_lossy();
    let name = first.trim_end_matches(".rs").to_owned();
    let body = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let code: Vec<&str> = body
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    Source {
        room: name,
        code: code.join("\n"),
        lines: body.lines().count(),
        path,
    }
}

/// Which rooms each room may use, from the table in `src/lib.rs`.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let text = include_str!("../src/lib.rs");
    let mut arrows = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("//! | [`")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let room = cells[1].trim_matches(['[', ']', '`']).to_owned();
        let words = cells[3].split([',', ' ', '\'']).map(str::trim);
        let uses = words
            .filter(|word| !word.is_empty() && *word != "–")
            .map(str::to_owned);
        arrows.insert(room, uses.collect());
    }
    assert!(
        arrows.len() >= 15,
        "the table of rooms in src/lib.rs was not found: {arrows:?}"
    );
    arrows
}

/// The rooms named after `crate::` in a text, grouped imports included.
fn used(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            rooms.extend(heads(group));
        } else {
            rooms.extend(head(rest));
        }
    }
    rooms
}

/// First segments of the members of a `{…}` group.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (index, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                found.extend(head(&group[start..index]));
                return found;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.extend(head(&group[start..index]));
                start = index + 1;
            }
            _ => {}
        }
    }
    found
}

fn head(path: &str) -> Option<String> {
    let name: String = path
        .trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    (!name.is_empty()).then_some(name)
}

#[test]
fn imports_point_one_way() {
    let arrows = arrows();
    let mut wrong = Vec::new();
    for source in sources() {
        if ABOVE.contains(&source.room.as_str()) {
            continue;
        }
        let Some(allowed) = arrows.get(&source.room) else {
            wrong.push(format!(
                "{}: {} is no room of src/lib.rs's table",
                source.path.display(),
                source.room
            ));
            continue;
        };
        for room in used(&source.code) {
            let fine = room == source.room
                || COMMON.contains(&room.as_str())
                || allowed.contains(&room)
                // Pure geometry.
                || (room == "layout" && ["state", "view"].contains(&source.room.as_str()));
            if !fine {
                wrong.push(format!(
                    "{}: {} may not use {room}",
                    source.path.display(),
                    source.room
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_arrow_goes_round() {
    let arrows = arrows();
    for start in arrows.keys() {
        let mut waiting: Vec<&String> = arrows[start].iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(room) = waiting.pop() {
            assert_ne!(room, start, "{start} uses itself by a detour");
            if seen.insert(room) {
                waiting.extend(arrows.get(room).into_iter().flatten());
            }
        }
    }
}

#[test]
fn no_file_grows_into_a_god() {
    let names = [
        "app", "handlers", "commands", "options", "strings", "utils", "helpers", "misc",
    ];
    for source in sources() {
        let stem = source
            .path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        assert!(
            !names.contains(&stem.as_str()),
            "{}: name it after its noun",
            source.path.display()
        );
        assert!(
            source.lines <= 500,
            "{} has {} lines: split it by noun",
            source.path.display(),
            source.lines
        );
    }
}

#[test]
fn practice_stays_under_a_fifth() {
    let all = sources();
    let lines = |room: &str| -> usize {
        all.iter()
            .filter(|source| room.is_empty() || source.room == room)
            .map(|source| source.lines)
            .sum()
    };
    let (practice, total) = (lines("practice"), lines(""));
    assert!(
        practice * 5 <= total,
        "practice has {practice} of {total} lines"
    );
}
