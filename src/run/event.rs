//! What a runner has to say of its run: its own records, in `events.jsonl`.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
};

use serde::{Deserialize, Serialize};

use super::RunDir;
use crate::{
    incident::{Moment, plain},
    journal::files,
};

/// Longest record that is read.
const CAP: u64 = 64 * 1024;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Sequence number within the run, from 1 without gaps.
    pub seq: u64,
    /// When it was written.
    pub at: Moment,
    /// What happened.
    #[serde(flatten)]
    pub what: RunFact,
}

/// What can happen to a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunFact {
    /// The runner is about to start the child. From here on no other runner may.
    Starting {
        /// Process id of the runner.
        runner: u32,
    },
    /// The child runs.
    Started {
        /// Process id of the runner.
        runner: u32,
        /// Process id and group of the child.
        child: u32,
        /// When the child began, in the kernel's ticks since boot: with the id, its identity.
        ticks: u64,
    },
    /// A new runner goes on where a killed one ended.
    Adopted {
        /// Process id of the new runner.
        runner: u32,
        /// What may be missing of the output.
        note: String,
    },
    /// The child is asked, then made, to end.
    Stopping {
        /// `TERM` or `KILL`.
        signal: String,
        /// Why.
        why: String,
    },
    /// Output that the disk did not take.
    OutputLost {
        /// How many bytes.
        bytes: u64,
        /// What the system said.
        why: String,
    },
    /// The end, as far as it is known.
    Exited {
        /// Exit code; `None` if a signal ended it, it never started, or nobody was there to be told.
        code: Option<i32>,
        /// In words.
        how: String,
        /// Lines of output.
        lines: u64,
        /// Bytes of output on disk.
        bytes: u64,
        /// Secrets taken out of it.
        redactions: u64,
    },
    /// The child was gone before anybody looked.
    Lost {
        /// In words.
        why: String,
    },
    /// Something that only a newer version knows.
    #[serde(other)]
    Unknown,
}

impl RunFact {
    /// Whether nothing comes after it.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        matches!(self, Self::Exited { .. } | Self::Lost { .. })
    }
}

/// The runner's side: appends, each record durable before it goes on.
#[derive(Debug)]
pub struct EventLog {
    file: File,
    seq: u64,
    length: u64,
}

impl EventLog {
    /// Opens a run's records and reads what is there. What a killed runner left of a last record is cut.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn open(dir: &RunDir) -> io::Result<(Self, Vec<RunRecord>)> {
        let mut follow = Follow::default();
        let records = follow.read(dir)?;
        let file = files::private()
            .append(true)
            .create(true)
            .open(dir.events())?;
        file.set_len(follow.offset)?;
        files::sync_folder(dir.path());
        let log = Self {
            file,
            seq: records.last().map_or(0, |record| record.seq),
            length: follow.offset,
        };
        Ok((log, records))
    }

    /// Writes a record and waits until it is on disk.
    ///
    /// # Errors
    /// If the disk does not take it; nothing of it is left then.
    pub fn put(&mut self, what: RunFact) -> io::Result<()> {
        let record = RunRecord {
            seq: self.seq + 1,
            at: Moment::now(),
            what,
        };
        let mut line = serde_json::to_vec(&record)?;
        line.push(b'\n');
        let written = self
            .file
            .write_all(&line)
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.seq += 1;
        self.length += line.len() as u64;
        Ok(())
    }
}

/// The viewer's side: what was appended since the last look.
#[derive(Debug, Default)]
pub struct Follow {
    offset: u64,
}

impl Follow {
    /// Reads every whole record that is new. Lines that are none are passed over: the runner alone writes here.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn read(&mut self, dir: &RunDir) -> io::Result<Vec<RunRecord>> {
        let mut file = match files::private().read(true).open(dir.events()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut records = Vec::new();
        loop {
            file.seek(SeekFrom::Start(self.offset))?;
            let mut bytes = Vec::new();
            (&file).take(CAP).read_to_end(&mut bytes)?;
            let Some(end) = memchr::memrchr(b'\n', &bytes) else {
                return Ok(records);
            };
            let whole = &bytes[..=end];
            records.extend(
                whole
                    .split(|byte| *byte == b'\n')
                    .filter_map(|line| plain::from_json::<RunRecord>(line).ok()),
            );
            self.offset += whole.len() as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_followed_and_a_torn_one_is_written_over() {
        let temp = tempfile::tempdir().expect("a folder");
        let dir = RunDir::at(temp.path());
        let mut follow = Follow::default();
        assert!(follow.read(&dir).expect("nothing yet").is_empty());
        let (mut log, before) = EventLog::open(&dir).expect("opened");
        assert!(before.is_empty());
        log.put(RunFact::Starting { runner: 7 }).expect("written");
        assert_eq!(follow.read(&dir).expect("read").len(), 1);
        log.file.write_all(b"{\"seq\":2,\"at\":").expect("torn");
        assert!(follow.read(&dir).expect("read").is_empty());

        let (mut log, before) = EventLog::open(&dir).expect("opened again");
        assert_eq!(before.len(), 1);
        let why = "gone".to_owned();
        log.put(RunFact::Lost { why }).expect("written");
        let new = follow.read(&dir).expect("read");
        assert_eq!(new.len(), 1);
        assert_eq!(new[0].seq, 2);
        assert!(new[0].what.is_end());
    }

    #[test]
    fn an_event_of_a_newer_version_is_no_error() {
        let line = r#"{"seq":3,"at":"2026-11-23T14:05:31Z","event":"teleported","to":"mars"}"#;
        let record: RunRecord = serde_json::from_str(line).expect("read");
        assert_eq!(record.what, RunFact::Unknown);
    }
}
