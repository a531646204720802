//! The panes. [`PANES`] has a row for each: layout, zoom and tests go over it.

mod backups;
mod dns;
mod output;
mod pods;
mod runbook;
mod table;
mod web;

pub use runbook::risk;

use super::{
    Canvas, Title,
    widget::{age::age, frame, segments::Spans, symbol},
};
use crate::{
    layout::{Mode, Placed},
    state::{Pane, RowKey, State},
    theme::Role,
};

/// How a pane is drawn.
pub struct Face {
    /// The pane.
    pub pane: Pane,
    /// Its title.
    pub title: fn(&State) -> Title,
    /// Its content, into the canvas's area.
    pub draw: fn(&mut Canvas<'_>),
    /// Everything that is known of one of its rows, in one line.
    pub detail: fn(&State, &RowKey) -> String,
}

/// A face for every pane, in the order of [`Pane::ALL`].
pub static PANES: [Face; Pane::ALL.len()] = [
    Face {
        pane: Pane::Runbook,
        title: runbook::title,
        draw: runbook::draw,
        detail: runbook::detail,
    },
    Face {
        pane: Pane::Pods,
        title: pods::title,
        draw: pods::draw,
        detail: pods::detail,
    },
    Face {
        pane: Pane::Backups,
        title: backups::title,
        draw: backups::draw,
        detail: backups::detail,
    },
    Face {
        pane: Pane::Dns,
        title: dns::title,
        draw: dns::draw,
        detail: dns::detail,
    },
    Face {
        pane: Pane::Web,
        title: web::title,
        draw: web::draw,
        detail: web::detail,
    },
    Face {
        pane: Pane::Output,
        title: output::title,
        draw: output::draw,
        detail: |_, _| String::new(),
    },
];

/// The face of a pane.
#[must_use]
pub fn face(pane: Pane) -> &'static Face {
    &PANES[pane as usize]
}

/// The titles of all panes, in the order of [`Pane::ALL`].
#[must_use]
pub fn titles(state: &State) -> Vec<(Pane, Title)> {
    PANES
        .iter()
        .map(|face| (face.pane, (face.title)(state)))
        .collect()
}

/// Draws a pane with its lines and title.
pub fn draw(canvas: &mut Canvas<'_>, placed: &Placed, titles: &[(Pane, Title)], mode: Mode) {
    let focused = canvas.state.desk.focus == placed.pane;
    if mode != Mode::Zoomed {
        let role = if focused {
            Role::BorderFocused
        } else {
            Role::Border
        };
        let style = canvas.style(role);
        frame::pane(canvas.buffer, placed, focused, style);
    }
    if let Some((_, title)) = titles.iter().find(|(pane, _)| *pane == placed.pane) {
        let (parts, right) = title_parts(canvas, placed, title, focused);
        frame::title(canvas.buffer, placed, parts, right);
    }
    (face(placed.pane).draw)(&mut canvas.at(placed.inner));
}

/// ` Pods ✗ DOWN recovery 0/4 ready ─ filter "auth" ─── 1-6 of 18 ─ 20s `
fn title_parts(
    canvas: &Canvas<'_>,
    placed: &Placed,
    title: &Title,
    focused: bool,
) -> (Spans, Option<(String, ratatui::style::Style)>) {
    let state = canvas.state;
    let name = if focused {
        Role::TitleFocused
    } else {
        Role::Title
    };
    let mut parts = vec![(format!(" {} ", placed.pane.name()), canvas.style(name))];
    if let Some(health) = title.health {
        let text = format!(" {} {}", symbol::health(health), health.word());
        parts.push((text, canvas.style(Role::from(health))));
    }
    let text = canvas.style(Role::Text);
    if !title.text.is_empty() {
        parts.push((format!(" {}", title.text), text));
    }
    let filter = &state.desk.pane(placed.pane).filter;
    if !filter.is_empty() {
        let shown = format!(" filter \"{filter}\"");
        parts.push((shown, canvas.style(Role::Warning)));
    }
    parts.push((" ".to_owned(), text));
    let old = title.age.map(|seen| (format!(" {} ", age(seen)), text));
    (parts, old)
}
