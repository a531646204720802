//! An operator who wants to get through, whatever happens to the cockpit: it is opened again, the journal says where things
//! stand, and the next step is run by keys.

use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use relight::{
    cockpit,
    incident::{RunId, Verdict},
    journal::{Entry, Folder, Item, Record, Replay},
    plan,
    practice::Practice,
};

use super::{
    account::Account,
    blows::{self, Target},
};
use crate::pty::terminal::Terminal;

const PROGRAM: &str = env!("CARGO_BIN_EXE_relight");
/// For the whole walk: a limit for a hang.
const PATIENCE: Duration = Duration::from_mins(10);
/// For one answer of the screen. A cockpit that was hit never gives it, so it is short, and everything is tried again.
const ANSWER: Duration = Duration::from_secs(8);
/// Attempts at one step.
const ATTEMPTS: usize = 12;

/// The steps: id, title, and the phrase that is typed.
const STEPS: [(&str, &str, &str); 17] = [
    ("verify-backups", "Verify backups", ""),
    ("count", "Count aloud", ""),
    ("record-black-box", "Record the black box", ""),
    ("check-prerequisites", "Check prerequisites", ""),
    ("pause-reconcilers", "Pause what would undo it", ""),
    (
        "stop-old-cluster",
        "Stop old cluster",
        "uninstall teleport-cluster in practice-us-east-1",
    ),
    ("restore-tables", "Restore tables", ""),
    ("repair-tables", "Repair tables", ""),
    ("check-state-table", "Check state table", ""),
    ("write-values", "Write recovery values", ""),
    ("check-rights", "Check rights", ""),
    ("check-certificate", "Check certificate", ""),
    ("install", "Install the chart", ""),
    ("wait-for-pods", "Wait for pods", ""),
    ("load-balancer", "Get load balancer address", ""),
    ("switch-dns", "Switch DNS", ""),
    ("confirm-ping", "Confirm public ping", ""),
];

/// A step of the operator's own that prints numbered lines for some seconds.
const COUNT: &str = "#!/bin/sh\ni=0\nwhile [ $i -lt 4000 ]; do\n  i=$((i+1))\n  echo \"counted $i\"\n  [ $((i % 100)) -eq 0 ] && sleep 0.1\ndone\nexit 0\n";

pub fn walk(seed: u64, blows: usize) -> Result<Account, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let dir = tempfile::tempdir().expect("a folder");
    let practice = runtime
        .block_on(Practice::begin(
            dir.path(),
            "half-alive",
            Path::new(PROGRAM),
        ))
        .expect("a practice");
    prepare(dir.path());
    let target = Target::default();
    let states = dir.path().join("incidents");
    let dealer = blows::deal(seed, blows, states.clone(), target.clone());
    let mut walker = Walker {
        dir: dir.path().to_owned(),
        states,
        target,
        terminal: None,
        opened: 0,
    };
    let end = walker.walk();
    walker.target.over.store(true, Ordering::SeqCst);
    let dealt = dealer.join().expect("no panic");
    let changes = practice.world().lock().changes.clone();
    end.map_err(|why| format!("{why}\n--- blows\n{}", dealt.join("\n")))?;
    let plan = plan::load(&dir.path().join("relight.toml")).expect("the plan");
    let runbook = cockpit::runbook(&plan).expect("the runbook");
    Account::of(&walker.states, changes, dealt, walker.opened, &runbook)
}

/// The operator's own step, added to the practice's plan.
fn prepare(dir: &Path) {
    let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).expect("written");
    write("count.sh", COUNT);
    let path = dir.join("count.sh");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("executable");
    write(
        "runbook.toml",
        &format!(
            "[[step]]\nid = \"count\"\ntitle = \"Count aloud\"\nabout = \"Prints numbered lines.\"\nrisk = \"change\"\n\
             after = \"verify-backups\"\nargv = [\"{}\"]\nevidence = \"exit\"\n",
            path.display()
        ),
    );
    let plan = dir.join("relight.toml");
    let text = std::fs::read_to_string(&plan).expect("the plan");
    write(
        "relight.toml",
        &format!("{text}\n[runbook]\nfile = \"runbook.toml\"\n"),
    );
}

struct Walker {
    dir: PathBuf,
    states: PathBuf,
    target: Target,
    terminal: Option<Terminal>,
    opened: usize,
}

/// Where a step stands, by the journal.
#[derive(Debug, PartialEq, Eq)]
enum Stand {
    Done,
    /// A run of it is on its way.
    Running,
    /// Not run, or no attempt of it has passed; how many there were.
    Open(usize),
}

impl Walker {
    fn walk(&mut self) -> Result<(), String> {
        let until = Instant::now() + PATIENCE;
        for (id, title, phrase) in STEPS {
            loop {
                if Instant::now() >= until {
                    return Err(self.stuck(title));
                }
                match self.stand(id) {
                    Stand::Done => break,
                    Stand::Open(ATTEMPTS..) => return Err(self.stuck(title)),
                    Stand::Open(_) => {
                        self.press(title, phrase);
                        self.until(ANSWER, |walker| !matches!(walker.stand(id), Stand::Open(_)));
                    }
                    // Looked at by a cockpit, which may have to be opened again for it.
                    Stand::Running => {
                        self.open();
                        self.until(ANSWER, |walker| walker.stand(id) != Stand::Running);
                    }
                }
            }
        }
        // No blow falls on the last cockpit's way out.
        self.target.over.store(true, Ordering::SeqCst);
        self.open();
        let mut terminal = self.terminal.take().ok_or("there is no cockpit")?;
        *self.target.cockpit.lock().expect("no poison") = None;
        terminal.keys("\u{1b}\u{1b}q");
        terminal.end();
        Ok(())
    }

