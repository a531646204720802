//! Appending to the journal: one write call a line, on disk before anybody is told.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Write as _},
    path::PathBuf,
};

use thiserror::Error;

use super::{Entry, Lock, LockError, Record, Tail, files, replay::LINE_CAP};
use crate::incident::Moment;

/// Evidence of a verdict that makes a record longer than this is left out, with a note in its place: 10,000 pods.
const EVIDENCE_CAP: usize = 1024 * 1024;

/// What the journal is written to; a file, or what tests put in its place.
pub trait Medium {
    /// Writes all of it at the end.
    ///
    /// # Errors
    /// As the system says; part of it may have been written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes it durable.
    ///
    /// # Errors
    /// As the system says; what was written last may then be gone after a crash.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts it to a length.
    ///
    /// # Errors
    /// As the system says.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Medium for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// What stood in the way of a record.
#[derive(Debug, Error)]
pub enum WriteProblem {
    /// No space, or no quota, left.
    #[error("the disk is full")]
    Full(#[source] io::Error),
    /// The file system is read-only.
    #[error("the disk is read-only")]
    ReadOnly(#[source] io::Error),
    /// Somebody took the incident over, or there is no telling.
    #[error("{0}")]
    Lock(#[from] LockError),
    /// The record is longer than any reader takes.
    #[error("the record is {0} bytes long, and a line may be {LINE_CAP} at most")]
    TooLong(usize),
    /// Anything else that the system says.
    #[error("{0}")]
    Io(#[source] io::Error),
}

/// A record that is not on disk; nothing of what it tells may be taken for done. `change` and `destroy` steps wait
/// until the journal can be written again.
#[derive(Debug, Error)]
#[error("cannot write the journal {}: {problem}; {}", path.display(), self.remedy())]
pub struct WriteError {
    /// The journal.
    pub path: PathBuf,
    /// What stood in the way.
    pub problem: WriteProblem,
}

impl WriteError {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match &self.problem {
            WriteProblem::Full(error) | WriteProblem::ReadOnly(error) | WriteProblem::Io(error) => {
                files::remedy(error)
            }
            WriteProblem::Lock(_) => "this cockpit goes on as an observer",
            WriteProblem::TooLong(_) => "shorten the text",
        }
    }
}

/// The one writer of an incident's journal.
#[derive(Debug)]
pub struct Writer<M = File> {
    medium: M,
    path: PathBuf,
    tail: Tail,
    /// A failed append may have left a part of its line: cut it before the next.
    dirty: bool,
}

impl Writer<File> {
    /// Opens the journal for appending after what a replay has read to its end, its torn last record cut
    /// ([`super::Replay::cut_torn`]). The lock is asked for because only its holder may.
    ///
    /// # Errors
    /// If the file cannot be opened, or the lock was lost.
    pub fn open(lock: &Lock, path: PathBuf, tail: Tail) -> Result<Self, WriteError> {
        let open = || {
            lock.still_mine()?;
            let fresh = !path.exists();
            let file = files::private()
                .append(true)
                .create(true)
                .open(&path)
                .map_err(problem)?;
            if fresh && let Some(folder) = path.parent() {
                files::sync_folder(folder);
            }
            Ok(file)
        };
        match open() {
            Ok(file) => Ok(Self::over(file, path, tail)),
            Err(problem) => Err(WriteError { path, problem }),
        }
    }

    /// Writes a record and waits until it is on disk. Looks first whether the lock is still this cockpit's.
    ///
    /// # Errors
    /// [`WriteError`] with path and remedy. The journal is then as before, and the same entry may be tried again.
    pub fn append(&mut self, lock: &Lock, at: Moment, entry: Entry) -> Result<Record, WriteError> {
        let _inside = lock.enter().map_err(|why| self.error(why.into()))?;
        lock.still_mine().map_err(|lost| self.error(lost.into()))?;
        self.put(lock.author(), at, entry)
    }
}

impl<M: Medium> Writer<M> {
    /// A writer over any medium that holds what `tail` tells.
    pub const fn over(medium: M, path: PathBuf, tail: Tail) -> Self {
        Self {
            medium,
            path,
            tail,
            dirty: false,
        }
    }

    /// Sequence number of the last record on disk; 0 for none.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.tail.seq
    }

    fn error(&self, problem: WriteProblem) -> WriteError {
        WriteError {
            path: self.path.clone(),
            problem,
        }
    }

    pub(super) fn put(
        &mut self,
        author: super::Author,
        at: Moment,
        entry: Entry,
    ) -> Result<Record, WriteError> {
        let mut record = Record {
            seq: self.tail.seq.saturating_add(1),
            at,
            author,
            prev: self.tail.hash.clone(),
            entry,
        };
        let mut line = self.line(&record)?;
        if line.len() > EVIDENCE_CAP && leave_evidence_out(&mut record.entry, line.len()) {
            line = self.line(&record)?;
        }
        if line.len() > LINE_CAP {
            return Err(self.error(WriteProblem::TooLong(line.len())));
        }
        let hash = Record::hash(&line);
        line.push('\n');
        self.write(line.as_bytes())
            .map_err(|error| self.error(problem(error)))?;
        self.tail = Tail {
            seq: record.seq,
            token: record.author.token.max(self.tail.token),
            hash,
            length: self.tail.length + line.len() as u64,
        };
        Ok(record)
    }

    fn line(&self, record: &Record) -> Result<String, WriteError> {
        serde_json::to_string(record)
            .map_err(|error| self.error(WriteProblem::Io(io::Error::other(error))))
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.dirty {
            self.medium.cut(self.tail.length)?;
        }
        self.dirty = true;
        let written = self.medium.append(line).and_then(|()| self.medium.sync());
        // At once, if it works, so that no reader sees the part; else before the next append.
        self.dirty = written.is_err() && self.medium.cut(self.tail.length).is_err();
        written
    }
}

fn problem(error: io::Error) -> WriteProblem {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => WriteProblem::Full(error),
        io::ErrorKind::ReadOnlyFilesystem => WriteProblem::ReadOnly(error),
        _ => WriteProblem::Io(error),
    }
}

/// A verdict must not fail on the size of what it rests on; the findings still name the subjects.
fn leave_evidence_out(entry: &mut Entry, length: usize) -> bool {
    let Entry::Judged {
        evidence, findings, ..
    } = entry
    else {
        return false;
    };
    evidence.clear();
    if let Some(finding) = findings.first_mut() {
        let _ = write!(
            finding.sentence,
            " (The readings themselves, {length} bytes, are too long for the journal.)"
        );
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Author, Claim, Folder, Item, Replay};

    /// A disk that takes so many bytes and then no more.
    #[derive(Default)]
    struct SmallDisk {
        bytes: Vec<u8>,
        space: usize,
        kind: Option<io::ErrorKind>,
    }

    impl Medium for SmallDisk {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            let fits = bytes.len().min(self.space);
            self.bytes.extend_from_slice(&bytes[..fits]);
            self.space -= fits;
            if fits < bytes.len() {
                return Err(self.kind.unwrap_or(io::ErrorKind::StorageFull).into());
            }
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn cut(&mut self, length: u64) -> io::Result<()> {
            let length = usize::try_from(length).expect("small");
            self.space += self.bytes.len().saturating_sub(length);
            self.bytes.truncate(length);
            Ok(())
        }
    }

    fn note(text: &str) -> Entry {
        Entry::Noted {
            text: text.to_owned(),
        }
    }

    fn author() -> Author {
        Author {
            operator: "ann".to_owned(),
            host: "bastion".to_owned(),
            token: 1,
        }
    }

    #[test]
    fn what_was_written_is_read_back_chained() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temp.path());
        let claim = Claim {
            operator: "ann".to_owned(),
            host: "bastion".to_owned(),
            floor: 0,
        };
        let lock = Lock::take(&folder, &claim).expect("free");
        let mut written = Vec::new();
        for round in 0..3 {
            let mut replay = Replay::open(&folder.journal()).expect("opened");
            assert_eq!(replay.by_ref().count(), round * 2);
            let mut writer =
                Writer::open(&lock, folder.journal(), replay.tail().clone()).expect("opened");
            for text in ["one\nline", "two"] {
                let at = Moment::from_secs(7);
                written.push(writer.append(&lock, at, note(text)).expect("written"));
            }
        }
        let read: Vec<Record> = Replay::open(&folder.journal())
            .expect("opened")
            .map(|item| match item {
                Item::Record(record) => *record,
                Item::Notice(notice) => unreachable!("{notice}"),
            })
            .collect();
        assert_eq!(read, written);
        assert_eq!(read.last().map(|record| record.seq), Some(6));
    }

