//! The forms of `relight check`.

use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::report::tests::{broken, state};

/// A check of a state in which next to nothing was looked at, with text from outside in it.
fn check() -> Check {
    let mut check = Check::of(&state(), Some("black box kept: /x\u{1b}[2J"));
    check.rows[0].sentence = "a|b\u{1b}[31m".into();
    check.rows[0].age = Some(Duration::from_millis(1_500));
    check
}

#[test]
fn the_json_is_what_the_schema_says() {
    let schema: Value = serde_json::from_str(CHECK_SCHEMA).expect("the schema");
    let told: Value = serde_json::from_str(&check().render(Format::Json)).expect("JSON");
    assert_eq!(broken(&schema, &schema, &told, "$"), Vec::<String>::new());
    let topics = &schema["properties"]["rows"]["items"]["properties"]["topic"]["enum"];
    let words = readiness::Topic::ALL.map(|topic| Value::from(topic.word()));
    assert_eq!(topics.as_array().expect("topics").as_slice(), words);
    // The checker itself can say no.
    let mut wrong = told;
    wrong["rows"][0]["verdict"] = "FINE".into();
    wrong["counts"]["ready"] = Value::Null;
    assert_eq!(broken(&schema, &schema, &wrong, "$").len(), 2);
}

#[test]
fn what_is_not_ready_comes_before_what_is_unknown() {
    for (ready, not_ready, unknown, word, code) in [
        (3, 0, 0, "READY", 0),
        (3, 1, 0, "NOT READY", 1),
        (3, 1, 2, "NOT READY", 1),
        (3, 0, 2, "UNKNOWN", 2),
        (0, 0, 0, "UNKNOWN", 2),
    ] {
        let counts = Counts {
            ready,
            not_ready,
            unknown,
        };
        let check = Check {
            counts,
            verdict: readiness::word(counts.worst()),
            ..check()
        };
        assert_eq!((check.verdict, check.code()), (word, code), "{counts:?}");
    }
}

#[test]
fn no_form_moves_a_terminal_and_every_row_that_is_not_ready_says_what_to_do() {
    let check = check();
    for format in [Format::Text, Format::Json, Format::Markdown] {
        let text = check.render(format);
        assert!(!text.contains('\u{1b}') && text.ends_with('\n'), "{text}");
        for row in &check.rows {
            assert!(text.contains(row.what.as_str()) || format == Format::Markdown);
        }
    }
    let text = check.render(Format::Text);
    let open = check.rows.iter().filter(|row| row.verdict != "READY");
    assert_eq!(text.matches("  do: ").count(), open.count());
    assert!(check.render(Format::Markdown).contains("a\\|b"));
}
