//! The newest readings on disk, so that a cockpit that attaches has something to show before its own probes answer.

use std::{io, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Folder, files};
use crate::incident::{Instruments, Moment, Reading, plain};

/// Longest checkpoint that is read: about 100,000 pods.
const CAP: u64 = 64 * 1024 * 1024;
/// The form of the file; another one is not read, since probes answer soon anyway.
const FORM: u32 = 1;

/// Readings as they were some time ago. Each carries its own time, so that the judges call old ones stale.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// When it was written.
    pub at: Moment,
    /// The readings.
    pub instruments: Instruments,
}

/// Why there is no checkpoint. Never a reason to stop: the probes see for themselves.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// The file could not be read or written.
    #[error("cannot use the checkpoint {}: {error}; {}", path.display(), files::remedy(error))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is of another form.
    #[error("the checkpoint {} was written in form {form}, which this version does not read; the probes start afresh", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Its form.
        form: u32,
    },
}

#[derive(Serialize)]
struct Out<'a> {
    form: u32,
    at: Moment,
    readings: Vec<&'a Reading>,
}

#[derive(Deserialize)]
struct Head {
    form: u32,
}

#[derive(Deserialize)]
struct In {
    at: Moment,
    readings: Vec<Reading>,
}

impl Checkpoint {
    /// Writes the readings, replacing an older checkpoint at once. Some milliseconds with 10,000 pods: not on the loop.
    ///
    /// # Errors
    /// If the disk does not take it; the older checkpoint is then still there.
    pub fn save(
        folder: &Folder,
        instruments: &Instruments,
        at: Moment,
    ) -> Result<(), CheckpointError> {
        let readings = instruments.iter().map(|(_, reading)| reading).collect();
        let out = Out {
            form: FORM,
            at,
            readings,
        };
        let path = folder.checkpoint();
        serde_json::to_vec(&out)
            .map_err(io::Error::from)
            .and_then(|bytes| files::write_atomic(&path, &bytes))
            .map_err(|error| CheckpointError::Io { path, error })
    }

    /// Reads the checkpoint of an incident; `None` if there is none yet.
    ///
    /// # Errors
    /// If it cannot be read or is of another form.
    pub fn load(folder: &Folder) -> Result<Option<Self>, CheckpointError> {
        let path = folder.checkpoint();
        let bytes = match files::read_capped(&path, CAP) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(CheckpointError::Io { path, error }),
        };
        let parse = |bytes| -> Result<Result<In, u32>, serde_json::Error> {
            let head: Head = serde_json::from_slice(bytes)?;
            if head.form != FORM {
                return Ok(Err(head.form));
            }
            plain::from_json(bytes).map(Ok)
        };
        match parse(&bytes) {
            Ok(Ok(read)) => Ok(Some(Self {
                at: read.at,
                instruments: read.readings.into_iter().collect(),
            })),
            Ok(Err(form)) => Err(CheckpointError::Form { path, form }),
            Err(error) => Err(CheckpointError::Io {
                path,
                error: error.into(),
            }),
        }
    }

    /// How old it is.
    #[must_use]
    pub fn age(&self, now: Moment) -> Duration {
        now.since(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::incident::{
        Address, Door, DoorFact, Fact, Failure, FailureKind, Observation, Side, Subject,
    };

    fn instruments() -> Instruments {
        let mut instruments = Instruments::default();
        let failure = || Failure::new(FailureKind::Timeout, "no answer in us-east-1 for 3 s");
        let address = Address {
            ip: [192, 0, 2, 1].into(),
            port: 443,
            tcp: Ok(Duration::from_micros(300)),
            tls: Err(failure()),
            ping: Err(failure()),
            find: Err(failure()),
            pins: Ok(vec!["sha256:ab".to_owned()]),
            steady: vec![Moment::from_secs(1)],
            wildcard: Err(failure()),
        };
        let door = DoorFact {
            host: "lb.example.com".to_owned(),
            addresses: vec![address],
            ..DoorFact::default()
        };
        let server = Subject::Answer {
            server: "192.0.2.53".into(),
            name: "*.teleport.example.com".into(),
        };
        let seen = [
            (Subject::Door(Door::New), Ok(Fact::Door(Arc::new(door)))),
            (Subject::Identity(Side::Primary), Err(failure())),
            (server, Err(failure())),
        ];
        for (at, (subject, outcome)) in (0..).zip(seen) {
            instruments.take(Observation {
                subject,
                at: Moment::from_secs(at),
                took: Duration::from_millis(3),
                outcome,
            });
        }
        instruments
    }

    #[test]
    fn readings_come_back_as_they_were_with_their_age() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temp.path());
        assert_eq!(Checkpoint::load(&folder).expect("none yet"), None);
        let before = instruments();
        Checkpoint::save(&folder, &before, Moment::from_secs(100)).expect("saved");
        let read = Checkpoint::load(&folder).expect("read").expect("there");
        assert_eq!(read.instruments, before);
        assert_eq!(read.age(Moment::from_secs(142)), Duration::from_secs(42));
    }

    #[test]
    fn garbage_and_other_forms_are_errors_not_readings() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temp.path());
        for text in ["", "{", "{\"form\":1,\"at\":7}"] {
            std::fs::write(folder.checkpoint(), text).expect("written");
            assert!(Checkpoint::load(&folder).is_err(), "{text}");
        }
        std::fs::write(folder.checkpoint(), "{\"form\":2,\"rows\":[]}").expect("written");
        assert!(matches!(
            Checkpoint::load(&folder),
            Err(CheckpointError::Form { form: 2, .. })
        ));
    }
}
