//! What does not fit together, though each part is fine by itself.

use std::net::IpAddr;

use super::{
    dns,
    reader::{Found, Reader, Span},
    region, rules,
};
use crate::{
    incident::{Side, TableRole},
    plan::Plan,
};

/// The places needed to point at what does not fit.
pub(super) struct Places {
    /// `[primary]` and `[recovery]`.
    pub(super) sides: [region::Places; 2],
    /// `[dns]`.
    pub(super) dns: dns::Places,
}

/// Every check that needs more than one table.
pub(super) fn check(plan: &Plan, places: &Places, reader: &mut Reader<'_>) {
    tables(plan, places, reader);
    sides(plan, places, reader);
    zone(plan, places, reader);
    targets(places, reader);
    endpoints(plan, places, reader);
    if plan.practice {
        loopback(plan, places, reader);
    }
}

/// A table of a side that is declared, with its place.
struct Declared<'p> {
    side: Side,
    role: TableRole,
    name: &'p str,
}

fn tables(plan: &Plan, places: &Places, reader: &mut Reader<'_>) {
    let mut seen: Vec<Declared<'_>> = Vec::new();
    for (side, spots) in Side::BOTH.into_iter().zip(&places.sides) {
        for (role, span) in TableRole::BOTH.into_iter().zip(&spots.tables) {
            let (Some(name), Some(span)) = (plan.side(side).table(role), span) else {
                continue;
            };
            let table = Declared { side, role, name };
            if let Some(twin) = seen.iter().find(|other| same_table(plan, other, &table)) {
                let (message, remedy) = clash(twin, &table, &plan.side(side).region);
                reader.error(span, message, remedy);
            }
            seen.push(table);
        }
    }
}

fn same_table(plan: &Plan, a: &Declared<'_>, b: &Declared<'_>) -> bool {
    let (left, right) = (plan.side(a.side), plan.side(b.side));
    a.name == b.name && left.region == right.region && rules::may_share_account(left, right)
}

fn clash(twin: &Declared<'_>, table: &Declared<'_>, region: &str) -> (String, &'static str) {
    let message = format!(
        "the {} table of {} and the {} table of {} are the same table {:?} in {region}",
        table.role, table.side, twin.role, twin.side, table.name
    );
    let remedy = if twin.side == table.side {
        "state and audit events need a table each"
    } else {
        "the recovery cluster needs tables of its own: name the restored ones"
    };
    (message, remedy)
}

fn sides(plan: &Plan, places: &Places, reader: &mut Reader<'_>) {
    let [_, spots] = &places.sides;
    let (primary, recovery) = (&plan.primary, &plan.recovery);
    let zonal = primary.region == recovery.region;
    if zonal && !recovery.region.is_empty() {
        reader.warning(
            &spots.region,
            format!("both sides lie in {}: fine for the outage of a zone, no help in that of the region", recovery.region),
            "for a regional outage name another region in [recovery]",
        );
    }
    if let (Some(bucket), Some(span)) = (&recovery.bucket, &spots.bucket)
        && primary.bucket.as_ref() == Some(bucket)
        && !zonal
    {
        reader.warning(
            span,
            format!("bucket {bucket} is named on both sides, and a bucket lies in one region"),
            "name the bucket in the recovery region that recordings are replicated to",
        );
    }
    let (old, new) = (&primary.kube, &recovery.kube);
    if let (Some(context), Some(span)) = (&new.context, &spots.context)
        && old.context.as_ref() == Some(context)
        && old.kubeconfig == new.kubeconfig
    {
        same_cluster(reader, span, zonal, &format!("kube context {context}"));
    } else if let (Some(uid), Some(span)) = (&new.uid, &spots.uid)
        && old.uid.as_ref() == Some(uid)
    {
        same_cluster(reader, span, zonal, &format!("the kube-system UID {uid}"));
    }
    if let (Some(values), Some(span)) = (&recovery.values, &spots.values)
        && plan.cluster.values.as_ref() == Some(values)
    {
        reader.error(
            span,
            "[recovery] values is the operator's own values file, which would be overwritten",
            "name another file, or leave it out for one beside it",
        );
    }
    if let Some(span) = &places.sides[0].values {
        reader.warning(
            span,
            "[primary] values has no effect: values are written for the recovery side only",
            "move it to [recovery], or to [cluster] values if it is the file the cluster was installed with",
        );
    }
}

