//! Files and folders that nobody else may read, and that are never reached through a symbolic link.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::fs::OFlags;

/// Options for a file of our own: mode 0600 if it is made, a symbolic link in its place is an error.
#[must_use]
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(nofollow());
    options
}

/// `O_NOFOLLOW` as [`OpenOptions`] takes it.
fn nofollow() -> i32 {
    i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0)
}

/// Makes a folder with mode 0700. One that is there already is taken if it is a folder of ours and no link.
///
/// # Errors
/// If it cannot be made, is a link or no folder, belongs to someone else, or others may write to it.
pub fn private_folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            if let Some(parent) = path.parent() {
                sync_folder(parent);
            }
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_folder(path),
        Err(error) => Err(error),
    }
}

/// Checks that a path is a folder, no link, our own, and that nobody else may write to it.
///
/// # Errors
/// If one of these does not hold; the message says which.
pub fn check_folder(path: &Path) -> io::Result<()> {
    let meta = std::fs::symlink_metadata(path)?;
    let wrong = if meta.file_type().is_symlink() {
        "is a symbolic link, and links are not followed here"
    } else if !meta.is_dir() {
        "is not a folder"
    } else if meta.uid() != rustix::process::geteuid().as_raw() {
        "belongs to another user"
    } else if meta.mode() & 0o022 != 0 {
        "can be written to by others (chmod go-w it)"
    } else {
        return Ok(());
    };
    Err(io::Error::new(io::ErrorKind::PermissionDenied, wrong))
}

/// Makes the names in a folder durable. Some file systems cannot; that is no reason to stop.
pub fn sync_folder(path: &Path) {
    if let Ok(folder) = File::open(path) {
        let _ = folder.sync_all();
    }
}

/// Replaces a file at once and durably: readers see the old or the new text, never half of one.
///
/// # Errors
/// If it could not be written; the old file is then still there.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let Some((folder, name)) = path.parent().zip(path.file_name()) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path names no file",
        ));
    };
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(
        ".{}-{:08x}.new",
        std::process::id(),
        fastrand::u32(..)
    ));
    let temporary = folder.join(temporary);
    let write = || {
        let mut file = private().write(true).create_new(true).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    let done = write();
    if done.is_err() {
        let _ = std::fs::remove_file(&temporary);
    } else {
        sync_folder(folder);
    }
    done
}

/// Reads a file of our own, up to `cap` bytes; a longer one is an error, since it is none that we wrote.
///
/// # Errors
/// If it cannot be read, is a link, or is longer.
pub fn read_capped(path: &Path, cap: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = private().read(true).open(path)?;
    let read = file.take(cap.saturating_add(1)).read_to_end(&mut bytes)?;
    if read as u64 > cap {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("longer than {cap} bytes"),
        ));
    }
    Ok(bytes)
}

/// The sentence that tells what to do about a disk that takes nothing any more, for errors that come of one.
#[must_use]
pub fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full: free space on it, or go on elsewhere: relight move INCIDENT --state-dir DIR"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "the disk is read-only: remount it, or go on elsewhere: relight move INCIDENT --state-dir DIR"
        }
        io::ErrorKind::PermissionDenied => {
            "check owner and mode of the folder, or name another one with --state-dir"
        }
        io::ErrorKind::FileTooLarge => {
            "a file may not grow that far here: raise the limit (ulimit -f), or go on elsewhere: relight move INCIDENT --state-dir DIR"
        }
        io::ErrorKind::NotFound => "check that the folder is there, or name one with --state-dir",
        _ => "look at the disk, or go on elsewhere: relight move INCIDENT --state-dir DIR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_ours_is_private_and_no_link_is_followed() {
        let temp = tempfile::tempdir().expect("a folder");
        let path = temp.path().join("secret");
        write_atomic(&path, b"one").expect("written");
        write_atomic(&path, b"two").expect("replaced");
        assert_eq!(read_capped(&path, 3).expect("read"), b"two");
        assert!(read_capped(&path, 2).is_err(), "longer than allowed");
        assert_eq!(
            std::fs::metadata(&path).expect("meta").mode() & 0o777,
            0o600
        );

        let link = temp.path().join("link");
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        assert!(read_capped(&link, 10).is_err(), "followed a link");
        assert_eq!(
            std::fs::read_dir(temp.path()).expect("listed").count(),
            2,
            "left a temporary file"
        );
    }

    #[test]
    fn a_folder_that_is_a_link_or_open_to_others_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;

        let temp = tempfile::tempdir().expect("a folder");
        let own = temp.path().join("own");
        private_folder(&own).expect("made");
        private_folder(&own).expect("taken again");
        let link = temp.path().join("link");
        std::os::unix::fs::symlink(&own, &link).expect("a link");
        assert!(private_folder(&link).is_err());
        std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o777)).expect("chmod");
        assert!(private_folder(&own).is_err());
    }
}
