//! A program in a pseudo-terminal, and when it wrote what.

use std::{
    error::Error,
    ffi::OsString,
    io::{Read as _, Write},
    path::Path,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// Columns and rows.
pub type Size = (u16, u16);

/// What came out of the terminal in one read.
struct Chunk {
    at: Instant,
    bytes: Vec<u8>,
}

/// What was written between two moments.
#[derive(Debug, Default)]
pub struct Burst {
    /// From the beginning to the first byte.
    pub first: Option<Duration>,
    /// From the beginning to the last byte.
    pub last: Option<Duration>,
    /// Everything.
    pub bytes: Vec<u8>,
}

/// A program in a terminal; killed when dropped.
pub struct Terminal {
    /// Its process.
    pub pid: u32,
    /// Right before it was started.
    pub began: Instant,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    chunks: Receiver<Chunk>,
    /// Held open: closing it hangs up.
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    /// Starts a program in a terminal of this size, in a bare environment.
    ///
    /// # Errors
    /// If there is no pseudo-terminal or no such program.
    pub fn start(argv: &[OsString], size: Size, home: &Path) -> Result<Self, Box<dyn Error>> {
        let size = PtySize {
            rows: size.1,
            cols: size.0,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size)?;
        let mut command = CommandBuilder::from_argv(argv.to_vec());
        command.env_clear();
        for (name, value) in [
            ("TERM", "xterm-256color"),
            ("LANG", "C.UTF-8"),
            ("PATH", "/usr/bin:/bin"),
            ("USER", "alice"),
        ] {
            command.env(name, value);
        }
        command.env("HOME", home);
        command.cwd(home);
        let mut reader = pair.master.try_clone_reader()?;
        let keys = pair.master.take_writer()?;
        let (tell, chunks) = channel();
        thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            while let Ok(count) = reader.read(&mut buffer) {
                let chunk = Chunk {
                    at: Instant::now(),
                    bytes: buffer[..count].to_vec(),
                };
                if count == 0 || tell.send(chunk).is_err() {
                    return;
                }
            }
        });
        let began = Instant::now();
        let child = pair.slave.spawn_command(command)?;
        let pid = child.process_id().ok_or("it ended at once")?;
        Ok(Self {
            pid,
            began,
            child,
            keys,
            chunks,
            _master: pair.master,
        })
    }

    /// Types, and says when.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn key(&mut self, key: &str) -> Result<Instant, Box<dyn Error>> {
        let now = Instant::now();
        self.keys.write_all(key.as_bytes())?;
        self.keys.flush()?;
        Ok(now)
    }

    /// Everything that is written from `from` on, until nothing comes for `quiet` after the first byte, or for `limit`
    /// in all.
    pub fn burst(&self, from: Instant, quiet: Duration, limit: Duration) -> Burst {
        self.gather(from, quiet, limit, |_| false)
    }

    /// As [`Self::burst`], until `done` says of all bytes so far that they are enough.
    pub fn gather(
        &self,
        from: Instant,
        quiet: Duration,
        limit: Duration,
        done: impl Fn(&[u8]) -> bool,
    ) -> Burst {
        let mut burst = Burst::default();
        loop {
            let left = limit.saturating_sub(from.elapsed());
            let patience = if burst.first.is_some() {
                quiet.min(left)
            } else {
                left
            };
            match self.chunks.recv_timeout(patience) {
                Ok(chunk) => {
                    let at = chunk.at.saturating_duration_since(from);
                    burst.first.get_or_insert(at);
                    burst.last = Some(at);
                    burst.bytes.extend_from_slice(&chunk.bytes);
                    if done(&burst.bytes) {
                        return burst;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return burst,
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Not `Child::kill`, which hangs up first and waits: these programs are to have no time to say anything.
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
        let _ = self.child.wait();
    }
}
