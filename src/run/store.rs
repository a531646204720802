//! A run's output on disk, with a side index of time, offset and line number.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::FileExt as _,
};

use super::RunDir;
use crate::{incident::Moment, journal::files};

/// Bytes of one entry of the index.
pub(super) const ENTRY: u64 = SIZE as u64;
const SIZE: usize = 24;
/// A chunk of the index ends after so many bytes,
const CHUNK: u64 = 256 * 1024;
/// or so many milliseconds.
const TICK: i64 = 10;

/// One entry of the index: what was written from `offset` on was written at `at`, and so many line feeds are before it.
/// On disk three little-endian numbers of eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub at: Moment,
    pub offset: u64,
    pub lines: u64,
}

impl Mark {
    fn to_bytes(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..8].copy_from_slice(&self.at.millis().to_le_bytes());
        bytes[8..16].copy_from_slice(&self.offset.to_le_bytes());
        bytes[16..].copy_from_slice(&self.lines.to_le_bytes());
        bytes
    }

    /// Reads the entry of that number; `None` behind the end.
    pub(super) fn read(index: &File, number: u64) -> io::Result<Option<Self>> {
        let mut bytes = [0; SIZE];
        match index.read_exact_at(&mut bytes, number * ENTRY) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let number = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(eight)
        };
        Ok(Some(Self {
            at: Moment::from_millis(number(0).cast_signed()),
            offset: number(8),
            lines: number(16),
        }))
    }
}

/// The runner's side: appends.
#[derive(Debug)]
pub struct Store {
    log: File,
    index: File,
    length: u64,
    lines: u64,
    last: Option<Mark>,
    lost: u64,
    trouble: Option<io::Error>,
}

impl Store {
    /// Opens a run's output, at its end if there is some.
    ///
    /// # Errors
    /// If the files cannot be opened or read.
    pub fn open(dir: &RunDir) -> io::Result<Self> {
        let open = |path| {
            files::private()
                .read(true)
                .append(true)
                .create(true)
                .open(path)
        };
        let (mut log, index) = (open(dir.output())?, open(dir.index())?);
        let length = log.metadata()?.len();
        // What a killed runner had of an entry, or an entry of bytes that never came to disk, goes.
        let mut entries = index.metadata()?.len() / ENTRY;
        let mut last = None;
        while entries > 0 {
            last = Mark::read(&index, entries - 1)?.filter(|mark| mark.offset <= length);
            if last.is_some() {
                break;
            }
            entries -= 1;
        }
        index.set_len(entries * ENTRY)?;
        let (mut lines, offset) = last.map_or((0, 0), |mark| (mark.lines, mark.offset));
        log.seek(SeekFrom::Start(offset))?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = log.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            lines += feeds(&buffer[..read]);
        }
        Ok(Self {
            log,
            index,
            length,
            lines,
            last,
            lost: 0,
            trouble: None,
        })
    }

    /// Bytes on disk.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Line feeds on disk.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// What the disk did not take since the last call, and why.
    pub fn take_lost(&mut self) -> Option<(u64, io::Error)> {
        let trouble = self.trouble.take()?;
        Some((std::mem::take(&mut self.lost), trouble))
    }

    /// Appends. What the disk does not take is counted and dropped: the child must not stand still for it.
    pub fn write(&mut self, bytes: &[u8], at: Moment) {
        if bytes.is_empty() {
            return;
        }
        let mark = Mark {
            at,
            offset: self.length,
            lines: self.lines,
        };
        let due = self.last.is_none_or(|last| {
            at.millis() - last.at.millis() >= TICK || mark.offset - last.offset >= CHUNK
        });
        if let Err(error) = self.log.write_all(bytes) {
            let _ = self.log.set_len(self.length);
            self.lost += bytes.len() as u64;
            self.trouble = Some(error);
            return;
        }
        if due && self.index.write_all(&mark.to_bytes()).is_ok() {
            self.last = Some(mark);
        }
        self.length += bytes.len() as u64;
        self.lines += feeds(bytes);
    }

    /// Makes it durable: at the end of a run.
    pub fn sync(&mut self) {
        let _ = self.log.sync_data();
        let _ = self.index.sync_data();
    }
}

/// Line feeds in bytes.
pub(super) fn feeds(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_goes_on_where_it_ended_and_a_torn_index_is_mended() {
        let temp = tempfile::tempdir().expect("a folder");
        let dir = RunDir::at(temp.path());
        let mut store = Store::open(&dir).expect("opened");
        for at in 0..5 {
            store.write(b"one\ntwo\n", Moment::from_secs(at));
        }
        assert_eq!((store.lines(), store.length()), (10, 40));
        store.index.write_all(b"torn").expect("written");

        let mut store = Store::open(&dir).expect("opened again");
        assert_eq!((store.lines(), store.length()), (10, 40));
        store.write(b"three\n", Moment::from_secs(9));
        let last = Mark::read(&store.index, 5).expect("read").expect("there");
        let expected = Mark {
            at: Moment::from_secs(9),
            offset: 40,
            lines: 10,
        };
        assert_eq!(last, expected);
    }

    #[test]
    fn an_index_that_is_ahead_of_the_output_is_cut_back() {
        let temp = tempfile::tempdir().expect("a folder");
        let dir = RunDir::at(temp.path());
        let mut store = Store::open(&dir).expect("opened");
        store.write(b"one\n", Moment::from_secs(1));
        store.write(b"two\n", Moment::from_secs(2));
        store.log.set_len(2).expect("cut");
        let store = Store::open(&dir).expect("opened again");
        assert_eq!((store.lines(), store.length()), (0, 2));
        assert_eq!(store.last.map(|mark| mark.offset), Some(0));
    }
}
