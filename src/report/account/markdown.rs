//! For the incident channel and the ticket: Markdown with tables, curves as text.

use std::fmt::Write as _;

use super::{
    model::{Account, Evidence, Judged, Reached, Step},
    picture,
};
use crate::{
    incident::{Moment, brief},
    report::{
        Line,
        markdown::{escape, table},
    },
};

/// The account as Markdown.
pub(super) fn render(account: &Account) -> String {
    let mut out = String::new();
    header(account, &mut out);
    open(account, &mut out);
    steps(account, &mut out);
    decisions(account, &mut out);
    verdicts(account, &mut out);
    curves(account, &mut out);
    timeline(account, &mut out);
    remarks(account, &mut out);
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn header(account: &Account, out: &mut String) {
    let kind = account.kind.as_ref().map_or("incident", Line::as_str);
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "# {}: {kind} {}\n",
        escape(account.cluster.as_str()),
        escape(account.incident.as_str())
    );
    let who: Vec<String> = account
        .people
        .iter()
        .map(|person| format!("{} on {}", person.operator, person.host))
        .collect();
    let rows = facts(account, &who).map(|(name, _, text)| [name.to_owned(), text]);
    table(out, ["", ""], rows.into_iter());
}

/// What an incident is in a few rows: the name, the word of an objective or nothing, and the text.
pub(super) fn facts(
    account: &Account,
    who: &[String],
) -> [(&'static str, &'static str, String); 7] {
    let regions = account.regions.as_ref().map_or_else(
        || "not known: the plan is gone".to_owned(),
        |regions| format!("{} → {}", regions.primary, regions.recovery),
    );
    let closed = account.closed.as_ref().map_or_else(
        || format!("open, as of {}", account.until),
        |closed| format!("{} by {}: {}", closed.at, closed.operator, closed.reason),
    );
    let moment =
        |at: Option<Moment>| at.map_or_else(|| "not declared".to_owned(), |at| at.to_string());
    [
        ("Regions", "", regions),
        ("Outage", "", moment(account.outage)),
        ("Declared", "", moment(account.declared)),
        ("Closed", "", closed),
        ("Who", "", who.join(", ")),
        ("RTO", account.rto.word, objective(&account.rto)),
        ("RPO", account.rpo.word, objective(&account.rpo)),
    ]
}

/// `52m of 1h00m, met: every step of the way was done`
pub(super) fn objective(reached: &Reached) -> String {
    let objective = reached
        .objective
        .map_or_else(|| "unknown".to_owned(), brief);
    match reached.reached {
        Some(took) => format!(
            "{}, {} (objective {objective}): {}",
            brief(took),
            reached.word,
            reached.by
        ),
        None => format!("{}: {} (objective {objective})", reached.word, reached.by),
    }
}

fn open(account: &Account, out: &mut String) {
    let _ = writeln!(out, "## Open\n");
    if account.open.is_empty() {
        let _ = writeln!(out, "Nothing is left open.\n");
        return;
    }
    for item in &account.open {
        let text = escape(item.text.as_str());
        let _ = if item.grave {
            writeln!(out, "- **{}** {text}", item.what)
        } else {
            writeln!(out, "- {} {text}", item.what)
        };
    }
    out.push('\n');
}

fn steps(account: &Account, out: &mut String) {
    let _ = writeln!(out, "## Steps\n");
    let rows = account.steps.iter().map(|step| {
        [
            step.number
                .map_or_else(String::new, |number| number.to_string()),
            step.title.to_string(),
            step.state.to_owned(),
            step.took.map_or_else(String::new, brief),
            usual(step),
            step.attempts.to_string(),
            why(step),
        ]
    });
    let head = ["#", "Step", "State", "Took", "Usually", "Runs", "Why"];
    table(out, head, rows);
}

/// `4m10s (p90 9m, 3 times)`
pub(super) fn usual(step: &Step) -> String {
    match (step.usual, step.usual_p90) {
        (Some(usual), Some(p90)) => {
            format!(
                "{} (p90 {}, {} times)",
                brief(usual),
                brief(p90),
                step.timed
            )
        }
        _ => "never timed".to_owned(),
    }
}

pub(super) fn why(step: &Step) -> String {
    let parts = step.why.iter().chain(&step.way);
    let parts: Vec<&str> = parts.map(Line::as_str).collect();
    parts.join("; ")
}

