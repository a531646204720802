//! Text from outside → what may stand in a cell.
//!
//! Pod names, DNS answers, certificates and error texts may be hostile: control bytes would move the cursor,
//! bidirectional overrides turn a line around, and characters of width zero make two names look the same. Each of them
//! becomes `�`, so that it is seen that something was there. Widths are those of `unicode-width`.

use unicode_width::UnicodeWidthChar;

use crate::incident::plain::{self, REPLACED};

/// Stands for what was cut off.
const ELLIPSIS: char = '…';

/// What stands in a cell for a character.
fn safe(c: char) -> char {
    match c {
        ' '..='~' => c,
        '\t' | '\n' | '\r' => ' ',
        // Combining marks and joiners too: their width depends on the terminal.
        _ if c.width().unwrap_or(0) == 0 => REPLACED,
        _ if plain::is_unsafe(c) => REPLACED,
        _ => c,
    }
}

fn columns(c: char) -> usize {
    c.width().unwrap_or(1)
}

/// How many columns a text takes once clean.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().map(|c| columns(safe(c))).sum()
}

/// The text, clean, in at most `limit` columns; `…` at the end if something was cut off.
#[must_use]
pub fn fit(text: &str, limit: usize) -> String {
    fit_from(text, 0, limit)
}

/// The same from a column on, for lines that are scrolled sideways. Reads no further than it shows.
#[must_use]
pub fn fit_from(text: &str, shift: usize, limit: usize) -> String {
    let mut out = String::new();
    let (mut skipped, mut used) = (0, 0);
    let mut chars = text.chars().map(safe).peekable();
    while skipped < shift {
        let Some(c) = chars.next() else { return out };
        skipped += columns(c);
    }
    while let Some(c) = chars.next() {
        let more = chars.peek().is_some();
        // The last column is kept for the ellipsis while there is more to come.
        if used + columns(c) + usize::from(more) > limit {
            if used < limit {
                out.push(ELLIPSIS);
            }
            return out;
        }
        out.push(c);
        used += columns(c);
    }
    out
}

/// The text in at most `limit` columns with its middle left out: the hash at the end of a pod's name tells it apart.
#[must_use]
pub fn fit_middle(text: &str, limit: usize) -> String {
    if width(text) <= limit {
        return fit(text, limit);
    }
    if limit < 9 {
        return fit(text, limit);
    }
    let tail_width = (limit / 3).max(5);
    let mut tail: Vec<char> = Vec::new();
    let mut used = 0;
    for c in text.chars().rev().map(safe) {
        if used + columns(c) > tail_width {
            break;
        }
        used += columns(c);
        tail.push(c);
    }
    let mut out = fit(text, limit - used);
    out.extend(tail.into_iter().rev());
    out
}

/// The text in lines of at most `limit` columns, broken at spaces where possible; at most `most` lines.
#[must_use]
pub fn wrap(text: &str, limit: usize, most: usize) -> Vec<String> {
    let limit = limit.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(['\n', ' ']).filter(|word| !word.is_empty()) {
        let mut rest: Vec<char> = word.chars().map(safe).collect();
        let wide: usize = rest.iter().map(|c| columns(*c)).sum();
        if used > 0 && used + 1 + wide > limit {
            lines.push(String::new());
            used = 0;
        }
        if used > 0 {
            push(&mut lines, ' ');
            used += 1;
        }
        for c in rest.drain(..) {
            if used > 0 && used + columns(c) > limit {
                lines.push(String::new());
                used = 0;
            }
            push(&mut lines, c);
            used += columns(c);
        }
        if lines.len() > most {
            lines.truncate(most);
            push(&mut lines, ELLIPSIS);
            return lines;
        }
    }
    lines
}

/// The text in lines of at most `limit` columns, every character kept: none of them ends with a space, so that one at
/// the end of a line is not lost to the eye. For what has to be typed exactly.
#[must_use]
pub fn cut(text: &str, limit: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for c in text.chars().map(safe) {
        // A space in the last column goes to the next line.
        let wide = columns(c) + usize::from(c == ' ');
        if used > 0 && used + wide > limit {
            lines.push(String::new());
            used = 0;
        }
        push(&mut lines, c);
        used += columns(c);
    }
    lines
}

fn push(lines: &mut [String], c: char) {
    if let Some(line) = lines.last_mut() {
        line.push(c);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_characters_are_seen_and_do_nothing() {
        let cases = [
            ("\u{1b}[31mred", "\u{fffd}[31mred"),
            ("a\tb\nc", "a b c"),
            ("evil\u{202e}gpj.exe", "evil\u{fffd}gpj.exe"),
            ("auth\u{200b}-0", "auth\u{fffd}-0"),
            ("z\u{301}\u{301}", "z\u{fffd}\u{fffd}"),
            ("\u{9b}2J", "\u{fffd}2J"),
            ("日本", "日本"),
        ];
        for (hostile, shown) in cases {
            assert_eq!(fit(hostile, 40), shown);
        }
    }

    #[test]
    fn what_is_cut_off_leaves_an_ellipsis() {
        assert_eq!(fit("teleport", 8), "teleport");
        assert_eq!(fit("teleport", 7), "telepo…");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("x", 0), "");
        assert_eq!(fit_from("0123456789", 4, 4), "456…");
        assert_eq!(
            fit_middle("teleport-cluster-auth-7c9d8f6b5-x2k4p", 20),
            "teleport-clus…-x2k4p"
        );
    }

    #[test]
    fn what_has_to_be_typed_loses_nothing() {
        assert_eq!(cut("ab cd", 3), ["ab", " cd"]);
        assert_eq!(cut("abcdef", 3), ["abc", "def"]);
        assert_eq!(cut("", 3), [""]);
        assert_eq!(cut("日本語", 4), ["日本", "語"]);
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_break_anyway() {
        assert_eq!(wrap("one two three", 7, 9), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4, 9), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a b c d", 1, 2), ["a", "b…"]);
        assert_eq!(wrap("", 5, 2), [""]);
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_its_place(text in "\\PC{0,40}|[\\x00-\\x{ffff}]{0,40}", limit in 0usize..30) {
            prop_assert!(width(&fit(&text, limit)) <= limit);
            prop_assert!(width(&fit_middle(&text, limit)) <= limit);
            prop_assert!(fit(&text, limit).chars().all(|c| !c.is_control()));
            for line in wrap(&text, limit.max(2), 50) {
                prop_assert!(width(&line) <= limit.max(2) + 1, "{line:?}");
            }
        }
    }
}
