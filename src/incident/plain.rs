//! Foreign text: what in it could move a cursor, turn a line around or hide.
//!
//! One table for everybody who lets text in or out: C0, C1 and DEL (ECMA-48), the marks that reorder what stands beside
//! them (Unicode TR 9), those that cannot be seen (TR 36), and stacks of combining marks that grow over the lines above.

use std::borrow::Cow;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use unicode_width::UnicodeWidthChar as _;

/// Stands for a character that is not passed on, so that it is seen that something was there.
pub const REPLACED: char = '\u{fffd}';

/// Most combining marks on one letter: what written languages need, and no tower of them.
const MARKS: usize = 4;

/// Longest foreign text that is kept, in characters; real ones have a few hundred.
const LONGEST: usize = 16 * 1024;

/// Whether a character may not be shown: it moves the cursor, turns the line around, or cannot be seen.
#[must_use]
pub const fn is_unsafe(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether a text may be shown as it is.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    if text.len() <= LONGEST && text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return true;
    }
    matches!(plain(text), Cow::Borrowed(_))
}

/// The text with everything that may not be shown replaced by `�`, towers of combining marks cut down and the end left out
/// of what is longer than any real text.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    let mut shown = filter();
    if text
        .chars()
        .enumerate()
        .all(|(at, c)| at < LONGEST && shown(c))
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(LONGEST));
    let mut shown = filter();
    for (at, c) in text.chars().enumerate() {
        if at >= LONGEST {
            out.push('…');
            break;
        }
        if shown(c) {
            out.push(c);
        } else if is_unsafe(c) {
            out.push(REPLACED);
        }
    }
    Cow::Owned(out)
}

/// Lets pass what may be shown, character by character: for those who leave out the rest without a trace.
pub fn filter() -> impl FnMut(char) -> bool {
    let mut marks = 0;
    move |c| {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        marks <= MARKS && !is_unsafe(c)
    }
}

/// The beginning of a text, at most so many characters, with a space for each that may not be shown: for names and sentences
/// that are taken out of an answer.
#[must_use]
pub fn blanked(text: &str, most: usize) -> String {
    let mut shown = filter();
    let kept = |c: char| {
        if shown(c) {
            Some(c)
        } else {
            is_unsafe(c).then_some(' ')
        }
    };
    text.chars().take(most).filter_map(kept).collect()
}

/// The text without what may not be shown: two halves of a word that something invisible has parted are one again.
fn joined(text: &str) -> String {
    let mut shown = filter();
    text.chars().filter(|c| shown(*c)).take(LONGEST).collect()
}

/// Whether a character goes onto the one before it.
fn is_mark(c: char) -> bool {
    c >= '\u{300}' && c.width() == Some(0)
}

/// Cleans one text: plain, and without what `clean` takes out of it; a secret that an invisible character has cut in two is
/// found too. `None` if it may stay as it is.
pub(super) fn washed(text: &str, clean: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    match plain(text) {
        Cow::Borrowed(_) if text.is_empty() => None,
        Cow::Borrowed(text) => clean(text),
        Cow::Owned(plain) => Some(clean(&joined(text)).unwrap_or(plain)),
    }
}

