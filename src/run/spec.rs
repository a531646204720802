//! What is to be run, as the operator saw it.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Redactor, RunDir};
use crate::{
    incident::{Action, Moment, RunId, Step, StepId},
    journal::{Folder, files},
    plan::Plan,
    step::{self, expand, expand::ExpandError},
};

/// Longest spec that is read.
const CAP: u64 = 1024 * 1024;
/// Time between TERM and KILL unless said. Helm gives its hooks up within a second or two.
const GRACE: Duration = Duration::from_secs(10);

/// One run: everything that its runner needs to know, written once by the starter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The run.
    pub run: RunId,
    /// The step.
    pub step: StepId,
    /// Program and arguments; never a shell line.
    pub argv: Vec<String>,
    /// Variables set on top of the cockpit's environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Where the child starts: the folder of the plan.
    pub cwd: PathBuf,
    /// How long the run may take, in milliseconds on disk.
    #[serde(with = "millis")]
    pub timeout: Duration,
    /// Time between TERM and KILL, in milliseconds on disk.
    #[serde(with = "millis")]
    pub grace: Duration,
    /// Fencing token under which it was confirmed; compared with the incident's right before the child starts.
    pub token: u64,
    /// Folder of the incident.
    pub incident: PathBuf,
    /// Change nothing.
    pub dry_run: bool,
    /// Nothing is started: the argv is the output. So a dry run of a foreign program.
    pub print_only: bool,
    /// When it was made; a runner that finds it minutes later starts nothing.
    pub at: Moment,
    /// What the dialog shows: the argv as one line, or one line for each API call. A native step does these and no
    /// others.
    #[serde(default)]
    pub calls: Vec<String>,
    /// The run under whose idempotency tokens it asks, where it repeats one whose end nobody saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<RunId>,
    /// Who confirmed it, and whose environment and credentials it has.
    #[serde(default)]
    pub by: String,
    /// SHA-256 of the plan it was made from: a native step, which reads the plan again, refuses another one.
    #[serde(default)]
    pub digest: String,
    /// The plan, where it names a table by which several machines share the incident: who holds it is asked there, too.
    #[serde(default)]
    pub shared: Option<PathBuf>,
}

/// Why there is no spec.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpecError {
    /// The plan lacks something.
    #[error(transparent)]
    Expand(#[from] ExpandError),
    /// The runbook names code that there is not.
    #[error(
        "the runbook names the native step {0:?}, which this version of Relight does not have: correct assets/runbook.toml"
    )]
    NoSuchNative(String),
    /// This binary does not know where it is.
    #[error("cannot tell the path of the running relight binary: {0}; start it by its full path")]
    NoBinary(String),
    /// An isolated drill may not run it.
    #[error("{0}")]
    Barred(String),
    /// There is nothing to run.
    #[error("step {0} is done by hand: there is nothing to run")]
    Manual(StepId),
    /// An argv of nothing.
    #[error("step {0} has an empty argv: correct assets/runbook.toml")]
    Empty(StepId),
}

/// Turns a step into a run: argv expanded from the plan, or this binary with `step exec` for a native one. Nothing is
/// written or started; the dialog shows [`Spec::calls`], and the same value then goes to [`super::start()`].
///
/// # Errors
/// A sentence to lock the step with.
pub fn for_step(
    step: &Step,
    plan: &Plan,
    run: &RunId,
    token: u64,
    incident: &Folder,
    dry_run: bool,
) -> Result<Spec, SpecError> {
    if let Some(why) = step.bar() {
        return Err(SpecError::Barred(why));
    }
    let (argv, calls) = match &step.action {
        Action::Argv(template) => {
            let argv = expand::argv(template, plan)?;
            // What is shown goes to the journal too. By the rules alone, so that every cockpit shows the same.
            let shown = expand::shown(&argv);
            let shown = Redactor::new([]).line(&shown).into_owned();
            (argv, vec![shown])
        }
        Action::Native(name) => native(name, plan, run, incident, dry_run)?,
        Action::Manual(_) => return Err(SpecError::Manual(step.id.clone())),
    };
    if argv.first().is_none_or(String::is_empty) {
        return Err(SpecError::Empty(step.id.clone()));
    }
    let mut env: BTreeMap<String, String> = PATHS
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), from_here(&std::env::var(name).ok()?))))
        .collect();
    env.insert("RELIGHT_RUN".to_owned(), run.as_str().to_owned());
    env.insert("RELIGHT_STEP".to_owned(), step.id.as_str().to_owned());
    Ok(Spec {
        run: run.clone(),
        step: step.id.clone(),
        argv,
        env,
        cwd: absolute(&plan.path)
            .parent()
            .map_or_else(|| PathBuf::from("/"), PathBuf::from),
        timeout: step.timeout,
        grace: GRACE,
        token,
        incident: absolute(incident.path()),
        dry_run,
        print_only: dry_run && matches!(step.action, Action::Argv(_)),
        at: Moment::now(),
        calls,
        again: None,
        by: String::new(),
        digest: plan.digest.clone(),
        shared: plan.coordination.as_ref().map(|_| absolute(&plan.path)),
    })
}

