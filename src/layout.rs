//! Size and zoom → rectangles. Pure, used by state (for paging) and view.
//!
//! ```text
//!  Full  ≥ 100×32   header · runbook | pods, backups, DNS, web · output · footer
//!  Pair  ≥ 72×18    header · strip · runbook | one of the four · output · footer
//!  Single           header · strip · the focused pane · footer
//!  Zoomed           header · the focused pane without borders · footer
//!  TooSmall < 40×10 a notice
//! ```
//!
//! Boxes share their lines: a pane has its top, left and right border, and the bottom one only where nothing lies below.

use ratatui::layout::Rect;

use crate::state::{Desk, Pane};

/// The least size on which panes are drawn.
pub const LEAST: (u16, u16) = (40, 10);

/// What a terminal is taken for that says it has no size.
pub const FALLBACK: (u16, u16) = (80, 24);

/// The four panes of the right column, in the order of the screen, with their share of its height.
const RIGHT: [(Pane, u16); 4] = [
    (Pane::Pods, 3),
    (Pane::Backups, 3),
    (Pane::Dns, 3),
    (Pane::Web, 2),
];

/// How much there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A notice.
    TooSmall,
    /// The focused pane, without borders.
    Zoomed,
    /// The focused pane.
    Single,
    /// Runbook, one of the four panes, output.
    Pair,
    /// Everything.
    Full,
}

/// A pane's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The pane.
    pub pane: Pane,
    /// With borders; the first row holds the title.
    pub area: Rect,
    /// What is inside.
    pub inner: Rect,
    /// Whether there is a border at the bottom.
    pub closed: bool,
}

/// Where everything is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// How much there is room for.
    pub mode: Mode,
    /// Header, one or two rows.
    pub header: Rect,
    /// One row for the health of the panes that are not shown.
    pub strip: Option<Rect>,
    /// The panes, in the order in which they are drawn.
    pub panes: Vec<Placed>,
    /// Footer: the hints, and above them the notice where there are two rows.
    pub footer: Rect,
}

/// How many rows of content a pane shows now; 10 for one that is not on screen.
#[must_use]
pub fn viewport(desk: &Desk, pane: Pane) -> u16 {
    screen(desk.size, desk)
        .panes
        .iter()
        .find(|placed| placed.pane == pane)
        .map_or(10, |placed| placed.inner.height)
}

/// Lays out a terminal of `size` (columns, rows); 0 in either stands for 80×24.
#[must_use]
pub fn screen(size: (u16, u16), desk: &Desk) -> Screen {
    let (width, height) = if size.0 == 0 || size.1 == 0 {
        FALLBACK
    } else {
        size
    };
    let mode = mode(width, height, desk.zoom);
    let header = match mode {
        Mode::TooSmall => height,
        Mode::Zoomed => 1,
        Mode::Single if height < 14 => 1,
        _ => 2,
    };
    let footer = match mode {
        Mode::TooSmall => 0,
        Mode::Zoomed | Mode::Single => 1,
        _ => 2,
    };
    let has_strip = matches!(mode, Mode::Single | Mode::Pair);
    let body = Rect {
        x: 0,
        y: header + u16::from(has_strip),
        width,
        height: height - header - footer - u16::from(has_strip),
    };
    let panes = match mode {
        Mode::TooSmall => Vec::new(),
        Mode::Zoomed => vec![borderless(desk.focus, body)],
        Mode::Single => vec![boxed(desk.focus, body, true)],
        Mode::Pair => pair(body, desk),
        Mode::Full => full(body),
    };
    Screen {
        mode,
        header: Rect::new(0, 0, width, header),
        strip: has_strip.then_some(Rect::new(0, header, width, 1)),
        panes,
        footer: Rect::new(0, height - footer, width, footer),
    }
}

/// Whether a terminal of this size shows panes and what lies over them, not only a notice that it is too small.
#[must_use]
pub const fn shows_panes(size: (u16, u16)) -> bool {
    let (width, height) = if size.0 == 0 || size.1 == 0 {
        FALLBACK
    } else {
        size
    };
    !matches!(mode(width, height, false), Mode::TooSmall)
}

const fn mode(width: u16, height: u16, zoom: bool) -> Mode {
    if width < LEAST.0 || height < LEAST.1 {
        Mode::TooSmall
    } else if zoom {
        Mode::Zoomed
    } else if width >= 100 && height >= 32 {
        Mode::Full
    } else if width >= 72 && height >= 18 {
        Mode::Pair
    } else {
        Mode::Single
    }
}

/// The pane of the right column where there is room for one only.
#[must_use]
pub fn shown_right(desk: &Desk) -> Pane {
    if RIGHT.iter().any(|(pane, _)| *pane == desk.focus) {
        desk.focus
    } else {
        desk.right.unwrap_or(Pane::Pods)
    }
}

