//! The clocks: how long it takes, how long it will, and whether that is soon enough.

use std::time::Duration;

use super::{State, StepState, Story};
use crate::{
    incident::{Moment, Runbook, Step, TableRole, brief, source::Restore},
    judge::{
        self,
        backups::Chosen,
        forecast::{Forecast, Remaining},
    },
};

/// By the guide's word alone nobody is told that the objective will be missed by less than this.
const GUIDE_IS_ROUGH: Duration = Duration::from_mins(1);

impl State {
    /// When the last step of the way was done; `None` while one is not.
    #[must_use]
    pub fn recovered(&self) -> Option<Moment> {
        recovered(&self.runbook, &self.story)
    }

    /// The moments that the data of state and audit table is of, as the restores say that this incident confirmed and
    /// started: the newest for each. A table that was there already, or was only followed, has none.
    #[must_use]
    pub fn chosen(&self) -> Chosen {
        let mut chosen = [None, None];
        for run in self.story.in_order().rev() {
            let real = run.started.is_some() && !run.armed.dry_run;
            if !real || run.armed.step.as_str() != "restore-tables" {
                continue;
            }
            let restores = run.armed.calls.iter().filter_map(|call| call.parse().ok());
            for Restore { source, target } in restores {
                for (chosen, role) in chosen.iter_mut().zip(TableRole::BOTH) {
                    if self.plan.recovery.table(role) == Some(&target) {
                        chosen.get_or_insert(source.data);
                    }
                }
            }
        }
        chosen
    }

    /// How long the recovery takes so far, or took: from the start of the outage. `None` while none is declared.
    #[must_use]
    pub fn elapsed(&self) -> Option<Duration> {
        let declared = self.story.declared.as_ref()?;
        let end = self.recovered().unwrap_or(self.now);
        Some(end.since(declared.outage))
    }

    /// How long the rest of the way takes, by earlier incidents, or by the guide while there are none.
    #[must_use]
    pub fn forecast(&self) -> Option<Forecast> {
        let rest: Vec<Remaining> = way_steps(&self.runbook)
            .filter_map(|step| {
                let running = match self.step_state(step) {
                    state if state.is_done() => return None,
                    StepState::Running(_) | StepState::Settling(_) => self.step_time(&step.id),
                    _ => None,
                };
                Some(Remaining {
                    step: step.id.clone(),
                    needs: step.needs.clone(),
                    running: running.unwrap_or_default(),
                })
            })
            .collect();
        let first = self.story.in_order().find_map(|run| run.started);
        let begun = first.map_or(Duration::ZERO, |first| self.now.since(first));
        judge::forecast::forecast(&rest, &self.history, begun)
    }

    /// How long a relaunch takes from its first step to its last, whatever is open now: by earlier incidents and drills, or
    /// by the guide while there are none. What a TTL is held against.
    #[must_use]
    pub fn relaunch(&self) -> Forecast {
        let all: Vec<Remaining> = way_steps(&self.runbook)
            .map(|step| Remaining {
                step: step.id.clone(),
                needs: step.needs.clone(),
                running: Duration::ZERO,
            })
            .collect();
        let told = judge::forecast::forecast(&all, &self.history, Duration::ZERO);
        told.unwrap_or(Forecast {
            left: judge::forecast::GUIDE,
            p90: None,
            untimed: 0,
            incidents: 0,
        })
    }

    /// By how much the recovery time objective will be missed; `None` if it will be met, is missed already, or there is no
    /// telling.
    #[must_use]
    pub fn will_miss_by(&self) -> Option<Duration> {
        let (elapsed, forecast) = (self.elapsed()?, self.forecast()?);
        let rto = self.plan.objectives.rto;
        let late = (elapsed + forecast.left).saturating_sub(rto);
        let least = if forecast.incidents == 0 {
            GUIDE_IS_ROUGH
        } else {
            Duration::from_secs(1)
        };
        (elapsed <= rto && late >= least).then_some(late)
    }
}

/// The steps that the recovery consists of: what is optional, a way back, or not for an isolated drill does not keep it
/// waiting.
fn way_steps(runbook: &Runbook) -> impl Iterator<Item = &Step> {
    let steps = runbook.steps.iter();
    steps.filter(|step| !step.aside && !step.optional && !step.barred)
}

/// When the last step of the way was done, as a story tells it; `None` while one is not.
#[must_use]
pub fn recovered(runbook: &Runbook, story: &Story) -> Option<Moment> {
    let mut last = None;
    for step in way_steps(runbook) {
        let skipped = story.skipped.get(&step.id).map(|skip| skip.at);
        let run = story.run_of(&step.id).filter(|run| run.is_done());
        let done = run.and_then(|run| run.judged.or(run.ended));
        last = last.max(Some(skipped.or(done)?));
    }
    last
}

/// `~9m to go (p90 14m)`, `~40m to go (guide)`: a `+` where steps were never timed.
#[must_use]
pub fn to_go(forecast: &Forecast, short: bool) -> String {
    let more = if forecast.untimed > 0 { "+" } else { "" };
    let left = format!("~{}{more} to go", brief(forecast.left));
    match forecast.p90 {
        _ if short => left,
        Some(p90) => format!("{left} (p90 {}{more})", brief(p90)),
        None => format!("{left} (guide)"),
    }
}