/// Variables that name files. The cockpit reads them from its own folder and the child starts in the plan's: a relative
/// path would make the probes look at one cluster and the step change another.
const PATHS: [&str; 3] = [
    "KUBECONFIG",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
];

/// A list of paths, each made absolute from where this process is.
fn from_here(paths: &str) -> String {
    let absolute = |path: &str| {
        if path.is_empty() {
            String::new()
        } else {
            absolute(Path::new(path)).to_string_lossy().into_owned()
        }
    };
    let all: Vec<String> = paths.split(':').map(absolute).collect();
    all.join(":")
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn native(
    name: &str,
    plan: &Plan,
    run: &RunId,
    incident: &Folder,
    dry_run: bool,
) -> Result<(Vec<String>, Vec<String>), SpecError> {
    let native = step::native(name).ok_or_else(|| SpecError::NoSuchNative(name.to_owned()))?;
    let needs = native.needs.join("}{");
    if !needs.is_empty() {
        expand::text(&format!("{{{needs}}}"), plan)?;
    }
    let binary = std::env::current_exe().map_err(|error| SpecError::NoBinary(error.to_string()))?;
    let binary = binary.to_string_lossy();
    // The child starts in the plan's folder: a relative path would lead elsewhere from there.
    let plan_path = absolute(&plan.path);
    let plan_path = plan_path.to_string_lossy();
    let mut argv: Vec<String> = [
        &*binary,
        "step",
        "exec",
        name,
        "--plan",
        &*plan_path,
        "--run",
        run.as_str(),
        "--incident",
        &*absolute(incident.path()).to_string_lossy(),
    ]
    .map(str::to_owned)
    .into();
    if dry_run {
        argv.push("--dry-run".to_owned());
    }
    Ok((argv, (native.calls)(plan)))
}

impl Spec {
    /// Writes it into the run's folder.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn save(&self, dir: &RunDir) -> io::Result<()> {
        files::write_atomic(&dir.spec(), &serde_json::to_vec_pretty(self)?)
    }

    /// Reads it back.
    ///
    /// # Errors
    /// If it is not there or is none.
    pub fn load(dir: &RunDir) -> io::Result<Self> {
        Ok(serde_json::from_slice(&files::read_capped(
            &dir.spec(),
            CAP,
        )?)?)
    }
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{incident::Runbook, plan::sample::plan};

    fn spec(id: &str, plan: &Plan, dry_run: bool) -> Result<Spec, SpecError> {
        let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the runbook");
        let id = StepId::try_from(id.to_owned()).expect("an id");
        let run = RunId::new(&id, 1, Moment::from_secs(7));
        let folder = Folder::at(Path::new("/state/incident"));
        for_step(
            runbook.get(&id).expect("a step"),
            plan,
            &run,
            3,
            &folder,
            dry_run,
        )
    }

    #[test]
    fn a_foreign_program_is_shown_as_it_is_run_and_only_printed_in_a_dry_run() {
        let mut step = Runbook::parse(Runbook::EMBEDDED)
            .expect("the runbook")
            .steps
            .remove(0);
        step.action = crate::incident::Action::Argv(
            [
                "{tools.helm}",
                "status",
                "{cluster.release}",
                "--kube-context",
                "{recovery.context}",
            ]
            .map(str::to_owned)
            .to_vec(),
        );
        let run = RunId::new(&step.id, 1, Moment::from_secs(7));
        let folder = Folder::at(Path::new("/state/incident"));
        let spec = for_step(&step, &plan(), &run, 3, &folder, true).expect("a spec");
        assert!(spec.print_only);
        assert_eq!(spec.token, 3);
        assert_eq!(spec.cwd, Path::new("/etc"));
        assert_eq!(
            spec.calls,
            ["helm status teleport-cluster --kube-context west"]
        );
    }

    #[test]
    fn a_step_that_lacks_something_says_what() {
        let mut plan = plan();
        plan.cluster.version = None;
        let sentence = spec("install", &plan, false)
            .expect_err("locked")
            .to_string();
        assert!(
            sentence.contains("does not say cluster.version"),
            "{sentence}"
        );
    }

    #[test]
    fn a_native_step_that_lacks_something_is_locked_like_any_other() {
        let mut plan = plan();
        plan.dns.zone_id = None;
        let sentence = spec("switch-dns", &plan, false)
            .expect_err("locked")
            .to_string();
        assert!(sentence.contains("does not say dns.zone_id"), "{sentence}");
    }

    #[test]
    fn paths_of_the_environment_lead_to_the_same_files_from_the_plans_folder() {
        let here = std::env::current_dir().expect("a folder");
        let wanted = format!("/a/b:{}", here.join("kube/west").display());
        assert_eq!(from_here("/a/b:kube/west"), wanted);
    }

    #[test]
    fn a_spec_comes_back_as_it_was() {
        let temp = tempfile::tempdir().expect("a folder");
        let dir = RunDir::at(temp.path());
        let before = spec("install", &plan(), false).expect("a spec");
        before.save(&dir).expect("saved");
        assert_eq!(Spec::load(&dir).expect("read"), before);
    }
}
