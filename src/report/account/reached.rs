//! The two objectives and what came of them.

use std::time::Duration;

use super::{Material, clean::Wash, model::Reached, timeline::title};
use crate::{
    incident::{Moment, Verdict, brief, source::Restore},
    judge,
    state::{RunState, State},
};

/// The recovery time: from the start of the outage to the end of the last step of the way. Where a runbook that has grown
/// since has steps that this incident never knew, to the last step of it that was done.
#[must_use]
pub fn recovered(state: &State) -> Option<(Moment, String)> {
    if let Some(at) = state.recovered() {
        let text = if state.plan.isolated().is_some() {
            "every step that an isolated drill runs was done or passed over: without the stop and the switch of the names this \
             is not the time of a recovery"
        } else {
            "every step of the way was done or passed over"
        };
        return Some((at, text.to_owned()));
    }
    let way = state.runbook.steps.iter();
    let last = way
        .rev()
        .find(|step| !step.aside && !step.optional && !step.barred && !step.post.is_empty())?;
    let run = state.story.run_of(&last.id)?;
    let passed = matches!(run.state, RunState::Judged(Verdict::Pass, _));
    let at = run.judged.filter(|_| passed)?;
    let text = format!(
        "{} was seen to hold; not every step of today's runbook was done before",
        title(&last.id, state)
    );
    Some((at, text))
}

/// The recovery time against its objective.
pub(super) fn rto(material: &Material<'_>, wash: Wash<'_>) -> Reached {
    let state = material.state;
    let objective = material.planned.then_some(state.plan.objectives.rto);
    let Some(declared) = &state.story.declared else {
        return unknown(
            objective,
            wash.line("no incident is declared in the journal"),
        );
    };
    if let Some((at, by)) = recovered(state) {
        return reached(objective, at.since(declared.outage), &by, wash);
    }
    let closed = state.story.closed.as_ref();
    let until = closed.map_or(material.told, |(at, _)| *at);
    let so_far = until.since(declared.outage);
    let late = objective.filter(|objective| so_far > *objective);
    let (word, text) = match (closed, late) {
        (Some(_), _) => (
            "unknown",
            format!(
                "closed after {} with the way not walked to its end",
                brief(so_far)
            ),
        ),
        (None, Some(late)) => (
            "missed",
            format!(
                "{} since the outage and not recovered, {} over",
                brief(so_far),
                brief(so_far.saturating_sub(late))
            ),
        ),
        (None, None) => ("running", format!("{} since the outage", brief(so_far))),
    };
    Reached {
        objective,
        reached: None,
        word,
        by: wash.line(text),
    }
}

/// The data lost against its objective: by what the tables were restored from, else by the best copies there were.
pub(super) fn rpo(material: &Material<'_>, wash: Wash<'_>) -> Reached {
    let state = material.state;
    let objective = material.planned.then_some(state.plan.objectives.rpo);
    let Some(declared) = &state.story.declared else {
        return unknown(
            objective,
            wash.line("no incident is declared in the journal"),
        );
    };
    if let Some((data, step)) = restored(state) {
        let by = format!("the tables were restored from data of {data} ({step})");
        return reached(objective, declared.outage.since(data), &by, wash);
    }
    let loss =
        judge::backups::worst_loss(&state.sight(), [None, None]).filter(|_| material.planned);
    let Some(loss) = loss else {
        let by = "nothing was restored, and no usable copy of both tables was seen";
        return unknown(objective, wash.line(by));
    };
    if recovered(state).is_some() {
        let by = "nothing was restored; by the best copies of both tables that were seen";
        return reached(objective, loss, by, wash);
    }
    // Nothing is reached by a copy that nobody has restored.
    Reached {
        objective,
        reached: None,
        word: "running",
        by: wash.line(format!(
            "{} would be lost by the best copies of both tables; nothing was restored yet",
            brief(loss)
        )),
    }
}

/// The oldest data that a restore of the newest run took which was done, as it was confirmed.
fn restored(state: &State) -> Option<(Moment, String)> {
    let mut done = state
        .story
        .in_order()
        .rev()
        .filter(|run| run.is_done() && !run.armed.dry_run);
    done.find_map(|run| {
        let calls = run.armed.calls.iter().flat_map(|call| call.lines());
        let taken = calls.filter_map(|call| call.trim().parse::<Restore>().ok());
        let data = taken.map(|restore| restore.source.data).min()?;
        Some((data, title(&run.armed.step, state)))
    })
}

fn reached(objective: Option<Duration>, reached: Duration, by: &str, wash: Wash<'_>) -> Reached {
    let word = match objective {
        Some(objective) if reached > objective => "missed",
        Some(_) => "met",
        None => "reached",
    };
    Reached {
        objective,
        reached: Some(reached),
        word,
        by: wash.line(by),
    }
}

fn unknown(objective: Option<Duration>, by: crate::report::Line) -> Reached {
    Reached {
        objective,
        reached: None,
        word: "unknown",
        by,
    }
}
