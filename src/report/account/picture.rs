//! A curve as a line of text and as a picture.

use std::fmt::Write as _;

use super::{
    html::escape,
    model::{Account, Curve, Point},
};
use crate::incident::Moment;

/// Columns of a curve as text.
const COLUMNS: usize = 60;
/// Eighths, from nothing to all.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Where nobody could tell.
const GAP: char = '·';

/// Size of a picture, and the room in it for words.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 120.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 22.0;

/// The curve as text: a column for each stretch, by the worst value in it; `·` where nobody could tell.
pub(super) fn sparkline(curve: &Curve) -> String {
    let points = &curve.points;
    let columns = COLUMNS.min(points.len());
    let column = |place: usize| {
        let (from, to) = (
            place * points.len() / columns,
            (place + 1) * points.len() / columns,
        );
        let known = points[from..to].iter().filter_map(|point| point.value);
        known.reduce(f64::min).map_or(GAP, bar)
    };
    (0..columns).map(column).collect()
}

fn bar(value: f64) -> char {
    // By what it reaches: nothing but nothing looks like nothing, nothing but all like all.
    let steps = [0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.0];
    let reached = steps.iter().filter(|step| value >= **step).count();
    BARS[reached.saturating_sub(1).min(BARS.len() - 1)]
}

/// The last value that was told, in percent.
pub(super) fn last(curve: &Curve) -> String {
    let known = curve.points.iter().rev().find_map(|point| point.value);
    known.map_or_else(
        || "never told".to_owned(),
        |value| format!("{:.0} %", value * 100.0),
    )
}

/// The curve as an inline picture: stairs, since a value stands until the next; broken where nobody could tell, with a
/// stroke for each verdict.
pub(super) fn svg(account: &Account, curve: &Curve) -> String {
    let (Some(first), Some(last_point)) = (curve.points.first(), curve.points.last()) else {
        return String::new();
    };
    let (from, until) = (first.at, last_point.at);
    let place = |at: Moment| LEFT + (WIDTH - LEFT - RIGHT) * part(at, from, until);
    let level = |value: f64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - value.clamp(0.0, 1.0));
    let name = escape(curve.name.as_str());
    let mut out = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{name}: {}\">\n<title>{name}: {}</title>\n",
        escape(curve.about.as_str()),
        escape(curve.about.as_str()),
    );
    let (left, right, top, bottom) = (LEFT, WIDTH - RIGHT, level(1.0), level(0.0));
    // Writing to a string cannot fail.
    for (y, word) in [(top, "100 %"), (bottom, "0 %")] {
        let _ = writeln!(
            out,
            "<line class=\"axis\" x1=\"{left}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{word}</text>",
            left - 4.0,
            y + 4.0
        );
    }
    for judged in &account.verdicts {
        if !(from..=until).contains(&judged.at) {
            continue;
        }
        let number = account.steps.iter().find(|step| step.id == judged.step);
        let number = number.and_then(|step| step.number);
        let word = number.map_or_else(|| "+".to_owned(), |number| number.to_string());
        let x = place(judged.at);
        let _ = writeln!(
            out,
            "<line class=\"mark\" x1=\"{x:.1}\" y1=\"{top:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{word}</text>",
            top - 5.0
        );
    }
    for stretch in curve.points.split(|point| point.value.is_none()) {
        let path = stairs(stretch, &place, &level);
        if !path.is_empty() {
            let _ = writeln!(out, "<polyline class=\"curve\" points=\"{path}\"/>");
        }
    }
    let _ = writeln!(
        out,
        "<text x=\"{left}\" y=\"{:.1}\">{}</text>\
         <text x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n</svg>",
        HEIGHT - 6.0,
        from.clock(),
        HEIGHT - 6.0,
        until.clock()
    );
    out
}

fn stairs(
    stretch: &[Point],
    place: &impl Fn(Moment) -> f64,
    level: &impl Fn(f64) -> f64,
) -> String {
    let mut path = String::new();
    let mut before: Option<f64> = None;
    for point in stretch {
        let Some(value) = point.value else {
            continue;
        };
        let (x, y) = (place(point.at), level(value));
        if let Some(before) = before {
            let _ = write!(path, "{x:.1},{before:.1} ");
        }
        let _ = write!(path, "{x:.1},{y:.1} ");
        before = Some(y);
    }
    path.truncate(path.trim_end().len());
    path
}

/// Where a moment lies between two, from 0 to 1.
fn part(at: Moment, from: Moment, until: Moment) -> f64 {
    let whole = until.since(from).as_secs_f64();
    if whole > 0.0 {
        at.since(from).as_secs_f64() / whole
    } else {
        0.0
    }
}
