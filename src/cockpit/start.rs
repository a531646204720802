//! What the cockpit starts from.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    cli::Open,
    incident::{Action, Instruments, Moment, Person, RunId, Runbook, Step, StepId},
    input,
    journal::{Folder, StateDir},
    plan::{self, Approved, Plan},
    run::{
        outlive::{self, Fate},
        spec,
    },
    settings::{self, Ascii, Settings},
    state::{Access, Notice, Prepare, Prepared, State, Tone},
    step::{self, expand},
    term::Caps,
    theme::Shelf,
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
    /// Who we are on this machine: STS has not been asked yet.
    pub me: Person,
    /// The user's own taste, as far as it could be read.
    pub settings: Settings,
    /// The themes there are.
    pub shelf: Shelf,
}

/// Reads plan and runbook.
///
/// # Errors
/// In words, for the terminal: every error of the plan at once.
pub fn setup(open: Open, caps: Caps) -> Result<Setup, String> {
    let plan = plan::load(&open.plan).map_err(|error| error.to_string())?;
    let runbook = runbook(&plan)?;
    Setup::of(open, caps, Arc::new(plan), Arc::new(runbook))
}

/// The embedded runbook with the operator's own steps in it.
///
/// # Errors
/// In words, for the terminal: every error of the runbook file at once.
pub fn runbook(plan: &Plan) -> Result<Runbook, String> {
    let base = Runbook::parse(Runbook::EMBEDDED)
        .map_err(|error| format!("assets/runbook.toml: {error}"))?;
    let placeholders = |text: &str| expand::unknown(text, plan);
    let runbook = plan::runbook(plan, base, &placeholders).map_err(|error| error.to_string())?;
    let drill = runbook.clone().isolated();
    let drill = drill.map_err(|error| format!("assets/isolated.toml: {error}"))?;
    // One plan serves both: a step that only a drill has may need a second person, too.
    approvals(plan, &drill)?;
    Ok(plan.isolated().map_or(runbook, |_| drill))
}

/// A step that needs a second person and that nobody knows would be a rule that does not hold: a slip of the pen.
fn approvals(plan: &Plan, runbook: &Runbook) -> Result<(), String> {
    let unknown = plan
        .approvals
        .steps
        .iter()
        .find_map(|approved| match approved {
            Approved::Step(id) if runbook.get(id).is_none() => Some(id),
            _ => None,
        });
    unknown.map_or(Ok(()), |id| {
        Err(format!(
            "{}: [approvals] steps names {:?}, and the runbook has no such step: write an id as `relight step list` prints it, \"change\" or \"destroy\"",
            plan.path.display(),
            id.as_str()
        ))
    })
}

/// The user's own settings and themes. Nothing in them keeps the cockpit from opening: what cannot be used is among the
/// warnings, and the usual holds.
fn taste(path: Option<PathBuf>) -> (Settings, Shelf) {
    let Some(path) = path else {
        return (Settings::default(), Shelf::default());
    };
    let mut settings = Settings::load(&path);
    let (shelf, warnings) = Shelf::load(&path.with_file_name("themes"));
    settings.warnings.extend(warnings);
    let known = shelf.names();
    if let Some(name) = settings.theme.take_if(|name| !known.contains(name)) {
        let text = format!("theme: there is no {name:?}; the usual one holds");
        settings.warnings.push(text);
    }
    let (keys, warnings) = input::adopt(&settings.keys);
    settings.keys = keys;
    settings.warnings.extend(warnings);
    (settings, shelf)
}

impl Setup {
    /// A setup for a plan and a runbook, with the user's own taste.
    ///
    /// # Errors
    /// If the command line names a theme that there is not.
    pub(super) fn of(
        open: Open,
        caps: Caps,
        plan: Arc<Plan>,
        runbook: Arc<Runbook>,
    ) -> Result<Self, String> {
        let (settings, shelf) = taste(settings::path());
        let names = shelf.names();
        if let Some(name) = open.theme.as_ref().filter(|name| !names.contains(name)) {
            return Err(format!(
                "there is no theme {name:?}; there are {}",
                names.join(", ")
            ));
        }
        Ok(Self {
            plan,
            runbook,
            open,
            caps,
            me: me(),
            settings,
            shelf,
        })
    }

    /// Where libraries, plugins and panics write while the screen is up; `None` where nothing can be written.
    #[must_use]
    pub fn log(&self) -> Option<PathBuf> {
        let state = StateDir::locate(self.open.state_dir.as_deref()).ok()?;
        Some(state.path().join("cockpit.log"))
    }

    /// The step of that name.
    ///
    /// # Errors
    /// If the runbook has none: with the names there are.
    pub fn step(&self, name: &str) -> Result<StepId, String> {
        let found = self.runbook.named(name);
        found.map(|step| step.id.clone()).ok_or_else(|| {
            let steps = &self.runbook.steps;
            let names: Vec<&str> = steps.iter().map(|step| step.id.as_str()).collect();
            format!("there is no step {name:?}; there are {}", names.join(", "))
        })
    }

    /// A state in which nothing has been seen or done.
    #[must_use]
    pub fn state(&self) -> State {
        let access = Access::Observer("the journal is being opened".to_owned());
        let (plan, runbook) = (Arc::clone(&self.plan), Arc::clone(&self.runbook));
        let mut state = State::new(plan, runbook, access, Moment::now(), prepare(&self.plan));
        state.me = self.me.clone();
        state.desk.themes = self.shelf.names();
        let about = |name: &String| {
            let theme = self.shelf.theme(name, self.caps.depth)?;
            Some((name.clone(), theme.about))
        };
        state.desk.abouts = state.desk.themes.iter().filter_map(about).collect();
        state.desk.theme = self.theme();
        state.desk.keys.clone_from(&self.settings.keys);
        if let Fate::Ends(why) = outlive::here() {
            state.frail = Some(why);
        }
        state.desk.notice = self.warning().map(|text| Notice {
            text,
            at: state.now,
            tone: Tone::Warn,
        });
        state
    }

