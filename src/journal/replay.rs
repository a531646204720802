//! Reading a journal, line by line: chain verified, nothing thrown away, nothing believed that does not fit.

use std::{
    fmt,
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{Author, Record, files, record};
use crate::incident::{Moment, plain};

/// Longest line that is read, in bytes without its line feed.
pub const LINE_CAP: usize = 8 * 1024 * 1024;

/// Where a journal ends: what the next record follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Sequence number of the last record; 0 for none.
    pub seq: u64,
    /// Highest fencing token seen: a lock's new token must be above it.
    pub token: u64,
    /// Hash of the last line.
    pub hash: String,
    /// Bytes of whole lines.
    pub length: u64,
}

impl Default for Tail {
    /// An empty journal.
    fn default() -> Self {
        Self {
            seq: 0,
            token: 0,
            hash: Record::hash(Record::GENESIS),
            length: 0,
        }
    }
}

/// What a line of the journal came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A record.
    Record(Box<Record>),
    /// Something to be told: a record that cannot be taken as it is, or a chain that does not hold.
    Notice(Notice),
}

/// What is wrong or unknown in a journal. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The record does not follow the one before: the journal was changed by something else than Relight. The record
    /// itself comes right after this notice.
    Broken {
        /// Which line.
        line: u64,
        /// What does not fit.
        why: String,
    },
    /// A record of a kind that this version does not know. It stays in the journal.
    Unknown {
        /// Which line.
        line: u64,
        /// Sequence number.
        seq: u64,
        /// When it was written.
        at: Moment,
        /// The kind.
        entry: String,
    },
    /// A line that is no record. It stays in the journal.
    Garbage {
        /// Which line.
        line: u64,
        /// Why not.
        why: String,
    },
    /// The last record was not written to its end; it was cut and kept aside.
    Torn {
        /// Which line.
        line: u64,
        /// How many bytes there were of it.
        bytes: u64,
        /// Where they are now.
        kept: PathBuf,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken { line, why } => write!(
                f,
                "journal line {line}: {why}; the journal was changed from outside at or before this line, \
                 do not rely on what it says up to here"
            ),
            Self::Unknown {
                line, seq, entry, ..
            } => write!(
                f,
                "journal line {line}: record {seq} is of kind {entry:?}, which this version of Relight does not know; \
                 it is kept, open the incident with the newer version to see it"
            ),
            Self::Garbage { line, why } => {
                write!(
                    f,
                    "journal line {line} is no record ({why}); it is kept and passed over"
                )
            }
            Self::Torn { line, bytes, kept } => write!(
                f,
                "journal line {line}: the last record was torn by a crash after {bytes} bytes; it was cut and kept as {}",
                kept.display()
            ),
        }
    }
}

/// A journal being read. As an iterator it gives everything up to the last whole line; asked again later, what was
/// appended since. It changes nothing on disk but in [`Replay::cut_torn`].
#[derive(Debug)]
pub struct Replay {
    file: Option<BufReader<File>>,
    path: PathBuf,
    tail: Tail,
    line: u64,
    /// The record that follows a notice about it.
    next: Option<Record>,
    /// Why reading stopped before the end: what lies behind is not known, so nothing may be cut or appended.
    failed: Option<io::Error>,
}

/// What can be read of a record whose entry cannot.
#[derive(Deserialize)]
struct Skeleton {
    seq: u64,
    at: Moment,
    #[serde(flatten)]
    author: Author,
    prev: String,
    entry: Kind,
}

#[derive(Deserialize)]
struct Kind {
    kind: String,
}

