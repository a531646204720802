//! The first rows: what has failed, how long ago, how much time is left, the worst thing there is, and who I am.

use std::time::Duration;

use super::{
    Canvas, Title,
    who::who,
    widget::{
        age::stopwatch,
        bar::bar,
        clean,
        segments::{self, Segment, Spans},
        symbol,
    },
};
use crate::{
    incident::{Drills, Health, Side, brief},
    input::key,
    journal::Kind,
    judge,
    layout::Placed,
    state::{Access, Alarm, Between, Pane, StepState, clocks::to_go},
    theme::Role,
};

/// Draws the header into one or two rows.
pub fn draw(canvas: &mut Canvas<'_>, titles: &[(Pane, Title)]) {
    if canvas.area.height > 1 {
        first_row(canvas);
        second_row(canvas, titles, 1);
    } else {
        let mut parts = clocks(canvas);
        let first = match alarm(canvas) {
            Some(alarm) => {
                let room = usize::from(canvas.area.width) / 2;
                Segment::new(
                    12,
                    vec![(clean::fit(&alarm, room), canvas.style(Role::Danger))],
                )
            }
            None => short_worst(canvas, titles),
        };
        parts.insert(1, first);
        segments::draw(&mut canvas.pen(0), parts);
    }
}

fn first_row(canvas: &mut Canvas<'_>) {
    let clock = format!("{}Z", canvas.state.now.clock());
    let muted = canvas.style(Role::Muted);
    let parts = clocks(canvas);
    let mut pen = canvas.pen(0);
    pen.right(&clock, muted);
    segments::draw(&mut pen, parts);
}

fn clocks(canvas: &Canvas<'_>) -> Vec<Segment> {
    let state = canvas.state;
    let strong = canvas.style(Role::Strong);
    let name = state.plan.cluster.name.clone();
    let mut parts = vec![
        Segment::new(9, vec![banner(canvas)]),
        Segment::new(3, vec![(name, strong)]),
        regions(canvas),
    ];
    if let Some(declared) = &state.story.declared {
        let elapsed = state.now.since(declared.outage);
        parts.push(elapsed_part(canvas, elapsed));
        parts.push(objective(canvas));
    } else {
        parts.extend(last_drill(canvas));
    }
    parts
}

/// While nothing is open: `last drill 41d ago, 52m, objective 1h00m`, or that there was none.
fn last_drill(canvas: &Canvas<'_>) -> Option<Segment> {
    let state = canvas.state;
    let rto = state.plan.objectives.rto;
    let long = state.history.drills.told(state.now, rto)?;
    let role = match &state.history.drills {
        Drills::Last(drill) if drill.took.is_some_and(|took| took <= rto) => Role::Muted,
        _ => Role::Degraded,
    };
    let short = long.split(',').next().unwrap_or_default().to_owned();
    let style = canvas.style(role);
    Some(Segment::with(vec![
        (1, vec![(long, style)]),
        (2, vec![(short, style)]),
    ]))
}

/// ` PRACTICE `, ` DRILL `, ` INCIDENT `, or that none is declared.
fn banner(canvas: &Canvas<'_>) -> (String, ratatui::style::Style) {
    let state = canvas.state;
    let declared = state.story.declared.as_ref().map(|declared| declared.what);
    let kind = declared.or(state.plan.practice.then_some(Kind::Practice));
    if state.desk.playback.is_some() {
        return (" REPLAY ".to_owned(), canvas.style(Role::Practice));
    }
    if state.story.closed.is_some() {
        return (" CLOSED ".to_owned(), canvas.style(Role::Button));
    }
    let Some(kind) = kind else {
        return (" WATCHING ".to_owned(), canvas.style(Role::Button));
    };
    let role = match kind {
        Kind::Incident => Role::Incident,
        Kind::Drill | Kind::Isolated => Role::Drill,
        Kind::Practice => Role::Practice,
    };
    (format!(" {} ", kind.word()), canvas.style(role))
}

