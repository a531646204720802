//! `relight runner RUNDIR`: the process that outlives the terminal.
//!
//! It leaves the terminal's session, looks at what the run's records say, and does the one thing that is left to do:
//! start the child and see it through, or see through one that another runner started, or nothing. It never starts a
//! child twice: `starting` is on disk before the child is.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read as _, Write as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec},
    fs::{Mode, OFlags},
    process::Signal,
};

use super::{
    Fence, RunDir, Spec,
    child::Child,
    event::{EventLog, RunFact, RunRecord},
    pipe::Pipe,
    redact::Redactor,
    store::Store,
};
use crate::{
    clients::aws::coordination::Shared,
    incident::{Moment, brief},
    journal::Folder,
    step::expand::shown,
};

/// One read; also the size asked for the FIFO.
const CHUNK: usize = 1024 * 1024;
/// How often timers and the cancel file are looked at.
const TICK: Duration = Duration::from_millis(200);
/// A spec that waited longer than this for its runner is not started any more.
const FRESH: Duration = Duration::from_mins(2);
/// How long output of grandchildren is still taken after the child's end.
const LINGER: Duration = Duration::from_millis(500);

/// Runs the runner of a run's folder; the exit code. What it has to say goes to standard error, which is
/// `runner.log`.
#[must_use]
pub fn main(path: &Path) -> i32 {
    let dir = RunDir::at(path);
    match leave_the_terminal().and_then(|stop| run(&dir, &stop)) {
        Ok(()) => 0,
        Err(error) => {
            let _ = writeln!(
                io::stderr(),
                "{} relight runner: {}: {error}",
                Moment::now(),
                dir.path().display()
            );
            1
        }
    }
}

/// A session of its own, files for nobody else, and signals as flags: TERM and INT end the child first, HUP and QUIT
/// are passed over.
fn leave_the_terminal() -> io::Result<Arc<AtomicBool>> {
    rustix::process::umask(Mode::from_raw_mode(0o077));
    // It fails for a group's leader: a shell that started this by hand has given it a group already.
    if let Err(error) = rustix::process::setsid() {
        let _ = writeln!(
            io::stderr(),
            "{} relight runner: stays in its session: {error}",
            Moment::now()
        );
    }
    let stop = Arc::new(AtomicBool::new(false));
    let ignored = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    for signal in [signal_hook::consts::SIGHUP, signal_hook::consts::SIGQUIT] {
        signal_hook::flag::register(signal, Arc::clone(&ignored))?;
    }
    Ok(stop)
}

fn run(dir: &RunDir, stop: &Arc<AtomicBool>) -> io::Result<()> {
    // Held to the end of the process.
    let Some(_only) = dir.be_the_runner()? else {
        return Ok(());
    };
    let spec = Spec::load(dir)?;
    let (events, before) = EventLog::open(dir)?;
    let mut runner = Runner {
        dir,
        spec: &spec,
        events,
        unsaid: VecDeque::new(),
        store: Store::open(dir)?,
        pipe: Pipe::new(Redactor::of_environment_and(&spec.env)),
        fifo: open_fifo(dir, OFlags::NONBLOCK)?,
        buffer: vec![0; CHUNK],
        out: Vec::with_capacity(CHUNK),
        stop,
        stopping: None,
        before: Moment::now().since(spec.at),
        began: Instant::now(),
    };
    match begun(&before) {
        Begun::No => {
            let lock = dir.hold()?;
            runner.begin(&lock)
        }
        Begun::Starting => runner.blind(),
        Begun::Started { child, ticks } => {
            let _lock = dir.hold()?;
            runner.adopt(child, ticks)
        }
        Begun::Ended => Ok(()),
    }
}

/// How far a run has come, by its records.
#[derive(Debug, PartialEq, Eq)]
enum Begun {
    No,
    Starting,
    Started { child: u32, ticks: u64 },
    Ended,
}

