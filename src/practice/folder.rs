//! Where a practice keeps its things: a folder that nobody else can write to, since its plan names programs to run.

use std::{
    env, fs,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use super::serve::{PracticeError, write};

/// The folder unless another is named: in `$XDG_RUNTIME_DIR`, else in the temporary folder under the user's number.
#[must_use]
pub fn usual() -> PathBuf {
    match env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty()) {
        Some(dir) => Path::new(&dir).join("relight-practice"),
        None => env::temp_dir().join(format!("relight-practice-{}", user())),
    }
}

/// Makes the folder, for this user alone.
///
/// # Errors
/// If it cannot be made, is no folder (a link is none), or belongs to another user.
pub(super) fn make(dir: &Path) -> Result<(), PracticeError> {
    let mut builder = fs::DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(write(dir))?;
    let meta = fs::symlink_metadata(dir).map_err(write(dir))?;
    if meta.uid() == user() && meta.is_dir() {
        Ok(())
    } else {
        Err(PracticeError::Foreign(dir.to_owned()))
    }
}

/// The file by which a practice is told that its primary comes back.
pub(super) fn healed(dir: &Path) -> std::path::PathBuf {
    dir.join("healed")
}

fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_folder_is_for_its_user_alone_and_a_link_is_refused() {
        let parent = tempfile::tempdir().expect("a folder");
        let dir = parent.path().join("one/two");
        make(&dir).expect("made");
        make(&dir).expect("found again");
        let mode = fs::metadata(&dir).expect("there").mode();
        assert_eq!(mode & 0o777, 0o700);
        let link = parent.path().join("link");
        std::os::unix::fs::symlink(&dir, &link).expect("a link");
        let error = make(&link).expect_err("a link").to_string();
        assert!(error.contains("belongs to another user"), "{error}");
    }
}
