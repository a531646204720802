//! Who may write: an OS lock on `INCIDENT/lock`, and in the same file a fencing token that grows at each taking.
//!
//! The OS lock ends with its holder, however that ends. The token tells a holder that was stopped for ten minutes, and
//! whose lock was taken over meanwhile, that its time is over: it is compared right before each side effect.
//!
//! A take-over puts a new file in place of the old one, so that it works while the old holder still runs and holds the
//! lock of the file that was. Whoever takes a lock therefore looks again whether the file it locked is the one in place.
//! Takers pass a gate (`lock.gate`) one by one, so that no token is given out twice. Who writes the journal stands in the
//! gate meanwhile ([`Lock::enter`]): no record gets between a take-over and the look that found the lock still held.
//!
//! A holder who left, or handed the incident over, leaves runs behind that go on: their calls pass until somebody takes the
//! incident from a holder who had not let it go ([`honoured`]).

use std::{
    fs::{File, TryLockError},
    io,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Author, Folder, files};
use crate::incident::{
    Moment,
    person::short,
    plain::{from_json, is_unsafe},
};

/// Length of the file: one positioned write of one block, so that no reader sees half of it.
const BLOCK: usize = 2048;
/// Longest name kept, in bytes.
const NAME_CAP: usize = 512;
/// How often a lock that is held is tried again before it counts as held: observers try it for an instant, too.
const TRIES: u32 = 20;

/// Who wants the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// STS ARN with the OS user, or the OS user alone.
    pub operator: String,
    /// Host name.
    pub host: String,
    /// Highest token known from elsewhere (the journal's last record): the new one is above it, whatever the file says.
    pub floor: u64,
}

/// Who holds the lock or held it last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Fencing token.
    pub token: u64,
    /// STS ARN with the OS user, or the OS user alone.
    pub operator: String,
    /// Host name.
    pub host: String,
    /// Process id on that host; 0 if it is of another machine.
    pub pid: u32,
    /// Since when.
    pub at: Moment,
    /// The lowest token whose runs may still change something: that of the last take-over.
    #[serde(default)]
    pub honours: u64,
    /// When the holder's cockpit last said that it turns; the file's time. Not in the file.
    #[serde(skip)]
    pub spoke: Moment,
    /// Whether the OS lock is held now. Not in the file.
    #[serde(skip)]
    pub held: bool,
}

impl Holder {
    /// Where the holder's cockpit is: the host, and the process on it, which is not known of another machine's.
    #[must_use]
    pub fn place(&self) -> String {
        match self.pid {
            0 => self.host.clone(),
            pid => format!("{} (process {pid})", self.host),
        }
    }
}

/// Why there is no lock, or no lock any more.
#[derive(Debug, Error)]
pub enum LockError {
    /// Someone else is the operator.
    #[error("{} on {} has held this incident since {}: this cockpit looks on, and goes on when they leave", short(.0.operator.as_str()), .0.place(), .0.at)]
    Held(Box<Holder>),
    /// Someone took over.
    #[error("{} on {} took this incident over at {} (token {}): this cockpit may only observe", short(.0.operator.as_str()), .0.host, .0.at, .0.token)]
    Lost(Box<Holder>),
    /// The file could not be read or written.
    #[error("cannot use the lock {}: {error}; {}", path.display(), files::remedy(error))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// The lock, held until dropped.
#[derive(Debug)]
pub struct Lock {
    /// Kept open: closing it lets the lock go.
    file: File,
    /// Not held but in [`Lock::enter`].
    gate: File,
    path: PathBuf,
    mine: Holder,
}

/// Keeps takers out until it is dropped.
#[derive(Debug)]
pub struct Inside<'a>(&'a File);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        // Closing the file, with the process at the latest, does the same.
        let _ = self.0.unlock();
    }
}

