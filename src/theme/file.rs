//! A theme's TOML.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use thiserror::Error;

use super::{Hue, colour::Paint};

/// Why a theme cannot be used.
#[derive(Debug, Error)]
pub enum ThemeError {
    /// Not TOML, or not of a theme's shape. Names the line.
    #[error("{0}")]
    Syntax(String),
}

/// A theme as its file declares it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ThemeFile {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) background: Paint,
    #[serde(deserialize_with = "all_hues")]
    hues: [Paint; Hue::ALL.len()],
}

impl ThemeFile {
    /// The paint of a hue.
    pub(super) const fn hue(&self, hue: Hue) -> Paint {
        self.hues[hue as usize]
    }
}

/// Every hue must be there: a theme that forgets one would draw it in a colour nobody chose.
fn all_hues<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<[Paint; Hue::ALL.len()], D::Error> {
    let given = BTreeMap::<Hue, Paint>::deserialize(deserializer)?;
    let missing: Vec<String> = Hue::ALL
        .iter()
        .filter(|hue| !given.contains_key(hue))
        .map(|hue| format!("{hue:?}").to_lowercase())
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Err(serde::de::Error::custom(format!("missing: {missing}")));
    }
    if let Some((hue, _)) = given.iter().find(|(_, paint)| !paint.has_name()) {
        let text = format!(
            "{hue:?} needs a 16-colour name beside its RGB value, such as \"#7bc77e green\""
        );
        return Err(serde::de::Error::custom(text));
    }
    Ok(Hue::ALL.map(|hue| given.get(&hue).copied().unwrap_or_default()))
}

/// Reads a theme's text.
pub(super) fn read(text: &str) -> Result<ThemeFile, ThemeError> {
    toml::from_str(text).map_err(|error| ThemeError::Syntax(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONO: &str = include_str!("../../themes/mono.toml");

    #[test]
    fn a_missing_hue_an_unknown_key_and_a_bad_colour_are_named() {
        let cases = [
            (MONO.replace("ok = \"terminal\"\n", ""), "missing: ok"),
            (MONO.replace("bad =", "worse ="), "worse"),
            (MONO.replace("warn = \"terminal\"", "warn = \"#12\""), "#12"),
            (
                MONO.replace("warn = \"terminal\"", "warn = \"#123456\""),
                "16-colour name",
            ),
        ];
        for (text, word) in cases {
            let error = read(&text).expect_err(word).to_string();
            assert!(error.contains(word), "{word}: {error}");
        }
    }
}
