//! What every watched server answers for every name, and how long that may live.

use crate::{
    incident::{Health, Subject, brief},
    judge::{
        self,
        dns::{Class, Place, Row as Answered},
    },
    state::{Pane, RowKey, State},
    theme::Role,
    view::{
        Canvas, Title,
        widget::{
            age::{age, told},
            bar::bar,
            symbol,
            table::Column,
        },
    },
};

use super::table::{self, Row};

const COLUMNS: [Column; 9] = [
    Column::fixed("", 1, 9),
    Column::fixed("answer", 8, 9),
    Column::grows("server", 24, 18, 8).by_its_ends(),
    Column::fixed("name", 9, 7),
    Column::fixed("ttl", 5, 6),
    Column::fixed("", 8, 2),
    Column::grows("points to", 22, 10, 5),
    Column::fixed("rtt", 5, 3),
    Column::fixed("seen", 9, 4),
];

/// Two clocks, never mixed: the authorities and the caches.
pub fn title(state: &State) -> Title {
    judge::dns::board(&state.sight()).assessment.into()
}

/// Draws the rows.
pub fn draw(canvas: &mut Canvas<'_>) {
    let rows = judge::dns::board(&canvas.state.sight()).rows;
    let empty = "No server to ask: dns.names and dns.resolvers in the plan say which.";
    table::draw(canvas, Pane::Dns, &COLUMNS, empty, |canvas, key| {
        find(&rows, key).map_or_else(|| Row::Across(Vec::new()), |row| line(canvas, row, &rows))
    });
}

fn find<'a>(rows: &'a [Answered], key: &RowKey) -> Option<&'a Answered> {
    let RowKey::Answer(server, name) = key else {
        return None;
    };
    rows.iter().find(|row| {
        matches!(&row.subject, Subject::Answer { server: s, name: n } if s == server && n == name)
    })
}

/// NEW is well, OLD is what is to be got rid of, an answer that breaks the name is DOWN, silence is UNKNOWN.
const fn health(class: Class) -> Health {
    match class {
        Class::New => Health::Ok,
        Class::Old | Class::Mixed | Class::Other => Health::Degraded,
        Class::Empty | Class::NxDomain | Class::ServFail => Health::Down,
        Class::Refused | Class::Timeout | Class::Blocked | Class::Unknown => Health::Unknown,
    }
}

/// In steps of half a cell: a dozen bars that creep by eighths would be most of what an idle screen sends.
fn halves(part: f32) -> f32 {
    (part * 12.0).ceil() / 12.0
}

/// `name` for the cluster's own, `wildcard` for what lies under it, and the first label of any other.
fn short_name(name: &str, cluster: &str) -> String {
    if name == cluster {
        return "name".to_owned();
    }
    match name
        .strip_suffix(cluster)
        .and_then(|rest| rest.strip_suffix('.'))
    {
        Some("*") => "wildcard".to_owned(),
        Some(label) => format!("{label}."),
        None => name.to_owned(),
    }
}

/// Address and label of a resolver; no label where it has none.
fn named(row: &Answered) -> (&str, Option<&str>) {
    let Subject::Answer { server, .. } = &row.subject else {
        return (&row.label, None);
    };
    let label = row.label.strip_prefix(server.as_ref()).map(str::trim);
    let label = label.filter(|label| !label.is_empty() && *label != "system");
    (server, label)
}

/// What a server goes by: its label, since addresses that are all alike at both ends tell nothing in a narrow column.
/// The address follows where two share a label, and in the zoomed pane; the line below the panes always has it.
fn called(row: &Answered, rows: &[Answered], zoomed: bool) -> String {
    if row.place == Place::Authority {
        return format!("{} auth", row.label);
    }
    let (address, Some(label)) = named(row) else {
        return row.label.clone();
    };
    let shared = || {
        let others = rows.iter().map(named);
        others
            .filter(|(other, _)| *other != address)
            .any(|(_, other)| other == Some(label))
    };
    if zoomed || shared() {
        format!("{label} {address}")
    } else {
        label.to_owned()
    }
}

fn line(canvas: &Canvas<'_>, row: &Answered, rows: &[Answered]) -> Row {
    let health = health(row.class);
    let style = canvas.style(Role::from(health));
    let (plain, muted) = (canvas.style(Role::Text), canvas.style(Role::Muted));
    let server = called(row, rows, canvas.state.desk.zoom);
    // A cache's copy runs out; an authority's TTL is a length and stands still.
    let left = match (row.past_ttl, row.ttl) {
        (true, _) => ("PAST!".to_owned(), canvas.style(Role::Down)),
        (false, Some(ttl)) => (format!("{ttl:>4}s"), plain),
        (false, None) => (String::new(), plain),
    };
    let gauge = match (row.place, row.fraction) {
        (Place::Resolver, Some(part)) => bar(halves(part), 6),
        _ => String::new(),
    };
    let rtt = row
        .rtt
        .map_or_else(String::new, |rtt| format!("{}ms", rtt.as_millis()));
    let seen = told(row.age, !row.fresh);
    let seen_style = if row.fresh {
        muted
    } else {
        canvas.style(Role::Stale)
    };
    Row::Cells(vec![
        (symbol::health(health).to_owned(), style),
        (row.class.word().to_owned(), style),
        (server, plain),
        (
            short_name(&row.name, &canvas.state.plan.cluster.name),
            muted,
        ),
        left,
        (gauge, style),
        (row.answer.clone(), plain),
        (rtt, muted),
        (seen, seen_style),
    ])
}

/// Everything of a row in one line.
pub fn detail(state: &State, key: &RowKey) -> String {
    let rows = judge::dns::board(&state.sight()).rows;
    find(&rows, key).map_or_else(String::new, |row| {
        let mut text = format!(
            "{} {} says {} for {}: {}",
            row.place.word(),
            row.label,
            row.class.word(),
            row.name,
            row.answer
        );
        if let Some(dies) = row.dies {
            let left = brief(dies.since(state.now));
            text = format!("{text} · this copy dies in {left}");
        }
        if let Some(seen) = row.age {
            text = format!("{text} · seen {}", age(seen));
        }
        text
    })
}
