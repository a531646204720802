//! Reading a run's output: any line of ten million at once, with its time, in the memory of a few blocks.

use std::{fs::File, io, os::unix::fs::FileExt as _};

use aho_corasick::AhoCorasick;

use super::{
    RunDir,
    clean::{SHOWN, clean},
    redact::Redactor,
    store::{ENTRY, Mark, feeds},
};
use crate::{incident::Moment, journal::files};

/// One read.
const BLOCK: usize = 256 * 1024;

/// One line of output, fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 0.
    pub number: u64,
    /// When it came, to 10 ms.
    pub at: Moment,
    /// Without control bytes and secrets; at most 16 KiB of it.
    pub text: String,
}

/// Which way to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the end.
    Down,
    /// To the beginning.
    Up,
}

/// What a search came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// In that line.
    At(u64),
    /// Nowhere.
    Nowhere,
    /// Not yet: the budget is used up; search on from that line.
    Further(u64),
}

/// The output of one run.
#[derive(Debug)]
pub struct Output {
    log: File,
    index: File,
    redactor: Redactor,
    length: u64,
    feeds: u64,
    /// Whether the last byte is no line feed: one more line.
    open_end: bool,
}

impl Output {
    /// Opens a run's output; `None` while there is none.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub fn open(dir: &RunDir) -> io::Result<Option<Self>> {
        let open = |path| match files::private().read(true).open(path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        let Some((log, index)) = open(dir.output())?.zip(open(dir.index())?) else {
            return Ok(None);
        };
        let mut output = Self {
            log,
            index,
            redactor: Redactor::of_environment(),
            length: 0,
            feeds: 0,
            open_end: false,
        };
        output.refresh()?;
        Ok(Some(output))
    }