impl Lock {
    /// Takes the lock of an incident that nobody holds, under a token higher than any before.
    ///
    /// # Errors
    /// [`LockError::Held`] if someone else holds it, [`LockError::Io`] if the file cannot be used.
    pub fn take(folder: &Folder, claim: &Claim) -> Result<Self, LockError> {
        let path = folder.lock();
        let fail = |error| LockError::Io {
            path: path.clone(),
            error,
        };
        let gate = gate(&path).map_err(fail)?;
        for round in 0..=TRIES {
            let file = files::private()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(fail)?;
            match file.try_lock() {
                Ok(()) if in_place(&file, &path) => {
                    let last = read(&file).map_err(fail)?;
                    let lock = Self::write(file, path.clone(), claim, last, false).map_err(fail);
                    drop(gate);
                    return lock;
                }
                // Replaced by a take-over between opening and locking: the new file counts.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if round == TRIES => {
                    let mut holder = read(&file).map_err(fail)?.unwrap_or_else(unknown_holder);
                    holder.held = true;
                    return Err(LockError::Held(Box::new(holder)));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
                Err(TryLockError::Error(error)) => return Err(fail(error)),
            }
        }
        Err(fail(io::Error::other("it is replaced all the time")))
    }

    /// Takes the lock from whoever holds it, by the operator's typed phrase. The old holder finds out by
    /// [`Lock::still_mine`]. Afterwards wait until every run's lock is free ([`crate::run::live`]) before starting anything: a
    /// runner looks at the token while it holds its run's lock, so that either it sees the new one or it is seen.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub fn take_over(folder: &Folder, claim: &Claim) -> Result<Self, LockError> {
        let path = folder.lock();
        let fail = |error| LockError::Io {
            path: path.clone(),
            error,
        };
        let gate = gate(&path).map_err(fail)?;
        let last = match files::private().read(true).open(&path) {
            Ok(file) => read(&file).map_err(fail)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(fail(error)),
        };
        let fresh = path.with_file_name(format!(
            ".lock.{}-{:08x}.new",
            std::process::id(),
            fastrand::u32(..)
        ));
        let file = files::private()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&fresh)
            .map_err(fail)?;
        let taken = file
            .lock()
            .and_then(|()| Self::write(file, path.clone(), claim, last, true))
            .and_then(|lock| std::fs::rename(&fresh, &path).map(|()| lock));
        let lock = taken
            .inspect_err(|_| {
                let _ = std::fs::remove_file(&fresh);
            })
            .map_err(fail)?;
        files::sync_folder(folder.path());
        drop(gate);
        Ok(lock)
    }

    fn write(
        file: File,
        path: PathBuf,
        claim: &Claim,
        last: Option<Holder>,
        over: bool,
    ) -> io::Result<Self> {
        let (before, honours) = last.map_or((0, 0), |holder| (holder.token, holder.honours));
        let token = before.max(claim.floor).saturating_add(1);
        let mine = Holder {
            token,
            operator: capped(&claim.operator),
            host: capped(&claim.host),
            pid: std::process::id(),
            at: Moment::now(),
            honours: if over { token } else { honours },
            spoke: Moment::now(),
            held: true,
        };
        let lock = Self {
            file,
            gate: open_gate(&path)?,
            path,
            mine,
        };
        lock.put()?;
        Ok(lock)
    }

    fn put(&self) -> io::Result<()> {
        let mut block = serde_json::to_vec(&self.mine)?;
        block.resize(BLOCK - 1, b' ');
        block.push(b'\n');
        self.file.write_all_at(&block, 0)?;
        self.file.sync_all()
    }

    /// Names the holder anew: who it is becomes known once STS has answered.
    ///
    /// # Errors
    /// If the file does not take it; records carry the new name all the same.
    pub fn rename(&mut self, operator: &str) -> io::Result<()> {
        self.mine.operator = capped(operator);
        self.put()
    }

    /// Has the file tell of a holder on another machine, for whom this process keeps the copy of the journal: who looks on
    /// here sees who holds the incident, and runs of before are held to that one's token.
    ///
    /// # Errors
    /// If the file does not take it.
    pub fn stand_for(&mut self, holder: &Holder) -> io::Result<()> {
        self.mine = Holder {
            operator: capped(&holder.operator),
            host: capped(&holder.host),
            ..holder.clone()
        };
        self.put()
    }

    /// Makes this process the holder, under a token that was taken elsewhere.
    ///
    /// # Errors
    /// If the file does not take it.
    pub fn stand(&mut self, claim: &Claim, token: u64, honours: u64) -> io::Result<()> {
        self.mine = Holder {
            token,
            operator: capped(&claim.operator),
            host: capped(&claim.host),
            pid: std::process::id(),
            at: Moment::now(),
            honours,
            spoke: Moment::now(),
            held: true,
        };
        self.put()
    }

    /// Says that the holder's cockpit turns: observers see since when it has been silent.
    pub fn beat(&self) {
        // A convenience: silence is told, and nothing follows from it by itself.
        let _ = self.file.set_modified(SystemTime::now());
    }

    /// Keeps takers out while something is written. A taker waits for it, as this waits for a taker.
    ///
    /// # Errors
    /// If there is no telling whether somebody is taking the incident.
    pub(super) fn enter(&self) -> Result<Inside<'_>, LockError> {
        let fail = |error| LockError::Io {
            path: self.path.clone(),
            error,
        };
        for _ in 0..1000 {
            match self.gate.try_lock_shared() {
                Ok(()) => return Ok(Inside(&self.gate)),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
                Err(TryLockError::Error(error)) => return Err(fail(error)),
            }
        }
        Err(fail(busy()))
    }

    /// The fencing token.
    #[must_use]
    pub const fn token(&self) -> u64 {
        self.mine.token
    }

    /// What records written under this lock carry.
    #[must_use]
    pub fn author(&self) -> Author {
        Author {
            operator: self.mine.operator.clone(),
            host: self.mine.host.clone(),
            token: self.mine.token,
        }
    }

    /// Looks again whether the file in place still carries this lock's token: right before each side effect.
    ///
    /// # Errors
    /// [`LockError::Lost`] if someone took over, [`LockError::Io`] if there is no telling.
    pub fn still_mine(&self) -> Result<(), LockError> {
        check(&self.path, self.mine.token)
    }
}