    fn stuck(&self, title: &str) -> String {
        let screen = self
            .terminal
            .as_ref()
            .map_or_else(String::new, Terminal::text);
        let records = records(&self.states);
        let journal: Vec<String> = records
            .iter()
            .map(|record| format!("{} {:?}", record.at, record.entry))
            .collect();
        format!(
            "it did not get through {title}; the screen:\n{screen}\n--- journal\n{}",
            journal.join("\n")
        )
    }

    /// Opens a cockpit if there is none, or the last one has ended.
    fn open(&mut self) {
        if self
            .terminal
            .as_ref()
            .is_some_and(|terminal| !terminal.has_ended())
        {
            return;
        }
        let mut cockpit = self.target.cockpit.lock().expect("no poison");
        let (plan, states) = (self.dir.join("relight.toml"), self.states.clone());
        let args = ["--plan", text(&plan), "--state-dir", text(&states)];
        let terminal = Terminal::start(&args, (160, 50), &[], &self.dir);
        *cockpit = Some(terminal.pid());
        drop(cockpit);
        self.terminal = Some(terminal);
        self.opened += 1;
        self.sees(|screen| screen.contains("PRACTICE"));
    }

    /// Runs a step by the palette, and says yes. Whatever does not come in time is left; the journal tells how far it got.
    fn press(&mut self, title: &str, phrase: &str) {
        self.open();
        self.keys("\u{1b}");
        self.keys("\u{1b}");
        let run = |screen: &str| {
            screen
                .lines()
                .any(|line| line.contains("run step") && line.contains(title))
        };
        let there = self.sees(|screen| !screen.contains("━ Do ━"))
            && self.keys(":")
            && self.sees(|screen| screen.contains("━ Do ━"))
            && self.keys(title)
            && self.sees(run)
            && self.keys("\r")
            && self.sees(|screen| !screen.contains("━ Do ━"));
        if !there {
            return;
        }
        if !phrase.is_empty() && self.sees(|screen| screen.contains(phrase)) {
            self.keys(phrase);
            self.keys("\r");
        } else if self.sees(|screen| screen.contains("Cancel") || started(screen, title)) {
            let asks = self
                .terminal
                .as_ref()
                .is_some_and(|terminal| terminal.text().contains("Cancel"));
            if asks {
                self.keys("\t\r");
            }
        }
    }

    fn keys(&mut self, keys: &str) -> bool {
        // Into a terminal whose program was killed, keys cannot be typed.
        self.terminal
            .as_mut()
            .is_some_and(|terminal| terminal.try_keys(keys))
    }

    /// Whether the screen comes to be as wanted, in time.
    fn sees(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.terminal
            .as_ref()
            .is_some_and(|terminal| terminal.comes_to(ANSWER, wanted))
    }

    /// Waits until something holds, for a while.
    fn until(&self, limit: Duration, holds: impl Fn(&Self) -> bool) {
        let until = Instant::now() + limit;
        while Instant::now() < until && !holds(self) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn stand(&self, id: &str) -> Stand {
        let mut attempts: BTreeMap<RunId, Option<bool>> = BTreeMap::new();
        let mut of = BTreeMap::new();
        for record in records(&self.states) {
            match record.entry {
                Entry::Armed(armed) if armed.step.as_str() == id => {
                    of.insert(armed.run.clone(), armed.risk);
                }
                Entry::Confirmed { run, .. } if of.contains_key(&run) => {
                    attempts.insert(run, None);
                }
                Entry::Judged { run, verdict, .. } if of.contains_key(&run) => {
                    attempts.insert(run, Some(verdict == Verdict::Pass));
                }
                Entry::Exited { run, code, .. } if id == "count" && of.contains_key(&run) => {
                    attempts.insert(run, Some(code == Some(0)));
                }
                Entry::ContactLost { run, .. } if of.contains_key(&run) => {
                    attempts.insert(run, Some(false));
                }
                _ => {}
            }
        }
        let mut states = attempts.values();
        if states.clone().any(|state| *state == Some(true)) {
            Stand::Done
        } else if states.any(Option::is_none) {
            Stand::Running
        } else {
            Stand::Open(attempts.len())
        }
    }
}

fn started(screen: &str, title: &str) -> bool {
    crate::pty::row(screen, title).contains("run")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// The records of every incident; one of a line that is being written is not there yet.
pub fn records(states: &Path) -> Vec<Record> {
    let incidents = std::fs::read_dir(states).into_iter().flatten();
    incidents
        .filter_map(|entry| Replay::open(&Folder::at(&entry.ok()?.path()).journal()).ok())
        .flatten()
        .filter_map(|item| match item {
            Item::Record(record) => Some(*record),
            Item::Notice(_) => None,
        })
        .collect()
}
