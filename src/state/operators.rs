//! Who holds the incident, who is offered it, and what another person has approved.

use super::{Access, Run, RunState, State};
use crate::{
    incident::{Moment, Person, Risk, RunId, StepId, person::short},
    journal::{ArmedStep, Author, Holder},
};

/// An offer that stands: whoever looks on may accept it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Sequence number of its record: what an acceptance names.
    pub seq: u64,
    /// Who made it.
    pub by: Author,
    /// When.
    pub at: Moment,
}

/// Another person's approval of an armed step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// What exactly was approved: [`ArmedStep::digest`].
    pub digest: String,
    /// Who approved it.
    pub by: Person,
    /// When.
    pub at: Moment,
    /// Until when it is good.
    pub until: Moment,
}

/// Who holds the incident, as one who looks on sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The holder.
    pub holder: Holder,
    /// Runs whose runner or command is there.
    pub live: Vec<RunId>,
}

impl Holding {
    /// What is typed to take the incident over.
    #[must_use]
    pub fn phrase(&self) -> String {
        let Holder { operator, host, .. } = &self.holder;
        format!("take over from {} on {host}", short(operator))
    }
}

/// What was asked of the operator's cockpit from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plea {
    /// What for, in words.
    pub what: String,
    /// When.
    pub at: Moment,
    /// Whether it was said that no answer comes.
    pub late: bool,
}

impl State {
    /// Whether another person has to approve a step of this risk before it is confirmed: as the plan says.
    #[must_use]
    pub fn wants_approval(&self, step: &StepId, risk: Risk) -> bool {
        risk > Risk::Look && self.plan.approvals.covers(step.as_str(), risk)
    }

    /// The approval that lets an armed step be confirmed now; `None` where the plan asks for none.
    ///
    /// # Errors
    /// Why there is none, in words: nothing overrides that but the plan.
    pub fn approval(&self, armed: &ArmedStep) -> Result<Option<&Approval>, String> {
        if armed.dry_run
            || (armed.approval.is_none() && !self.wants_approval(&armed.step, armed.risk))
        {
            return Ok(None);
        }
        if armed.approval.as_ref() != Some(&self.plan.digest) {
            return Err("it was armed under another plan: arm it again".to_owned());
        }
        if self.me.arn.is_none() {
            return Err(format!(
                "the plan asks for a second person, and STS in {} has not said who you are: nobody can be told apart, so that the rule cannot be met. Nothing overrides it but the plan ([approvals])",
                self.plan.recovery.region
            ));
        }
        let Some(approval) = self.story.approvals.get(&armed.run) else {
            return Err(format!(
                "another person has to approve it: on a cockpit that looks on, under another identity, by typing {:?}",
                armed.approval_phrase()
            ));
        };
        let who = short_of(&approval.by);
        if approval.digest != armed.digest() {
            return Err(format!("{who} approved something else: arm it again"));
        }
        approval
            .by
            .is_another(&self.me)
            .map_err(|why| format!("the approval does not count: {why}"))?;
        if self.now > approval.until {
            return Err(format!(
                "the approval by {who} expired at {}: it has to be approved again",
                approval.until.clock()
            ));
        }
        if let Some(why) = self.changed_since(armed) {
            return Err(format!("the approval by {who} is void: {why}"));
        }
        Ok(Some(approval))
    }

    /// What is no longer as it was armed: the approval was of that.
    fn changed_since(&self, armed: &ArmedStep) -> Option<String> {
        let step = self.runbook.get(&armed.step)?.by(armed.way).into_owned();
        match (self.prepare)(&step, armed.dry_run, &self.instruments) {
            Ok(now) if now.calls == armed.calls => None,
            Ok(_) => Some("what would be done has changed since: arm it again".to_owned()),
            Err(why) => Some(why),
        }
    }

    /// The armed step that waits for another person's approval: the newest run, while it is no more than armed.
    #[must_use]
    pub fn awaits_approval(&self) -> Option<&Run> {
        let newest = self.story.in_order().next_back()?;
        let armed = newest.state == RunState::Armed && newest.armed.approval.is_some();
        let approved = self.story.approvals.get(&newest.armed.run);
        let good = approved.is_some_and(|approval| self.now <= approval.until);
        (armed && !good).then_some(newest)
    }

    /// Who is to know of it, in a few words: that the incident is offered, that runs are waited for, that an approval is.
    #[must_use]
    pub fn between_operators(&self) -> Vec<String> {
        let observes = matches!(self.access, Access::Observer(_));
        let mut all = Vec::new();
        if let Some(why) = self.awaiting() {
            all.push(why);
        }
        if let Some(offer) = &self.story.offer {
            all.push(if observes {
                format!("OFFERED by {}: A accepts", short(&offer.by.operator))
            } else {
                "OFFERED: goes to who accepts, H takes it back".to_owned()
            });
        }
        if let (true, Some(run)) = (observes, self.awaits_approval()) {
            all.push(format!(
                "APPROVAL WANTED for {}: Y shows it",
                run.armed.step
            ));
        }
        all
    }

    /// Why nothing new is started yet after a take-over.
    #[must_use]
    pub fn awaiting(&self) -> Option<String> {
        let observes = matches!(self.access, Access::Observer(_));
        (!observes && !self.awaited.is_empty()).then(|| {
            let runs: Vec<&str> = self.awaited.iter().map(RunId::as_str).collect();
            format!(
                "TAKEN OVER: nothing is started before {} has ended",
                runs.join(", ")
            )
        })
    }
}

/// What a person is called in a sentence.
fn short_of(person: &Person) -> String {
    short(&person.name()).to_owned()
}
