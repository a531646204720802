//! The journal's side of the loop: a thread that holds the lock, writes and waits for the disk, so that no key does.

mod course;
mod records;
mod shared;
mod turns;

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::Sender;

use self::{
    course::{Course, Turn},
    shared::Bond,
};
use super::{history::history, share::Share};
use crate::{
    incident::{Instruments, Moment, Observation, Person, RunId},
    journal::{
        Checkpoint, Claim, Entry, Folder, Holder, Item, Kind, Lock, Record, Replay, StateDir,
        Track, Wish, Writer, files,
    },
    plan::Plan,
    state::{Access, Event},
};

/// How often an observer looks for what the operator's cockpit has written, and that one for what observers ask and
/// whether it was taken over.
const FOLLOW: Duration = Duration::from_millis(500);

/// Records are replayed to the loop in portions of this size.
const PORTION: usize = 500;

/// What the loop asks of the thread.
#[derive(Debug)]
pub enum Command {
    /// Write this down.
    Record(Box<Entry>),
    /// Note changes of facts in the track file.
    Seen(Vec<Observation>),
    /// Keep the newest readings for a cockpit that attaches.
    Save(Box<Instruments>),
    /// The loop turns: said to observers by the lock's file.
    Beat,
    /// STS has said who we are.
    Identify(Person),
    /// Ask the holder for something.
    Ask(Wish),
    /// Take the incident from its holder: what was typed, and how long the holder has been silent.
    TakeOver(String, Duration),
    /// Let the incident go: the last command.
    Close,
}

/// How the incident is opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The plan.
    pub plan: Arc<Plan>,
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// `--read-only`.
    pub read_only: bool,
    /// Who we are.
    pub me: Person,
}

