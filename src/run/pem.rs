//! Private keys in PEM: a state across lines.

/// Most lines that a block without an end takes: an RSA key of 16,384 bits has about 200.
const LINES: u32 = 256;
/// Most bytes that a block without an end takes.
const BYTES: usize = 64 * 1024;
const END: &[u8] = b"-----END";

/// Inside a private key's block.
#[derive(Clone, Debug)]
pub(super) struct Pem {
    /// Words before the marker on its line (a log's prefix): the lines of the key have as many.
    prefix: usize,
    lines: u32,
    bytes: usize,
}

/// What a line is to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Inside: nothing of it may be shown.
    Inside,
    /// The block ends in this line; what is behind this offset is outside.
    EndsAt(usize),
    /// No part of a key: the block was never finished.
    Outside,
}

impl Pem {
    /// A block whose marker stands behind `before` on its line.
    pub(super) fn after(before: &[u8]) -> Self {
        Self {
            prefix: words(before).count(),
            lines: 0,
            bytes: 0,
        }
    }

    /// Looks at the next line of the block.
    pub(super) fn line(&mut self, line: &[u8]) -> Part {
        self.lines += 1;
        self.bytes += line.len();
        if let Some(end) = end(line) {
            return Part::EndsAt(end);
        }
        if self.lines > LINES || self.bytes > BYTES || !self.fits(line) {
            return Part::Outside;
        }
        Part::Inside
    }

    /// Whether a line could be of a key: its last word is base64, and the words before are as many as before the
    /// marker or the word is as long as a key's line.
    fn fits(&self, line: &[u8]) -> bool {
        let Some(last) = words(line).last() else {
            return true;
        };
        // Headers of encrypted keys, RFC 1421: `Proc-Type: 4,ENCRYPTED`, `DEK-Info: …`.
        if [&b"Proc-Type:"[..], b"DEK-Info:", b"Comment:", b"Version:"]
            .iter()
            .any(|header| memchr::memmem::find(line, header).is_some())
        {
            return true;
        }
        let base64 = last
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
        let before = words(line).count() - 1;
        base64 && (last.len() >= 40 || before <= self.prefix)
    }
}

/// Where the marker of the end is over, if it is in these bytes.
pub(super) fn end(bytes: &[u8]) -> Option<usize> {
    let at = memchr::memmem::find(bytes, END)? + END.len();
    let dashes = memchr::memmem::find(&bytes[at..], b"-----");
    Some(dashes.map_or(bytes.len(), |dashes| at + dashes + 5))
}

/// The words of a line, without quotes, commas and escapes around them.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace)
        .map(|word| {
            let word = word
                .strip_suffix(b"\\n\"")
                .or_else(|| word.strip_suffix(b"\\n\","))
                .or_else(|| word.strip_suffix(b"\\n"))
                .unwrap_or(word);
            let start = word.iter().take_while(|byte| edge(**byte)).count();
            let end = word.iter().rev().take_while(|byte| edge(**byte)).count();
            word.get(start..word.len().saturating_sub(end))
                .unwrap_or_default()
        })
        .filter(|word| !word.is_empty())
}

const fn edge(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b',' | b';' | b'|' | b'[' | b']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_followed_with_prefixes_and_left_when_prose_comes() {
        let mut plain = Pem::after(b"");
        assert_eq!(plain.line(b"Proc-Type: 4,ENCRYPTED\n"), Part::Inside);
        assert_eq!(plain.line(b"\n"), Part::Inside);
        assert_eq!(plain.line(b"MIIEow==\r\n"), Part::Inside);
        assert_eq!(plain.line(b"Waiting for pods\n"), Part::Outside);
        let line = b"x -----END RSA PRIVATE KEY----- rest\n";
        assert_eq!(plain.line(line), Part::EndsAt(31));

        let mut logged = Pem::after(b"14:05:31 auth-0 ");
        assert_eq!(logged.line(b"14:05:31 auth-0 Kw==\n"), Part::Inside);
        assert_eq!(
            logged.line(b"14:05:31 auth-0 pod is ready\n"),
            Part::Outside
        );
    }

    #[test]
    fn a_block_without_an_end_does_not_swallow_for_ever() {
        let mut pem = Pem::after(b"");
        let inside = (0..10_000)
            .take_while(|_| pem.line(b"MIIEowIBAAKCAQEA\n") == Part::Inside)
            .count();
        assert_eq!(inside, 256);
    }
}
