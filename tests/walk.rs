//! The recovery walked from scripts: each file in `walks/` is a practice scenario and what is done in it, step by step,
//! by the real binary without a screen, against the practice's real wire servers.
//!
//! ```toml
//! about = "What must come of it, in a sentence"
//! scenario = "half-alive"               # of assets/scenarios
//! never = ["install PASS"]              # what the journal must not hold: a step with a verdict, or `started`
//!
//! [[then]]
//! run = "stop-old-cluster"              # `step run`; answered with what the step asks for, unless said:
//! note = "asked AWS support"            # `--note`, of a step that is done by hand
//! way = "graceful"                      # `--way`
//! yes = "uninstall x in y"              # `--yes` with this text
//! ends = "PASS"                         # expected: PASS, FAIL, UNKNOWN, refused; PASS unless said
//! says = ["No address"]                 # expected: parts of what is printed
//!
//! [[then]]
//! run = "install"
//! override = "override install"         # `--override`, with `reason`
//! reason = "IAM is down"
//!
//! [[then]]
//! skip = "stop-old-cluster"
//! reason = "us-east-1 does not answer"
//!
//! [[then]]
//! cancel = "wait-for-pods"              # `step cancel`
//! ends = "FAIL"
//!
//! [[then]]
//! dry = "switch-dns"                    # `--dry-run`
//!
//! [[then]]
//! steps = { install = "locked" }        # expected: where steps stand, by `step list`
//! why = { install = "host authority" }  # expected: part of the reason
//!
//! [[then]]
//! run = "stop-old-cluster"
//! leaves = "waits for the world"        # the script is asked to leave as soon as it says so; the run goes on
//!
//! [[then]]
//! failback = true                       # `plan failback`; expected as of a run: FAIL, the tables diverged
//! ends = "FAIL"
//!
//! [[then]]
//! heal = true                           # the primary comes back with everything that ran there
//!
//! [[then]]
//! sees = "answers as this cluster"      # `--once` is repeated until it says so
//! ```

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use relight::{
    incident::{Action, Risk, Runbook, Step, StepId, Way},
    journal::{Entry, Folder, Item, Record, Replay},
    practice,
};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::Value;

use crate::reducer::properties::{in_order, sound};

const PROGRAM: &str = env!("CARGO_BIN_EXE_relight");
/// How long it is looked for something: a loaded machine, not the practice, is what needs it.
const PATIENCE: Duration = Duration::from_secs(90);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Walk {
    about: String,
    scenario: String,
    #[serde(default)]
    never: Vec<String>,
    then: Vec<Then>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Then {
    run: Option<String>,
    dry: Option<String>,
    skip: Option<String>,
    cancel: Option<String>,
    yes: Option<String>,
    #[serde(rename = "override")]
    through: Option<String>,
    reason: Option<String>,
    note: Option<String>,
    way: Option<String>,
    ends: Option<String>,
    says: Vec<String>,
    steps: BTreeMap<String, String>,
    why: BTreeMap<String, String>,
    sees: Option<String>,
    leaves: Option<String>,
    heal: bool,
    failback: bool,
}

/// So many regions in their boxes at once: with all of them two cores have no time left for a script's first look.
const AT_ONCE: usize = 8;

/// A practice with everything that was printed so far.
struct Region {
    dir: tempfile::TempDir,
    told: String,
}

impl Drop for Region {
    fn drop(&mut self) {
        let _ = practice::stop(self.dir.path());
    }
}

impl Region {
    fn start(scenario: &str) -> Result<Self, String> {
        let dir = tempfile::tempdir().expect("a folder");
        practice::start_by(Path::new(PROGRAM), dir.path(), scenario)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            dir,
            told: String::new(),
        })
    }

    /// `relight practice …` in this region.
    fn relight(&mut self, args: &[&str], scenario: &str) -> (Option<i32>, String) {
        let dir = self.dir.path().to_str().expect("a path").to_owned();
        let all = [&["practice", "--dir", &dir, "--scenario", scenario], args].concat();
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new(PROGRAM)
            .args(all)
            .output()
            .expect("the binary");
        let told =
            String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
        if !["list", "show", "--once"]
            .iter()
            .any(|looks| args.contains(looks))
        {
            let _ = writeln!(self.told, "$ {}\n{told}{status}", args.join(" "));
        }
        (status.code(), told)
    }

    /// `relight plan failback` by the region's own plan and incidents.
    fn failback(&mut self) -> (Option<i32>, String) {
        let done = Command::new(PROGRAM)
            .args(["plan", "failback", "--plan"])
            .arg(self.dir.path().join("relight.toml"))
            .arg("--state-dir")
            .arg(self.states().next().expect("incidents"))
            .output()
            .expect("the binary");
        let told = String::from_utf8_lossy(&done.stdout).into_owned();
        let _ = writeln!(self.told, "$ plan failback\n{told}{}", done.status);
        (done.status.code(), told)
    }

    /// The folders of its incidents.
    fn states(&self) -> impl Iterator<Item = PathBuf> + use<> {
        let folders = std::fs::read_dir(self.dir.path()).expect("a folder");
        let states = folders.filter_map(|entry| Some(entry.ok()?.path()));
        states.filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("incidents-")
        })
    }

    /// Starts a step and has the script leave as soon as it says something.
    fn leave(&mut self, args: &[&str], words: &str, scenario: &str) -> Result<(), String> {
        let dir = self.dir.path().to_str().expect("a path").to_owned();
        let mut child = Command::new(PROGRAM)
            .args(["practice", "--dir", &dir, "--scenario", scenario])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary");
        let _ = writeln!(self.told, "$ {}", args.join(" "));
        let mut asked = false;
        for line in BufReader::new(child.stdout.take().expect("a pipe")).lines() {
            let line = line.expect("a line");
            let _ = writeln!(self.told, "{line}");
            if line.contains(words) && !asked {
                asked = true;
                let pid = i32::try_from(child.id()).expect("small");
                let pid = Pid::from_raw(pid).expect("a process");
                kill_process(pid, Signal::TERM).expect("sent");
            }
        }
        let status = child.wait().expect("ended");
        let _ = writeln!(self.told, "{status}");
        if status.code() == Some(4) {
            Ok(())
        } else {
            Err(format!(
                "it ended with {status} and did not leave at {words:?}"
            ))
        }
    }

    /// The records of its incidents.
    fn records(&self) -> Vec<Record> {
        let incidents = self
            .states()
            .flat_map(|state| std::fs::read_dir(state).expect("a folder"));
        let mut records = Vec::new();
        for incident in incidents.filter_map(|entry| Some(entry.ok()?.path())) {
            let journal = Folder::at(&incident).journal();
            let replay = Replay::open(&journal).expect("a journal");
            records.extend(replay.map(|item| match item {
                Item::Record(record) => *record,
                Item::Notice(notice) => unreachable!("{}: {notice}", journal.display()),
            }));
        }
        records
    }
}

