//! One line of the DNS pane: what one server answers for one name, and how long that may live.

use std::{
    cmp::Reverse,
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{
    class::{Class, classify, lacking},
    sets::{LOOKUP, Sets},
};
use crate::{
    incident::{Answer, Fact, Moment, Subject},
    judge::{Glance, Sight, glance},
    plan::{Plan, panel},
};

/// Which of the two clocks a server belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A caching resolver.
    Resolver,
    /// One of the zone's delegated name servers.
    Authority,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

impl Place {
    /// The word shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Resolver => "resolver",
            Self::Authority => "authority",
        }
    }
}

/// What one server answers for one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The identity under which the cursor stays.
    pub subject: Subject,
    /// The server as the pane calls it.
    pub label: String,
    /// Its kind.
    pub place: Place,
    /// The name, `*.` for the wildcard.
    pub name: String,
    /// What the answer is. UNKNOWN if it is stale.
    pub class: Class,
    /// Seconds that are left of the copy now; `None` if no answer is known.
    pub ttl: Option<u32>,
    /// What is left as a part of the whole, 0 to 1, for a bar.
    pub fraction: Option<f32>,
    /// Round trip of the last answer.
    pub rtt: Option<Duration>,
    /// The answer in words, or why there is none.
    pub answer: String,
    /// Age of the answer shown; `None` if there is none.
    pub age: Option<Duration>,
    /// Whether the reading is from the last look and young.
    pub fresh: bool,
    /// When this copy of an old answer must be gone, if the server is honest. Only for OLD and MIXED, seen last or
    /// before the server began to fail.
    pub dies: Option<Moment>,
    /// It gives the old answer beyond the moment when every honest copy was gone.
    pub past_ttl: bool,
    /// Authoritative answer bit of the answer shown.
    pub aa: bool,
}

/// Every line, in the order of the pane: own resolvers as in the plan, the system's, the public ones, the authorities
/// together; within a server by name as in the plan.
#[must_use]
pub fn rows(sight: &Sight<'_>, sets: &Sets) -> Vec<Row> {
    let bounds = Bounds::new(sight, sets);
    let mut rows: Vec<Row> = watched(sight)
        .into_iter()
        .map(|subject| row(subject, sight, sets, &bounds))
        .collect();
    rows.sort_by_cached_key(|row| order(row, sight.plan));
    rows
}

/// The subjects of the pane: what the plan says will be asked, and what has been seen to be asked.
fn watched(sight: &Sight<'_>) -> BTreeSet<Subject> {
    let plan = sight.plan;
    let mut subjects = BTreeSet::new();
    let authorities = plan.dns.nameservers.iter().map(|server| &server.label);
    for server in authorities {
        for name in plan.dns.names.iter().chain(&plan.dns.hot_names) {
            subjects.insert(subject(server, name));
        }
    }
    for server in plan.watched_resolvers() {
        // A wildcard is asked of a resolver only once it is known to exist, so it is not to be expected there.
        let names = plan.dns.names.iter().chain(&plan.dns.hot_names);
        for name in names.filter(|name| !name.starts_with("*.")) {
            subjects.insert(subject(&panel::address_text(server.address), name));
        }
    }
    let answers: Vec<_> = sight
        .instruments
        .iter()
        .filter(
            |(subject, _)| matches!(subject, Subject::Answer { server, .. } if &**server != LOOKUP),
        )
        .collect();
    // A server that others have long overtaken is no longer asked: the delegation or the plan has changed.
    let newest = answers.iter().map(|(_, reading)| reading.last.at).max();
    // That nobody could be found is history once an authority is asked.
    let found = answers
        .iter()
        .filter(|(subject, _)| {
            let server = server(subject);
            server != Subject::DELEGATION && place(server, plan) == Place::Authority
        })
        .map(|(_, reading)| reading.last.at)
        .max();
    for (subject, reading) in answers {
        if server(subject) == Subject::DELEGATION && found.is_some_and(|at| at >= reading.last.at) {
            continue;
        }
        let patience = sight.plan.stale_after(subject) * 3;
        if newest.is_none_or(|newest| newest.since(reading.last.at) <= patience) {
            subjects.insert(subject.clone());
        }
    }
    subjects
}