/// `✗ us-east-1 DOWN → ✓ us-west-2 OK`
fn regions(canvas: &Canvas<'_>) -> Segment {
    let sight = canvas.state.sight();
    let sides = Side::BOTH.map(|side| {
        let region = canvas.state.plan.side(side).region.clone();
        (region, judge::region::assess(side, &sight).health)
    });
    let arrow = canvas.style(Role::Muted);
    let form = |symbols: bool| {
        let mut spans: Spans = Vec::new();
        for (region, health) in &sides {
            if !spans.is_empty() {
                spans.push((" → ".to_owned(), arrow));
            }
            if symbols {
                let mark = format!("{} ", symbol::health(*health));
                spans.push((mark, canvas.style(Role::from(*health))));
            }
            spans.push((format!("{region} "), canvas.style(Role::Strong)));
            let word = health.word().to_owned();
            spans.push((word, canvas.style(Role::from(*health))));
        }
        spans
    };
    Segment::with(vec![(6, form(true)), (10, form(false))])
}

fn elapsed_part(canvas: &Canvas<'_>, elapsed: Duration) -> Segment {
    let secs = elapsed.as_secs();
    let long = format!(
        "T+{:02}:{:02}:{:02}",
        secs / 3600,
        secs / 60 % 60,
        secs % 60
    );
    let short = format!("T+{}", stopwatch(elapsed));
    let style = canvas.style(Role::Strong);
    Segment::with(vec![(4, vec![(long, style)]), (8, vec![(short, style)])])
}

/// `RTO 17m left of 1h00m · ~9m to go (p90 14m) ▕██████▏`; before it is missed, that it will be; and once the last step is
/// done, how it came out.
fn objective(canvas: &Canvas<'_>) -> Segment {
    let state = canvas.state;
    let rto = state.plan.objectives.rto;
    let elapsed = state.elapsed().unwrap_or_default();
    let late = state.will_miss_by();
    let part = elapsed.as_secs_f32() / rto.as_secs_f32().max(1.0);
    let done = state.recovered().is_some();
    let role = match part {
        part if part >= 1.0 => Role::Down,
        _ if done => Role::Ok,
        _ if late.is_some() => Role::Down,
        part if part >= 0.75 => Role::Degraded,
        _ => Role::Text,
    };
    let style = canvas.style(role);
    let (words, tight) = match late {
        _ if elapsed > rto => {
            let words = format!("missed by {}", brief(elapsed.saturating_sub(rto)));
            (words.clone(), words)
        }
        _ if done => {
            let words = format!("met, {}", brief(elapsed));
            (words.clone(), words)
        }
        Some(late) => (
            format!("will be missed by {}", brief(late)),
            format!("miss {}", brief(late)),
        ),
        None => {
            let words = format!("{} left", brief(rto.saturating_sub(elapsed)));
            (words.clone(), words)
        }
    };
    let (short, tight) = (format!("RTO {words}"), format!("RTO {tight}"));
    let forecast = state.forecast().filter(|_| !done);
    let to_go =
        |short| forecast.map_or_else(String::new, |told| format!(" · {}", to_go(&told, short)));
    let long = format!("{short} of {}{}", brief(rto), to_go(false));
    let middle = format!("{short}{}", to_go(true));
    let gauge = format!(" {}", bar(part, 8));
    Segment::with(vec![
        (1, vec![(long, style), (gauge.clone(), style)]),
        (2, vec![(middle.clone(), style), (gauge, style)]),
        (2, vec![(middle, style)]),
        (5, vec![(short, style)]),
        (7, vec![(tight, style)]),
    ])
}

