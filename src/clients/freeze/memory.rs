//! What a freeze made, in the incident's folder: locks are lifted by these names and by nothing else, since other
//! people's locks may say the same.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{clients::black_box::atomic, incident::HeldLock};

/// The file's name.
const NAME: &str = "freeze.json";

/// The locks that this incident's freeze made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    path: PathBuf,
    /// In the order in which they were made.
    pub held: Vec<HeldLock>,
}

/// Why the memory of a freeze cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}", path = path.display())]
pub struct MemoryError {
    path: PathBuf,
    why: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    locks: Vec<HeldLock>,
}

impl Memory {
    /// What is remembered in an incident's folder; nothing where there is no file.
    ///
    /// # Errors
    /// If the file is there and cannot be read: then nobody may act as if there were none.
    pub fn read(incident: &Path) -> Result<Self, MemoryError> {
        let path = incident.join(NAME);
        let wrong = |why: String| MemoryError {
            path: path.clone(),
            why,
        };
        let kept: Kept = match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Kept::default(),
            Err(error) => return Err(wrong(error.to_string())),
        };
        Ok(Self {
            path,
            held: kept.locks,
        })
    }

    /// Remembers one more, at once on disk, for its owner alone.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn add(&mut self, lock: HeldLock) -> Result<(), MemoryError> {
        self.held.push(lock);
        let kept = Kept {
            locks: self.held.clone(),
        };
        let done = serde_json::to_vec_pretty(&kept)
            .map_err(io::Error::other)
            .and_then(|bytes| atomic(&self.path, &bytes));
        done.map_err(|error| MemoryError {
            path: self.path.clone(),
            why: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn each_lock_is_on_disk_at_once_for_its_owner_alone_and_a_torn_file_is_no_empty_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut memory = Memory::read(folder.path()).expect("none yet");
        assert!(memory.held.is_empty());
        let lock = HeldLock {
            id: "a-b".to_owned(),
            role: "editor".to_owned(),
            context: "east".to_owned(),
        };
        memory.add(lock.clone()).expect("written");
        assert_eq!(Memory::read(folder.path()).expect("there").held, [lock]);
        let path = folder.path().join(NAME);
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&path, "{").expect("torn");
        assert!(Memory::read(folder.path()).is_err());
    }
}