fn decisions(account: &Account, out: &mut String) {
    if account.decisions.is_empty() {
        return;
    }
    let _ = writeln!(out, "## Decisions\n");
    let rows = account.decisions.iter().map(|made| {
        [
            made.at.to_string(),
            format!("{} on {}", made.operator, made.host),
            made.what.to_owned(),
            made.step.as_ref().map_or_else(String::new, Line::to_string),
            made.text.to_string(),
        ]
    });
    table(out, ["When", "Who", "What", "Step", "Why"], rows);
}

fn verdicts(account: &Account, out: &mut String) {
    if account.verdicts.is_empty() {
        return;
    }
    let _ = writeln!(out, "## Verdicts\n");
    for judged in &account.verdicts {
        let _ = writeln!(out, "- {}", escape(&headline(judged)));
        for found in &judged.findings {
            let evidence: Vec<String> = found.evidence.iter().map(look).collect();
            let seen = if evidence.is_empty() {
                "nothing was seen".to_owned()
            } else {
                evidence.join(", ")
            };
            let text = format!(
                "{} {}: {} ({seen})",
                outcome(found.outcome),
                found.condition,
                found.sentence
            );
            let _ = writeln!(out, "  - {}", escape(&text));
        }
    }
    out.push('\n');
}

/// `14:05:31 Restore tables, attempt 2: PASS after 4m10s`
pub(super) fn headline(judged: &Judged) -> String {
    let attempt = match judged.attempt {
        1 => String::new(),
        attempt => format!(", attempt {attempt}"),
    };
    let took = judged
        .took
        .map_or_else(String::new, |took| format!(" after {}", brief(took)));
    let (clock, title, verdict) = (judged.at.clock(), &judged.title, judged.verdict);
    format!("{clock} {title}{attempt}: {verdict}{took}")
}

/// `cluster recovery 3s before`
pub(super) fn look(evidence: &Evidence) -> String {
    let subject = &evidence.subject;
    let age = evidence.age.map_or_else(
        || "too long for the journal".to_owned(),
        |age| format!("{} before", brief(age)),
    );
    match &evidence.failure {
        Some(failure) => format!("{subject} {age}: {failure}"),
        None => format!("{subject} {age}"),
    }
}

pub(super) const fn outcome(outcome: crate::incident::Outcome) -> &'static str {
    use crate::incident::Outcome;
    match outcome {
        Outcome::Pass => "PASS",
        Outcome::Unknown => "UNKNOWN",
        Outcome::Fail => "FAIL",
    }
}

fn curves(account: &Account, out: &mut String) {
    let Some(first) = account.curves.first() else {
        return;
    };
    let _ = writeln!(out, "## Curves\n");
    let ends = first.points.first().zip(first.points.last());
    if let Some((from, until)) = ends {
        let _ = writeln!(
            out,
            "From {} to {}; ▁ is none, █ is all, · is where nobody could tell.\n",
            from.at, until.at
        );
    }
    let width = account.curves.iter().map(|curve| curve.name.as_str().len());
    let width = width.max().unwrap_or(0);
    let _ = writeln!(out, "```text");
    for curve in &account.curves {
        let _ = writeln!(
            out,
            "{:width$} {} {}",
            curve.name,
            picture::sparkline(curve),
            picture::last(curve)
        );
    }
    let _ = writeln!(out, "```\n");
}

fn timeline(account: &Account, out: &mut String) {
    let _ = writeln!(out, "## Timeline\n");
    let rows = account.timeline.iter().map(|happened| {
        [
            happened.at.to_string(),
            happened
                .elapsed
                .map_or_else(String::new, |elapsed| format!("T+{}", brief(elapsed))),
            format!("{} on {}", happened.operator, happened.host),
            happened.what.to_owned(),
            happened.text.to_string(),
        ]
    });
    table(out, ["When", "T", "Who", "What", "In words"], rows);
}

fn remarks(account: &Account, out: &mut String) {
    if account.remarks.is_empty() {
        return;
    }
    let _ = writeln!(out, "## Remarks\n");
    for remark in &account.remarks {
        let _ = writeln!(out, "- {}", escape(remark.as_str()));
    }
}