fn second_row(canvas: &mut Canvas<'_>, titles: &[(Pane, Title)], row: u16) {
    if let Some(alarm) = alarm(canvas) {
        // The whole row: nothing stands beside a second cluster with the same authorities.
        let columns = usize::from(canvas.area.width);
        let text = clean::fit(
            &format!(" {} {alarm}", symbol::health(Health::Down)),
            columns,
        );
        let padding = " ".repeat(columns.saturating_sub(clean::width(&text)));
        let style = canvas.style(Role::Danger);
        canvas.pen(row).put(&format!("{text}{padding}"), style);
        return;
    }
    let mut parts = alerts(canvas);
    let running = running(canvas);
    let taken = running.as_ref().map_or(0, |spans| spans_width(spans) + 2);
    // What stops the operator's hands, and 50 columns for the worst thing there is, go first. On a narrow terminal the
    // running step does, too, unless the credentials themselves are what is wrong.
    let stopped: usize = parts.iter().map(|alert| spans_width(alert) + 2).sum();
    let columns = usize::from(canvas.area.width);
    let room = columns.saturating_sub(50 + stopped);
    let narrow = if columns < 100 { taken } else { 0 };
    let who = who(canvas, room, room.saturating_sub(narrow));
    let wide = spans_width(&who);
    let mut rest = canvas.area;
    if wide > 0 {
        let columns = u16::try_from(wide).unwrap_or(0);
        let mut right = canvas.at(ratatui::layout::Rect {
            x: rest.right() - columns,
            width: columns,
            ..rest
        });
        let mut pen = right.pen(row);
        for (text, style) in &who {
            pen.put(text, *style);
        }
        rest.width -= columns + 2;
    }
    // The worst sentence may be long: it leaves room for the running step.
    // Where there is room beside the worst thing: the runbook's row and the report have it in full.
    let untold =
        untold(canvas).filter(|spans| spans_width(spans) + taken + 62 <= usize::from(rest.width));
    let told = untold.as_ref().map_or(0, |spans| spans_width(spans) + 2);
    let worst_room = usize::from(rest.width).saturating_sub(taken + told).max(30);
    parts.push(fitted(worst(canvas, titles), worst_room));
    parts.extend(untold);
    parts.extend(running);
    let mut left = canvas.at(rest);
    let mut pen = left.pen(row);
    for part in parts {
        for (text, style) in part {
            pen.put(&text, style);
        }
        pen.skip(2);
    }
}

/// The gravest alarm, in words.
fn alarm(canvas: &Canvas<'_>) -> Option<String> {
    let alarms = canvas.state.alarms();
    let mut grave = alarms.into_iter().filter(Alarm::grave);
    grave.next().map(|alarm| alarm.text)
}

/// What nobody can tell of the old cluster, in a few words.
fn untold(canvas: &Canvas<'_>) -> Option<Spans> {
    let alarms = canvas.state.alarms();
    let text = alarms.first()?.text.split(':').next()?.to_owned();
    Some(vec![(text, canvas.style(Role::Warning))])
}

/// What stops the operator's hands: a full disk, a terminal that looks on.
fn alerts(canvas: &Canvas<'_>) -> Vec<Spans> {
    let mut alerts = Vec::new();
    if let Some(why) = &canvas.state.disk {
        let text = format!("JOURNAL CANNOT BE WRITTEN: {why}");
        alerts.push(vec![(text, canvas.style(Role::Danger))]);
    }
    if let Some(playback) = &canvas.state.desk.playback {
        let kind = canvas.state.story.declared.as_ref();
        let kind = kind.map_or("", |declared| declared.what.word());
        let text = format!("{} {kind} {}", playback.words(), playback.incident);
        alerts.push(vec![(text, canvas.style(Role::Warning))]);
        return alerts;
    }
    alerts.extend(between(canvas));
    let held = match &canvas.state.access {
        Access::Operator => None,
        Access::ReadOnly(why) => Some(format!("READ-ONLY: {why}")),
        Access::Observer(why) => Some(format!("OBSERVING: {why}")),
    };
    if let Some(text) = held {
        alerts.push(vec![(text, canvas.style(Role::Warning))]);
    }
    if let Some(why) = &canvas.state.frail {
        let text = format!("RUNS END AT LOGOUT: {why}");
        alerts.push(vec![(text, canvas.style(Role::Warning))]);
    }
    alerts
}

