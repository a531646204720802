//! One line of text that may be shown anywhere.

use std::fmt;

use serde::Serialize;

use crate::incident::{Moment, plain};

/// No line is longer: what comes from outside may be.
const LONGEST: usize = 500;

/// Text without control characters, line breaks and invisible direction marks, of at most 500 characters: what comes
/// from pods, DNS answers and certificates may be hostile to a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Line(String);

impl Line {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: AsRef<str>> From<T> for Line {
    fn from(text: T) -> Self {
        let flat = flat(text.as_ref());
        let mut line: String = flat.chars().take(LONGEST).collect();
        if flat.chars().nth(LONGEST).is_some() {
            line.pop();
            line.push('…');
        }
        Self(line)
    }
}

#[derive(Serialize)]
struct Event<'a, T> {
    schema: u32,
    at: Moment,
    #[serde(flatten)]
    told: &'a T,
}

/// An event as one line of JSON, with the number of its schema and its time.
pub(super) fn event<T: Serialize>(schema: u32, at: Moment, told: &T) -> String {
    // String keys and finite numbers alone, of which serde_json can always make text.
    serde_json::to_string(&Event { schema, at, told }).unwrap_or_default()
}

/// A text of any length on one line, without control characters and marks.
pub(super) fn flat(text: &str) -> String {
    let mut words = text.split_whitespace();
    let mut line = words.next().unwrap_or_default().to_owned();
    for word in words {
        line.push(' ');
        line.push_str(word);
    }
    line.retain(plain::filter());
    line
}

/// A text of any length that may be shown anywhere: lines stay lines, everything else as in [`Line`].
#[must_use]
pub fn printable(text: &str) -> String {
    let mut shown = plain::filter();
    text.chars().filter(|c| shown(*c) || *c == '\n').collect()
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_terminal_gets_through() {
        let cases = [
            ("a\u{1b}[2Jb", "a[2Jb"),
            ("two\r\nlines\tand tabs", "two lines and tabs"),
            ("\u{9b}31mred", "31mred"),
            ("txt.\u{202e}exe", "txt.exe"),
            ("plain ▕██▏", "plain ▕██▏"),
        ];
        for (text, line) in cases {
            assert_eq!(Line::from(text).as_str(), line);
        }
    }

    #[test]
    fn what_may_be_long_keeps_its_lines_and_its_length() {
        let text = format!("one\u{1b}[2J\ntwo\u{202e}{}", "x".repeat(2_000));
        let clean = format!("one[2J\ntwo{}", "x".repeat(2_000));
        assert_eq!(printable(&text), clean);
    }

    #[test]
    fn what_is_too_long_ends_in_dots() {
        let line = Line::from("x".repeat(10_000));
        assert_eq!(line.as_str().chars().count(), LONGEST);
        assert!(line.as_str().ends_with('…'));
        assert!(!Line::from("x".repeat(LONGEST)).as_str().ends_with('…'));
    }
}
