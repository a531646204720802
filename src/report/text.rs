//! For people: plain text, worst first, readable over any line.

use std::fmt::Write as _;

use super::{
    model::{PaneReport, Report, StepReport},
    runbook::{ASIDE, NO_RETURN},
};
use crate::incident::brief;

/// The report as text.
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    header(report, &mut out);
    for alarm in &report.alarms {
        let _ = writeln!(out, "ALARM    {alarm}");
    }
    for pane in &report.panes {
        self::pane(pane, &mut out);
    }
    let _ = writeln!(out, "\nRUNBOOK");
    let mut aside = false;
    for step in &report.runbook {
        if step.no_return {
            let _ = writeln!(out, "  -- {NO_RETURN} --");
        }
        if step.aside && !aside {
            let _ = writeln!(out, "  -- {ASIDE} --");
        }
        aside = step.aside;
        self::step(step, &mut out);
    }
    if !report.remarks.is_empty() {
        let _ = writeln!(out, "\nPLAN");
    }
    for remark in &report.remarks {
        let (level, place) = (remark.level, &remark.place);
        let _ = writeln!(
            out,
            "  {level:<8} {place} {} {}",
            remark.message, remark.remedy
        );
    }
    out
}

fn header(report: &Report, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{:<8} {}", report.health, report.sentence);
    let _ = write!(out, "{}", report.cluster);
    if let Some(kind) = &report.kind {
        let _ = write!(out, "  {}", kind.as_str().to_uppercase());
    }
    if let Some(elapsed) = report.clock.elapsed {
        let _ = write!(out, "  T+{}", brief(elapsed));
    }
    let _ = writeln!(out, "  RTO {}  {}", brief(report.clock.rto), report.at);
    for side in &report.sides {
        let _ = write!(
            out,
            "  {:<8} {}  {}",
            side.health, side.region, side.sentence
        );
        let _ = match (&side.caller.arn, &side.caller.note) {
            (Some(arn), Some(note)) => writeln!(out, "  as {arn} ({note})"),
            (Some(arn), None) => writeln!(out, "  as {arn}"),
            (None, Some(note)) => writeln!(out, "  caller: {note}"),
            (None, None) => writeln!(out),
        };
    }
}

fn pane(pane: &PaneReport, out: &mut String) {
    let _ = writeln!(
        out,
        "\n{} {} {}",
        pane.pane.to_uppercase(),
        pane.health,
        pane.sentence
    );
    for row in &pane.rows {
        let health = row.health.map_or("", |health| health.word());
        let age = row.age.map_or_else(|| "never".to_owned(), brief);
        let _ = writeln!(
            out,
            "  {health:<8} {age:>6}  {}  {}",
            row.what, row.sentence
        );
    }
}

fn step(step: &StepReport, out: &mut String) {
    let took = step.took.map_or_else(String::new, brief);
    let _ = write!(
        out,
        "  {:>2} {:<8} {took:>6}  {}{}",
        step.number,
        step.state,
        step.title,
        if step.optional { " (optional)" } else { "" }
    );
    if let Some(why) = &step.why {
        let _ = write!(out, ": {why}");
    }
    if let Some(way) = &step.way {
        let _ = write!(out, " ({way})");
    }
    if let Some(overridden) = &step.overridden {
        let _ = write!(out, " (OVERRIDE: {overridden})");
    }
    let _ = writeln!(out);
}
