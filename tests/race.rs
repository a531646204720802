//! Two cockpits race to start one step, a thousand times over, each taking the incident from the other whenever it can: one
//! of them confirms and starts it, and the journal stays whole.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::Barrier,
    time::Duration,
};

use relight::{
    incident::{Moment, RunId, StepId},
    journal::{Claim, Entry, Folder, Item, Lock, Record, Replay, Writer},
    run::{Spec, start_with},
};

/// Where the racers of another process find the incident.
const PLACE: &str = "RELIGHT_RACE";

fn run(round: u32) -> RunId {
    let step = StepId::try_from("install".to_owned()).expect("an id");
    RunId::new(&step, round, Moment::from_secs(7))
}

fn spec(folder: &Folder, run: RunId, token: u64) -> Spec {
    Spec {
        run,
        step: StepId::try_from("install".to_owned()).expect("an id"),
        argv: vec!["/bin/true".to_owned()],
        env: BTreeMap::new(),
        cwd: PathBuf::from("/"),
        timeout: Duration::from_secs(1),
        grace: Duration::from_secs(1),
        token,
        incident: folder.path().to_owned(),
        dry_run: false,
        print_only: false,
        at: Moment::now(),
        calls: Vec::new(),
        by: String::new(),
        digest: String::new(),
    }
}

/// What a cockpit has read so far: the next round that nobody has confirmed.
struct Reader {
    replay: Replay,
    next: u32,
}

impl Reader {
    fn open(folder: &Folder) -> Self {
        let replay = Replay::open(&folder.journal()).expect("a journal");
        Self { replay, next: 1 }
    }

    fn read(&mut self) {
        for item in self.replay.by_ref() {
            match item {
                Item::Record(record) => {
                    if let Entry::Confirmed { run: of, .. } = record.entry {
                        assert_eq!(of, run(self.next), "a round was confirmed twice");
                        self.next += 1;
                    }
                }
                Item::Notice(notice) => unreachable!("{notice}"),
            }
        }
    }
}

/// Goes through all rounds; how many this one has started. A run is started by who has its confirmation on disk.
fn race(folder: &Folder, who: &str, rounds: u32) -> u32 {
    let mut started = 0;
    let mut reader = Reader::open(folder);
    while reader.next <= rounds {
        let claim = Claim {
            operator: who.to_owned(),
            host: "bastion".to_owned(),
            floor: reader.replay.tail().token,
        };
        let lock = Lock::take(folder, &claim).or_else(|_| Lock::take_over(folder, &claim));
        let lock = lock.expect("a lock");
        reader.read();
        reader.replay.cut_torn().expect("mended");
        let round = reader.next;
        let tail = reader.replay.tail().clone();
        let Ok(mut writer) = Writer::open(&lock, folder.journal(), tail) else {
            continue;
        };
        let entry = Entry::Confirmed {
            run: run(round),
            phrase: None,
            note: None,
        };
        if round <= rounds && writer.append(&lock, Moment::now(), entry).is_ok() {
            // A program that does nothing stands for the runner: that it is launched is what counts.
            let spec = spec(folder, run(round), lock.token());
            start_with(Path::new("/bin/true"), &spec).expect("started once");
            started += 1;
        }
    }
    started
}

fn whole(folder: &Folder, rounds: u32) {
    let replay = Replay::open(&folder.journal()).expect("a journal");
    let records: Vec<Record> = replay
        .map(|item| match item {
            Item::Record(record) => *record,
            Item::Notice(notice) => unreachable!("{notice}"),
        })
        .collect();
    assert_eq!(records.len(), usize::try_from(rounds).expect("few"));
    let tokens: Vec<u64> = records.iter().map(|record| record.author.token).collect();
    assert!(tokens.is_sorted(), "a token that was over wrote again");
    let runs = std::fs::read_dir(folder.runs()).expect("runs").count();
    assert_eq!(runs, records.len());
}

fn incident() -> (tempfile::TempDir, Folder) {
    let temp = tempfile::tempdir().expect("a folder");
    let folder = Folder::at(temp.path());
    std::fs::write(folder.journal(), "").expect("a journal");
    (temp, folder)
}

#[test]
fn of_two_threads_that_race_to_start_a_step_one_does() {
    const ROUNDS: u32 = 250;
    let (_temp, folder) = incident();
    let gate = Barrier::new(2);
    let started: u32 = std::thread::scope(|scope| {
        let racers = ["alice", "bob"].map(|who| {
            let (folder, gate) = (&folder, &gate);
            scope.spawn(move || {
                gate.wait();
                race(folder, who, ROUNDS)
            })
        });
        racers
            .map(|racer| racer.join().expect("no panic"))
            .iter()
            .sum()
    });
    assert_eq!(started, ROUNDS);
    whole(&folder, ROUNDS);
}

const THOUSAND: u32 = 1000;

#[test]
fn of_two_processes_that_race_a_thousand_times_one_starts_each_step() {
    let (temp, folder) = incident();
    let racer = || {
        Command::new(std::env::current_exe().expect("this binary"))
            .args(["race::a_racer_of_its_own", "--exact"])
            .env(PLACE, temp.path())
            .output()
    };
    let outputs: Vec<_> = std::thread::scope(|scope| {
        let racers = [scope.spawn(racer), scope.spawn(racer)];
        racers
            .into_iter()
            .map(|racer| racer.join().expect("no panic").expect("it runs"))
            .collect()
    });
    for output in &outputs {
        let told = String::from_utf8_lossy(&output.stdout);
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}{words}");
    }
    let files = std::fs::read_dir(temp.path()).expect("listed");
    let counts = files.map(|file| file.expect("a file").path());
    let counts = counts.filter(|path| path.extension().is_some_and(|end| end == "started"));
    let started = counts.map(|path| {
        let count = std::fs::read_to_string(path).expect("a count");
        count.parse::<u32>().expect("a number")
    });
    assert_eq!(started.sum::<u32>(), THOUSAND);
    whole(&folder, THOUSAND);
}

/// The other process of the race; nothing where nobody has started one.
#[test]
fn a_racer_of_its_own() {
    let Some(place) = std::env::var_os(PLACE) else {
        return;
    };
    let (place, me) = (Path::new(&place), std::process::id());
    let started = race(&Folder::at(place), &format!("racer {me}"), THOUSAND);
    let file = place.join(format!("{me}.started"));
    std::fs::write(file, started.to_string()).expect("written");
}
