//! What hits cockpit and runners, and when.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use relight::{
    journal::Folder,
    run::{RunFact, RunRecord},
};
use rustix::process::{Pid, Signal, kill_process};

/// What is hit, as the walker tells it.
#[derive(Clone, Default)]
pub struct Target {
    /// The cockpit, while one is open.
    pub cockpit: Arc<Mutex<Option<i32>>>,
    /// No more blows: the walk is over.
    pub over: Arc<AtomicBool>,
}

/// Deals so many blows, at times and of kinds that follow from the seed; what was done, in words.
pub fn deal(seed: u64, count: usize, states: PathBuf, target: Target) -> JoinHandle<Vec<String>> {
    std::thread::spawn(move || {
        let mut random = fastrand::Rng::with_seed(seed);
        let began = Instant::now();
        let mut dealt = Vec::new();
        while dealt.len() < count {
            let pause = Duration::from_millis(random.u64(200..3000));
            let until = Instant::now() + pause;
            // Blows come by the clock: that they come at any instant is what is tested.
            while Instant::now() < until {
                if target.over.load(Ordering::SeqCst) {
                    return dealt;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            let hit = blow(&mut random, &states, &target);
            dealt.extend(hit.map(|what| format!("{:.1} s {what}", began.elapsed().as_secs_f32())));
        }
        dealt
    })
}

fn blow(random: &mut fastrand::Rng, states: &Path, target: &Target) -> Option<String> {
    let runners = runners(states);
    let runner =
        (!runners.is_empty() && random.u8(..4) > 0).then(|| *random.choice(&runners).expect("one"));
    let kind = random.usize(..3);
    let nap = Duration::from_millis(random.u64(50..800));
    // The cockpit is not opened again while it is being hit.
    let cockpit = target.cockpit.lock().expect("no poison");
    let (pid, whom) = match runner {
        Some(pid) => (pid, "runner"),
        None => ((*cockpit)?, "cockpit"),
    };
    let pid = Pid::from_raw(pid)?;
    let send = |signal| kill_process(pid, signal).ok();
    let what = match kind {
        0 => send(Signal::KILL).map(|()| "KILL"),
        1 => send(Signal::HUP).map(|()| "HUP"),
        _ => send(Signal::STOP).and_then(|()| {
            std::thread::sleep(nap);
            send(Signal::CONT).map(|()| "STOP, CONT")
        }),
    };
    what.map(|what| format!("{what} {whom}"))
}

/// Every run's folder of every incident.
pub fn run_folders(states: &Path) -> Vec<PathBuf> {
    let list = |path: &Path| {
        std::fs::read_dir(path)
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect::<Vec<_>>()
    };
    list(states)
        .iter()
        .flat_map(|incident| list(&Folder::at(incident).runs()))
        .collect()
}

/// What the runners of a run wrote down.
pub fn records(run: &Path) -> Vec<RunRecord> {
    std::fs::read_to_string(run.join("events.jsonl"))
        .unwrap_or_default()
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// The runners that are there.
fn runners(states: &Path) -> Vec<i32> {
    let newest = |run: PathBuf| {
        records(&run)
            .iter()
            .rev()
            .find_map(|record| match record.what {
                RunFact::Starting { runner }
                | RunFact::Started { runner, .. }
                | RunFact::Adopted { runner, .. } => i32::try_from(runner).ok(),
                _ => None,
            })
    };
    run_folders(states)
        .into_iter()
        .filter_map(newest)
        .filter(|pid| {
            // Numbers are given out again: only what calls itself a runner is one.
            std::fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| line.split(|byte| *byte == 0).any(|word| word == b"runner"))
        })
        .collect()
}
