//! Every key, by section, from the table of actions.

use super::{large, open, scrolled};
use crate::{incident::Health, state::StepState};
use crate::{
    input::{ACTIONS, Section},
    theme::Role,
    view::{
        Canvas,
        widget::{clean, symbol},
    },
};

/// Columns for the keys.
const KEYS: usize = 22;

/// Draws the list, scrolled to a line.
pub fn draw(canvas: &mut Canvas<'_>, top: u16) {
    let size = large(canvas);
    let state = canvas.state;
    let mut inside = open(canvas, size, "Keys");
    let width = usize::from(inside.area.width);
    let mut lines: Vec<Vec<(String, Role)>> = Vec::new();
    for section in Section::ALL {
        let mut actions = ACTIONS
            .iter()
            .filter(|action| action.section == section)
            .filter(|action| state.barred(&action.intent).is_none())
            .peekable();
        if actions.peek().is_none() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Vec::new());
        }
        lines.push(vec![(section.title().to_owned(), Role::Heading)]);
        for action in actions {
            let keys = clean::fit(&action.keys_label(&state.desk), KEYS);
            let pad = " ".repeat(KEYS + 1 - clean::width(&keys));
            let doc = clean::wrap(action.doc, width.saturating_sub(KEYS + 1), 4);
            for (at, part) in doc.into_iter().enumerate() {
                lines.push(if at == 0 {
                    vec![(format!("{keys}{pad}"), Role::Key), (part, Role::Text)]
                } else {
                    vec![(" ".repeat(KEYS + 1) + &part, Role::Text)]
                });
            }
        }
    }
    lines.push(Vec::new());
    lines.extend(legend());
    scrolled(&mut inside, &lines, top);
}

/// What the symbols stand for.
fn legend() -> Vec<Vec<(String, Role)>> {
    let mut lines = vec![vec![("Signs".to_owned(), Role::Heading)]];
    let mut healths = Vec::new();
    for health in [Health::Ok, Health::Degraded, Health::Unknown, Health::Down] {
        let text = format!("{} {}   ", symbol::health(health), health.word());
        healths.push((text, Role::from(health)));
    }
    lines.push(healths);
    let states = [
        StepState::Locked(String::new()),
        StepState::Ready,
        StepState::Running(crate::incident::Moment::default()),
        StepState::Settling(String::new()),
        StepState::Skipped(String::new()),
    ];
    let steps = states.iter().map(|state| {
        let (mark, role) = symbol::step(state);
        (format!("{mark} {}   ", state.word()), role)
    });
    lines.push(steps.collect());
    lines
}