    /// The theme: of the command line, else of the settings, else the default.
    #[must_use]
    pub fn theme(&self) -> String {
        let wanted = self.open.theme.as_ref().or(self.settings.theme.as_ref());
        wanted.cloned().unwrap_or_else(|| "default".to_owned())
    }

    /// Whether to draw with ASCII only: the command line, else the settings, else what the terminal has.
    #[must_use]
    pub const fn ascii(&self) -> bool {
        match self.settings.ascii {
            _ if self.open.ascii => true,
            Ascii::Always => true,
            Ascii::Never => false,
            Ascii::Auto => self.caps.ascii,
        }
    }

    /// What of the settings was not understood, for the first frame.
    fn warning(&self) -> Option<String> {
        let (first, rest) = self.settings.warnings.split_first()?;
        Some(match rest.len() {
            0 => first.clone(),
            more => format!("{first} (and {more} more)"),
        })
    }
}

/// How a step is expanded for its dialog: by the same code that the runner's spec is made with.
pub(super) fn prepare(plan: &Arc<Plan>) -> Prepare {
    let plan = Arc::clone(plan);
    let known = Mutex::new(BTreeMap::new());
    // Plan and runbook do not change while a cockpit is open, and every frame asks for every step several times.
    Arc::new(move |step: &Step, dry_run, instruments: &Instruments| {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let prepared = known
            .entry((step.id.clone(), step.way, dry_run))
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
    let calls = match &step.action {
        Action::Manual(text) => expand::text(text.trim(), plan)
            .map(|text| vec![text])
            .map_err(|error| error.to_string()),
        _ => spec::for_step(step, plan, &run, 0, &nowhere, dry_run)
            .map(|spec| spec.calls)
            .map_err(|error| error.to_string()),
    };
    let calls = calls?;
    let phrase = step
        .phrase
        .as_deref()
        .map(|phrase| expand::text(phrase, plan))
        .transpose();
    let phrase = phrase.map_err(|error| error.to_string())?;
    Ok(Prepared { calls, phrase })
}

/// Who we are, as far as this machine tells.
fn me() -> Person {
    Person {
        arn: None,
        user: operator(),
        uid: rustix::process::getuid().as_raw(),
        host: host(),
        pid: std::process::id(),
    }
}

pub(super) fn operator() -> String {
    let named = ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}

pub(super) fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() {
        "unknown host".to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::{cli::Cli, plan::sample, theme::Depth};

    /// A setup with these settings, beside a folder with a theme of the user's own.
    fn setup_with(text: &str, args: &[&str]) -> Setup {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("settings.toml");
        std::fs::write(&path, text).expect("written");
        let themes = dir.path().join("themes");
        std::fs::create_dir(&themes).expect("a folder");
        let own = include_str!("../../themes/dark.toml");
        std::fs::write(themes.join("night.toml"), own).expect("written");
        let (settings, shelf) = taste(Some(path));
        let cli = Cli::parse_from(["relight"].iter().chain(args));
        Setup {
            plan: Arc::new(sample::plan()),
            runbook: Arc::new(Runbook::parse(Runbook::EMBEDDED).expect("the embedded runbook")),
            open: cli.open,
            caps: Caps {
                depth: Depth::Ansi16,
                ascii: false,
                draws: true,
                within: None,
            },
            me: me(),
            settings,
            shelf,
        }
    }

    #[test]
    fn the_users_settings_hold_and_the_command_line_goes_over_them() {
        let text = "theme = \"night\"\nascii = true\nfps = 4\n[keys]\nhelp = \"f1\"\n";
        let setup = setup_with(text, &[]);
        let state = setup.state();
        assert_eq!(state.desk.theme, "night");
        assert!(state.desk.themes.contains(&"night".to_owned()));
        assert!(setup.ascii());
        assert_eq!(setup.settings.fps, Some(4));
        assert_eq!(state.desk.notice, None);
        let hints = input::hints(&state);
        assert!(hints.contains(&("f1".to_owned(), "help")), "{hints:?}");

        let setup = setup_with(text, &["--theme", "light"]);
        assert_eq!(setup.state().desk.theme, "light");
        let setup = setup_with("ascii = false\n", &["--ascii"]);
        assert!(setup.ascii());
        assert_eq!(setup.state().desk.theme, "default");
    }

    #[test]
    fn settings_that_cannot_be_used_are_told_on_the_first_frame_and_stop_nothing() {
        let cases = [
            ("theme = \"dark\"\nascii = = 1\n", "The usual settings hold"),
            ("theme = \"nowhere\"\n", "there is no \"nowhere\""),
            ("[keys]\nhelp = \"d\"\n", "d is dry-run already"),
            ("colour = 1\nfps = 900\n", "(and 1 more)"),
        ];
        for (text, told) in cases {
            let setup = setup_with(text, &[]);
            let state = setup.state();
            let notice = state.desk.notice.as_ref().expect(told);
            assert!(notice.text.contains(told), "{}", notice.text);
            assert_eq!(state.desk.theme, "default");
            let hints = input::hints(&state);
            assert!(hints.contains(&("?".to_owned(), "help")), "{hints:?}");
        }
    }
}
