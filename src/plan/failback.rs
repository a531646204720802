//! The plan of the way home: the same plan with its two regions in each other's place.
//!
//! It is made of the operator's own text, so that comments and everything that is not of a region stay as they are.

use super::Plan;

/// What the old tables' names get: tables of the failed region are never taken up again, they are restored anew.
const TABLES: &str = "-failback";

/// The text of a plan for failing back. What was written about a region goes with it. The tables to restore get names of
/// their own, since those that are there are stale, and the values begin with the ones that serve now.
#[must_use]
pub fn swapped(text: &str, plan: &Plan) -> String {
    let mut out = format!(
        "# Made by `relight plan failback` from {}: {} is to take over from {}.\n\
         # Look through it, then: relight --plan THIS plan check\n\n",
        plan.path.display(),
        plan.primary.region,
        plan.recovery.region
    );
    let mut section = String::new();
    for line in text.lines() {
        let bare = line.trim_start_matches('#').trim_start();
        let header = bare.starts_with('[') && bare.trim_end().ends_with(']') && !bare.contains('=');
        if header {
            if !line.starts_with('#') {
                bare.trim_end()
                    .trim_matches(['[', ']'])
                    .clone_into(&mut section);
            }
            out.push_str(&turned(line));
        } else if let Some(entry) = replaced(line, &section, plan) {
            out.push_str(&entry);
        } else {
            out.push_str(line);
        }
        out.push('\n');
        if header
            && section == "primary"
            && !line.starts_with('#')
            && plan.recovery.values.is_some()
        {
            out.push_str("# Beside the values of the recovery, which are not touched.\n");
            out.push_str("values = \"teleport-cluster-values.failback.yaml\"\n");
        }
    }
    out
}

/// A header with its region's section turned into the other's.
fn turned(line: &str) -> String {
    let Some(at) = line.find('[') else {
        return line.to_owned();
    };
    let (before, rest) = line.split_at(at + 1);
    let swap = |from: &str, to: &str| {
        let rest = rest.strip_prefix(from)?;
        rest.starts_with([']', '.'])
            .then(|| format!("{before}{to}{rest}"))
    };
    swap("primary", "recovery")
        .or_else(|| swap("recovery", "primary"))
        .unwrap_or_else(|| line.to_owned())
}

/// An entry that is another one on the way back; `None` where it stays.
fn replaced(line: &str, section: &str, plan: &Plan) -> Option<String> {
    let (key, value) = line.split_once('=')?;
    let name = key.trim();
    match (section, name) {
        ("primary", "state_table" | "audit_table") => {
            let at = value.rfind(['"', '\''])?;
            let (head, tail) = value.split_at(at);
            Some(format!("{key}={head}{TABLES}{tail}"))
        }
        // Where the recovery values lie is what serves now.
        ("primary" | "recovery", "values") => Some(format!(
            "# of the way there: {}",
            line.trim_start_matches('#').trim()
        )),
        ("cluster", "values") => {
            let serves = plan.recovery.values.as_ref()?;
            Some(format!(
                "{key}= {}",
                toml::Value::String(serves.to_string_lossy().into_owned())
            ))
        }
        ("dns", "old") => Some(format!("{}={value}", key.replacen("old", "new", 1))),
        ("dns", "new") => Some(format!("{}={value}", key.replacen("new", "old", 1))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const TEXT: &str = r#"# ours
[cluster]
name = "t.example.com"
values = "values.yaml"

[primary]
region = "us-east-1"
state_table = "state"     # live
audit_table = 'events'

[primary.kube]
context = "east"

[recovery]
region = "us-west-2"
state_table = "state-dr"
audit_table = "events-dr"
values = "west.yaml"

[recovery.kube]
context = "west"

[recovery.set]
"aws.athenaURL" = "athena://x"

[dns]
old = ["old.example.com"]
new = ["new.example.com"]
"#;

    fn parsed(text: &str) -> Plan {
        Plan::parse(Path::new("/p/relight.toml"), text).expect("a plan")
    }

    #[test]
    fn everything_of_a_region_goes_with_it() {
        let plan = parsed(TEXT);
        let text = swapped(TEXT, &plan);
        let back = parsed(&text);
        assert_eq!(back.primary.region, "us-west-2");
        assert_eq!(back.recovery.region, "us-east-1");
        assert_eq!(back.primary.state_table.as_deref(), Some("state-dr"));
        assert_eq!(back.recovery.state_table.as_deref(), Some("state-failback"));
        assert_eq!(
            back.recovery.audit_table.as_deref(),
            Some("events-failback")
        );
        assert_eq!(back.primary.kube.context.as_deref(), Some("west"));
        assert_eq!(back.recovery.kube.context.as_deref(), Some("east"));
        assert_eq!(back.dns.old, ["new.example.com"]);
        assert_eq!(back.dns.new, ["old.example.com"]);
        assert_eq!(back.cluster.values, plan.recovery.values, "what serves now");
        assert_ne!(
            back.recovery.values, plan.recovery.values,
            "nothing is written over it"
        );
        assert!(text.contains("# ours") && text.contains("# live"), "{text}");
    }

    #[test]
    fn the_template_can_be_turned_as_it_is() {
        let plan = Plan::parse(Path::new("/p/relight.toml"), super::super::TEMPLATE);
        let plan = plan.expect("the template is a plan");
        let back = parsed(&swapped(super::super::TEMPLATE, &plan));
        assert_eq!(back.primary.region, plan.recovery.region);
        assert_eq!(back.recovery.region, plan.primary.region);
    }
}
