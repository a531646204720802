//! `relight black-box`: one is kept beside the incidents while there is none, so that a primary that is dead already has
//! left what it was like.

use std::path::Path;

use crate::{
    cli,
    clients::black_box::{Shelf, copy, look},
    incident::{Moment, black_box::Sealed},
    journal::StateDir,
    plan::Plan,
    step,
};

/// Nothing was recorded, or there is nothing to show.
const NONE: u8 = 2;

/// What became of recording one.
pub(super) enum Kept {
    /// Nothing was recorded: an incident is open, whose own box counts.
    Nothing(String),
    /// It lies beside the incidents.
    Box(Box<Sealed>),
}

/// Records one. The text, and the exit code: 0 all of it was seen, 1 part of it was not, 2 nothing was recorded since an
/// incident is open, whose own box counts.
///
/// # Errors
/// In words, if the state folder cannot be used or the box cannot be written.
pub async fn record(plan: &Plan, state: Option<&Path>) -> Result<(String, u8), String> {
    let sealed = match Box::pin(keep(plan, state)).await? {
        Kept::Nothing(why) => return Ok((why, NONE)),
        Kept::Box(sealed) => sealed,
    };
    let mut lines = step::told_black_box(&sealed.seen, Moment::now());
    lines.push(format!("kept {} (0600)", sealed.seen.path));
    lines.push(match &sealed.seen.copied {
        Some(Ok(copied)) => format!("copied to {}", copied.to),
        Some(Err(why)) => format!("NOT copied off this host: {why}"),
        None => "WARNING: it lies on this host only: set copy_to in [black_box]".to_owned(),
    });
    Ok((lines.join("\n"), u8::from(!whole(&sealed))))
}

/// Records one and keeps it.
pub(super) async fn keep(plan: &Plan, state: Option<&Path>) -> Result<Kept, String> {
    let (shelf, open) = shelf(plan, state)?;
    if let Some(incident) = open {
        return Ok(Kept::Nothing(format!(
            "nothing was recorded: incident {incident} is open, its own black box counts, and what is kept from before it \
             stays as it is"
        )));
    }
    let before = shelf.newest().map_err(|error| error.to_string())?;
    let mut sealed = look(plan, &super::start::host(), before).await;
    if plan.black_box.copy_to.is_some() {
        sealed.seen.copied = Some(copy(plan, &sealed).await);
    }
    let sealed = shelf.keep(&sealed).map_err(|error| error.to_string())?;
    Ok(Kept::Box(Box::new(sealed)))
}

/// Whether every part was seen by this look, and the copy made where one is wanted.
fn whole(sealed: &Sealed) -> bool {
    let parts = sealed.seen.parts();
    parts
        .iter()
        .all(|(_, part)| part.good && part.why.is_none())
        && sealed.seen.copied.as_ref().is_none_or(Result::is_ok)
}

/// Shows the one that counts, never its values.
///
/// # Errors
/// In words, if the state folder cannot be used or what is there cannot be read.
pub fn show(
    plan: &Plan,
    state: Option<&Path>,
    format: cli::Format,
) -> Result<(String, u8), String> {
    let (shelf, _) = shelf(plan, state)?;
    let sealed = match shelf.read() {
        Ok(sealed) => sealed,
        Err(error) => return Ok((error.to_string(), NONE)),
    };
    if format == cli::Format::Json {
        let text = serde_json::to_string_pretty(&sealed.seen).map_err(|error| error.to_string())?;
        return Ok((text, 0));
    }
    let now = Moment::now();
    let mut lines = vec![
        format!("{}: {}", sealed.seen.cluster, sealed.seen.told(now)),
        sealed.seen.path.clone(),
    ];
    lines.extend(step::told_black_box(&sealed.seen, now));
    Ok((lines.join("\n"), 0))
}

/// The shelf, and the name of the plan's open incident.
fn shelf(plan: &Plan, state: Option<&Path>) -> Result<(Shelf, Option<String>), String> {
    let state = StateDir::locate(state).map_err(|error| error.to_string())?;
    let open = state.find_open(plan).map_err(|error| error.to_string())?;
    let open = open.into_iter().next().map(|found| found.folder);
    let incident = open.as_ref().map(crate::journal::Folder::path);
    let shelf = Shelf::new(Some(state.path()), incident, &plan.cluster.name);
    Ok((shelf, open.map(|folder| folder.name())))
}
