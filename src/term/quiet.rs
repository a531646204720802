//! Keeping the screen clean of what libraries, plugins and panics would print on it.

use std::{
    fs::File,
    io::{self, Write as _},
    os::{fd::OwnedFd, unix::fs::OpenOptionsExt as _},
    path::Path,
    sync::Mutex,
};

/// While it lives, standard error goes to a log file; dropping it gives standard error back.
#[derive(Debug)]
pub struct Quiet {
    before: OwnedFd,
}

/// Sends standard error to the end of a file: an exec credential plugin or a library that prints would smear the screen.
///
/// # Errors
/// If the file cannot be opened or the descriptor not be replaced.
pub fn hush(log: &Path) -> io::Result<Quiet> {
    let before = rustix::io::dup(io::stderr())?;
    rustix::io::fcntl_setfd(&before, rustix::io::FdFlags::CLOEXEC)?;
    let file = open(log)?;
    rustix::stdio::dup2_stderr(&file)?;
    Ok(Quiet { before })
}

/// For this user alone: what a credential plugin prints may hold a secret.
fn open(log: &Path) -> io::Result<File> {
    File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(log)
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = rustix::stdio::dup2_stderr(&self.before);
    }
}

/// Writes panics to a log and leaves the screen alone: ratatui's own hook would restore the terminal for a panic in any
/// task, while the cockpit goes on drawing. A panic of the loop itself unwinds through [`super::Tty`], which restores.
pub fn install_panic_hook(log: &Path) {
    let Ok(file) = open(log) else {
        return;
    };
    let file = Mutex::new(file);
    std::panic::set_hook(Box::new(move |info| {
        if let Ok(mut file) = file.lock() {
            let thread = std::thread::current();
            let name = thread.name().unwrap_or("unnamed").to_owned();
            let trace = std::backtrace::Backtrace::force_capture();
            let _ = writeln!(file, "panic in thread {name}: {info}\n{trace}");
        }
    }));
}
