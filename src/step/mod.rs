//! HANDS: what a step does; with [`crate::run`] the only code that changes the world. One file per noun.
//!
//! A step is either argv, expanded by [`expand`], or native code in a row of [`natives`]. Both run in a process of their
//! own, started by the runner, and talk by lines on standard output: to stream, redact, store and cancel them is the
//! same for both.

mod abort;
mod agents;
mod arc;
mod backups;
mod barrier;
mod black_box;
mod bots;
mod dns;
pub mod expand;
mod freeze;
mod helm;
mod install;
mod load_balancer;
mod ping;
mod pods;
mod prerequisites;
mod reconcilers;
mod resources;
mod restart;
mod rights;
mod seen;
mod service;
mod starts;
mod stop;
mod tables;
mod teardown;
mod tls;
mod values;
mod yaml;

use std::{path::PathBuf, sync::Arc};

use futures::future::BoxFuture;

pub use black_box::told as told_black_box;

use crate::{
    clients::black_box::Shelf,
    incident::{Action, Instruments, RunId, Step},
    plan::Plan,
};

/// Where lines of output go.
type Say<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// What a native step is given.
#[derive(Clone, Debug)]
pub struct Context {
    /// The intent.
    pub plan: Arc<Plan>,
    /// The run it is.
    pub run: RunId,
    /// The incident's folder; empty where there is none.
    pub incident: PathBuf,
    /// Say what would be done and change nothing.
    pub dry_run: bool,
    /// What the operator confirmed, line by line; empty where nobody was asked.
    pub confirmed: Vec<String>,
    /// Whether the run's fencing token is still the incident's.
    pub fence: Fence,
}

/// Looked through right before each call that changes something: whoever took the incident over goes first.
#[derive(Clone, Default)]
pub struct Fence(Option<Arc<dyn Fn() -> Result<(), String> + Send + Sync>>);

impl Fence {
    /// A fence that looks; the default one lets everything through, as a dry run needs none.
    pub fn new(look: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(look)))
    }

    /// Whether the call may be made.
    ///
    /// # Errors
    /// Who holds the incident now.
    pub fn look(&self) -> Result<(), StepError> {
        match &self.0 {
            Some(look) => look().map_err(|lost| StepError(format!("nothing was changed: {lost}"))),
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for Fence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() {
            "Fence"
        } else {
            "no fence"
        })
    }
}

impl Context {
    /// A run that nobody was asked about and nobody can take over.
    #[must_use]
    pub fn new(plan: Arc<Plan>, run: RunId, dry_run: bool) -> Self {
        Self {
            plan,
            run,
            incident: PathBuf::new(),
            dry_run,
            confirmed: Vec::new(),
            fence: Fence::default(),
        }
    }

    /// Where the black boxes of this incident lie.
    #[must_use]
    pub fn shelf(&self) -> Shelf {
        let incident = (!self.incident.as_os_str().is_empty()).then_some(&*self.incident);
        Shelf::new(None, incident, &self.plan.cluster.name)
    }

    /// Writes one line of output. An output that nobody reads any more is no reason to stop: the world matters.
    pub fn say(&self, line: impl AsRef<str>) {
        use std::io::Write as _;

        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{}", line.as_ref());
        let _ = out.flush();
    }
}

/// Why a native step ended without having done its work: a full sentence, printed as its last line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StepError(pub String);

/// What a step will do to the world as the instruments show it.
pub type Seen = fn(&Plan, &Instruments) -> Result<Vec<String>, StepError>;

/// A native step.
pub struct Native {
    /// The name in the runbook.
    pub name: &'static str,
    /// What of the plan it cannot do without, as placeholders of [`expand`] name it: else the step is locked.
    pub needs: &'static [&'static str],
    /// What it will do, one line for each call: shown in the dialog before it is confirmed.
    pub calls: fn(&Plan) -> Vec<String>,
    /// Lines for what depends on the world as it was seen last; while an error, the step is locked by its sentence.
    /// The step does these lines and no others: it refuses if the world has moved on since they were confirmed.
    pub seen: Option<Seen>,
    /// Does it.
    pub run: fn(Context) -> BoxFuture<'static, Result<(), StepError>>,
}

/// The native step of that name.
#[must_use]
pub fn native(name: &str) -> Option<Native> {
    natives().into_iter().find(|native| native.name == name)
}

/// Whether what a step does hangs on the world as it was seen last, so that it is worth a look before it is asked for.
#[must_use]
pub fn shows(step: &Step) -> bool {
    let Action::Native(name) = &step.action else {
        return false;
    };
    native(name).is_some_and(|native| native.seen.is_some())
}

/// Every native step.
#[must_use]
pub fn natives() -> Vec<Native> {
    vec![
        backups::native(),
        black_box::native(),
        prerequisites::native(),
        freeze::native(),
        reconcilers::native(),
        restart::native(),
        stop::native(),
        barrier::native(),
        tables::restore(),
        tables::repair(),
        tables::authority(),
        values::native(),
        rights::native(),
        tls::check(),
        tls::request(),
        pods::native(),
        install::native(),
        resources::native(),
        load_balancer::native(),
        dns::native(),
        dns::otherwise_native(),
        arc::native(),
        ping::native(),
        service::native(),
        agents::native(),
        bots::native(),
        bots::unlock_native(),
        freeze::lift_native(),
        abort::native(),
        dns::revert_native(),
        teardown::native(),
    ]
}
