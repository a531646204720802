//! The one table of actions.

use crossterm::event::KeyCode;

use super::{
    Key, Place,
    action::{Action, Section},
};
use crate::state::{Intent, Pane};

const RUNBOOK: &[Place] = &[Place::Pane(Pane::Runbook)];
const OUTPUT: &[Place] = &[Place::Pane(Pane::Output)];
const RUNS: &[Place] = &[Place::Pane(Pane::Runbook), Place::Pane(Pane::Output)];
/// Every pane but the runbook.
const OTHERS: &[Place] = Place::ALL.split_at(6).0.split_at(1).1;
/// Every pane but the output, which has lines and not rows.
const LISTS: &[Place] = Place::ALL.split_at(5).0;
const PANES: &[Place] = Place::ALL.split_at(6).0;
/// Every pane, and the overlays that scroll.
const SCROLLS: &[Place] = Place::ALL.split_at(9).0;
const PAGES: &[Place] = Place::ALL.split_at(8).0;
/// Every overlay.
const OVERLAYS: &[Place] = Place::ALL.split_at(13).0.split_at(6).1;
/// Every overlay without a text field.
const READERS: &[Place] = &[Place::Help, Place::Detail, Place::Themes, Place::Buttons];
const FIELDS: &[Place] = &[Place::Palette, Place::Field, Place::Phrase];

const DIGITS: &[Key] = &[
    Key::char('1'),
    Key::char('2'),
    Key::char('3'),
    Key::char('4'),
    Key::char('5'),
    Key::char('6'),
    Key::char('7'),
    Key::char('8'),
    Key::char('9'),
];

macro_rules! actions {
    ($($section:ident {
        $($id:literal $keys:expr => $intent:expr, in $places:ident, $hint:literal, $doc:literal;)+
    })+) => {
        /// Every action there is. The order within a section is that of the help; hints appear in the footer in the
        /// order of the whole table.
        pub static ACTIONS: &[Action] = &[$($(Action {
            id: $id,
            section: Section::$section,
            keys: $keys,
            intent: $intent,
            hint: $hint,
            doc: $doc,
            places: $places,
        },)+)+];
    };
}