fn begun(records: &[RunRecord]) -> Begun {
    records
        .iter()
        .fold(Begun::No, |begun, record| match (&record.what, begun) {
            (_, Begun::Ended) => Begun::Ended,
            (end, _) if end.is_end() => Begun::Ended,
            (RunFact::Started { child, ticks, .. }, _) => Begun::Started {
                child: *child,
                ticks: *ticks,
            },
            (RunFact::Starting { .. }, Begun::No) => Begun::Starting,
            (_, begun) => begun,
        })
}

/// Opened for reading and writing, so that neither end ever sees the other one go.
fn open_fifo(dir: &RunDir, flags: OFlags) -> io::Result<File> {
    let path = dir.fifo();
    match rustix::fs::mkfifoat(rustix::fs::CWD, &path, Mode::from_raw_mode(0o600)) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | flags;
    let file = File::from(rustix::fs::open(&path, flags, Mode::empty())?);
    // A wish: unprivileged users may be held to less.
    let _ = rustix::pipe::fcntl_setpipe_size(&file, CHUNK);
    Ok(file)
}

/// Why the child is being ended, and how far that is.
#[derive(Debug)]
struct Stopping {
    why: String,
    since: Instant,
    killed: bool,
}

struct Runner<'a> {
    dir: &'a RunDir,
    spec: &'a Spec,
    events: EventLog,
    /// Records that the disk did not take yet.
    unsaid: VecDeque<RunFact>,
    store: Store,
    pipe: Pipe,
    fifo: File,
    buffer: Vec<u8>,
    out: Vec<u8>,
    stop: &'a AtomicBool,
    stopping: Option<Stopping>,
    /// Age of the run when this runner came; from then on a clock counts that nobody sets.
    before: Duration,
    began: Instant,
}

