//! The themes there are: the embedded ones, and over them those of the user's own folder.

use std::{fs, io::Read as _, path::Path};

use super::{Depth, EMBEDDED, Theme};

/// The most that is read of a theme's file: it holds some twenty lines.
const LONGEST: u64 = 64 * 1024;

/// The most themes that are taken from a folder.
const MOST: usize = 50;

/// The themes there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    /// Name and text of the user's own; each of them reads.
    own: Vec<(String, String)>,
}

impl Shelf {
    /// Reads the user's own folder: `NAME.toml` is the theme NAME, and stands in for an embedded one of that name. What
    /// cannot be used is passed over and told.
    #[must_use]
    pub fn load(folder: &Path) -> (Self, Vec<String>) {
        let (mut own, mut warnings) = (Vec::new(), Vec::new());
        // No folder is what most users have.
        let files = fs::read_dir(folder).into_iter().flatten().flatten();
        let files = files.map(|file| file.path());
        let mut files: Vec<_> = files
            .filter(|path| path.extension().is_some_and(|end| end == "toml"))
            .collect();
        files.sort();
        for path in files.into_iter().take(MOST) {
            let stem = path.file_stem().map(|stem| stem.to_string_lossy());
            let name: String = stem.map_or_else(String::new, |stem| stem.into_owned());
            match read(&path) {
                Ok(text) => own.push((name, text)),
                Err(why) => warnings.push(format!("{}: {why}; it is passed over", path.display())),
            }
        }
        (Self { own }, warnings)
    }

    /// Names: the embedded ones, the default first, then the user's.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let embedded = EMBEDDED.iter().map(|(name, _)| (*name).to_owned());
        let mut names: Vec<String> = embedded.collect();
        for (name, _) in &self.own {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// A theme, reduced to what the terminal can show.
    #[must_use]
    pub fn theme(&self, name: &str, depth: Depth) -> Option<Theme> {
        let own = self.own.iter().find(|(known, _)| known == name);
        match own {
            Some((_, text)) => Theme::parse(text, depth).ok(),
            None => Theme::by_name(name, depth),
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    let parsed = Theme::parse(&text, Depth::None).map(|_| ());
    parsed.map_err(|error| {
        error
            .to_string()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    })?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_folder_overrides_by_name_and_a_broken_file_is_passed_over() {
        let dir = tempfile::tempdir().expect("a folder");
        let dark = include_str!("../../themes/dark.toml");
        let own = dark.replace("about = \"", "about = \"mine: ");
        fs::write(dir.path().join("dark.toml"), &own).expect("written");
        fs::write(dir.path().join("night.toml"), &own).expect("written");
        fs::write(dir.path().join("broken.toml"), "hues = 3").expect("written");
        fs::write(dir.path().join("notes.txt"), "no theme").expect("written");
        let (shelf, warnings) = Shelf::load(dir.path());
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("broken.toml"), "{warnings:?}");
        let names = shelf.names();
        assert_eq!(names.iter().filter(|name| *name == "dark").count(), 1);
        assert_eq!(names.last().map(String::as_str), Some("night"));
        for name in ["dark", "night"] {
            let theme = shelf.theme(name, Depth::True).expect("a theme");
            assert!(theme.about.starts_with("mine: "), "{}", theme.about);
        }
        assert!(shelf.theme("light", Depth::True).is_some());
        assert!(shelf.theme("broken", Depth::True).is_none());
    }

    #[test]
    fn without_a_folder_there_are_the_embedded_ones() {
        let (shelf, warnings) = Shelf::load(Path::new("/nonexistent"));
        assert_eq!((shelf.names().len(), warnings.len()), (EMBEDDED.len(), 0));
    }
}
