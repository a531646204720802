//! Starting and stopping the practice process from another one: what `relight practice` does before its first frame.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    folder,
    lease::Lease,
    ready::{self, Ready},
    serve::PracticeError,
};

/// How long a practice may take to come up or to go.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked at meanwhile.
const GLANCE: Duration = Duration::from_millis(10);

/// The practice of a folder, started if none runs there: this program again, as a process of its own that outlives this
/// one. Blocks until it is ready.
///
/// # Errors
/// If one of another scenario runs there, or if it does not come up: with the last words of its log.
pub fn start(dir: &Path, scenario: &str) -> Result<Ready, PracticeError> {
    let program = std::env::current_exe().map_err(|error| {
        PracticeError::NotStarted(format!("where this program lies is unknown: {error}"))
    })?;
    start_by(&program, dir, scenario)
}

/// [`start`] with the program to run.
///
/// # Errors
/// As [`start`].
pub fn start_by(program: &Path, dir: &Path, scenario: &str) -> Result<Ready, PracticeError> {
    let not_written = |error| PracticeError::Write {
        path: dir.to_owned(),
        error,
    };
    folder::make(dir)?;
    Lease::of(dir).touch().map_err(not_written)?;
    if ready::alive(dir) {
        let ready = wait(dir, None)?;
        if ready.scenario != scenario {
            return Err(PracticeError::NotStarted(format!(
                "the one in {} is a {}, not a {scenario}. Stop it with `relight practice stop`, or name another \
                 folder with --dir",
                dir.display(),
                ready.scenario
            )));
        }
        return Ok(ready);
    }
    Ready::remove(dir);
    let log = File::create(dir.join("practice.log")).map_err(not_written)?;
    let also = log.try_clone().map_err(not_written)?;
    let mut child = Command::new(program)
        .args(["practice", "serve", "--scenario", scenario, "--dir"])
        .arg(dir)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(also)
        .spawn()
        .map_err(|error| {
            PracticeError::NotStarted(format!("cannot run {}: {error}", program.display()))
        })?;
    wait(dir, Some(&mut child))
}

/// Stops the practice of a folder and waits until it is gone. `false` if none runs there.
///
/// # Errors
/// If it does not go.
pub fn stop(dir: &Path) -> Result<bool, PracticeError> {
    let Some(ready) = Ready::read(dir) else {
        return Ok(false);
    };
    let pid = i32::try_from(ready.pid).ok().and_then(Pid::from_raw);
    let sent = pid.map(|pid| kill_process(pid, Signal::TERM));
    let until = Instant::now() + PATIENCE;
    while ready::alive(dir) {
        if Instant::now() >= until {
            return Err(PracticeError::NotStarted(format!(
                "process {} in {} did not end on SIGTERM ({sent:?}): end it by hand",
                ready.pid,
                dir.display()
            )));
        }
        thread::sleep(GLANCE);
    }
    Ok(true)
}

/// Lets the primary of a practice come back, whatever its scenario says. `false` if none runs in that folder.
///
/// # Errors
/// If the file by which it is told cannot be written.
pub fn heal(dir: &Path) -> Result<bool, PracticeError> {
    if !ready::alive(dir) {
        return Ok(false);
    }
    let path = folder::healed(dir);
    let written = File::create(&path);
    written.map_err(|error| PracticeError::Write { path, error })?;
    Ok(true)
}

fn wait(dir: &Path, mut child: Option<&mut Child>) -> Result<Ready, PracticeError> {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(ready) = Ready::read(dir) {
            return Ok(ready);
        }
        if let Some(Ok(Some(status))) = child.as_mut().map(|child| child.try_wait()) {
            return Err(PracticeError::NotStarted(format!(
                "it ended with {status}: {}",
                last_words(dir)
            )));
        }
        if Instant::now() >= until {
            return Err(PracticeError::NotStarted(format!(
                "it was not ready within {}s. See {}: {}",
                PATIENCE.as_secs(),
                dir.join("practice.log").display(),
                last_words(dir)
            )));
        }
        thread::sleep(GLANCE);
    }
}

/// The end of the log, in one line.
fn last_words(dir: &Path) -> String {
    let mut text = Vec::new();
    if let Ok(mut log) = File::open(dir.join("practice.log")) {
        let length = log.metadata().map_or(0, |meta| meta.len());
        let seek = log.seek(SeekFrom::Start(length.saturating_sub(600)));
        if seek.is_ok() {
            let _ = log.take(600).read_to_end(&mut text);
        }
    }
    let text = String::from_utf8_lossy(&text);
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() {
        "it left no word".to_owned()
    } else {
        words
            .join(" ")
            .chars()
            .filter(|c| !c.is_control())
            .collect()
    }
}
