//! OSC 52: text to the clipboard of the terminal at the other end of the SSH session.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Caps, caps::Multiplexer};

/// Terminals cap OSC 52 at different sizes; 74,994 bytes of payload is what xterm takes, and the least common one.
const CAP: usize = 74_994;

/// The last whole lines of a text, as many as [`osc52`] takes; less than one line if that one is too long.
#[must_use]
pub fn last_lines(text: &str) -> &str {
    // Base64 makes four bytes of three.
    let most = CAP / 4 * 3;
    let Some(over) = text.len().checked_sub(most).filter(|over| *over > 0) else {
        return text;
    };
    let rest = &text[text.ceil_char_boundary(over)..];
    let starts_whole = text.as_bytes().get(text.len() - rest.len() - 1) == Some(&b'\n');
    match rest.split_once('\n') {
        Some((_, whole)) if !starts_whole && !whole.is_empty() => whole,
        _ => rest,
    }
}

/// The bytes that offer a text to the terminal's clipboard; `None` if it is too long for that. Whether the terminal took
/// it cannot be known, so that one always saves to a file besides.
#[must_use]
pub fn osc52(text: &str, caps: Caps) -> Option<Vec<u8>> {
    let payload = STANDARD.encode(text);
    if payload.len() > CAP {
        return None;
    }
    let plain = format!("\x1b]52;c;{payload}\x1b\\");
    let wrapped = match caps.within {
        Some(Multiplexer::Tmux) => {
            format!("\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b"))
        }
        Some(Multiplexer::Screen) => format!("\x1bP{plain}\x1b\\"),
        None => plain,
    };
    Some(wrapped.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPS: Caps = Caps {
        depth: crate::theme::Depth::Ansi16,
        ascii: false,
        draws: true,
        within: None,
    };

    #[test]
    fn it_is_wrapped_for_tmux_and_refused_when_too_long() {
        assert_eq!(osc52("hi", CAPS), Some(b"\x1b]52;c;aGk=\x1b\\".to_vec()));
        let within = Some(Multiplexer::Tmux);
        let tmux = osc52("hi", Caps { within, ..CAPS }).expect("short enough");
        assert!(tmux.starts_with(b"\x1bPtmux;\x1b\x1b]52"));
        assert_eq!(osc52(&"x".repeat(60_000), CAPS), None);
    }

    #[test]
    fn of_a_long_text_the_last_whole_lines_fit() {
        assert_eq!(last_lines("a\nb\n"), "a\nb\n");
        let lines: Vec<String> = (0..20_000).map(|at| format!("line {at} ü\n")).collect();
        let lines = lines.concat();
        let last = last_lines(&lines);
        assert!(osc52(last, CAPS).is_some());
        assert!(last.len() > 56_000, "{}", last.len());
        assert!(last.starts_with("line ") && last.ends_with("line 19999 ü\n"));
        let one = "ü".repeat(60_000);
        assert!(osc52(last_lines(&one), CAPS).is_some());
    }
}