fn pair(body: Rect, desk: &Desk) -> Vec<Placed> {
    let (upper, lower) = split_rows(body, output_rows(body.height));
    let (left, right) = split_columns(upper, upper.width * 2 / 5);
    vec![
        boxed(Pane::Runbook, left, false),
        boxed(shown_right(desk), right, false),
        boxed(Pane::Output, lower, true),
    ]
}

fn full(body: Rect) -> Vec<Placed> {
    let (upper, lower) = split_rows(body, output_rows(body.height));
    let (left, right) = split_columns(upper, (upper.width * 3 / 10).min(48));
    let mut panes = vec![boxed(Pane::Runbook, left, false)];
    let mut shares: u16 = RIGHT.iter().map(|(_, share)| share).sum();
    let mut rest = right;
    for (pane, share) in RIGHT {
        let rows = rest.height * share / shares.max(1);
        let area = Rect {
            height: rows,
            ..rest
        };
        panes.push(boxed(pane, area, false));
        rest.y += rows;
        rest.height -= rows;
        shares -= share;
    }
    panes.push(boxed(Pane::Output, lower, true));
    panes
}

/// Height of the output with its borders.
const fn output_rows(body: u16) -> u16 {
    let rows = body / 4;
    if rows < 7 { 7 } else { rows }
}

fn split_rows(area: Rect, lower: u16) -> (Rect, Rect) {
    let upper = area.height - lower.min(area.height);
    let below = Rect {
        y: area.y + upper,
        height: area.height - upper,
        ..area
    };
    (
        Rect {
            height: upper,
            ..area
        },
        below,
    )
}

const fn split_columns(area: Rect, left: u16) -> (Rect, Rect) {
    let right = Rect {
        x: area.x + left,
        width: area.width - left,
        ..area
    };
    (
        Rect {
            width: left,
            ..area
        },
        right,
    )
}

const fn boxed(pane: Pane, area: Rect, closed: bool) -> Placed {
    let lines = if closed { 2 } else { 1 };
    let inner = Rect {
        x: area.x + 1,
        y: area.y + 1,
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(lines),
    };
    Placed {
        pane,
        area,
        inner,
        closed,
    }
}

const fn borderless(pane: Pane, area: Rect) -> Placed {
    let inner = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    };
    Placed {
        pane,
        area,
        inner,
        closed: false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn desk(size: (u16, u16), focus: Pane, zoom: bool) -> Desk {
        Desk {
            size,
            focus,
            zoom,
            ..Desk::default()
        }
    }

    #[test]
    fn each_size_has_its_picture() {
        let cases = [
            ((200, 50), Mode::Full, 6),
            ((120, 40), Mode::Full, 6),
            ((80, 24), Mode::Pair, 3),
            ((0, 0), Mode::Pair, 3),
            ((60, 24), Mode::Single, 1),
            ((40, 10), Mode::Single, 1),
            ((39, 10), Mode::TooSmall, 0),
            ((40, 9), Mode::TooSmall, 0),
        ];
        for (size, mode, panes) in cases {
            let screen = screen(size, &Desk::default());
            assert_eq!((screen.mode, screen.panes.len()), (mode, panes), "{size:?}");
        }
    }

    #[test]
    fn the_focused_pane_is_always_on_screen() {
        for size in [(200, 50), (120, 40), (80, 24), (60, 20), (40, 10)] {
            for focus in Pane::ALL {
                let screen = screen(size, &desk(size, focus, false));
                let mut shown = screen.panes.iter().map(|placed| placed.pane);
                assert!(shown.any(|pane| pane == focus), "{focus:?} at {size:?}");
            }
        }
    }

    #[test]
    fn a_zoomed_pane_has_the_whole_width_and_all_rows_but_three() {
        let desk = desk((120, 40), Pane::Dns, true);
        let inner = screen(desk.size, &desk).panes[0].inner;
        assert_eq!((inner.width, inner.height), (120, 37));
        assert_eq!(viewport(&desk, Pane::Dns), 37);
    }

    proptest! {
        #[test]
        fn at_any_size_the_parts_lie_inside_and_apart(
            width in 0u16..600, height in 0u16..300, zoom: bool, focus in 0usize..6,
        ) {
            let screen = screen((width, height), &desk((width, height), Pane::ALL[focus], zoom));
            let all = if width == 0 || height == 0 { FALLBACK } else { (width, height) };
            let all = Rect::new(0, 0, all.0, all.1);
            let mut parts = vec![screen.header, screen.footer];
            parts.extend(screen.strip);
            parts.extend(screen.panes.iter().map(|placed| placed.area));
            for (at, part) in parts.iter().enumerate() {
                prop_assert_eq!(part.intersection(all), *part);
                for other in &parts[at + 1..] {
                    prop_assert_eq!(part.intersection(*other).area(), 0);
                }
            }
            let covered: u32 = parts.iter().map(|part| part.area()).sum();
            prop_assert_eq!(covered, all.area());
            for placed in &screen.panes {
                prop_assert!(placed.inner.height >= 1 && placed.inner.width >= 20);
            }
        }
    }
}
