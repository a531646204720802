//! The cockpit's hands on everything slow: journal, runs, probes, files. Each answers by an event.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    fs::File,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    sync::{Arc, LazyLock},
    time::Duration,
};

use tokio::sync::{mpsc::Sender, watch};

use super::{
    memory::{Command, Memory, Opening},
    runs::Runs,
    start::Setup,
};
use crate::{
    clients::{aws, black_box::Shelf, credential_files::CredentialFiles, kube::text::clean},
    incident::{Cluster, Fact, Instruments, Moment, Observation, Side, Subject},
    journal::{Entry, Folder, StateDir},
    plan::Plan,
    probe::{self, Sink, Targets, schedule::Schedule},
    report::printable,
    run::Redactor,
    state::{Access, Effect, Event, State},
    term::{Caps, clip},
};

/// How often the newest readings are kept for a cockpit that attaches.
const CHECKPOINT: Duration = Duration::from_secs(30);

/// How often the files of credentials are looked at: a `stat` of each, off the loop.
const CREDENTIALS: Duration = Duration::from_secs(2);

/// Everything that is not the loop.
pub struct Edge {
    /// Where probes put what they see.
    pub sink: Sink,
    schedule: Schedule,
    memory: Memory,
    folder: watch::Receiver<Option<Folder>>,
    runs: Runs,
    targets: Targets,
    shelf: Places,
    saved: Moment,
}

impl Edge {
    /// Starts journal, runs and probes.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(setup: &Setup, events: Sender<Event>) -> io::Result<Self> {
        let (told, folder) = watch::channel(None);
        let opening = Opening {
            plan: Arc::clone(&setup.plan),
            state_dir: setup.open.state_dir.clone(),
            read_only: setup.open.read_only,
            me: setup.me.clone(),
        };
        let memory = Memory::start(opening, events.clone(), told)?;
        let sink = sink();
        let targets = Targets::default();
        // As they are before anything is read from them: what is written while we start has changed, too.
        let mut files = CredentialFiles::of(&setup.plan);
        files.changed();
        let schedule = Schedule::start(probe::all(&setup.plan, &targets), &sink);
        tokio::spawn(watch_credentials(files, events.clone()));
        let runs = Runs::start(
            Arc::clone(&setup.plan),
            Arc::clone(&setup.runbook),
            folder.clone(),
            events,
        )?;
        Ok(Self {
            sink,
            schedule,
            memory,
            folder,
            runs,
            targets,
            shelf: Places::of(setup),
            saved: Moment::now(),
        })
    }

    /// Carries out what the state decided.
    pub fn perform(&self, effect: Effect, state: &State) {
        match effect {
            Effect::Record(entry) => self.record(entry),
            Effect::Start(armed) => self.runs.launch(&armed, state.story.token, state.me.name()),
            Effect::Identify(me) => self.memory.ask(Command::Identify(me)),
            Effect::Ask(wish) => self.memory.ask(Command::Ask(wish)),
            Effect::TakeOver(phrase, silent) => self.memory.ask(Command::TakeOver(phrase, silent)),
            Effect::Settle(run) => self.runs.settle(run),
            Effect::Cancel(run) => self.runs.cancel(run),
            Effect::ProbeNow => self.schedule.now(),
            Effect::ReadCredentials => aws::read_again(),
            Effect::Fetch(run, wanted) => self.runs.fetch(run, wanted),
            Effect::Find {
                run,
                text,
                from,
                forward,
            } => self.runs.find(run, text, from, forward),
            Effect::CopyOutput(run) => self.runs.save(run),
            // Those of the screen are carried out by the loop.
            Effect::Copy(..)
            | Effect::Offer(_)
            | Effect::Bell
            | Effect::Suspend
            | Effect::Renew(_)
            | Effect::Redraw
            // A replay has no edge.
            | Effect::Jump(_)
            | Effect::Quit => {}
        }
    }

    /// Tells the runs' side whether this cockpit is the operator's, and the probes where the incident lies.
    pub fn access(&mut self, access: &Access) {
        self.runs.operate(!matches!(access, Access::Observer(_)));
        self.place();
    }

    /// What a step of the incident has written down (black box, listeners, locks) is read by probes: once they know
    /// where it lies they look again, since the looks so far did not have it.
    fn place(&mut self) {
        let folder = self.folder.borrow().clone();
        if self.shelf.tell(&self.targets, folder.as_ref()) {
            self.schedule.now();
        }
    }

    fn record(&self, entry: Entry) {
        self.memory.ask(Command::Record(Box::new(entry)));
    }

    /// Passes on what was seen: to the track, and the load balancers' addresses to the probes that follow them.
    pub fn seen(&self, seen: &[Observation]) {
        for observation in seen {
            follow(&self.targets, observation);
        }
        self.memory.ask(Command::Seen(seen.to_vec()));
    }

    /// Passes on what another cockpit of this incident had seen.
    pub fn recalled(&self, kept: &Instruments) {
        recall(&self.targets, kept);
    }

    /// Once a second: keeps the practice region alive and, now and then, a checkpoint.
    pub fn beat(&mut self, state: &State) {
        let now = Moment::now();
        self.place();
        self.memory.ask(Command::Beat);
        if now.since(self.saved) >= CHECKPOINT {
            self.saved = now;
            self.memory
                .ask(Command::Save(Box::new(state.instruments.clone())));
        }
        keep_alive(&state.plan, now);
    }

    /// Copies a text: the bytes for the terminal, and what to tell. Whether the terminal took them cannot be known, so
    /// that the text is always saved as well, and never said to be "copied".
    #[must_use]
    pub fn copy(&self, what: &str, text: &str, caps: Caps) -> (String, Vec<u8>) {
        let text = &*outgoing(text);
        let saved = self.keep(what, text);
        let bytes = clip::osc52(text, caps);
        let sent = if bytes.is_some() {
            "sent to the terminal"
        } else {
            "too long for the terminal"
        };
        let notice = match saved {
            Ok(path) => format!("{what}: {sent}, saved at {}", path.display()),
            Err(error) => format!("{what}: {sent}, not saved: {error}"),
        };
        (notice, bytes.unwrap_or_default())
    }

    fn keep(&self, what: &str, text: &str) -> io::Result<PathBuf> {
        let folder = self.folder().map(|folder| folder.path().to_owned());
        let folder = folder.unwrap_or_else(std::env::temp_dir);
        let path = folder.join(format!("copy-{what}-{}.txt", Moment::now().millis()));
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(text.as_bytes())?;
        Ok(path)
    }

    /// The incident's folder, once there is one.
    #[must_use]
    pub fn folder(&self) -> Option<Folder> {
        self.folder.borrow().clone()
    }

    /// Lets everything go, with what is asked for on disk; runs go on. The incident's folder, for the summary.
    pub fn close(mut self, state: &State) -> Option<Folder> {
        self.memory
            .ask(Command::Save(Box::new(state.instruments.clone())));
        self.memory.close();
        self.folder()
    }
}

