//! The steps, where each stands, and below them what is to be known of the selected one.

use crate::{
    incident::{Action, Evidence, Health, Step},
    input::key,
    state::{Intent, Pane, RowKey, State, StepState},
    theme::Role,
    view::{
        Canvas, Title,
        widget::{age::stopwatch, clean, symbol, table},
    },
};

/// `2 of 8 done · 1 optional open`; health only where a step has gone wrong. Ways back are no part of the way, and an
/// optional step counts when it is done.
pub fn title(state: &State) -> Title {
    let states: Vec<StepState> = state
        .runbook
        .steps
        .iter()
        .map(|step| state.step_state(step))
        .collect();
    let steps = || state.runbook.steps.iter().zip(&states);
    let (mut all, mut done, mut open) = (0, 0, 0);
    for (_, stands) in steps().filter(|(step, _)| !step.aside && !step.optional && !step.barred) {
        all += 1;
        done += usize::from(stands.is_done());
    }
    for (_, stands) in steps().filter(|(step, _)| !step.aside && step.optional && !step.barred) {
        let ready = !matches!(stands, StepState::Locked(_)) && !stands.is_done();
        open += usize::from(ready);
        all += usize::from(stands.is_done());
        done += usize::from(stands.is_done());
    }
    let find = |wanted: fn(&StepState) -> bool| {
        states
            .iter()
            .position(wanted)
            .map(|at| (at, &state.runbook.steps[at].title))
    };
    let failed = find(|state| matches!(state, StepState::Failed(_)));
    let unclear = find(|state| matches!(state, StepState::Unclear(_)));
    let (health, first) = match (failed, unclear) {
        (Some((at, title)), _) => (Some(Health::Down), format!("{} {title} FAIL", at + 1)),
        (None, Some((at, title))) => (Some(Health::Unknown), format!("{} {title} UNKNOWN", at + 1)),
        (None, None) => (None, String::new()),
    };
    let count = match open {
        0 => format!("{done} of {all} done"),
        open => format!("{done} of {all} done · {open} optional open"),
    };
    let why = failed.or(unclear).and_then(|(at, _)| match &states[at] {
        StepState::Failed(why) | StepState::Unclear(why) => Some(why),
        _ => None,
    });
    Title {
        health,
        text: match why {
            Some(why) => format!("{first} · {count} · {why}"),
            None => count,
        },
        age: None,
    }
}

/// Why it is locked, what is missing, or what it is for.
pub fn detail(state: &State, key: &RowKey) -> String {
    let RowKey::Step(id) = key else {
        return String::new();
    };
    let Some(step) = state.runbook.get(id) else {
        return String::new();
    };
    format!(
        "{}: {}",
        step.title,
        sentence(state, &state.step_state(step), &state.as_chosen(step))
    )
}

fn sentence(whole: &State, state: &StepState, step: &Step) -> String {
    let desk = &whole.desk;
    match state {
        StepState::Locked(why) if whole.waivable(step).is_ok() => {
            format!(
                "locked, UNKNOWN: {why}; {} overrides it",
                key("override", desk)
            )
        }
        StepState::Locked(why) => format!("locked, {why}"),
        StepState::Ready => {
            let optional = if step.optional { " optional," } else { "" };
            let manual = matches!(step.action, Action::Manual(_));
            let does = if manual {
                "is done by hand"
            } else {
                risk(step)
            };
            let (run, other) = (key("run", desk), key("other-way", desk));
            let text = format!("ready,{optional} {does} ({run} runs it)");
            if step.has_two_ways() {
                let (way, why) = whole.way(step);
                format!("{text}, {way}: {why}; {other} for the other way")
            } else {
                text
            }
        }
        StepState::Running(_) if whole.barred(&Intent::Cancel).is_some() => "running".to_owned(),
        StepState::Running(_) if step.has_two_ways() => format!(
            "running; {} asks it to stop, {} so that it goes the other way",
            key("cancel", desk),
            key("other-way", desk)
        ),
        StepState::Running(_) => format!("running; {} asks it to stop", key("cancel", desk)),
        StepState::Settling(why) => format!("its command has ended, waiting for: {why}"),
        StepState::Passed => "PASS".to_owned(),
        StepState::Failed(why) => format!("FAIL, {why}"),
        StepState::Unclear(why) => format!("UNKNOWN, {why}"),
        StepState::Told(Evidence::Unreachable, why) => {
            format!("UNREACHABLE, declared and not seen: {why}")
        }
        StepState::Told(told, why) => format!("{}, not seen: {why}", told.word()),
        StepState::Skipped(why) => format!("skipped, {why}"),
    }
}

/// The risk of a step in words.
#[must_use]
pub fn risk(step: &Step) -> &'static str {
    use crate::incident::Risk;

    match step.risk {
        Risk::Look => "only looks",
        Risk::Change => "changes the world, asks first",
        Risk::Destroy => "destroys, asks for a typed phrase",
    }
}

