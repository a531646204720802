//! The disk that holds the incidents: found out to be full before it is, and an incident taken to another one.

use std::{path::Path, time::Duration};

use rustix::fs::{StatVfsMountFlags, statvfs};

use super::start::{host, operator};
use crate::{
    incident::{Moment, plain},
    journal::{Claim, Entry, Folder, Item, Lock, LockError, Replay, StateDir, Writer},
    run,
};

/// How often it is looked at.
pub(super) const LOOK: Duration = Duration::from_secs(5);

/// Free bytes below which nothing new is begun: what still runs must be able to tell how it ends.
const RESERVE: u64 = 32 * 1024 * 1024;

/// Why nothing may be begun on the disk of a folder, in the same words as long as it is so. `None` where there is room, or
/// no telling: then the next record finds out.
pub(super) fn cramped(folder: &Path) -> Option<String> {
    let disk = statvfs(folder).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    why(
        folder,
        free,
        disk.f_flag.contains(StatVfsMountFlags::RDONLY),
    )
}

fn why(folder: &Path, free: u64, read_only: bool) -> Option<String> {
    let what = if read_only {
        "is read-only: remount it".to_owned()
    } else if free < RESERVE {
        format!(
            "has less than {} MiB left: make room",
            RESERVE / 1024 / 1024
        )
    } else {
        return None;
    };
    let folder = folder.display();
    Some(format!(
        "the disk of {folder} {what}, or go on elsewhere: relight move {folder} --state-dir DIR"
    ))
}

/// Takes an incident to another state folder, with its chain. What to tell.
///
/// # Errors
/// In words: it is held, runs are live, or something cannot be read or written; then everything is as it was.
pub fn move_incident(folder: &Path, state_dir: Option<&Path>) -> Result<Vec<String>, String> {
    let old = Folder::given(folder)?;
    let Some(new) = state_dir else {
        return Err("say where to: --state-dir DIR, on another disk".to_owned());
    };
    let new = StateDir::at(new).map_err(|error| error.to_string())?;
    let live = run::live(&old).map_err(|error| format!("{}: {error}", old.path().display()))?;
    if let Some(run) = live.first() {
        return Err(format!(
            "{run} is still running and writes into {}: wait for its end, or cancel it, and move then",
            old.path().display()
        ));
    }
    let read = |folder: &Folder| {
        let mut replay = Replay::open(&folder.journal())
            .map_err(|error| format!("{}: {error}", folder.journal().display()))?;
        let broken = replay
            .by_ref()
            .filter(|item| matches!(item, Item::Notice(_)))
            .count();
        Ok::<_, String>((replay, broken))
    };
    let (before, _) = read(&old)?;
    let claim = Claim {
        operator: operator(),
        host: host(),
        floor: before.tail().token,
    };
    // Kept to the end: nobody begins anything there meanwhile.
    let lock = match Lock::take(&old, &claim) {
        Ok(lock) => Some(lock),
        Err(error @ LockError::Io { .. }) => match crate::journal::holder(&old) {
            // A disk that takes nothing does not take a lock either.
            Ok(holder) if holder.as_ref().is_none_or(|holder| !holder.held) => None,
            _ => return Err(error.to_string()),
        },
        Err(error) => return Err(error.to_string()),
    };
    let moved = old
        .move_to(&new)
        .map_err(|error| format!("nothing was moved: {error}"))?;
    drop(lock);
    let (mut after, broken) = read(&moved.folder)?;
    let mut told = vec![format!(
        "{} is now {}: {} files, {} records",
        old.path().display(),
        moved.folder.path().display(),
        moved.files,
        after.tail().seq
    )];
    if broken > 0 {
        told.push(format!("its journal has {broken} lines that are not as they were written, as before: `relight report` names them"));
    }
    if let Some(why) = &moved.unmarked {
        told.push(format!(
            "WARNING: the old folder could not be marked ({why}): do not open a cockpit on it again, here or when its disk is \
             mounted writable; two would go on with one incident"
        ));
    }
    let text = format!(
        "moved here from {}",
        plain::plain(&old.path().to_string_lossy())
    );
    note(&moved.folder, &mut after, &claim, text)?;
    Ok(told)
}

/// The first record at the new place.
fn note(folder: &Folder, replay: &mut Replay, claim: &Claim, text: String) -> Result<(), String> {
    let lock = Lock::take(folder, claim).map_err(|error| error.to_string())?;
    let journal = folder.journal();
    replay
        .cut_torn()
        .map_err(|error| format!("{}: {error}", journal.display()))?;
    let mut writer =
        Writer::open(&lock, journal, replay.tail().clone()).map_err(|error| error.to_string())?;
    for entry in [Entry::Attached, Entry::Noted { text }, Entry::Detached] {
        writer
            .append(&lock, Moment::now(), entry)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_cramped_before_it_is_full_and_says_what_to_do() {
        let folder = Path::new("/state/x");
        assert_eq!(why(folder, RESERVE, false), None);
        let full = why(folder, RESERVE - 1, false).expect("cramped");
        assert!(
            full.contains("32 MiB") && full.contains("relight move /state/x"),
            "{full}"
        );
        assert_eq!(why(folder, 0, false), Some(full), "said anew at each look");
        let read_only = why(folder, u64::MAX, true).expect("cramped");
        assert!(read_only.contains("read-only"), "{read_only}");
        let temp = tempfile::tempdir().expect("a folder");
        assert_eq!(cramped(&temp.path().join("nowhere")), None);
    }
}
