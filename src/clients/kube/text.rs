//! Text from a Kubernetes API: capped and without anything that could move a cursor or turn a line around.

use crate::incident::plain::blanked;

/// The text with control and bidirectional-format characters replaced by spaces, cut at `cap` characters.
#[must_use]
pub fn clean(text: &str, cap: usize) -> String {
    let text = text.trim();
    let mut out = blanked(text, cap);
    if text.chars().nth(cap).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn nothing_that_moves_the_cursor_comes_through() {
        assert_eq!(clean("a\u{1b}[2Jb\r\nc\u{202e}d\u{9b}", 80), "a [2Jb  c d ");
        assert_eq!(clean("0123456789", 4), "0123…");
        assert_eq!(clean(" 0123 ", 4), "0123");
    }
}