impl Replay {
    /// Opens a journal; one that is not there yet is empty.
    ///
    /// # Errors
    /// If it is there and cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut replay = Self {
            file: None,
            path: path.to_owned(),
            tail: Tail::default(),
            line: 0,
            next: None,
            failed: None,
        };
        replay.reopen()?;
        Ok(replay)
    }

    /// What the next record follows.
    #[must_use]
    pub const fn tail(&self) -> &Tail {
        &self.tail
    }

    fn reopen(&mut self) -> io::Result<()> {
        match files::private().read(true).open(&self.path) {
            Ok(file) => self.file = Some(BufReader::with_capacity(64 * 1024, file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Cuts what a crash left of a last record, and keeps it aside in the incident's folder. For the lock's holder
    /// alone, after the iterator has come to its end: an observer may be looking at a line that is being written.
    ///
    /// # Errors
    /// If the disk does not take it, if reading had failed before the end, or if whole records have been written since
    /// the iterator came to its end: then the journal is as it was and must not be appended to.
    pub fn cut_torn(&mut self) -> io::Result<Option<Notice>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut file = match files::private().read(true).write(true).open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        let bytes = length.saturating_sub(self.tail.length);
        if bytes == 0 {
            return Ok(None);
        }
        let kept = self
            .path
            .with_file_name(format!("journal.torn-{}", self.tail.length));
        file.seek(SeekFrom::Start(self.tail.length))?;
        let mut torn = Vec::new();
        (&file).take(bytes).read_to_end(&mut torn)?;
        if torn.contains(&b'\n') {
            return Err(io::Error::other(
                "whole records were written to it while it was being read; open the incident again",
            ));
        }
        let mut aside = files::private()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&kept)?;
        aside.write_all(&torn)?;
        aside.sync_all()?;
        file.set_len(self.tail.length)?;
        file.sync_all()?;
        self.file = None;
        self.reopen()?;
        if let Some(file) = &mut self.file {
            file.seek(SeekFrom::Start(self.tail.length))?;
        }
        Ok(Some(Notice::Torn {
            line: self.line + 1,
            bytes,
            kept,
        }))
    }

    /// The next whole line with its hash, `None` at the end. A line over the cap comes as its length.
    fn read_line(&mut self) -> Option<(Result<Vec<u8>, u64>, String)> {
        if self.file.is_none() {
            self.reopen().ok()?;
        }
        let start = self.tail.length;
        let file = self.file.as_mut()?;
        let mut line = Vec::new();
        let mut hasher = Sha256::new();
        let mut length = 0_u64;
        loop {
            let buffer = match file.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) => {
                    self.failed = Some(error);
                    &[]
                }
            };
            if buffer.is_empty() {
                // No whole line yet: the next call begins with it again.
                let _ = file.seek(SeekFrom::Start(start));
                return None;
            }
            let end = memchr::memchr(b'\n', buffer);
            let part = &buffer[..end.unwrap_or(buffer.len())];
            hasher.update(part);
            length += part.len() as u64;
            if length <= LINE_CAP as u64 {
                line.extend_from_slice(part);
            } else {
                line = Vec::new();
            }
            let used = part.len() + usize::from(end.is_some());
            file.consume(used);
            if end.is_some() {
                break;
            }
        }
        self.line += 1;
        self.tail.length = start + length + 1;
        let hash = record::hex(&hasher.finalize());
        let line = if length <= LINE_CAP as u64 {
            Ok(line)
        } else {
            Err(length)
        };
        Some((line, hash))
    }

    /// Whether the record follows what was read before; else what does not fit.
    fn misfit(&self, seq: u64, prev: &str) -> Option<String> {
        if prev != self.tail.hash {
            return Some(if self.line == 1 {
                "it does not begin as a journal of this version does".to_owned()
            } else {
                "its hash of the line before is not that line's".to_owned()
            });
        }
        let wanted = self.tail.seq.saturating_add(1);
        (seq != wanted).then(|| format!("it is record {seq} where {wanted} should be"))
    }

    fn step(&mut self, seq: u64, token: u64, hash: String) {
        self.tail.seq = seq;
        self.tail.token = self.tail.token.max(token);
        self.tail.hash = hash;
    }

    fn judge(&mut self, line: &[u8], hash: String) -> Item {
        let number = self.line;
        let error = match plain::from_json::<Record>(line) {
            Ok(record) => {
                let broken = self.misfit(record.seq, &record.prev);
                self.step(record.seq, record.author.token, hash);
                return match broken {
                    None => Item::Record(Box::new(record)),
                    Some(why) => {
                        self.next = Some(record);
                        Item::Notice(Notice::Broken { line: number, why })
                    }
                };
            }
            Err(error) => error,
        };
        let Ok(skeleton) = plain::from_json::<Skeleton>(line) else {
            self.tail.hash = hash;
            return Item::Notice(Notice::Garbage {
                line: number,
                // It quotes what stands there.
                why: plain::plain(&error.to_string()).into_owned(),
            });
        };
        let broken = self.misfit(skeleton.seq, &skeleton.prev);
        self.step(skeleton.seq, skeleton.author.token, hash);
        Item::Notice(match broken {
            Some(why) => Notice::Broken { line: number, why },
            None => Notice::Unknown {
                line: number,
                seq: skeleton.seq,
                at: skeleton.at,
                entry: skeleton.entry.kind.chars().take(64).collect(),
            },
        })
    }
}