/// Who holds the incident or held it last; `None` if nobody ever did. For observers: takes nothing.
///
/// # Errors
/// If the file cannot be read.
pub fn holder(folder: &Folder) -> Result<Option<Holder>, LockError> {
    let path = folder.lock();
    let fail = |error| LockError::Io {
        path: path.clone(),
        error,
    };
    let file = match files::private().read(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(error)),
    };
    let Some(mut holder) = read(&file).map_err(fail)? else {
        return Ok(None);
    };
    holder.spoke = spoke(&file).unwrap_or(holder.at);
    // Shared, so that two observers do not see each other. Let go at once, with the file.
    holder.held = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    Ok(Some(holder))
}

/// Whether the token is still the newest one of the incident. For a runner, which holds no lock of its own on it.
///
/// # Errors
/// [`LockError::Lost`] with who has it now, [`LockError::Io`] if there is no telling: then nothing may be started.
pub fn still_mine(folder: &Folder, token: u64) -> Result<(), LockError> {
    check(&folder.lock(), token)
}

/// Whether a run that is under way may go on changing something: under the newest token, or under one whose holder left or
/// handed the incident over. After a take-over from a holder who had not let go, nothing of before may.
///
/// # Errors
/// As [`still_mine`].
pub fn honoured(folder: &Folder, token: u64) -> Result<(), LockError> {
    match check(&folder.lock(), token) {
        Err(LockError::Lost(holder)) if (holder.honours..holder.token).contains(&token) => Ok(()),
        other => other,
    }
}

fn spoke(file: &File) -> Option<Moment> {
    let at = file.metadata().ok()?.modified().ok()?;
    let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Moment::from_millis(i64::try_from(since.as_millis()).ok()?))
}

fn check(path: &Path, token: u64) -> Result<(), LockError> {
    let fail = |error| LockError::Io {
        path: path.to_owned(),
        error,
    };
    let file = files::private().read(true).open(path).map_err(fail)?;
    match read(&file).map_err(fail)? {
        Some(holder) if holder.token == token => Ok(()),
        Some(holder) => Err(LockError::Lost(Box::new(holder))),
        None => Err(fail(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is empty",
        ))),
    }
}

/// The file's block; `None` for an empty file. What cannot be read is tried again, since a write may be under way.
fn read(file: &File) -> io::Result<Option<Holder>> {
    let mut block = [0; BLOCK];
    let mut wrong = None;
    for _ in 0..5 {
        let length = file.read_at(&mut block, 0)?;
        if length == 0 {
            return Ok(None);
        }
        match from_json(&block[..length]) {
            Ok(holder) => return Ok(Some(holder)),
            Err(error) => wrong = Some(error),
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        wrong.map_or_else(String::new, |error| {
            format!("not a lock file ({error}); remove it if no cockpit is open on this incident")
        }),
    ))
}

