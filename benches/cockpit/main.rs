//! The cockpit's budgets on the terminal (design.md, section 7): first frame, bytes, keys, idling.
//!
//! ```text
//! cargo bench --bench cockpit
//! ```
//!
//! Starts the real binary in a pseudo-terminal on the plan of a practice region that is up already, and beside it, in
//! turn, the least that the same libraries can do (`anchor.rs`), since only a ratio holds on a machine that others use
//! too. Prints one line a measure. Nothing is asserted: a noisy machine is no regression.
#![expect(clippy::print_stdout, reason = "a benchmark tells its numbers")]

mod anchor;
mod process;
mod sample;
mod terminal;

use std::{
    error::Error,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use self::{
    process::Cost,
    sample::{Sample, line},
    terminal::{Size, Terminal},
};

const BINARY: &str = env!("CARGO_BIN_EXE_relight");
/// A wide screen, and the one at which the right column is one pane at a time.
const SIZES: [Size; 2] = [(200, 50), (80, 24)];
/// Starts of each program.
const STARTS: usize = 15;
/// Keys pressed.
const KEYS: usize = 60;
/// How long a screen is watched on which nobody types.
const IDLE: Duration = Duration::from_secs(20);
/// How long the panes may take to fill.
const SETTLE: Duration = Duration::from_secs(4);
/// A frame has ended when nothing comes for so long. Frames that no key caused are 100 ms apart at least.
const QUIET: Duration = Duration::from_millis(40);
/// What a terminal is asked with. Each question is a round trip before the first frame.
const QUESTIONS: [&[u8]; 4] = [b"\x1b[6n", b"\x1b[c", b"\x1b[?u", b"\x1b]11;?"];
/// What a frame begins with.
const FRAME: &[u8] = b"\x1b[?2026h";

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    if let Some(done) = args.next().and_then(|name| anchor::run(&name)) {
        return Ok(done?);
    }
    let bench = Bench::prepare()?;
    println!("{}", line("what", "relight", "beside it", "budget"));
    for size in SIZES {
        bench.start(size)?;
    }
    bench.attach()?;
    for size in SIZES {
        bench.keys(size)?;
    }
    for size in SIZES {
        bench.idle(size)?;
    }
    Ok(())
}

/// A practice region that is up; stopped when dropped.
struct Bench {
    dir: tempfile::TempDir,
    plan: PathBuf,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = relight::practice::stop(self.dir.path());
    }
}

impl Bench {
    fn prepare() -> Result<Self, Box<dyn Error>> {
        let dir = tempfile::tempdir()?;
        let ready = relight::practice::start_by(Path::new(BINARY), dir.path(), "half-alive")?;
        // A practice sweeps DNS every two seconds, a plan that says nothing every ten: that is what is measured.
        let plan: String = fs::read_to_string(&ready.plan)?
            .split_inclusive('\n')
            .filter(|line| !line.starts_with("interval = "))
            .collect();
        let path = dir.path().join("bench.toml");
        fs::write(&path, plan)?;
        Ok(Self { dir, plan: path })
    }

    /// The cockpit, on an incident of its own each time.
    fn cockpit(&self, size: Size) -> Result<Terminal, Box<dyn Error>> {
        let state = tempfile::Builder::new()
            .prefix("incidents-")
            .tempdir_in(self.dir.path())?
            .keep();
        self.cockpit_in(&state, size)
    }

    fn cockpit_in(&self, state: &Path, size: Size) -> Result<Terminal, Box<dyn Error>> {
        let argv = [
            BINARY.into(),
            "--plan".into(),
            self.plan.clone().into(),
            "--state-dir".into(),
            state.into(),
        ];
        Terminal::start(&argv, size, self.dir.path())
    }

    fn anchor(&self, name: &str, size: Size) -> Result<Terminal, Box<dyn Error>> {
        let argv: [OsString; 2] = [std::env::current_exe()?.into(), name.into()];
        Terminal::start(&argv, size, self.dir.path())
    }

