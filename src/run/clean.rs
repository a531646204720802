//! Bytes that a child wrote → text that may go to a terminal.

use crate::incident::plain;

/// Longest text made of one line, in bytes of the line.
pub const SHOWN: usize = 16 * 1024;

/// Text without control sequences, control characters and marks that turn the direction of writing. Of a line that was
/// overwritten by carriage returns the last form stays; tabs become spaces; bytes that are no UTF-8 become `�`.
#[must_use]
pub fn clean(line: &[u8]) -> String {
    let line = &line[..line.len().min(SHOWN)];
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.trim_ascii_end();
    let line = line
        .iter()
        .rposition(|byte| *byte == b'\r')
        .map_or(line, |at| &line[at + 1..]);
    let text = String::from_utf8_lossy(line);
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return text.into_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut shown = plain::filter();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => escape(&mut chars),
            // The one-character forms of CSI and of the strings (ECMA-48).
            '\u{9b}' => sequence(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => string(&mut chars),
            '\t' => {
                let width = 8 - out.chars().count() % 8;
                out.extend(std::iter::repeat_n(' ', width));
            }
            c if shown(c) => out.push(c),
            _ => {}
        }
    }
    out
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn escape(chars: &mut Chars<'_>) {
    match chars.next() {
        Some('[') => sequence(chars),
        Some(']' | 'P' | 'X' | '^' | '_') => string(chars),
        // Intermediates, then one final: `ESC ( B`.
        Some(' '..='/') => {
            while chars.next_if(|c| (' '..='/').contains(c)).is_some() {}
            chars.next();
        }
        _ => {}
    }
}

/// Parameters and intermediates, then one final byte.
fn sequence(chars: &mut Chars<'_>) {
    while chars.next_if(|c| (' '..='?').contains(c)).is_some() {}
    chars.next_if(|c| ('@'..='~').contains(c));
}

/// Up to BEL or ST. A string without an end takes the rest of the line along.
fn string(chars: &mut Chars<'_>) {
    while let Some(c) = chars.next() {
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                chars.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_gone() {
        let cases: [(&[u8], &str); 10] = [
            (b"plain\n", "plain"),
            (b"\x1b[31mred\x1b[0m\r\n", "red"),
            (b"10%\r50%\r100%\n", "100%"),
            (b"\x1b]0;title\x07after", "after"),
            (b"\x1b]52;c;aGk=\x1b\\after", "after"),
            (b"\x1bP+q544e\x1b\\x\x1b(By", "xy"),
            (b"a\tb", "a       b"),
            ("\u{202e}txt\u{9b}31mred".as_bytes(), "txtred"),
            (b"bad \xff\xfe utf", "bad \u{fffd}\u{fffd} utf"),
            (b"\x1b[", ""),
        ];
        for (bytes, text) in cases {
            assert_eq!(clean(bytes), text, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_control_character(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let text = clean(&bytes);
            prop_assert!(!text.chars().any(plain::is_unsafe), "{text:?}");
        }
    }
}
