//! OSC 52: text to the clipboard of the terminal at the other end of the SSH session.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Caps, caps::Multiplexer};

/// Terminals cap OSC 52 at different sizes; 74,994 bytes of payload is what xterm takes, and the least common one.
const CAP: usize = 74_994;

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
}