    /// From exec to the first byte, to the whole first frame, and to pods in it.
    fn start(&self, size: Size) -> Result<(), Box<dyn Error>> {
        let (mut byte, mut frame, mut hello) =
            (Sample::default(), Sample::default(), Sample::default());
        let (mut bytes, mut pods, mut asked) = (Sample::default(), Sample::default(), 0);
        // The first of each warms the page cache and is not counted.
        for round in 0..=STARTS {
            let limit = Duration::from_secs(3);
            let cockpit = self.cockpit(size)?;
            let ours = cockpit.burst(cockpit.began, QUIET, limit);
            let facts = cockpit.gather(cockpit.began, limit, limit, |seen| has(seen, b"auth-"));
            drop(cockpit);
            let beside = self.anchor("hello", size)?;
            let theirs = beside.burst(beside.began, QUIET, limit);
            if round == 0 {
                continue;
            }
            byte.0.push(ms(ours.first));
            frame.0.push(ms(ours.last));
            hello.0.push(ms(theirs.last));
            bytes.0.push(count(ours.bytes.len()));
            if has(&facts.bytes, b"auth-") {
                pods.0.push(ms(facts.last));
            }
            let questions = QUESTIONS.iter().filter(|ask| has(&ours.bytes, ask));
            asked += questions.count();
        }
        let at = label(size);
        let show = |what: &str, value: String, beside: String, budget: &str| {
            println!("{}", line(&format!("{at} {what}"), &value, &beside, budget));
        };
        show("exec to first byte, ms", byte.text(), String::new(), "");
        let ratio = format!("hello {}, ratio {}", hello.text(), frame.by(&hello).text());
        show(
            "exec to first frame, ms",
            frame.text(),
            ratio,
            "ratio <= 1.5",
        );
        show("bytes of the first frame", bytes.text(), String::new(), "");
        let all = format!("{} of {STARTS} starts", pods.0.len());
        show("exec to pods in it, ms", pods.text(), all, "");
        let none = "0".to_owned();
        show("terminal queries", asked.to_string(), none, "0");
        Ok(())
    }

    /// From exec, after a `kill -9`, to what the cockpit before has done.
    fn attach(&self) -> Result<(), Box<dyn Error>> {
        let (size, patience) = (SIZES[0], Duration::from_mins(1));
        let state = tempfile::tempdir_in(self.dir.path())?;
        let mut first = self.cockpit_in(state.path(), size)?;
        first.gather(first.began, patience, patience, |seen| has(seen, b"ready"));
        let at = first.key("1")?;
        first.gather(at, patience, patience, |seen| has(seen, b"PASS"));
        drop(first);
        let mut took = Sample::default();
        for _ in 0..STARTS {
            let next = self.cockpit_in(state.path(), size)?;
            let seen = next.gather(next.began, patience, patience, |seen| has(seen, b"PASS"));
            took.0.push(ms(seen.last));
        }
        let what = format!("{} killed, attached to the same screen, ms", label(size));
        println!("{}", line(&what, &took.text(), "", "<= 300"));
        Ok(())
    }

    /// From a key to the last byte that it caused.
    fn keys(&self, size: Size) -> Result<(), Box<dyn Error>> {
        let mut cockpit = self.cockpit(size)?;
        cockpit.burst(cockpit.began, SETTLE, SETTLE);
        let mut clock = self.anchor("clock", size)?;
        clock.burst(clock.began, SETTLE, Duration::from_secs(1));
        for (what, pair) in [("arrows", ["\x1b[B", "\x1b[A"]), ("help", ["?", "\x1b"])] {
            let (mut ours, mut theirs, mut bytes) =
                (Sample::default(), Sample::default(), Sample::default());
            for number in 0..KEYS {
                let key = pair[number % 2];
                let burst = press(&mut cockpit, key)?;
                ours.0.push(ms(burst.last));
                bytes.0.push(count(burst.bytes.len()));
                theirs.0.push(ms(press(&mut clock, "a")?.last));
            }
            let at = label(size);
            let value = format!("{:.2} / {:.2}", ours.median(), ours.at(0.99));
            let beside = format!(
                "clock {:.2} / {:.2}, ratio of p50 {:.2}",
                theirs.median(),
                theirs.at(0.99),
                ours.median() / theirs.median()
            );
            let name = format!("{at} {what}: key to screen, p50 / p99 ms");
            println!("{}", line(&name, &value, &beside, "ratio <= 2, p99 <= 20"));
            let name = format!("{at} {what}: bytes a key");
            println!("{}", line(&name, &bytes.text(), "", ""));
        }
        Ok(())
    }

