//! Colours as a theme writes them, and their reduction.

use ratatui::style::Color;
use serde::Deserialize;

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None: `NO_COLOR`, or a terminal without.
    None,
    /// The sixteen named ones.
    Ansi16,
    /// The 256 indexed ones.
    Ansi256,
    /// 24 bits.
    True,
}

/// A colour in a theme: `terminal`, one of the sixteen by name, or `#rrggbb` with the name that stands in for it.
///
/// The stand-in is declared and not computed: what the sixteen look like is the terminal's business, so that a
/// "nearest" one may be invisible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Paint {
    rgb: Option<(u8, u8, u8)>,
    /// `Reset` is the terminal's own.
    named: Option<Color>,
}

impl TryFrom<String> for Paint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut words = text.split_whitespace();
        let wrong =
            || format!("{text:?} is no colour: write \"terminal\", \"green\" or \"#7bc77e green\"");
        let first = words.next().ok_or_else(wrong)?;
        let (rgb, name) = match first.strip_prefix('#') {
            Some(hex) => (Some(parse_rgb(hex).ok_or_else(wrong)?), words.next()),
            None => (None, Some(first)),
        };
        let named = match name {
            None => None,
            Some("terminal") => Some(Color::Reset),
            Some(name) => Some(parse_name(name).ok_or_else(wrong)?),
        };
        if words.next().is_some() {
            return Err(wrong());
        }
        Ok(Self { rgb, named })
    }
}

fn parse_rgb(hex: &str) -> Option<(u8, u8, u8)> {
    if hex.len() != 6 || !hex.is_ascii() {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).ok();
    Some((byte(0)?, byte(2)?, byte(4)?))
}

/// The six chromatic colours and their bright forms; black, white and the greys may be the background itself.
fn parse_name(name: &str) -> Option<Color> {
    Some(match name {
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        "bright-red" => Color::LightRed,
        "bright-green" => Color::LightGreen,
        "bright-yellow" => Color::LightYellow,
        "bright-blue" => Color::LightBlue,
        "bright-magenta" => Color::LightMagenta,
        "bright-cyan" => Color::LightCyan,
        _ => return None,
    })
}

impl Paint {
    /// The colour at a depth; `None` is the terminal's own. A background is only painted where RGB or the 256 can
    /// be shown, since the text's stand-ins are made for the terminal's own background.
    pub(super) fn at(self, depth: Depth, background: bool) -> Option<Color> {
        match (depth, self.rgb) {
            (Depth::None, _) => None,
            (Depth::True, Some((r, g, b))) => Some(Color::Rgb(r, g, b)),
            (Depth::Ansi256, Some(rgb)) => Some(Color::Indexed(nearest_256(rgb))),
            _ if background => None,
            _ => self.named.filter(|name| *name != Color::Reset),
        }
    }

    /// Whether it says what to show where RGB cannot be.
    pub(super) const fn has_name(self) -> bool {
        self.named.is_some()
    }
}

/// Levels of the 6×6×6 cube.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The nearest of the indexed colours 16 to 255: cube or grey ramp, which no terminal lets a user redefine.
fn nearest_256(wanted: (u8, u8, u8)) -> u8 {
    let square = |one: u8, other: u8| u32::from(one.abs_diff(other)).pow(2);
    (16..=255)
        .min_by_key(|index| {
            let there = indexed(*index);
            square(wanted.0, there.0) + square(wanted.1, there.1) + square(wanted.2, there.2)
        })
        .unwrap_or(15)
}

/// RGB of an indexed colour from 16 up.
const fn indexed(index: u8) -> (u8, u8, u8) {
    if index >= 232 {
        let grey = 8 + (index - 232) * 10;
        return (grey, grey, grey);
    }
    let cube = index.saturating_sub(16);
    (
        CUBE[(cube / 36) as usize],
        CUBE[(cube / 6 % 6) as usize],
        CUBE[(cube % 6) as usize],
    )
}

#[cfg(test)]
mod tests {
    use super::super::{Hue, file};
    use super::*;

    type Rgb = (u8, u8, u8);