impl Replay {
    /// The records that have not been read yet, for those who only look: what is not as it was written is passed over.
    pub fn records(&mut self) -> impl Iterator<Item = Record> + '_ {
        self.filter_map(|item| match item {
            Item::Record(record) => Some(*record),
            Item::Notice(_) => None,
        })
    }
}

impl Iterator for Replay {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if let Some(record) = self.next.take() {
            return Some(Item::Record(Box::new(record)));
        }
        let (line, hash) = self.read_line()?;
        Some(match line {
            Ok(line) => self.judge(&line, hash),
            Err(length) => {
                self.tail.hash = hash;
                Item::Notice(Notice::Garbage {
                    line: self.line,
                    why: format!("it is {length} bytes long"),
                })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Entry, Writer};

    fn journal(folder: &Path, count: u32) -> PathBuf {
        let path = folder.join("journal.jsonl");
        let file = files::private()
            .append(true)
            .create(true)
            .open(&path)
            .expect("opened");
        let mut writer = Writer::over(file, path.clone(), Tail::default());
        let author = Author {
            operator: "ann".to_owned(),
            host: "bastion".to_owned(),
            token: 3,
        };
        for at in 0..count {
            let entry = Entry::Noted {
                text: format!("note {at}"),
            };
            writer
                .put(author.clone(), Moment::from_secs(i64::from(at)), entry)
                .expect("written");
        }
        path
    }

    fn notices(path: &Path) -> (usize, Vec<Notice>) {
        let mut records = 0;
        let mut notices = Vec::new();
        for item in Replay::open(path).expect("opened") {
            match item {
                Item::Record(_) => records += 1,
                Item::Notice(notice) => notices.push(notice),
            }
        }
        (records, notices)
    }

    fn edit(path: &Path, change: impl FnOnce(Vec<String>) -> Vec<String>) {
        let text = std::fs::read_to_string(path).expect("read");
        let lines = change(text.lines().map(str::to_owned).collect());
        std::fs::write(path, lines.join("\n") + "\n").expect("written");
    }

    #[test]
    fn a_whole_journal_gives_its_records_and_no_notice() {
        let temp = tempfile::tempdir().expect("a folder");
        let path = journal(temp.path(), 5);
        assert_eq!(notices(&path), (5, Vec::new()));
    }

    #[test]
    fn a_changed_line_is_named_by_the_line_after_it() {
        let temp = tempfile::tempdir().expect("a folder");
        let path = journal(temp.path(), 5);
        edit(&path, |mut lines| {
            lines[2] = lines[2].replace("note 2", "note X");
            lines
        });
        let (records, found) = notices(&path);
        assert_eq!(records, 5, "the records are still there");
        assert!(
            matches!(found.as_slice(), [Notice::Broken { line: 4, .. }]),
            "{found:?}"
        );
    }

    #[test]
    fn a_removed_line_and_a_strange_beginning_are_named() {
        let temp = tempfile::tempdir().expect("a folder");
        let path = journal(temp.path(), 4);
        edit(&path, |mut lines| {
            lines.remove(1);
            lines
        });
        assert!(matches!(
            notices(&path).1.as_slice(),
            [Notice::Broken { line: 2, .. }]
        ));
        edit(&path, |mut lines| {
            lines.remove(0);
            lines
        });
        assert!(matches!(
            notices(&path).1.as_slice(),
            [Notice::Broken { line: 1, .. }]
        ));
    }

    #[test]
    fn a_record_of_a_newer_version_is_reported_and_the_chain_goes_on() {
        let temp = tempfile::tempdir().expect("a folder");
        let path = journal(temp.path(), 1);
        let first = std::fs::read_to_string(&path).expect("read");
        let newer = format!(
            "{{\"seq\":2,\"at\":\"2027-01-01T00:00:00Z\",\"operator\":\"ann\",\"host\":\"b\",\"token\":9,\"new\":1,\
             \"prev\":\"{}\",\"entry\":{{\"kind\":\"teleported\",\"where\":\"mars\"}}}}",
            Record::hash(first.trim_end())
        );
        std::fs::write(&path, format!("{first}{newer}\nnot a record\n")).expect("written");
        let mut replay = Replay::open(&path).expect("opened");
        let items: Vec<Item> = replay.by_ref().collect();
        assert!(
            matches!(&items[1], Item::Notice(Notice::Unknown { line: 2, seq: 2, entry, .. }) if entry == "teleported")
        );
        assert!(matches!(
            items[2],
            Item::Notice(Notice::Garbage { line: 3, .. })
        ));
        assert_eq!(replay.tail().token, 9);
        assert_eq!(replay.tail().hash, Record::hash("not a record"));
    }

    #[test]
    fn a_torn_last_record_is_cut_kept_and_told() {
        let temp = tempfile::tempdir().expect("a folder");
        let path = journal(temp.path(), 3);
        let whole = std::fs::read(&path).expect("read");
        for cut in [1, 40, 200] {
            let torn = &whole[..whole.len() - cut];
            std::fs::write(&path, torn).expect("written");
            let mut replay = Replay::open(&path).expect("opened");
            let last = replay.by_ref().last();
            assert!(matches!(last, Some(Item::Record(record)) if record.seq == 2));
            let notice = replay.cut_torn().expect("cut").expect("a notice");
            let Notice::Torn { line, bytes, kept } = notice else {
                unreachable!("{notice}")
            };
            assert_eq!(line, 3);
            let start = usize::try_from(replay.tail().length).expect("small");
            assert_eq!(std::fs::read(kept).expect("kept"), torn[start..]);
            assert_eq!(bytes, (torn.len() - start) as u64);
            assert_eq!(notices(&path), (2, Vec::new()));
            assert_eq!(replay.next(), None);
            assert_eq!(replay.cut_torn().expect("nothing to cut"), None);
        }
    }

    #[test]
    fn records_written_behind_the_readers_back_are_not_cut() {
        let temp = tempfile::tempdir().expect("a folder");
        let path = journal(temp.path(), 2);
        let mut replay = Replay::open(&path).expect("opened");
        let whole = std::fs::read(&path).expect("read");
        assert_eq!(replay.by_ref().count(), 2);
        // The one who held the lock says goodbye after the reader has come to the end.
        let late = std::fs::File::options().append(true).open(&path);
        late.and_then(|mut file| file.write_all(b"{\"late\":1}\n"))
            .expect("written");
        assert!(replay.cut_torn().is_err());
        let after = std::fs::read(&path).expect("read");
        assert_eq!(after[..whole.len()], whole);
        assert!(after.ends_with(b"{\"late\":1}\n"));
        assert_eq!(replay.by_ref().count(), 1, "it is read, then");
        assert_eq!(replay.cut_torn().expect("nothing to cut"), None);
    }

    #[test]
    fn an_observer_reads_on_when_a_line_is_complete() {
        let temp = tempfile::tempdir().expect("a folder");
        let path = journal(temp.path(), 2);
        let whole = std::fs::read(&path).expect("read");
        std::fs::remove_file(&path).expect("removed");
        let mut replay = Replay::open(&path).expect("not there yet");
        assert_eq!(replay.next(), None);
        let mut seen = Vec::new();
        for end in (0..=whole.len()).step_by(37).chain([whole.len()]) {
            std::fs::write(&path, &whole[..end]).expect("written");
            seen.extend(replay.by_ref());
        }
        assert_eq!(seen.len(), 2);
        assert!(seen.iter().all(|item| matches!(item, Item::Record(_))));
    }

    #[test]
    fn a_line_over_the_cap_is_passed_over_without_holding_it() {
        let temp = tempfile::tempdir().expect("a folder");
        let path = temp.path().join("journal.jsonl");
        let long = "x".repeat(LINE_CAP + 1);
        std::fs::write(&path, format!("{long}\n")).expect("written");
        let mut replay = Replay::open(&path).expect("opened");
        assert!(matches!(
            replay.next(),
            Some(Item::Notice(Notice::Garbage { line: 1, .. }))
        ));
        assert_eq!(replay.tail().hash, Record::hash(&long));
    }
}
