//! The folder of one run, and its locks.
//!
//! ```text
//! runs/ID/
//!   spec.json      what is to be run, written by the starter
//!   events.jsonl   what happened, one record a line, written by the runner alone
//!   output.log     what the child wrote, without its secrets
//!   output.idx     time, offset and line number for each chunk of it
//!   output.fifo    what the child writes to
//!   lock           held (shared) by runner and child: free only when both are gone
//!   runner.lock    held by the runner: one at a time
//!   cancel         put there by whoever wants the run to end
//!   runner.log     what the runner itself had to say, if anything
//! ```

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    incident::RunId,
    journal::{Folder, files},
};

/// The folder of one run. Holding one says nothing about whether it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// The folder at a path.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// The folder of a run in an incident.
    #[must_use]
    pub fn of(incident: &Folder, run: &RunId) -> Self {
        Self {
            path: incident.run(run),
        }
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run, by the folder's name.
    #[must_use]
    pub fn run(&self) -> Option<RunId> {
        RunId::parse(self.path.file_name()?.to_str()?)
    }

    /// `spec.json`
    #[must_use]
    pub fn spec(&self) -> PathBuf {
        self.path.join("spec.json")
    }

    /// `events.jsonl`
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }

    /// `output.log`
    #[must_use]
    pub fn output(&self) -> PathBuf {
        self.path.join("output.log")
    }

    /// `output.idx`
    #[must_use]
    pub fn index(&self) -> PathBuf {
        self.path.join("output.idx")
    }

    /// `output.fifo`
    #[must_use]
    pub fn fifo(&self) -> PathBuf {
        self.path.join("output.fifo")
    }

    /// `cancel`
    #[must_use]
    pub fn cancel(&self) -> PathBuf {
        self.path.join("cancel")
    }

    /// `runner.log`
    #[must_use]
    pub fn runner_log(&self) -> PathBuf {
        self.path.join("runner.log")
    }

    fn open_lock(&self, name: &str) -> io::Result<File> {
        files::private()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.path.join(name))
    }

    /// Takes the run's lock, shared with whoever else works on the run. Held until the file, and every copy of it that
    /// a child inherited, is closed.
    ///
    /// # Errors
    /// If the file cannot be opened or locked.
    pub fn hold(&self) -> io::Result<File> {
        let file = self.open_lock("lock")?;
        // Someone who looks whether it is free holds it for an instant.
        file.lock_shared()?;
        Ok(file)
    }

    /// Takes the runner's own lock; `None` if there is a runner.
    ///
    /// # Errors
    /// If the file cannot be opened or locked.
    pub fn be_the_runner(&self) -> io::Result<Option<File>> {
        let file = self.open_lock("runner.lock")?;
        // Someone who looks whether it is free holds it for an instant: that is no runner.
        for _ in 0..20 {
            match file.try_lock() {
                Ok(()) => return Ok(Some(file)),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Whether a runner is there.
    ///
    /// # Errors
    /// If there is no telling.
    pub fn has_runner(&self) -> io::Result<bool> {
        held(self.open_existing("runner.lock")?.as_ref())
    }

    /// Whether runner or child is there.
    ///
    /// # Errors
    /// If there is no telling.
    pub fn is_live(&self) -> io::Result<bool> {
        held(self.open_existing("lock")?.as_ref())
    }

    fn open_existing(&self, name: &str) -> io::Result<Option<File>> {
        match files::private()
            .read(true)
            .write(true)
            .open(self.path.join(name))
        {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether somebody holds the lock; it is let go at once, with the file.
fn held(file: Option<&File>) -> io::Result<bool> {
    match file.map(File::try_lock) {
        None | Some(Ok(())) => Ok(false),
        Some(Err(TryLockError::WouldBlock)) => Ok(true),
        Some(Err(TryLockError::Error(error))) => Err(error),
    }
}
