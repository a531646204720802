//! For the incident channel: Markdown with tables.

use std::fmt::Write as _;

use super::{
    model::{Report, StepReport},
    runbook::{ASIDE, NO_RETURN},
    text::ahead,
};
use crate::incident::brief;

/// The report as Markdown.
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "# {}: {}\n",
        escape(report.cluster.as_str()),
        report.health
    );
    let _ = writeln!(out, "{}\n", escape(report.sentence.as_str()));
    let kind = report.kind.as_ref().map_or("", |kind| kind.as_str());
    let elapsed = report.clock.elapsed.map(brief);
    let _ = writeln!(
        out,
        "{kind} {}, outage {}, RTO {}{}, RPO {}{}\n",
        report.at,
        elapsed.map_or_else(
            || "not declared".to_owned(),
            |elapsed| format!("since {elapsed}")
        ),
        brief(report.clock.rto),
        ahead(&report.clock),
        brief(report.clock.rpo),
        report
            .clock
            .loss
            .map_or_else(String::new, |loss| format!(" ({} lost)", brief(loss)))
    );
    let sides = report.sides.iter().map(|side| {
        let caller = side.caller.arn.as_ref().or(side.caller.note.as_ref());
        [
            side.side.to_string(),
            side.region.to_string(),
            side.health.to_string(),
            side.sentence.to_string(),
            caller.map_or_else(String::new, ToString::to_string),
        ]
    });
    table(
        &mut out,
        ["Side", "Region", "Health", "Cluster", "Caller"],
        sides,
    );
    for alarm in &report.alarms {
        let _ = writeln!(out, "**ALARM** {}\n", escape(alarm.as_str()));
    }
    for pane in &report.panes {
        let _ = writeln!(out, "## {}: {}\n", pane.pane, pane.health);
        let _ = writeln!(out, "{}\n", escape(pane.sentence.as_str()));
        let rows = pane.rows.iter().map(|row| {
            [
                row.what.to_string(),
                row.health
                    .map_or_else(String::new, |health| health.to_string()),
                row.sentence.to_string(),
                row.age.map_or_else(|| "never".to_owned(), brief),
            ]
        });
        table(&mut out, ["What", "Health", "Seen", "Age"], rows);
    }
    let _ = writeln!(out, "## runbook\n");
    let steps = report.runbook.iter().map(|step| {
        [
            step.number.to_string(),
            title(step),
            step.state.to_owned(),
            step.took.map_or_else(String::new, brief),
            why(step),
        ]
    });
    table(&mut out, ["#", "Step", "State", "Took", "Why"], steps);
    let remarks = report.remarks.iter().map(|remark| {
        [
            remark.level.to_owned(),
            remark.place.to_string(),
            format!("{} {}", remark.message, remark.remedy),
        ]
    });
    if !report.remarks.is_empty() {
        let _ = writeln!(out, "## plan\n");
        table(&mut out, ["Level", "Place", "What to do"], remarks);
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// A table has no lines across: what stands for one is said of the step itself.
fn title(step: &StepReport) -> String {
    let mut title = step.title.to_string();
    for (said, is) in [
        (NO_RETURN, step.no_return),
        (ASIDE, step.aside),
        ("optional", step.optional),
    ] {
        if is {
            let _ = write!(title, " ({said})");
        }
    }
    title
}

/// What is to be said of a step besides its state.
fn why(step: &StepReport) -> String {
    let why = step.why.as_ref().map(ToString::to_string);
    let overridden = step.overridden.as_ref();
    let overridden = overridden.map(|told| format!("OVERRIDE: {told}"));
    let way = step.way.as_ref().map(ToString::to_string);
    let parts: Vec<String> = why.into_iter().chain(way).chain(overridden).collect();
    parts.join("; ")
}

pub(super) fn table<const N: usize>(
    out: &mut String,
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    let _ = writeln!(out, "| {} |\n|{}", head.join(" | "), "---|".repeat(N));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.map(|cell| escape(&cell)).join(" | "));
    }
    out.push('\n');
}

/// Text as it is: nothing in it becomes a table cell, a link, an element or emphasis.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(
            c,
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '~' | '&' | '@'
        ) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_outside_stays_a_name() {
        assert_eq!(escape("a|b <img> [x](y) *"), r"a\|b \<img\> \[x\](y) \*");
    }
}