/// The loop's end of the thread.
#[derive(Debug)]
pub struct Memory {
    commands: mpsc::Sender<Command>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Memory {
    /// Starts the thread: it finds the open incident of the plan, replays it to the loop, takes the lock, and from then
    /// on writes. `folder` is told once there is one.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(
        opening: Opening,
        events: Sender<Event>,
        folder: tokio::sync::watch::Sender<Option<Folder>>,
    ) -> std::io::Result<Self> {
        let (commands, inbox) = mpsc::channel();
        let (plan, dir) = (Arc::clone(&opening.plan), opening.state_dir.clone());
        let told = events.clone();
        // Nobody waits for it: without it the forecast is the guide's.
        thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || {
                let history = history(&plan, dir.as_deref());
                let _ = told.blocking_send(Event::History(history));
            })?;
        let thread = thread::Builder::new()
            .name("memory".to_owned())
            .spawn(move || {
                let mut keeper = Keeper {
                    cramped: None,
                    looked: Instant::now(),
                    opening,
                    events,
                    folder,
                    open: None,
                    share: None,
                };
                keeper.open();
                keeper.serve(&inbox);
            })?;
        Ok(Self {
            commands,
            thread: Some(thread),
        })
    }

    /// Asks for something; a thread that is gone has told why.
    pub fn ask(&self, command: Command) {
        let _ = self.commands.send(command);
    }

    /// Lets the incident go and waits until everything asked for is on disk.
    pub fn close(&mut self) {
        self.ask(Command::Close);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What is held while an incident is open.
struct Open {
    folder: Folder,
    replay: Replay,
    /// Lock and writer, if this cockpit is the operator.
    hand: Option<(Lock, Writer)>,
    track: Track,
    course: Course,
    /// What was asked of the holder and not answered yet.
    asked: BTreeSet<String>,
    /// Runs of before a take-over that are still there.
    awaited: Vec<RunId>,
    /// The holder as it was told last, for one who looks on.
    holder: Option<Holder>,
    /// What was wrong with requests, as it was told last.
    trouble: Option<String>,
    bond: Bond,
}

struct Keeper {
    /// Why nothing may be begun on the disk.
    cramped: Option<String>,
    looked: Instant,
    opening: Opening,
    events: Sender<Event>,
    folder: tokio::sync::watch::Sender<Option<Folder>>,
    open: Option<Open>,
    /// This machine's end of an incident that several share, where the plan names a table for it.
    share: Option<Share>,
}

impl Keeper {
    fn tell(&self, event: Event) {
        let _ = self.events.blocking_send(event);
    }

    fn notice(&self, text: impl Into<String>) {
        self.tell(Event::Notice(text.into(), Moment::now()));
    }

    /// Finds the open incident of the plan, if there is one. Practice is declared by being opened; a real incident
    /// with the first step that is run, so that looking leaves no trace.
    fn open(&mut self) {
        let state = match StateDir::locate(self.opening.state_dir.as_deref()) {
            Ok(state) => state,
            Err(error) => return self.tell(Event::Access(Access::Observer(error.to_string()))),
        };
        if self.join(&state) {
            return;
        }
        match state.find_open(&self.opening.plan) {
            Ok(found) => {
                if let Some(found) = found.into_iter().next() {
                    self.attach(found.folder);
                } else if self.opening.plan.practice && !self.opening.read_only {
                    self.declare();
                } else {
                    self.allow();
                }
            }
            Err(error) => self.tell(Event::Access(Access::Observer(error.to_string()))),
        }
    }

    fn allow(&self) {
        let access = if self.opening.read_only {
            Access::ReadOnly("opened with --read-only".to_owned())
        } else {
            Access::Operator
        };
        self.tell(Event::Access(access));
    }

    fn claim(&self, floor: u64) -> Claim {
        Claim {
            operator: self.opening.me.name(),
            host: self.opening.me.host.clone(),
            floor,
        }
    }

    /// Opens an incident that is there already.
    fn attach(&mut self, folder: Folder) {
        if self.hold(folder) {
            self.allow();
            self.record(Entry::Attached);
        }
    }

    /// Replays an incident to the loop and takes its lock if nobody else has it: true if it was taken.
    fn hold(&mut self, folder: Folder) -> bool {
        let mut replay = match Replay::open(&folder.journal()) {
            Ok(replay) => replay,
            Err(error) => {
                let text = format!("cannot read {}: {error}", folder.journal().display());
                self.tell(Event::Access(Access::Observer(text)));
                return false;
            }
        };
        let mut course = Course::default();
        self.follow(&mut replay, &mut course);
        if let Ok(Some(checkpoint)) = Checkpoint::load(&folder) {
            self.tell(Event::Recalled(checkpoint.instruments));
        }
        let mut open = Open {
            track: Track::new(&folder),
            folder,
            replay,
            hand: None,
            course,
            asked: BTreeSet::new(),
            awaited: Vec::new(),
            holder: None,
            trouble: None,
            bond: Bond::default(),
        };
        match Lock::take(&open.folder, &self.claim(open.replay.tail().token)) {
            Ok(lock) => {
                self.take_hand(&mut open, lock);
                self.bind(&mut open);
                if open.hand.is_some() && open.course.turn(&open.asked) == Turn::Theirs {
                    open.hand = None;
                    let text = "it was handed over: the cockpit of who accepted it takes it";
                    self.tell(Event::Access(Access::Observer(text.to_owned())));
                }
            }
            Err(error) => {
                self.look_at_holder(&mut open);
                self.tell(Event::Access(Access::Observer(error.to_string())));
            }
        }
        self.folder.send_replace(Some(open.folder.clone()));
        let operator = open.hand.is_some();
        if operator {
            self.wait_for_taken(&mut open);
        }
        self.open = Some(open);
        operator
    }

    /// Reads what the one before wrote until it let go, and gets ready to write after it.
    fn take_hand(&self, open: &mut Open, lock: Lock) {
        // Read before anything behind it counts as torn.
        self.follow(&mut open.replay, &mut open.course);
        match open.replay.cut_torn() {
            Ok(Some(notice)) => self.notice(notice.to_string()),
            Ok(None) => {}
            Err(error) => {
                let text = format!("cannot mend {}: {error}", open.folder.journal().display());
                return self.tell(Event::Access(Access::Observer(text)));
            }
        }
        match Writer::open(&lock, open.folder.journal(), open.replay.tail().clone()) {
            Ok(writer) => open.hand = Some((lock, writer)),
            Err(error) => self.tell(Event::Access(Access::Observer(error.to_string()))),
        }
    }

    /// Opens a new incident. Its first record is the declaration, by which the next cockpit finds it. False if it could not be.
    fn declare(&mut self) -> bool {
        let now = Moment::now();
        let made = StateDir::locate(self.opening.state_dir.as_deref())
            .and_then(|state| state.create(&self.opening.plan.cluster.name, now));
        let folder = match made {
            Ok(folder) => folder,
            Err(error) => {
                // Nobody else holds anything: what is missing is a disk, and the sentence says so.
                self.allow();
                self.tell(Event::DiskFailed(error.to_string()));
                return false;
            }
        };
        if !self.hold(folder) {
            return false;
        }
        if let Some(open) = &self.open {
            keep_plan(&self.opening.plan, &open.folder);
        }
        let declared = declaration(&self.opening.plan, Kind::Incident, now);
        if !self.record(declared) {
            return false;
        }
        self.allow();
        true
    }

    /// Tells the loop what has been written since.
    fn follow(&self, replay: &mut Replay, course: &mut Course) {
        let mut portion: Vec<Record> = Vec::new();
        for item in replay.by_ref() {
            match item {
                Item::Record(record) => {
                    course.take(&record);
                    portion.push(*record);
                }
                Item::Notice(notice) => self.notice(notice.to_string()),
            }
            if portion.len() == PORTION {
                self.tell(Event::Replayed(std::mem::take(&mut portion)));
            }
        }
        if !portion.is_empty() {
            self.tell(Event::Replayed(portion));
        }
    }

    fn serve(&mut self, inbox: &mpsc::Receiver<Command>) {
        let mut due = Instant::now();
        loop {
            // By the clock, not by silence: commands come all the time.
            let command = if self.open.is_some() {
                let now = Instant::now();
                if self.looked.elapsed() >= super::disk::LOOK {
                    self.look_at_disk();
                }
                if now >= due {
                    self.look();
                    due = Instant::now() + FOLLOW;
                }
                match inbox.recv_timeout(due.saturating_duration_since(Instant::now())) {
                    Err(mpsc::RecvTimeoutError::Timeout) => continue,
                    Err(mpsc::RecvTimeoutError::Disconnected) => return,
                    Ok(command) => command,
                }
            } else {
                match inbox.recv() {
                    Ok(command) => command,
                    Err(_) => return,
                }
            };
            match command {
                Command::Record(entry) => {
                    if self.open.is_none() && !self.declare() {
                        continue;
                    }
                    self.record(*entry);
                }
                Command::Seen(seen) => self.track(&seen),
                Command::Save(instruments) => {
                    if let Some(open) = self.open.as_ref().filter(|open| open.hand.is_some()) {
                        let _ = Checkpoint::save(&open.folder, &instruments, Moment::now());
                    }
                }
                Command::Beat => {
                    if let Some((lock, _)) = self.open.as_ref().and_then(|open| open.hand.as_ref())
                    {
                        lock.beat();
                    }
                }
                Command::Identify(me) => self.identify(me),
                Command::Ask(wish) => self.ask(wish),
                Command::TakeOver(phrase, silent) => self.take_over(phrase, silent),
                Command::Close => {
                    if self.open.as_ref().is_some_and(|open| open.hand.is_some()) {
                        self.record(Entry::Detached);
                    }
                    self.leave();
                    return;
                }
            }
        }
    }
}

/// The first record of an incident or a drill; in a practice it is a practice, whatever was asked for.
pub(super) fn declaration(plan: &Plan, what: Kind, outage: Moment) -> Entry {
    Entry::Declared {
        what: if plan.practice { Kind::Practice } else { what },
        cluster: plan.cluster.name.clone(),
        plan: plan.path.to_string_lossy().into_owned(),
        digest: plan.digest.clone(),
        outage,
    }
}

/// Keeps the plan beside the journal: objectives and regions are told afterwards by what they were then. One that was
/// changed since it was read is another plan, and is not kept.
pub(super) fn keep_plan(plan: &Plan, folder: &Folder) {
    let kept = std::fs::read_to_string(&plan.path).ok().filter(|text| {
        Plan::parse(&plan.path, text).is_ok_and(|again| again.digest == plan.digest)
    });
    if let Some(text) = kept {
        // Without it the report reads the plan where it lies, and says whether it was changed.
        let _ = files::write_atomic(&folder.plan(), text.as_bytes());
    }
}