    /// What a screen costs on which every pane lives and nobody types.
    fn idle(&self, size: Size) -> Result<(), Box<dyn Error>> {
        let cockpit = self.cockpit(size)?;
        cockpit.burst(cockpit.began, SETTLE, SETTLE);
        let clock = self.anchor("clock", size)?;
        clock.burst(clock.began, SETTLE, SETTLE);
        let (ours, theirs) = (Cost::of(cockpit.pid)?, Cost::of(clock.pid)?);
        let began = Instant::now();
        let seen = cockpit.burst(began, IDLE, IDLE);
        let beside = clock.burst(began, QUIET, IDLE + Duration::from_secs(1));
        let took = began.elapsed().as_secs_f64();
        let (ours_now, theirs_now) = (Cost::of(cockpit.pid)?, Cost::of(clock.pid)?);
        let second = |value: f64| format!("{:.2}", value / took);
        let cpu =
            |before: Cost, now: Cost| now.cpu.saturating_sub(before.cpu).as_secs_f64() * 100.0;
        let woken = |before: Cost, now: Cost| u32::try_from(now.switches - before.switches);
        let mib = |cost: Cost| {
            format!(
                "{:.1}",
                f64::from(u32::try_from(cost.peak).unwrap_or(0)) / 1024.0
            )
        };
        let frames = seen.bytes.windows(FRAME.len()).filter(|at| *at == FRAME);
        let (frames, at) = (frames.count(), label(size));
        let rows = [
            (
                "bytes a second",
                second(count(seen.bytes.len())),
                second(count(beside.bytes.len())),
                "<= 200",
            ),
            (
                "frames a second",
                second(count(frames)),
                "1".to_owned(),
                "<= 1",
            ),
            (
                "CPU %",
                second(cpu(ours, ours_now)),
                second(cpu(theirs, theirs_now)),
                "<= 0.25 of btm's (tests/live/peers)",
            ),
            (
                "wake-ups a second",
                second(woken(ours, ours_now)?.into()),
                second(woken(theirs, theirs_now)?.into()),
                "<= 10",
            ),
            ("peak memory, MiB", mib(ours_now), mib(theirs_now), "<= 24"),
        ];
        for (what, value, beside, budget) in rows {
            let name = format!("{at} idle: {what}");
            println!(
                "{}",
                line(&name, &value, &format!("clock {beside}"), budget)
            );
        }
        Ok(())
    }
}

/// Presses a key at a random moment and waits until nothing more comes.
fn press(terminal: &mut Terminal, key: &str) -> Result<terminal::Burst, Box<dyn Error>> {
    // A clock's frame that is just coming is let pass first.
    let pause = Duration::from_millis(20 + fastrand::u64(0..60));
    terminal.burst(Instant::now(), QUIET, pause);
    let at = terminal.key(key)?;
    Ok(terminal.burst(at, Duration::from_millis(20), Duration::from_secs(2)))
}

fn label((columns, rows): Size) -> String {
    format!("{columns}x{rows}")
}

fn ms(duration: Option<Duration>) -> f64 {
    duration.unwrap_or_default().as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "some hundred thousand at most")]
fn count(number: usize) -> f64 {
    number as f64
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
