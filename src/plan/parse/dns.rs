//! `[dns]`

use std::time::Duration;

use super::{
    nearest::nearest,
    reader::{Found, Reader, Span},
    rules,
    section::Section,
};
use crate::plan::{ArcPlan, DnsPlan, ResolverPlan, panel};

/// Longest sensible TTL of a record that is to be switched, in seconds ("a low TTL, e.g., one minute", guide 4/4).
const LOW_TTL: u32 = 300;

/// Where the parts stand, for the checks across tables.
pub(super) struct Places {
    /// `zone`
    pub(super) zone: Option<Span>,
    /// Every name with its place.
    pub(super) names: Vec<Found<String>>,
    /// Every server with its place and key: resolvers, name servers, look-up.
    pub(super) servers: Vec<Found<ResolverPlan>>,
    /// `public_resolvers`
    pub(super) public: Option<Span>,
    /// `endpoint`
    pub(super) endpoint: Option<Span>,
    /// `old` and `new`, entry by entry.
    pub(super) targets: [Vec<Found<String>>; 2],
}

/// Reads `[dns]`; the names are the cluster name and its wildcard unless said.
pub(super) fn dns(
    top: &mut Section<'_, '_>,
    reader: &mut Reader<'_>,
    cluster: &Found<String>,
) -> (DnsPlan, Places) {
    let mut section = top.section(reader, "dns");
    let place = section.span.clone();
    let zone_id = section.parsed(reader, "zone_id", rules::zone_id);
    let zone = section.parsed(reader, "zone", |text| rules::domain(text, false));
    let private = section.flag(reader, "private");
    let profile = section.text(reader, "profile");
    let role = section.parsed(reader, "role", rules::role);
    let endpoint = section.parsed(reader, "endpoint", rules::endpoint);
    let declared = section.list(reader, "names", |text| rules::domain(text, true));
    let hot = section.list(reader, "hot_names", |text| rules::domain(text, false));
    let record_ttl = section.number(reader, "record_ttl", (1, 86_400));
    let resolvers = section.servers(reader, "resolvers");
    let public = section.list(reader, "public_resolvers", rules::text);
    for id in public.iter().flatten() {
        known(reader, id);
    }
    let nameservers = section.servers(reader, "nameservers");
    let lookup = section
        .list(reader, "lookup", rules::server)
        .unwrap_or_default();
    let old = section
        .list(reader, "old", rules::target)
        .unwrap_or_default();
    let new = section
        .list(reader, "new", rules::target)
        .unwrap_or_default();
    let interval = section.duration(reader, "interval");
    let arc = arc(&mut section, reader);
    section.finish(reader);

    lacks(
        reader,
        &place,
        zone_id.is_some(),
        private,
        [
            !resolvers.is_empty(),
            !nameservers.is_empty(),
            public.as_ref().is_some_and(|ids| !ids.is_empty()),
        ],
    );
    if let Some(ttl) = record_ttl.as_ref().filter(|ttl| ttl.value > LOW_TTL) {
        reader.warning(
            &ttl.span,
            format!(
                "[dns] record_ttl of {} s keeps the old answer in caches for as long",
                ttl.value
            ),
            "the guide says one minute: record_ttl = 60",
        );
    }
    let names = match declared {
        Some(names) if !names.is_empty() => names,
        Some(_) => {
            reader.error(
                &place,
                "[dns] names is empty",
                "leave it out for the cluster name and its wildcard",
            );
            Vec::new()
        }
        None => default_names(cluster),
    };
    let hot = hot.unwrap_or_default();
    let places = Places {
        zone: zone.as_ref().map(|found| found.span.clone()),
        names: names.iter().chain(&hot).cloned().collect(),
        servers: servers(&resolvers, &nameservers, &lookup),
        public: public
            .as_ref()
            .and_then(|entries| entries.first())
            .map(|found| found.span.clone()),
        endpoint: endpoint.as_ref().map(|found| found.span.clone()),
        targets: [old.clone(), new.clone()],
    };
    let plan = DnsPlan {
        zone_id: zone_id.map(|found| found.value),
        zone: zone.map(|found| found.value),
        private,
        profile: profile.map(|found| found.value),
        role: role.map(|found| found.value),
        endpoint: endpoint.map(|found| found.value),
        names: values(names),
        hot_names: values(hot),
        record_ttl: record_ttl.map_or(60, |found| found.value),
        resolvers: values(resolvers),
        public_resolvers: public.map(values),
        nameservers: values(nameservers),
        lookup: values(lookup),
        old: values(old),
        new: values(new),
        interval: interval.map_or(Duration::from_secs(10), |found| found.value),
        arc,
    };
    (plan, places)
}