/// Draws the list, and the selected step's part where there is room.
pub fn draw(canvas: &mut Canvas<'_>) {
    let state = canvas.state;
    let keys = state.rows(Pane::Runbook);
    if keys.is_empty() {
        canvas.paragraph(0, "no step contains the filter: esc shows all", Role::Muted);
        return;
    }
    let cursor = state.cursor(Pane::Runbook, &keys);
    let items = items(state, &keys);
    let at = |item: &Item| matches!(item, Item::Step(at, _) if *at == cursor);
    let place = items.iter().position(at).unwrap_or(0);
    let shown = table::window(items.len(), place, canvas.area.height);
    let mut row = 0;
    for item in &items[shown] {
        match item {
            Item::Line(text) => line(canvas, row, text),
            Item::Step(at, number) => step(canvas, row, *number, *at == cursor),
        }
        row += 1;
    }
    if let Some(RowKey::Step(id)) = keys.get(cursor)
        && let Some(step) = state.runbook.get(id)
    {
        below(canvas, row + 1, step);
    }
}

/// What stands on a row of the list.
enum Item {
    /// A line across, which the cursor passes over.
    Line(&'static str),
    /// A step: its place among the rows, and in the runbook.
    Step(usize, usize),
}

/// The rows with the lines between them: where the way back ends, and where the ways back begin.
fn items(state: &State, keys: &[RowKey]) -> Vec<Item> {
    let mut items = Vec::with_capacity(keys.len() + 2);
    let mut aside = false;
    for (at, key) in keys.iter().enumerate() {
        let RowKey::Step(id) = key else { continue };
        let steps = state.runbook.steps.iter().enumerate();
        let Some((number, step)) = steps.into_iter().find(|(_, step)| &step.id == id) else {
            continue;
        };
        if step.no_return {
            items.push(Item::Line("point of no return"));
        }
        if step.aside && !aside {
            items.push(Item::Line("way back"));
        }
        aside = step.aside;
        items.push(Item::Step(at, number));
    }
    items
}

fn line(canvas: &mut Canvas<'_>, row: u16, text: &str) {
    let (rule, words) = (canvas.style(Role::Muted), canvas.style(Role::Heading));
    let mut pen = canvas.pen(row);
    pen.put("── ", rule).put(text, words).put(" ", rule);
    let left = pen.left();
    pen.put(&"─".repeat(left), rule);
}

/// `✓ 1 Verify backups      PASS 0:12`
fn step(canvas: &mut Canvas<'_>, row: u16, number: usize, selected: bool) {
    let step = &canvas.state.runbook.steps[number];
    let state = canvas.state.step_state(step);
    let (symbol, role) = symbol::step(&state);
    let time = match state {
        StepState::Running(_)
        | StepState::Settling(_)
        | StepState::Passed
        | StepState::Told(Evidence::Exit, _) => canvas
            .state
            .step_time(&step.id)
            .map(|time| format!(" {}", stopwatch(time))),
        _ => None,
    };
    let time = time.unwrap_or_default();
    let overridden = canvas.state.waiver(&step.id).is_some();
    let word = match overridden {
        // On a narrow screen how long it took gives way: that it was overridden does not.
        true if canvas.area.width < 40 => format!("override {}", state.word()),
        true => format!("override {}{time}", state.word()),
        false if state == StepState::Ready && step.optional => "optional".to_owned(),
        false => format!("{}{time}", state.word()),
    };
    let over = match (selected, canvas.state.desk.focus == Pane::Runbook) {
        (true, true) => Some(canvas.style(Role::Selected)),
        (true, false) => Some(canvas.style(Role::SelectedIdle)),
        _ => None,
    };
    let style = |canvas: &Canvas<'_>, role| over.unwrap_or_else(|| canvas.style(role));
    let (mark, text, told) = (
        style(canvas, role),
        style(canvas, Role::Text),
        style(canvas, role),
    );
    let marker = if selected { "▸" } else { " " };
    let mut pen = canvas.pen(row);
    pen.put(marker, text).put(symbol, mark).put(" ", text);
    pen.put(&format!("{} ", number + 1), text);
    let title = step.title.as_str();
    let room = pen.left().saturating_sub(clean::width(&word) + 1);
    pen.put(&clean::fit(title, room), text);
    let gap = pen.left().saturating_sub(clean::width(&word));
    pen.put(&" ".repeat(gap), text).put(&word, told);
}

fn below(canvas: &mut Canvas<'_>, row: u16, step: &Step) {
    let area = canvas.area;
    if row >= area.height {
        return;
    }
    let rest = ratatui::layout::Rect {
        x: area.x + 1,
        y: area.y + row,
        width: area.width.saturating_sub(2),
        height: area.height - row,
    };
    let state = canvas.state.step_state(step);
    let (_, role) = symbol::step(&state);
    let mut canvas = canvas.at(rest);
    let told = sentence(canvas.state, &state, &canvas.state.as_chosen(step));
    let next = canvas.paragraph(0, &told, role);
    let next = canvas.paragraph(next + 1, step.about.trim(), Role::Text);
    if let Some(other) = &step.ungraceful {
        canvas.paragraph(next + 1, other.about.trim(), Role::Muted);
    }
}