fn same_cluster(reader: &mut Reader<'_>, span: &Span, zonal: bool, what: &str) {
    let message = format!(
        "{what} is named on both sides, so stopping the old cluster would stop the new one"
    );
    if zonal {
        reader.warning(
            span,
            message,
            "check that one Kubernetes cluster over several zones is meant",
        );
    } else {
        reader.error(
            span,
            message,
            "name the recovery region's own Kubernetes cluster in [recovery.kube]",
        );
    }
}

fn zone(plan: &Plan, places: &Places, reader: &mut Reader<'_>) {
    if let (Some(zone), Some(_)) = (&plan.dns.zone, &places.dns.zone) {
        for name in &places.dns.names {
            if !rules::owns(zone, &name.value) {
                reader.error(
                    &name.span,
                    format!("zone {zone} does not own {}", name.value),
                    "name the hosted zone that the name lies in, or correct the name",
                );
            }
        }
    }
    let cluster = &plan.cluster.name;
    if cluster.is_empty() || plan.dns.names.is_empty() {
        return;
    }
    let span = places
        .dns
        .names
        .first()
        .map_or(0..0, |name| name.span.clone());
    let wildcard = format!("*.{cluster}");
    for (name, lost) in [
        (cluster, "the way to the cluster itself"),
        (&wildcard, "every web application under it"),
    ] {
        if !plan.dns.names.contains(name) {
            reader.warning(
                &span,
                format!("[dns] names lacks {name}: {lost} would stay with the old cluster"),
                format!("add \"{name}\""),
            );
        }
    }
}

fn targets(places: &Places, reader: &mut Reader<'_>) {
    let [old, new] = &places.dns.targets;
    for target in new {
        if old.iter().any(|other| other.value == target.value) {
            reader.error(
                &target.span,
                format!(
                    "{} is named as old and as new target, so no answer could be told apart",
                    target.value
                ),
                "leave it in the list where it belongs",
            );
        }
    }
}

fn endpoints(plan: &Plan, places: &Places, reader: &mut Reader<'_>) {
    let mut overrides: Vec<(String, &str, &Span)> = Vec::new();
    for (side, spots) in Side::BOTH.into_iter().zip(&places.sides) {
        for (service, url) in &plan.side(side).endpoints {
            if let Some(span) = spots.endpoints.get(service) {
                overrides.push((format!("[{side}.endpoints] {}", service.key()), url, span));
            }
        }
    }
    if let (Some(url), Some(span)) = (&plan.dns.endpoint, &places.dns.endpoint) {
        overrides.push(("[dns] endpoint".to_owned(), url, span));
    }
    for (label, url, span) in overrides {
        if plan.practice && !on_loopback(url) {
            reader.error(
                span,
                format!("{label} leaves loopback, and this is a practice"),
                LEAVES,
            );
        } else if !plan.practice && url.starts_with("http://") {
            reader.warning(
                span,
                format!("{label} is not encrypted: signed requests and table contents travel in the clear"),
                "use https:// outside a practice",
            );
        }
    }
}

/// The remedy for whatever would leave loopback in a practice.
const LEAVES: &str =
    "practice = true promises that nothing leaves loopback: remove it, or use 127.0.0.0/8";

fn loopback(plan: &Plan, places: &Places, reader: &mut Reader<'_>) {
    for server in &places.dns.servers {
        if !server.value.address.ip().is_loopback() {
            let message = format!(
                "DNS server {} leaves loopback, and this is a practice",
                server.value.address
            );
            reader.error(&server.span, message, LEAVES);
        }
    }
    if let Some(span) = &places.dns.public {
        reader.error(
            span,
            "public resolvers lie outside loopback, and this is a practice",
            LEAVES,
        );
    }
    let balancers = places
        .sides
        .iter()
        .zip(Side::BOTH)
        .flat_map(|(spots, side)| {
            plan.side(side)
                .load_balancer
                .iter()
                .zip(&spots.load_balancer)
                .map(|(value, span)| Found {
                    value: value.clone(),
                    span: span.clone(),
                })
        });
    for target in balancers.chain(places.dns.targets.iter().flatten().cloned()) {
        let outside = target
            .value
            .parse::<IpAddr>()
            .is_ok_and(|address| !address.is_loopback());
        if outside {
            let message = format!("{} leaves loopback, and this is a practice", target.value);
            reader.error(&target.span, message, LEAVES);
        }
    }
}

fn on_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority
        .strip_prefix('[')
        .and_then(|rest| rest.split(']').next())
        .unwrap_or_else(|| authority.split(':').next().unwrap_or_default());
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
