//! A row of parts, of which the less important shrink and go where there is no room.

use ratatui::style::Style;

use super::{clean, pen::Pen};

/// Pieces of text with their styles.
pub type Spans = Vec<(String, Style)>;

/// A part of the row, in forms from the fullest down. Each has the weight with which it is held on to: where there is
/// no room, the part whose form is held on to the least takes its next one, or goes.
pub struct Segment {
    forms: Vec<(u8, Spans)>,
    chosen: usize,
}

impl Segment {
    /// A part in one form.
    #[must_use]
    pub fn new(weight: u8, spans: Spans) -> Self {
        Self::with(vec![(weight, spans)])
    }

    /// A part in several forms, the fullest first.
    #[must_use]
    pub const fn with(forms: Vec<(u8, Spans)>) -> Self {
        Self { forms, chosen: 0 }
    }

    fn spans(&self) -> &[(String, Style)] {
        self.forms.get(self.chosen).map_or(&[], |(_, spans)| spans)
    }

    fn weight(&self) -> u8 {
        self.forms.get(self.chosen).map_or(0, |(weight, _)| *weight)
    }

    fn width(&self) -> usize {
        let text: usize = self
            .spans()
            .iter()
            .map(|(text, _)| clean::width(text))
            .sum();
        if text == 0 { 0 } else { text + GAP }
    }
}

/// Columns between two parts.
const GAP: usize = 2;

/// Writes the parts, as many and as full as there is room for. The last one left is cut if even it
/// does not fit alone.
pub fn draw(pen: &mut Pen<'_>, mut segments: Vec<Segment>) {
    let room = pen.left() + GAP;
    while segments.iter().map(Segment::width).sum::<usize>() > room {
        let shown = segments
            .iter()
            .filter(|segment| segment.width() > 0)
            .count();
        let least = segments
            .iter_mut()
            .filter(|segment| segment.chosen < segment.forms.len())
            .filter(|segment| shown > 1 || segment.chosen + 1 < segment.forms.len())
            .min_by_key(|segment| segment.weight());
        match least {
            Some(segment) => segment.chosen += 1,
            None => break,
        }
    }
    for segment in &segments {
        if segment.width() == 0 {
            continue;
        }
        for (text, style) in segment.spans() {
            pen.put(text, *style);
        }
        pen.skip(2);
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{buffer::Buffer, layout::Rect};

    use super::*;

    fn drawn(width: u16) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, 1));
        let area = buffer.area;
        let spans = |text: &str| vec![(text.to_owned(), Style::new())];
        let parts = vec![
            Segment::new(1, spans("decoration")),
            Segment::with(vec![(5, spans("us-east-1 DOWN")), (6, spans("DOWN"))]),
            Segment::new(3, spans("14:05")),
        ];
        draw(&mut Pen::new(&mut buffer, area, 0), parts);
        let text: String = buffer
            .content
            .iter()
            .map(ratatui::buffer::Cell::symbol)
            .collect();
        text.trim_end().to_owned()
    }

    #[test]
    fn the_least_important_goes_first_and_the_most_important_shrinks_last() {
        assert_eq!(drawn(40), "decoration  us-east-1 DOWN  14:05");
        assert_eq!(drawn(30), "us-east-1 DOWN  14:05");
        assert_eq!(drawn(14), "us-east-1 DOWN");
        assert_eq!(drawn(6), "DOWN");
        assert_eq!(drawn(3), "DO…");
    }
}
