//! The binary in a real pseudo-terminal, its screen kept by a terminal emulator.

use std::{
    io::{Read, Write},
    num::NonZero,
    path::Path,
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use portable_pty::{
    ChildKiller, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system,
};

/// How long anything may take before the test gives up: a limit for a hang, not an expectation.
const PATIENCE: Duration = Duration::from_secs(90);

struct Shared {
    screen: Mutex<Screen>,
    changed: Condvar,
}

struct Screen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    /// How the program ended, once it has.
    ended: Option<ExitStatus>,
    /// Whether everything that it wrote has been read.
    drained: bool,
    /// Whether nothing is read any more, as by a terminal on a link that hangs.
    deaf: bool,
}

/// A program in a terminal.
pub struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Box<dyn Write + Send>,
    pid: i32,
    killer: Box<dyn ChildKiller + Send + Sync>,
    shared: Arc<Shared>,
}

impl Terminal {
    /// Starts the binary in a terminal of this size, with these variables on top of a bare environment.
    pub fn start(args: &[&str], size: (u16, u16), vars: &[(&str, &str)], cwd: &Path) -> Self {
        Self::run(env!("CARGO_BIN_EXE_relight"), args, size, vars, cwd)
    }

    /// Starts any program so.
    pub fn run(
        program: &str,
        args: &[&str],
        size: (u16, u16),
        vars: &[(&str, &str)],
        cwd: &Path,
    ) -> Self {
        let (columns, rows) = size;
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        // A terminal that does not say its size still has one: what is kept of it is 80 by 24.
        let (columns, rows) = if columns == 0 {
            (80, 24)
        } else {
            (columns, rows)
        };
        let pair = native_pty_system()
            .openpty(size)
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        for (name, value) in [
            ("TERM", "xterm-256color"),
            ("LANG", "C.UTF-8"),
            ("PATH", "/usr/bin:/bin"),
            ("USER", "alice"),
        ] {
            command.env(name, value);
        }
        command.env("HOME", cwd);
        for (name, value) in vars {
            command.env(name, value);
        }
        command.cwd(cwd);
        let mut child = pair.slave.spawn_command(command).expect("the binary");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let keys = pair.master.take_writer().expect("a writer");
        let parser = vt100::Parser::new(cells(rows), cells(columns), 0);
        let screen = Screen {
            parser,
            bytes: Vec::new(),
            ended: None,
            drained: false,
            deaf: false,
        };
        let shared = Arc::new(Shared {
            screen: Mutex::new(screen),
            changed: Condvar::new(),
        });
        let theirs = Arc::clone(&shared);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            loop {
                let read = reader.read(&mut buffer);
                let mut screen = theirs.screen.lock().expect("no poison");
                match read {
                    Ok(0) | Err(_) => {
                        screen.drained = true;
                        theirs.changed.notify_all();
                        return;
                    }
                    Ok(count) => {
                        screen.parser.process(&buffer[..count]);
                        screen.bytes.extend_from_slice(&buffer[..count]);
                    }
                }
                theirs.changed.notify_all();
                while screen.deaf {
                    screen = theirs.changed.wait(screen).expect("no poison");
                }
            }
        });
        let pid = child.process_id().expect("a process");
        let pid = i32::try_from(pid).expect("a process id");
        let killer = child.clone_killer();
        // Waited for on a thread of its own, so that a test that waits for the end can give up.
        let theirs = Arc::clone(&shared);
        std::thread::spawn(move || {
            let status = child.wait().expect("an end");
            theirs.screen.lock().expect("no poison").ended = Some(status);
            theirs.changed.notify_all();
        });
        Self {
            master: Some(pair.master),
            keys,
            pid,
            killer,
            shared,
        }
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("keys");
        self.keys.flush().expect("keys");
    }

    /// Types, if the program is still there to be typed to.
    pub fn try_keys(&mut self, keys: &str) -> bool {
        let typed = self.keys.write_all(keys.as_bytes());
        !self.has_ended() && typed.and_then(|()| self.keys.flush()).is_ok()
    }

    /// The program's process id.
    pub const fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether the program has ended.
    pub fn has_ended(&self) -> bool {
        self.shared
            .screen
            .lock()
            .expect("no poison")
            .ended
            .is_some()
    }

    /// Whether the screen comes to be as wanted within a time; false at once if the program ends before.
    pub fn comes_to(&self, limit: Duration, wanted: impl Fn(&str) -> bool) -> bool {
        let until = Instant::now() + limit;
        let mut screen = self.shared.screen.lock().expect("no poison");
        loop {
            if wanted(&screen.parser.screen().contents()) {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || screen.ended.is_some() {
                return false;
            }
            let woken = self.shared.changed.wait_timeout(screen, left);
            screen = woken.expect("no poison").0;
        }
    }

    /// Reads the screen.
    pub fn screen<T>(&self, read: impl FnOnce(&vt100::Screen) -> T) -> T {
        read(
            self.shared
                .screen
                .lock()
                .expect("no poison")
                .parser
                .screen(),
        )
    }

    /// The screen as text.
    pub fn text(&self) -> String {
        self.shared
            .screen
            .lock()
            .expect("no poison")
            .parser
            .screen()
            .contents()
    }

    /// Everything that was ever written to the terminal.
    pub fn bytes(&self) -> Vec<u8> {
        self.shared.screen.lock().expect("no poison").bytes.clone()
    }

    /// Whether the alternate screen is on.
    pub fn is_full_screen(&self) -> bool {
        self.shared
            .screen
            .lock()
            .expect("no poison")
            .parser
            .screen()
            .alternate_screen()
    }

    /// Waits until the screen is as wanted.
    pub fn wait(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        self.until(what, |screen| {
            let text = screen.parser.screen().contents();
            if wanted(&text) {
                return Some(());
            }
            assert!(
                screen.ended.is_none() || !screen.drained,
                "the program ended while waiting for {what}:\n{text}"
            );
            None
        });
    }

    fn until<T>(&self, what: &str, mut found: impl FnMut(&Screen) -> Option<T>) -> T {
        let begin = Instant::now();
        let mut screen = self.shared.screen.lock().expect("no poison");
        loop {
            if let Some(found) = found(&screen) {
                return found;
            }
            let left = PATIENCE.checked_sub(begin.elapsed());
            let left = left.unwrap_or_else(|| {
                let text = screen.parser.screen().contents();
                unreachable!("waited in vain for {what}:\n{text}")
            });
            screen = self
                .shared
                .changed
                .wait_timeout(screen, left)
                .expect("no poison")
                .0;
        }
    }

    /// Waits until the screen holds a text.
    pub fn wait_for(&self, text: &str) {
        self.wait(text, |screen| screen.contains(text));
    }

    /// Gives the terminal another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        self.shared
            .screen
            .lock()
            .expect("no poison")
            .parser
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        self.master
            .as_ref()
            .expect("a terminal")
            .resize(size)
            .expect("another size");
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.pid).expect("a process id");
        rustix::process::kill_process(pid, signal).expect("a signal");
    }

    /// Reads nothing any more of what the program writes, but for what is on its way.
    pub fn stop_reading(&self) {
        self.shared.screen.lock().expect("no poison").deaf = true;
    }

    /// Cuts the link: the terminal is gone for the program.
    pub fn hang_up(&mut self) {
        self.signal(rustix::process::Signal::HUP);
        self.master = None;
    }

    /// Waits until the program has ended.
    pub fn end(&mut self) -> ExitStatus {
        self.until("the end of the program", |screen| screen.ended.clone())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.killer.kill();
    }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal of some size")
}
