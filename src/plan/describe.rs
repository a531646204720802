//! What a plan makes Relight watch, in words: for `relight plan check`.

use super::{Approved, Level, Plan, RegionPlan};
use crate::incident::{Side, TableRole, brief};

/// What would be watched, by side, then what is odd or missing. One line each, ready to print.
#[must_use]
pub fn describe(plan: &Plan) -> Vec<String> {
    let mut lines = vec![format!(
        "{} · release {} in namespace {} · chart {} {}",
        plan.cluster.name,
        plan.cluster.release,
        plan.cluster.namespace,
        plan.cluster.chart,
        plan.cluster
            .version
            .as_deref()
            .unwrap_or("(version not declared)"),
    )];
    lines.push(format!(
        "objectives: RTO {} · RPO {} · {}% of the agents · {} CA pins recorded",
        brief(plan.objectives.rto),
        brief(plan.objectives.rpo),
        plan.objectives.agents,
        plan.cluster.ca_pins.len(),
    ));
    if !plan.approvals.steps.is_empty() {
        lines.push(second_person(plan));
    }
    if let Some(shared) = &plan.coordination {
        lines.push(format!(
            "incidents are shared by the table {} in {}, with a lease of {}",
            shared.table,
            plan.recovery.region,
            brief(shared.lease)
        ));
    }
    if plan.practice {
        lines.push("a PRACTICE: nothing leaves loopback".to_owned());
    }
    for side in Side::BOTH {
        region(plan.side(side), side, &mut lines);
    }
    dns(plan, &mut lines);
    doors(plan, &mut lines);
    for level in [Level::Warning, Level::Gap] {
        let found: Vec<_> = plan
            .warnings
            .iter()
            .filter(|found| found.level == level)
            .collect();
        if found.is_empty() {
            continue;
        }
        lines.push(String::new());
        lines.push(match level {
            Level::Gap => format!("{} not declared; what needs it is locked:", found.len()),
            _ => format!("{} odd:", found.len()),
        });
        for finding in found {
            lines.push(format!("  line {}: {}", finding.line, finding.message));
            lines.push(format!("      {}", finding.remedy));
        }
    }
    lines
}

fn second_person(plan: &Plan) -> String {
    let named = plan.approvals.steps.iter().map(|approved| match approved {
        Approved::Risk(risk) => format!("every {} step", risk.word()),
        Approved::Step(id) => id.to_string(),
    });
    let named: Vec<String> = named.collect();
    format!(
        "a second person approves: {} · within {}",
        named.join(", "),
        brief(plan.approvals.expires)
    )
}

fn region(region: &RegionPlan, side: Side, lines: &mut Vec<String>) {
    lines.push(String::new());
    lines.push(format!(
        "{side}: {} · account {} · {}",
        region.region,
        said(region.account.as_ref()),
        credentials(region)
    ));
    let kube = match (&region.kube.context, &region.kube.uid) {
        (None, _) => "not watched".to_owned(),
        (Some(context), Some(uid)) => format!("context {context}, pinned to kube-system {uid}"),
        (Some(context), None) => format!("context {context}, not pinned"),
    };
    lines.push(format!("  pods        {kube}"));
    for role in TableRole::BOTH {
        let table = region.table(role).unwrap_or("not watched");
        lines.push(format!("  {:<11} {table}", format!("{role} table")));
    }
    lines.push(format!(
        "  recordings  {}",
        region.bucket.as_deref().unwrap_or("not watched")
    ));
    if let Some(vault) = &region.backup_vault {
        lines.push(format!("  vault       {vault}"));
    }
    for (service, url) in &region.endpoints {
        lines.push(format!("  endpoint    {} at {url}", service.key()));
    }
}

fn credentials(region: &RegionPlan) -> String {
    let chain = match (&region.profile, &region.credentials_file) {
        (Some(profile), Some(file)) => format!("profile {profile} of {}", file.display()),
        (Some(profile), None) => format!("profile {profile}"),
        (None, Some(file)) => format!("credentials of {}", file.display()),
        (None, None) => "standard credential chain".to_owned(),
    };
    match &region.role {
        Some(role) => format!("{chain}, assuming {role}"),
        None => chain,
    }
}

fn dns(plan: &Plan, lines: &mut Vec<String>) {
    let dns = &plan.dns;
    lines.push(String::new());
    lines.push(format!(
        "dns: zone {} {} · records with TTL {} s · a sweep every {}",
        said(dns.zone_id.as_ref()),
        dns.zone.as_deref().unwrap_or_default(),
        dns.record_ttl,
        brief(dns.interval),
    ));
    lines.push(format!("  names       {}", dns.names.join(", ")));
    if !dns.hot_names.is_empty() {
        lines.push(format!("  hot names   {}", dns.hot_names.join(", ")));
    }
    let own: Vec<String> = dns
        .resolvers
        .iter()
        .map(|server| format!("{} ({})", server.label, server.address))
        .collect();
    if !own.is_empty() {
        lines.push(format!("  resolvers   {}", own.join(", ")));
    }
    // Those that are asked, not those that were written down.
    let public: Vec<String> = plan
        .watched_resolvers()
        .iter()
        .filter(|server| {
            dns.resolvers
                .iter()
                .all(|own| own.address != server.address)
        })
        .map(|server| format!("{} ({})", server.label, server.address.ip()))
        .collect();
    let public = if public.is_empty() {
        "none".to_owned()
    } else {
        public.join(", ")
    };
    lines.push(format!("  public      {public}"));
    if dns.by_resolvers() {
        lines.push(
            "  authorities none: the zone is private, so its resolvers alone tell what a name says"
                .to_owned(),
        );
    }
}

fn doors(plan: &Plan, lines: &mut Vec<String>) {
    let way = |declared: &[String], more: &[String], otherwise: &str| {
        let all: Vec<&str> = declared.iter().chain(more).map(String::as_str).collect();
        if all.is_empty() {
            otherwise.to_owned()
        } else {
            all.join(", ")
        }
    };
    lines.push(String::new());
    lines.push(format!(
        "web: https://{}:{}",
        plan.cluster.name, plan.cluster.port
    ));
    let old = way(
        &plan.primary.load_balancer,
        &plan.dns.old,
        "as the primary's Service or Ingress says",
    );
    let new = way(
        &plan.recovery.load_balancer,
        &plan.dns.new,
        "as the recovery cluster's Service or Ingress says",
    );
    lines.push(format!("  old door    {old}"));
    lines.push(format!("  new door    {new}"));
}

fn said(value: Option<&String>) -> &str {
    value.map_or("not declared", String::as_str)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn both_sides_and_the_gaps_are_told() {
        let text = "[cluster]\nname = \"t.example.com\"\n[primary]\nregion = \"us-east-1\"\nstate_table = \"live\"\n\
                    [recovery]\nregion = \"us-west-2\"\n";
        let plan = Plan::parse(Path::new("/p/relight.toml"), text).expect("a plan");
        let told = describe(&plan).join("\n");
        for part in [
            "primary: us-east-1",
            "recovery: us-west-2",
            "state table live",
            "audit table not watched",
            "t.example.com, *.t.example.com",
            "as the recovery cluster's Service or Ingress says",
            "switching DNS is locked",
        ] {
            assert!(told.contains(part), "{part:?} is not in\n{told}");
        }
    }
}
