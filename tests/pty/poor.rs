//! Terminals that can do little: no colour, no characters but ASCII, no size, no terminal at all.

use super::Practice;

#[test]
fn a_dumb_terminal_gets_text_and_no_escape() {
    let practice = Practice::new();
    let mut terminal = practice.open((200, 100), &[], &[("TERM", "dumb")]);
    terminal.wait_for("RUNBOOK");
    terminal.end();
    assert!(!terminal.bytes().contains(&0x1b), "{}", terminal.text());
}

/// Whether a colour is among the attributes that the program set.
fn coloured(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let attributes = text.split("\u{1b}[").filter_map(|part| {
        let (inside, _) = part.split_once('m')?;
        inside
            .chars()
            .all(|c| c.is_ascii_digit() || c == ';')
            .then(|| inside.to_owned())
    });
    attributes
        .flat_map(|inside| {
            let codes: Vec<u32> = inside
                .split(';')
                .filter_map(|code| code.parse().ok())
                .collect();
            codes
        })
        .any(|code| (30..=38).contains(&code) || (40..=48).contains(&code) || code >= 90)
}

#[test]
fn colours_are_left_out_where_they_are_not_wanted() {
    let practice = Practice::new();
    let with = practice.open((120, 40), &[], &[]);
    with.wait_for("Runbook");
    assert!(coloured(&with.bytes()), "the check itself sees colours");
    let without = practice.open((120, 40), &[], &[("NO_COLOR", "1")]);
    without.wait_for("Runbook");
    let bytes = without.bytes();
    assert!(!coloured(&bytes));
    let reset = bytes.windows(4).any(|window| window == b"\x1b[;m");
    assert!(!reset, "a bare reset wipes reverse and bold");
}

#[test]
fn ascii_alone_where_the_terminal_or_the_locale_has_nothing_else() {
    let practice = Practice::new();
    for vars in [
        [("TERM", "linux"), ("LANG", "C.UTF-8")],
        [("TERM", "vt100"), ("LANG", "C.UTF-8")],
        [("TERM", "xterm-256color"), ("LANG", "C")],
    ] {
        let terminal = practice.open((120, 40), &[], &vars);
        terminal.wait_for("Runbook");
        assert!(terminal.bytes().is_ascii(), "{vars:?}: {}", terminal.text());
    }
}

#[test]
fn a_terminal_without_a_size_is_taken_for_80_by_24() {
    let practice = Practice::new();
    let terminal = practice.open((0, 0), &[], &[]);
    terminal.wait("the panes", |screen| {
        screen.contains("Runbook") && screen.contains("Pods")
    });
}
