//! `relight plan failback`: looks once, and writes the way home down.

use std::path::Path;

use super::Setup;
use crate::{
    incident::Moment,
    journal::{Record, Replay, StateDir},
    judge::failback::Divergence,
    plan, report,
    state::Story,
};

/// The ordered plan as Markdown, and the exit code: 0 nothing diverged, 1 the tables diverged, 2 it cannot be told.
/// Where a path is given, it is named as the file of the turned plan.
pub async fn failback(setup: &Setup, swapped: Option<&Path>) -> (String, u8) {
    let state = super::look(setup).await;
    let (text, found) = report::failback(&state, outage(setup), swapped);
    let code = match found {
        Divergence::Same(_) => 0,
        Divergence::Diverged(_) => 1,
        Divergence::Unknown(_) => 2,
    };
    (text, code)
}

/// The plan with its regions in each other's place.
///
/// # Errors
/// In words, if its file cannot be read, or is another one than was loaded.
pub fn turned(setup: &Setup) -> Result<String, String> {
    let path = &setup.plan.path;
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(plan::swapped(&text, &setup.plan))
}

/// When the outage of the newest incident began, closed or not: what was written later is not in the old tables.
fn outage(setup: &Setup) -> Option<Moment> {
    let state = StateDir::existing(setup.open.state_dir.as_deref()).ok()??;
    let folder = state.newest(&setup.plan).ok()??;
    let mut replay = Replay::open(&folder.journal()).ok()?;
    let records: Vec<Record> = replay.records().collect();
    Some(Story::of(&records).declared?.outage)
}