impl Runner<'_> {
    /// Starts the child, if it may be started, and sees it through.
    fn begin(&mut self, lock: &File) -> io::Result<()> {
        if let Some(why) = self.why_not() {
            return self.end(None, format!("could not start: {why}"));
        }
        let runner = std::process::id();
        self.events.put(RunFact::Starting { runner })?;
        if self.spec.print_only {
            return self.print(runner);
        }
        let writer = open_fifo(self.dir, OFlags::empty())?;
        // Looked at last: between this line and the next nothing waits. A take-over changes the token first and then
        // waits for this run's lock, which is held here.
        if let Err(lost) = self.fence().and_then(|fence| fence.may_start()) {
            return self.end(None, format!("could not start: {lost}"));
        }
        match Child::start(self.spec, &writer, lock) {
            Ok(child) => {
                drop(writer);
                self.say(RunFact::Started {
                    runner,
                    child: child.id(),
                    ticks: child.ticks(),
                });
                self.see_through(child)
            }
            Err(error) => {
                let program = self.spec.argv.first().map_or("", String::as_str);
                self.end(None, format!("could not start {program}: {error}"))
            }
        }
    }

    fn fence(&self) -> Result<Fence, String> {
        let spec = self.spec;
        let shared = match &spec.shared {
            None => None,
            Some(path) => {
                let plan = crate::plan::load(path).map_err(|error| error.to_string())?;
                if plan.digest != spec.digest {
                    return Err(format!(
                        "{} was changed since it was confirmed",
                        path.display()
                    ));
                }
                Shared::of(&plan)
            }
        };
        Ok(Fence::new(Folder::at(&spec.incident), spec.token, shared))
    }

    fn why_not(&self) -> Option<String> {
        let age = Moment::now().since(self.spec.at);
        if age > FRESH {
            return Some(format!(
                "its runner came {} after it was confirmed; confirm it again",
                brief(age)
            ));
        }
        (self.wanted_end().is_some()).then(|| "it was cancelled before".to_owned())
    }

    /// A dry run of a foreign program.
    fn print(&mut self, runner: u32) -> io::Result<()> {
        self.say(RunFact::Started {
            runner,
            child: 0,
            ticks: 0,
        });
        let text = format!(
            "dry run: nothing is started, nothing is changed; this would be run in {}:\n{}\n",
            self.spec.cwd.display(),
            shown(&self.spec.argv)
        );
        self.keep(text.as_bytes());
        self.end(
            Some(0),
            "exit code 0 (dry run: nothing was started)".to_owned(),
        )
    }

    /// Goes on where a killed runner ended.
    fn adopt(&mut self, id: u32, ticks: u64) -> io::Result<()> {
        let Some(child) = Child::find(id, ticks) else {
            self.drain();
            self.flush();
            let why = "its runner was killed, and the child had ended before another runner came";
            self.say(RunFact::Lost {
                why: why.to_owned(),
            });
            return self.say_all();
        };
        let note = "the runner was killed and replaced; at most 1 MiB of output is missing here";
        self.say(RunFact::Adopted {
            runner: std::process::id(),
            note: note.to_owned(),
        });
        self.store
            .write(format!("[relight: {note}]\n").as_bytes(), Moment::now());
        self.see_through(child)
    }

    /// The runner was killed around the start itself: whether there is a child, only the run's lock tells.
    fn blind(&mut self) -> io::Result<()> {
        while self.dir.is_live()? {
            self.drain();
            std::thread::sleep(TICK);
        }
        self.drain();
        self.flush();
        self.say(RunFact::Lost {
            why: "its runner was killed in the moment of the start".to_owned(),
        });
        self.say_all()
    }

    /// Takes output until the child has ended, ends it when asked to, and writes down how it ended.
    fn see_through(&mut self, mut child: Child) -> io::Result<()> {
        while !child.has_ended() {
            self.wait(&child);
            self.drain();
            self.say_some();
            self.end_if_wanted(&child);
        }
        if self.stopping.is_some() {
            // Whoever of its group did not follow it. Before it is reaped: the number is still the group's.
            child.signal(Signal::KILL);
        }
        let (code, how) = child.reap();
        let until = Instant::now() + LINGER;
        while self.drain() && Instant::now() < until {}
        self.flush();
        let how = match &self.stopping {
            Some(stopping) => format!("{}: {how}", stopping.why),
            None => how,
        };
        self.end(code, how)
    }

    /// Sleeps until there is output, the child ends, or it is time to look at the timers.
    fn wait(&self, child: &Child) {
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: TICK.subsec_nanos().into(),
        };
        let mut watched = vec![PollFd::new(&self.fifo, PollFlags::IN)];
        if let Some(handle) = child.handle() {
            watched.push(PollFd::from_borrowed_fd(handle, PollFlags::IN));
        }
        // Interrupted by a signal: the loop looks at its flag.
        let _ = rustix::event::poll(&mut watched, Some(&timeout));
    }

    /// Takes what is in the FIFO, at most some reads at a time; whether there may be more.
    fn drain(&mut self) -> bool {
        for _ in 0..8 {
            match (&self.fifo).read(&mut self.buffer) {
                Ok(0) => return false,
                Ok(read) => {
                    let buffer = std::mem::take(&mut self.buffer);
                    self.pipe.feed(&buffer[..read], &mut self.out);
                    self.buffer = buffer;
                    self.put_out();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }

    /// Output of the runner's own, through the same pipe.
    fn keep(&mut self, bytes: &[u8]) {
        self.pipe.feed(bytes, &mut self.out);
        self.put_out();
    }

    fn put_out(&mut self) {
        self.store.write(&self.out, Moment::now());
        self.out.clear();
    }

    /// The end of the output.
    fn flush(&mut self) {
        self.pipe.finish(&mut self.out);
        self.put_out();
        self.store.sync();
    }

    /// Whether somebody wants the run to end, how hard, and why.
    fn wanted_end(&self) -> Option<(bool, String)> {
        if let Ok(text) = crate::journal::files::read_capped(&self.dir.cancel(), 64) {
            return Some((text.starts_with(b"kill"), "cancelled".to_owned()));
        }
        if self.stop.load(Ordering::Relaxed) {
            return Some((false, "cancelled, as its runner was told to end".to_owned()));
        }
        (self.before + self.began.elapsed() >= self.spec.timeout).then(|| {
            (
                false,
                format!("timed out after {}", brief(self.spec.timeout)),
            )
        })
    }

    /// TERM first, KILL after the grace or when asked for.
    fn end_if_wanted(&mut self, child: &Child) {
        let wanted = self.wanted_end();
        let hard = wanted.as_ref().is_some_and(|(hard, _)| *hard);
        if self.stopping.is_none()
            && let Some((_, why)) = wanted
        {
            self.signal(child, "TERM", &why);
            self.stopping = Some(Stopping {
                why,
                since: Instant::now(),
                killed: false,
            });
        }
        if let Some(stopping) = &mut self.stopping
            && !stopping.killed
            && (hard || stopping.since.elapsed() >= self.spec.grace)
        {
            stopping.killed = true;
            let why = stopping.why.clone();
            self.signal(child, "KILL", &why);
        }
    }

    fn signal(&mut self, child: &Child, signal: &str, why: &str) {
        self.say(RunFact::Stopping {
            signal: signal.to_owned(),
            why: why.to_owned(),
        });
        if signal == "KILL" {
            child.signal(Signal::KILL);
        } else {
            child.signal(Signal::TERM);
            // A stopped process takes TERM only when it goes on.
            child.signal(Signal::CONT);
        }
    }

    fn say(&mut self, fact: RunFact) {
        self.unsaid.push_back(fact);
        self.say_some();
    }

    /// Writes what is to be written, as far as the disk takes it.
    fn say_some(&mut self) {
        if let Some((bytes, error)) = self.store.take_lost() {
            // Many lost chunks in a row are one record.
            match self.unsaid.back_mut() {
                Some(RunFact::OutputLost { bytes: before, .. }) => *before += bytes,
                _ => self.unsaid.push_back(RunFact::OutputLost {
                    bytes,
                    why: error.to_string(),
                }),
            }
        }
        while let Some(fact) = self.unsaid.front() {
            if self.events.put(fact.clone()).is_err() {
                return;
            }
            self.unsaid.pop_front();
        }
    }

    /// Waits until the disk has taken everything: without its last record a run counts as lost.
    fn say_all(&mut self) -> io::Result<()> {
        loop {
            self.say_some();
            if self.unsaid.is_empty() {
                return Ok(());
            }
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::Error::other(format!(
                    "told to end with {} records that the disk did not take",
                    self.unsaid.len()
                )));
            }
            std::thread::sleep(TICK);
        }
    }

    fn end(&mut self, code: Option<i32>, how: String) -> io::Result<()> {
        self.say(RunFact::Exited {
            code,
            how,
            lines: self.store.lines(),
            bytes: self.store.length(),
            redactions: self.pipe.redactions(),
        });
        self.say_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(seq: u64, what: RunFact) -> RunRecord {
        RunRecord {
            seq,
            at: Moment::from_secs(1),
            what,
        }
    }

    #[test]
    fn what_is_left_to_do_follows_from_the_records() {
        let starting = record(1, RunFact::Starting { runner: 1 });
        let started = record(
            2,
            RunFact::Started {
                runner: 1,
                child: 7,
                ticks: 9,
            },
        );
        let adopted = record(
            3,
            RunFact::Adopted {
                runner: 2,
                note: String::new(),
            },
        );
        let why = String::new();
        let lost = record(4, RunFact::Lost { why });
        let all = [starting, started, adopted, lost];
        let child = Begun::Started { child: 7, ticks: 9 };
        assert_eq!(begun(&all[..0]), Begun::No);
        assert_eq!(begun(&all[..1]), Begun::Starting);
        assert_eq!(begun(&all[..2]), child);
        assert_eq!(begun(&all[..3]), child);
        assert_eq!(begun(&all), Begun::Ended);
    }
}
