//! Credentials: read again by key, when their files change and after they were renewed; and renewed in this terminal.

use super::{
    super::{Access, State, Tone},
    Effect,
};
use crate::{
    incident::{Moment, Side, Subject},
    journal::Entry,
    judge,
};

/// Credentials that are being read again: it is said who we are once somebody has told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::state) struct Rereading {
    /// Why, as the notice begins.
    because: String,
    /// Looks from before this tell of the old ones.
    since: Moment,
}

impl State {
    /// Lets every client read its credentials anew and every probe look with them.
    pub(super) fn read_credentials(&mut self, because: impl Into<String>) -> Vec<Effect> {
        let because = because.into();
        self.notify(Tone::Info, format!("{because}: asking who we are now"));
        self.rereading = Some(Rereading {
            because,
            since: self.now,
        });
        vec![Effect::ReadCredentials, Effect::ProbeNow]
    }

    /// Says who we are with credentials that were read again, once the recovery region's STS has told. An answer to a look
    /// that had begun before may be of the old ones: it is told by the time that the look took.
    pub(super) fn tell_identity(&mut self) {
        let Some(rereading) = &self.rereading else {
            return;
        };
        let subject = Subject::Identity(Side::Recovery);
        let Some(reading) = self.instruments.get(&subject) else {
            return;
        };
        let began =
            Moment::from_millis(
                reading.last.at.millis().saturating_sub(
                    i64::try_from(reading.last.took.as_millis()).unwrap_or(i64::MAX),
                ),
            );
        if began < rereading.since {
            return;
        }
        let who = judge::identity::assessment(Side::Recovery, &self.sight());
        let tone = match reading.last.outcome {
            Ok(_) => Tone::Info,
            Err(_) => Tone::Warn,
        };
        let text = format!("{}: recovery {}", rereading.because, who.sentence);
        self.rereading = None;
        self.notify(tone, text);
    }

    /// Runs the plan's command that renews credentials, in this terminal.
    pub(super) fn renew_credentials(&mut self) -> Vec<Effect> {
        match self.cannot_renew() {
            Some(why) => self.refuse(why),
            None => vec![Effect::Renew(self.plan.tools.renew.clone())],
        }
    }

    /// Why credentials cannot be renewed from here, with what to write into the plan.
    pub(super) fn cannot_renew(&self) -> Option<String> {
        if !self.plan.tools.renew.is_empty() {
            return None;
        }
        let profile = self.plan.recovery.profile.as_deref().unwrap_or("PROFILE");
        Some(format!(
            "the plan does not say how credentials are renewed: write renew = [\"aws\", \"sso\", \"login\", \
             \"--use-device-code\", \"--profile\", {profile:?}] into its [tools], or renew them in another terminal: their \
             files are watched"
        ))
    }

    /// The command that renews them has ended.
    pub(super) fn renewed(&mut self, argv: &str, how: &str) -> Vec<Effect> {
        let mut effects = self.read_credentials(format!("{argv}: {how}"));
        let kept = matches!(self.access, Access::Operator | Access::ReadOnly(_));
        if kept && self.story.declared.is_some() {
            let text = format!("credentials were renewed by hand with: {argv} ({how})");
            effects.push(Effect::Record(Entry::Noted { text }));
        }
        effects
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        incident::{Fact, Failure, FailureKind, Identity, Observation, Runbook},
        plan::{Plan, sample},
        state::{Event, Intent, Prepared},
    };

    fn state(plan: Plan) -> State {
        let runbook = Runbook::parse(Runbook::EMBEDDED).expect("the runbook");
        let prepare = Arc::new(|_: &_, _, _: &_| {
            Ok(Prepared {
                calls: Vec::new(),
                phrase: None,
            })
        });
        let now = Moment::from_secs(1000);
        State::new(
            Arc::new(plan),
            Arc::new(runbook),
            Access::Operator,
            now,
            prepare,
        )
    }

    fn seen(at: i64, took: u64, outcome: Result<&str, Failure>) -> Event {
        let outcome = outcome.map(|name| {
            Fact::Identity(Identity {
                arn: format!("arn:aws:sts::111122223333:assumed-role/dr/{name}"),
                account: "111122223333".to_owned(),
                region: "us-west-2".to_owned(),
                expires: None,
                renews: false,
            })
        });
        let seen = Observation {
            subject: Subject::Identity(Side::Recovery),
            at: Moment::from_secs(at),
            took: Duration::from_secs(took),
            outcome,
        };
        Event::Observed(vec![seen], Moment::from_secs(at))
    }

    fn notice(state: &State) -> String {
        let notice = state.desk.notice.as_ref();
        notice.map(|notice| notice.text.clone()).unwrap_or_default()
    }

    #[test]
    fn who_we_are_now_is_told_by_a_look_that_began_afterwards() {
        let mut state = state(sample::plan());
        let key = Event::Intent(Intent::ReadCredentials, Moment::from_secs(1000));
        assert_eq!(
            state.decide(key),
            [Effect::ReadCredentials, Effect::ProbeNow]
        );
        state.decide(seen(1001, 5, Ok("old")));
        assert!(!notice(&state).contains("dr/old"), "{}", notice(&state));
        state.decide(seen(1002, 1, Ok("new")));
        assert!(notice(&state).contains("dr/new"), "{}", notice(&state));
        state.decide(seen(1003, 0, Ok("later")));
        assert!(notice(&state).contains("dr/new"), "told once");
    }

    #[test]
    fn credentials_that_are_no_better_are_said_to_be_so() {
        let mut state = state(sample::plan());
        let files = Event::CredentialsChanged(
            "~/.aws/credentials changed".to_owned(),
            Moment::from_secs(1000),
        );
        state.decide(files);
        let expired = Failure::new(
            FailureKind::Credentials,
            "STS has no valid credentials: renew them",
        );
        state.decide(seen(1001, 1, Err(expired)));
        let said = notice(&state);
        assert!(said.contains("~/.aws/credentials changed"), "{said}");
        assert!(said.contains("no valid credentials"), "{said}");
    }

    #[test]
    fn without_a_command_in_the_plan_it_is_said_what_to_write() {
        let renew = || Event::Intent(Intent::RenewCredentials, Moment::from_secs(1000));
        let mut bare = sample::plan();
        bare.recovery.profile = Some("dr".to_owned());
        let mut state_without = state(bare.clone());
        assert!(state_without.decide(renew()).is_empty());
        let said = notice(&state_without);
        assert!(said.contains("\"--profile\", \"dr\""), "{said}");

        bare.tools.renew = vec!["aws".to_owned(), "sso".to_owned(), "login".to_owned()];
        let mut with = state(bare.clone());
        assert_eq!(with.decide(renew()), [Effect::Renew(bare.tools.renew)]);
    }
}