/// What is between operators, with the key that answers it.
fn between(canvas: &Canvas<'_>) -> impl Iterator<Item = Spans> {
    let state = canvas.state;
    let key = |id| key(id, &state.desk);
    let words = state.between().into_iter().map(move |one| match one {
        Between::Awaiting(text) => text,
        Between::Offering => format!(
            "OFFERED: goes to who accepts, {} takes it back",
            key("offer")
        ),
        Between::Offered(who) => format!("OFFERED by {who}: {} accepts", key("accept-offer")),
        Between::Wanted(step) => {
            format!("APPROVAL WANTED for {step}: {} shows it", key("approve"))
        }
    });
    let style = canvas.style(Role::Danger);
    words.map(move |text| vec![(text, style)])
}

/// The worst pane in words; with nothing to complain of, what the gravest of them says.
pub(super) fn worst(canvas: &Canvas<'_>, titles: &[(Pane, Title)]) -> Spans {
    let worst = titles
        .iter()
        .filter_map(|(pane, title)| Some((title.health?, pane, title)))
        .max_by_key(|(health, pane, _)| (*health, gravity(**pane)));
    match worst {
        Some((health, pane, title)) => {
            let (mark, style) = canvas.health(health);
            vec![
                (mark, style),
                (
                    format!(" {}: {}", pane.name(), title.text),
                    canvas.style(Role::Strong),
                ),
            ]
        }
        None => Vec::new(),
    }
}

/// Of panes in the same health, which one matters more: whether users get in and by whose authorities, then the step
/// that failed, then the rest.
const fn gravity(pane: Pane) -> u8 {
    match pane {
        Pane::Web => 5,
        Pane::Runbook => 4,
        Pane::Dns => 3,
        Pane::Pods => 2,
        Pane::Backups => 1,
        Pane::Output => 0,
    }
}

/// The same, short enough to leave room for the regions beside it.
fn short_worst(canvas: &Canvas<'_>, titles: &[(Pane, Title)]) -> Segment {
    let room = usize::from(canvas.area.width);
    let room = if room < 80 { room } else { room * 2 / 5 };
    Segment::new(11, fitted(worst(canvas, titles), room))
}

pub(super) fn spans_width(spans: &Spans) -> usize {
    spans.iter().map(|(text, _)| clean::width(text)).sum()
}

/// The pieces, cut where `room` columns are full.
fn fitted(spans: Spans, room: usize) -> Spans {
    let mut left = room;
    let cut = spans.into_iter().map(|(text, style)| {
        let text = clean::fit(&text, left);
        left -= clean::width(&text);
        (text, style)
    });
    cut.collect()
}

/// `► 4 Install the chart running`: how long, the runbook says.
pub(super) fn running(canvas: &Canvas<'_>) -> Option<Spans> {
    let state = canvas.state;
    let mut running = state
        .runbook
        .steps
        .iter()
        .enumerate()
        .filter(|(_, step)| matches!(state.step_state(step), StepState::Running(_)));
    let (at, step) = running.next()?;
    let beside = match running.count() {
        0 => String::new(),
        more => format!(" +{more}"),
    };
    let text = format!("► {} {} running{beside}", at + 1, step.title);
    Some(vec![(text, canvas.style(Role::Running))])
}

/// One row for the health of the panes that are not on screen.
pub fn strip(canvas: &mut Canvas<'_>, titles: &[(Pane, Title)], shown: &[Placed]) {
    let hidden = titles
        .iter()
        .filter(|(pane, _)| !shown.iter().any(|placed| placed.pane == *pane));
    let muted = canvas.style(Role::Muted);
    let parts: Vec<Segment> = hidden
        .filter_map(|(pane, title)| {
            let health = title.health?;
            let (mark, style) = canvas.health(health);
            let (name, symbol) = (pane.name(), symbol::health(health));
            let weight = match health {
                Health::Down => 9,
                Health::Unknown => 8,
                Health::Degraded => 7,
                Health::Ok => 6,
            };
            let name = format!("{name} ");
            Some(Segment::with(vec![
                (weight, vec![(name.clone(), muted), (mark, style)]),
                (weight + 10, vec![(name, muted), (symbol.to_owned(), style)]),
            ]))
        })
        .collect();
    segments::draw(&mut canvas.pen(0), parts);
}
