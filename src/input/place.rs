//! Where a key is typed.

use crate::state::{Overlay, Pane, State};

/// Where a key is typed: it means one thing there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A focused pane, with nothing over it.
    Pane(Pane),
    /// The list of keys.
    Help,
    /// All that is known of a step.
    Detail,
    /// The list of themes.
    Themes,
    /// The list of actions, with its text field.
    Palette,
    /// A line of text: search, filter, reason.
    Field,
    /// A dialog with a phrase to type.
    Phrase,
    /// A dialog with two buttons.
    Buttons,
    /// Any pane while an incident is played: what has a key here goes before what the pane does by it.
    Replay,
}

impl Place {
    /// Every place.
    pub const ALL: [Self; 14] = [
        Self::Pane(Pane::Runbook),
        Self::Pane(Pane::Pods),
        Self::Pane(Pane::Backups),
        Self::Pane(Pane::Dns),
        Self::Pane(Pane::Web),
        Self::Pane(Pane::Output),
        Self::Help,
        Self::Detail,
        Self::Themes,
        Self::Palette,
        Self::Field,
        Self::Phrase,
        Self::Buttons,
        Self::Replay,
    ];

    /// Where the next key will be typed.
    #[must_use]
    pub const fn of(state: &State) -> Self {
        match &state.desk.overlay {
            None => Self::Pane(state.desk.focus),
            Some(Overlay::Help(_)) => Self::Help,
            Some(Overlay::Detail(..)) => Self::Detail,
            Some(Overlay::Themes(_)) => Self::Themes,
            Some(Overlay::Override(_) | Overlay::Vouch(_)) => Self::Phrase,
            Some(Overlay::Palette(..)) => Self::Palette,
            Some(Overlay::Reason(_) | Overlay::Search(_) | Overlay::Filter(_)) => Self::Field,
            Some(Overlay::Confirm(confirm)) if confirm.is_typed() => Self::Phrase,
            Some(Overlay::Confirm(_)) => Self::Buttons,
        }
    }

    /// Whether it is a pane, with nothing over it.
    #[must_use]
    pub const fn is_pane(self) -> bool {
        matches!(self, Self::Pane(_))
    }

    /// Whether characters are text here.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Palette | Self::Field | Self::Phrase)
    }
}