/// Lets takers through one by one; free again when dropped, and with the process that holds it.
fn gate(path: &Path) -> io::Result<File> {
    let file = open_gate(path)?;
    for _ in 0..1000 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(busy())
}

fn open_gate(path: &Path) -> io::Result<File> {
    files::private()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path.with_file_name("lock.gate"))
}

fn busy() -> io::Error {
    io::Error::new(
        io::ErrorKind::WouldBlock,
        "another process has been taking it, or writing the journal, for 2 s; if that one is stopped, end it",
    )
}

fn in_place(file: &File, path: &Path) -> bool {
    let (Ok(mine), Ok(there)) = (file.metadata(), std::fs::symlink_metadata(path)) else {
        return false;
    };
    mine.dev() == there.dev() && mine.ino() == there.ino()
}

fn capped(name: &str) -> String {
    let mut name: String = name.chars().filter(|c| !is_unsafe(*c)).collect();
    let end = (0..=NAME_CAP.min(name.len()))
        .rev()
        .find(|at| name.is_char_boundary(*at))
        .unwrap_or(0);
    name.truncate(end);
    name
}

fn unknown_holder() -> Holder {
    Holder {
        token: 0,
        operator: "someone".to_owned(),
        host: "this host".to_owned(),
        pid: 0,
        at: Moment::default(),
        honours: 0,
        spoke: Moment::default(),
        held: true,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Barrier, atomic::AtomicU32, atomic::Ordering};

    use super::*;

    fn claim(operator: &str) -> Claim {
        Claim {
            operator: operator.to_owned(),
            host: "bastion".to_owned(),
            floor: 0,
        }
    }

    #[test]
    fn the_token_grows_at_each_taking_and_never_below_the_journal() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temp.path());
        assert_eq!(holder(&folder).expect("no lock yet"), None);
        let first = Lock::take(&folder, &claim("ann")).expect("free");
        assert_eq!(first.token(), 1);
        let seen = holder(&folder).expect("read").expect("a holder");
        assert!(seen.held);
        assert_eq!(seen.operator, "ann");
        drop(first);
        assert!(!holder(&folder).expect("read").expect("a holder").held);
        assert_eq!(Lock::take(&folder, &claim("bob")).expect("free").token(), 2);
        let above = Claim {
            floor: 40,
            ..claim("bob")
        };
        assert_eq!(Lock::take(&folder, &above).expect("free").token(), 41);
    }

    #[test]
    fn a_held_lock_names_its_holder_and_a_take_over_is_noticed() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temp.path());
        let ann = Lock::take(&folder, &claim("ann")).expect("free");
        let refused = Lock::take(&folder, &claim("bob")).expect_err("held");
        assert!(refused.to_string().contains("ann on bastion"), "{refused}");

        ann.still_mine().expect("hers");
        let bob = Lock::take_over(&folder, &claim("bob")).expect("taken over");
        assert_eq!(bob.token(), 2);
        let lost = ann.still_mine().expect_err("his");
        assert!(lost.to_string().contains("bob on bastion"), "{lost}");
        assert!(matches!(
            still_mine(&folder, ann.token()),
            Err(LockError::Lost(_))
        ));
        drop(ann);
        bob.still_mine().expect("still his when she is gone");
        assert!(matches!(
            Lock::take(&folder, &claim("ann")),
            Err(LockError::Held(_))
        ));
    }

    #[test]
    fn runs_of_a_holder_who_left_go_on_and_those_of_one_who_was_taken_over_do_not() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temp.path());
        drop(Lock::take(&folder, &claim("ann")).expect("free"));
        let bob = Lock::take(&folder, &claim("bob")).expect("free");
        assert!(still_mine(&folder, 1).is_err());
        honoured(&folder, 1).expect("she left");
        honoured(&folder, 2).expect("his own");
        assert!(honoured(&folder, 3).is_err(), "nobody has that one yet");
        let cay = Lock::take_over(&folder, &claim("cay")).expect("taken over");
        for token in [1, 2] {
            let lost = honoured(&folder, token).expect_err("taken over");
            assert!(lost.to_string().contains("cay"), "{lost}");
        }
        honoured(&folder, cay.token()).expect("hers");
        drop((bob, cay));
        let _dee = Lock::take(&folder, &claim("dee")).expect("free");
        honoured(&folder, 3).expect("she left");
        assert!(honoured(&folder, 2).is_err(), "still taken over");
    }

    #[test]
    fn a_holder_is_named_anew_and_its_silence_is_seen() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temp.path());
        let mut lock = Lock::take(&folder, &claim("ann")).expect("free");
        lock.rename("arn:aws:iam::1:user/ann (ann)").expect("named");
        lock.still_mine().expect("the same token");
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(7);
        lock.file.set_modified(long_ago).expect("set");
        let seen = holder(&folder).expect("read").expect("a holder");
        assert_eq!(seen.operator, lock.author().operator);
        assert_eq!(seen.spoke, Moment::from_secs(7));
        lock.beat();
        let seen = holder(&folder).expect("read").expect("a holder");
        assert!(seen.spoke > Moment::from_secs(7));
    }

    #[test]
    fn a_planted_link_is_no_lock_and_what_it_leads_to_stays_as_it_was() {
        let temp = tempfile::tempdir().expect("a folder");
        let theirs = temp.path().join("theirs");
        for name in ["lock", "lock.gate"] {
            let folder = Folder::at(&temp.path().join(format!("incident-{name}")));
            files::private_folder(folder.path()).expect("made");
            std::fs::write(&theirs, "theirs").expect("written");
            let planted = folder.path().join(name);
            std::os::unix::fs::symlink(&theirs, &planted).expect("a link");
            for taken in [
                Lock::take(&folder, &claim("ann")),
                Lock::take_over(&folder, &claim("ann")),
            ] {
                let why = taken.expect_err("a link").to_string();
                assert!(why.contains("cannot use the lock"), "{why}");
            }
            assert!(planted.is_symlink());
            let kept = std::fs::read_to_string(&theirs).expect("there");
            assert_eq!(kept, "theirs", "{name}");
        }
    }

    #[test]
    fn of_lockers_that_race_one_has_it_at_a_time_and_no_token_comes_twice() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temp.path());
        let inside = AtomicU32::new(0);
        let start = Barrier::new(4);
        let mut tokens: Vec<u64> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        let mut tokens = Vec::new();
                        while tokens.len() < 25 {
                            let Ok(lock) = Lock::take(&folder, &claim("racer")) else {
                                continue;
                            };
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two inside");
                            lock.still_mine().expect("mine");
                            tokens.push(lock.token());
                            inside.fetch_sub(1, Ordering::SeqCst);
                        }
                        tokens
                    })
                })
                .collect();
            racers
                .into_iter()
                .flat_map(|racer| racer.join().expect("no panic"))
                .collect()
        });
        tokens.sort_unstable();
        assert_eq!(tokens, (1..=100).collect::<Vec<u64>>());
    }

    #[test]
    fn of_two_that_take_over_at_once_one_has_it_afterwards() {
        for _ in 0..20 {
            let temp = tempfile::tempdir().expect("a folder");
            let folder = Folder::at(temp.path());
            let _old = Lock::take(&folder, &claim("ann")).expect("free");
            let start = Barrier::new(2);
            let takers: Vec<Lock> = std::thread::scope(|scope| {
                let take = || {
                    start.wait();
                    Lock::take_over(&folder, &claim("taker")).expect("taken over")
                };
                let (one, two) = (scope.spawn(take), scope.spawn(take));
                vec![one.join().expect("one"), two.join().expect("two")]
            });
            assert_ne!(takers[0].token(), takers[1].token());
            let mine = takers
                .iter()
                .filter(|lock| lock.still_mine().is_ok())
                .count();
            assert_eq!(mine, 1);
        }
    }

    #[test]
    fn a_lock_file_of_garbage_is_an_error_not_a_token() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temp.path());
        std::fs::write(folder.lock(), "\0\0\0").expect("written");
        assert!(matches!(
            Lock::take(&folder, &claim("ann")),
            Err(LockError::Io { .. })
        ));
        assert!(still_mine(&folder, 1).is_err());
    }
}
