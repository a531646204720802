//! What an action is, and what is made of the table of them.

use std::fmt::Write as _;

use super::{ACTIONS, Key, Place, keys};
use crate::state::{Desk, Intent, State};

/// A group of actions, as the help shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// What steps can do.
    Steps,
    /// The output of a run.
    Output,
    /// From pane to pane.
    Panes,
    /// Within a pane.
    Moving,
    /// Everything else.
    Screen,
    /// In a dialog.
    Dialogs,
    /// While an incident is played.
    Replay,
}

impl Section {
    /// Every section, in the order of the help.
    pub const ALL: [Self; 7] = [
        Self::Steps,
        Self::Output,
        Self::Panes,
        Self::Moving,
        Self::Screen,
        Self::Dialogs,
        Self::Replay,
    ];

    /// Its heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Steps => "Steps",
            Self::Output => "Output",
            Self::Panes => "Panes",
            Self::Moving => "Moving",
            Self::Screen => "Screen",
            Self::Dialogs => "In a dialog",
            Self::Replay => "In a replay, before what else the key does",
        }
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct Action {
    /// Its name, as settings and tests say it.
    pub id: &'static str,
    /// Where the help lists it.
    pub section: Section,
    /// Its keys unless the user has others, see [`keys`]; the first one is shown in the footer.
    pub keys: &'static [Key],
    /// What it means. Of [`Intent::RunNumber`] the number comes from the key, of [`Intent::Choose`] from the list.
    pub intent: Intent,
    /// A word or two for the footer; empty where it is not shown there.
    pub hint: &'static str,
    /// One line for help and palette.
    pub doc: &'static str,
    /// Where it applies.
    pub places: &'static [Place],
}

impl Action {
    /// Its keys on a desk, as the help shows them.
    #[must_use]
    pub fn keys_label(&'static self, desk: &Desk) -> String {
        if let Intent::RunNumber(_) = self.intent {
            return "1-9".to_owned();
        }
        let keys: Vec<String> = keys(self, desk).iter().map(ToString::to_string).collect();
        keys.join(" ")
    }

    /// Whether it applies at a place.
    #[must_use]
    pub fn applies(&self, place: Place) -> bool {
        self.places.contains(&place)
    }
}

/// Key and word of every action that the footer shows for the place where the next key will be typed, most useful first.
#[must_use]
pub fn hints(state: &State) -> Vec<(String, &'static str)> {
    let place = Place::of(state);
    let shown = ACTIONS
        .iter()
        .filter(|action| !action.hint.is_empty())
        .filter(|action| {
            action.applies(place) || (place.is_pane() && action.applies(Place::Replay))
        })
        .filter(|action| state.barred(&action.intent).is_none())
        // What is there now and then only is in the footer while it is.
        .filter(|action| {
            !matches!(action.intent, Intent::AcceptOffer | Intent::Approve)
                || state.unavailable(&action.intent).is_none()
        });
    let mut hints: Vec<(String, &'static str)> = Vec::new();
    for action in shown {
        let key = match action.intent {
            Intent::RunNumber(_) => action.keys_label(&state.desk),
            _ => match keys(action, &state.desk).first() {
                Some(key) => key.to_string(),
                None => continue,
            },
        };
        // Two directions of one thing, such as n and N, share a word and a place in the footer.
        match hints.iter_mut().find(|(_, word)| *word == action.hint) {
            Some((keys, _)) => {
                let _ = write!(keys, "/{key}");
            }
            None => hints.push((key, action.hint)),
        }
    }
    hints
}

/// The key table of the README.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from("| Keys | What they do |\n|---|---|\n");
    for section in Section::ALL {
        let _ = writeln!(text, "| **{}** | |", section.title());
        for action in ACTIONS.iter().filter(|action| action.section == section) {
            let keys: Vec<String> = if let Intent::RunNumber(_) = action.intent {
                vec![format!("`{}`", action.keys_label(&Desk::default()))]
            } else {
                action.keys.iter().map(|key| format!("`{key}`")).collect()
            };
            let keys = keys.join(" ");
            let _ = writeln!(text, "| {keys} | {} |", action.doc);
        }
    }
    text
}