    const PAINTED: [&str; 4] = [
        include_str!("../../themes/dark.toml"),
        include_str!("../../themes/light.toml"),
        include_str!("../../themes/high-contrast.toml"),
        include_str!("../../themes/colour-blind.toml"),
    ];

    fn linear(channel: u8) -> f64 {
        let c = f64::from(channel) / 255.0;
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    }

    fn linear_rgb((r, g, b): Rgb) -> [f64; 3] {
        [linear(r), linear(g), linear(b)]
    }

    fn luminance(rgb: Rgb) -> f64 {
        let [r, g, b] = linear_rgb(rgb);
        0.0722f64.mul_add(b, 0.2126f64.mul_add(r, 0.7152 * g))
    }

    /// WCAG 2.2, contrast ratio.
    fn contrast(a: Rgb, b: Rgb) -> f64 {
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    #[test]
    fn every_hue_can_be_read_on_the_painted_background_also_at_256_colours() {
        for text in PAINTED {
            let theme = file::read(text).expect("a theme");
            let ground = theme.background.rgb.expect("painted");
            for hue in Hue::ALL {
                let rgb = theme.hue(hue).rgb.expect("an RGB value");
                let least = match (theme.name.as_str(), hue) {
                    ("high-contrast", _) => 7.0,
                    // WCAG 1.4.11: graphical objects.
                    (_, Hue::Border) => 3.0,
                    _ => 4.5,
                };
                let pairs = [
                    (rgb, ground),
                    (indexed(nearest_256(rgb)), indexed(nearest_256(ground))),
                ];
                for (rgb, ground) in pairs {
                    let ratio = contrast(rgb, ground);
                    assert!(
                        ratio >= least,
                        "{} {hue:?} {rgb:?}: {ratio:.2} < {least}",
                        theme.name
                    );
                }
            }
        }
    }

    /// Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
    const PROTANOPIA: [[f64; 3]; 3] = [
        [0.152_286, 1.052_583, -0.204_868],
        [0.114_503, 0.786_281, 0.099_216],
        [-0.003_882, -0.048_116, 1.051_998],
    ];
    const DEUTERANOPIA: [[f64; 3]; 3] = [
        [0.367_322, 0.860_646, -0.227_968],
        [0.280_085, 0.672_501, 0.047_413],
        [-0.011_820, 0.042_940, 0.968_881],
    ];

    fn seen(rgb: Rgb, eye: &[[f64; 3]; 3]) -> [f64; 3] {
        let c = linear_rgb(rgb);
        eye.map(|row| (row[0] * c[0] + row[1] * c[1] + row[2] * c[2]).clamp(0.0, 1.0))
    }

    /// CIELAB under D65.
    fn lab([red, green, blue]: [f64; 3]) -> [f64; 3] {
        let curve = |part: f64| {
            if part > 0.008_856 {
                part.cbrt()
            } else {
                7.787f64.mul_add(part, 16.0 / 116.0)
            }
        };
        let x = curve((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505);
        let y = curve(0.2126 * red + 0.7152 * green + 0.0722 * blue);
        let z = curve((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    #[test]
    fn the_colour_blind_theme_keeps_the_four_healths_apart() {
        let theme = file::read(PAINTED[3]).expect("a theme");
        let healths = [Hue::Ok, Hue::Warn, Hue::Bad, Hue::Unknown];
        for eye in [PROTANOPIA, DEUTERANOPIA] {
            for (at, one) in healths.iter().enumerate() {
                for two in &healths[at + 1..] {
                    let [a, b] = [one, two]
                        .map(|hue| lab(seen(theme.hue(*hue).rgb.expect("an RGB value"), &eye)));
                    let distance = a
                        .iter()
                        .zip(b)
                        .map(|(a, b)| (a - b).powi(2))
                        .sum::<f64>()
                        .sqrt();
                    assert!(distance >= 25.0, "{one:?} and {two:?}: {distance:.0}");
                }
            }
        }
    }

    #[test]
    fn the_nearest_indexed_colour_is_exact_on_the_cube_and_on_the_ramp() {
        assert_eq!(nearest_256((0, 0, 0)), 16);
        assert_eq!(nearest_256((255, 0, 0)), 196);
        assert_eq!(nearest_256((8, 8, 8)), 232);
    }
}
