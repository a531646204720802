//! Keys → intents, in every place.

use std::{collections::BTreeSet, sync::Arc};

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{ACTIONS, Place, entries, matches, pasted, resolve};
use crate::{
    incident::{Moment, Risk, RunId, Runbook, StepId},
    journal::ArmedStep,
    plan::sample,
    state::{
        Access, Confirm, Event, Focus, Intent, Overlay, Pane, Playback, Prepared, Reason, State,
        Why,
    },
};

const NOW: Moment = Moment::from_secs(1_795_442_731);

fn state() -> State {
    let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the embedded runbook");
    let prepare = |_: &crate::incident::Step, _, _: &_| {
        Ok(Prepared {
            calls: vec!["true".to_owned()],
            phrase: None,
        })
    };
    let plan = Arc::new(sample::plan());
    let mut state = State::new(
        plan,
        runbook.into(),
        Access::Operator,
        NOW,
        Arc::new(prepare),
    );
    state.desk.themes = vec!["default".to_owned(), "mono".to_owned()];
    state
}

fn step() -> StepId {
    StepId::try_from("install".to_owned()).expect("a step id")
}

fn dialog(phrase: Option<&str>) -> Overlay {
    let armed = ArmedStep {
        run: RunId::new(&step(), 1, NOW),
        step: step(),
        attempt: 1,
        risk: Risk::Change,
        calls: Vec::new(),
        observes: Vec::new(),
        phrase: phrase.map(ToOwned::to_owned),
        dry_run: false,
        way: crate::incident::Way::Graceful,
        because: String::new(),
        by_hand: false,
        evidence: crate::incident::Evidence::Seen,
        waiver: None,
        approval: None,
    };
    Overlay::Confirm(Confirm {
        armed,
        focus: Focus::Cancel,
        typed: String::new(),
        note: None,
        top: 0,
        drawn: true,
    })
}

/// A state in which the next key is typed at a place.
fn at(place: Place) -> State {
    let mut state = state();
    state.desk.overlay = match place {
        Place::Pane(pane) => {
            state.desk.focus = pane;
            None
        }
        Place::Help => Some(Overlay::Help(0)),
        Place::Detail => Some(Overlay::Detail(step(), 0)),
        Place::Themes => Some(Overlay::Themes(0)),
        Place::Palette => Some(Overlay::Palette(String::new(), 0)),
        Place::Field => Some(Overlay::Reason(Reason {
            why: Why::Skip(step()),
            text: String::new(),
        })),
        Place::Phrase => Some(dialog(Some("uninstall it"))),
        Place::Buttons => Some(dialog(None)),
        Place::Replay => {
            state.desk.playback = Some(Playback {
                incident: "20261123T140000Z-teleport.example.com".to_owned(),
                speed: 10,
                paused: false,
                ended: false,
            });
            None
        }
    };
    state
}

fn press(state: &State, code: KeyCode, modifiers: KeyModifiers) -> Vec<Intent> {
    resolve(state, KeyEvent::new(code, modifiers))
}

fn plain(state: &State, code: KeyCode) -> Vec<Intent> {
    press(state, code, KeyModifiers::NONE)
}

/// The name of a variant; the match makes a new one a compile error here, so that it gets a key too.
const fn name(intent: &Intent) -> &'static str {
    match intent {
        Intent::Focus(_) => "focus",
        Intent::Cycle(_) => "cycle",
        Intent::Zoom => "zoom",
        Intent::Move(_) => "move",
        Intent::Page(_) => "page",
        Intent::Shift(_) => "shift",
        Intent::Top => "top",
        Intent::Bottom => "bottom",
        Intent::Run(_) => "run",
        Intent::RunNumber(_) => "run number",
        Intent::DryRun => "dry run",
        Intent::OtherWay => "other way",
        Intent::Override => "override",
        Intent::Skip => "skip",
        Intent::Outage => "outage",
        Intent::Close => "close",
        Intent::Cancel => "cancel",
        Intent::Offer => "offer",
        Intent::AcceptOffer => "accept offer",
        Intent::TakeOver => "take over",
        Intent::Approve => "approve",
        Intent::Detail => "detail",
        Intent::NextRun(_) => "next run",
        Intent::Search => "search",
        Intent::Hit(_) => "hit",
        Intent::Filter => "filter",
        Intent::Refresh => "refresh",
        Intent::Pause => "pause",
        Intent::Speed(_) => "speed",
        Intent::Jump(_) => "jump",
        Intent::Palette => "palette",
        Intent::Help => "help",
        Intent::Themes => "themes",
        Intent::Copy => "copy",
        Intent::CopyCommand => "copy command",
        Intent::Redraw => "redraw",
        Intent::Suspend => "suspend",
        Intent::Detach => "detach",
        Intent::Accept => "accept",
        Intent::Dismiss => "dismiss",
        Intent::Button => "button",
        Intent::Insert(_) => "insert",
        Intent::Paste(_) => "paste",
        Intent::Backspace => "backspace",
        Intent::Clear => "clear",
        Intent::Choose(_) => "choose",
    }
}

