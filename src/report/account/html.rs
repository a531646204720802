//! One HTML file that needs no other: no script, no address, everything from outside escaped.

use std::fmt::Write as _;

use super::{
    markdown::{facts, headline, look, outcome, usual, why},
    model::{Account, Handover},
    picture,
};
use crate::{
    incident::{Moment, brief},
    report::Line,
};

const STYLE: &str = "\
:root{color-scheme:light dark}
body{font:15px/1.45 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.25rem .6rem;border-bottom:1px solid #8884}
td.t,code{font-family:ui-monospace,monospace;font-size:.9em;white-space:nowrap}
td code,li code{white-space:pre-wrap;overflow-wrap:anywhere}
.PASS,.met{color:#187a2f}.FAIL,.missed,.grave{color:#c0261f;font-weight:600}.UNKNOWN,.unknown{color:#9a6700;font-weight:600}
@media(prefers-color-scheme:dark){.PASS,.met{color:#57d175}.FAIL,.missed,.grave{color:#ff8078}.UNKNOWN,.unknown{color:#e0b341}}
svg{width:100%;max-width:720px;height:auto;display:block}
svg text{font:10px ui-monospace,monospace;fill:currentColor}
.axis{stroke:#8886;stroke-width:1}.mark{stroke:#8888;stroke-width:1;stroke-dasharray:2 2}
.curve{fill:none;stroke:#2f6fd0;stroke-width:2}
";

/// The account as one file.
pub(super) fn render(account: &Account) -> String {
    let kind = account.kind.as_ref().map_or("incident", Line::as_str);
    let title = format!("{}: {kind} {}", account.cluster, account.incident);
    let mut out = head(&title);
    header(account, &mut out);
    open(account, &mut out);
    steps(account, &mut out);
    decisions(account, &mut out);
    verdicts(account, &mut out);
    curves(account, &mut out);
    timeline(account, &mut out);
    list("Remarks", &account.remarks, &mut out);
    foot(&account.tool, account.told, &mut out);
    out
}

/// The hand-over as one file.
pub(super) fn handover(told: &Handover) -> String {
    let title = format!("Hand-over: {} {}", told.cluster, told.incident);
    let mut out = head(&title);
    let _ = writeln!(out, "<p>{}</p>", escape(told.sentence.as_str()));
    for (name, lines) in told.parts() {
        list(name, lines, &mut out);
    }
    foot(
        &concat!("relight ", env!("CARGO_PKG_VERSION")).into(),
        told.told,
        &mut out,
    );
    out
}

fn head(title: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    )
}

fn foot(tool: &Line, told: Moment, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "<p>Told by {} at {told}.</p>\n</body>\n</html>",
        escape(tool.as_str())
    );
}

fn header(account: &Account, out: &mut String) {
    let who: Vec<String> = account
        .people
        .iter()
        .map(|one| format!("{} on {} ({} records)", one.operator, one.host, one.records))
        .collect();
    let _ = writeln!(out, "<table>");
    for (name, class, text) in facts(account, &who) {
        let _ = writeln!(
            out,
            "<tr><th>{name}</th><td class=\"{class}\">{}</td></tr>",
            escape(&text)
        );
    }
    let _ = writeln!(out, "</table>");
}

fn open(account: &Account, out: &mut String) {
    let _ = writeln!(out, "<h2>Open</h2>");
    if account.open.is_empty() {
        let _ = writeln!(out, "<p>Nothing is left open.</p>");
        return;
    }
    let _ = writeln!(out, "<ul>");
    for item in &account.open {
        let class = if item.grave { "grave" } else { "" };
        let _ = writeln!(
            out,
            "<li><span class=\"{class}\">{}</span> {}</li>",
            item.what,
            escape(item.text.as_str())
        );
    }
    let _ = writeln!(out, "</ul>");
}

fn steps(account: &Account, out: &mut String) {
    let rows = account.steps.iter().map(|step| {
        [
            (
                "t",
                step.number
                    .map_or_else(String::new, |number| number.to_string()),
            ),
            ("", step.title.to_string()),
            (step.state, step.state.to_owned()),
            ("t", step.started.map_or_else(String::new, Moment::clock)),
            ("t", step.took.map_or_else(String::new, brief)),
            ("t", usual(step)),
            ("t", step.attempts.to_string()),
            ("", why(step)),
        ]
    });
    let head = [
        "#", "Step", "State", "Started", "Took", "Usually", "Runs", "Why",
    ];
    table("Steps", head, rows, out);
}

fn decisions(account: &Account, out: &mut String) {
    let rows = account.decisions.iter().map(|made| {
        [
            ("t", made.at.to_string()),
            ("", format!("{} on {}", made.operator, made.host)),
            ("", made.what.to_owned()),
            (
                "",
                made.step.as_ref().map_or_else(String::new, Line::to_string),
            ),
            ("", made.text.to_string()),
        ]
    });
    table(
        "Decisions",
        ["When", "Who", "What", "Step", "Why"],
        rows,
        out,
    );
}

fn verdicts(account: &Account, out: &mut String) {
    if account.verdicts.is_empty() {
        return;
    }
    let _ = writeln!(out, "<h2>Verdicts</h2>\n<ul>");
    for judged in &account.verdicts {
        let _ = writeln!(
            out,
            "<li><span class=\"{}\">{}</span>\n<ul>",
            judged.verdict.word(),
            escape(&headline(judged))
        );
        for found in &judged.findings {
            let looks: Vec<String> = found.evidence.iter().map(look).collect();
            let seen = if looks.is_empty() {
                "nothing was seen".to_owned()
            } else {
                looks.join(", ")
            };
            let word = outcome(found.outcome);
            let _ = writeln!(
                out,
                "<li><span class=\"{word}\">{word}</span> <code>{}</code> {} <em>({})</em></li>",
                escape(found.condition.as_str()),
                escape(found.sentence.as_str()),
                escape(&seen)
            );
        }
        let _ = writeln!(out, "</ul></li>");
    }
    let _ = writeln!(out, "</ul>");
}

fn curves(account: &Account, out: &mut String) {
    if account.curves.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "<h2>Curves</h2>\n<p>A dashed stroke is a verdict, with its step's number; a curve is broken where nobody could tell.</p>"
    );
    for curve in &account.curves {
        let _ = writeln!(
            out,
            "<p>{}, {} (last {})</p>\n{}",
            escape(curve.name.as_str()),
            escape(curve.about.as_str()),
            picture::last(curve),
            picture::svg(account, curve)
        );
    }
}

fn timeline(account: &Account, out: &mut String) {
    let _ = writeln!(
        out,
        "<h2>Timeline</h2>\n<table>\n<tr><th>When</th><th>T</th><th>Who</th><th>What</th><th>In words</th></tr>"
    );
    for happened in &account.timeline {
        let elapsed = happened
            .elapsed
            .map_or_else(String::new, |elapsed| format!("T+{}", brief(elapsed)));
        let _ = write!(
            out,
            "<tr><td class=\"t\">{}</td><td class=\"t\">{elapsed}</td><td>{}</td><td>{}</td><td>{}",
            happened.at,
            escape(&format!("{} on {}", happened.operator, happened.host)),
            happened.what,
            escape(happened.text.as_str())
        );
        if !happened.calls.is_empty() {
            let _ = write!(
                out,
                "<details><summary>what was shown and confirmed</summary><ul>"
            );
            for call in &happened.calls {
                let _ = write!(out, "<li><code>{}</code></li>", escape(call.as_str()));
            }
            let _ = write!(out, "</ul></details>");
        }
        let _ = writeln!(out, "</td></tr>");
    }
    let _ = writeln!(out, "</table>");
}

fn list(name: &str, lines: &[Line], out: &mut String) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "<h2>{name}</h2>\n<ul>");
    for line in lines {
        let _ = writeln!(out, "<li>{}</li>", escape(line.as_str()));
    }
    let _ = writeln!(out, "</ul>");
}

/// A table with a heading, each cell with its class; nothing where it has no rows.
fn table<const N: usize>(
    name: &str,
    head: [&str; N],
    rows: impl Iterator<Item = [(&'static str, String); N]>,
    out: &mut String,
) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    let _ = writeln!(
        out,
        "<h2>{name}</h2>\n<table>\n<tr><th>{}</th></tr>",
        head.join("</th><th>")
    );
    for row in rows {
        let cells =
            row.map(|(class, text)| format!("<td class=\"{class}\">{}</td>", escape(&text)));
        let _ = writeln!(out, "<tr>{}</tr>", cells.concat());
    }
    let _ = writeln!(out, "</table>");
}

/// Text as it is: nothing in it becomes an element, an entity or the end of an attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
