//! Where black boxes lie: one in the incident's folder, and beside the incidents those that were kept before.
//!
//! Files are 0600 and written at once or not at all. Of an incident's box the first value of each part stays: after the
//! first step the world is no longer as before.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use crate::incident::{
    Moment,
    black_box::{Place, Sealed},
};

/// The name of an incident's box.
const NAME: &str = "black-box.json";
/// Largest box read: values and tables are far below.
const CAP: u64 = 16 << 20;
/// How many kept boxes stay: a month of nights.
const KEPT: usize = 30;

/// Why there is no box.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// There is none.
    #[error("there is no black box in {0}: the step \"Record the black box\" makes one")]
    None(String),
    /// The disk says no, or the file is none.
    #[error("the black box {path} cannot be {did}: {error}; {remedy}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        did: &'static str,
        /// What the system said.
        error: io::Error,
        /// What to do.
        remedy: &'static str,
    },
}

/// The place of the boxes of one cluster. Holding one says nothing about whether anything is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    incident: Option<PathBuf>,
    kept: Option<PathBuf>,
}

impl Shelf {
    /// The shelf of a cluster: in the incident's folder, where there is one, and under `black-box` in the folder that
    /// holds the incidents.
    #[must_use]
    pub fn new(state: Option<&Path>, incident: Option<&Path>, cluster: &str) -> Self {
        let state = state.or_else(|| incident.and_then(Path::parent));
        Self {
            incident: incident.map(Path::to_owned),
            kept: state.map(|state| state.join("black-box").join(tame(cluster))),
        }
    }

    /// The incident's folder, where there is one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.incident.as_deref()
    }

    /// The box that counts: the incident's; before there is one, the newest kept one.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub fn read(&self) -> Result<Sealed, ShelfError> {
        if let Some(found) = self.incident()? {
            return Ok(found);
        }
        self.newest()?
            .ok_or_else(|| ShelfError::None(self.to_string()))
    }

    /// The incident's own.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub fn incident(&self) -> Result<Option<Sealed>, ShelfError> {
        let Some(folder) = &self.incident else {
            return Ok(None);
        };
        open(&folder.join(NAME), Place::Incident)
    }

    /// The newest of those kept.
    ///
    /// # Errors
    /// If there are some and none can be read.
    pub fn newest(&self) -> Result<Option<Sealed>, ShelfError> {
        let mut last = None;
        for path in self.list().into_iter().rev() {
            match open(&path, Place::Kept) {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => {}
                Err(error) => {
                    last.get_or_insert(error);
                }
            }
        }
        last.map_or(Ok(None), Err)
    }

    /// Writes the incident's box. What it held already stays: only what was missing is taken from the new one.
    ///
    /// # Errors
    /// If there is no incident, the disk says no, or what is there cannot be read.
    pub fn put_incident(&self, sealed: Sealed) -> Result<Sealed, ShelfError> {
        let Some(folder) = &self.incident else {
            return Err(ShelfError::None("an incident".to_owned()));
        };
        let sealed = match self.incident()? {
            Some(first) => {
                let copied = sealed.seen.copied.clone();
                let mut both = first.or(sealed);
                both.seen.copied = copied.or(both.seen.copied);
                both
            }
            None => sealed,
        };
        write(&folder.join(NAME), &sealed, Place::Incident)
    }

    /// Keeps a box beside the incidents and lets the oldest go.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn keep(&self, sealed: &Sealed) -> Result<Sealed, ShelfError> {
        let Some(kept) = &self.kept else {
            return Err(ShelfError::None("a state folder".to_owned()));
        };
        for folder in kept.ancestors().take(2).collect::<Vec<_>>().iter().rev() {
            private_folder(folder).map_err(failed(folder, "written"))?;
        }
        let written = write(&kept.join(stamp(sealed.seen.at)), sealed, Place::Kept)?;
        let list = self.list();
        for old in list.iter().rev().skip(KEPT) {
            // One that stays too long does no harm.
            let _ = fs::remove_file(old);
        }
        Ok(written)
    }

    /// The kept boxes' files, oldest first.
    fn list(&self) -> Vec<PathBuf> {
        let listed = self.kept.as_ref().and_then(|kept| fs::read_dir(kept).ok());
        let mut found: Vec<PathBuf> = listed
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                !name.starts_with('.')
            })
            .collect();
        found.sort();
        found
    }
}

impl std::fmt::Display for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let places: Vec<String> = [&self.incident, &self.kept]
            .into_iter()
            .flatten()
            .map(|path| path.display().to_string())
            .collect();
        f.write_str(&places.join(" and "))
    }
}

fn open(path: &Path, place: Place) -> Result<Option<Sealed>, ShelfError> {
    let mut text = Vec::new();
    let mut file = match options().read(true).open(path) {
        Ok(file) => file.take(CAP),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, "read")(error)),
    };
    file.read_to_end(&mut text).map_err(failed(path, "read"))?;
    // The parser's own words would repeat what it choked on, and the file holds values.
    let other = || io::Error::new(io::ErrorKind::InvalidData, "it is no black box");
    let mut sealed: Sealed =
        serde_json::from_slice(&text).map_err(|_| failed(path, "read")(other()))?;
    if sealed.format > Sealed::FORMAT {
        let newer = "a newer Relight has written it";
        let newer = io::Error::new(io::ErrorKind::InvalidData, newer);
        return Err(failed(path, "read")(newer));
    }
    sealed.seen.place = place;
    sealed.seen.path = path.display().to_string();
    Ok(Some(sealed))
}

