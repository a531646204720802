//! What the terminal can show, from the environment alone.

use std::io::IsTerminal as _;

use crate::theme::Depth;

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Colours.
    pub depth: Depth,
    /// Draw with ASCII characters only.
    pub ascii: bool,
    /// Whether there is a terminal to draw on at all.
    pub draws: bool,
    /// What stands between, and wants OSC 52 wrapped.
    pub within: Option<Multiplexer>,
}

/// A terminal multiplexer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multiplexer {
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
}

impl Caps {
    /// What the environment of this process says.
    #[must_use]
    pub fn detect() -> Self {
        let tty = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
        Self::of(tty, &|name| std::env::var(name).ok())
    }

    /// What an environment says; `tty` is whether both ends are a terminal.
    #[must_use]
    pub fn of(tty: bool, var: &dyn Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| var(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_else(|| "dumb".to_owned());
        let poor = term == "linux" || term.starts_with("vt") || term == "ansi";
        Self {
            depth: depth(&term, &set),
            ascii: poor || !utf8(&set),
            draws: tty && term != "dumb",
            within: if set("TMUX").is_some() {
                Some(Multiplexer::Tmux)
            } else {
                term.starts_with("screen").then_some(Multiplexer::Screen)
            },
        }
    }
}

/// RGB only with positive evidence: sshd forwards TERM and seldom COLORTERM.
fn depth(term: &str, set: &dyn Fn(&str) -> Option<String>) -> Depth {
    if set("NO_COLOR").is_some() || term == "dumb" || term.starts_with("vt") {
        return Depth::None;
    }
    let colorterm = set("COLORTERM").unwrap_or_default();
    if colorterm == "truecolor" || colorterm == "24bit" || term.ends_with("-direct") {
        Depth::True
    } else if term.contains("256") {
        Depth::Ansi256
    } else {
        Depth::Ansi16
    }
}

/// The locale's character set, by the precedence of POSIX: `LC_ALL`, `LC_CTYPE`, `LANG`.
fn utf8(set: &dyn Fn(&str) -> Option<String>) -> bool {
    let locale = set("LC_ALL")
        .or_else(|| set("LC_CTYPE"))
        .or_else(|| set("LANG"))
        .unwrap_or_default();
    let plain: String = locale
        .to_lowercase()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    plain.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(vars: &[(&str, &str)]) -> Caps {
        let find = |name: &str| {
            vars.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Caps::of(true, &find)
    }

    #[test]
    fn a_poor_terminal_gets_ascii_and_few_colours() {
        let linux = caps(&[("TERM", "linux"), ("LANG", "en_GB.UTF-8")]);
        assert_eq!((linux.ascii, linux.depth), (true, Depth::Ansi16));
        assert_eq!(
            caps(&[("TERM", "vt100"), ("LANG", "C.UTF-8")]).depth,
            Depth::None
        );
        assert!(caps(&[("TERM", "xterm-256color"), ("LANG", "de_DE.ISO-8859-1")]).ascii);
    }

    #[test]
    fn the_locale_is_read_in_the_order_of_posix() {
        let vars = [("TERM", "xterm"), ("LC_ALL", "C"), ("LANG", "en_US.UTF-8")];
        assert!(caps(&vars).ascii);
        assert!(!caps(&[("TERM", "xterm"), ("LANG", "en_us.UTF8")]).ascii);
    }

    #[test]
    fn rgb_needs_evidence_and_no_color_wins() {
        assert_eq!(caps(&[("TERM", "xterm-256color")]).depth, Depth::Ansi256);
        let rich = [("TERM", "xterm-256color"), ("COLORTERM", "truecolor")];
        assert_eq!(caps(&rich).depth, Depth::True);
        let refused = [
            ("TERM", "xterm-256color"),
            ("COLORTERM", "truecolor"),
            ("NO_COLOR", "1"),
        ];
        assert_eq!(caps(&refused).depth, Depth::None);
    }

    #[test]
    fn a_dumb_terminal_is_never_drawn_on() {
        assert!(!caps(&[("TERM", "dumb")]).draws);
        assert!(!caps(&[]).draws);
        assert!(!Caps::of(false, &|_| Some("xterm".to_owned())).draws);
    }
}
