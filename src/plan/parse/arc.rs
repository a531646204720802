//! `[dns.arc]`

use super::{
    dns::values,
    reader::Reader,
    rules::{self, Wrong},
    section::Section,
};
use crate::plan::ArcPlan;

/// Reads `[dns.arc]`; `None` where it is not there.
pub(super) fn arc(dns: &mut Section<'_, '_>, reader: &mut Reader<'_>) -> Option<ArcPlan> {
    let said = dns.has("arc");
    let mut section = dns.section(reader, "arc");
    let place = section.span.clone();
    let on = section.list(reader, "on", routing_control);
    let off = section.list(reader, "off", routing_control);
    let overridable = section.list(reader, "safety_rules_to_override", safety_rule);
    let endpoints = section.section(reader, "endpoints");
    let mut plan = ArcPlan {
        endpoints: endpoints.settings(reader, rules::region),
        on: values(on.unwrap_or_default()),
        off: values(off.unwrap_or_default()),
        overridable: values(overridable.unwrap_or_default()),
    };
    section.finish(reader);
    if !said {
        return None;
    }
    plan.endpoints
        .retain(|region, url| match rules::endpoint(url) {
            Ok(fine) => {
                *url = fine;
                true
            }
            Err(wrong) => {
                let message = format!("[dns.arc.endpoints] {region} {}", wrong.what);
                reader.error(&place, message, wrong.remedy);
                false
            }
        });
    if plan.endpoints.is_empty() || plan.on.is_empty() {
        reader.gap(
            &place,
            "[dns.arc] names no endpoint, or no routing control that is turned On: routing by ARC is locked",
            "write the cluster's five endpoints under [dns.arc.endpoints], region = \"URL\", and the ARNs of routing controls under on and off",
        );
        return None;
    }
    Some(plan)
}

/// The ARN of an ARC routing control.
fn routing_control(value: &str) -> Result<String, Wrong> {
    of_panel(value, "routingcontrol")
}

/// The ARN of an ARC safety rule.
fn safety_rule(value: &str) -> Result<String, Wrong> {
    of_panel(value, "safetyrule")
}

fn of_panel(value: &str, kind: &str) -> Result<String, Wrong> {
    let example = format!(
        "arn:aws:route53-recovery-control::111122223333:controlpanel/0123456789abcdef/{kind}/0123456789abcdef"
    );
    let found = rules::arn(value, "route53-recovery-control", &example)?;
    if found.contains(&format!("/{kind}/")) {
        return Ok(found);
    }
    Err(Wrong {
        what: format!("{value:?} is not an ARN of a {kind}"),
        remedy: format!("write one such as {example:?}"),
    })
}
