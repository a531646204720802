//! The incident goes from one operator to another; and one person approves what another has armed.

use std::time::Duration;

use super::super::{Access, Overlay, Plea, State, Vouch, Vouching};
use super::{Effect, Tone};
use crate::{
    incident::{Fact, Observation, Person, RunId, Side, Subject, person::short},
    journal::{Entry, Record, Request, Wish},
    state::{RunState, story::Story},
};

/// After so long without an answer it is said that none comes.
const PATIENCE: Duration = Duration::from_secs(10);

impl State {
    /// Offers the incident to whoever looks on, or takes the offer back.
    pub(super) fn offer(&mut self) -> Vec<Effect> {
        if let Access::Observer(why) = &self.access {
            return self.refuse(format!("only the operator offers the incident: {why}"));
        }
        if self.story.declared.is_none() || self.story.closed.is_some() {
            return self.refuse("there is no open incident to hand over");
        }
        if let Some(why) = &self.disk {
            return self.refuse(format!("the journal cannot be written: {why}"));
        }
        if self.story.offer.is_some() {
            self.notify(Tone::Info, "the offer is taken back");
            return vec![Effect::Record(Entry::Withdrawn)];
        }
        self.notify(
            Tone::Info,
            "offered: whoever looks on may accept and is the operator then; once more takes it back",
        );
        vec![Effect::Record(Entry::Offered)]
    }

    /// Asks the operator's cockpit for what it offers.
    pub(super) fn accept_offer(&mut self) -> Vec<Effect> {
        if !matches!(self.access, Access::Observer(_)) {
            return self.refuse("this cockpit holds the incident already");
        }
        let Some(offer) = &self.story.offer else {
            return self.refuse("nothing is offered: the operator offers the incident by H");
        };
        let wish = Wish::Accept { offer: offer.seq };
        self.plead("the incident, as offered", wish)
    }

    fn plead(&mut self, what: &str, wish: Wish) -> Vec<Effect> {
        self.notify(
            Tone::Info,
            format!("the operator's cockpit is asked: {what}"),
        );
        self.plea = Some(Plea {
            what: what.to_owned(),
            at: self.now,
            late: false,
        });
        vec![Effect::Ask(wish)]
    }

    /// Asks for the phrase by which the incident is taken from its holder.
    pub(super) fn ask_take_over(&mut self) -> Vec<Effect> {
        if !matches!(self.access, Access::Observer(_)) {
            return self.refuse("this cockpit holds the incident already");
        }
        match &self.held_by {
            Some(holding) if holding.holder.held => {
                let holding = holding.clone();
                self.open_vouch(Vouching::TakeOver(Box::new(holding)))
            }
            Some(_) => {
                self.refuse("nobody holds the incident: this cockpit goes on with it by itself")
            }
            None => self.refuse("who holds the incident has not been seen yet"),
        }
    }

    /// Shows the armed step that waits for an approval, and asks for the phrase.
    pub(super) fn ask_approve(&mut self) -> Vec<Effect> {
        if !matches!(self.access, Access::Observer(_)) {
            return self
                .refuse("what this cockpit armed is approved on another one, by another person");
        }
        match self.awaits_approval() {
            Some(run) => {
                let armed = run.armed.clone();
                self.open_vouch(Vouching::Approve(Box::new(armed)))
            }
            None => self.refuse("no armed step waits for an approval"),
        }
    }

    fn open_vouch(&mut self, what: Vouching) -> Vec<Effect> {
        self.desk.overlay = Some(Overlay::Vouch(Vouch {
            what,
            typed: String::new(),
            top: 0,
            drawn: false,
        }));
        Vec::new()
    }

    /// The dialog was answered.
    pub(super) fn vouched(&mut self, asked: &Vouch) -> Vec<Effect> {
        if !asked.drawn {
            return Vec::new();
        }
        let phrase = asked.phrase();
        if asked.typed.trim() != phrase {
            return self.refuse(format!("type exactly: {phrase} (esc leaves)"));
        }
        self.desk.overlay = None;
        match &asked.what {
            Vouching::TakeOver(_) if !matches!(self.access, Access::Observer(_)) => {
                self.refuse("this cockpit holds the incident already")
            }
            Vouching::TakeOver(holding) => {
                let silent = self.now.since(holding.holder.spoke);
                vec![Effect::TakeOver(phrase, silent)]
            }
            Vouching::Approve(armed) => {
                let waits = self.awaits_approval();
                if waits.is_none_or(|run| run.armed != **armed) {
                    return self.refuse("it does not wait for an approval any more");
                }
                let wish = Wish::Approve {
                    run: armed.run.clone(),
                    digest: armed.digest(),
                    phrase,
                };
                self.plead("to take this approval", wish)
            }
        }
    }

    /// An observer asks something of this cockpit.
    pub(super) fn asked(&mut self, request: Request) -> Vec<Effect> {
        if matches!(self.access, Access::Observer(_)) {
            return Vec::new();
        }
        let answer = match &request.wish {
            Wish::Accept { offer } => {
                if self.story.offer.as_ref().map(|offer| offer.seq) == Some(*offer) {
                    self.accepting = Some(request);
                    return self.hand_over();
                }
                Err("the offer does not stand any more".to_owned())
            }
            Wish::Approve {
                run,
                digest,
                phrase,
            } => self.approved_by(&request, run, digest, phrase),
        };
        let entry = answer.unwrap_or_else(|why| {
            let who = short(&request.by.name()).to_owned();
            self.notify(
                Tone::Warn,
                format!("what {who} asked for was declined: {why}"),
            );
            Entry::Declined {
                request: request.id.clone(),
                by: request.by.clone(),
                why,
            }
        });
        vec![Effect::Record(entry)]
    }

