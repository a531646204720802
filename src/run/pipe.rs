//! From what a child writes to what goes to disk: whole lines, without secrets.
//!
//! Lines without any literal of a rule are copied as they come, many at once. A line that does not end is cut at 64 KiB
//! with an overlap, so that a secret on the seam is seen whole; one that is longer than that is dropped to its end.

use super::{
    pem::{self, Part, Pem},
    redact::{self, Redactor},
};

/// Longest part of a line that is held back while its end has not come.
const LINE: usize = 64 * 1024;
/// How much of a cut line stays behind for the next part.
const OVERLAP: usize = 8 * 1024;

/// The state between two reads. Memory stays under two reads and a line.
#[derive(Debug)]
pub struct Pipe {
    redactor: Redactor,
    held: Vec<u8>,
    pem: Option<Pem>,
    /// Inside a secret that goes on since the part before.
    swallowing: bool,
    redactions: u64,
}

impl Pipe {
    /// A pipe at the beginning of an output.
    #[must_use]
    pub const fn new(redactor: Redactor) -> Self {
        Self {
            redactor,
            held: Vec::new(),
            pem: None,
            swallowing: false,
            redactions: 0,
        }
    }

    /// How many secrets were taken out.
    #[must_use]
    pub const fn redactions(&self) -> u64 {
        self.redactions
    }

    /// Takes what was read, and adds to `out` what may go to disk.
    pub fn feed(&mut self, read: &[u8], out: &mut Vec<u8>) {
        let whole = memchr::memrchr(b'\n', read).map(|at| at + 1);
        match whole {
            Some(end) if self.held.is_empty() => {
                self.lines(&read[..end], out);
                self.held.extend_from_slice(&read[end..]);
            }
            Some(end) => {
                let mut held = std::mem::take(&mut self.held);
                held.extend_from_slice(&read[..end]);
                self.lines(&held, out);
                held.clear();
                held.extend_from_slice(&read[end..]);
                self.held = held;
            }
            None => self.held.extend_from_slice(read),
        }
        if self.held.len() >= LINE {
            self.cut(out);
        }
    }

    /// The end of the output: what is held back goes, too.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        self.lines(&held, out);
        if self.pem.take().is_some() && out.last().is_none_or(|last| *last != b'\n') {
            out.push(b'\n');
        }
    }

    /// Whole lines (at the end of the output the last one may lack its line feed).
    fn lines(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut at = 0;
        if self.swallowing && !bytes.is_empty() {
            at = self.swallow(bytes);
        }
        while at < bytes.len() {
            if self.pem.is_some() {
                let end = line_end(bytes, at);
                at = self.in_pem(bytes, at, end, out);
                continue;
            }
            let Some(hit) = self.redactor.next(bytes, at) else {
                out.extend_from_slice(&bytes[at..]);
                return;
            };
            let start = memchr::memrchr(b'\n', &bytes[at..hit]).map_or(at, |line| at + line + 1);
            let end = line_end(bytes, hit);
            out.extend_from_slice(&bytes[at..start]);
            self.candidate(&bytes[start..end], out);
            at = end;
        }
    }

    /// A line that may hold a secret.
    fn candidate(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let (spans, open) = self.redactor.spans(line);
        self.redactions += spans.len() as u64;
        redact::write(line, &spans, out);
        self.pem = open;
    }

    /// A line inside a private key; returns how far it was dealt with.
    fn in_pem(&mut self, bytes: &[u8], at: usize, end: usize, out: &mut Vec<u8>) -> usize {
        match self.pem.as_mut().map(|pem| pem.line(&bytes[at..end])) {
            Some(Part::Inside) => end,
            Some(Part::EndsAt(after)) => {
                self.pem = None;
                at + after
            }
            Some(Part::Outside) | None => {
                self.pem = None;
                out.push(b'\n');
                at
            }
        }
    }

    /// Passes over what still belongs to a secret; returns where it ends.
    fn swallow(&mut self, bytes: &[u8]) -> usize {
        let end = bytes
            .iter()
            .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<'));
        self.swallowing = end.is_none();
        end.unwrap_or(bytes.len())
    }

    /// Lets go of the first part of a line that is too long to be held.
    fn cut(&mut self, out: &mut Vec<u8>) {
        let mut held = std::mem::take(&mut self.held);
        if self.swallowing {
            let end = self.swallow(&held);
            held.drain(..end);
        }
        if self.pem.is_some() {
            match pem::end(&held) {
                Some(end) => {
                    self.pem = None;
                    held.drain(..end);
                }
                // A key of this length is none; but what it is instead is not known either.
                None => {
                    held.drain(..held.len().saturating_sub(64));
                }
            }
        }
        if held.len() >= LINE && self.pem.is_none() {
            let keep = self.cut_free(&held, out);
            held.drain(..keep);
        }
        self.held = held;
    }

    /// Writes the first part of a long line; returns how much of it is done with.
    fn cut_free(&mut self, line: &[u8], out: &mut Vec<u8>) -> usize {
        let (spans, open) = self.redactor.spans(line);
        let mut cut = line.len() - OVERLAP;
        // What straddles the cut stays behind whole, with the key that makes it a secret.
        while let Some(span) = spans.iter().find(|s| s.from < cut && cut < s.end) {
            if span.from == 0 {
                cut = span.end;
                break;
            }
            cut = span.from;
        }
        let before: Vec<_> = spans.into_iter().filter(|span| span.end <= cut).collect();
        if before.last().is_some_and(|span| span.end == line.len()) {
            self.swallowing = open.is_none();
            self.pem = open;
        }
        self.redactions += before.len() as u64;
        redact::write(&line[..cut], &before, out);
        cut
    }
}

