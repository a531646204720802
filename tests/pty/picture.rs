//! A screen as a picture.

use std::fmt::Write as _;

use super::terminal::Terminal;

/// What a cell looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Style {
    ink: vt100::Color,
    paper: vt100::Color,
    bold: bool,
    dim: bool,
    inverse: bool,
}

/// The screen as SVG, as a dark terminal shows it.
pub fn svg(terminal: &Terminal) -> String {
    terminal.screen(|screen| {
        let (rows, columns) = screen.size();
        let mut text = String::new();
        for row in 0..rows.get() {
            line(screen, row, columns.get(), &mut text);
            text.push_str("\x1b[0m\n");
        }
        anstyle_svg::Term::new().render_svg(&text)
    })
}

fn line(screen: &vt100::Screen, row: u16, columns: u16, text: &mut String) {
    let mut now = Style::default();
    for column in 0..columns {
        let Some(cell) = screen.cell(row, column) else {
            continue;
        };
        if cell.is_wide_continuation() {
            continue;
        }
        let style = Style {
            ink: cell.fgcolor(),
            paper: cell.bgcolor(),
            bold: cell.bold(),
            dim: cell.dim(),
            inverse: cell.inverse(),
        };
        if style != now {
            put(style, text);
            now = style;
        }
        text.push_str(if cell.has_contents() {
            cell.contents()
        } else {
            " "
        });
    }
}

fn put(style: Style, text: &mut String) {
    text.push_str("\x1b[0");
    for (on, code) in [(style.bold, 1), (style.dim, 2), (style.inverse, 7)] {
        if on {
            let _ = write!(text, ";{code}");
        }
    }
    for (colour, base) in [(style.ink, 30), (style.paper, 40)] {
        let _ = match colour {
            vt100::Color::Default => Ok(()),
            vt100::Color::Idx(index @ 0..=7) => write!(text, ";{}", base + u32::from(index)),
            vt100::Color::Idx(index) => write!(text, ";{};5;{index}", base + 8),
            vt100::Color::Rgb(r, g, b) => write!(text, ";{};2;{r};{g};{b}", base + 8),
        };
    }
    text.push('m');
}
