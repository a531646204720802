//! Pods of both clusters: recovery first, the worst pod of each first.

use std::sync::Arc;

use crate::{
    incident::{Cluster, Fact, Health, Pod, Side, Subject},
    judge::{self, Glance, glance},
    state::{Pane, RowKey, State},
    theme::Role,
    view::{
        Canvas, Title,
        widget::{
            age::{age, past},
            symbol,
            table::{Cell, Column},
        },
    },
};

use super::table::{self, Row};

const COLUMNS: [Column; 6] = [
    Column::fixed("", 1, 9),
    Column::grows("pod", 38, 14, 9).by_its_ends(),
    Column::fixed("ready", 5, 6),
    Column::grows("state", 22, 9, 8),
    Column::fixed("restarts", 4, 3),
    Column::fixed("age", 5, 4),
];

/// The recovery cluster first: it is what the procedure makes. The primary's state is said beside it.
pub fn title(state: &State) -> Title {
    let sight = state.sight();
    let [recovery, primary] =
        [Side::Recovery, Side::Primary].map(|side| judge::cluster::assess(side, &sight));
    Title {
        health: Some(recovery.health),
        text: format!("{} · {}", recovery.sentence, primary.sentence),
        age: recovery.age,
    }
}

/// Draws the rows.
pub fn draw(canvas: &mut Canvas<'_>) {
    let empty = "no cluster seen yet";
    table::draw(
        canvas,
        Pane::Pods,
        &COLUMNS,
        empty,
        |canvas, key| match key {
            RowKey::Pod(side, key) => pod(canvas, *side, key.pod()),
            RowKey::Event(..) => {
                let text = format!("  ! {}", detail(canvas.state, key));
                Row::Across(vec![(text, canvas.style(Role::Degraded))])
            }
            RowKey::Cluster(side) => heading(canvas, *side),
            _ => Row::Across(Vec::new()),
        },
    );
}

fn cluster(state: &State, side: Side) -> Option<&Arc<Cluster>> {
    match state
        .instruments
        .get(&Subject::Cluster(side))?
        .good
        .as_ref()?
    {
        (_, Fact::Cluster(cluster)) => Some(cluster),
        _ => None,
    }
}

/// `recovery us-west-2 ✓ OK 4/4 ready · release deployed · k8s-….elb.amazonaws.com`
fn heading(canvas: &Canvas<'_>, side: Side) -> Row {
    let seen = judge::cluster::assess(side, &canvas.state.sight());
    let region = &canvas.state.plan.side(side).region;
    let (mark, style) = canvas.health(seen.health);
    let sentence = seen
        .sentence
        .strip_prefix(side.word())
        .unwrap_or(&seen.sentence)
        .trim_start()
        .to_owned();
    let mut parts: Vec<Cell> = vec![
        (format!("{side} {region} "), canvas.style(Role::Strong)),
        (mark, style),
        (format!(" {sentence}"), canvas.style(Role::Text)),
    ];
    let more = more(canvas.state, side);
    if !more.is_empty() {
        let text = format!(" · {}", more.join(" · "));
        parts.push((text, canvas.style(Role::Muted)));
    }
    Row::Across(parts)
}

/// Release, load balancer and what could not be read.
fn more(state: &State, side: Side) -> Vec<String> {
    let Some(cluster) = cluster(state, side) else {
        return match glance(&Subject::Cluster(side), &state.sight()) {
            Glance::Failed(failure, _) => vec![failure.detail.clone()],
            _ => Vec::new(),
        };
    };
    let mut more = Vec::new();
    if side == Side::Recovery {
        more.extend(judge::agents::line(&state.sight()));
    }
    match &cluster.release {
        Ok(Some(release)) => more.push(format!("release {}", release.status)),
        Ok(None) => more.push("no release".to_owned()),
        Err(failure) => more.push(format!("release {}", failure.kind.word())),
    }
    match &cluster.load_balancer {
        Some(balancer) if balancer.addresses.is_empty() => {
            more.push("load balancer has no address yet".to_owned());
        }
        Some(balancer) => more.push(balancer.addresses.join(" ")),
        None => {}
    }
    if !matches!(
        glance(&Subject::Cluster(side), &state.sight()),
        Glance::Fresh(..)
    ) {
        return vec![format!("was: {}", more.join(", "))];
    }
    let gaps = cluster
        .gaps
        .iter()
        .map(|gap| format!("? {}", gap.why.detail));
    more.extend(gaps);
    more
}

fn pod(canvas: &Canvas<'_>, side: Side, pod: &Pod) -> Row {
    let state = canvas.state;
    let sight = state.sight();
    let (mut health, mut text) = judge::pod::judge(pod);
    // What was seen last is history while the cluster gives no answer.
    match glance(&Subject::Cluster(side), &sight) {
        Glance::Fresh(..) => {}
        seen => {
            let old = seen.known().map(|(_, age)| format!(" {} ago", past(age)));
            let old = old.unwrap_or_default();
            (health, text) = (Health::Unknown, format!("was {text}{old}"));
        }
    }
    let style = canvas.style(Role::from(health));
    let plain = canvas.style(Role::Text);
    let restarts = if pod.restarts == 0 {
        (String::new(), plain)
    } else {
        (format!("×{}", pod.restarts), canvas.style(Role::Degraded))
    };
    Row::Cells(vec![
        (symbol::health(health).to_owned(), style),
        (pod.name.clone(), plain),
        (format!("{}/{}", pod.ready, pod.containers), plain),
        (text, style),
        restarts,
        (age(state.now.since(pod.created)), canvas.style(Role::Muted)),
    ])
}

/// Everything of a row in one line.
pub fn detail(state: &State, key: &RowKey) -> String {
    match key {
        RowKey::Pod(_, key) => pod_line(key.pod()),
        RowKey::Cluster(side) => {
            let mut parts = vec![format!("{side} context")];
            if let Some(cluster) = cluster(state, *side) {
                parts.push(cluster.context.clone());
            }
            parts.push(more(state, *side).join(" · "));
            parts.join(" ")
        }
        RowKey::Event(side, id) => {
            let event = cluster(state, *side)
                .and_then(|cluster| cluster.events.iter().find(|event| event.id() == *id));
            event.map_or_else(String::new, |event| {
                let ago = age(state.now.since(event.at));
                format!("{ago} {} {} {}", event.reason, event.object, event.message)
            })
        }
        _ => String::new(),
    }
}

fn pod_line(pod: &Pod) -> String {
    let mut text = format!("{} {}", pod.name, judge::pod::judge(pod).1);
    if let Some(node) = &pod.node {
        text = format!("{text} on {node}");
    }
    if !pod.message.is_empty() {
        text = format!("{text}: {}", pod.message);
    }
    text
}
