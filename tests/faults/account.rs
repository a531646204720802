//! What a walk came to: side effects, lines, final state; and how two walks compare.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use relight::{
    incident::{Runbook, StepId, Verdict},
    journal::{Entry, Folder, Item, Replay},
    run::{Output, RunDir, RunFact},
};

use super::{
    blows::{records as run_records, run_folders},
    walker::records,
};
use crate::reducer::properties::{in_order, sound};

/// Lines that the counting step prints.
const COUNTED: usize = 4000;

/// What a walk came to.
#[derive(Clone, Debug)]
pub struct Account {
    /// What was changed in the world, and how often.
    changes: BTreeMap<String, usize>,
    /// The verdict of each step's last attempt.
    stands: BTreeMap<StepId, Verdict>,
    /// How often the step that was tried most was tried.
    attempts: usize,
    /// What hit it.
    pub blows: Vec<String>,
}

impl Account {
    /// Takes account; an error if something is wrong in itself, whatever another walk came to.
    pub fn of(
        states: &Path,
        asked: Vec<String>,
        blows: Vec<String>,
        opened: usize,
        runbook: &Runbook,
    ) -> Result<Self, String> {
        let records = records(states);
        whole(states)?;
        sound(&records)
            .and_then(|()| in_order(&records, runbook))
            .map_err(|error| error.to_string())?;
        once(states)?;
        counted(states)?;
        let mut changes = BTreeMap::new();
        for change in asked {
            *changes.entry(change).or_default() += 1;
        }
        let mut step = BTreeMap::new();
        let (mut stands, mut tried) = (BTreeMap::new(), BTreeMap::<StepId, usize>::new());
        for record in &records {
            match &record.entry {
                Entry::Armed(armed) => {
                    step.insert(&armed.run, &armed.step);
                }
                Entry::Confirmed { run, .. } => {
                    *tried.entry(step[run].clone()).or_default() += 1;
                }
                Entry::Judged { run, verdict, .. } => {
                    stands.insert(step[run].clone(), *verdict);
                }
                _ => {}
            }
        }
        let cut = blows
            .iter()
            .filter(|blow| blow.contains("cockpit") && !blow.contains("STOP"));
        if opened <= cut.count() {
            return Err(format!(
                "a cockpit that was killed went on: {opened} opened, {blows:?}"
            ));
        }
        Ok(Self {
            changes,
            stands,
            attempts: tried.into_values().max().unwrap_or_default(),
            blows,
        })
    }

    /// Holds a walk against the undisturbed one.
    pub fn against(&self, calm: &Self) -> Result<(), String> {
        if self.stands != calm.stands {
            return Err(format!(
                "it ends as {:?}, not as {:?}",
                self.stands, calm.stands
            ));
        }
        let names = |account: &Self| account.changes.keys().cloned().collect::<BTreeSet<_>>();
        let (mine, theirs) = (names(self), names(calm));
        let differs: Vec<_> = mine.symmetric_difference(&theirs).collect();
        if !differs.is_empty() {
            return Err(format!("other things were changed: {differs:?}"));
        }
        // A step that was tried again by its operator does again what can be done again.
        for (change, count) in &self.changes {
            if *count > calm.changes[change] * self.attempts {
                let usual = calm.changes[change];
                return Err(format!(
                    "{change}: {count} times in {} attempts, and {usual} times undisturbed",
                    self.attempts
                ));
            }
        }
        Ok(())
    }
}

/// The chain holds, and of torn records there is none left.
fn whole(states: &Path) -> Result<(), String> {
    for entry in std::fs::read_dir(states).expect("incidents") {
        let path = entry.expect("an entry").path();
        // What lies beside the incidents is none.
        if !path.is_dir() {
            continue;
        }
        let folder = Folder::at(&path);
        let replay = Replay::open(&folder.journal()).map_err(|error| error.to_string())?;
        for item in replay {
            if let Item::Notice(notice) = item {
                return Err(notice.to_string());
            }
        }
    }
    Ok(())
}

/// No child was started twice, and each run has one end.
fn once(states: &Path) -> Result<(), String> {
    for run in run_folders(states) {
        let records = run_records(&run);
        let count =
            |is: fn(&RunFact) -> bool| records.iter().filter(|record| is(&record.what)).count();
        let starting = count(|what| matches!(what, RunFact::Starting { .. }));
        let started = count(|what| matches!(what, RunFact::Started { .. }));
        let ended = count(|what| matches!(what, RunFact::Exited { .. } | RunFact::Lost { .. }));
        if starting > 1 || started > 1 || ended > 1 {
            return Err(format!("{}: {records:?}", run.display()));
        }
    }
    Ok(())
}

/// Every line that was printed is there, in order, but for what was in a killed runner's hand, which is recorded.
fn counted(states: &Path) -> Result<(), String> {
    let mut whole = 0;
    for run in run_folders(states) {
        if !run
            .file_name()
            .is_some_and(|name| name.to_string_lossy().contains("count"))
        {
            continue;
        }
        let output = Output::open(&RunDir::at(&run)).map_err(|error| error.to_string())?;
        let Some(output) = output else { continue };
        let lines = output
            .window(0, COUNTED * 2)
            .map_err(|error| error.to_string())?;
        let mut next = 1;
        let mut gap = false;
        for line in &lines {
            if line.text.contains("[relight: the runner was killed") {
                gap = true;
                continue;
            }
            let number = line
                .text
                .strip_prefix("counted ")
                .and_then(|text| text.parse::<usize>().ok());
            match number {
                Some(number) if number == next || (gap && number > next) => {
                    next = number + 1;
                    gap = false;
                }
                // The line in a killed runner's hand was cut.
                None if gap => {}
                _ => {
                    return Err(format!(
                        "{}: {next} was to come, and {:?} did",
                        run.display(),
                        line.text
                    ));
                }
            }
        }
        whole += usize::from(next == COUNTED + 1);
    }
    if whole == 0 {
        return Err("the counting step never came to its end".to_owned());
    }
    Ok(())
}
