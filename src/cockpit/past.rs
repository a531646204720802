//! An incident opened to be looked at: no lock, no probe, nothing written.

use std::{path::Path, sync::Arc};

use super::{history, start::prepare};
use crate::{
    clients::freeze::Memory,
    incident::{HeldLock, History, Moment, Observation, Runbook},
    journal::{Checkpoint, Entry, Folder, Item, Notice, Record, Replay, StateDir, Track},
    plan::Plan,
    report::account::{Account, Form, Handover, Listed, Listing, Material},
    state::{Access, Event, State},
};

/// There is nothing to tell.
pub(super) const NONE: u8 = 2;
/// It was told, and something in it cannot be relied on.
pub(super) const BROKEN: u8 = 1;

/// An incident as its folder has it.
pub(super) struct Past {
    /// Its folder.
    pub folder: Folder,
    /// Every record.
    pub records: Vec<Record>,
    /// The plan: the incident's, or one with its names alone.
    pub plan: Arc<Plan>,
    /// Whether the plan is the incident's.
    pub planned: bool,
    /// The runbook, with the operator's own steps.
    pub runbook: Arc<Runbook>,
    /// What stands in the way of relying on it, each with its file.
    pub remarks: Vec<String>,
    /// Whether the journal itself is not as it was written.
    pub broken: bool,
}

impl Past {
    /// Opens an incident.
    ///
    /// # Errors
    /// In words, if its journal cannot be read or holds no record.
    pub fn open(folder: Folder) -> Result<Self, String> {
        let path = folder.journal();
        let place = path.display();
        let mut replay = Replay::open(&path).map_err(|error| format!("{place}: {error}"))?;
        let (mut records, mut remarks) = (Vec::new(), Vec::new());
        let mut broken = false;
        for item in replay.by_ref() {
            match item {
                Item::Record(record) => records.push(*record),
                Item::Notice(notice) => {
                    broken |= !matches!(notice, Notice::Unknown { .. });
                    remarks.push(format!("{place}: {notice}"));
                }
            }
        }
        let Some(Entry::Declared { .. }) = records.first().map(|record| &record.entry) else {
            let why = remarks.into_iter().next().unwrap_or_else(|| {
                format!("{place}: it does not begin with the declaration of an incident")
            });
            return Err(why);
        };
        let (plan, planned) = plan(&folder, &records, &mut remarks)?;
        let runbook = super::runbook(&plan).or_else(|why| {
            remarks.push(format!("steps of the operator's own are not told: {why}"));
            Runbook::parse(Runbook::EMBEDDED).map_err(|error| error.to_string())
        })?;
        Ok(Self {
            folder,
            records,
            plan: Arc::new(plan),
            planned,
            runbook: Arc::new(runbook),
            remarks,
            broken,
        })
    }

    /// The state before the first record.
    fn blank(&self, access: Access) -> State {
        let first = self.records.first().map(|record| record.at);
        State::new(
            Arc::clone(&self.plan),
            Arc::clone(&self.runbook),
            access,
            first.unwrap_or_default(),
            prepare(&self.plan),
        )
    }

    /// How long steps took in the incidents and drills before this one.
    pub fn history(&self) -> History {
        history::before(&self.plan, &self.folder)
    }

    /// The state after the last record, with the readings as they were last kept, and the time of the newest of all.
    pub fn end(&mut self, track: &[Observation]) -> State {
        let looking = Access::Observer("the incident is looked at afterwards".to_owned());
        let mut state = self.blank(looking);
        state.decide(Event::Replayed(self.records.clone()));
        let mut newest = state.now;
        match Checkpoint::load(&self.folder) {
            Ok(Some(checkpoint)) => {
                let looks = checkpoint
                    .instruments
                    .iter()
                    .map(|(_, reading)| reading.last.at);
                newest = looks.fold(newest, Moment::max);
                state.decide(Event::Recalled(checkpoint.instruments));
            }
            Ok(None) => {
                newest = track.iter().map(|look| look.at).fold(newest, Moment::max);
                state.decide(Event::Observed(track.to_vec(), newest));
            }
            Err(error) => self.remarks.push(error.to_string()),
        }
        state.decide(Event::Tick(newest));
        // Where a step stands is told as its operator would be told.
        state.decide(Event::Access(Access::Operator));
        state
    }

    /// Locks that its freeze made.
    pub fn locks(&mut self) -> Vec<HeldLock> {
        match Memory::read(self.folder.path()) {
            Ok(memory) => memory.held,
            Err(error) => {
                self.remarks.push(error.to_string());
                Vec::new()
            }
        }
    }
}

/// The plan of an incident: the copy beside its journal, else the file that it was declared by, else one that has its name
/// and nothing more. Says whether it is the incident's.
fn plan(
    folder: &Folder,
    records: &[Record],
    remarks: &mut Vec<String>,
) -> Result<(Plan, bool), String> {
    let Some(Entry::Declared {
        plan,
        digest,
        cluster,
        ..
    }) = records.first().map(|record| &record.entry)
    else {
        return Ok((nameless("")?, false));
    };
    let path = Path::new(plan);
    // Relative paths in the copy are meant from where the plan lay.
    let parse = |file: &Path| {
        let text = std::fs::read_to_string(file).ok()?;
        Plan::parse(path, &text).ok()
    };
    if let Some(kept) = parse(&folder.plan()) {
        return Ok((kept, true));
    }
    match parse(path) {
        Some(plan) if plan.cluster.name == *cluster => {
            if plan.digest != *digest {
                remarks.push(format!(
                    "{} was changed since the incident was declared: regions and objectives are those of today",
                    path.display()
                ));
            }
            Ok((plan, true))
        }
        _ => {
            remarks.push(format!(
                "the plan {} is gone or is another cluster's, and no copy of it was kept: regions and objectives are not known",
                path.display()
            ));
            Ok((nameless(cluster)?, false))
        }
    }
}