/// As many as [`name`] has arms.
const INTENTS: usize = 46;

#[test]
fn every_intent_can_be_reached_by_a_key() {
    let mut reached = BTreeSet::from([name(&pasted(String::new()))]);
    let named = [
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::Backspace,
    ];
    for place in Place::ALL {
        let state = at(place);
        let chars = (' '..='~').map(KeyCode::Char);
        for code in named.into_iter().chain(chars) {
            for modifiers in [KeyModifiers::NONE, KeyModifiers::CONTROL] {
                let intents = press(&state, code, modifiers);
                reached.extend(intents.iter().map(name));
            }
        }
    }
    assert_eq!(reached.len(), INTENTS, "{reached:?}");
}

#[test]
fn every_place_is_found_again_from_its_state() {
    // A replay is played in the panes.
    let places = Place::ALL.into_iter();
    for place in places.filter(|place| *place != Place::Replay) {
        assert_eq!(Place::of(&at(place)), place);
        assert_eq!(at(place).desk.is_typing(), place.is_text(), "{place:?}");
    }
}

#[test]
fn a_replay_has_its_keys_in_every_pane_and_nothing_else_does() {
    let keys = [
        (' ', Intent::Pause),
        ('[', Intent::Speed(false)),
        (']', Intent::Speed(true)),
        (',', Intent::Jump(false)),
        ('.', Intent::Jump(true)),
    ];
    for pane in Pane::ALL {
        let mut state = at(Place::Replay);
        state.desk.focus = pane;
        for (key, intent) in &keys {
            let means = plain(&state, KeyCode::Char(*key));
            assert_eq!(means, std::slice::from_ref(intent));
            let live = plain(&at(Place::Pane(pane)), KeyCode::Char(*key));
            assert!(!live.contains(intent), "{key} in {pane:?}");
        }
        let hints = super::hints(&state);
        for word in ["pause", "speed", "transition", "help", "detach"] {
            assert!(hints.iter().any(|(_, hint)| *hint == word), "{word}");
        }
        let titles: Vec<String> = entries(&state).into_iter().map(|one| one.title).collect();
        assert!(titles.contains(&"faster".to_owned()), "{titles:?}");
        assert!(
            !titles.contains(&"refresh".to_owned()),
            "nothing is looked at"
        );
        let live = entries(&at(Place::Pane(pane)));
        assert!(!live.iter().any(|one| one.title == "faster"));
    }
}

#[test]
fn where_text_is_typed_every_character_is_text() {
    for place in Place::ALL.into_iter().filter(|place| place.is_text()) {
        for c in ['q', 'x', '1', '?', ':', ' ', 'ß'] {
            assert_eq!(plain(&at(place), KeyCode::Char(c)), [Intent::Insert(c)]);
        }
        // What control or alt makes of a character is no text.
        assert_eq!(press(&at(place), KeyCode::Char('x'), KeyModifiers::ALT), []);
    }
}

#[test]
fn digits_run_steps_from_every_pane_and_enter_only_from_the_runbook() {
    for pane in Pane::ALL {
        let state = at(Place::Pane(pane));
        assert_eq!(plain(&state, KeyCode::Char('7')), [Intent::RunNumber(7)]);
        let enter = plain(&state, KeyCode::Enter);
        let runs = enter == [Intent::Run(None)];
        assert_eq!(runs, pane == Pane::Runbook, "{pane:?} {enter:?}");
    }
}

#[test]
fn releases_and_unknown_keys_mean_nothing() {
    let state = at(Place::Pane(Pane::Runbook));
    let mut event = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
    event.kind = KeyEventKind::Release;
    assert_eq!(resolve(&state, event), []);
    assert_eq!(plain(&state, KeyCode::F(12)), []);
    assert_eq!(press(&state, KeyCode::Char('x'), KeyModifiers::ALT), []);
}

