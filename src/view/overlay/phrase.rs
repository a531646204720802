//! A phrase that has to be typed letter by letter, and what has been typed of it.

use super::field::input;
use crate::{
    theme::Role,
    view::{Canvas, widget::clean},
};

/// What stands around a phrase.
pub(super) struct Words {
    /// Above it.
    pub(super) heading: &'static str,
    /// Below, while it is being typed.
    pub(super) begun: &'static str,
    /// Below, when it is there in full.
    pub(super) right: &'static str,
    /// Below, when something else was typed.
    pub(super) wrong: &'static str,
}

/// A phrase asked for, on as many rows as it has: of a context that is an ARN every letter has to be read to be typed.
pub(super) struct Asked {
    heading: &'static str,
    phrase: Vec<String>,
    /// What has been typed so far, and empty rows for the rest; its last rows where there is no room for all.
    typed: Vec<String>,
    told: (&'static str, Role),
}

/// What stands before the text being typed.
const PROMPT: &str = "> ";

/// The phrase stands right above what is typed of it, letter over letter.
const INDENT: u16 = 2;

impl Asked {
    /// `room` columns wide, and where it can be at most `most` rows high.
    pub(super) fn of(words: &Words, phrase: &str, typed: &str, room: usize, most: usize) -> Self {
        let told = if typed.trim() == phrase {
            (words.right, Role::Danger)
        } else if phrase.starts_with(typed.trim_start()) {
            (words.begun, Role::Muted)
        } else {
            (words.wrong, Role::Warning)
        };
        let room = room.saturating_sub(PROMPT.len() + 1);
        let (lines, mut typed) = (clean::cut(phrase, room), clean::cut(typed, room));
        // Heading, phrase, field, hint, and two rows of the body.
        let left = most.saturating_sub(lines.len() + 4).max(1);
        typed.drain(..typed.len().saturating_sub(left));
        // The field is as high as the phrase from the start, so that the dialog does not grow under the typing.
        let field = lines.len().min(left).max(typed.len());
        typed.resize(field, String::new());
        Self {
            heading: words.heading,
            phrase: lines,
            typed,
            told,
        }
    }

    pub(super) fn height(&self) -> u16 {
        let rows = self.phrase.len() + self.typed.len() + 2;
        u16::try_from(rows).unwrap_or(u16::MAX)
    }
}

pub(super) fn ask(canvas: &mut Canvas<'_>, row: u16, asked: &Asked) {
    canvas.line(row, asked.heading, Role::Text);
    let mut row = row + 1;
    for line in &asked.phrase {
        let style = canvas.style(Role::Down);
        canvas.pen(row).skip(INDENT).put(line, style);
        row += 1;
    }
    let last = asked.typed.iter().rposition(|line| !line.is_empty());
    for (at, line) in asked.typed.iter().enumerate() {
        let before = if at == 0 { PROMPT } else { "  " };
        if at == last.unwrap_or(0) {
            input(canvas, row, before, line);
        } else {
            let (key, field) = (canvas.style(Role::Key), canvas.style(Role::Field));
            canvas.pen(row).put(before, key).put(line, field);
        }
        row += 1;
    }
    canvas.line(row, asked.told.0, asked.told.1);
}