fn write(path: &Path, sealed: &Sealed, place: Place) -> Result<Sealed, ShelfError> {
    let mut sealed = sealed.clone();
    sealed.seen.place = place;
    sealed.seen.path = path.display().to_string();
    let text = serde_json::to_vec_pretty(&sealed)
        .map_err(|error| failed(path, "written")(error.into()))?;
    atomic(path, &text).map_err(failed(path, "written"))?;
    Ok(sealed)
}

fn failed(path: &Path, did: &'static str) -> impl FnOnce(io::Error) -> ShelfError {
    let path = path.to_owned();
    move |error| ShelfError::Io {
        remedy: match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free space on the disk",
            io::ErrorKind::InvalidData => "move it away and record another",
            _ => "look at the disk, owner and mode",
        },
        path,
        did,
        error,
    }
}

/// Mode 0600 where a file is made; a link in its place is an error.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    let nofollow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
    options.mode(0o600).custom_flags(nofollow);
    options
}

fn private_folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let meta = fs::symlink_metadata(path)?;
            if meta.is_dir() {
                Ok(())
            } else {
                Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    "it is no folder",
                ))
            }
        }
        made => made,
    }
}

/// Writes a file at once or not at all, for its owner alone.
pub(in crate::clients) fn atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_file_name(format!(
        ".{}.{}-{:08x}.new",
        path.file_name().unwrap_or_default().to_string_lossy(),
        std::process::id(),
        fastrand::u32(..)
    ));
    let done = (|| {
        let mut file = options().write(true).create_new(true).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    match done {
        Ok(()) => {
            if let Some(folder) = path.parent().and_then(|folder| fs::File::open(folder).ok()) {
                // Some file systems cannot; the file itself is on disk.
                let _ = folder.sync_all();
            }
        }
        Err(_) => {
            let _ = fs::remove_file(&beside);
        }
    }
    done
}

/// `20261123T140531250Z.json`: sorts by time.
fn stamp(at: Moment) -> String {
    let digits: String = at
        .to_string()
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == 'T')
        .collect();
    format!("{digits}Z.json")
}

/// A cluster name as a folder's name.
fn tame(name: &str) -> String {
    let tame: String = name
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || c == '-' || c == '.' => c,
            _ => '_',
        })
        .take(100)
        .collect();
    match tame.trim_matches('.') {
        "" => "cluster".to_owned(),
        tame => tame.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;
    use crate::incident::black_box::{
        Kept,
        sample::{sealed, silence},
    };

    fn at(secs: i64) -> Moment {
        Moment::from_secs(1_795_000_000 + secs)
    }

    #[test]
    fn the_incidents_box_counts_before_the_newest_kept_one() {
        let state = tempfile::tempdir().expect("a folder");
        let incident = state.path().join("i");
        fs::create_dir(&incident).expect("made");
        let shelf = Shelf::new(Some(state.path()), Some(&incident), "../a b");
        assert!(matches!(shelf.read(), Err(ShelfError::None(_))));
        for secs in [5, 9, 7] {
            shelf.keep(&sealed(at(secs))).expect("kept");
        }
        let found = shelf.read().expect("a box");
        assert_eq!((found.seen.at, found.seen.place), (at(9), Place::Kept));
        assert!(
            found
                .seen
                .path
                .starts_with(&*state.path().to_string_lossy())
        );
        shelf.put_incident(sealed(at(1))).expect("written");
        let found = shelf.read().expect("a box");
        assert_eq!((found.seen.at, found.seen.place), (at(1), Place::Incident));
        let mode = fs::metadata(&found.seen.path).expect("meta").mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_an_incidents_box_holds_is_never_replaced() {
        let state = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::new(None, Some(state.path()), "c");
        let mut first = sealed(at(1));
        first.seen.pins = Kept::new("old door", at(1), Err(silence()));
        shelf.put_incident(first).expect("written");
        let mut after = sealed(at(50));
        if let Ok(records) = &mut after.seen.records.value {
            records.sets.clear();
        }
        let both = shelf.put_incident(after).expect("written");
        assert_eq!((both.seen.at, both.seen.records.at), (at(1), at(1)));
        assert_eq!(both.seen.pins.at, at(50), "only what was missing is new");
        assert_eq!(shelf.read().expect("a box"), both);
    }

    #[test]
    fn a_torn_box_is_passed_over_and_old_ones_go() {
        let state = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::new(Some(state.path()), None, "c");
        for secs in 0..33 {
            shelf.keep(&sealed(at(secs))).expect("kept");
        }
        let list = shelf.list();
        assert_eq!(list.len(), KEPT);
        fs::write(&list[KEPT - 1], "{\"hunter2\"").expect("torn");
        assert_eq!(shelf.read().expect("the one before").seen.at, at(31));
        for path in &list {
            fs::write(path, "{\"hunter2\"").expect("torn");
        }
        let told = shelf.read().expect_err("none").to_string();
        assert!(
            told.contains("is no black box") && !told.contains("hunter2"),
            "{told}"
        );
    }
}
