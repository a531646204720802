//! Which way a step goes: as the instruments say, or as the operator has chosen at this terminal.

use std::borrow::Cow;

use super::State;
use crate::{
    incident::{Step, Way},
    judge,
};

impl State {
    /// Which way a step goes now, and why; without words for a step that has one way.
    #[must_use]
    pub fn way(&self, step: &Step) -> (Way, String) {
        if !step.has_two_ways() {
            return (Way::Graceful, String::new());
        }
        let (usual, why) = judge::way::usual(step.silence(), &self.sight());
        match self.desk.ways.get(&step.id) {
            Some(chosen) if *chosen != usual => {
                (*chosen, format!("chosen by hand, although {why}"))
            }
            Some(chosen) => (*chosen, format!("chosen by hand; {why}")),
            None => (usual, why),
        }
    }

    /// A step as it would be armed now.
    #[must_use]
    pub fn as_chosen<'a>(&self, step: &'a Step) -> Cow<'a, Step> {
        step.by(self.way(step).0)
    }
}
