//! The lines around panes and overlays.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{pen::Pen, segments::Spans};
use crate::layout::Placed;

/// Draws a pane's lines. The focused one has heavy lines, so that it is told apart without colour. Boxes share lines:
/// where another box's upright ends at this title row, it is joined.
pub fn pane(buffer: &mut Buffer, placed: &Placed, focused: bool, style: Style) {
    let area = placed.area;
    lines(buffer, area, placed.closed, focused, style);
    let Some(above) = area.y.checked_sub(1) else {
        return;
    };
    for x in area.x..area.right() {
        if !is_upright(buffer, x, above) {
            continue;
        }
        let joint = if x == area.x {
            '├'
        } else if x + 1 == area.right() {
            '┤'
        } else {
            '┴'
        };
        put(buffer, x, area.y, joint, style);
    }
}

/// A box; without its lower line if it is not closed.
fn lines(buffer: &mut Buffer, area: Rect, closed: bool, heavy: bool, style: Style) {
    let [across, down, corners] = if heavy {
        ["━", "┃", "┏┓┗┛"]
    } else {
        ["─", "│", "┌┐└┘"]
    };
    let corner = |at: usize| corners.chars().nth(at).unwrap_or('+');
    let (across, down) = (
        across.chars().next().unwrap_or('-'),
        down.chars().next().unwrap_or('|'),
    );
    let last = area.bottom().saturating_sub(1);
    let right = area.right().saturating_sub(1);
    for y in area.y..area.bottom() {
        let ends = match y {
            y if y == area.y => (corner(0), corner(1)),
            y if y == last && closed => (corner(2), corner(3)),
            _ => (down, down),
        };
        if y == area.y || (y == last && closed) {
            Pen::new(buffer, area, y - area.y).fill(across, style);
        }
        put(buffer, area.x, y, ends.0, style);
        put(buffer, right, y, ends.1, style);
    }
}

/// Empties a box in the middle of the screen, draws its lines and title, and says what is inside.
pub fn overlay(
    buffer: &mut Buffer,
    size: (u16, u16),
    title: &str,
    styles: (Style, Style, Style),
) -> Rect {
    let (base, frame, heading) = styles;
    let screen = buffer.area;
    let (width, height) = (size.0.min(screen.width), size.1.min(screen.height));
    let area = Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    };
    // A wide character that the box would cut in half goes as a whole.
    for y in area.y..area.bottom() {
        if let Some(x) = area.x.checked_sub(1)
            && let Some(cell) = buffer.cell_mut((x, y))
            && super::clean::width(cell.symbol()) > 1
        {
            cell.set_symbol(" ");
        }
    }
    for y in area.y..area.bottom() {
        for x in area.x..area.right() {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.reset();
                cell.set_style(base);
            }
        }
    }
    lines(buffer, area, true, true, frame);
    let room = Rect {
        x: area.x + 2.min(width),
        width: width.saturating_sub(4),
        ..area
    };
    Pen::new(buffer, room, 0).put(&format!(" {title} "), heading);
    Rect {
        x: area.x + 2.min(width),
        y: area.y + 1.min(height),
        width: width.saturating_sub(4),
        height: height.saturating_sub(2),
    }
}

fn is_upright(buffer: &Buffer, x: u16, y: u16) -> bool {
    buffer
        .cell((x, y))
        .is_some_and(|cell| matches!(cell.symbol(), "│" | "┃"))
}

fn put(buffer: &mut Buffer, x: u16, y: u16, c: char, style: Style) {
    if let Some(cell) = buffer.cell_mut((x, y)) {
        cell.set_char(c).set_style(style);
    }
}

/// Writes a pane's title into its first row.
pub fn title(buffer: &mut Buffer, placed: &Placed, parts: Spans, right: Option<(String, Style)>) {
    let inset = u16::from(placed.inner.x > placed.area.x);
    let area = Rect {
        x: placed.area.x + inset,
        width: placed.area.width.saturating_sub(2 * inset),
        ..placed.area
    };
    let mut pen = Pen::new(buffer, area, 0);
    if let Some((text, style)) = right
        && pen.left() > 40
    {
        pen.right(&text, style);
    }
    for (text, style) in parts {
        pen.put(&text, style);
    }
}