actions! {
    Replay {
        "pause" &[Key::char(' ')] => Intent::Pause, in REPLAY, "pause",
            "Let the replay stand, or go on";
        "slower" &[Key::char('[')] => Intent::Speed(false), in REPLAY, "speed",
            "Play slower";
        "faster" &[Key::char(']')] => Intent::Speed(true), in REPLAY, "speed",
            "Play faster";
        "previous-transition" &[Key::char(',')] => Intent::Jump(false), in REPLAY, "transition",
            "Back to the transition before";
        "next-transition" &[Key::char('.')] => Intent::Jump(true), in REPLAY, "transition",
            "On to the next transition";
    }
    Steps {
        "run" &[Key::code(KeyCode::Enter)] => Intent::Run(None), in RUNBOOK, "run",
            "Run the selected step: `look` at once, everything else after a dialog";
        "run-number" DIGITS => Intent::RunNumber(0), in PANES, "run step",
            "Run the step with that number";
        "dry-run" &[Key::char('d')] => Intent::DryRun, in RUNBOOK, "dry run",
            "Say what the selected step would do and change nothing";
        "override" &[Key::char('o')] => Intent::Override, in RUNBOOK, "",
            "Run the selected step although preconditions are UNKNOWN: asks for a phrase and a reason. A FAIL is never overridden";
        "other-way" &[Key::char('u')] => Intent::OtherWay, in RUNBOOK, "",
            "Let the selected step go its other way, graceful or not; while it runs, it is asked to stop first";
        "skip" &[Key::char('s')] => Intent::Skip, in RUNBOOK, "skip",
            "Skip the selected step: asks for the reason, which stands in the journal";
        "cancel" &[Key::char('x')] => Intent::Cancel, in RUNS, "cancel",
            "Ask the running step to stop";
        "offer" &[Key::char('H')] => Intent::Offer, in PANES, "",
            "Offer the incident to whoever looks on, or take the offer back; runs go on";
        "accept-offer" &[Key::char('A')] => Intent::AcceptOffer, in PANES, "accept offer",
            "Accept an offered incident: this cockpit is the operator's then";
        "take-over" &[Key::char('V')] => Intent::TakeOver, in PANES, "",
            "Take the incident from an operator whose cockpit hangs or was stopped: asks for a phrase";
        "approve" &[Key::char('Y')] => Intent::Approve, in PANES, "approve",
            "Look at the armed step that waits for another person, and approve it by phrase";
        "outage" &[Key::char('T')] => Intent::Outage, in PANES, "",
            "Set when the outage began: 14:05, RFC 3339 or 12m ago. The clocks run from there, and from the declaration unless set";
        "close-incident" &[Key::char('E')] => Intent::Close, in RUNBOOK, "",
            "Close the incident: asks for the reason; the next start begins another";
        "detail" &[Key::char('i')] => Intent::Detail, in RUNBOOK, "detail",
            "All that is known of the selected step: why it is locked, its runs and findings";
        "copy-command" &[Key::char('C')] => Intent::CopyCommand, in RUNS, "",
            "Send the selected step's command to the terminal's clipboard and save it to a file";
    }
    Output {
        "search" &[Key::char('/')] => Intent::Search, in PANES, "search",
            "Search the output";
        "next-hit" &[Key::char('n')] => Intent::Hit(true), in OUTPUT, "next hit",
            "The next hit";
        "previous-hit" &[Key::char('N')] => Intent::Hit(false), in OUTPUT, "next hit",
            "The previous hit";
        "previous-run" &[Key::char('[')] => Intent::NextRun(false), in PANES, "",
            "The output of the run before";
        "next-run" &[Key::char(']')] => Intent::NextRun(true), in PANES, "",
            "The output of the next run";
    }
    Panes {
        "filter" &[Key::char('f')] => Intent::Filter, in LISTS, "filter",
            "Show only the rows of the focused pane that contain a text; esc shows all again";
        "zoom" &[Key::char('z')] => Intent::Zoom, in PANES, "zoom",
            "Give the focused pane the whole screen without borders, or give it back";
        "open" &[Key::code(KeyCode::Enter)] => Intent::Zoom, in OTHERS, "",
            "The same, where enter does not run a step";
        "next-pane" &[Key::code(KeyCode::Tab)] => Intent::Cycle(true), in PANES, "next pane",
            "The next pane";
        "previous-pane" &[Key::code(KeyCode::BackTab)] => Intent::Cycle(false), in PANES, "",
            "The previous pane";
        "runbook" &[Key::char('R')] => Intent::Focus(Pane::Runbook), in PANES, "",
            "To the runbook";
        "pods" &[Key::char('P')] => Intent::Focus(Pane::Pods), in PANES, "",
            "To the pods";
        "backups" &[Key::char('B')] => Intent::Focus(Pane::Backups), in PANES, "",
            "To the backups";
        "dns" &[Key::char('D')] => Intent::Focus(Pane::Dns), in PANES, "",
            "To DNS";
        "web" &[Key::char('W')] => Intent::Focus(Pane::Web), in PANES, "",
            "To the web API";
        "output" &[Key::char('O')] => Intent::Focus(Pane::Output), in PANES, "",
            "To the output";
    }
    Moving {
        "up" &[Key::code(KeyCode::Up), Key::char('k')] => Intent::Move(-1), in SCROLLS, "",
            "One row up";
        "down" &[Key::code(KeyCode::Down), Key::char('j')] => Intent::Move(1), in SCROLLS, "",
            "One row down";
        "page-up" &[Key::code(KeyCode::PageUp), Key::ctrl('b')] => Intent::Page(-1), in PAGES, "",
            "One screen up";
        "page-down" &[Key::code(KeyCode::PageDown), Key::ctrl('f'), Key::char(' ')] => Intent::Page(1), in PAGES, "",
            "One screen down";
        "top" &[Key::char('g'), Key::code(KeyCode::Home)] => Intent::Top, in PANES, "",
            "To the first row";
        "bottom" &[Key::char('G'), Key::code(KeyCode::End)] => Intent::Bottom, in PANES, "",
            "To the last row; in the output, follow again";
        "left" &[Key::code(KeyCode::Left), Key::char('h')] => Intent::Shift(-8), in PANES, "",
            "Scroll to the left";
        "right" &[Key::code(KeyCode::Right), Key::char('l')] => Intent::Shift(8), in PANES, "",
            "Scroll to the right";
    }
    Screen {
        "palette" &[Key::char(':')] => Intent::Palette, in PANES, "palette",
            "Every action by name, with the reason where one is not available";
        "help" &[Key::char('?')] => Intent::Help, in PANES, "help",
            "Every key";
        "refresh" &[Key::char('r')] => Intent::Refresh, in PANES, "",
            "Look at everything now";
        "copy" &[Key::char('c')] => Intent::Copy, in PANES, "",
            "Send the selected row to the terminal's clipboard; of the output, save the whole of it to a file";
        "themes" &[Key::char('t')] => Intent::Themes, in PANES, "",
            "Choose a theme";
        "close-notice" &[Key::code(KeyCode::Esc)] => Intent::Dismiss, in PANES, "",
            "Close the notice and drop the filter";
        "redraw" &[Key::ctrl('l')] => Intent::Redraw, in EVERYWHERE, "",
            "Draw everything again";
        "suspend" &[Key::ctrl('z')] => Intent::Suspend, in EVERYWHERE, "",
            "Suspend the cockpit; runs go on";
        "detach" &[Key::char('q'), Key::ctrl('c')] => Intent::Detach, in PANES, "detach",
            "Leave the screen; runs go on, and the next start comes back to them";
    }
    Dialogs {
        "accept" &[Key::code(KeyCode::Enter)] => Intent::Accept, in OVERLAYS, "accept",
            "Answer with the focused button, take the text, or do the chosen action";
        "button" &[Key::code(KeyCode::Tab), Key::code(KeyCode::Left), Key::code(KeyCode::Right), Key::code(KeyCode::BackTab)] =>
            Intent::Button, in BUTTONS, "other button",
            "The other button";
        "scroll-up" &[Key::code(KeyCode::Up)] => Intent::Move(-1), in CONFIRMS, "scroll",
            "One line up in what will be done";
        "scroll-down" &[Key::code(KeyCode::Down)] => Intent::Move(1), in CONFIRMS, "scroll",
            "One line down in what will be done";
        "scroll-page-up" &[Key::code(KeyCode::PageUp), Key::ctrl('b')] => Intent::Page(-1), in CONFIRMS, "",
            "Half a screen up in what will be done";
        "scroll-page-down" &[Key::code(KeyCode::PageDown), Key::ctrl('f')] => Intent::Page(1), in CONFIRMS, "",
            "Half a screen down in what will be done";
        "choose-up" &[Key::code(KeyCode::Up), Key::ctrl('p')] => Intent::Move(-1), in PALETTE, "",
            "The row above";
        "choose-down" &[Key::code(KeyCode::Down), Key::ctrl('n')] => Intent::Move(1), in PALETTE, "",
            "The row below";
        "backspace" &[Key::code(KeyCode::Backspace)] => Intent::Backspace, in FIELDS, "",
            "Delete the last character";
        "clear" &[Key::ctrl('u')] => Intent::Clear, in FIELDS, "clear",
            "Empty the field";
        "close" &[Key::char('q')] => Intent::Dismiss, in READERS, "",
            "Leave the dialog";
        "leave" &[Key::code(KeyCode::Esc), Key::ctrl('c')] => Intent::Dismiss, in OVERLAYS, "leave",
            "Leave the dialog without doing anything";
    }
}

