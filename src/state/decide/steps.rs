//! Arming, confirming, skipping and cancelling steps.

use super::super::{Access, Confirm, Focus, Overlay, Pending, Prepared, Reason, Run, State, Why};
use super::{Effect, Tone};
use crate::{
    incident::{Action, Condition, Risk, RunId, Step, StepId, Way, brief, when},
    journal::{ArmedStep, Entry, Waiver},
    judge,
};

/// The step that takes an isolated drill down.
const TEARDOWN: &str = "teardown";

impl State {
    /// Arms a step: writes down what would be done. The dialog opens when that is on disk.
    pub(super) fn arm(&mut self, id: Option<&StepId>, dry_run: bool) -> Vec<Effect> {
        self.arm_with(id, dry_run, None)
    }

    /// The same, with UNKNOWN preconditions waived: looked at again, since a FAIL may have come out of one.
    pub(super) fn arm_with(
        &mut self,
        id: Option<&StepId>,
        dry_run: bool,
        waiver: Option<Waiver>,
    ) -> Vec<Effect> {
        let step = match id {
            Some(id) => self.runbook.get(id).cloned(),
            None => self.selected_step().cloned(),
        };
        let Some(step) = step else {
            return self.refuse("no such step in the runbook");
        };
        self.select_step(&step.id);
        let (way, because) = self.way(&step);
        let step = step.by(way).into_owned();
        if let Some(why) = self.blocked_but_for(&step, dry_run, waiver.as_ref()) {
            return self.refuse(format!("{} is locked: {why}", step.title));
        }
        let prepared = match (self.prepare)(&step, dry_run, &self.instruments) {
            Ok(prepared) => prepared,
            Err(why) => return self.refuse(why),
        };
        let by_hand = matches!(step.action, Action::Manual(_));
        if by_hand && dry_run {
            let text = format!(
                "{} is done by hand: {}",
                step.title,
                prepared.calls.join(" ")
            );
            self.notify(Tone::Info, text);
            return Vec::new();
        }
        let armed = ArmedStep {
            way,
            because,
            by_hand,
            waiver,
            approval: (!dry_run && self.wants_approval(&step.id, step.risk))
                .then(|| self.plan.digest.clone()),
            ..self.arming(&step, prepared, dry_run)
        };
        let armed = Box::new(armed);
        self.pending.push(Pending::Arming(armed.clone()));
        vec![Effect::Record(Entry::Armed(armed))]
    }

    fn arming(&self, step: &Step, prepared: Prepared, dry_run: bool) -> ArmedStep {
        let attempt = self.story.attempts(&step.id).saturating_add(1);
        ArmedStep {
            run: RunId::new(&step.id, attempt, self.now),
            step: step.id.clone(),
            attempt,
            risk: if dry_run { Risk::Look } else { step.risk },
            calls: prepared.calls,
            observes: step
                .post
                .iter()
                .map(|post: &Condition| post.name().to_owned())
                .collect(),
            phrase: prepared.phrase.filter(|_| !dry_run),
            dry_run,
            way: Way::Graceful,
            because: String::new(),
            by_hand: false,
            evidence: step.evidence,
            waiver: None,
            approval: None,
        }
    }

    /// An armed step is on disk: `look` goes on by itself, everything else asks.
    pub(super) fn armed(&mut self, armed: &ArmedStep) -> Vec<Effect> {
        if armed.risk == Risk::Look && !armed.by_hand {
            return self.confirm(armed, None, None);
        }
        let note = (armed.by_hand && armed.phrase.is_none()).then(String::new);
        self.desk.overlay = Some(Overlay::Confirm(Confirm {
            armed: armed.clone(),
            focus: Focus::Cancel,
            typed: String::new(),
            note,
            top: 0,
            drawn: false,
        }));
        Vec::new()
    }

    /// The operator said yes: looked at once more, then written down. The run starts when that is on disk.
    pub(super) fn confirm(
        &mut self,
        armed: &ArmedStep,
        phrase: Option<String>,
        note: Option<String>,
    ) -> Vec<Effect> {
        let step = self.runbook.get(&armed.step);
        let step = step.map(|step| step.by(armed.way).into_owned());
        let why = step.as_ref().map_or_else(
            || Some("it is no longer in the runbook".to_owned()),
            |step| self.blocked_but_for(step, armed.dry_run, armed.waiver.as_ref()),
        );
        let why = why.or_else(|| self.approval(armed).err());
        if let Some(why) = why {
            let title = step.map_or_else(|| armed.step.to_string(), |step| step.title);
            let mut effects = self.refuse(format!("{title} was not started: {why}"));
            effects.push(Effect::Record(Entry::Disarmed {
                run: armed.run.clone(),
            }));
            return effects;
        }
        self.pending.push(Pending::Confirming(armed.run.clone()));
        vec![Effect::Record(Entry::Confirmed {
            run: armed.run.clone(),
            phrase,
            note,
        })]
    }

    /// A confirmation is on disk: the one place from which a run is started. What was done by hand has ended with it.
    pub(super) fn confirmed(&mut self, run: &RunId) -> Vec<Effect> {
        let Some(run) = self.story.runs.get(run) else {
            return Vec::new();
        };
        if run.armed.by_hand {
            let entry = by_hand(run);
            self.owed.push(entry.clone());
            return vec![Effect::Record(entry)];
        }
        let armed = run.armed.clone();
        self.desk.output_run = None;
        self.desk.pane_mut(super::super::Pane::Output).scroll = super::super::Scroll::Follow;
        vec![Effect::Start(armed)]
    }

