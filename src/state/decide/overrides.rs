//! Running a step although its preconditions are UNKNOWN: phrase, reason, record, and only then armed like any other.

use super::super::{Overlay, Override, Pending, State};
use super::Effect;
use crate::journal::{Entry, Waiver};

impl State {
    /// Asks for phrase and reason, if the selected step is one that can be overridden.
    pub(super) fn ask_override(&mut self) -> Vec<Effect> {
        let Some(step) = self.selected_step().cloned() else {
            return self.refuse("no step is selected");
        };
        if let Some(why) = self.no_record() {
            return self.refuse(format!("{} cannot be overridden: {why}", step.title));
        }
        match self.waivable(&step) {
            Ok(waived) => {
                self.select_step(&step.id);
                self.desk.overlay = Some(Overlay::Override(Override {
                    step: step.id,
                    waived,
                    typed: String::new(),
                    reason: None,
                    top: 0,
                    drawn: false,
                }));
                Vec::new()
            }
            Err(why) => self.refuse(format!("{}: {why}", step.title)),
        }
    }

    /// The dialog was answered: the phrase first, then the reason; then everything is looked at once more.
    pub(super) fn overridden(&mut self, asked: &Override) -> Vec<Effect> {
        if !asked.drawn {
            return Vec::new();
        }
        if asked.typed.trim() != asked.phrase() {
            return self.refuse(format!(
                "type exactly: {} (esc leaves without running)",
                asked.phrase()
            ));
        }
        let Some(reason) = &asked.reason else {
            if let Some(Overlay::Override(open)) = &mut self.desk.overlay {
                open.reason = Some(String::new());
            }
            return Vec::new();
        };
        let reason = reason.trim();
        if reason.is_empty() {
            return self.refuse("a reason is needed: it stands in the journal and in the report");
        }
        self.desk.overlay = None;
        let Some(step) = self.runbook.get(&asked.step).cloned() else {
            return self.refuse("no such step in the runbook");
        };
        if let Some(why) = self.no_record() {
            return self.refuse(format!("{} was not started: {why}", step.title));
        }
        let waiver = Waiver {
            waived: asked.waived.clone(),
            reason: reason.to_owned(),
        };
        if let Some(why) = self.blocked_but_for(&self.as_chosen(&step), false, Some(&waiver)) {
            return self.refuse(format!("{} was not started: {why}", step.title));
        }
        self.pending.push(Pending::Overriding(step.id.clone()));
        vec![Effect::Record(Entry::Overridden {
            step: step.id,
            waiver,
            phrase: asked.typed.trim().to_owned(),
        })]
    }
}
