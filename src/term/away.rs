//! A command that has the terminal for a while.

use std::{
    io,
    process::{ExitStatus, Stdio},
};

use tokio::process::{Child, Command};

/// Starts a command in the foreground, with the terminal as its three standard files. It stays in our process group, which
/// has the terminal: keys that make signals reach it as well as us, and we do not heed them meanwhile. Our own standard
/// error may lie in a log by now, so that it is given standard output twice.
///
/// # Errors
/// If it cannot be started.
pub fn lend(argv: &[String]) -> io::Result<Child> {
    let (program, rest) = argv
        .split_first()
        .ok_or_else(|| io::Error::other("no command is named"))?;
    let out = rustix::io::dup(io::stdout())?;
    Command::new(program)
        .args(rest)
        .stdin(Stdio::inherit())
        .stdout(Stdio::inherit())
        .stderr(Stdio::from(out))
        .kill_on_drop(true)
        .spawn()
}

/// How a command ended, in words.
#[must_use]
pub fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;

    match (status.code(), status.signal()) {
        (Some(0), _) => "done".to_owned(),
        (Some(code), _) => format!("ended with {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}