const EVERYWHERE: &[Place] = &Place::ALL;
const REPLAY: &[Place] = &[Place::Replay];
const BUTTONS: &[Place] = &[Place::Buttons];
const PALETTE: &[Place] = &[Place::Palette];
/// What asks before something is run.
const CONFIRMS: &[Place] = &[Place::Phrase, Place::Buttons];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for place in Place::ALL {
            let mut taken: Vec<(Key, &str)> = Vec::new();
            for action in ACTIONS.iter().filter(|action| action.applies(place)) {
                for key in action.keys {
                    if let Some((_, other)) = taken.iter().find(|(known, _)| known == key) {
                        assert_eq!(action.id, *other, "{key} in {place:?}");
                    }
                    taken.push((*key, action.id));
                }
            }
        }
    }

    #[test]
    fn where_text_is_typed_no_action_has_a_character() {
        for action in ACTIONS {
            if action.places.iter().any(|place| place.is_text()) {
                let typed = action.keys.iter().find(|key| key.text().is_some());
                assert_eq!(typed, None, "{}", action.id);
            }
        }
    }

    #[test]
    fn every_overlay_can_be_left_and_every_id_is_used_once() {
        for place in Place::ALL
            .into_iter()
            .filter(|place| OVERLAYS.contains(place))
        {
            assert!(!place.is_pane());
            let mut here = ACTIONS.iter().filter(|action| action.applies(place));
            assert!(here.any(|action| action.intent == Intent::Dismiss));
        }
        let ids: BTreeSet<&str> = ACTIONS.iter().map(|action| action.id).collect();
        assert_eq!(ids.len(), ACTIONS.len());
    }

    #[test]
    fn the_key_table_of_the_readme() {
        insta::assert_snapshot!(super::super::markdown());
    }
}