/// Cleans every text in a value, names in maps too, but not under these fields. True if there was anything to clean.
fn wash_value(value: &mut Value, clean: &dyn Fn(&str) -> Option<String>, but: &[&str]) -> bool {
    match value {
        Value::String(text) => washed(text, clean).is_some_and(|cleaned| {
            *text = cleaned;
            true
        }),
        Value::Array(values) => values
            .iter_mut()
            .fold(false, |dirty, value| wash_value(value, clean, but) | dirty),
        Value::Object(fields) => {
            let mut dirty = false;
            if fields.keys().any(|name| washed(name, clean).is_some()) {
                dirty = true;
                *fields = std::mem::take(fields)
                    .into_iter()
                    .map(|(name, value)| (washed(&name, clean).unwrap_or(name), value))
                    .collect();
            }
            for (name, value) in fields {
                if !but.contains(&name.as_str()) {
                    dirty |= wash_value(value, clean, but);
                }
            }
            dirty
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Anything that is written as JSON, with every text in it cleaned but those of these fields: no field can be forgotten.
/// `Ok(None)` if it may stay as it is.
///
/// # Errors
/// If it is no such thing any more once it is clean.
pub fn cleaned<T: Serialize + DeserializeOwned>(
    thing: &T,
    clean: &dyn Fn(&str) -> Option<String>,
    but: &[&str],
) -> serde_json::Result<Option<T>> {
    let mut value = serde_json::to_value(thing)?;
    if !wash_value(&mut value, clean, but) {
        return Ok(None);
    }
    serde_json::from_value(value).map(Some)
}

/// One line of JSON with every text in it cleaned, for those who pass it on without knowing what it tells. A line that is no
/// JSON is cleaned as a text. `None` if it may stay as it is.
#[must_use]
pub fn clean_line(line: &str, clean: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let Ok(mut value) = serde_json::from_str::<Value>(line) else {
        return washed(line, clean);
    };
    wash_value(&mut value, clean, &[]).then(|| value.to_string())
}

/// Reads JSON of ours that somebody else may have changed meanwhile: every text in it comes plain.
///
/// # Errors
/// If it is no JSON of that form.
pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    // Control characters stand escaped in JSON; everything else that may not be shown is not ASCII.
    let suspect = memchr::memmem::find(bytes, b"\\u").is_some()
        || (!bytes.is_ascii()
            && std::str::from_utf8(bytes).is_ok_and(|text| {
                let mut shown = filter();
                text.chars().any(|c| !shown(c) && !c.is_ascii_whitespace())
            }));
    if !suspect {
        return serde_json::from_slice(bytes);
    }
    let mut value: Value = serde_json::from_slice(bytes)?;
    wash_value(&mut value, &|_| None, &[]);
    serde_json::from_value(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_may_not_be_shown_is_seen_to_have_been_there() {
        let cases = [
            ("plain ▕██▏ café 日本", "plain ▕██▏ café 日本"),
            ("\u{1b}[2Jgone", "\u{fffd}[2Jgone"),
            ("a\u{9b}31m\u{7f}\0", "a\u{fffd}31m\u{fffd}\u{fffd}"),
            ("txt.\u{202e}exe\u{2066}", "txt.\u{fffd}exe\u{fffd}"),
            ("auth\u{200b}-0\u{ad}", "auth\u{fffd}-0\u{fffd}"),
            ("tag\u{e0041}", "tag\u{fffd}"),
            ("e\u{301}a\u{308}\u{323}", "e\u{301}a\u{308}\u{323}"),
        ];
        for (text, shown) in cases {
            assert_eq!(plain(text), shown);
            assert_eq!(is_plain(text), text == shown, "{text:?}");
        }
        let tower = format!("a{}b", "\u{301}".repeat(500));
        assert_eq!(plain(&tower).chars().count(), 2 + MARKS);
        let long = "x".repeat(LONGEST + 7);
        assert_eq!(plain(&long).chars().count(), LONGEST + 1);
    }

    #[test]
    fn a_secret_that_was_cut_in_two_is_found() {
        let clean = |text: &str| text.contains("hunter2").then(|| "[out]".to_owned());
        assert_eq!(
            washed("it is hun\u{200b}ter2", &clean).as_deref(),
            Some("[out]")
        );
        assert_eq!(
            washed("it is\u{7} fine", &clean).as_deref(),
            Some("it is\u{fffd} fine")
        );
        assert_eq!(washed("it is fine", &clean), None);
    }

    #[test]
    fn every_text_of_json_comes_plain_and_the_rest_as_it_is() {
        use std::collections::BTreeMap;

        let bad: BTreeMap<String, Vec<String>> =
            [("a\u{202e}".to_owned(), vec!["\u{1b}c".to_owned()])].into();
        let bytes = serde_json::to_vec(&bad).expect("JSON");
        let read: BTreeMap<String, Vec<String>> = from_json(&bytes).expect("read");
        assert_eq!(read["a\u{fffd}"], ["\u{fffd}c"]);
        let good = "{\"a\":[\"→ ½ é\"]}";
        let read: BTreeMap<String, Vec<String>> = from_json(good.as_bytes()).expect("read");
        assert_eq!(read["a"], ["→ ½ é"]);
    }

    proptest! {
        #[test]
        fn what_is_plain_stays_and_what_is_made_plain_is(text in "[\\x00-\\x{ffff}]{0,60}") {
            let once = plain(&text).into_owned();
            prop_assert!(!once.chars().any(is_unsafe));
            prop_assert_eq!(plain(&once), once.as_str());
        }
    }
}