    /// Looks how far the output has grown: a stat while it has not, and otherwise at most one chunk of reading.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn refresh(&mut self) -> io::Result<bool> {
        let length = self.log.metadata()?.len();
        if length == self.length {
            return Ok(false);
        }
        let entries = self.entries()?;
        let mut mark = Mark {
            at: Moment::default(),
            offset: 0,
            lines: 0,
        };
        for number in (0..entries).rev() {
            match Mark::read(&self.index, number)? {
                Some(last) if last.offset <= length => {
                    mark = last;
                    break;
                }
                _ => {}
            }
        }
        if self.length <= length && self.length > mark.offset {
            mark.offset = self.length;
            mark.lines = self.feeds;
        }
        let mut feeds_seen = mark.lines;
        let mut offset = mark.offset;
        let mut block = vec![0; BLOCK];
        let mut last = None;
        while offset < length {
            let read = self.read(&mut block, offset, length)?;
            if read == 0 {
                break;
            }
            feeds_seen += feeds(&block[..read]);
            last = block[..read].last().copied();
            offset += read as u64;
        }
        self.length = offset;
        self.feeds = feeds_seen;
        self.open_end = last.is_some_and(|byte| byte != b'\n');
        Ok(true)
    }

    /// Lines, the last one counted before it has ended.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.feeds + u64::from(self.open_end)
    }

    /// Lines that have ended.
    #[must_use]
    pub const fn whole_lines(&self) -> u64 {
        self.feeds
    }

    /// Bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.length
    }

    /// The last lines.
    ///
    /// # Errors
    /// If the output cannot be read.
    pub fn tail(&self, count: usize) -> io::Result<Vec<Line>> {
        self.window(self.lines().saturating_sub(count as u64), count)
    }

    /// Lines from a number on, fewer at the end.
    ///
    /// # Errors
    /// If the output cannot be read.
    pub fn window(&self, from: u64, count: usize) -> io::Result<Vec<Line>> {
        let until = self.lines().min(from.saturating_add(count as u64));
        let mut lines = Vec::new();
        if from >= until {
            return Ok(lines);
        }
        let mut times = Times::default();
        self.walk(from, u64::MAX, |number, offset, bytes| {
            if number < until {
                lines.push(Line {
                    number,
                    at: times.of(self, offset)?,
                    text: self.shown(bytes),
                });
            }
            Ok(number + 1 < until)
        })?;
        Ok(lines)
    }

    /// Searches for a text from a line on, that line included; letters of both cases match unless the text has a
    /// capital. At most `budget` bytes are read, so that a key never waits: then go on from where it says.
    ///
    /// # Errors
    /// If the output cannot be read.
    pub fn find(
        &self,
        text: &str,
        from: u64,
        direction: Direction,
        budget: u64,
    ) -> io::Result<Found> {
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(!text.chars().any(char::is_uppercase))
            .build([text])
            .map_err(io::Error::other)?;
        if text.is_empty() || self.lines() == 0 {
            return Ok(Found::Nowhere);
        }
        // What is found is what is shown, so that no hit is on a control sequence or on a secret.
        let hit = |bytes: &[u8]| {
            let plain = bytes
                .iter()
                .all(|byte| (0x20..0x7f).contains(byte) || *byte == b'\n');
            if plain && !search.is_match(bytes) {
                return false;
            }
            search.is_match(self.shown(bytes).as_str())
        };
        match direction {
            Direction::Down => {
                let (mut found, mut next) = (None, from);
                self.walk(from, budget, |number, _, bytes| {
                    if hit(bytes) {
                        found = Some(number);
                    }
                    next = number + 1;
                    Ok(found.is_none())
                })?;
                Ok(match found {
                    Some(number) => Found::At(number),
                    None if next < self.lines() => Found::Further(next),
                    None => Found::Nowhere,
                })
            }
            Direction::Up => self.find_up(from.min(self.lines() - 1), budget, hit),
        }
    }

    /// Upwards chunk by chunk, each of them read downwards.
    fn find_up(&self, from: u64, budget: u64, hit: impl Fn(&[u8]) -> bool) -> io::Result<Found> {
        let mut upper = from;
        let mut spent = 0;
        loop {
            // A block back at least, or to the beginning: marks of slow output stand at every line.
            let back = self.before(upper)?.offset.saturating_sub(BLOCK as u64);
            let mark = self.search(|mark| back > 0 && mark.offset <= back)?;
            let lower = if mark.lines == 0 && mark.offset == 0 {
                0
            } else {
                // The mark may stand inside its line; the first whole line behind it is the next.
                (mark.lines + 1).min(upper)
            };
            let mut found = None;
            self.walk(lower, u64::MAX, |number, _, bytes| {
                spent += bytes.len() as u64;
                if hit(bytes) {
                    found = Some(number);
                }
                Ok(number < upper)
            })?;
            match found {
                Some(number) => return Ok(Found::At(number)),
                None if lower == 0 => return Ok(Found::Nowhere),
                None if spent >= budget => return Ok(Found::Further(lower - 1)),
                None => upper = lower - 1,
            }
        }
    }

    /// What is shown of a line.
    fn shown(&self, bytes: &[u8]) -> String {
        let text = clean(bytes);
        match self.redactor.line(&text) {
            std::borrow::Cow::Borrowed(_) => text,
            std::borrow::Cow::Owned(text) => text,
        }
    }

    /// Calls for each line from a number on: number, offset of its first byte, and at most [`SHOWN`] bytes of it.
    /// Ends when told to, after a budget of bytes, or at the end.
    fn walk(
        &self,
        from: u64,
        budget: u64,
        mut each: impl FnMut(u64, u64, &[u8]) -> io::Result<bool>,
    ) -> io::Result<()> {
        let mark = self.before(from)?;
        let (mut number, mut offset) = (mark.lines, mark.offset);
        let mut spent = 0_u64;
        let mut start = offset;
        let mut line: Vec<u8> = Vec::new();
        let mut block = vec![0; BLOCK];
        while offset < self.length {
            let read = self.read(&mut block, offset, self.length)?;
            if read == 0 {
                break;
            }
            let mut rest = &block[..read];
            while !rest.is_empty() {
                let end = memchr::memchr(b'\n', rest).map(|at| at + 1);
                let part = &rest[..end.unwrap_or(rest.len())];
                rest = &rest[part.len()..];
                offset += part.len() as u64;
                if number >= from {
                    let room = SHOWN.saturating_sub(line.len()).min(part.len());
                    line.extend_from_slice(&part[..room]);
                }
                if end.is_none() {
                    break;
                }
                if number >= from && !each(number, start, &line)? {
                    return Ok(());
                }
                line.clear();
                number += 1;
                start = offset;
            }
            spent += read as u64;
            // A line longer than the budget is still passed, or a search would stay at it for ever.
            if spent >= budget && number > from {
                return Ok(());
            }
        }
        if !line.is_empty() {
            each(number, start, &line)?;
        }
        Ok(())
    }

    fn read(&self, block: &mut [u8], offset: u64, end: u64) -> io::Result<usize> {
        let room = usize::try_from(end - offset).map_or(block.len(), |left| left.min(block.len()));
        loop {
            match self.log.read_at(&mut block[..room], offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    fn entries(&self) -> io::Result<u64> {
        Ok(self.index.metadata()?.len() / ENTRY)
    }

    /// The last mark with fewer line feeds before it than the line's number: the line begins at or behind it.
    fn before(&self, line: u64) -> io::Result<Mark> {
        self.search(|mark| mark.lines < line)
    }

    /// The last mark for which it holds; it must hold for none behind one for which it does not. The beginning if for
    /// none.
    fn search(&self, holds: impl Fn(&Mark) -> bool) -> io::Result<Mark> {
        let (mut low, mut high) = (0, self.entries()?);
        let mut best = None;
        while low < high {
            let middle = u64::midpoint(low, high);
            match Mark::read(&self.index, middle)? {
                Some(mark) if mark.offset <= self.length && holds(&mark) => {
                    best = Some(mark);
                    low = middle + 1;
                }
                _ => high = middle,
            }
        }
        Ok(best.unwrap_or(Mark {
            at: Mark::read(&self.index, 0)?.map_or(Moment::default(), |first| first.at),
            offset: 0,
            lines: 0,
        }))
    }

    /// Where the chunk ends that an offset is in.
    fn next_offset(&self, offset: u64) -> io::Result<u64> {
        let (mut low, mut high) = (0, self.entries()?);
        let mut next = u64::MAX;
        while low < high {
            let middle = u64::midpoint(low, high);
            match Mark::read(&self.index, middle)? {
                Some(mark) if mark.offset <= offset => low = middle + 1,
                Some(mark) => {
                    next = mark.offset;
                    high = middle;
                }
                None => high = middle,
            }
        }
        Ok(next)
    }
}

/// Times of lines that are asked for in order: one search of the index for each chunk, not for each line.
#[derive(Default)]
struct Times {
    at: Moment,
    until: Option<u64>,
}

impl Times {
    fn of(&mut self, output: &Output, offset: u64) -> io::Result<Moment> {
        if self.until.is_none_or(|until| offset >= until) {
            let mark = output.search(|mark| mark.offset <= offset)?;
            self.at = mark.at;
            self.until = Some(output.next_offset(offset)?);
        }
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::store::Store;

    fn output(folder: &std::path::Path, lines: u64, long: bool) -> Output {
        let dir = RunDir::at(folder);
        let mut store = Store::open(&dir).expect("opened");
        let mut chunk = Vec::new();
        for number in 0..lines {
            chunk.extend_from_slice(format!("line {number} of many\n").as_bytes());
            if long && number == 3 {
                chunk.extend(std::iter::repeat_n(b'x', 700_000));
                chunk.push(b'\n');
            }
            if number % 7 == 0 || number + 1 == lines {
                store.write(
                    &chunk,
                    Moment::from_secs(i64::try_from(number).expect("small")),
                );
                chunk.clear();
            }
        }
        Output::open(&dir).expect("opened").expect("there")
    }

    #[test]
    fn any_window_gives_its_lines_with_their_times() {
        let temp = tempfile::tempdir().expect("a folder");
        let output = output(temp.path(), 20_000, false);
        assert_eq!(output.lines(), 20_000);
        for from in [0, 1, 6, 7, 8, 9_999, 19_998] {
            let window = output.window(from, 3).expect("read");
            assert_eq!(
                window.len(),
                3.min(20_000 - usize::try_from(from).expect("small"))
            );
            for (line, number) in window.iter().zip(from..) {
                assert_eq!(line.number, number);
                assert_eq!(line.text, format!("line {number} of many"));
                let came = number.next_multiple_of(7).min(19_999);
                assert_eq!(line.at.secs().cast_unsigned(), came, "line {number}");
            }
        }
        assert_eq!(output.tail(2).expect("read")[1].number, 19_999);
        assert!(output.window(20_000, 5).expect("read").is_empty());
    }

    #[test]
    fn a_line_longer_than_chunks_is_one_line_and_shown_in_part() {
        let temp = tempfile::tempdir().expect("a folder");
        let output = output(temp.path(), 10, true);
        assert_eq!(output.lines(), 11);
        let lines = output.window(3, 3).expect("read");
        assert_eq!(lines[0].text, "line 3 of many");
        assert_eq!(lines[1].text.len(), SHOWN);
        assert_eq!(lines[2].text, "line 4 of many");
    }

    #[test]
    fn a_text_is_found_both_ways_and_in_pieces() {
        let temp = tempfile::tempdir().expect("a folder");
        let output = output(temp.path(), 40_000, true);
        let find = |text, from, way| output.find(text, from, way, u64::MAX).expect("searched");
        assert_eq!(find("LINE 4999 of", 0, Direction::Down), Found::Nowhere);
        assert_eq!(find("line 4999 OF", 0, Direction::Down), Found::Nowhere);
        assert_eq!(find("line 4999 of", 0, Direction::Down), Found::At(5000));
        assert_eq!(find("line 4999 of", 39_000, Direction::Up), Found::At(5000));
        assert_eq!(find("line 4999 of", 5000, Direction::Up), Found::At(5000));
        assert_eq!(find("line 4999 of", 4999, Direction::Up), Found::Nowhere);
        assert_eq!(find("line 0 of", 40_000, Direction::Up), Found::At(0));

        for (way, mut from) in [(Direction::Down, 0), (Direction::Up, 40_000)] {
            let mut rounds = 0;
            loop {
                rounds += 1;
                match output
                    .find("line 20000 of", from, way, 1)
                    .expect("searched")
                {
                    Found::Further(next) => from = next,
                    found => {
                        assert_eq!(found, Found::At(20_001));
                        break;
                    }
                }
            }
            assert!(rounds > 1, "the budget was not kept");
        }
    }

    #[test]
    fn growing_output_is_followed_and_what_slipped_through_is_taken_out_when_shown() {
        let temp = tempfile::tempdir().expect("a folder");
        let dir = RunDir::at(temp.path());
        assert!(Output::open(&dir).expect("nothing yet").is_none());
        let mut store = Store::open(&dir).expect("opened");
        let mut output = Output::open(&dir).expect("opened").expect("there");
        assert_eq!(output.lines(), 0);
        store.write(
            b"id AKIA\x1b[0mIOSFODNN7EXAMPLE\nhalf",
            Moment::from_secs(1),
        );
        assert!(output.refresh().expect("read"));
        assert_eq!(output.lines(), 2);
        let lines = output.tail(2).expect("read");
        assert_eq!(lines[0].text, "id [redacted: AWS key]");
        assert_eq!(lines[1].text, "half");
        store.write(b" more\n", Moment::from_secs(2));
        assert!(output.refresh().expect("read"));
        assert!(!output.refresh().expect("read"));
        assert_eq!(output.lines(), 2);
        assert_eq!(output.tail(1).expect("read")[0].text, "half more");
    }
}