/// Where the line ends that `at` is in, its line feed included.
fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |line| at + line + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines with the part of each that must never come through.
    const CORPUS: &str = include_str!("../../tests/fixtures/secrets.txt");
    const OWN: &str = "0wn-value-of-this-process";

    /// Whole output, and what must not be in it.
    fn corpus() -> (String, Vec<String>) {
        let mut text = String::new();
        let mut secrets = Vec::new();
        for line in CORPUS.lines().filter(|line| !line.starts_with('#')) {
            let mut rest = line;
            while let Some((before, marked)) = rest.split_once('«') {
                let (secret, after) = marked.split_once('»').expect("a closing mark");
                text.push_str(before);
                text.push_str(secret);
                secrets.push(secret.to_owned());
                rest = after;
            }
            text.push_str(rest);
            text.push('\n');
        }
        (text, secrets)
    }

    fn through(text: &[u8], cuts: &[usize]) -> Vec<u8> {
        let mut pipe = Pipe::new(Redactor::new([OWN]));
        let mut out = Vec::new();
        let mut rest = text;
        for cut in cuts.iter().chain([&usize::MAX]) {
            let (read, after) = rest.split_at((*cut).min(rest.len()));
            pipe.feed(read, &mut out);
            rest = after;
        }
        pipe.finish(&mut out);
        out
    }

    fn leaks<'a>(out: &[u8], secrets: &'a [String]) -> Option<&'a String> {
        secrets
            .iter()
            .find(|secret| memchr::memmem::find(out, secret.as_bytes()).is_some())
    }

    #[test]
    fn no_secret_of_the_corpus_comes_through_and_what_is_none_stays() {
        let (text, secrets) = corpus();
        assert!(secrets.len() >= 40);
        let out = String::from_utf8(through(text.as_bytes(), &[])).expect("text");
        for (line, before) in out.lines().zip(CORPUS.lines()) {
            assert!(
                leaks(line.as_bytes(), &secrets).is_none(),
                "{before}\n{line}"
            );
        }
        assert_eq!(leaks(out.as_bytes(), &secrets), None);
        let harmless = include_str!("../../tests/fixtures/harmless.txt");
        let same = String::from_utf8(through(harmless.as_bytes(), &[])).expect("text");
        for (before, after) in harmless.lines().zip(same.lines()) {
            assert_eq!(before, after);
        }
        assert_eq!(harmless.len(), same.len());
    }

    #[test]
    fn a_line_without_an_end_is_let_go_of_piece_by_piece() {
        let mut pipe = Pipe::new(Redactor::new([OWN]));
        let mut out = Vec::new();
        let part = vec![b'x'; 30_000];
        for _ in 0..100 {
            pipe.feed(&part, &mut out);
            assert!(pipe.held.len() < LINE + 30_000);
        }
        pipe.finish(&mut out);
        assert_eq!(out.len(), 3_000_000);
    }

    #[test]
    fn a_secret_longer_than_a_line_is_dropped_to_its_end() {
        let long = "A1b2".repeat(60_000);
        let text = format!("{}password={long} after\nnext\n", "y".repeat(70_000));
        for step in [1000, 50_000, 300_000] {
            let cuts: Vec<usize> = vec![step; text.len() / step];
            let out = String::from_utf8(through(text.as_bytes(), &cuts)).expect("text");
            assert!(!out.contains("A1b2"), "{step} bytes a read");
            assert!(
                out.ends_with("[redacted: password] after\nnext\n"),
                "{step}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// However it is read, the same goes to disk.
        #[test]
        fn reads_may_end_anywhere(cuts in proptest::collection::vec(1_usize..300, 0..60)) {
            let (text, secrets) = corpus();
            let out = through(text.as_bytes(), &cuts);
            prop_assert_eq!(leaks(&out, &secrets), None);
            prop_assert_eq!(out, through(text.as_bytes(), &[]));
        }

        /// Also in a line that never ends, where the seams fall anywhere.
        #[test]
        fn seams_of_long_lines_show_no_secret(
            fill in 50_000_usize..70_000,
            step in 500_usize..70_000,
            secret in 0_usize..5,
        ) {
            let secrets = [
                "AKIAIOSFODNN7EXAMPLE".to_owned(),
                OWN.to_owned(),
                "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl".to_owned(),
                "IQoJb3JpZ2luX2VjEHM".to_owned() + &"aB3/".repeat(300),
                "s3cr3tPa55word".to_owned(),
            ];
            let before = if secret == 4 { "--password " } else { " " };
            let piece = format!("{}{before}{} ", "z".repeat(fill), secrets[secret]);
            let text = piece.repeat(4);
            let cuts = vec![step; text.len() / step];
            let out = through(text.as_bytes(), &cuts);
            prop_assert_eq!(leaks(&out, &secrets), None);
            prop_assert!(out.len() >= fill * 4, "{} of {}", out.len(), text.len());
        }
    }
}
