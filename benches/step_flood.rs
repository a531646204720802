//! A step that prints 1 GiB in ten million lines (design.md, section 7): through the real runner, and beside it, in turn,
//! through `cat` into a file.
//!
//! ```text
//! cargo bench --bench step_flood
//! ```
//!
//! Twice: lines that no rule of the redaction looks at, and lines every one of which is a candidate for it. Prints one
//! line a pair. That what is on disk is what was printed is checked byte by byte, since a fast runner that loses something
//! is of no use.
#![expect(clippy::print_stdout, reason = "a benchmark tells its numbers")]

use std::{
    error::Error,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use relight::{
    incident::{Moment, RunId, StepId},
    journal::{Claim, Folder, Lock},
    run::{Follow, RunDir, RunEvent, RunFact, Spec, Watch, start_with},
};

const BINARY: &str = env!("CARGO_BIN_EXE_relight");
/// Lines printed.
const LINES: u64 = 10_000_000;
/// Pairs of each kind.
const PAIRS: u32 = 3;
/// What follows the line's number: no rule's literal is in it.
const PLAIN: &str = " resource.apps/thing-0123456789 condition met, waiting for the next one of many more things to come";
/// The same with a literal in it that may begin a password, and does not.
const CANDIDATE: &str = " resource.apps/thing-0123456789 see https://docs.example.com/of/this for the next one of many to come";

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [print, kind] = &args[..]
        && print == "print"
    {
        // Its reader may leave early; there is nobody to tell.
        let _ = generate(if kind == "plain" { PLAIN } else { CANDIDATE });
        return Ok(());
    }
    println!(
        "kind       pair  runner MB/s   cat MB/s  ratio  budget  runner's peak, MiB  same bytes"
    );
    for (kind, budget) in [("plain", ">= 0.5"), ("candidates", ">= 0.1")] {
        for pair in 1..=PAIRS {
            let temp = tempfile::tempdir()?;
            let copy = temp.path().join("copy");
            let (ours, output, peak) = run(temp.path(), kind)?;
            let theirs = plain_copy(&copy, kind)?;
            let bytes = fs::metadata(&copy)?.len();
            let rate = |took: Duration| {
                f64::from(u32::try_from(bytes / 1000).unwrap_or(0)) / 1e3 / took.as_secs_f64()
            };
            let (ours, theirs) = (rate(ours), rate(theirs));
            println!(
                "{kind:<10} {pair:>4}  {ours:>11.0} {theirs:>10.0} {:>6.2}  {budget}  {peak:>18}  {}",
                ours / theirs,
                same(&output, &copy)?,
            );
        }
    }
    Ok(())
}

/// Prints the lines, a megabyte at a time.
fn generate(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut block = Vec::with_capacity(2 << 20);
    for number in 0..LINES {
        writeln!(block, "{number:08}{text}")?;
        if block.len() >= 1 << 20 {
            out.write_all(&block)?;
            block.clear();
        }
    }
    out.write_all(&block)?;
    out.flush()
}

/// Through the runner: how long it took from start to exit, where the output is, most memory of the runner in MiB.
fn run(incident: &Path, kind: &str) -> Result<(Duration, std::path::PathBuf, u64), Box<dyn Error>> {
    let folder = Folder::at(incident);
    let claim = Claim {
        operator: "ann".to_owned(),
        host: "bastion".to_owned(),
        floor: 0,
    };
    let lock = Lock::take(&folder, &claim)?;
    let step = StepId::try_from("flood".to_owned()).map_err(|_| "no step id")?;
    let program = std::env::current_exe()?.to_string_lossy().into_owned();
    let spec = Spec {
        digest: String::new(),
        run: RunId::new(&step, 1, Moment::now()),
        step,
        argv: vec![program, "print".to_owned(), kind.to_owned()],
        env: std::collections::BTreeMap::new(),
        cwd: incident.to_owned(),
        timeout: Duration::from_mins(10),
        grace: Duration::from_secs(1),
        token: lock.token(),
        incident: incident.to_owned(),
        dry_run: false,
        print_only: false,
        at: Moment::now(),
        calls: Vec::new(),
        by: String::new(),
    };
    let mut watch = Watch::new(folder, true).with_binary(BINARY.into());
    let began = Instant::now();
    let dir = start_with(Path::new(BINARY), &spec)?;
    let mut peak = 0;
    loop {
        peak = peak.max(memory(&dir));
        let ended = watch.poll().iter().any(|event| {
            matches!(
                event,
                RunEvent::Exited { .. } | RunEvent::ContactLost { .. }
            )
        });
        if ended {
            return Ok((began.elapsed(), dir.output(), peak));
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Most memory of a run's runner so far, MiB; 0 if it is not there.
fn memory(dir: &RunDir) -> u64 {
    let records = Follow::default().read(dir).unwrap_or_default();
    let runner = records.iter().find_map(|record| match record.what {
        RunFact::Started { runner, .. } => Some(runner),
        _ => None,
    });
    let status = runner.and_then(|pid| fs::read_to_string(format!("/proc/{pid}/status")).ok());
    let peak = status.as_deref().and_then(|status| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    });
    peak.unwrap_or(0) / 1024
}

/// Through `cat` into a file: how long it took.
fn plain_copy(to: &Path, kind: &str) -> Result<Duration, Box<dyn Error>> {
    let began = Instant::now();
    let mut from = Command::new(std::env::current_exe()?)
        .args(["print", kind])
        .stdout(Stdio::piped())
        .spawn()?;
    let pipe = from.stdout.take().ok_or("no pipe")?;
    let status = Command::new("cat")
        .stdin(pipe)
        .stdout(File::create(to)?)
        .status()?;
    let took = began.elapsed();
    if !(status.success() && from.wait()?.success()) {
        return Err("the copy failed".into());
    }
    Ok(took)
}

/// Whether two files hold the same.
fn same(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let count = one.read(&mut left)?;
        if count == 0 {
            return Ok(true);
        }
        other.read_exact(&mut right[..count])?;
        if left[..count] != right[..count] {
            return Ok(false);
        }
    }
}
