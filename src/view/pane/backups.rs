//! One row for each source of a recovery, with the age of its data and the region it needs to be alive.

use crate::{
    incident::Health,
    judge::backups::{Line, assessment, lines},
    state::{Pane, RowKey, State},
    theme::Role,
    view::{
        Canvas, Title,
        widget::{age::told, symbol, table::Column},
    },
};

use super::table::{self, Row};

const COLUMNS: [Column; 6] = [
    Column::fixed("", 1, 9),
    Column::fixed("", 8, 6),
    Column::grows("source", 22, 13, 8),
    Column::grows("what is known", 36, 16, 9),
    Column::fixed("needs", 9, 5),
    Column::fixed("seen", 9, 4),
];

/// The worst loss against the objective.
pub fn title(state: &State) -> Title {
    assessment(&state.sight(), state.chosen()).into()
}

/// Draws the rows.
pub fn draw(canvas: &mut Canvas<'_>) {
    let lines = lines(&canvas.state.sight());
    let empty = "No source of a recovery is declared: state_table, audit_table, recordings_bucket and backup_vault in the plan say where to look.";
    table::draw(canvas, Pane::Backups, &COLUMNS, empty, |canvas, key| {
        find(&lines, key).map_or_else(|| Row::Across(Vec::new()), |line| row(canvas, line))
    });
}

fn find<'a>(lines: &'a [Line], key: &RowKey) -> Option<&'a Line> {
    let RowKey::Source(label) = key else {
        return None;
    };
    lines.iter().find(|line| line.label == *label)
}

fn row(canvas: &Canvas<'_>, line: &Line) -> Row {
    let style = canvas.style(Role::from(line.health));
    let (plain, muted) = (canvas.style(Role::Text), canvas.style(Role::Muted));
    Row::Cells(vec![
        (symbol::health(line.health).to_owned(), style),
        (line.health.word().to_owned(), style),
        (line.label.clone(), plain),
        (line.sentence.clone(), plain),
        (line.needs.clone(), muted),
        (
            told(line.age, false),
            if line.health == Health::Unknown {
                canvas.style(Role::Stale)
            } else {
                muted
            },
        ),
    ])
}

/// Everything of a row in one line.
pub fn detail(state: &State, key: &RowKey) -> String {
    let lines = lines(&state.sight());
    find(&lines, key).map_or_else(String::new, |line| {
        format!(
            "{} {}: {} · needs {} · seen {}",
            line.health.word(),
            line.label,
            line.sentence,
            line.needs,
            told(line.age, false)
        )
    })
}
