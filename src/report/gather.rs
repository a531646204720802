//! State → report.

use std::cmp::Reverse;

use super::{
    Line,
    model::{Caller, Clock, PaneReport, Remark, Report, SCHEMA, SideReport, StepReport},
    panes, runbook,
};
use crate::{
    incident::{Fact, Health, Side, Subject, brief},
    journal::Kind,
    judge::{self, Glance, glance},
    plan::Level,
    state::{State, StepState},
};

impl Report {
    /// Gathers what the panes show.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let mut panes = panes::all(&state.sight(), state.chosen());
        panes.sort_by_key(|pane| Reverse(pane.health));
        let steps = runbook::steps(state);
        let alarms = state.alarms();
        let (health, sentence) = match alarms.first().filter(|alarm| alarm.grave()) {
            Some(alarm) => (Health::Down, Line::from(&alarm.text)),
            None => worst(&panes, &steps),
        };
        let declared = state.story.declared.as_ref();
        let outage = declared.map(|declared| declared.outage);
        let practice = state.plan.practice.then_some(Kind::Practice);
        let forecast = state.forecast().filter(|_| declared.is_some());
        let kind = declared.map(|declared| declared.what).or(practice);
        Self {
            schema: SCHEMA,
            tool: concat!("relight ", env!("CARGO_PKG_VERSION")).into(),
            at: state.now,
            health,
            sentence,
            cluster: Line::from(&state.plan.cluster.name),
            kind: kind.map(|kind| kind.word().to_lowercase().into()),
            clock: Clock {
                outage,
                elapsed: state.elapsed(),
                rto: state.plan.objectives.rto,
                rpo: state.plan.objectives.rpo,
                loss: judge::backups::worst_loss(&state.sight(), state.chosen()),
                recovered: state.recovered(),
                left: forecast.map(|forecast| forecast.left),
                left_p90: forecast.and_then(|forecast| forecast.p90),
                will_miss: state.will_miss_by(),
            },
            sides: Side::BOTH.map(|side| side_report(state, side)).into(),
            alarms: alarms.iter().map(|alarm| Line::from(&alarm.text)).collect(),
            panes,
            runbook: steps,
            remarks: remarks(state),
        }
    }
}

/// The worst there is: a step that failed is as bad as a pane that is DOWN, on screen and here.
fn worst(panes: &[PaneReport], steps: &[StepReport]) -> (Health, Line) {
    let pane = panes.first();
    let health = pane.map_or(Health::Unknown, |pane| pane.health);
    let words = StepState::Failed(String::new()).word();
    if health < Health::Down
        && let Some(step) = steps.iter().find(|step| step.state == words)
    {
        let why = step.why.as_ref().map(Line::as_str).unwrap_or_default();
        let text = format!("{} {} {words}: {why}", step.number, step.title.as_str());
        return (Health::Down, text.into());
    }
    (
        health,
        pane.map_or_else(Line::default, |pane| pane.sentence.clone()),
    )
}

fn side_report(state: &State, side: Side) -> SideReport {
    let assessment = judge::region::assess(side, &state.sight());
    SideReport {
        side: side.word().into(),
        region: Line::from(&state.plan.side(side).region),
        health: assessment.health,
        sentence: assessment.sentence.into(),
        caller: caller(state, side),
    }
}

fn caller(state: &State, side: Side) -> Caller {
    let seen = glance(&Subject::Identity(side), &state.sight());
    let note = match seen {
        Glance::Fresh(..) => None,
        Glance::Stale(_, age) => Some(format!("{} ago", brief(age)).into()),
        Glance::Failed(failure, _) => Some(failure.to_string().into()),
        Glance::Never => Some("not asked yet".into()),
    };
    let (arn, expires) = match seen.known() {
        Some((Fact::Identity(identity), _)) => (Some(Line::from(&identity.arn)), identity.expires),
        _ => (None, None),
    };
    Caller { arn, expires, note }
}

fn remarks(state: &State) -> Vec<Remark> {
    let warnings = state.plan.warnings.iter();
    warnings
        .map(|found| Remark {
            level: match found.level {
                Level::Error => "error",
                Level::Warning => "warning",
                Level::Gap => "missing",
            },
            place: format!("{}:{}:{}", found.path.display(), found.line, found.column).into(),
            message: Line::from(&found.message),
            remedy: Line::from(&found.remedy),
        })
        .collect()
}