/// Walks a file to its end.
fn walk(file: &Path) -> Result<(), String> {
    let name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    let walk: Walk = toml::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
    if walk.about.is_empty() {
        return Err(format!("{name} says nothing of itself"));
    }
    let mut region = Region::start(&walk.scenario)?;
    let mut wrong = None;
    for (index, then) in walk.then.iter().enumerate() {
        if let Err(text) = go(then, &walk.scenario, &mut region) {
            wrong = Some(format!("entry {}: {text}", index + 1));
            break;
        }
    }
    let records = region.records();
    let wrong = wrong.or_else(|| never(&walk, &records).err());
    let wrong = wrong.or_else(|| {
        let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the runbook");
        let sound = sound(&records).and_then(|()| in_order(&records, &runbook));
        sound.err().map(|error| error.to_string())
    });
    match wrong {
        None => Ok(()),
        Some(wrong) => {
            let journal = records
                .iter()
                .map(|record| format!("{} {:?}\n", record.at, record.entry));
            let journal: String = journal.collect();
            let told = &region.told;
            Err(format!(
                "{name}, {wrong}\n--- output\n{told}--- journal\n{journal}"
            ))
        }
    }
}

fn go(then: &Then, scenario: &str, region: &mut Region) -> Result<(), String> {
    if let Some(step) = &then.run {
        let mut args = vec!["step", "run", step];
        let yes = match &then.yes {
            Some(yes) => Some(yes.clone()),
            None => asked(region, step, scenario)?,
        };
        if let Some(yes) = &yes {
            args.push("--yes");
            args.extend((!yes.is_empty()).then_some(yes.as_str()));
        }
        if let Some(phrase) = &then.through {
            args.extend(["--override", phrase]);
        }
        if let Some(reason) = &then.reason {
            args.extend(["--reason", reason]);
        }
        if let Some(note) = &then.note {
            args.extend(["--note", note]);
        }
        if let Some(way) = &then.way {
            args.extend(["--way", way]);
        }
        match &then.leaves {
            Some(words) => region.leave(&args, words, scenario)?,
            None => ended(region.relight(&args, scenario), then)?,
        }
    }
    if then.heal && !practice::heal(region.dir.path()).map_err(|error| error.to_string())? {
        return Err("there is no practice to heal".to_owned());
    }
    if then.failback {
        ended(region.failback(), then)?;
    }
    if let Some(step) = &then.dry {
        ended(
            region.relight(&["step", "run", step, "--dry-run"], scenario),
            then,
        )?;
    }
    if let Some(step) = &then.cancel {
        ended(region.relight(&["step", "cancel", step], scenario), then)?;
    }
    if let Some(step) = &then.skip {
        let reason = then.reason.as_deref().unwrap_or_default();
        ended(
            region.relight(&["step", "skip", step, "--reason", reason], scenario),
            then,
        )?;
    }
    if !then.steps.is_empty() || !then.why.is_empty() {
        stand(then, region, scenario)?;
    }
    match &then.sees {
        Some(words) => see(words, region, scenario),
        None => Ok(()),
    }
}

