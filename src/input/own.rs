//! The user's own keys, laid over the table: `[keys]` of the settings.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{ACTIONS, Key, Place, action::Action};
use crate::state::{Desk, Intent};

/// Actions that always have a key: without them a dialog or the cockpit itself could not be left.
const KEPT: [&str; 4] = ["accept", "leave", "detach", "help"];

/// The keys of an action on this desk: the user's, else those of the table.
#[must_use]
pub fn keys(action: &'static Action, desk: &Desk) -> Cow<'static, [Key]> {
    match desk.keys.get(action.id) {
        // Taken over by `adopt`: each of them reads.
        Some(own) => own.iter().filter_map(|key| key.parse().ok()).collect(),
        None => Cow::Borrowed(action.keys),
    }
}

/// The first key of an action on this desk, for a sentence; its name where it has none.
#[must_use]
pub fn key(id: &'static str, desk: &Desk) -> String {
    let action = ACTIONS.iter().find(|action| action.id == id);
    let first = action.and_then(|action| keys(action, desk).first().map(Key::to_string));
    first.unwrap_or_else(|| id.to_owned())
}

/// The action that a key means in a place.
pub(super) fn find(key: Key, place: Place, desk: &Desk) -> Option<&'static Action> {
    ACTIONS
        .iter()
        .find(|action| action.applies(place) && keys(action, desk).contains(&key))
}

/// Takes over what the user wrote, as far as it can stand beside the rest: a key means one thing in a place, a character
/// is text where text is typed, and every dialog can be left. What cannot is told, and the usual keys hold.
#[must_use]
pub fn adopt(
    given: &BTreeMap<String, Vec<String>>,
) -> (BTreeMap<String, Vec<String>>, Vec<String>) {
    let mut desk = Desk::default();
    let mut warnings = Vec::new();
    for (id, own) in given {
        match check(id, own) {
            Ok(()) => {
                desk.keys.insert(id.clone(), own.clone());
            }
            Err(why) => warnings.push(format!("keys.{id}: {why}; the usual keys hold")),
        }
    }
    // Taking one back may bring its usual keys into the way of another: until nothing is in the way of anything.
    while let Some((key, place, one, other)) = conflict(&desk) {
        let back = if desk.keys.contains_key(other) {
            (other, one)
        } else {
            (one, other)
        };
        if desk.keys.remove(back.0).is_none() {
            break;
        }
        warnings.push(format!(
            "keys.{}: {key} is {} already ({place:?}); the usual keys hold",
            back.0, back.1
        ));
    }
    (desk.keys, warnings)
}

fn check(id: &str, own: &[String]) -> Result<(), String> {
    let action = ACTIONS
        .iter()
        .find(|action| action.id == id)
        .ok_or("there is no such action")?;
    if matches!(action.intent, Intent::RunNumber(_)) {
        return Err("a step is run by its own number".to_owned());
    }
    if own.is_empty() && KEPT.contains(&id) {
        return Err("it needs a key".to_owned());
    }
    let typed = action.places.iter().any(|place| place.is_text());
    for text in own {
        let key: Key = text.parse()?;
        if typed && key.text().is_some() {
            return Err(format!("{text} is text where it applies"));
        }
    }
    Ok(())
}

/// A key that means two things in one place.
fn conflict(desk: &Desk) -> Option<(Key, Place, &'static str, &'static str)> {
    for place in Place::ALL {
        let mut taken: BTreeMap<String, &'static str> = BTreeMap::new();
        for action in ACTIONS.iter().filter(|action| action.applies(place)) {
            let own: BTreeSet<String> = keys(action, desk).iter().map(Key::to_string).collect();
            for name in own {
                if let Some(other) = taken.insert(name.clone(), action.id) {
                    return name.parse().ok().map(|key| (key, place, other, action.id));
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;
    use crate::state::Pane;

    fn given(rows: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        let row = |(id, keys): &(&str, &[&str])| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            ((*id).to_owned(), keys)
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn every_key_of_the_table_reads_back_from_what_the_help_shows() {
        for action in ACTIONS {
            for key in action.keys {
                assert_eq!(key.to_string().parse(), Ok(*key), "{}", action.id);
            }
        }
        let names = ["up", "page-down", "Ctrl-X", "f1", "space", "ü"];
        for name in names {
            assert!(name.parse::<Key>().is_ok(), "{name}");
        }
        for name in ["", "ctrl-", "hyper-x", "f99", "abc"] {
            assert!(name.parse::<Key>().is_err(), "{name}");
        }
    }

    #[test]
    fn own_keys_take_the_place_of_the_usual_ones_and_two_can_be_swapped() {
        let (keys, warnings) = adopt(&given(&[
            ("help", &["f1"]),
            ("skip", &[]),
            ("dry-run", &["x"]),
            ("cancel", &["d"]),
        ]));
        assert_eq!(warnings, Vec::<String>::new());
        let desk = Desk {
            keys,
            ..Desk::default()
        };
        let means = |code| {
            let key = Key::of(KeyEvent::new(code, KeyModifiers::NONE));
            find(key, Place::Pane(Pane::Runbook), &desk).map(|action| action.id)
        };
        assert_eq!(means(KeyCode::F(1)), Some("help"));
        assert_eq!(means(KeyCode::Char('?')), None);
        assert_eq!(means(KeyCode::Char('s')), None);
        assert_eq!(means(KeyCode::Char('x')), Some("dry-run"));
        assert_eq!(means(KeyCode::Char('d')), Some("cancel"));
        assert_eq!(means(KeyCode::Char('z')), Some("zoom"));
    }

    #[test]
    fn what_cannot_stand_is_told_and_the_usual_keys_hold() {
        let cases: [(&str, &[&str], &str); 7] = [
            ("fly", &["f"], "there is no such action"),
            ("help", &["hyper-x"], "is no key"),
            ("help", &["d"], "d is dry-run already"),
            ("leave", &["q"], "q is text"),
            ("leave", &[], "it needs a key"),
            ("run-number", &["f1"], "its own number"),
            ("zoom", &["enter"], "enter is"),
        ];
        for (id, own, why) in cases {
            let (keys, warnings) = adopt(&given(&[(id, own)]));
            assert!(keys.is_empty(), "{id}");
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert!(
                warnings[0].contains(why) && warnings[0].ends_with("the usual keys hold"),
                "{warnings:?}"
            );
        }
    }
}
