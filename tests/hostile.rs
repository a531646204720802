//! Hostile text in everything that comes from outside: no field of any fact, no record and no answer lets anything through
//! that a terminal obeys, and no secret (`fixtures/hostile.toml`, `fixtures/secrets.txt`).

mod told;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use ratatui::{Terminal, backend::TestBackend};
use relight::{
    incident::{Moment, Observation, StepId, plain},
    journal::{Entry, Kind, Record},
    report::{self, Check, Format, Listing, StepDetail},
    run::Redactor,
    state::{Event, Overlay, Pane, State},
    term::Paint,
    theme::{Depth, Theme},
    view::{Look, view},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::reducer::{
    facts,
    rig::{BEGIN, Rig},
};

/// A secret of the corpus that needs nothing around it.
const SECRET: &str = "AKIAIOSFODNN7EXAMPLE";

/// Every hostile text by its name, and a long one of all of them.
fn corpus() -> BTreeMap<String, String> {
    let text = include_str!("fixtures/hostile.toml");
    let parsed: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(text).expect("TOML");
    let mut texts = parsed.into_values().next().expect("a table");
    let all: String = texts.values().map(String::as_str).collect();
    texts.insert("huge".to_owned(), all.repeat(40));
    texts
}

/// What of a text may not be shown, if anything: line feeds are for the one who asks to allow.
fn foul(text: &str, lines: bool) -> Option<char> {
    let mut shown = plain::filter();
    text.chars().find(|c| !(shown(*c) || lines && *c == '\n'))
}

/// Calls back for every text in a value.
fn strings(value: &Value, found: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => found(text),
        Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            found(name);
            strings(value, found);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    match value {
        Value::String(_) => all.push(at.to_owned()),
        Value::Array(values) => {
            for (number, value) in values.iter().enumerate() {
                places(value, &format!("{at}/{number}"), all);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                places(value, &format!("{at}/{name}"), all);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The same thing with a text in every place that takes any text, and in how many that was.
fn poisoned<T: Serialize + DeserializeOwned>(thing: &T, text: &str) -> (T, usize) {
    let mut value = serde_json::to_value(thing).expect("JSON");
    let mut all = Vec::new();
    places(&value, "", &mut all);
    let mut count = 0;
    for at in all {
        let place = value.pointer_mut(&at).expect("a place");
        let before = std::mem::replace(place, Value::String(text.to_owned()));
        // A word of a few, a time, an address: nothing else can stand there.
        if serde_json::from_value::<T>(value.clone()).is_ok() {
            count += 1;
        } else {
            *value.pointer_mut(&at).expect("a place") = before;
        }
    }
    (serde_json::from_value(value).expect("still one"), count)
}

/// Observations of every kind.
fn samples() -> Vec<Observation> {
    let now = Moment::from_secs(BEGIN);
    facts::NAMES
        .iter()
        .flat_map(|name| facts::named(name, now))
        .collect()
}

#[test]
fn no_field_of_any_fact_lets_anything_through() {
    let redactor = Redactor::new([]);
    let clean = |text: &str| match redactor.line(text) {
        std::borrow::Cow::Borrowed(_) => None,
        std::borrow::Cow::Owned(clean) => Some(clean),
    };
    let corpus = corpus();
    let texts = ["clear", "override", "invisible", "c1", "tower"].map(|name| corpus[name].as_str());
    let (mut kinds, mut fields) = (BTreeSet::new(), 0);
    // One of each kind and shape is enough: many names tell of the same fields.
    let mut shapes = BTreeSet::new();
    for seen in samples() {
        let value = serde_json::to_value(&seen.outcome).expect("JSON");
        let mut at = Vec::new();
        places(&value, "", &mut at);
        if !shapes.insert(at) {
            continue;
        }
        let ok = value.pointer("/Ok").and_then(Value::as_object);
        kinds.extend(ok.and_then(|ok| ok.keys().next().cloned()));
        for text in texts {
            let foul_one = format!("{text} {SECRET} x");
            let (outcome, count) = poisoned(&seen.outcome, &foul_one);
            fields += count;
            let mut dirty = Observation {
                outcome,
                ..seen.clone()
            };
            dirty.wash(&clean);
            let value = serde_json::to_value(&dirty.outcome).expect("JSON");
            strings(&value, &mut |text| {
                assert_eq!(foul(text, false), None, "{text:?} in {value}");
                assert!(!text.contains(SECRET), "{text:?} in {value}");
            });
        }
    }
    assert!(kinds.len() >= 18, "{kinds:?}");
    assert!(fields > 1000, "only {fields} fields were poisoned");
}

#[test]
fn what_is_clean_stays_as_it_is() {
    for seen in samples() {
        let mut washed = seen.clone();
        washed.wash(&|_| None);
        assert_eq!(washed, seen);
    }
}

/// A state that has seen nothing but what is hostile, past everything that would have cleaned it on its way in.
fn state(text: &str) -> State {
    let mut rig = Rig::new(None);
    let now = Moment::from_secs(BEGIN);
    let seen: Vec<Observation> = samples()
        .iter()
        .map(|seen| Observation {
            outcome: poisoned(&seen.outcome, text).0,
            ..seen.clone()
        })
        .collect();
    rig.feed(Event::Observed(seen, now));
    let entries = [
        Entry::Noted {
            text: text.to_owned(),
        },
        Entry::Skipped {
            step: StepId::try_from("stop-old-cluster".to_owned()).expect("an id"),
            reason: text.to_owned(),
        },
        Entry::Declared {
            what: Kind::Drill,
            cluster: text.to_owned(),
            plan: text.to_owned(),
            digest: text.to_owned(),
            outage: now,
        },
    ];
    let records: Vec<Record> = entries
        .into_iter()
        .map(|entry| {
            let mut record = rig.record(entry);
            text.clone_into(&mut record.author.operator);
            text.clone_into(&mut record.author.host);
            record
        })
        .collect();
    rig.feed(Event::Replayed(records));
    rig.feed(Event::Notice(text.to_owned(), now));
    rig.state
}

fn overlays(state: &State) -> Vec<Option<Overlay>> {
    let steps = state.runbook.steps.iter().step_by(4);
    let details = steps.map(|step| Some(Overlay::Detail(step.id.clone(), 0)));
    [
        None,
        Some(Overlay::Help(0)),
        Some(Overlay::Palette(String::new(), 0)),
    ]
    .into_iter()
    .chain(details)
    .collect()
}

fn vt100_of((columns, rows): (u16, u16)) -> vt100::Parser {
    let size = |cells: u16| cells.try_into().expect("a size");
    vt100::Parser::new(size(rows), size(columns), 0)
}

/// What is left of a frame's bytes when what Relight itself sends is taken out: cursor positions, colours, clearing, and
/// the brackets of a synchronised update.
fn strip(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    let ours = regex::Regex::new(r"\x1b\[(?:\?2026[hl]|[0-9;]*[mHJ])").expect("a pattern");
    ours.replace_all(text, "").into_owned()
}

#[test]
fn no_screen_shows_what_a_terminal_would_obey() {
    let look = Look::new(
        Theme::by_name("default", Depth::Ansi16).expect("the default theme"),
        false,
    );
    let mut frames = 0;
    for (name, text) in corpus() {
        let mut state = state(&text);
        for overlay in overlays(&state) {
            for (pane, zoom) in Pane::ALL.into_iter().zip([false, true].into_iter().cycle()) {
                let size = if zoom { (120, 40) } else { (80, 24) };
                state.desk.overlay.clone_from(&overlay);
                (state.desk.focus, state.desk.zoom, state.desk.size) = (pane, zoom, size);
                let mut drawn = Terminal::new(TestBackend::new(size.0, size.1)).expect("a screen");
                drawn
                    .draw(|frame| view(&state, &look, frame))
                    .expect("a frame");
                for cell in &drawn.backend().buffer().content {
                    let symbol = cell.symbol();
                    assert_eq!(foul(symbol, false), None, "{name} {pane:?}: {symbol:?}");
                    assert!(symbol.chars().count() <= 2, "{name} {pane:?}: {symbol:?}");
                }
                let mut wire = Terminal::new(Paint::new(size)).expect("a terminal");
                wire.draw(|frame| view(&state, &look, frame))
                    .expect("a frame");
                let bytes = wire.backend_mut().take();
                assert_eq!(foul(&strip(&bytes), false), None, "{name} {pane:?}");
                // A terminal has every character where it was put: the right edges stand in one column.
                let mut terminal = vt100_of(size);
                // The emulator takes U+FFFD for broken UTF-8 and leaves it out; terminals show it, one column wide.
                let bytes = String::from_utf8_lossy(&bytes).replace('\u{fffd}', "?");
                terminal.process(bytes.as_bytes());
                for y in 0..size.1 {
                    let meant = &drawn.backend().buffer()[(size.0 - 1, y)];
                    let there = terminal
                        .screen()
                        .cell(y, size.0 - 1)
                        .map(vt100::Cell::contents);
                    let there = there.unwrap_or_default();
                    let meant = meant.symbol().replace('\u{fffd}', "?");
                    assert_eq!(there.trim(), meant.trim(), "{name} {pane:?} row {y}");
                }
                frames += 1;
            }
        }
    }
    assert!(frames > 500, "only {frames} frames");
}

#[test]
fn no_report_has_what_a_terminal_would_obey() {
    for (name, text) in corpus() {
        let state = state(&text);
        let check = Check::of(&state, Some(&text));
        let steps = state.runbook.steps.iter();
        let details: Vec<StepDetail> = steps
            .filter_map(|step| StepDetail::of(&state, &step.id))
            .collect();
        for format in [Format::Text, Format::Json, Format::Markdown] {
            let mut all = vec![
                report::render(&state, format),
                check.render(format),
                Listing::of(&state).render(format),
            ];
            all.extend(details.iter().map(|detail| detail.render(format)));
            for text in all {
                assert_eq!(foul(&text, true), None, "{name} {format:?}: {text}");
                if format == Format::Json {
                    let value: Value = serde_json::from_str(&text).expect("JSON");
                    strings(&value, &mut |text| {
                        assert_eq!(foul(text, true), None, "{name}: {text:?}");
                    });
                }
                let longest = text.lines().map(|line| line.chars().count()).max();
                assert!(longest < Some(12_000), "{name} {format:?}: {longest:?}");
            }
        }
    }
}
