//! One character for each state, always beside its word; and their stand-ins on ASCII terminals.
//!
//! No emoji, no braille: `✔` and `▶` have emoji forms that some terminals draw two columns wide, `✓` and `►` have none.

use crate::{
    incident::{Evidence, Health},
    state::StepState,
    theme::Role,
};

/// The symbol of a health.
#[must_use]
pub const fn health(health: Health) -> &'static str {
    match health {
        Health::Ok => "✓",
        Health::Degraded => "!",
        Health::Unknown => "?",
        Health::Down => "✗",
    }
}

/// Symbol and role of a step's state.
#[must_use]
pub const fn step(state: &StepState) -> (&'static str, Role) {
    match state {
        StepState::Locked(_) => ("·", Role::Muted),
        StepState::Ready => ("○", Role::Strong),
        StepState::Running(_) => ("►", Role::Running),
        StepState::Settling(_) => ("◌", Role::Running),
        StepState::Passed => ("✓", Role::Ok),
        StepState::Failed(_) => ("✗", Role::Down),
        StepState::Unclear(_) => ("?", Role::Unknown),
        StepState::Told(Evidence::Unreachable, _) => ("!", Role::Warning),
        StepState::Told(..) => ("•", Role::Text),
        StepState::Skipped(_) => ("–", Role::Muted),
    }
}

/// What stands for a character on a terminal that only has ASCII. Everything is one column for one column, so that the
/// finished frame is written over cell by cell.
#[must_use]
pub const fn ascii(c: char) -> char {
    match c {
        ' '..='~' => c,
        '✓' | '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┴' | '┏' | '┓' | '┗' | '┛' | '┣' | '┫' => {
            '+'
        }
        '✗' | '×' => 'x',
        '►' | '→' | '▸' | '›' | '≥' => '>',
        '←' | '‹' | '≤' => '<',
        '○' => 'o',
        '•' => '*',
        '◌' => '~',
        '▍' | '▎' | '─' | '·' | '–' | '—' | '‐' | '‑' | '−' => '-',
        '━' => '=',
        '│' | '┃' | '▕' | '▏' => '|',
        '█' | '▉' | '▊' | '▋' | '▌' => '#',
        '…' => '.',
        '↑' => '^',
        '↓' => 'v',
        '‘' | '’' => '\'',
        '“' | '”' => '"',
        _ => '?',
    }
}
