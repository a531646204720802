//! `DIR/ready.json`: that a practice is up, and where. Written at once, removed at the end; who reads it checks the
//! folder's lock too, since a killed practice leaves the file behind.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::world::Addresses;
use crate::incident::Moment;

/// A practice that is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Its process.
    pub pid: u32,
    /// Its scenario.
    pub scenario: String,
    /// What has happened there.
    pub about: String,
    /// When it began.
    pub began: Moment,
    /// The plan to use with it.
    pub plan: PathBuf,
    /// Where its faces listen.
    pub addresses: Addresses,
}

impl Ready {
    fn path(dir: &Path) -> PathBuf {
        dir.join("ready.json")
    }

    /// Says that it is up.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        let part = dir.join(".ready.json.part");
        fs::write(&part, serde_json::to_vec_pretty(self)?)?;
        fs::rename(part, Self::path(dir))
    }

    /// What the practice in a folder says; `None` if there is nothing that could be read, or nobody behind it.
    #[must_use]
    pub fn read(dir: &Path) -> Option<Self> {
        let text = fs::read(Self::path(dir)).ok()?;
        let ready = serde_json::from_slice(&text).ok()?;
        alive(dir).then_some(ready)
    }

    /// Takes the word back.
    pub fn remove(dir: &Path) {
        // Whoever reads it afterwards finds the lock free: nothing to be done about an error.
        let _ = fs::remove_file(Self::path(dir));
    }
}

/// Takes the lock of a practice's folder, held until the file is closed or its process ends, however it ends.
///
/// # Errors
/// If the file cannot be opened, or with [`io::ErrorKind::WouldBlock`] if a practice already runs there.
pub fn hold(dir: &Path) -> io::Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether a process holds the folder's lock.
#[must_use]
pub fn alive(dir: &Path) -> bool {
    dir.join("lock").exists()
        && matches!(hold(dir), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::practice::world::Scenario;

    #[test]
    fn a_file_without_a_process_behind_it_says_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let net = Ipv4Addr::new(127, 7, 9, 0);
        let ready = Ready {
            pid: 7,
            scenario: "calm".to_owned(),
            about: "Nothing is wrong.".to_owned(),
            began: Moment::from_secs(1_795_000_000),
            plan: dir.path().join("relight.toml"),
            addresses: Addresses::within(net, &Scenario::default()),
        };
        ready.write(dir.path()).expect("written");
        assert_eq!(Ready::read(dir.path()), None);
        let held = hold(dir.path()).expect("the lock");
        assert_eq!(Ready::read(dir.path()), Some(ready));
        assert!(hold(dir.path()).is_err());
        drop(held);
        assert_eq!(Ready::read(dir.path()), None);
    }
}