    /// Asks for the reason to skip the selected step.
    pub(super) fn ask_skip(&mut self) -> Vec<Effect> {
        let Some(step) = self.selected_step() else {
            return self.refuse("no step is selected");
        };
        let (id, title) = (step.id.clone(), step.title.clone());
        if let Some(why) = self.no_record() {
            return self.refuse(format!("{title} cannot be skipped: {why}"));
        }
        if self
            .story
            .run_of(&id)
            .is_some_and(super::super::Run::is_live)
        {
            return self.refuse(format!("{title} is running: cancel it first"));
        }
        self.ask_why(Why::Skip(id))
    }

    /// Asks for the reason to close the incident.
    pub(super) fn ask_close(&mut self) -> Vec<Effect> {
        if self.story.declared.is_none() || self.story.closed.is_some() {
            return self.refuse("there is no open incident");
        }
        if let Some(why) = self.no_record() {
            return self.refuse(format!("the incident cannot be closed: {why}"));
        }
        let live = self.live_runs().next().map(ToString::to_string);
        if let Some(run) = live {
            return self.refuse(format!(
                "{run} is running: wait for it or cancel it before closing"
            ));
        }
        if let Some(why) = self.left_over() {
            return self.refuse(why);
        }
        self.ask_why(Why::Close)
    }

    /// Why an isolated drill may not be closed yet: what it made goes on costing, and runs on with the real authorities.
    fn left_over(&self) -> Option<String> {
        let step = self
            .runbook
            .named(TEARDOWN)
            .filter(|_| self.plan.isolated().is_some())?;
        if self.step_state(step).is_done() {
            return None;
        }
        let left = judge::made::left(&self.sight())?;
        Some(format!(
            "the drill is not taken down ({left}): run \"{}\", or skip it with a reason",
            step.title
        ))
    }

    /// Asks when the outage began.
    pub(super) fn ask_outage(&mut self) -> Vec<Effect> {
        if self.story.closed.is_some() {
            return self.refuse("the incident is closed");
        }
        if let Some(why) = self.no_record() {
            return self.refuse(format!("the start of the outage cannot be set: {why}"));
        }
        self.ask_why(Why::Outage)
    }

    fn ask_why(&mut self, why: Why) -> Vec<Effect> {
        self.desk.overlay = Some(Overlay::Reason(Reason {
            why,
            text: String::new(),
        }));
        Vec::new()
    }

    /// Skips a step or closes the incident, with a reason; only an optional step may be passed over without one.
    pub(super) fn reasoned(&mut self, given: &Reason) -> Vec<Effect> {
        let optional = match &given.why {
            // What a drill leaves behind is left with a reason.
            Why::Skip(step) if step.as_str() == TEARDOWN => false,
            Why::Skip(step) => self.runbook.get(step).is_some_and(|step| step.optional),
            Why::Close | Why::Outage => false,
        };
        let text = given.text.trim();
        if given.why == Why::Outage {
            return self.set_outage(text);
        }
        if text.is_empty() && !optional {
            return self.refuse("a reason is needed: it stands in the journal and in the report");
        }
        if let Some(why) = self.no_record() {
            return self.refuse(why);
        }
        self.desk.overlay = None;
        let reason = if text.is_empty() { "optional" } else { text }.to_owned();
        let Why::Skip(step) = &given.why else {
            return vec![Effect::Record(Entry::Closed { reason })];
        };
        self.pending.push(Pending::Skipping(step.clone()));
        let step = step.clone();
        vec![Effect::Record(Entry::Skipped { step, reason })]
    }

    /// Writes down when the outage began; a time that is none, or lies ahead, is asked for again.
    fn set_outage(&mut self, text: &str) -> Vec<Effect> {
        let began = match when(text, self.now) {
            Ok(began) => began,
            Err(why) => return self.refuse(why),
        };
        if let Some(why) = self.no_record() {
            return self.refuse(why);
        }
        self.desk.overlay = None;
        let ago = brief(self.now.since(began));
        self.notify(
            Tone::Info,
            format!("the clocks run from {began}, {ago} ago"),
        );
        vec![Effect::Record(Entry::Outage { began })]
    }

    /// Asks the run of the selected step, or else the shown one, to stop.
    pub(super) fn cancel(&mut self) -> Vec<Effect> {
        let selected = self
            .selected_step()
            .and_then(|step| self.story.run_of(&step.id));
        let live = selected.filter(|run| run.is_live());
        let Some(run) = live.or_else(|| self.shown_run().filter(|run| run.is_live())) else {
            return self.refuse("nothing is running that could be cancelled");
        };
        let run = run.armed.run.clone();
        // A full disk must not keep anything running: stopping it comes before writing that down.
        if let (Access::Operator, Some(why)) = (&self.access, &self.disk) {
            let text = format!("{run} is asked to stop, which could not be recorded: {why}");
            self.notify(Tone::Warn, text);
            return vec![Effect::Cancel(run)];
        }
        if let Some(why) = self.no_record() {
            return self.refuse(why);
        }
        vec![Effect::Record(Entry::Cancelled { run })]
    }

    /// Why nothing can be written down from this terminal.
    pub(super) fn no_record(&self) -> Option<String> {
        match &self.access {
            Access::Observer(why) => Some(format!("observing: {why}")),
            Access::ReadOnly(why) => Some(format!("read-only: {why}")),
            Access::Operator => self.disk.clone(),
        }
    }
}

/// The end of what a person has done: the person's word.
pub(super) fn by_hand(run: &Run) -> Entry {
    Entry::Exited {
        run: run.armed.run.clone(),
        of: 0,
        code: Some(0),
        how: run.note.clone().unwrap_or_default(),
    }
}
