//! The cockpit's side: start a run, have a left one adopted, cancel one. Everything goes through the run's folder, so
//! that any cockpit can do it, not only the one that started the run.

use std::{
    fs::DirBuilder,
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use thiserror::Error;

use super::{
    RunDir, Spec,
    event::{EventLog, RunFact},
    outlive::{self, Fate},
};
use crate::{
    incident::RunId,
    journal::{Folder, files},
};

/// Why a run was not started; nothing of the step was done then.
#[derive(Debug, Error)]
pub enum StartError {
    /// There is a run of that id.
    #[error("run {0} was started already: look at its output; a retry is a new attempt")]
    Twice(RunId),
    /// The folder could not be made or written.
    #[error("cannot prepare the run in {}: {error}; {}", path.display(), files::remedy(error))]
    Folder {
        /// The run's folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The runner could not be started.
    #[error("cannot start the runner {}: {error}; check that this machine has processes and memory left", binary.display())]
    Runner {
        /// This binary.
        binary: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// How hard a run is to be ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancel {
    /// TERM, and KILL after the grace.
    Term,
    /// KILL at once.
    Kill,
}

/// Starts a run: makes its folder, and this binary once more as its runner. Returns as soon as that runs; everything
/// else comes from [`super::Watch`].
///
/// # Errors
/// [`StartError`]; then nothing was done.
pub fn start(spec: &Spec) -> Result<RunDir, StartError> {
    start_with(&own_binary()?, spec)
}

/// As [`start`], with the path of the relight binary.
///
/// # Errors
/// As [`start`].
pub fn start_with(binary: &Path, spec: &Spec) -> Result<RunDir, StartError> {
    let dir = RunDir::of(&Folder::at(&spec.incident), &spec.run);
    let fail = |error| StartError::Folder {
        path: dir.path().to_owned(),
        error,
    };
    if let Some(runs) = dir.path().parent() {
        files::private_folder(runs).map_err(fail)?;
    }
    match DirBuilder::new().mode(0o700).create(dir.path()) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(StartError::Twice(spec.run.clone()));
        }
        Err(error) => return Err(fail(error)),
    }
    // The runner inherits the run's lock as its standard input, so that from before the spec is there until the runner
    // is gone nobody ever finds the lock free.
    let lock = dir.hold().map_err(fail)?;
    spec.save(&dir).map_err(fail)?;
    launch(binary, &dir, Stdio::from(lock)).inspect_err(|error| {
        let how = format!("could not start: {error}");
        let _ = EventLog::open(&dir).and_then(|(mut events, _)| {
            events.put(RunFact::Exited {
                code: None,
                how,
                lines: 0,
                bytes: 0,
                redactions: 0,
            })
        });
    })?;
    Ok(dir)
}

/// Starts a new runner for a run whose own was killed: it takes the rest of the output and waits for the child's end. It
/// starts nothing. If there is a runner, the new one ends at once.
///
/// # Errors
/// If the runner could not be started.
pub fn adopt(dir: &RunDir) -> Result<(), StartError> {
    launch(&own_binary()?, dir, Stdio::null())
}

/// As [`adopt`], with the path of the relight binary.
///
/// # Errors
/// As [`adopt`].
pub fn adopt_with(binary: &Path, dir: &RunDir) -> Result<(), StartError> {
    launch(binary, dir, Stdio::null())
}

/// Asks a run to end. Works from any cockpit; the runner finds it within a quarter of a second. A run without a runner
/// gets one first by [`super::Watch`], or by [`adopt`].
///
/// # Errors
/// If the disk does not take it. Then `kill PID` with the runner's id from the run's events does the same.
pub fn cancel(dir: &RunDir, how: Cancel) -> io::Result<()> {
    let text = match how {
        Cancel::Term => "term\n",
        Cancel::Kill => "kill\n",
    };
    files::write_atomic(&dir.cancel(), text.as_bytes())
}

/// The runs of an incident whose runner or child is there. A take-over waits until there are none.
///
/// # Errors
/// If there is no telling for one of them.
pub fn live(incident: &Folder) -> io::Result<Vec<RunId>> {
    let mut live = Vec::new();
    for dir in all(incident)? {
        if dir.is_live()? {
            live.extend(dir.run());
        }
    }
    Ok(live)
}

/// The folders of all runs of an incident, by name.
///
/// # Errors
/// If the folder of the runs is there and cannot be listed.
pub fn all(incident: &Folder) -> io::Result<Vec<RunDir>> {
    let listed = match std::fs::read_dir(incident.runs()) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut dirs = Vec::new();
    for entry in listed {
        let dir = RunDir::at(&entry?.path());
        // Before the spec is there the starter is still at work.
        if dir.run().is_some() && dir.spec().symlink_metadata().is_ok() {
            dirs.push(dir);
        }
    }
    dirs.sort_by(|a, b| a.path().cmp(b.path()));
    Ok(dirs)
}

fn own_binary() -> Result<PathBuf, StartError> {
    std::env::current_exe().map_err(|error| StartError::Runner {
        binary: PathBuf::from("relight"),
        error,
    })
}

/// Where the runner is started, so that it outlives the logout: in a scope only where one could be made just now.
fn scoped() -> Fate {
    match outlive::here() {
        Fate::Scope if outlive::scope_works() => Fate::Scope,
        Fate::Scope | Fate::Stays | Fate::Ends(_) => Fate::Stays,
    }
}

fn launch(binary: &Path, dir: &RunDir, lock: Stdio) -> Result<(), StartError> {
    let run = || {
        let path = std::path::absolute(dir.path())?;
        let log = files::private()
            .append(true)
            .create(true)
            .open(dir.runner_log())?;
        outlive::runner(binary, &path, &scoped())
            .current_dir("/")
            .stdin(lock)
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
    };
    match run() {
        Ok(mut runner) => {
            // Only so that it leaves no zombie while this cockpit lives; it does not need us.
            std::thread::spawn(move || {
                let _ = runner.wait();
            });
            Ok(())
        }
        Err(error) => Err(StartError::Runner {
            binary: binary.to_owned(),
            error,
        }),
    }
}
