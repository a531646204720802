//! For people, and for the channel.

use std::fmt::Write as _;

use super::{Check, CheckRow};
use crate::{
    incident::brief,
    report::markdown::{escape, table},
};

/// `3 NOT READY, 2 UNKNOWN, 24 READY`
fn counts(check: &Check) -> String {
    let counts = check.counts;
    format!(
        "{} not ready, {} unknown, {} ready",
        counts.not_ready, counts.unknown, counts.ready
    )
}

fn way(check: &Check) -> String {
    format!(
        "{} \u{2192} {}, RTO {}, a relaunch takes {}",
        check.primary,
        check.recovery,
        brief(check.rto),
        brief(check.relaunch)
    )
}

/// Plain text: topics in order, in each the worst first.
pub(super) fn text(check: &Check) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{}: {}", check.verdict, counts(check));
    let _ = writeln!(out, "{}  {}  {}", check.cluster, way(check), check.at);
    for line in check.drill.iter().chain(&check.black_box) {
        let _ = writeln!(out, "{line}");
    }
    let mut topic = "";
    for row in &check.rows {
        if row.topic != topic {
            topic = row.topic;
            let _ = writeln!(out, "\n{}", topic.to_uppercase());
        }
        self::row(row, &mut out);
    }
    let _ = writeln!(out, "\nNOT LOOKED AT");
    for missed in &check.not_looked_at {
        let _ = writeln!(out, "  {}: {}", missed.what, missed.why);
    }
    out
}

fn row(row: &CheckRow, out: &mut String) {
    let age = row.age.map_or_else(|| "-".to_owned(), brief);
    let _ = writeln!(
        out,
        "  {:<9} {age:>6}  {}: {}",
        row.verdict, row.what, row.sentence
    );
    if let Some(remedy) = &row.remedy {
        let _ = writeln!(out, "                    do: {remedy} ({})", row.basis);
    }
}

/// Markdown: one table.
pub(super) fn markdown(check: &Check) -> String {
    let mut out = String::new();
    let name = escape(check.cluster.as_str());
    let _ = writeln!(out, "# {name}: {}\n", check.verdict);
    let _ = writeln!(
        out,
        "{}. {}, {}\n",
        counts(check),
        escape(&way(check)),
        check.at
    );
    for line in check.drill.iter().chain(&check.black_box) {
        let _ = writeln!(out, "{}\n", escape(line.as_str()));
    }
    let rows = check.rows.iter().map(|row| {
        [
            row.topic.to_owned(),
            row.what.to_string(),
            row.verdict.to_owned(),
            row.sentence.to_string(),
            row.age.map_or_else(|| "-".to_owned(), brief),
            row.basis.to_owned(),
            row.remedy
                .as_ref()
                .map_or_else(String::new, ToString::to_string),
        ]
    });
    table(
        &mut out,
        [
            "Topic",
            "What",
            "Verdict",
            "Seen",
            "Age",
            "Asked by",
            "What to do",
        ],
        rows,
    );
    let _ = writeln!(out, "## not looked at\n");
    let missed = check.not_looked_at.iter();
    let missed = missed.map(|missed| [missed.what.to_string(), missed.why.to_string()]);
    table(&mut out, ["What", "Why"], missed);
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}