/// Reads `[dns.arc]`; `None` where it is not there.
fn arc(dns: &mut Section<'_, '_>, reader: &mut Reader<'_>) -> Option<ArcPlan> {
    let said = dns.has("arc");
    let mut section = dns.section(reader, "arc");
    let place = section.span.clone();
    let on = section.list(reader, "on", rules::routing_control);
    let off = section.list(reader, "off", rules::routing_control);
    let rules = section.list(reader, "safety_rules_to_override", rules::safety_rule);
    let endpoints = section.section(reader, "endpoints");
    let mut plan = ArcPlan {
        endpoints: endpoints.settings(reader, rules::region),
        on: values(on.unwrap_or_default()),
        off: values(off.unwrap_or_default()),
        overridable: values(rules.unwrap_or_default()),
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

/// An id that is not in the list would take its resolver out without a word.
fn known(reader: &mut Reader<'_>, id: &Found<String>) {
    let ids: Vec<&str> = panel::public()
        .iter()
        .map(|known| known.id.as_str())
        .collect();
    if ids.contains(&id.value.as_str()) {
        return;
    }
    let remedy = nearest(&id.value, &ids).map_or_else(
        || format!("known here: {}", ids.join(", ")),
        |near| format!("did you mean {near:?}?"),
    );
    let message = format!(
        "[dns] public_resolvers: {:?} is not a resolver that Relight knows",
        id.value
    );
    reader.error(&id.span, message, remedy);
}

/// What an incomplete `[dns]` lacks, and what a private zone has no use for.
fn lacks(
    reader: &mut Reader<'_>,
    place: &Span,
    zone_id: bool,
    private: bool,
    [own, authorities, public]: [bool; 3],
) {
    if !zone_id {
        reader.gap(
            place,
            "[dns] zone_id is not declared: switching DNS is locked",
            "write the id of the Route 53 hosted zone that owns the names",
        );
    }
    if private && public {
        reader.warning(
            place,
            "[dns] public_resolvers are asked for names of a private zone, which they cannot know",
            "leave public_resolvers out, and list the resolvers inside under resolvers",
        );
    }
    if private && !own && !authorities {
        reader.gap(
            place,
            "[dns] the zone is private and no resolver is declared: nobody can be asked whether a switch has worked",
            "list the resolvers that know the zone, such as the VPC's, under resolvers",
        );
    } else if !own {
        reader.gap(
            place,
            "[dns] has no resolvers of your own: what your users' caches hold is not seen",
            "list the resolvers that users and agents ask, such as the VPC's",
        );
    }
}

fn default_names(cluster: &Found<String>) -> Vec<Found<String>> {
    if cluster.value.is_empty() {
        return Vec::new();
    }
    [cluster.value.clone(), format!("*.{}", cluster.value)]
        .map(|value| Found {
            value,
            span: cluster.span.clone(),
        })
        .into()
}

fn servers(
    resolvers: &[Found<ResolverPlan>],
    nameservers: &[Found<ResolverPlan>],
    lookup: &[Found<std::net::SocketAddr>],
) -> Vec<Found<ResolverPlan>> {
    let lookup = lookup.iter().map(|found| Found {
        value: ResolverPlan {
            label: "lookup".to_owned(),
            address: found.value,
        },
        span: found.span.clone(),
    });
    resolvers
        .iter()
        .chain(nameservers)
        .cloned()
        .chain(lookup)
        .collect()
}

fn values<T>(found: Vec<Found<T>>) -> Vec<T> {
    found.into_iter().map(|found| found.value).collect()
}