    fn approved_by(
        &self,
        request: &Request,
        id: &RunId,
        digest: &str,
        phrase: &str,
    ) -> Result<Entry, String> {
        let run = self.story.runs.get(id);
        let run = run.filter(|run| run.state == RunState::Armed && run.armed.approval.is_some());
        let Some(run) = run else {
            return Err(format!("{id} does not wait for an approval"));
        };
        if run.armed.digest() != digest || phrase != run.armed.approval_phrase() {
            return Err("what was approved is not what is armed".to_owned());
        }
        request.by.is_another(&self.me)?;
        Ok(Entry::Approved {
            run: id.clone(),
            digest: digest.to_owned(),
            by: request.by.clone(),
            phrase: phrase.to_owned(),
            until: self.now.plus(self.plan.approvals.expires),
            request: request.id.clone(),
        })
    }

    /// Hands the incident to who accepted the offer, once nothing is between its confirmation and its start: that must not
    /// be anybody's and nobody's.
    pub(super) fn hand_over(&mut self) -> Vec<Effect> {
        let confirmed = |story: &Story| {
            let mut runs = story.in_order();
            runs.any(|run| run.state == RunState::Confirmed && !run.armed.by_hand)
        };
        let busy = !self.pending.is_empty() || self.disk.is_some() || confirmed(&self.story);
        if self.accepting.is_none() || busy {
            return Vec::new();
        }
        let Some(request) = self.accepting.take() else {
            return Vec::new();
        };
        if self.story.offer.is_none() {
            return Vec::new();
        }
        let mut effects = self.leave_dialog();
        effects.push(Effect::Record(Entry::HandedOver {
            to: request.by,
            request: request.id,
        }));
        effects
    }

    /// Leaves a dialog that only the operator may answer; what was armed for it is not run.
    fn leave_dialog(&mut self) -> Vec<Effect> {
        match self.desk.overlay.take() {
            Some(Overlay::Confirm(confirm)) => {
                vec![Effect::Record(Entry::Disarmed {
                    run: confirm.armed.run,
                })]
            }
            Some(Overlay::Override(_) | Overlay::Reason(_)) | None => Vec::new(),
            other => {
                self.desk.overlay = other;
                Vec::new()
            }
        }
    }

    /// What this terminal may do has changed.
    pub(super) fn turned(&mut self, access: Access) -> Vec<Effect> {
        let held = !matches!(self.access, Access::Observer(_));
        let holds = !matches!(access, Access::Observer(_));
        self.access = access;
        if holds == held {
            return self.unsettled();
        }
        // What was on its way to the disk is somebody else's to write, and what runs tell is told to them.
        self.pending.clear();
        self.owed.clear();
        self.accepting = None;
        self.plea = None;
        self.disk = None;
        if holds {
            if matches!(self.desk.overlay, Some(Overlay::Vouch(_))) {
                self.desk.overlay = None;
            }
            return self.unsettled();
        }
        self.switching = None;
        self.awaited.clear();
        self.leave_dialog();
        if let Access::Observer(why) = &self.access {
            let why = why.clone();
            self.notify(Tone::Warn, why);
        }
        vec![Effect::Bell]
    }

    /// A record of hand-over or approval is there, ours or the operator's: what it says to who sits here.
    pub(super) fn heard(&mut self, record: &Record) {
        let mine = |by: &Person| by.is_same_cockpit(&self.me);
        let told = match &record.entry {
            Entry::HandedOver { to, .. } if mine(to) => Some((
                Tone::Info,
                "handed over to this cockpit: it takes it".to_owned(),
            )),
            Entry::HandedOver { to, .. } if self.plea.is_some() => {
                let who = short(&to.name()).to_owned();
                Some((Tone::Warn, format!("{who} has accepted the offer before")))
            }
            Entry::Declined { by, why, .. } if mine(by) => Some((
                Tone::Warn,
                format!("the operator's cockpit has declined: {why}"),
            )),
            Entry::Approved { by, until, run, .. } if mine(by) => Some((
                Tone::Info,
                format!("{run} may be confirmed until {}", until.clock()),
            )),
            _ => None,
        };
        if let Some((tone, text)) = told {
            self.plea = None;
            self.notify(tone, text);
        }
    }

    /// Another person's approval is on disk.
    pub(super) fn approved(&mut self, by: &Person) -> Vec<Effect> {
        let who = short(&by.name()).to_owned();
        self.notify(
            Tone::Info,
            format!("approved by {who}: it may be confirmed now"),
        );
        vec![Effect::Bell]
    }

    /// Says that no answer comes, once.
    pub(super) fn plead_in_vain(&mut self) {
        let now = self.now;
        let late = self
            .plea
            .as_mut()
            .filter(|plea| !plea.late && now.since(plea.at) > PATIENCE);
        if let Some(plea) = late {
            plea.late = true;
            let text = format!(
                "no answer from the operator's cockpit to what was asked: {}. If it hangs, V takes over",
                plea.what
            );
            self.notify(Tone::Warn, text);
        }
    }

    /// STS has told who we are: this process's own look, never what another cockpit had seen.
    pub(super) fn identified(&mut self, seen: &[Observation]) -> Vec<Effect> {
        let mine = seen.iter().rev().find_map(|seen| match &seen.outcome {
            Ok(Fact::Identity(identity)) if seen.subject == Subject::Identity(Side::Recovery) => {
                Some(identity.arn.clone())
            }
            _ => None,
        });
        match mine {
            Some(arn) if !arn.is_empty() && self.me.arn.as_ref() != Some(&arn) => {
                self.me.arn = Some(arn);
                vec![Effect::Identify(self.me.clone())]
            }
            _ => Vec::new(),
        }
    }
}
