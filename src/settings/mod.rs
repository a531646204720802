//! TASTE: the user's own file, `$XDG_CONFIG_HOME/relight/settings.toml`.
//!
//! It holds taste and nothing that an incident depends on, so nothing in it can keep the cockpit from opening: what is
//! not understood is a warning with its line, and the usual value holds.

mod read;

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
};

pub use read::FPS;

/// The most that is read of the file: it holds a handful of lines.
const LONGEST: u64 = 256 * 1024;

/// Whether to draw with ASCII characters only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ascii {
    /// As the terminal and the locale say.
    #[default]
    Auto,
    /// `true`
    Always,
    /// `false`
    Never,
}

/// What the user likes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `theme`: a name from `themes/` or of a file in the user's own folder of themes.
    pub theme: Option<String>,
    /// `ascii = true`, `false` or `"auto"`.
    pub ascii: Ascii,
    /// `fps`: at most so many frames a second, 1 to 60.
    pub fps: Option<u8>,
    /// `[keys]`: action → keys, such as `detach = ["q", "ctrl-c"]`. An empty list takes the action's keys away.
    pub keys: BTreeMap<String, Vec<String>>,
    /// What was not understood, with file, line and what holds instead.
    pub warnings: Vec<String>,
}

/// Where the file is: `$XDG_CONFIG_HOME/relight/settings.toml`, `~/.config/relight/settings.toml` unless that is set to
/// an absolute path (XDG Base Directory specification). `None` without a home.
#[must_use]
pub fn path() -> Option<PathBuf> {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let config = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(config.join("relight").join("settings.toml"))
}

impl Settings {
    /// Reads the user's file; the usual settings without one.
    #[must_use]
    pub fn load(path: &Path) -> Self {
        match text(path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::default(),
            Err(error) => Self {
                warnings: vec![format!(
                    "{}: cannot be read: {error}. The usual settings hold",
                    path.display()
                )],
                ..Self::default()
            },
        }
    }
}

fn text(path: &Path) -> io::Result<String> {
    use io::Read as _;

    let mut text = String::new();
    fs::File::open(path)?
        .take(LONGEST)
        .read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_file_the_usual_settings_hold_and_an_unreadable_one_is_a_warning() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("settings.toml");
        assert_eq!(Settings::load(&path), Settings::default());
        fs::write(&path, [0xff, 0xfe]).expect("written");
        let settings = Settings::load(&path);
        assert!(
            settings.warnings[0].contains("cannot be read"),
            "{:?}",
            settings.warnings
        );
        fs::write(&path, "theme = \"dark\"\n").expect("written");
        assert_eq!(Settings::load(&path).theme.as_deref(), Some("dark"));
    }
}
