//! `check-bots` and `unlock-bots`: who of the bots a restore has locked out, and how they come in again (guide, step 3/4:
//! bots that joined with a static token miss their renewal).

use futures::future::BoxFuture;

use super::{
    Context, Native, StepError,
    seen::{failed, only_confirmed, planned},
};
use crate::{
    clients::{
        agents::relaunched,
        bots::{self, Tokens, issue},
        freeze::tctl,
    },
    incident::{Bots, Fact, Instruments, Reading, Side, Subject, bots::BotLock},
    plan::Plan,
};

/// The row of [`super::natives`] that lists.
#[must_use]
pub const fn native() -> Native {
    Native {
        name: "check-bots",
        needs: &["cluster.release", "cluster.namespace", "recovery.context"],
        calls,
        seen: None,
        run: |context| Box::pin(check(context)),
    }
}

/// The row of [`super::natives`] that unlocks and issues tokens.
#[must_use]
pub const fn unlock_native() -> Native {
    Native {
        name: "unlock-bots",
        needs: &["cluster.release", "cluster.namespace", "recovery.context"],
        calls: unlock_calls,
        seen: Some(seen),
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    vec![format!(
        "{} exec deploy/{}-auth: tctl get locks, bots, bot_instance, tokens",
        plan.tools.kubectl, plan.cluster.release
    )]
}

fn unlock_calls(plan: &Plan) -> Vec<String> {
    vec![format!(
        "{} exec deploy/{}-auth, each line below and no other. A mismatch may be a stolen certificate, too: remove a lock \
         only where the restore explains it",
        plan.tools.kubectl, plan.cluster.release
    )]
}

/// The lines of what is to be removed and issued.
fn lines(seen: &Bots) -> Vec<String> {
    let mut lines: Vec<String> = seen.artefacts().map(rm).collect();
    lines.extend(seen.at_risk().map(|bot| add(&bot.name)));
    lines
}

fn rm(lock: &BotLock) -> String {
    let made = lock.made.map_or_else(
        || "nobody told when it was made".to_owned(),
        |at| format!("made at {at}"),
    );
    format!("tctl rm lock/{} (on {}, {made})", lock.id, lock.target)
}

fn add(bot: &str) -> String {
    format!(
        "tctl bots instances add {bot} --format=json: a one-time token into bot-tokens.json (0600) of the incident's folder"
    )
}

fn seen(_: &Plan, instruments: &Instruments) -> Result<Vec<String>, StepError> {
    let reading = instruments.get(&Subject::Bots);
    let Some((_, Fact::Bots(seen))) = reading.and_then(|reading| reading.good.as_ref()) else {
        return Err(StepError(reading.and_then(Reading::failure).map_or_else(
            || "the recovery cluster's bots have not been read yet".to_owned(),
            ToString::to_string,
        )));
    };
    let lines = lines(seen);
    if lines.is_empty() {
        return Err(StepError(
            "no lock of a generation mismatch is there, and no bot that joined by a shared secret is away: there is nothing \
             to unlock"
                .to_owned(),
        ));
    }
    Ok(lines)
}

/// What the recovery cluster's Auth Service tells now, if it is the planned one.
async fn look(context: &Context) -> Result<Bots, StepError> {
    let plan = &context.plan;
    let kube = planned(context, Side::Recovery).await?;
    let since = relaunched(plan, &kube).await.map_err(|why| failed(&why))?;
    let seen = bots::look(plan).await.map_err(|why| failed(&why))?;
    Ok(Bots { since, ..seen })
}

async fn check(context: Context) -> Result<(), StepError> {
    if context.dry_run {
        for line in calls(&context.plan) {
            context.say(line);
        }
        return Ok(());
    }
    let seen = look(&context).await?;
    context.say(format!(
        "{} bots; relaunched at {}",
        seen.bots.len(),
        seen.since
    ));
    for bot in &seen.bots {
        let state = match (bot.back(seen.since), bot.by_secret()) {
            (true, _) => "heard of since the relaunch",
            (false, true) => {
                "AT RISK: it renews by a certificate that expires meanwhile; a delegated join method would let it back in by \
                 itself"
            }
            (false, false) => "not heard of yet; it can join again by itself",
        };
        context.say(format!("{}: {state}", bot.told()));
    }
    for lock in seen.artefacts() {
        context.say(format!("LOCKED by a generation mismatch: {}", lock.told()));
    }
    for lock in seen.older() {
        context.say(format!(
            "locked since before the relaunch, not by the restore: {}",
            lock.told()
        ));
    }
    for gap in &seen.gaps {
        context.say(format!("not read: {gap}"));
    }
    Ok(())
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        let seen = look(&context).await?;
        let lines = lines(&seen);
        if lines.is_empty() {
            context.say("nothing to unlock and nobody to issue a token to");
            return Ok(());
        }
        if context.dry_run {
            for line in &lines {
                context.say(line);
            }
            context.say("dry run: nothing was changed");
            return Ok(());
        }
        only_confirmed(&lines, &context.confirmed)?;
        for lock in seen.artefacts() {
            context.say(rm(lock));
            context.fence.look()?;
            let args = ["rm".to_owned(), format!("lock/{}", lock.id)];
            tctl(plan, Side::Recovery, &args)
                .await
                .map_err(|why| failed(&why))?;
        }
        tokens(&context, &seen).await?;
        let left = look(&context).await?;
        let gone = |lock: &&BotLock| seen.locks.iter().any(|old| old.id == lock.id);
        if let Some(lock) = left.artefacts().find(gone) {
            return Err(StepError(format!("lock {} is still there", lock.told())));
        }
        Ok(())
    })
}

