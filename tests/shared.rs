//! One incident on two bastions: two cockpits with folders of their own, and a table between them.

use std::path::{Path, PathBuf};

use relight::practice::{Practice, world::Shared};
use rustix::process::Signal;

use crate::pty::{confirm, passes, run, terminal::Terminal};

const PROGRAM: &str = env!("CARGO_BIN_EXE_relight");

/// A practice region, and bastions that share it.
struct Region {
    dir: tempfile::TempDir,
    practice: Practice,
    _runtime: tokio::runtime::Runtime,
}

impl Region {
    fn begin() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let dir = tempfile::tempdir().expect("a folder");
        let practice = Practice::begin(dir.path(), "half-alive", Path::new(PROGRAM));
        let practice = runtime.block_on(practice).expect("a practice");
        let plan = dir.path().join("relight.toml");
        let text = std::fs::read_to_string(&plan).expect("the plan");
        let shared = "[coordination]\ntable = \"relight-coordination\"\nlease = \"10s\"\n";
        std::fs::write(&plan, format!("{text}\n{shared}")).expect("written");
        Self {
            dir,
            practice,
            _runtime: runtime,
        }
    }

    fn states(&self, bastion: &str) -> PathBuf {
        self.dir.path().join(bastion)
    }

    fn open(&self, bastion: &str) -> Terminal {
        let plan = self.dir.path().join("relight.toml");
        let states = self.states(bastion);
        let text = |path: &Path| path.to_str().expect("a path").to_owned();
        let args = ["--plan", &text(&plan), "--state-dir", &text(&states)];
        Terminal::start(&args, (160, 50), &[("USER", bastion)], self.dir.path())
    }

    fn world(&self) -> &Shared {
        self.practice.world()
    }

    /// The journal as a bastion has it, and as the table has it.
    fn journals(&self, bastion: &str) -> (Vec<String>, Vec<String>) {
        let incident = std::fs::read_dir(self.states(bastion))
            .expect("a folder")
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.join("journal.jsonl").exists())
            .expect("an incident");
        let text = std::fs::read_to_string(incident.join("journal.jsonl")).expect("a journal");
        let name = incident.file_name().expect("a name").to_string_lossy();
        let world = self.world().lock();
        let there = world.items.journal(&world.scenario.release.cluster, &name);
        (
            text.lines().map(str::to_owned).collect(),
            there.into_iter().map(str::to_owned).collect(),
        )
    }
}

/// What the dialog asks for.
fn phrase(terminal: &Terminal) -> String {
    let text = terminal.text();
    let (_, behind) = text.split_once("type exactly:").expect("the dialog");
    let from = behind.find("take over from ").expect("the phrase");
    let line = behind[from..].lines().next().unwrap_or_default();
    line.split('┃')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_owned()
}

#[test]
fn two_bastions_share_one_incident_and_each_knows_who_holds_it() {
    let region = Region::begin();
    let mut ann = region.open("ann");
    ann.wait_for("PRACTICE");
    run(&mut ann, "Verify backups");
    passes(&ann, "Verify backups");

    // The other bastion has the whole of it, and looks on.
    let mut bob = region.open("bob");
    bob.wait_for("OBSERVING");
    passes(&bob, "Verify backups");
    confirm(&mut ann, "Record the black box");
    passes(&bob, "Record the black box");

    // She leaves, and he goes on.
    ann.keys("q");
    assert!(ann.end().success());
    bob.wait("the incident to be his", |screen| {
        !screen.contains("OBSERVING")
    });
    run(&mut bob, "Check prerequisites");
    passes(&bob, "Check prerequisites");

    // His cockpit stands still: she takes over, and nothing of hers starts before his could know.
    let mut ann = region.open("ann");
    // Not only while its own journal is opened: by who holds the incident.
    ann.wait_for("has held this incident");
    passes(&ann, "Check prerequisites");
    bob.signal(Signal::STOP);
    ann.keys("V");
    ann.wait_for("To take it over, type exactly:");
    let typed = phrase(&ann);
    ann.keys(&typed);
    ann.keys("\r");
    ann.wait_for("nothing is started for another");
    ann.wait("her to hold it", |screen| {
        !screen.contains("OBSERVING") && !screen.contains("READ-ONLY")
    });
    confirm(&mut ann, "Pause what would undo it");
    bob.signal(Signal::CONT);
    bob.wait_for("OBSERVING");
    passes(&bob, "Pause what would undo it");

    // The table falls silent: nobody starts anything, until somebody goes on alone.
    region.world().lock().items.out = true;
    ann.wait_for("take over to go on alone");
    ann.keys("V");
    ann.wait_for("To take it over, type exactly:");
    let typed = phrase(&ann);
    ann.keys(&typed);
    ann.keys("\r");
    ann.wait("her to hold it alone", |screen| {
        !screen.contains("OBSERVING")
    });
    run(&mut ann, "Check state table");
    let before = region.journals("ann");
    assert!(before.0.len() > before.1.len(), "{before:?}");
    region.world().lock().items.out = false;
    ann.wait_for("answers again and has everything");
    bob.wait_for("OBSERVING");
    ann.keys("q");
    assert!(ann.end().success());
    bob.wait("the incident to be his again", |screen| {
        !screen.contains("OBSERVING")
    });
    bob.keys("q");
    assert!(bob.end().success());
    let (his, all) = region.journals("bob");
    let (hers, _) = region.journals("ann");
    assert_eq!(his, all);
    assert_eq!(hers[..], all[..hers.len()]);
}
