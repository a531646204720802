//! The journal's side of the loop: a thread that holds the lock, writes and waits for the disk, so that no key does.

use std::{
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::Sender;

use super::history::history;
use crate::{
    incident::{Instruments, Moment, Observation, plain},
    journal::{
        self, Checkpoint, Claim, Entry, Folder, Item, Kind, Lock, Record, Replay, StateDir, Track,
        Writer, files,
    },
    plan::Plan,
    state::{Access, Event},
};

/// How often an observer looks for what the operator's cockpit has written.
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
    /// Who we are on this machine.
    pub operator: String,
    /// Which machine.
    pub host: String,
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
}

struct Keeper {
    /// Why nothing may be begun on the disk, and when that was looked at.
    cramped: Option<String>,
    looked: Instant,
    opening: Opening,
    events: Sender<Event>,
    folder: tokio::sync::watch::Sender<Option<Folder>>,
    open: Option<Open>,
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
            operator: self.opening.operator.clone(),
            host: self.opening.host.clone(),
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
        self.follow(&mut replay);
        if let Ok(Some(checkpoint)) = Checkpoint::load(&folder) {
            self.tell(Event::Recalled(checkpoint.instruments));
        }
        let hand = match Lock::take(&folder, &self.claim(replay.tail().token)) {
            Ok(lock) => self.take_hand(&folder, &mut replay, lock),
            Err(error) => {
                self.tell(Event::Access(Access::Observer(error.to_string())));
                None
            }
        };
        let track = Track::new(&folder);
        self.folder.send_replace(Some(folder.clone()));
        let operator = hand.is_some();
        self.open = Some(Open {
            folder,
            replay,
            hand,
            track,
        });
        operator
    }

    /// Takes the lock of an incident whose holder has left: someone who looks on is there to go on. False while it is
    /// held; a race for it is lost without a word, and looked at again.
    fn inherit(&self, open: &mut Open) -> bool {
        let held = journal::holder(&open.folder)
            .map_or(true, |holder| holder.is_some_and(|holder| holder.held));
        if held {
            return false;
        }
        let Ok(lock) = Lock::take(&open.folder, &self.claim(open.replay.tail().token)) else {
            return false;
        };
        open.hand = self.take_hand(&open.folder, &mut open.replay, lock);
        if open.hand.is_some() {
            self.notice("the operator has left: this cockpit holds the incident now");
        }
        open.hand.is_some()
    }

    fn take_hand(
        &self,
        folder: &Folder,
        replay: &mut Replay,
        lock: Lock,
    ) -> Option<(Lock, Writer)> {
        // What the one before wrote until it let go: read before anything behind it counts as torn.
        self.follow(replay);
        match replay.cut_torn() {
            Ok(Some(notice)) => self.notice(notice.to_string()),
            Ok(None) => {}
            Err(error) => {
                let text = format!("cannot mend {}: {error}", folder.journal().display());
                self.tell(Event::Access(Access::Observer(text)));
                return None;
            }
        }
        match Writer::open(&lock, folder.journal(), replay.tail().clone()) {
            Ok(writer) => Some((lock, writer)),
            Err(error) => {
                self.tell(Event::Access(Access::Observer(error.to_string())));
                None
            }
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

    /// Looks at the disk: told at once, not when the next record is due.
    fn look_at_disk(&mut self) {
        let Some(open) = self.open.as_ref().filter(|open| open.hand.is_some()) else {
            return;
        };
        self.looked = Instant::now();
        let now = super::disk::cramped(open.folder.path());
        if let Some(why) = now
            .as_ref()
            .filter(|why| self.cramped.as_ref() != Some(why))
        {
            self.tell(Event::DiskFailed(why.clone()));
        }
        self.cramped = now;
    }

    /// Writes an entry and tells the loop when it is on disk. On a disk that is about to be full only what tells of what has
    /// been begun already is written.
    fn record(&mut self, entry: Entry) -> bool {
        let begins = matches!(
            entry,
            Entry::Declared { .. }
                | Entry::Overridden { .. }
                | Entry::Armed(_)
                | Entry::Confirmed { .. }
                | Entry::Noted { .. }
        );
        if begins {
            self.look_at_disk();
            if let Some(why) = &self.cramped {
                self.tell(Event::DiskFailed(why.clone()));
                return false;
            }
        }
        let Some((lock, writer)) = self.open.as_mut().and_then(|open| open.hand.as_mut()) else {
            self.tell(Event::DiskFailed(
                "this cockpit only observes the incident".to_owned(),
            ));
            return false;
        };
        // The loop knows what it has asked for by the entry itself: what went to the disk may be less than that.
        match writer.append(lock, Moment::now(), washed(&entry)) {
            Ok(record) => {
                self.tell(Event::Recorded(Record { entry, ..record }));
                // That one record found room is no sign that there is any.
                if let Some(why) = &self.cramped {
                    self.tell(Event::DiskFailed(why.clone()));
                }
                true
            }
            Err(error) => {
                let lost = lock.still_mine().err();
                self.tell(Event::DiskFailed(error.to_string()));
                // Taken over meanwhile: from here on this cockpit looks on.
                if let Some(lost) = lost {
                    if let Some(open) = self.open.as_mut() {
                        open.hand = None;
                    }
                    self.tell(Event::Access(Access::Observer(lost.to_string())));
                }
                false
            }
        }
    }

    /// Tells the loop what has been written since.
    fn follow(&self, replay: &mut Replay) {
        let mut portion: Vec<Record> = Vec::new();
        for item in replay.by_ref() {
            match item {
                Item::Record(record) => portion.push(*record),
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
        loop {
            let observing = self.open.as_ref().is_some_and(|open| open.hand.is_none());
            let command = if observing {
                match inbox.recv_timeout(FOLLOW) {
                    Err(mpsc::RecvTimeoutError::Timeout) => {
                        if let Some(mut open) = self.open.take() {
                            self.follow(&mut open.replay);
                            let free = self.inherit(&mut open);
                            self.open = Some(open);
                            if free {
                                self.allow();
                                self.record(Entry::Attached);
                            }
                        }
                        continue;
                    }
                    Err(mpsc::RecvTimeoutError::Disconnected) => return,
                    Ok(command) => command,
                }
            } else {
                if self.looked.elapsed() >= super::disk::LOOK {
                    self.look_at_disk();
                }
                match inbox.recv_timeout(super::disk::LOOK) {
                    Ok(command) => command,
                    Err(mpsc::RecvTimeoutError::Timeout) => continue,
                    Err(mpsc::RecvTimeoutError::Disconnected) => return,
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
                Command::Close => {
                    if self.open.as_ref().is_some_and(|open| open.hand.is_some()) {
                        self.record(Entry::Detached);
                    }
                    return;
                }
            }
        }
    }

    /// The track is a convenience: a disk that does not take it is told by the next record.
    fn track(&mut self, seen: &[Observation]) {
        if let Some(open) = self.open.as_mut().filter(|open| open.hand.is_some()) {
            for observation in seen {
                let _ = open.track.put(observation);
            }
        }
    }
}

/// An entry without the secrets that somebody typed, or a server said. What is compared later stays as it was shown:
/// calls, which are made without secrets, and phrases, which name things of the plan.
fn washed(entry: &Entry) -> Entry {
    match plain::cleaned(entry, &super::edge::redacted, &["calls", "phrase"]) {
        Ok(Some(clean)) => clean,
        Ok(None) | Err(_) => entry.clone(),
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
