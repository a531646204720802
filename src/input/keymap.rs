//! Key events → intents.

use crossterm::event::{KeyEvent, KeyEventKind};

use super::{Key, Place, matches, own::find};
use crate::state::{Intent, Overlay, State};

/// What a key means now: nothing, one intent, or (enter in the palette) leaving the overlay and then the chosen action.
///
/// Key releases, which some terminals report, mean nothing.
#[must_use]
pub fn resolve(state: &State, event: KeyEvent) -> Vec<Intent> {
    if event.kind == KeyEventKind::Release {
        return Vec::new();
    }
    let place = Place::of(state);
    let key = Key::of(event);
    if let (true, Some(c)) = (place.is_text(), key.text()) {
        return vec![Intent::Insert(c)];
    }
    let played = (place.is_pane() && state.desk.playback.is_some())
        .then(|| find(key, Place::Replay, &state.desk))
        .flatten();
    let Some(action) = played.or_else(|| find(key, place, &state.desk)) else {
        return Vec::new();
    };
    match (&action.intent, place) {
        (Intent::RunNumber(_), _) => {
            let digit = key.text().and_then(|c| c.to_digit(10));
            digit
                .and_then(|digit| usize::try_from(digit).ok())
                .map(Intent::RunNumber)
                .into_iter()
                .collect()
        }
        (Intent::Move(by), Place::Palette | Place::Themes) => choose(state, *by),
        (Intent::Accept, Place::Palette) => chosen(state),
        // There is nothing to answer: enter closes what is only read.
        (Intent::Accept, Place::Help | Place::Detail) => vec![Intent::Dismiss],
        (intent, _) => vec![intent.clone()],
    }
}

/// What a bracketed paste means: text. Outside of a field it is refused there, and nothing in it is taken for keys.
#[must_use]
pub const fn pasted(text: String) -> Intent {
    Intent::Paste(text)
}

/// The row above or below in a list, within it.
fn choose(state: &State, by: i32) -> Vec<Intent> {
    let (chosen, rows) = match &state.desk.overlay {
        Some(Overlay::Palette(text, chosen)) => (*chosen, matches(state, text).len()),
        Some(Overlay::Themes(chosen)) => (*chosen, state.desk.themes.len()),
        _ => return Vec::new(),
    };
    let Some(last) = rows.checked_sub(1) else {
        return Vec::new();
    };
    let there = if by < 0 {
        chosen.saturating_sub(1)
    } else {
        chosen.saturating_add(1)
    };
    vec![Intent::Choose(there.min(last))]
}

/// The chosen row of the palette: the overlay is left first, since the action belongs to the panes below.
fn chosen(state: &State) -> Vec<Intent> {
    let Some(Overlay::Palette(text, chosen)) = &state.desk.overlay else {
        return Vec::new();
    };
    match matches(state, text).into_iter().nth(*chosen) {
        Some(found) => vec![Intent::Dismiss, found.entry.intent],
        None => Vec::new(),
    }
}
