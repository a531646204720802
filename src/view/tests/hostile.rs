//! No text from outside may move a cursor, and no size may end the cockpit.

use std::sync::Arc;

use proptest::prelude::*;

use super::{draw, fixture, plain, text};
use crate::{
    incident::{ClusterKind, Component, Fact, Failure, FailureKind, Gap, Risk, Side, Subject},
    state::{Confirm, Focus, Overlay, Pane, Reason, Scroll, State, Why},
};

const EVIL: &str = "\u{1b}[2J\u{1b}]52;c;aGk=\u{7}\u{202e}evil\u{200b}\t日本語日本語\u{301}\u{301}\u{9b}31m\r\nnext";

/// Every text that comes from outside is hostile and long.
fn hostile() -> State {
    let mut state = fixture::busy();
    let long = EVIL.repeat(30);
    let mut pod = (*fixture::pod(&long, Component::Auth, "Running", &long)).clone();
    pod.message.clone_from(&long);
    pod.node = Some(long.clone());
    let mut cluster = fixture::cluster(&long, vec![Arc::new(pod)]);
    for event in &mut cluster.events {
        event.message.clone_from(&long);
        event.object.clone_from(&long);
    }
    if let Some(balancer) = &mut cluster.load_balancer {
        balancer.addresses = vec![long.clone(); 3];
    }
    cluster.gaps = vec![Gap {
        kind: ClusterKind::Events,
        why: Failure {
            kind: FailureKind::Forbidden,
            detail: long.clone(),
        },
    }];
    let fact = Fact::Cluster(Arc::new(cluster));
    fixture::see(&mut state, Subject::Cluster(Side::Recovery), 1, Ok(fact));
    let failed = Failure {
        kind: FailureKind::Other,
        detail: long.clone(),
    };
    for subject in [Subject::Zone, Subject::Identity(Side::Recovery)] {
        fixture::see(&mut state, subject, 1, Err(failed.clone()));
    }
    let server: Arc<str> = long.as_str().into();
    let answer = fixture::answer(&long, false, Some((&long, "192.0.2.1")), u32::MAX);
    let subject = Subject::Answer {
        server: server.clone(),
        name: server,
    };
    fixture::see(&mut state, subject, 1, Ok(Fact::Answer(Arc::new(answer))));
    for output in state.outputs.values_mut() {
        for line in &mut output.lines {
            line.text = EVIL.repeat(20);
        }
    }
    state.desk.search.text = "日本".to_owned();
    state
}

fn overlays() -> Vec<Option<Overlay>> {
    let step = fixture::armed("install", Risk::Change, None);
    let mut armed = step.clone();
    armed.calls = vec![EVIL.repeat(40); 30];
    let confirm = |phrase: Option<String>| {
        let mut armed = armed.clone();
        armed.phrase = phrase;
        Overlay::Confirm(Confirm {
            armed,
            focus: Focus::Run,
            typed: EVIL.to_owned(),
            note: None,
            top: 0,
            drawn: true,
        })
    };
    vec![
        None,
        Some(Overlay::Help(900)),
        Some(Overlay::Palette(EVIL.to_owned(), 3)),
        Some(Overlay::Palette(String::new(), 9999)),
        Some(confirm(None)),
        Some(confirm(Some(EVIL.to_owned()))),
        Some(Overlay::Reason(Reason {
            why: Why::Skip(step.step.clone()),
            text: EVIL.repeat(9),
        })),
        Some(Overlay::Search(EVIL.to_owned())),
        Some(Overlay::Filter(EVIL.to_owned())),
        Some(Overlay::Themes(77)),
        Some(Overlay::Detail(step.step, 999)),
    ]
}

#[test]
fn hostile_text_does_nothing() {
    for zoom in [false, true] {
        for pane in Pane::ALL {
            let mut state = hostile();
            state.desk.focus = pane;
            state.desk.zoom = zoom;
            let drawn = text(&draw(&mut state, (120, 40), &plain()));
            let bad = drawn.chars().find(|c| {
                (c.is_control() && *c != '\n') || matches!(c, '\u{202e}' | '\u{200b}' | '\u{301}')
            });
            assert_eq!(bad, None, "{drawn}");
            for line in drawn.lines() {
                assert!(crate::view::widget::clean::width(line) <= 120, "{line}");
            }
        }
    }
}

#[test]
fn the_lines_of_the_panes_stay_straight_under_wide_text() {
    let mut state = hostile();
    let buffer = draw(&mut state, (120, 40), &plain());
    for y in 3..37 {
        let last = buffer.cell((119, y)).expect("a cell").symbol();
        assert!(
            "│┃┐┤┘".contains(last),
            "row {y}: {last:?}\n{}",
            text(&buffer)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn no_size_ends_the_cockpit(
        width in 1u16..210, height in 1u16..60, zoom: bool, ascii: bool, focus in 0usize..6,
        overlay in 0usize..11, kind in 0usize..4, line in 0u64..5000,
    ) {
        let mut state = match kind {
            0 => fixture::empty(),
            1 => fixture::busy(),
            2 => fixture::all_failed(),
            _ => hostile(),
        };
        state.desk.focus = Pane::ALL[focus];
        state.desk.zoom = zoom;
        state.desk.overlay = overlays().swap_remove(overlay);
        state.desk.pane_mut(Pane::Output).scroll = Scroll::Line(line);
        state.desk.pane_mut(Pane::Pods).shift = u16::try_from(line % 300).unwrap_or(0);
        let look = crate::view::Look { ascii, ..plain() };
        let drawn = text(&draw(&mut state, (width, height), &look));
        prop_assert!(!ascii || drawn.is_ascii());
    }
}
