//! Changes of facts that no verdict relied on: for replay and report, capped, unchained, never in the way.

use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    fs::File,
    hash::{Hash as _, Hasher as _},
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use super::{Folder, files};
use crate::incident::{Fact, Moment, Observation, Subject, plain};

/// Size at which the track is put aside as `track.old.jsonl` and begun anew: at most twice this is on disk.
const CAP: u64 = 16 * 1024 * 1024;
/// A longer observation is left out: a cluster of thousands of pods is in the checkpoint.
const LINE_CAP: usize = 64 * 1024;
/// Least time between two lines about one subject.
const PACE: Duration = Duration::from_secs(5);

/// The track of one incident, written by the lock's holder.
#[derive(Debug)]
pub struct Track {
    path: PathBuf,
    file: Option<File>,
    length: u64,
    cap: u64,
    last: BTreeMap<Subject, (Moment, u64)>,
}

impl Track {
    /// The track of an incident; the file is made with the first change.
    #[must_use]
    pub fn new(folder: &Folder) -> Self {
        Self {
            path: folder.track(),
            file: None,
            length: 0,
            cap: CAP,
            last: BTreeMap::new(),
        }
    }

    /// Writes the observation if what it says differs from the last line about its subject: times and remaining TTLs
    /// alone do not count. Returns whether it was written.
    ///
    /// # Errors
    /// If the disk does not take it. The track is a convenience: tell, and go on.
    pub fn put(&mut self, seen: &Observation) -> io::Result<bool> {
        // The cheap question first: a cluster of 10,000 pods tells of itself four times a second.
        if self
            .last
            .get(&seen.subject)
            .is_some_and(|(at, _)| seen.at.since(*at) < PACE)
        {
            return Ok(false);
        }
        let mut line = Line(Vec::new());
        if serde_json::to_writer(&mut line, seen).is_err() {
            self.last.insert(seen.subject.clone(), (seen.at, 0));
            return Ok(false);
        }
        let essence = essence(seen)?;
        if let Some((_, before)) = self.last.get(&seen.subject)
            && *before == essence
        {
            return Ok(false);
        }
        let Line(mut line) = line;
        line.push(b'\n');
        self.make_room(line.len() as u64)?;
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.open()?,
        };
        file.write_all(&line)?;
        self.file = Some(file);
        self.length += line.len() as u64;
        self.last.insert(seen.subject.clone(), (seen.at, essence));
        Ok(true)
    }

    fn open(&mut self) -> io::Result<File> {
        let file = files::private()
            .append(true)
            .create(true)
            .open(&self.path)?;
        self.length = file.metadata()?.len();
        Ok(file)
    }

    fn make_room(&mut self, more: u64) -> io::Result<()> {
        if self.length + more > self.cap {
            self.file = None;
            std::fs::rename(&self.path, self.path.with_file_name("track.old.jsonl"))?;
            self.length = 0;
        }
        Ok(())
    }

    /// Reads a track back, older part first, one observation at a time. Lines that are none are passed over: after a
    /// crash the last one may be half of one.
    pub fn read(folder: &Folder) -> impl Iterator<Item = Observation> {
        let path = folder.track();
        [path.with_file_name("track.old.jsonl"), path]
            .into_iter()
            .filter_map(|path| files::private().read(true).open(path).ok())
            .flat_map(|file| {
                let mut reader = BufReader::new(file);
                std::iter::from_fn(move || {
                    let mut line = Vec::new();
                    let cap = LINE_CAP as u64 + 1;
                    let read = reader
                        .by_ref()
                        .take(cap)
                        .read_until(b'\n', &mut line)
                        .ok()?;
                    (read > 0).then_some(line)
                })
            })
            .filter_map(|line| plain::from_json(&line).ok())
    }
}

/// Takes a line up to the cap and no more, so that one that will be left out is not made to its end.
struct Line(Vec<u8>);

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LINE_CAP {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A digest of what an observation says, without what changes at every look.
fn essence(seen: &Observation) -> io::Result<u64> {
    let outcome = match &seen.outcome {
        Ok(Fact::Answer(answer)) => {
            let mut answer = answer.as_ref().clone();
            answer.rtt = Duration::ZERO;
            answer.ttl = None;
            answer.asked.clear();
            for hop in &mut answer.chain {
                hop.ttl = 0;
            }
            Ok(Fact::Answer(Arc::new(answer)))
        }
        Ok(Fact::Door(door)) => {
            let mut door = door.as_ref().clone();
            for address in &mut door.addresses {
                if let Ok(tcp) = &mut address.tcp {
                    *tcp = Duration::ZERO;
                }
                if let Ok(ping) = &mut address.ping {
                    ping.took = Duration::ZERO;
                }
            }
            Ok(Fact::Door(Arc::new(door)))
        }
        // The sentence may name a duration; the class tells what changed.
        Err(failure) => Err(failure.kind),
        Ok(other) => Ok(other.clone()),
    };
    let mut hasher = DefaultHasher::new();
    serde_json::to_vec(&outcome)?.hash(&mut hasher);
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Answer, Failure, FailureKind, Rcode};

    fn answer(at: i64, ttl: u32, address: u8) -> Observation {
        let answer = Answer {
            server: "192.0.2.53".to_owned(),
            authority: false,
            asked: format!("r{at}.teleport.example.com"),
            rcode: Rcode::NoError,
            aa: false,
            chain: Vec::new(),
            addresses: vec![[192, 0, 2, address].into()],
            ttl: Some(ttl),
            rtt: Duration::from_millis(3),
            transport: "udp".to_owned(),
            changed: None,
        };
        Observation {
            subject: Subject::Answer {
                server: "192.0.2.53".into(),
                name: "*.teleport.example.com".into(),
            },
            at: Moment::from_secs(at),
            took: Duration::from_millis(3),
            outcome: Ok(Fact::Answer(Arc::new(answer))),
        }
    }

    #[test]
    fn changes_are_written_and_a_ttl_that_runs_down_is_none() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temp.path());
        let mut track = Track::new(&folder);
        let lost = Observation {
            outcome: Err(Failure::new(FailureKind::Timeout, "no answer for 3 s")),
            ..answer(40, 0, 0)
        };
        let looks = [
            (answer(0, 60, 1), true),
            (answer(10, 50, 1), false),
            (answer(20, 60, 2), true),
            (answer(21, 60, 3), false),
            (lost, true),
        ];
        for (seen, written) in &looks {
            assert_eq!(track.put(seen).expect("put"), *written, "{seen:?}");
        }
        let read: Vec<i64> = Track::read(&folder).map(|seen| seen.at.secs()).collect();
        assert_eq!(read, [0, 20, 40]);
    }

    #[test]
    fn the_track_is_capped_and_reads_on_over_the_seam() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temp.path());
        let mut track = Track::new(&folder);
        track.cap = 2000;
        for at in 0..40 {
            let seen = answer(at * 10, 60, u8::try_from(at).expect("small"));
            assert!(track.put(&seen).expect("put"));
        }
        let kept: Vec<i64> = Track::read(&folder).map(|seen| seen.at.secs()).collect();
        assert_eq!(kept.last(), Some(&390));
        assert!(kept.is_sorted() && kept.len() < 20, "{kept:?}");
        let size = std::fs::metadata(folder.track()).expect("meta").len();
        assert!(size <= 2000);
    }
}
