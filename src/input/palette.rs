//! Every action by name, found by a few letters of it.

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{CaseMatching, Normalization, Pattern},
};

use super::{ACTIONS, Place};
use crate::state::{Intent, Pane, State};

/// Something that the palette can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is called.
    pub title: String,
    /// What it does, in one line; empty where the title says it.
    pub about: &'static str,
    /// Its keys, where it has some.
    pub keys: String,
    /// What it means.
    pub intent: Intent,
}

/// An entry that fits what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The entry.
    pub entry: Entry,
    /// Why it is not available now, if it is not.
    pub unavailable: Option<String>,
}

/// Everything that the palette can do: one entry for each step, then every action of the panes. What this terminal may not
/// do at all is not among them.
#[must_use]
pub fn entries(state: &State) -> Vec<Entry> {
    let steps = state.runbook.steps.iter().enumerate();
    let steps = steps.map(|(at, step)| Entry {
        title: format!("run step {}: {}", at + 1, step.title),
        about: "",
        keys: if at < 9 {
            (at + 1).to_string()
        } else {
            String::new()
        },
        intent: Intent::Run(Some(step.id.clone())),
    });
    let actions = ACTIONS.iter().filter(|action| {
        let in_panes = action.applies(Place::Replay)
            || Pane::ALL
                .into_iter()
                .any(|pane| action.applies(Place::Pane(pane)));
        // The steps stand above one by one; `open` is zoom under another key; moving and leaving need no name.
        let named = !matches!(
            action.intent,
            Intent::RunNumber(_)
                | Intent::Move(_)
                | Intent::Shift(_)
                | Intent::Page(_)
                | Intent::Dismiss
        );
        in_panes && named && action.id != "open"
    });
    let actions = actions.map(|action| Entry {
        title: action.id.replace('-', " "),
        about: action.doc,
        keys: action.keys_label(&state.desk),
        intent: action.intent.clone(),
    });
    let all = steps.chain(actions);
    all.filter(|entry| state.barred(&entry.intent).is_none())
        .collect()
}

/// The entries that fit a text, best first; all of them in their order while it is empty.
#[must_use]
pub fn matches(state: &State, text: &str) -> Vec<Match> {
    let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let plain = text.to_lowercase();
    let mut scored: Vec<(u32, Entry)> = entries(state)
        .into_iter()
        .filter_map(|entry| {
            let hay = Utf32Str::new(&entry.title, &mut buffer);
            let score = pattern.score(hay, &mut matcher);
            // A few letters fit almost any sentence: in the description the text counts as it stands only.
            let score =
                score.or_else(|| entry.about.to_lowercase().contains(&plain).then_some(0))?;
            Some((score, entry))
        })
        .collect();
    // Stable: entries that fit equally well keep the order of the table.
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored
        .into_iter()
        .map(|(_, entry)| Match {
            unavailable: state.unavailable(&entry.intent),
            entry,
        })
        .collect()
}
