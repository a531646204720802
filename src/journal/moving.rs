//! An incident taken to another disk: the whole folder, its chain compared, and the old one marked so that nobody goes on
//! there as well.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{Folder, StateDir, files, record};

/// What the old journal is called afterwards: without a `journal.jsonl` no cockpit opens the folder, and a name can be
/// changed on a disk that is full.
const MARKED: &str = "journal.moved.jsonl";
/// Where it has gone, beside it; a full disk may not take it.
const GONE: &str = "moved-to";

/// What a move has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The incident's folder now.
    pub folder: Folder,
    /// How many files were copied.
    pub files: usize,
    /// Why the old folder could not be marked; then a cockpit that is opened there goes on there.
    pub unmarked: Option<String>,
}

impl Folder {
    /// Copies the incident into another state folder and marks this one. For the lock's holder, or where it cannot be taken
    /// because the disk takes nothing; no run may be live.
    ///
    /// # Errors
    /// If something cannot be read or written; then nothing is left there and this folder is as it was.
    pub fn move_to(&self, state: &StateDir) -> io::Result<Moved> {
        let target = state.path().join(self.name());
        if target.symlink_metadata().is_ok() {
            return Err(told(
                &target,
                "is there already: it was moved before, or is another incident's",
            ));
        }
        let making = state.path().join(format!(".{}.moving", self.name()));
        if making.symlink_metadata().is_ok() {
            files::check_folder(&making)?;
            std::fs::remove_dir_all(&making)?;
        }
        let copied = copy(self.path(), &making)
            .and_then(|files| {
                if sum(&self.journal())? == sum(&Self::at(&making).journal())? {
                    Ok(files)
                } else {
                    Err(told(
                        &self.journal(),
                        "was written to while it was being copied: try again",
                    ))
                }
            })
            .and_then(|files| std::fs::rename(&making, &target).map(|()| files));
        let files = copied.inspect_err(|_| {
            let _ = std::fs::remove_dir_all(&making);
        })?;
        files::sync_folder(state.path());
        let marked = std::fs::rename(self.journal(), self.path().join(MARKED));
        // Only so that it is told where to: without it the name of the journal tells that it has gone.
        let _ = files::write_atomic(&self.path().join(GONE), target.to_string_lossy().as_bytes());
        files::sync_folder(self.path());
        Ok(Moved {
            folder: Self::at(&target),
            files,
            unmarked: marked.err().map(|error| error.to_string()),
        })
    }

    /// Where this incident has gone, if it was moved: the folder, or that it is not known.
    #[must_use]
    pub fn moved(&self) -> Option<String> {
        if self.journal().symlink_metadata().is_ok()
            || self.path().join(MARKED).symlink_metadata().is_err()
        {
            return None;
        }
        let to = files::read_capped(&self.path().join(GONE), 4096).ok();
        let to = to.and_then(|bytes| String::from_utf8(bytes).ok());
        Some(to.unwrap_or_else(|| "another folder, which the disk had no room to name".to_owned()))
    }
}

fn told(path: &Path, what: &str) -> io::Error {
    io::Error::other(format!("{} {what}", path.display()))
}

fn sum(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = files::private().read(true).open(path)?;
    let mut piece = vec![0; 64 * 1024];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            count => hasher.update(&piece[..count]),
        }
    }
    Ok(record::hex(&hasher.finalize()))
}

/// Copies a folder of ours, files durable and 0600. Pipes of runs that have ended stay; a link is an error.
fn copy(from: &Path, to: &Path) -> io::Result<usize> {
    files::private_folder(to)?;
    let mut count = 0;
    let mut folders: Vec<PathBuf> = vec![PathBuf::new()];
    while let Some(inside) = folders.pop() {
        for entry in std::fs::read_dir(from.join(&inside))? {
            let entry = entry?;
            let name = inside.join(entry.file_name());
            let (source, target) = (from.join(&name), to.join(&name));
            let kind = entry.file_type()?;
            if kind.is_dir() {
                files::private_folder(&target)?;
                folders.push(name);
            } else if kind.is_file() {
                one(&source, &target).map_err(|error| {
                    io::Error::new(error.kind(), format!("{}: {error}", source.display()))
                })?;
                count += 1;
            } else if kind.is_symlink() {
                return Err(told(
                    &source,
                    "is a symbolic link, and links are not followed here",
                ));
            }
        }
        files::sync_folder(&to.join(&inside));
    }
    Ok(count)
}

fn one(from: &Path, to: &Path) -> io::Result<()> {
    let mut source: File = files::private().read(true).open(from)?;
    let mut target = files::private().write(true).create_new(true).open(to)?;
    io::copy(&mut source, &mut target)?;
    target.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Moment;

    #[test]
    fn a_folder_goes_whole_and_the_old_one_says_where_to() {
        let temp = tempfile::tempdir().expect("a folder");
        let state = |name: &str| StateDir::at(&temp.path().join(name)).expect("made");
        let (old, new) = (state("old"), state("new"));
        let folder = old
            .create("teleport.example.com", Moment::from_secs(7))
            .expect("made");
        std::fs::create_dir(folder.runs().join("one")).expect("a folder");
        std::fs::write(folder.journal(), "line\ntorn").expect("written");
        std::fs::write(folder.runs().join("one/output.log"), "said\n").expect("written");
        let moved = folder.move_to(&new).expect("moved");
        assert_eq!((moved.files, &moved.unmarked), (2, &None));
        assert_eq!(
            std::fs::read_to_string(moved.folder.journal()).expect("read"),
            "line\ntorn"
        );
        assert_eq!(old.incidents().expect("listed"), []);
        assert_eq!(
            new.incidents().expect("listed"),
            std::slice::from_ref(&moved.folder)
        );
        let to = folder.moved().expect("told");
        assert_eq!(Path::new(&to), moved.folder.path());
        let found = old.shelf().expect("listed");
        let why = found[0].broken.as_deref().expect("not to be read");
        assert!(why.contains("moved to") && why.contains(&to), "{why}");
        assert_eq!(moved.folder.moved(), None);
        assert!(folder.move_to(&new).is_err(), "moved twice");
    }

    #[test]
    fn what_cannot_be_copied_leaves_everything_as_it_was() {
        let temp = tempfile::tempdir().expect("a folder");
        let state = |name: &str| StateDir::at(&temp.path().join(name)).expect("made");
        let (old, new) = (state("old"), state("new"));
        let folder = old
            .create("teleport.example.com", Moment::from_secs(7))
            .expect("made");
        std::fs::write(folder.journal(), "line\n").expect("written");
        std::os::unix::fs::symlink("/etc/passwd", folder.track()).expect("a link");
        let wrong = folder.move_to(&new).expect_err("a link");
        assert!(wrong.to_string().contains("symbolic link"), "{wrong}");
        assert_eq!(std::fs::read_dir(new.path()).expect("listed").count(), 0);
        assert!(folder.journal().exists() && folder.moved().is_none());
    }
}