/// Tells when files that credentials are read from have changed, until the loop is gone. A file that is being written is
/// told of once it has come to rest.
async fn watch_credentials(mut files: CredentialFiles, events: Sender<Event>) {
    let mut fresh: BTreeSet<PathBuf> = BTreeSet::new();
    while !events.is_closed() {
        let looked = tokio::task::spawn_blocking(move || {
            let changed = files.changed();
            (files, changed)
        });
        let Ok((back, changed)) = looked.await else {
            return;
        };
        files = back;
        if changed.is_empty() && !fresh.is_empty() {
            let what = in_words(&std::mem::take(&mut fresh));
            let event = Event::CredentialsChanged(what, Moment::now());
            if events.send(event).await.is_err() {
                return;
            }
        }
        fresh.extend(changed);
        tokio::time::sleep(CREDENTIALS).await;
    }
}

/// Which files have changed, in a few words.
fn in_words(changed: &BTreeSet<PathBuf>) -> String {
    let first = changed
        .first()
        .map_or_else(String::new, |path| clean(&path.display().to_string(), 120));
    match changed.len() {
        0 | 1 => format!("{first} has changed, credentials are read again"),
        more => format!(
            "{first} and {} more have changed, credentials are read again",
            more - 1
        ),
    }
}

/// Once a second: keeps the practice region alive, if it is one.
pub(super) fn keep_alive(plan: &Plan, now: Moment) {
    #[cfg(feature = "practice")]
    if plan.practice
        && let Some(dir) = plan.path.parent()
        && now.secs() % 10 == 0
    {
        let _ = crate::practice::Lease::of(dir).touch();
    }
    #[cfg(not(feature = "practice"))]
    let _ = (plan, now);
}

/// Where black boxes lie, told to the probe that reads them whenever it changes.
#[derive(Debug)]
pub(super) struct Places {
    cluster: String,
    named: Option<PathBuf>,
    /// The folder of all incidents, once it was looked for.
    state: Option<PathBuf>,
    told: Option<Shelf>,
}

impl Places {
    pub(super) fn of(setup: &Setup) -> Self {
        Self {
            cluster: setup.plan.cluster.name.clone(),
            named: setup.open.state_dir.clone(),
            state: None,
            told: None,
        }
    }

