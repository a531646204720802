//! What a frame costs on the wire. Counted, not timed.

use ratatui::{
    Terminal, TerminalOptions, Viewport,
    backend::{Backend, CrosstermBackend},
    buffer::Buffer,
    layout::Rect,
};

use super::{draw, fixture, plain};
use crate::{
    incident::Moment,
    state::{Event, State},
};

/// What the change from one frame to the next writes.
fn bytes(before: &Buffer, after: &Buffer) -> usize {
    let mut sink: Vec<u8> = Vec::new();
    let updates = before.diff(after);
    CrosstermBackend::new(&mut sink)
        .draw(updates.into_iter())
        .expect("memory takes all");
    sink.len()
}

fn tick(state: &mut State, secs: i64) {
    let now = Moment::from_millis(fixture::NOW.millis() + secs * 1000);
    state.decide(Event::Tick(now));
}

#[test]
fn an_unchanged_state_changes_no_cell() {
    for size in [(200, 50), (120, 40), (80, 24)] {
        let mut state = fixture::busy();
        let (one, two) = (
            draw(&mut state, size, &plain()),
            draw(&mut state, size, &plain()),
        );
        assert!(one.diff(&two).is_empty(), "{size:?}");
    }
}

#[test]
fn a_second_costs_little() {
    for size in [(200, 50), (120, 40), (80, 24)] {
        let mut state = fixture::busy();
        let mut before = draw(&mut state, size, &plain());
        let mut total = 0;
        for second in 1..=10 {
            tick(&mut state, second);
            let after = draw(&mut state, size, &plain());
            total += bytes(&before, &after);
            before = after;
        }
        // design.md section 7: at most 200 B/s while every pane lives.
        assert!(total / 10 <= 200, "{} B/s at {size:?}", total / 10);
    }
}

#[test]
fn a_frame_fits_a_terminal_without_a_size() {
    let backend = CrosstermBackend::new(Vec::new());
    let options = TerminalOptions {
        viewport: Viewport::Fixed(Rect::new(0, 0, 80, 24)),
    };
    let mut terminal = Terminal::with_options(backend, options).expect("a terminal");
    let mut state = fixture::busy();
    state.desk.size = (0, 0);
    terminal
        .draw(|frame| crate::view::view(&state, &plain(), frame))
        .expect("a frame");
}
