//! The steps, where each stands, and below them what is to be known of the selected one.

use crate::{
    incident::{Health, Step},
    input::key,
    state::{Intent, Pane, RowKey, State, StepState},
    theme::Role,
    view::{
        Canvas, Title,
        widget::{age::stopwatch, clean, symbol, table},
    },
};

/// `2 of 8 done · next 3 Write recovery values`; health only where a step has gone wrong.
pub fn title(state: &State) -> Title {
    let states: Vec<StepState> = state
        .runbook
        .steps
        .iter()
        .map(|step| state.step_state(step))
        .collect();
    let done = states
        .iter()
        .filter(|state| matches!(state, StepState::Passed | StepState::Skipped(_)))
        .count();
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
    let count = format!("{done} of {} done", states.len());
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
        sentence(state, &state.step_state(step), step)
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
        StepState::Ready => format!("ready, {} ({} runs it)", risk(step), key("run", desk)),
        StepState::Running(_) if whole.barred(&Intent::Cancel).is_some() => "running".to_owned(),
        StepState::Running(_) => format!("running; {} asks it to stop", key("cancel", desk)),
        StepState::Settling(why) => format!("its command has ended, waiting for: {why}"),
        StepState::Passed => "PASS".to_owned(),
        StepState::Failed(why) => format!("FAIL, {why}"),
        StepState::Unclear(why) => format!("UNKNOWN, {why}"),
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
    let shown = table::window(keys.len(), cursor, canvas.area.height);
    let mut row = 0;
    for at in shown {
        if let RowKey::Step(id) = &keys[at]
            && let Some(number) = state.runbook.steps.iter().position(|step| &step.id == id)
        {
            step(canvas, row, number, at == cursor);
        }
        row += 1;
    }
    if let Some(RowKey::Step(id)) = keys.get(cursor)
        && let Some(step) = state.runbook.get(id)
    {
        below(canvas, row + 1, step);
    }
}

/// `✓ 1 Verify backups      PASS 0:12`
fn step(canvas: &mut Canvas<'_>, row: u16, number: usize, selected: bool) {
    let step = &canvas.state.runbook.steps[number];
    let state = canvas.state.step_state(step);
    let (symbol, role) = symbol::step(&state);
    let time = match state {
        StepState::Running(_) | StepState::Settling(_) | StepState::Passed => canvas
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
    let next = canvas.paragraph(0, &sentence(canvas.state, &state, step), role);
    let next = canvas.paragraph(next + 1, step.about.trim(), Role::Text);
    if let Some(text) = &step.ungraceful {
        canvas.paragraph(next + 1, text.trim(), Role::Muted);
    }
}