async fn tokens(context: &Context, seen: &Bots) -> Result<(), StepError> {
    if seen.at_risk().next().is_none() {
        return Ok(());
    }
    if context.incident.as_os_str().is_empty() {
        return Err(StepError(
            "no token was issued: there is no incident's folder to put it into".to_owned(),
        ));
    }
    let mut file = Tokens::read(&context.incident)
        .map_err(|error| StepError(format!("no token was issued: {error}")))?;
    for bot in seen.at_risk() {
        context.say(add(&bot.name));
        context.fence.look()?;
        let issued = issue(&context.plan, &bot.name)
            .await
            .map_err(|why| failed(&why))?;
        let until = issued
            .until
            .map_or_else(String::new, |until| format!(", until {until}"));
        file.add(issued).map_err(|error| {
            StepError(format!(
                "a token for {} was issued and could not be written down: {error}. Remove it (tctl tokens ls, tctl rm \
                 token/…) and run this step again",
                bot.name
            ))
        })?;
        context.say(format!(
            "  issued{until}: {} in {}; start tbot with it once, its data folder emptied",
            bot.name,
            file.path().display()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        incident::{Moment, Observation, bots::Bot},
        plan::sample,
    };

    #[test]
    fn each_lock_and_each_token_is_a_line_and_nothing_to_do_is_locked_in_words() {
        let plan = sample::plan();
        let mut instruments = Instruments::default();
        let why = seen(&plan, &instruments).expect_err("not read").0;
        assert!(why.contains("not been read"), "{why}");
        let mut take = |bots: Bots| {
            instruments.take(Observation {
                subject: Subject::Bots,
                at: Moment::from_secs(1),
                took: Duration::ZERO,
                outcome: Ok(Fact::Bots(Arc::new(bots))),
            });
            seen(&plan, &instruments)
        };
        let why = take(Bots::default()).expect_err("nothing").0;
        assert!(why.contains("nothing to unlock"), "{why}");
        let bot = Bot {
            name: "ci".to_owned(),
            methods: vec!["token".to_owned()],
            ..Bot::default()
        };
        let lock = BotLock {
            id: "a-b".to_owned(),
            target: "user bot-ci".to_owned(),
            made: None,
        };
        let lines = take(Bots {
            bots: vec![bot],
            locks: vec![lock],
            ..Bots::default()
        })
        .expect("lines");
        assert_eq!(
            lines[0],
            "tctl rm lock/a-b (on user bot-ci, nobody told when it was made)"
        );
        assert!(lines[1].starts_with("tctl bots instances add ci --format=json"));
    }
}
