//! What is drawn, by meaning; and the one place where meaning becomes a style.

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::incident::Health;

/// A colour that a theme declares. Twelve of them, so that a theme is written in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hue {
    /// What is read.
    Text,
    /// What may be overlooked.
    Muted,
    /// Focus and keys.
    Accent,
    /// Lines around panes.
    Border,
    /// OK and PASS.
    Ok,
    /// DEGRADED and warnings.
    Warn,
    /// DOWN, FAIL and destruction.
    Bad,
    /// UNKNOWN and stale: never the same as [`Hue::Ok`].
    Unknown,
    /// What is under way.
    Running,
    /// Banner of a practice.
    Practice,
    /// Banner of a drill.
    Drill,
    /// Banner of an incident.
    Incident,
}

impl Hue {
    /// Every hue.
    pub const ALL: [Self; 12] = [
        Self::Text,
        Self::Muted,
        Self::Accent,
        Self::Border,
        Self::Ok,
        Self::Warn,
        Self::Bad,
        Self::Unknown,
        Self::Running,
        Self::Practice,
        Self::Drill,
        Self::Incident,
    ];
}

macro_rules! roles {
    ($($(#[doc = $doc:literal])+ $role:ident = $hue:ident $(+ $modifier:ident)*,)+) => {
        /// What the view asks for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Role {
            $($(#[doc = $doc])+ $role,)+
        }

        impl Role {
            /// Every role, in the order of its discriminant.
            pub const ALL: [Self; [$(stringify!($role)),+].len()] = [$(Self::$role),+];

            /// The role's style, given the colours of the hues.
            pub(super) fn expand(self, colour: impl Fn(Hue) -> Option<Color>) -> Style {
                let (hue, modifiers) = match self {
                    $(Self::$role => (Hue::$hue, Modifier::empty()$(.union(Modifier::$modifier))*),)+
                };
                let style = Style::new().add_modifier(modifiers);
                colour(hue).map_or(style, |colour| style.fg(colour))
            }
        }
    };
}

roles! {
    /// Plain text.
    Text = Text,
    /// Units, separators, what is done with.
    Muted = Muted,
    /// What is read first.
    Strong = Text + BOLD,
    /// Title of a pane.
    Title = Text + BOLD,
    /// Title of the focused pane.
    TitleFocused = Accent + BOLD + REVERSED,
    /// Lines around a pane.
    Border = Border,
    /// Lines around the focused pane.
    BorderFocused = Accent + BOLD,
    /// Seen to be well.
    Ok = Ok,
    /// Works in part.
    Degraded = Warn + BOLD,
    /// Seen not to work.
    Down = Bad + BOLD,
    /// There is no telling.
    Unknown = Unknown + BOLD,
    /// Seen too long ago.
    Stale = Unknown,
    /// Under way.
    Running = Running + BOLD,
    /// The selected row of the focused pane.
    Selected = Text + REVERSED,
    /// The selected row of another pane.
    SelectedIdle = Text + BOLD + UNDERLINED,
    /// A search hit.
    Hit = Warn + REVERSED,
    /// A key in the footer and in the help.
    Key = Accent + BOLD,
    /// A heading in an overlay.
    Heading = Accent + BOLD + UNDERLINED,
    /// A notice for information.
    Notice = Text + BOLD,
    /// A notice that something was refused.
    Warning = Warn + BOLD,
    /// Text being typed.
    Field = Text + UNDERLINED,
    /// The focused button.
    Button = Text + BOLD + REVERSED,
    /// What takes something down.
    Danger = Bad + BOLD + REVERSED,
    /// Banner of a practice.
    Practice = Practice + BOLD + REVERSED,
    /// Banner of a drill.
    Drill = Drill + BOLD + REVERSED,
    /// Banner of an incident.
    Incident = Incident + BOLD + REVERSED,
}

impl From<Health> for Role {
    fn from(health: Health) -> Self {
        match health {
            Health::Ok => Self::Ok,
            Health::Degraded => Self::Degraded,
            Health::Unknown => Self::Unknown,
            Health::Down => Self::Down,
        }
    }
}
