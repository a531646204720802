//! Old, new and public way to the proxy; below them each address, stage by stage.

use crate::{
    incident::{
        Address, Certificate, Door, DoorFact, Fact, FailureKind, Moment, Part, STEADY, Subject,
        Wildcard,
    },
    judge::{
        Glance,
        doors::{assess, pane},
        glance,
    },
    state::{Pane, RowKey, State},
    theme::Role,
    view::{
        Canvas, Title,
        widget::{
            age::{age, past, told},
            symbol,
            table::Column,
        },
    },
};

use super::table::{self, Row};

const COLUMNS: [Column; 6] = [
    Column::fixed("", 1, 9),
    Column::fixed("", 8, 6),
    Column::fixed("door", 6, 9),
    Column::grows("answers", 30, 14, 9),
    Column::grows("where", 30, 12, 3).by_its_ends(),
    Column::fixed("seen", 9, 4),
];

/// All three doors.
pub fn title(state: &State) -> Title {
    pane(&state.sight()).into()
}

/// Draws the rows.
pub fn draw(canvas: &mut Canvas<'_>) {
    table::draw(canvas, Pane::Web, &COLUMNS, "", |canvas, key| match key {
        RowKey::Door(door) => whole(canvas, *door),
        RowKey::Address(door, ip) => {
            let address = known(canvas.state, *door)
                .and_then(|fact| fact.addresses.iter().find(|address| address.ip == *ip));
            let (text, fresh) = address.map_or_else(
                || (String::new(), true),
                |address| behind(*door, address, canvas.state),
            );
            let role = if fresh { Role::Muted } else { Role::Stale };
            Row::Across(vec![(format!("  {text}"), canvas.style(role))])
        }
        _ => Row::Across(Vec::new()),
    });
}

fn known(state: &State, door: Door) -> Option<&DoorFact> {
    match state.instruments.get(&Subject::Door(door))?.good.as_ref()? {
        (_, Fact::Door(fact)) => Some(fact),
        _ => None,
    }
}

fn whole(canvas: &Canvas<'_>, door: Door) -> Row {
    let state = canvas.state;
    let sight = state.sight();
    let seen = assess(door, &sight);
    let is_old = !matches!(glance(&Subject::Door(door), &sight), Glance::Fresh(..));
    let style = canvas.style(Role::from(seen.health));
    let (plain, muted) = (canvas.style(Role::Text), canvas.style(Role::Muted));
    let place = known(state, door).map_or_else(String::new, |fact| match fact.addresses.len() {
        1 => fact.host.clone(),
        count => format!("{} ({count} addresses)", fact.host),
    });
    Row::Cells(vec![
        (symbol::health(seen.health).to_owned(), style),
        (seen.health.word().to_owned(), style),
        (door.word().to_owned(), plain),
        (seen.sentence, plain),
        (place, muted),
        (
            told(seen.age, is_old && seen.age.is_some()),
            if is_old {
                canvas.style(Role::Stale)
            } else {
                muted
            },
        ),
    ])
}

/// What an address behind a door gave, and whether it still does: what was seen before the door began to fail, or too
/// long ago, is history, and says since when.
fn behind(door: Door, address: &Address, state: &State) -> (String, bool) {
    let text = stages(door, address, state.now);
    match glance(&Subject::Door(door), &state.sight()) {
        Glance::Fresh(..) => (text, true),
        seen => {
            let old = seen.known().map(|(_, age)| format!("{} ago: ", past(age)));
            (format!("was {}{text}", old.unwrap_or_default()), false)
        }
    }
}

/// `old 203.0.113.10:443 · tcp 12ms · tls Let's Encrypt, 63d left · ping 200 17.0.2 14ms`, as far as it got.
fn stages(door: Door, address: &Address, now: Moment) -> String {
    let mut parts = vec![format!("{door} {}:{}", address.ip, address.port)];
    parts.push(stage("tcp", &address.tcp, |took| {
        format!("{}ms", took.as_millis())
    }));
    // A stage that was not reached says nothing of its own.
    if address.tcp.is_ok() {
        parts.push(stage("tls", &address.tls, |certificate| {
            certificate_told(certificate, now)
        }));
    }
    if address.tls.is_ok() {
        parts.push(stage("ping", &address.ping, |ping| {
            let version = ping.server_version.as_deref().unwrap_or("no version");
            format!("{} {version} {}ms", ping.status, ping.took.as_millis())
        }));
        if address.ping.is_err() {
            parts.push(stage("find", &address.find, |find| find.status.to_string()));
        }
        parts.extend(under(&address.wildcard));
    }
    if door == Door::New && address.ping.is_ok() {
        let looks = address.steady.len();
        parts.push(format!("in order {looks} of {STEADY} looks"));
    }
    parts.join(" · ")
}

/// What a name under the cluster's gets, where one was asked for: `*. 302`.
fn under(wildcard: &Part<Wildcard>) -> Option<String> {
    match wildcard {
        Err(why) if why.kind == FailureKind::NotPlanned => None,
        Ok(seen) => Some(match (&seen.tls.problem, &seen.answer) {
            (Some(problem), _) => format!("*. NOT TRUSTED ({problem})"),
            (None, answer) => stage("*.", answer, u16::to_string),
        }),
        Err(why) => Some(format!("*. {}", why.kind.word())),
    }
}

fn stage<T>(name: &str, part: &Part<T>, tell: impl Fn(&T) -> String) -> String {
    match part {
        Ok(seen) => format!("{name} {}", tell(seen)),
        Err(failure) => format!("{name} {}", failure.kind.word()),
    }
}

fn certificate_told(certificate: &Certificate, now: Moment) -> String {
    let issuer = certificate
        .issuer
        .split(',')
        .find_map(|part| part.trim().strip_prefix("O="))
        .unwrap_or(&certificate.issuer);
    let ends = if certificate.not_after <= now {
        "EXPIRED".to_owned()
    } else {
        format!("{} left", age(certificate.not_after.since(now)))
    };
    match &certificate.problem {
        Some(problem) => format!("NOT TRUSTED ({problem}), {ends}"),
        None => format!("{issuer}, {ends}"),
    }
}

/// Everything of a row in one line.
pub fn detail(state: &State, key: &RowKey) -> String {
    match key {
        RowKey::Door(door) => {
            let seen = assess(*door, &state.sight());
            let failure = match glance(&Subject::Door(*door), &state.sight()) {
                Glance::Failed(failure, _) => format!(" · {}", failure.detail),
                _ => String::new(),
            };
            let host = known(state, *door).map_or("", |fact| fact.host.as_str());
            let behind = known(state, *door)
                .and_then(|fact| fact.forwarded.as_ref())
                .map_or_else(String::new, |forwarded| {
                    let told = match &forwarded.seen {
                        Ok(seen) => stages(*door, seen, state.now),
                        Err(why) => why.detail.clone(),
                    };
                    let age = age(state.now.since(forwarded.at));
                    format!(
                        " · {age} ago, port-forward to {}: {told}",
                        forwarded.through
                    )
                });
            format!("{door} {host}: {}{failure}{behind}", seen.sentence)
        }
        RowKey::Address(door, ip) => known(state, *door)
            .and_then(|fact| fact.addresses.iter().find(|address| address.ip == *ip))
            .map_or_else(String::new, |address| behind(*door, address, state).0),
        _ => String::new(),
    }
}