    #[test]
    fn a_full_disk_is_named_with_its_remedy_and_leaves_no_part_of_a_line() {
        let disk = SmallDisk {
            space: 300,
            ..SmallDisk::default()
        };
        let path = PathBuf::from("/state/journal.jsonl");
        let mut writer = Writer::over(disk, path, Tail::default());
        writer
            .put(author(), Moment::from_secs(1), note("fits"))
            .expect("fits");
        let length = writer.medium.bytes.len();
        let error = writer
            .put(author(), Moment::from_secs(2), note("does not fit"))
            .expect_err("full");
        assert!(matches!(error.problem, WriteProblem::Full(_)));
        let sentence = error.to_string();
        assert!(
            sentence.contains("/state/journal.jsonl") && sentence.contains("--state-dir"),
            "{sentence}"
        );
        assert_eq!(writer.medium.bytes.len(), length);

        writer.medium.space = 1000;
        let record = writer
            .put(author(), Moment::from_secs(3), note("does not fit"))
            .expect("space again");
        assert_eq!(record.seq, 2);
        let text = String::from_utf8(writer.medium.bytes).expect("text");
        assert_eq!(text.lines().count(), 2);
    }

    #[test]
    fn a_read_only_disk_is_told_apart() {
        let disk = SmallDisk {
            kind: Some(io::ErrorKind::ReadOnlyFilesystem),
            ..SmallDisk::default()
        };
        let mut writer = Writer::over(disk, PathBuf::from("/j"), Tail::default());
        let error = writer
            .put(author(), Moment::from_secs(1), note("no"))
            .expect_err("read-only");
        assert!(
            matches!(error.problem, WriteProblem::ReadOnly(_)),
            "{error}"
        );
    }

    #[test]
    fn a_writer_whose_lock_was_taken_over_writes_nothing() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temp.path());
        let claim = |operator: &str| Claim {
            operator: operator.to_owned(),
            host: "bastion".to_owned(),
            floor: 0,
        };
        let lock = Lock::take(&folder, &claim("ann")).expect("free");
        let mut writer = Writer::open(&lock, folder.journal(), Tail::default()).expect("opened");
        let _bob = Lock::take_over(&folder, &claim("bob")).expect("taken over");
        let error = writer
            .append(&lock, Moment::from_secs(1), note("late"))
            .expect_err("not hers any more");
        assert!(error.to_string().contains("bob"), "{error}");
        let left = std::fs::read(folder.journal()).expect("the journal");
        assert!(left.is_empty());
    }
}
