//! The one process that a runner starts, or finds running.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::process::{CommandExt as _, ExitStatusExt as _},
    },
    path::Path,
    process::{Command, Stdio},
};

use rustix::{
    io::FdFlags,
    process::{Pid, PidfdFlags, Signal},
};

use super::Spec;

/// The child of a run, leader of its own process group.
#[derive(Debug)]
pub(super) struct Child {
    pid: Pid,
    ticks: u64,
    /// To be woken by its end; an old kernel has none, then the loop's tick finds out.
    pidfd: Option<OwnedFd>,
    /// `None` for one that another runner started.
    own: Option<std::process::Child>,
}

impl Child {
    /// Starts it: input empty, output into the FIFO, the run's lock kept over exec, a process group of its own.
    ///
    /// This is the side effect that the fencing token guards: the caller has compared it in the line before.
    pub(super) fn start(spec: &Spec, fifo: &File, lock: &File) -> io::Result<Self> {
        let Some((program, arguments)) = spec.argv.split_first() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no program"));
        };
        // std opens everything close-on-exec; this one file is to be inherited, and a runner starts nothing else.
        rustix::io::fcntl_setfd(lock, FdFlags::empty())?;
        let mut command = Command::new(program);
        // Variables by which Helm would go to another cluster or namespace than the one that was confirmed.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("HELM_KUBE") || text == "HELM_NAMESPACE" {
                command.env_remove(&name);
            }
        }
        let child = command
            .args(arguments)
            .envs(&spec.env)
            .current_dir(&spec.cwd)
            .stdin(Stdio::null())
            .stdout(fifo.try_clone()?)
            .stderr(fifo.try_clone()?)
            .process_group(0)
            .spawn()?;
        let pid = Pid::from_child(&child);
        Ok(Self {
            pid,
            ticks: process(pid.as_raw_nonzero().get().unsigned_abs()).map_or(0, |(_, ticks)| ticks),
            pidfd: rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok(),
            own: Some(child),
        })
    }

    /// Finds a child that another runner started; `None` if it is gone.
    pub(super) fn find(id: u32, ticks: u64) -> Option<Self> {
        let pid = Pid::from_raw(i32::try_from(id).ok()?)?;
        // First the handle, then the look: so that both are of the same process.
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok();
        runs(id, ticks).then_some(Self {
            pid,
            ticks,
            pidfd,
            own: None,
        })
    }

    /// Process id.
    pub(super) fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// When it began, in ticks since boot.
    pub(super) const fn ticks(&self) -> u64 {
        self.ticks
    }

    /// Readable when it has ended.
    pub(super) fn handle(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(|fd| fd.as_fd())
    }

    /// Whether it has ended. It stays a zombie, so that its group's number is nobody else's until [`Child::reap`].
    pub(super) fn has_ended(&self) -> bool {
        !runs(self.id(), self.ticks)
    }

    /// Sends a signal to its whole group.
    pub(super) fn signal(&self, signal: Signal) {
        // A group that is gone needs no signal.
        let _ = rustix::process::kill_process_group(self.pid, signal);
    }

    /// How it ended: exit code, and in words.
    pub(super) fn reap(&mut self) -> (Option<i32>, String) {
        let Some(own) = &mut self.own else {
            return (
                None,
                "ended; its exit code is unknown, because the runner that started it had been killed"
                    .to_owned(),
            );
        };
        match own.wait() {
            Ok(status) => {
                let how = match (status.code(), status.signal()) {
                    (Some(code), _) => format!("exit code {code}"),
                    (None, Some(signal)) => format!("killed by signal {signal}"),
                    (None, None) => status.to_string(),
                };
                (status.code(), how)
            }
            Err(error) => (None, format!("ended; its exit code is unknown: {error}")),
        }
    }
}

/// Whether the process of that id is the one that began then, and has not ended.
fn runs(id: u32, ticks: u64) -> bool {
    process(id).is_some_and(|(state, began)| began == ticks && !matches!(state, b'Z' | b'X'))
}

/// State and start of a process, from `/proc/ID/stat` (proc(5)): the third field and the 22nd.
fn process(id: u32) -> Option<(u8, u64)> {
    let stat = std::fs::read(Path::new("/proc").join(id.to_string()).join("stat")).ok()?;
    // The second field is the name in brackets and may hold anything.
    let after = memchr::memrchr(b')', &stat)? + 1;
    let fields = String::from_utf8_lossy(&stat[after..]);
    let mut fields = fields.split_ascii_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_known_by_its_start() {
        let id = std::process::id();
        let (state, ticks) = process(id).expect("this process");
        assert!(matches!(state, b'R' | b'S'));
        assert!(runs(id, ticks));
        assert!(!runs(id, ticks + 1), "another process of that id");
        assert!(Child::find(id, ticks + 1).is_none());
        assert_eq!(process(0), None);
    }
}