/// What a step's dialog asks for as it would go now: nothing, yes, or its phrase.
fn asked(region: &mut Region, step: &str, scenario: &str) -> Result<Option<String>, String> {
    let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the runbook");
    let id = StepId::try_from(step.to_owned())?;
    // A look at the whole world is spared where the runbook alone says what is asked for: the same on both ways.
    if let Some(step) = runbook.get(&id) {
        let ways = [Way::Graceful, Way::Ungraceful].map(|way| step.by(way).into_owned());
        let plain =
            |step: &Step| step.phrase.is_none() && !matches!(step.action, Action::Manual(_));
        if ways.iter().all(plain) && ways[0].risk == ways[1].risk {
            return Ok((step.risk > Risk::Look).then(String::new));
        }
    }
    let (_, told) = region.relight(&["step", "show", step, "--format", "json"], scenario);
    let shown: Value = serde_json::from_str(&told).map_err(|error| format!("{error}: {told}"))?;
    let by_hand = shown["by_hand"] == true;
    Ok(match (shown["phrase"].as_str(), shown["risk"].as_str()) {
        (Some(phrase), _) => Some(phrase.to_owned()),
        (None, Some("look")) => None,
        _ if by_hand => None,
        _ => Some(String::new()),
    })
}

/// Holds an exit code and what was printed against what was expected.
fn ended((code, told): (Option<i32>, String), then: &Then) -> Result<(), String> {
    let word = match code {
        Some(0) => "PASS",
        Some(1) => "FAIL",
        Some(2) => "UNKNOWN",
        Some(3) => "refused",
        _ => "broken",
    };
    let wanted = then.ends.as_deref().unwrap_or("PASS");
    if word != wanted {
        return Err(format!("it came to {word} ({code:?}), not {wanted}"));
    }
    let missing = then.says.iter().find(|part| !told.contains(part.as_str()));
    missing.map_or(Ok(()), |part| Err(format!("it does not say {part:?}")))
}

/// Holds the list of steps against what was expected.
fn stand(then: &Then, region: &mut Region, scenario: &str) -> Result<(), String> {
    let (_, told) = region.relight(&["step", "list", "--format", "json"], scenario);
    let list: Value = serde_json::from_str(&told).map_err(|error| format!("{error}: {told}"))?;
    let all: Vec<&Value> = list["steps"].as_array().into_iter().flatten().collect();
    let of = |id: &str| {
        let found = all.iter().find(|step| step["id"] == id);
        found.ok_or_else(|| format!("there is no step {id}"))
    };
    for (id, wanted) in &then.steps {
        let step = of(id)?;
        if step["state"] != wanted.as_str() {
            return Err(format!(
                "{id} is {}, not {wanted}: {}",
                step["state"], step["why"]
            ));
        }
    }
    for (id, words) in &then.why {
        let why = of(id)?["why"].as_str().unwrap_or_default().to_owned();
        if !why.contains(words) {
            return Err(format!("{id} says {why:?}, not {words:?}"));
        }
    }
    Ok(())
}

/// Looks until something is seen.
fn see(words: &str, region: &mut Region, scenario: &str) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        let (_, told) = region.relight(&["--once"], scenario);
        if told.contains(words) {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("{words:?} was never seen; the last look:\n{told}"));
        }
    }
}

/// What must not have happened, whatever the steps came to.
fn never(walk: &Walk, records: &[Record]) -> Result<(), String> {
    for record in records {
        let happened = match &record.entry {
            Entry::Started { run, .. } => Some((run, "started".to_owned())),
            Entry::Judged { run, verdict, .. } => Some((run, verdict.to_string())),
            _ => None,
        };
        let Some((run, what)) = happened else {
            continue;
        };
        let forbidden = walk.never.iter().find(|never| {
            let (step, word) = never.split_once(' ').expect("a step and a word");
            let real = records.iter().any(|record| matches!(&record.entry,
                Entry::Armed(armed) if armed.run == *run && armed.step.as_str() == step && !armed.dry_run));
            real && word == what
        });
        if let Some(never) = forbidden {
            return Err(format!("what must never happen did: {never}"));
        }
    }
    Ok(())
}

#[test]
fn every_walk_comes_out_as_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walks");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("tests/walks")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    // One alone, by its name: WALK=zombie cargo test walk
    if let Ok(only) = std::env::var("WALK") {
        files.retain(|file| file.to_string_lossy().contains(&only));
    }
    files.sort();
    assert!(!files.is_empty(), "no walk in {}", folder.display());
    let mut failed: Vec<String> = Vec::new();
    for some in files.chunks(AT_ONCE) {
        let walks = some.iter().cloned();
        let walks: Vec<_> = walks
            .map(|file| std::thread::spawn(move || walk(&file)))
            .collect();
        let ended = walks.into_iter().map(|walk| walk.join().expect("no panic"));
        failed.extend(ended.filter_map(Result::err));
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