fn server(subject: &Subject) -> &str {
    match subject {
        Subject::Answer { server, .. } => server,
        _ => "",
    }
}

fn subject(server: &str, name: &str) -> Subject {
    Subject::Answer {
        server: server.into(),
        name: name.into(),
    }
}

fn row(subject: Subject, sight: &Sight<'_>, sets: &Sets, bounds: &Bounds) -> Row {
    let (server, name) = match &subject {
        Subject::Answer { server, name } => (server.to_string(), name.to_string()),
        _ => (String::new(), String::new()),
    };
    let seen = glance(&subject, sight);
    let known = match seen.known() {
        Some((Fact::Answer(answer), age)) => Some((answer.as_ref(), age)),
        _ => None,
    };
    let place = match known {
        Some((answer, _)) if answer.authority => Place::Authority,
        Some(_) => Place::Resolver,
        None => place(&server, sight.plan),
    };
    let class = match (seen, known) {
        (Glance::Fresh(..), Some((answer, _))) => classify(answer, sets),
        (Glance::Failed(failure, _), _) => lacking(failure),
        _ => Class::Unknown,
    };
    let ttl = known.and_then(|(answer, age)| left(answer, age, place));
    let whole = bounds
        .whole(&name)
        .max(known.and_then(|(answer, _)| answer.ttl).unwrap_or_default());
    let held = known.map_or(Class::Unknown, |(answer, _)| classify(answer, sets));
    let dies = match (known, ttl) {
        (Some(_), Some(left)) if held.holds_old() && place == Place::Resolver => {
            Some(sight.now.plus(Duration::from_secs(left.into())))
        }
        _ => None,
    };
    Row {
        label: label(&server, sight.plan),
        answer: match seen {
            Glance::Failed(failure, _) => failure.detail.clone(),
            _ => known.map_or_else(|| "not asked yet".to_owned(), |(answer, _)| text(answer)),
        },
        past_ttl: place == Place::Resolver
            && class.holds_old()
            && bounds
                .honest(&name)
                .is_some_and(|honest| sight.now > honest),
        fraction: ttl.map(|ttl| fraction(ttl, whole)),
        rtt: known.map(|(answer, _)| answer.rtt),
        aa: known.is_some_and(|(answer, _)| answer.aa),
        age: known.map(|(_, age)| age),
        fresh: matches!(seen, Glance::Fresh(..)),
        subject,
        place,
        name,
        class,
        ttl,
        dies,
    }
}

/// What is left of the copy: it has been running out since it was seen. An authority's TTL is a length, not a rest.
fn left(answer: &Answer, age: Duration, place: Place) -> Option<u32> {
    let elapsed = u32::try_from(age.as_secs()).unwrap_or(u32::MAX);
    match place {
        Place::Authority => answer.ttl,
        Place::Resolver => answer.ttl.map(|ttl| ttl.saturating_sub(elapsed)),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a bar a few cells wide needs no precision"
)]
fn fraction(left: u32, whole: u32) -> f32 {
    (left as f32 / whole.max(1) as f32).clamp(0.0, 1.0)
}

/// The answer in words: the hops, then the addresses.
fn text(answer: &Answer) -> String {
    let mut parts: Vec<String> = answer.chain.iter().map(|hop| hop.target.clone()).collect();
    if !answer.addresses.is_empty() {
        let shown = answer.addresses.iter().take(4).map(IpAddr::to_string);
        let mut addresses = shown.collect::<Vec<_>>().join(" ");
        if answer.addresses.len() > 4 {
            addresses.push_str(" …");
        }
        parts.push(addresses);
    }
    if parts.is_empty() {
        answer.rcode.to_string()
    } else {
        parts.join(" → ")
    }
}

/// The kind of a server that has never answered. Resolvers are listed by address, authorities by name or by their label.
fn place(server: &str, plan: &Plan) -> Place {
    let declared = plan
        .dns
        .nameservers
        .iter()
        .any(|known| known.label == server);
    if !declared && address(server).is_some() {
        Place::Resolver
    } else {
        Place::Authority
    }
}

