//! What the cockpit starts from.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    cli::Open,
    incident::{Action, Instruments, Moment, RunId, Runbook, Step},
    journal::{Folder, StateDir},
    plan::{self, Plan},
    run::spec,
    state::{Access, Prepare, Prepared, State},
    step::{self, expand},
    term::Caps,
    theme,
};

/// Everything that is known before the first frame.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The runbook.
    pub runbook: Arc<Runbook>,
    /// The command line.
    pub open: Open,
    /// The terminal.
    pub caps: Caps,
    /// Who we are on this machine.
    pub operator: String,
    /// Which machine this is.
    pub host: String,
}

/// Reads plan and runbook.
///
/// # Errors
/// In words, for the terminal: every error of the plan at once.
pub fn setup(open: Open, caps: Caps) -> Result<Setup, String> {
    let plan = plan::load(&open.plan).map_err(|error| error.to_string())?;
    if let Some(name) = open
        .theme
        .as_deref()
        .filter(|name| !theme::names().contains(name))
    {
        return Err(format!(
            "there is no theme {name:?}; there are {}",
            theme::names().join(", ")
        ));
    }
    let runbook = Runbook::parse(Runbook::EMBEDDED)
        .map_err(|error| format!("assets/runbook.toml: {error}"))?;
    Ok(Setup {
        plan: Arc::new(plan),
        runbook: Arc::new(runbook),
        open,
        caps,
        operator: operator(),
        host: host(),
    })
}

impl Setup {
    /// Where libraries, plugins and panics write while the screen is up; `None` where nothing can be written.
    #[must_use]
    pub fn log(&self) -> Option<PathBuf> {
        let state = StateDir::locate(self.open.state_dir.as_deref()).ok()?;
        Some(state.path().join("cockpit.log"))
    }

    /// A state in which nothing has been seen or done.
    #[must_use]
    pub fn state(&self) -> State {
        let access = Access::Observer("the journal is being opened".to_owned());
        let (plan, runbook) = (Arc::clone(&self.plan), Arc::clone(&self.runbook));
        let mut state = State::new(plan, runbook, access, Moment::now(), prepare(&self.plan));
        state.desk.themes = theme::names().into_iter().map(str::to_owned).collect();
        let wanted = self
            .open
            .theme
            .clone()
            .unwrap_or_else(|| "default".to_owned());
        state.desk.theme = wanted;
        state
    }
}

/// How a step is expanded for its dialog: by the same code that the runner's spec is made with.
fn prepare(plan: &Arc<Plan>) -> Prepare {
    let plan = Arc::clone(plan);
    let known = Mutex::new(BTreeMap::new());
    // Plan and runbook do not change while a cockpit is open, and every frame asks for every step several times.
    Arc::new(move |step: &Step, dry_run, instruments: &Instruments| {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let prepared = known
            .entry((step.id.clone(), dry_run))
            .or_insert_with(|| expanded(step, &plan, dry_run))
            .clone();
        drop(known);
        let mut prepared = prepared?;
        let Action::Native(name) = &step.action else {
            return Ok(prepared);
        };
        if let Some(seen) = step::native(name).and_then(|native| native.seen) {
            match seen(&plan, instruments) {
                Ok(lines) => prepared.calls.extend(lines),
                // A dry run may come before there is anything to see.
                Err(_) if dry_run => {}
                Err(why) => return Err(why.to_string()),
            }
        }
        Ok(prepared)
    })
}

fn expanded(step: &Step, plan: &Plan, dry_run: bool) -> Result<Prepared, String> {
    let run = RunId::new(&step.id, 1, Moment::default());
    let nowhere = Folder::at(std::path::Path::new(""));
    let spec = spec::for_step(step, plan, &run, 0, &nowhere, dry_run)
        .map_err(|error| error.to_string())?;
    let phrase = step
        .phrase
        .as_deref()
        .map(|phrase| expand::text(phrase, plan))
        .transpose();
    let phrase = phrase.map_err(|error| error.to_string())?;
    Ok(Prepared {
        calls: spec.calls,
        phrase,
    })
}

fn operator() -> String {
    let named = ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}

fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() {
        "unknown host".to_owned()
    } else {
        name.to_owned()
    }
}
