//! Text → settings. Nothing is an error.

use std::{ops::Range, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Ascii, Settings};
use crate::incident::plain::is_unsafe;

/// The frame rates that may be asked for.
pub const FPS: std::ops::RangeInclusive<u8> = 1..=60;

impl Settings {
    /// Reads settings. `path` is used for the warnings.
    #[must_use]
    pub fn parse(path: &Path, text: &str) -> Self {
        let mut settings = Self::default();
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                let at = error.span().unwrap_or_default();
                let what = error.message().lines().collect::<Vec<_>>().join(" ");
                settings.warn(path, text, &at, &format!("{what}. The usual settings hold"));
                return settings;
            }
        };
        for (key, value) in table.get_ref() {
            let name = key.get_ref().as_ref();
            if let Err(why) = settings.take(name, value.get_ref()) {
                let at = if why.starts_with("there is no") {
                    key.span()
                } else {
                    value.span()
                };
                settings.warn(path, text, &at, &format!("{name}: {why}"));
            }
        }
        if let Some(keys) = table.get_ref().get("keys").map(Spanned::get_ref) {
            settings.take_keys(path, text, keys);
        }
        settings
    }

    fn take(&mut self, name: &str, value: &DeValue<'_>) -> Result<(), String> {
        match (name, value) {
            ("theme", DeValue::String(theme)) => self.theme = Some(theme.to_string()),
            ("ascii", DeValue::Boolean(true)) => self.ascii = Ascii::Always,
            ("ascii", DeValue::Boolean(false)) => self.ascii = Ascii::Never,
            ("ascii", DeValue::String(auto)) if auto == "auto" => self.ascii = Ascii::Auto,
            ("fps", DeValue::Integer(fps)) => match fps.as_str().parse() {
                Ok(fps) if FPS.contains(&fps) => self.fps = Some(fps),
                _ => return Err("give 1 to 60; the usual rate holds".to_owned()),
            },
            ("keys", DeValue::Table(_)) => {}
            ("theme", _) => return Err("give a name, such as \"dark\"".to_owned()),
            ("ascii", _) => return Err("give true, false or \"auto\"; auto holds".to_owned()),
            ("fps", _) => return Err("give a number, 1 to 60; the usual rate holds".to_owned()),
            ("keys", _) => return Err("make it a table, [keys]".to_owned()),
            _ => return Err("there is no such setting; it is passed over".to_owned()),
        }
        Ok(())
    }

    /// `action = "key"` or `action = ["key", "key"]`. Which actions and keys there are, the keymap knows.
    fn take_keys(&mut self, path: &Path, text: &str, keys: &DeValue<'_>) {
        let DeValue::Table(keys) = keys else { return };
        for (action, value) in keys {
            let name = action.get_ref().as_ref();
            let listed = match value.get_ref() {
                DeValue::String(key) => Some(vec![key.to_string()]),
                DeValue::Array(list) => list
                    .iter()
                    .map(|key| match key.get_ref() {
                        DeValue::String(key) => Some(key.to_string()),
                        _ => None,
                    })
                    .collect(),
                _ => None,
            };
            if let Some(listed) = listed {
                self.keys.insert(name.to_owned(), listed);
            } else {
                let why = format!("keys.{name}: give a key or a list of keys; the usual ones hold");
                self.warn(path, text, &value.span(), &why);
            }
        }
    }

    fn warn(&mut self, path: &Path, text: &str, at: &Range<usize>, what: &str) {
        let before = text.get(..at.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        let what: String = what.chars().filter(|c| !is_unsafe(*c)).collect();
        self.warnings
            .push(format!("{}:{line}:{column}: {what}", path.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Settings {
        Settings::parse(Path::new("settings.toml"), text)
    }

    #[test]
    fn everything_there_is() {
        let settings = parse(
            "theme = \"dark\"\nascii = true\nfps = 12\n[keys]\ndetach = [\"q\", \"ctrl-c\"]\nhelp = \"f1\"\nskip = []\n",
        );
        assert_eq!(settings.theme.as_deref(), Some("dark"));
        assert_eq!((settings.ascii, settings.fps), (Ascii::Always, Some(12)));
        assert_eq!(settings.keys["detach"], ["q", "ctrl-c"]);
        assert_eq!(settings.keys["help"], ["f1"]);
        assert!(settings.keys["skip"].is_empty());
        assert_eq!(settings.warnings, Vec::<String>::new());
    }

    #[test]
    fn what_is_not_understood_is_a_warning_with_its_place_and_the_rest_holds() {
        let cases = [
            (
                "colour = 1\n",
                "settings.toml:1:1: colour: there is no such setting; it is passed over",
            ),
            (
                "\nfps = 900\n",
                "settings.toml:2:7: fps: give 1 to 60; the usual rate holds",
            ),
            (
                "ascii = \"yes\"\n",
                "settings.toml:1:9: ascii: give true, false or \"auto\"; auto holds",
            ),
            (
                "[keys]\nskip = 3\n",
                "settings.toml:2:8: keys.skip: give a key or a list of keys; the usual ones hold",
            ),
        ];
        for (text, warning) in cases {
            let settings = parse(&format!("{text}\n"));
            assert_eq!(settings.warnings, [warning]);
        }
        let settings = parse("colour = 1\ntheme = \"light\"\n");
        assert_eq!(settings.theme.as_deref(), Some("light"));
    }

    #[test]
    fn a_broken_file_gives_the_usual_settings_and_says_so() {
        let settings = parse("theme = \"dark\"\nascii = = 1\n");
        assert_eq!(settings.theme, None);
        assert!(
            settings.warnings[0].starts_with("settings.toml:2:"),
            "{:?}",
            settings.warnings
        );
        assert!(settings.warnings[0].ends_with("The usual settings hold"));
    }
}
