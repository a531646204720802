//! `[approvals]`: what a second person has to approve.

use super::{
    reader::Reader,
    rules::{Ruled, wrong},
    section::Section,
};
use crate::{
    incident::{Risk, StepId},
    plan::{ApprovalsPlan, Approved},
};

/// `[approvals]`
pub(super) fn approvals(top: &mut Section<'_, '_>, reader: &mut Reader<'_>) -> ApprovalsPlan {
    let mut section = top.section(reader, "approvals");
    let steps = section.list(reader, "steps", approved);
    let expires = section.duration(reader, "expires");
    section.finish(reader);
    let usual = ApprovalsPlan::default();
    ApprovalsPlan {
        steps: steps
            .unwrap_or_default()
            .into_iter()
            .map(|found| found.value)
            .collect(),
        expires: expires.map_or(usual.expires, |found| found.value),
    }
}

/// `destroy`, `change`, or the id of a step.
fn approved(value: &str) -> Ruled<Approved> {
    match value {
        "destroy" => Ok(Approved::Risk(Risk::Destroy)),
        "change" => Ok(Approved::Risk(Risk::Change)),
        "look" => wrong(
            "\"look\" reads only, and runs without being asked",
            "write \"destroy\", \"change\" or the id of a step",
        ),
        id => StepId::try_from(id.to_owned())
            .map(Approved::Step)
            .or_else(|_| {
                wrong(
                    format!("{id:?} is neither a risk nor the id of a step"),
                    "write \"destroy\", \"change\" or an id as `relight step list` prints it",
                )
            }),
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use super::*;
    use crate::plan::Plan;

    fn parse(section: &str) -> Result<Plan, String> {
        let text = format!(
            "[cluster]\nname = \"teleport.example.com\"\n[primary]\nregion = \"us-east-1\"\n[recovery]\nregion = \"us-west-2\"\n{section}"
        );
        Plan::parse(Path::new("/etc/relight.toml"), &text).map_err(|found| {
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            found.join("\n")
        })
    }

    #[test]
    fn risks_and_steps_are_named_and_nothing_is_unless_said() {
        let plan = parse("").expect("a plan");
        assert!(!plan.approvals.covers("stop-old-cluster", Risk::Destroy));
        let plan = parse("[approvals]\nsteps = [\"destroy\", \"switch-dns\"]\nexpires = \"5m\"\n");
        let approvals = plan.expect("a plan").approvals;
        assert!(approvals.covers("stop-old-cluster", Risk::Destroy));
        assert!(approvals.covers("switch-dns", Risk::Change));
        assert!(!approvals.covers("install", Risk::Change));
        assert_eq!(approvals.expires, Duration::from_mins(5));
    }

    #[test]
    fn what_could_not_hold_is_an_error_with_its_place() {
        let cases = [
            ("steps = [\"look\"]", "reads only"),
            ("steps = [\"Stop it\"]", "neither a risk nor the id"),
            ("expires = 0", "is not a duration"),
            ("step = [\"destroy\"]", "did you mean \"steps\"?"),
        ];
        for (line, wanted) in cases {
            let told = parse(&format!("[approvals]\n{line}\n")).expect_err(line);
            assert!(
                told.contains(wanted) && told.contains("8:"),
                "{line}: {told}"
            );
        }
    }
}