/// A plan with a name and nothing to look at; its regions are never told.
fn nameless(cluster: &str) -> Result<Plan, String> {
    let is_tame = |name: &str| {
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        !name.is_empty() && name.chars().all(fine)
    };
    let parse = |name: &str| {
        let text = format!(
            "[cluster]\nname = \"{name}\"\n[primary]\nregion = \"us-east-1\"\n[recovery]\nregion = \"us-west-2\"\n"
        );
        Plan::parse(Path::new("/relight.toml"), &text)
    };
    let named = is_tame(cluster).then(|| parse(cluster).ok()).flatten();
    let mut plan = named.map_or_else(
        || parse("unknown.example.com").map_err(|wrong| format!("no stand-in plan: {wrong:?}")),
        Ok,
    )?;
    // A region that is made up must not look like one.
    for side in [&mut plan.primary, &mut plan.recovery] {
        "unknown region".clone_into(&mut side.region);
    }
    plan.warnings.clear();
    Ok(plan)
}

/// What takes the secrets out of what is told: by the rules of the engine and this process's own variables.
fn cleaner() -> impl Fn(&str) -> Option<String> {
    super::edge::redacted
}

/// The folder of the incident that is meant: by its name in the state folder, or by a path; the newest unless named.
///
/// # Errors
/// In words, if there is none.
pub(super) fn find(state_dir: Option<&Path>, wanted: Option<&str>) -> Result<Folder, String> {
    if let Some(path) = wanted.filter(|wanted| wanted.contains('/')) {
        return Folder::given(Path::new(path));
    }
    match StateDir::existing(state_dir).map_err(|error| error.to_string())? {
        Some(state) => state.named(wanted),
        None => Err(
            "there is no incident: nothing was ever kept here; --state-dir names another folder"
                .to_owned(),
        ),
    }
}

/// Tells an incident, or its hand-over. The text and the exit code: 0 told, 1 told from a journal that is not as it was
/// written.
///
/// # Errors
/// If there is none to tell: why, and the exit code 2.
pub fn report(
    state_dir: Option<&Path>,
    wanted: Option<&str>,
    form: Form,
    brief: bool,
) -> Result<(String, u8), (String, u8)> {
    let opened = find(state_dir, wanted).and_then(Past::open);
    let mut past = opened.map_err(|why| (why, NONE))?;
    let track: Vec<Observation> = Track::read(&past.folder).collect();
    let mut state = past.end(&track);
    state.decide(Event::History(past.history()));
    let locks = past.locks();
    let clean = cleaner();
    let name = past.folder.name();
    let material = Material {
        name: &name,
        state: &state,
        records: &past.records,
        track: &track,
        planned: past.planned,
        remarks: &past.remarks,
        locks: &locks,
        told: Moment::now(),
        clean: &clean,
    };
    let text = if brief {
        Handover::of(&material).render(form)
    } else {
        Account::of(&material).render(form)
    };
    Ok((text, if past.broken { BROKEN } else { 0 }))
}

/// Lists the incidents, newest first. The text and the exit code: 0 told, 1 one of them is broken.
///
/// # Errors
/// In words, if the state folder cannot be used.
pub fn incidents(state_dir: Option<&Path>, json: bool) -> Result<(String, u8), String> {
    let state = StateDir::existing(state_dir).map_err(|error| error.to_string())?;
    let shelf = state
        .as_ref()
        .map_or_else(|| Ok(Vec::new()), StateDir::shelf);
    let shelf = shelf.map_err(|error| error.to_string())?;
    let clean = cleaner();
    let told = Moment::now();
    let rows = shelf.into_iter().map(|found| {
        let opened = match found.broken {
            Some(why) => Err(why),
            None => Past::open(found.folder),
        };
        let mut past = match opened {
            Ok(past) => past,
            Err(why) => return Listed::broken(&found.name, &why, &clean),
        };
        let holder = crate::journal::holder(&past.folder).ok().flatten();
        let held = holder
            .filter(|holder| holder.held)
            .map(|holder| format!("{} on {}", holder.operator, holder.host));
        let state = past.end(&[]);
        let material = Material {
            name: &found.name,
            state: &state,
            records: &past.records,
            track: &[],
            planned: past.planned,
            remarks: &past.remarks,
            locks: &[],
            told,
            clean: &clean,
        };
        Listed::of(&material, held.as_deref(), past.broken)
    });
    let listing = Listing::of(rows.collect(), told);
    let code = if listing.is_whole() { 0 } else { BROKEN };
    let place = state.map_or_else(
        || "nothing was ever kept".to_owned(),
        |state| state.path().display().to_string(),
    );
    let text = if json {
        listing.json()
    } else {
        listing.text(&place)
    };
    Ok((text, code))
}
