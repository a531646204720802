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
    let expires = expires.filter(|found| {
        let none = found.value.is_zero();
        if none {
            reader.error(
                &found.span,
                "[approvals] expires: an approval that is good for no time lets nothing start",
                "write \"10m\", or leave it out",
            );
        }
        !none
    });
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
