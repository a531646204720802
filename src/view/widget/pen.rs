//! Writing into one row, from left to right, never beyond its end.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::clean;

/// A place in a row of the screen. Everything it writes is clean and fits.
pub struct Pen<'a> {
    buffer: &'a mut Buffer,
    x: u16,
    y: u16,
    end: u16,
}

impl<'a> Pen<'a> {
    /// A pen at the left end of a row of an area, counted from 0. Where the area is not on the screen it writes nothing.
    pub fn new(buffer: &'a mut Buffer, area: Rect, row: u16) -> Self {
        let inside = area.intersection(buffer.area);
        let y = area.y.saturating_add(row);
        let (x, end) = if y >= inside.y && y < inside.bottom() {
            (inside.x, inside.right())
        } else {
            (0, 0)
        };
        Self { buffer, x, y, end }
    }

    /// Columns left.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.end.saturating_sub(self.x) as usize
    }

    /// Writes a text, cut with `…` if it does not fit.
    pub fn put(&mut self, text: &str, style: impl Into<Style>) -> &mut Self {
        let left = self.left();
        if left == 0 || text.is_empty() {
            return self;
        }
        let text = clean::fit(text, left);
        let (x, _) = self.buffer.set_stringn(self.x, self.y, text, left, style);
        self.x = x;
        self
    }

    /// Leaves columns free.
    pub const fn skip(&mut self, columns: u16) -> &mut Self {
        let x = self.x.saturating_add(columns);
        self.x = if x < self.end { x } else { self.end };
        self
    }

    /// Writes a text at the right end, if it fits with a space before it, and ends the row before it.
    pub fn right(&mut self, text: &str, style: impl Into<Style>) -> &mut Self {
        let wide = clean::width(text);
        if wide < self.left() {
            let columns = u16::try_from(wide).unwrap_or(0);
            let at = self.end - columns;
            let text = clean::fit(text, wide);
            self.buffer.set_stringn(at, self.y, text, wide, style);
            self.end = at.saturating_sub(1);
        }
        self
    }

    /// Repeats a character of one column up to the end.
    pub fn fill(&mut self, c: char, style: Style) {
        let left = self.left();
        let line: String = std::iter::repeat_n(c, left).collect();
        self.buffer.set_stringn(self.x, self.y, line, left, style);
        self.x = self.end;
    }
}
