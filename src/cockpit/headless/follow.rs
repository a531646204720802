//! Following a run to its verdict, with every line of its output.

use std::time::Duration;

use super::{
    End,
    session::{Gone, Session},
};
use crate::{
    incident::{Evidence, Moment, RunId, StepId},
    report::{Condition, Told},
    run::{Output, RunDir},
    state::{Access, Run, RunState, StepState},
};

/// Lines read at once.
const WINDOW: usize = 1000;
/// How often it is said again what a settling run waits for.
const REMIND: Duration = Duration::from_secs(30);
/// So long after a run's end everything is looked at once more: what is billed is not measured twice within five seconds,
/// and a script's run may well end within five seconds of this process's first look.
const ONCE_MORE: Duration = Duration::from_secs(6);

/// What of a run was told last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    #[default]
    Armed,
    Confirmed,
    Started,
    Exited,
}

/// How far a run has been told.
#[derive(Default)]
struct Telling {
    stage: Stage,
    output: Option<Output>,
    lines: u64,
    /// When it was last said what is missing.
    reminded: Option<Moment>,
    /// Whether everything was looked at once more after its end.
    asked_again: bool,
}

impl Session<'_> {
    /// Tells what happens to a run until its verdict is in.
    pub(super) async fn follow(&mut self, step: &StepId, run: &RunId) -> Result<End, Gone> {
        let mut telling = Telling::default();
        loop {
            self.catch_up(step, run, &mut telling);
            if let Some(end) = self.end_of(run) {
                self.set_live(None);
                if end == End::Refused {
                    let why = self.notice();
                    return Ok(self.refuse(step, why));
                }
                return Ok(end);
            }
            if let Some(why) = self.given_up(run) {
                return Ok(self.refuse(step, why));
            }
            self.turn().await?;
        }
    }

    /// Why a run that is only armed will not be confirmed any more.
    fn given_up(&self, run: &RunId) -> Option<String> {
        let armed = self.state.story.runs.get(run)?.state == RunState::Armed;
        let why = match &self.state.access {
            Access::Observer(why) => Some(why),
            Access::Operator | Access::ReadOnly(_) => self.state.disk.as_ref(),
        };
        why.filter(|_| armed).cloned()
    }

    /// Tells what has not been told yet.
    fn catch_up(&mut self, step: &StepId, id: &RunId, telling: &mut Telling) {
        let Some(run) = self.state.story.runs.get(id).cloned() else {
            return;
        };
        if matches!(run.state, RunState::Armed | RunState::Disarmed) {
            return;
        }
        if telling.stage < Stage::Confirmed {
            telling.stage = Stage::Confirmed;
            self.set_live(Some(id.clone()));
            self.tell(&Told::Confirmed { run: id.clone() });
        }
        if let Some(at) = run.started.filter(|_| telling.stage < Stage::Started) {
            telling.stage = Stage::Started;
            self.tell_at(at, &Told::Started { run: id.clone() });
        }
        if telling.stage >= Stage::Started || run.ended.is_some() {
            self.lines(id, run.ended.is_some(), telling);
        }
        let Some(ended) = run.ended else { return };
        if telling.stage < Stage::Exited {
            telling.stage = Stage::Exited;
            let how = run.how.as_deref().unwrap_or_default();
            let exited = Told::Exited {
                run: id.clone(),
                code: run.code,
                how: how.into(),
            };
            self.tell_at(ended, &exited);
        }
        match &run.state {
            RunState::Judged(..) => self.judged(step, &run),
            _ if run.told().is_some() => self.done(step, &run),
            _ if !run.armed.dry_run && run.armed.evidence == Evidence::Seen => {
                if !telling.asked_again && self.state.now.since(ended) >= ONCE_MORE {
                    telling.asked_again = true;
                    self.look_again();
                }
                self.settling(step, id, telling);
            }
            _ => {}
        }
    }

    fn judged(&mut self, step: &StepId, run: &Run) {
        let RunState::Judged(verdict, findings) = &run.state else {
            return;
        };
        let title = self.title(step);
        let (from, until) = (run.started.unwrap_or(run.armed_at), run.judged);
        let judged = Told::Judged {
            step: step.clone(),
            title: title.into(),
            run: run.armed.run.clone(),
            verdict: *verdict,
            findings: Condition::all(&run.armed.observes, findings),
            took: until.unwrap_or(from).since(from),
        };
        self.tell_at(until.unwrap_or(from), &judged);
    }

    fn done(&mut self, step: &StepId, run: &Run) {
        let Some(told) = run.told() else { return };
        let title = self.title(step);
        self.tell(&Told::Done {
            step: step.clone(),
            title: title.into(),
            run: run.armed.run.clone(),
            told: told.word(),
            how: run.how.as_deref().unwrap_or_default().into(),
        });
    }

    /// What the operator reads of a step.
    pub(super) fn title(&self, step: &StepId) -> String {
        let found = self.state.runbook.get(step);
        found.map_or_else(|| step.to_string(), |step| step.title.clone())
    }

    fn settling(&mut self, step: &StepId, run: &RunId, telling: &mut Telling) {
        let now = self.state.now;
        if telling
            .reminded
            .is_some_and(|last| now.since(last) < REMIND)
        {
            return;
        }
        let step = self.state.runbook.get(step);
        if let Some(StepState::Settling(missing)) = step.map(|step| self.state.step_state(step)) {
            telling.reminded = Some(now);
            self.tell(&Told::Settling {
                run: run.clone(),
                missing: missing.into(),
            });
        }
    }

    /// Tells the lines that have come; the last one only once it is whole.
    fn lines(&mut self, id: &RunId, ended: bool, telling: &mut Telling) {
        let Some(folder) = self.folder() else { return };
        if telling.output.is_none() {
            // Not there yet, or not to be read: its exit is told all the same.
            telling.output = Output::open(&RunDir::of(&folder, id)).ok().flatten();
        }
        let Some(output) = &mut telling.output else {
            return;
        };
        let grown = output.refresh().unwrap_or(false);
        if !grown && !ended && telling.lines > 0 {
            return;
        }
        let until = if ended {
            output.lines()
        } else {
            output.whole_lines()
        };
        while telling.lines < until {
            let count = usize::try_from(until - telling.lines)
                .unwrap_or(WINDOW)
                .min(WINDOW);
            let Ok(lines) = output.window(telling.lines, count) else {
                return;
            };
            if lines.is_empty() {
                return;
            }
            for line in lines {
                telling.lines = line.number + 1;
                let told = Told::Line {
                    run: id.clone(),
                    number: line.number,
                    text: line.text,
                };
                self.tell_at(line.at, &told);
            }
        }
    }
}
