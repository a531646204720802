//! Rows of columns that shrink sensibly; only the rows that are on screen are made.

use std::ops::Range;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{clean, pen::Pen};

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its heading, shown where there is height to spare.
    pub title: &'static str,
    /// The width it likes.
    pub width: u16,
    /// The width below which it is left out.
    pub least: u16,
    /// Columns of the least weight are left out first.
    pub weight: u8,
    /// Takes what is left over, and gives first.
    pub grows: bool,
    /// Loses its middle instead of its end.
    pub middle: bool,
}

impl Column {
    /// A column of a fixed width.
    #[must_use]
    pub const fn fixed(title: &'static str, width: u16, weight: u8) -> Self {
        Self {
            title,
            width,
            least: width,
            weight,
            grows: false,
            middle: false,
        }
    }

    /// A column that takes what is left over.
    #[must_use]
    pub const fn grows(title: &'static str, width: u16, least: u16, weight: u8) -> Self {
        Self {
            title,
            width,
            least,
            weight,
            grows: true,
            middle: false,
        }
    }

    /// The same, losing its middle.
    #[must_use]
    pub const fn by_its_ends(mut self) -> Self {
        self.middle = true;
        self
    }
}

/// The widths in which the columns fit into `room`, with a space between two of them; 0 for one that is left out.
#[must_use]
pub fn widths(columns: &[Column], room: u16) -> Vec<u16> {
    let mut shown: Vec<usize> = (0..columns.len()).collect();
    loop {
        let gaps = u16::try_from(shown.len().saturating_sub(1)).unwrap_or(0);
        let least: u16 = shown.iter().map(|at| columns[*at].least).sum::<u16>() + gaps;
        if least > room && shown.len() > 1 {
            let weakest = shown
                .iter()
                .enumerate()
                .min_by_key(|(_, at)| columns[**at].weight)
                .map_or(0, |(place, _)| place);
            shown.remove(weakest);
            continue;
        }
        return share(columns, &shown, room.saturating_sub(gaps));
    }
}

/// Gives every shown column its least width, then column by column to the one that is shortest of what it likes, and
/// what is left over to the last one that grows.
fn share(columns: &[Column], shown: &[usize], room: u16) -> Vec<u16> {
    let mut widths = vec![0; columns.len()];
    let mut left = room;
    for at in shown {
        widths[*at] = columns[*at].least.min(left);
        left -= widths[*at];
    }
    while left > 0 {
        let neediest = shown
            .iter()
            .filter(|at| widths[**at] < columns[**at].width)
            .min_by_key(|at| u32::from(widths[**at]) * 100 / u32::from(columns[**at].width));
        let Some(at) = neediest else { break };
        widths[*at] += 1;
        left -= 1;
    }
    let mut growing = shown.iter().filter(|at| columns[**at].grows).rev();
    if let Some(at) = growing.next() {
        widths[*at] += left;
    }
    widths
}

/// A cell: text and style.
pub type Cell = (String, Style);

/// Which rows are on screen: the cursor's as near to the middle as the ends allow.
#[must_use]
pub fn window(rows: usize, cursor: usize, height: u16) -> Range<usize> {
    let height = usize::from(height);
    let first = cursor
        .saturating_sub(height / 2)
        .min(rows.saturating_sub(height));
    first..rows.min(first + height)
}

/// Writes one row. `over` replaces the style of every cell, for the selected row. The last growing column is scrolled
/// sideways by `shift`.
pub fn row(
    buffer: &mut Buffer,
    area: Rect,
    at: u16,
    (columns, widths): (&[Column], &[u16]),
    cells: &[Cell],
    (over, shift): (Option<Style>, u16),
) {
    if let Some(style) = over {
        let line = Rect {
            y: area.y.saturating_add(at),
            height: 1,
            ..area
        };
        buffer.set_style(line.intersection(buffer.area).intersection(area), style);
    }
    let last = columns.iter().rposition(|column| column.grows);
    let mut x = 0;
    for (place, (text, style)) in cells.iter().enumerate() {
        let wide = widths.get(place).copied().unwrap_or(0);
        if wide == 0 {
            continue;
        }
        let shift = if last == Some(place) { shift } else { 0 };
        let text = if columns[place].middle && shift == 0 {
            clean::fit_middle(text, wide.into())
        } else {
            clean::fit_from(text, shift.into(), wide.into())
        };
        let place = Rect {
            x: area.x.saturating_add(x),
            width: wide.min(area.width.saturating_sub(x)),
            ..area
        };
        Pen::new(buffer, place, at).put(&text, over.unwrap_or(*style));
        x = x.saturating_add(wide).saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column::grows("name", 20, 8, 9),
        Column::fixed("ready", 5, 5),
        Column::fixed("age", 4, 1),
    ];

    #[test]
    fn columns_shrink_then_go_by_weight_and_the_growing_one_takes_the_rest() {
        assert_eq!(widths(&COLUMNS, 31), [20, 5, 4]);
        assert_eq!(widths(&COLUMNS, 50), [39, 5, 4]);
        assert_eq!(widths(&COLUMNS, 19), [8, 5, 4]);
        assert_eq!(widths(&COLUMNS, 18), [12, 5, 0]);
        assert_eq!(widths(&COLUMNS, 9), [9, 0, 0]);
        assert_eq!(widths(&COLUMNS, 3), [3, 0, 0]);
    }

    #[test]
    fn the_cursor_is_always_in_the_window() {
        for rows in 1..30 {
            for cursor in 0..rows {
                for height in 1..12 {
                    let window = window(rows, cursor, height);
                    assert!(window.contains(&cursor), "{rows} {cursor} {height}");
                    assert!(window.len() == rows.min(height.into()));
                }
            }
        }
    }
}
