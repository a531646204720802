//! How an incident's folder hangs together with those of other machines, where several share the incident.

use serde::{Deserialize, Serialize};

use super::{Folder, files};

/// Longest file that is read.
const CAP: u64 = 4096;

/// `shared.json`; not there where the incident was never shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tie {
    /// The token under which this machine held the incident last.
    pub token: u64,
    /// Whether it went on without the others: then a run may, too.
    #[serde(default)]
    pub alone: bool,
}

impl Tie {
    /// What a folder says.
    #[must_use]
    pub fn of(folder: &Folder) -> Option<Self> {
        let bytes = files::read_capped(&folder.shared(), CAP).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Writes it down.
    ///
    /// # Errors
    /// In words, if the disk does not take it.
    pub fn keep(self, folder: &Folder) -> Result<(), String> {
        let path = folder.shared();
        let kept = serde_json::to_vec(&self).map_err(std::io::Error::other);
        kept.and_then(|bytes| files::write_atomic(&path, &bytes))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))
    }
}
