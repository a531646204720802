//! From one way of a step to the other: before it is armed, and while it hangs.

use super::super::State;
use super::{Effect, Tone};
use crate::{
    incident::{RunId, StepId, Way},
    journal::Entry,
};

impl State {
    /// Lets the selected step go its other way. A live run of it is asked to stop first; the dialog of the other way comes
    /// when it has.
    pub(super) fn other_way(&mut self) -> Vec<Effect> {
        let Some(step) = self.selected_step().cloned() else {
            return self.refuse("no step is selected");
        };
        if !step.has_two_ways() {
            return self.refuse(format!(
                "{} has one way: the same whether the primary answers or not",
                step.title
            ));
        }
        let run = self.story.run_of(&step.id);
        let live = run.filter(|run| run.is_live());
        let live = live.map(|run| (run.armed.run.clone(), run.armed.way));
        let now = live
            .as_ref()
            .map_or_else(|| self.way(&step).0, |(_, way)| *way);
        let other = now.other();
        let (title, id) = (step.title.clone(), step.id.clone());
        if let Some((run, _)) = live {
            if let Some(why) = self.no_record() {
                return self.refuse(why);
            }
            self.choose_way(&id, other);
            self.switching = Some(run.clone());
            self.notify(
                Tone::Info,
                format!("{title} is asked to stop; its {other} way is shown when it has"),
            );
            return vec![Effect::Record(Entry::Cancelled { run })];
        }
        self.choose_way(&id, other);
        let why = self.way(&step).1;
        self.notify(Tone::Info, format!("{title} goes its {other} way: {why}"));
        Vec::new()
    }

    fn choose_way(&mut self, step: &StepId, way: Way) {
        self.desk.ways.insert(step.clone(), way);
    }

    /// A run has ended: if that was so that its step can go the other way, that way is armed.
    pub(super) fn switched(&mut self, run: &RunId) -> Vec<Effect> {
        if self.switching.as_ref() != Some(run) {
            return Vec::new();
        }
        self.switching = None;
        let Some(run) = self.story.runs.get(run) else {
            return Vec::new();
        };
        let step = run.armed.step.clone();
        // What the operator is typing is not taken away.
        if self.desk.overlay.is_some() {
            let title = self.runbook.get(&step).map(|step| step.title.clone());
            let title = title.unwrap_or_default();
            self.notify(
                Tone::Info,
                format!("{title} has stopped: run it to see its other way"),
            );
            return Vec::new();
        }
        self.arm(Some(&step), false)
    }

    /// A run has ended of which nothing is observed: told, and the cursor goes on.
    pub(super) fn ended(&mut self, run: &RunId) {
        let Some(ended) = self.story.runs.get(run) else {
            return;
        };
        let Some(told) = ended.told() else {
            return;
        };
        let title = self
            .runbook
            .get(&ended.armed.step)
            .map_or("a step", |step| step.title.as_str());
        let text = format!("{title}: {}", told.word());
        self.notify(Tone::Info, text);
        self.follow_runbook(run);
    }
}