fn address(server: &str) -> Option<SocketAddr> {
    server
        .parse()
        .ok()
        .or_else(|| Some(SocketAddr::new(server.parse().ok()?, 53)))
}

fn label(server: &str, plan: &Plan) -> String {
    let Some(address) = address(server) else {
        return server.to_owned();
    };
    plan.watched_resolvers()
        .iter()
        .find(|known| known.address == address)
        .map_or_else(
            || format!("{server} system"),
            |known| {
                if known.label.contains(server) {
                    known.label.clone()
                } else {
                    format!("{server} {}", known.label)
                }
            },
        )
}

/// Sorts own resolvers, system's, public ones, authorities; then the names as in the plan.
fn order(row: &Row, plan: &Plan) -> (u8, usize, String, Reverse<bool>, usize, String) {
    let server = match &row.subject {
        Subject::Answer { server, .. } => server.to_string(),
        _ => String::new(),
    };
    let find = |list: &[crate::plan::ResolverPlan]| {
        address(&server).and_then(|at| list.iter().position(|known| known.address == at))
    };
    let (group, place) = match row.place {
        Place::Authority => (
            3,
            plan.dns
                .nameservers
                .iter()
                .position(|known| known.label == server)
                .unwrap_or(usize::MAX),
        ),
        Place::Resolver => match (find(&plan.dns.resolvers), find(&plan.watched_resolvers())) {
            (Some(at), _) => (0, at),
            (None, None) => (1, usize::MAX),
            (None, Some(at)) => (2, at),
        },
    };
    let names = || plan.dns.names.iter().chain(&plan.dns.hot_names);
    let planned = names().position(|name| *name == row.name);
    (
        group,
        place,
        server,
        Reverse(planned.is_some()),
        planned.unwrap_or(usize::MAX),
        row.name.clone(),
    )
}

/// What the authorities tell of each name: the whole TTL, and when every honest copy of the old answer is gone.
struct Bounds(Vec<(String, u32, Option<Moment>)>);

impl Bounds {
    fn new(sight: &Sight<'_>, sets: &Sets) -> Self {
        let names = sight.plan.dns.names.iter().chain(&sight.plan.dns.hot_names);
        Self(
            names
                .map(|name| {
                    let (whole, honest) = bound(name, sight, sets);
                    (name.clone(), whole, honest)
                })
                .collect(),
        )
    }

    fn whole(&self, name: &str) -> u32 {
        self.find(name).map_or(0, |bound| bound.1)
    }

    fn honest(&self, name: &str) -> Option<Moment> {
        self.find(name).and_then(|bound| bound.2)
    }

    fn find(&self, name: &str) -> Option<&(String, u32, Option<Moment>)> {
        self.0.iter().find(|bound| bound.0 == name)
    }
}

/// The greatest TTL an authority gives or gave for the name; and, if all of them have been seen to change to the new
/// answer, the last of these changes plus the TTL that the old answer had there.
fn bound(name: &str, sight: &Sight<'_>, sets: &Sets) -> (u32, Option<Moment>) {
    // What it was before the change, by the black box: a cockpit that came later did not see the authorities change.
    let before = crate::judge::black_box::known(sight).and_then(|found| found.records.good());
    let before = before.and_then(|old| old.ttl_of(name)).unwrap_or(0);
    let (mut whole, mut honest, mut all) = (before, None, true);
    for (subject, reading) in sight.instruments.iter() {
        let Subject::Answer { name: asked, .. } = subject else {
            continue;
        };
        let Some((_, Fact::Answer(answer))) = &reading.good else {
            continue;
        };
        if &**asked != name || !answer.authority {
            continue;
        }
        let before = answer.changed.and_then(|change| change.ttl_before);
        whole = whole.max(answer.ttl.unwrap_or(0)).max(before.unwrap_or(0));
        match (classify(answer, sets), answer.changed, before) {
            (Class::New, Some(change), Some(before)) => {
                let gone = change.at.plus(Duration::from_secs(before.into()));
                honest = honest.max(Some(gone));
            }
            _ => all = false,
        }
    }
    (whole, honest.filter(|_| all))
}