    /// Whether the probes have been told of an incident now. Cheap when nothing has changed.
    pub(super) fn tell(&mut self, targets: &Targets, incident: Option<&Folder>) -> bool {
        if self.state.is_none() {
            let found = StateDir::locate(self.named.as_deref()).ok();
            self.state = found.map(|found| found.path().to_owned());
        }
        let boxes = Shelf::new(
            self.state.as_deref(),
            incident.map(Folder::path),
            &self.cluster,
        );
        let news = self.told.as_ref() != Some(&boxes);
        if news {
            targets.set_boxes(boxes.clone());
            self.told = Some(boxes);
        }
        news && incident.is_some()
    }
}

/// Where probes put what they see: without the secrets that an exec plugin or a server may have told in an error. It
/// is built with the first observation, off the first frame's way.
pub(super) fn sink() -> Sink {
    Sink::washing(redacted)
}

/// A text without the secrets of this process's environment and what looks like one; `None` if it may stay as it is.
pub(super) fn redacted(text: &str) -> Option<String> {
    match redactor().line(text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(clean) => Some(clean),
    }
}

fn redactor() -> &'static Redactor {
    static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::of_environment);
    &REDACTOR
}

/// An entry without the secrets that somebody typed, or a server said. What is compared later stays as it was shown:
/// calls, which are made without secrets, and phrases, which name things of the plan.
pub(super) fn washed(entry: &Entry) -> Entry {
    match crate::incident::plain::cleaned(entry, &redacted, &["calls", "phrase"]) {
        Ok(Some(clean)) => clean,
        Ok(None) | Err(_) => entry.clone(),
    }
}

/// A text that leaves this program: nothing that a terminal obeys, and no secret.
pub(super) fn outgoing(text: &str) -> String {
    redactor().text(&printable(text))
}

/// Passes a load balancer's addresses on to the probes that look them up and knock at them, and the zone's name servers
/// to the one that asks them where the parent zone does not tell.
///
/// A release that is being uninstalled loses its load balancer; the primary's old addresses are watched to the end.
pub(super) fn follow(targets: &Targets, seen: &Observation) {
    if let Ok(Fact::Zone(zone)) = &seen.outcome
        && !zone.private
    {
        targets.set_nameservers(zone.nameservers.clone());
    }
    if let Ok(Fact::BlackBox(found)) = &seen.outcome {
        targets.set_before(found.ends().into_iter().map(str::to_owned).collect());
    }
    let (Subject::Cluster(side), Ok(Fact::Cluster(cluster))) = (&seen.subject, &seen.outcome)
    else {
        return;
    };
    pass_on(targets, *side, cluster);
}

/// Passes on the load balancers that another cockpit of the incident had seen: with the region gone, nothing else knows
/// where the old one was.
pub(super) fn recall(targets: &Targets, kept: &Instruments) {
    for (subject, reading) in kept.iter() {
        if let (Subject::Cluster(side), Some((_, Fact::Cluster(cluster)))) =
            (subject, &reading.good)
            && targets.get(*side).is_empty()
        {
            pass_on(targets, *side, cluster);
        }
    }
}

fn pass_on(targets: &Targets, side: Side, cluster: &Cluster) {
    let mut hosts: BTreeSet<String> = match &cluster.load_balancer {
        Some(balancer) => balancer.addresses.iter().cloned().collect(),
        None => BTreeSet::new(),
    };
    if side == Side::Primary {
        hosts.extend(targets.get(side));
    }
    targets.set(side, hosts.into_iter().collect());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Failure, FailureKind};

    #[test]
    fn the_zones_own_name_servers_are_passed_on() {
        let targets = Targets::default();
        let seen = |private| Observation {
            subject: Subject::Zone,
            at: Moment::default(),
            took: Duration::ZERO,
            outcome: Ok(Fact::Zone(Arc::new(crate::incident::Zone {
                id: "Z1".to_owned(),
                name: "example.com".to_owned(),
                private,
                nameservers: vec!["ns-1.example.net".to_owned()],
                ..crate::incident::Zone::default()
            }))),
        };
        follow(&targets, &seen(true));
        assert!(targets.nameservers().is_empty(), "nobody can ask those");
        follow(&targets, &seen(false));
        assert_eq!(targets.nameservers(), ["ns-1.example.net"]);
    }

    #[test]
    fn no_observation_brings_a_secret_in() {
        let sink = sink();
        let said = "no credentials for west: its exec plugin ended with 255: password=correct-horse-battery";
        sink.put(
            Subject::Cluster(Side::Recovery),
            Duration::ZERO,
            Err(Failure::new(FailureKind::Credentials, said)),
        );
        let seen = sink.take_now();
        let text = serde_json::to_string(&seen).expect("JSON");
        assert!(text.contains("exec plugin ended with 255"), "{text}");
        assert!(!text.contains("correct-horse"), "{text}");
    }
}