#[test]
fn the_palette_leaves_first_and_then_does_what_was_chosen() {
    let mut state = at(Place::Palette);
    state.desk.overlay = Some(Overlay::Palette("switch dns".to_owned(), 0));
    let intents = plain(&state, KeyCode::Enter);
    let id = StepId::try_from("switch-dns".to_owned()).expect("a step id");
    assert_eq!(intents, [Intent::Dismiss, Intent::Run(Some(id))]);
    state.desk.overlay = Some(Overlay::Palette("zoom".to_owned(), 0));
    for intent in plain(&state, KeyCode::Enter) {
        state.decide(Event::Intent(intent, NOW));
    }
    assert!(state.desk.zoom && state.desk.overlay.is_none());
    // Nothing fits: nothing happens, the palette stays.
    state.desk.overlay = Some(Overlay::Palette("zzzzzz".to_owned(), 0));
    assert_eq!(plain(&state, KeyCode::Enter), []);
    assert_eq!(plain(&state, KeyCode::Down), []);
}

#[test]
fn choosing_stays_within_the_list() {
    let mut state = at(Place::Themes);
    assert_eq!(plain(&state, KeyCode::Up), [Intent::Choose(0)]);
    assert_eq!(plain(&state, KeyCode::Down), [Intent::Choose(1)]);
    state.desk.overlay = Some(Overlay::Themes(1));
    assert_eq!(plain(&state, KeyCode::Char('j')), [Intent::Choose(1)]);
    let all = entries(&state).len();
    state.desk.overlay = Some(Overlay::Palette(String::new(), all - 1));
    assert_eq!(plain(&state, KeyCode::Down), [Intent::Choose(all - 1)]);
}

#[test]
fn the_palette_says_why_an_action_is_not_available() {
    let state = state();
    let found = matches(&state, "cancel");
    assert_eq!(found[0].entry.intent, Intent::Cancel);
    assert_eq!(found[0].unavailable.as_deref(), Some("nothing is running"));
    let names: BTreeSet<String> = entries(&state).into_iter().map(|one| one.title).collect();
    assert_eq!(names.len(), entries(&state).len(), "titles are unique");
}

#[test]
fn every_pane_offers_help_and_a_way_out_in_its_hints() {
    for pane in Pane::ALL {
        let hints = super::hints(&at(Place::Pane(pane)));
        for word in ["help", "detach", "palette", "zoom"] {
            assert!(
                hints.iter().any(|(_, hint)| *hint == word),
                "{pane:?} {word}"
            );
        }
    }
    assert!(
        ACTIONS
            .iter()
            .all(|action| !action.doc.is_empty() && !action.keys.is_empty())
    );
}

#[test]
fn what_a_terminal_may_not_do_has_no_key_in_footer_help_and_palette() {
    let offered = |state: &State| {
        let hints = super::hints(state)
            .into_iter()
            .map(|(_, word)| word.to_owned());
        let titles = entries(state).into_iter().map(|entry| entry.title);
        hints.chain(titles).collect::<Vec<_>>()
    };
    let mut state = at(Place::Pane(Pane::Runbook));
    state.desk.pane_mut(Pane::Runbook).selected = Some(crate::state::RowKey::Step(step()));
    let all = offered(&state);
    for word in [
        "run",
        "run step",
        "skip",
        "cancel",
        "dry run",
        "close incident",
    ] {
        assert!(all.iter().any(|one| one == word), "{word}: {all:?}");
    }

    state.access = Access::ReadOnly("--read-only".to_owned());
    let some = offered(&state);
    for word in ["run", "skip", "cancel", "close incident"] {
        assert!(!some.iter().any(|one| one == word), "{word}: {some:?}");
    }
    // Of the steps those that only look are left, and a dry run changes nothing.
    let steps: Vec<_> = some
        .iter()
        .filter(|one| one.starts_with("run step "))
        .collect();
    let looks = state
        .runbook
        .steps
        .iter()
        .filter(|step| step.risk == Risk::Look);
    assert_eq!(steps.len(), looks.count(), "{steps:?}");
    assert!(some.iter().any(|one| one == "dry run"), "{some:?}");
    let look = state
        .runbook
        .steps
        .iter()
        .find(|step| step.risk == Risk::Look);
    let look = look.expect("a step that looks").id.clone();
    state.desk.pane_mut(Pane::Runbook).selected = Some(crate::state::RowKey::Step(look));
    assert!(offered(&state).iter().any(|one| one == "run"));

    state.access = Access::Observer("bob holds the incident".to_owned());
    let few = offered(&state);
    let acts = |one: &&String| {
        one.starts_with("run ") || ["run", "dry run", "skip"].contains(&one.as_str())
    };
    assert_eq!(
        few.iter().filter(acts).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
    assert!(few.iter().any(|one| one == "help"));
}
