//! Incidents looked up afterwards, by name. Nothing is made, and what is broken is told and not passed over.

use std::path::Path;

use super::{Folder, FolderError, StateDir, files};

/// A folder that is an incident, or should be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// The folder.
    pub folder: Folder,
    /// What keeps it from being read, with the file.
    pub broken: Option<String>,
}

impl StateDir {
    /// Every folder that is named as an incident is or holds a journal, newest first. Unlike [`StateDir::incidents`] those
    /// that cannot be used are among them.
    ///
    /// # Errors
    /// If the state folder cannot be listed.
    pub fn shelf(&self) -> Result<Vec<Found>, FolderError> {
        let listed = std::fs::read_dir(self.path()).map_err(|error| FolderError::Io {
            path: self.path().to_owned(),
            error,
        })?;
        let mut found: Vec<Found> = listed
            .filter_map(|entry| found(&entry.ok()?.path()))
            .collect();
        found.sort_by(|one, other| other.name.cmp(&one.name));
        Ok(found)
    }

    /// The incident of that name, or of the only name that begins so; the newest one unless named. A path to a folder is
    /// taken as it is.
    ///
    /// # Errors
    /// In words: there is none, several begin so, or the folder cannot be used.
    pub fn named(&self, wanted: Option<&str>) -> Result<Folder, String> {
        let all = self.shelf().map_err(|error| error.to_string())?;
        let nothing = format!("there is no incident in {}", self.path().display());
        let Some(wanted) = wanted else {
            let newest = all.into_iter().next().ok_or(nothing)?;
            return usable(newest);
        };
        let mut fits: Vec<Found> = all
            .into_iter()
            .filter(|found| found.name.starts_with(wanted))
            .collect();
        if let Some(exact) = fits.iter().position(|found| found.name == wanted) {
            return usable(fits.swap_remove(exact));
        }
        let names: Vec<&str> = fits.iter().map(|found| found.name.as_str()).collect();
        match names.as_slice() {
            [] => Err(format!(
                "{nothing} whose name begins with {wanted:?}; `relight incidents` lists them"
            )),
            [_] => usable(fits.swap_remove(0)),
            many => Err(format!(
                "{wanted:?} may be any of {}: give more of the name",
                many.join(", ")
            )),
        }
    }
}

impl Folder {
    /// The incident folder at a path that a user gave.
    ///
    /// # Errors
    /// In words, if there is none that can be used.
    pub fn given(path: &Path) -> Result<Self, String> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let found = found(&path).ok_or_else(|| {
            let journal = path.join("journal.jsonl");
            format!(
                "{} is no incident: there is no {}",
                path.display(),
                journal.display()
            )
        })?;
        usable(found)
    }
}

fn usable(found: Found) -> Result<Folder, String> {
    match found.broken {
        None => Ok(found.folder),
        Some(why) => Err(format!("incident {} cannot be read: {why}", found.name)),
    }
}

/// What a path is; `None` if it is no incident and is not named as one.
fn found(path: &Path) -> Option<Found> {
    let folder = Folder::at(path);
    let name = folder.name();
    let journal = folder.journal();
    let there = journal.symlink_metadata().is_ok();
    let meant = path.is_dir() && is_stamped(&name);
    if !(there || meant) {
        return None;
    }
    let broken = match files::check_folder(path) {
        Err(error) => Some(format!("{}: {error}", path.display())),
        Ok(()) if !there => Some(folder.moved().map_or_else(
            || format!("{} is missing", journal.display()),
            |to| format!("{} was moved to {to}", path.display()),
        )),
        Ok(()) => files::private()
            .read(true)
            .open(&journal)
            .err()
            .map(|error| format!("{}: {error}", journal.display())),
    };
    Some(Found {
        name,
        folder,
        broken,
    })
}

/// Whether a name begins with the time of a declaration: `20261123T140531Z-`.
fn is_stamped(name: &str) -> bool {
    let bytes = name.as_bytes();
    let fits = |place: usize, byte: &u8| match place {
        8 => *byte == b'T',
        15 => *byte == b'Z',
        16 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    bytes.len() > 17
        && bytes
            .iter()
            .take(17)
            .enumerate()
            .all(|(at, byte)| fits(at, byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Moment;

    #[test]
    fn an_incident_is_found_by_its_beginning_and_what_is_broken_says_which_file() {
        let temp = tempfile::tempdir().expect("a folder");
        let path = temp.path().join("none");
        assert_eq!(StateDir::existing(Some(&path)).expect("looked"), None);
        assert!(!path.exists(), "looking made a folder");
        let state = StateDir::at(temp.path()).expect("made");
        assert!(state.named(None).is_err());
        let secs = [1_795_466_731, 1_795_466_732, 1_795_466_733];
        let made = secs.map(|at| {
            let folder = state.create("a.example.com", Moment::from_secs(at));
            folder.expect("made")
        });
        for folder in &made[..2] {
            std::fs::write(folder.journal(), "").expect("written");
        }
        std::fs::create_dir(temp.path().join("black-boxes")).expect("no incident");
        let shelf = state.shelf().expect("listed");
        let names: Vec<&str> = shelf.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "20261123T204533Z-a.example.com",
                "20261123T204532Z-a.example.com",
                "20261123T204531Z-a.example.com"
            ]
        );
        let broken = shelf[0].broken.as_deref().expect("no journal");
        assert!(broken.ends_with("journal.jsonl is missing"), "{broken}");
        assert_eq!(state.named(Some("20261123T204531")), Ok(made[0].clone()));
        for (wanted, told) in [
            ("2026112", "may be any of"),
            ("2027", "begins with \"2027\""),
            ("20261123T204533Z", "journal.jsonl is missing"),
        ] {
            let why = state.named(Some(wanted)).expect_err(wanted);
            assert!(why.contains(told), "{why}");
        }
        let why = Folder::given(temp.path()).expect_err("no incident");
        assert!(why.contains("is no incident"), "{why}");
        assert_eq!(Folder::given(made[1].path()), Ok(made[1].clone()));
    }
}
