//! What the system tells us.

use std::io;

use tokio::signal::unix::{self, SignalKind};

/// A signal, as far as it is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The terminal is gone: leave within a second, without a word. Carrying on is no choice: crossterm's reader thread
    /// spins at full load once the pty is gone.
    Hangup,
    /// Asked to leave.
    Leave,
    /// Asked to stop until continued.
    Stop,
    /// Continued.
    Continue,
    /// The terminal has another size.
    Resize,
}

/// Listens to HUP, TERM, INT, QUIT, TSTP, CONT and WINCH. The last one here as well as in crossterm, which listens from
/// the first key on only: a window that is dragged while the first frame is on its way would stay garbled.
#[derive(Debug)]
pub struct Signals {
    hangup: unix::Signal,
    terminate: unix::Signal,
    interrupt: unix::Signal,
    quit: unix::Signal,
    stop: unix::Signal,
    proceed: unix::Signal,
    resize: unix::Signal,
}

impl Signals {
    /// Starts to listen.
    ///
    /// # Errors
    /// If a handler cannot be installed.
    pub fn listen() -> io::Result<Self> {
        // 20 and 18 on every Linux architecture that Rust's tier 1 and 2 run on but MIPS, which has no EKS bastion.
        const TSTP: i32 = 20;
        const CONT: i32 = 18;
        Ok(Self {
            hangup: unix::signal(SignalKind::hangup())?,
            terminate: unix::signal(SignalKind::terminate())?,
            interrupt: unix::signal(SignalKind::interrupt())?,
            quit: unix::signal(SignalKind::quit())?,
            stop: unix::signal(SignalKind::from_raw(TSTP))?,
            proceed: unix::signal(SignalKind::from_raw(CONT))?,
            resize: unix::signal(SignalKind::window_change())?,
        })
    }

    /// The next signal while a command has the terminal: what its keys make is meant for the command, which shares our
    /// process group and is told as well.
    pub async fn next_away(&mut self) -> Signal {
        loop {
            tokio::select! {
                _ = self.hangup.recv() => return Signal::Hangup,
                _ = self.terminate.recv() => return Signal::Leave,
                _ = self.interrupt.recv() => {}
                _ = self.quit.recv() => {}
                _ = self.stop.recv() => return Signal::Stop,
                _ = self.proceed.recv() => {}
                _ = self.resize.recv() => {}
            }
        }
    }

    /// The next signal.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::Hangup,
            _ = self.terminate.recv() => Signal::Leave,
            _ = self.interrupt.recv() => Signal::Leave,
            _ = self.quit.recv() => Signal::Leave,
            _ = self.stop.recv() => Signal::Stop,
            _ = self.proceed.recv() => Signal::Continue,
            _ = self.resize.recv() => Signal::Resize,
        }
    }
}

/// Stops this process's group until it is continued, as the shell's job control expects. Runs are in sessions of their
/// own and go on. A session leader is not stopped: nobody could continue it.
pub fn stop_group() {
    let me = rustix::process::getpid();
    if rustix::process::getsid(None).is_ok_and(|leader| leader == me) {
        return;
    }
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::STOP);
}
