//! COLOUR: roles → styles, reduced to what the terminal can show.
//!
//! Two steps. A theme's TOML gives twelve [`Hue`]s; [`Role`]s, which is what the view asks for, expand from them with
//! bold, reverse and underline in one place. Meaning is never in a colour alone: every role is drawn beside a word.
//!
//! `NO_COLOR` is [`Depth::None`], made here: a style without colours. It is never left to crossterm, whose own handling
//! writes `ESC[;m` between cells and so wipes reverse and bold.

mod colour;
mod file;
mod role;
mod shelf;

use ratatui::style::{Color, Style};

pub use colour::Depth;
pub use file::ThemeError;
pub use role::{Hue, Role};
pub use shelf::Shelf;

use file::ThemeFile;

/// The embedded themes, by name, in the order of the list.
const EMBEDDED: [(&str, &str); 6] = [
    ("default", include_str!("../../themes/default.toml")),
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    (
        "high-contrast",
        include_str!("../../themes/high-contrast.toml"),
    ),
    (
        "colour-blind",
        include_str!("../../themes/colour-blind.toml"),
    ),
    ("mono", include_str!("../../themes/mono.toml")),
];

/// Names of the embedded themes, the default first.
#[must_use]
pub fn names() -> Vec<&'static str> {
    EMBEDDED.iter().map(|(name, _)| *name).collect()
}

/// What an embedded theme says of itself, in one line.
#[must_use]
pub fn about(name: &str) -> Option<String> {
    Theme::by_name(name, Depth::None).map(|theme| theme.about)
}

/// A theme at a depth: a style for every role.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    /// Its name.
    pub name: String,
    /// What it is, in one line.
    pub about: String,
    styles: [Style; Role::ALL.len()],
    background: Option<Color>,
}

impl Theme {
    /// An embedded theme, reduced to what the terminal can show.
    #[must_use]
    pub fn by_name(name: &str, depth: Depth) -> Option<Self> {
        let (_, text) = EMBEDDED.iter().find(|(known, _)| *known == name)?;
        Self::parse(text, depth).ok()
    }

    /// A theme from the text of a TOML file, such as one from the user's own folder.
    ///
    /// # Errors
    /// If the text is not TOML, lacks a hue, has an unknown key or a colour that cannot be read.
    pub fn parse(text: &str, depth: Depth) -> Result<Self, ThemeError> {
        let file: ThemeFile = file::read(text)?;
        let background = file.background.at(depth, true);
        Ok(Self {
            styles: Role::ALL.map(|role| role.expand(|hue| file.hue(hue).at(depth, false))),
            name: file.name,
            about: file.about,
            background,
        })
    }

    /// The style of a role.
    #[must_use]
    pub const fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// What the whole screen is filled with before anything else: plain text on the theme's background, if it has one.
    #[must_use]
    pub fn base(&self) -> Style {
        let style = self.style(Role::Text);
        self.background.map_or(style, |colour| style.bg(colour))
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Modifier;

    use super::*;

    #[test]
    fn every_embedded_theme_reads_and_goes_by_its_own_name() {
        for (name, text) in EMBEDDED {
            let theme = Theme::parse(text, Depth::True).expect(name);
            assert_eq!(theme.name, name);
            assert!(!theme.about.is_empty());
        }
    }

    #[test]
    fn without_colour_no_style_has_one_and_the_selection_still_shows() {
        for name in names() {
            let theme = Theme::by_name(name, Depth::None).expect(name);
            for role in Role::ALL {
                let style = theme.style(role);
                let colours = [style.fg, style.bg].into_iter().flatten();
                assert_eq!(colours.count(), 0, "{name} {role:?}");
            }
            assert_eq!(theme.base(), Style::new());
            let selected = theme.style(Role::Selected);
            assert!(selected.add_modifier.contains(Modifier::REVERSED), "{name}");
        }
    }

    #[test]
    fn with_sixteen_colours_nothing_is_painted_and_no_text_is_black_white_or_grey() {
        let shunned = [Color::White, Color::Black, Color::DarkGray, Color::Gray];
        for name in names() {
            let theme = Theme::by_name(name, Depth::Ansi16).expect(name);
            assert_eq!(theme.base().bg, None, "{name}");
            for role in Role::ALL {
                let style = theme.style(role);
                assert_eq!(style.bg, None, "{name} {role:?}");
                let Some(colour) = style.fg else { continue };
                assert!(!shunned.contains(&colour), "{name} {role:?} {colour:?}");
                assert!(
                    !matches!(colour, Color::Rgb(..) | Color::Indexed(_)),
                    "{name} {role:?} {colour:?}"
                );
            }
        }
    }

    #[test]
    fn at_256_colours_nothing_is_rgb() {
        for name in names() {
            let theme = Theme::by_name(name, Depth::Ansi256).expect(name);
            for role in Role::ALL {
                let style = theme.style(role);
                assert!(!matches!(style.fg, Some(Color::Rgb(..))), "{name} {role:?}");
            }
        }
    }

    #[test]
    fn down_and_ok_never_look_alike_and_unknown_is_never_ok() {
        for name in names().into_iter().filter(|name| *name != "mono") {
            for depth in [Depth::True, Depth::Ansi256, Depth::Ansi16] {
                let theme = Theme::by_name(name, depth).expect(name);
                let ok = theme.style(Role::Ok).fg;
                for other in [Role::Down, Role::Unknown, Role::Stale, Role::Degraded] {
                    assert_ne!(theme.style(other).fg, ok, "{name} {depth:?} {other:?}");
                }
            }
        }
    }
}
