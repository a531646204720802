//! `confirm-agents`: counts the agents with a heartbeat of since the relaunch until as many are back as the plan asks for,
//! or until no other one has come back for a while.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use super::{Context, Native, StepError};
use crate::{
    clients::{agents, aws::Aws},
    incident::{Agents, Moment, Side, TableRole, brief},
    plan::Plan,
};

/// Between two looks …
const LOOK: Duration = Duration::from_secs(5);
/// … and between two at a table with many rows: each is billed.
const HEAVY: (usize, Duration) = (1_000, Duration::from_mins(1));

/// The row of [`super::natives`].
#[must_use]
pub fn native() -> Native {
    Native {
        name: "confirm-agents",
        needs: &["recovery.context"],
        calls,
        seen: None,
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let table = plan.recovery.table(TableRole::State);
    vec![
        format!(
            "GET pods of release {} in context {}: when Auth was relaunched",
            plan.cluster.release,
            plan.recovery.kube.context.as_deref().unwrap_or_default()
        ),
        format!(
            "DynamoDB Query {} in {}: keys and times of heartbeats, never a Value",
            table.unwrap_or("(no state_table in the plan)"),
            plan.recovery.region
        ),
        format!(
            "until {}% of the agents are back, or no other one for {}",
            plan.objectives.agents,
            brief(plan.objectives.agents_within)
        ),
    ]
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        if context.dry_run {
            for line in calls(plan) {
                context.say(line);
            }
            return Ok(());
        }
        let aws = Aws::new(plan);
        let reach = aws.side(Side::Recovery);
        let shelf = context.shelf();
        let mut watch = Watch::new(Instant::now());
        loop {
            let seen = Box::pin(agents::look(plan, reach, &shelf)).await;
            let pause = match &seen {
                Ok((_, rows)) if *rows >= HEAVY.0 => HEAVY.1,
                _ => LOOK,
            };
            match seen {
                Ok((seen, _)) => {
                    if let Some(line) = watch.line(&seen, plan) {
                        context.say(line);
                    }
                    let compared = seen.compared(plan);
                    if compared.is_some_and(|done| done.percent() >= plan.objectives.agents) {
                        context.say(format!(
                            "enough of them are back, {}",
                            seen.relaunched(Moment::now())
                        ));
                        return Ok(());
                    }
                    watch.grown(&seen, Instant::now());
                    if watch.quiet(Instant::now()) >= plan.objectives.agents_within {
                        return Err(given_up(&seen, plan));
                    }
                }
                Err(failure) => {
                    if let Some(line) = watch.other(failure.to_string()) {
                        context.say(line);
                    }
                    if watch.quiet(Instant::now()) >= plan.objectives.agents_within {
                        return Err(StepError(format!("agents cannot be counted: {failure}")));
                    }
                }
            }
            tokio::time::sleep(pause).await;
        }
    })
}

fn given_up(seen: &Agents, plan: &Plan) -> StepError {
    let quiet = brief(plan.objectives.agents_within);
    let away = if seen.missing.is_empty() {
        String::new()
    } else {
        format!("; not back: {}", seen.missing.join(", "))
    };
    StepError(match seen.compared(plan) {
        Some(compared) => format!(
            "no other agent has come back for {quiet}: {} of {} are back, {}% are asked for{away}",
            compared.back, compared.of, plan.objectives.agents
        ),
        None => format!(
            "no other agent has come back for {quiet}: {} are, and nothing tells how many there were{away}",
            seen.total()
        ),
    })
}

/// What has been said, and since when nobody has come back.
#[derive(Debug)]
struct Watch {
    said: String,
    most: u32,
    since: Instant,
}

impl Watch {
    const fn new(now: Instant) -> Self {
        Self {
            said: String::new(),
            most: 0,
            since: now,
        }
    }

    /// The line of a count, if it says anything new.
    fn line(&mut self, seen: &Agents, plan: &Plan) -> Option<String> {
        let told = seen.told();
        self.other(match seen.compared(plan) {
            Some(compared) => format!(
                "{} of {} agents back ({}%): {told}",
                compared.back,
                compared.of,
                compared.percent()
            ),
            None => format!(
                "{} agents back, of how many nothing tells: {told}",
                seen.total()
            ),
        })
    }

    fn other(&mut self, line: String) -> Option<String> {
        if self.said == line {
            return None;
        }
        self.said.clone_from(&line);
        Some(line)
    }

    fn grown(&mut self, seen: &Agents, now: Instant) {
        if seen.total() > self.most {
            self.most = seen.total();
            self.since = now;
        }
    }

    fn quiet(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        incident::agents::{AgentKind, Headcount},
        plan::sample,
    };

    #[test]
    fn only_what_is_new_is_said_and_only_another_agent_ends_the_quiet() {
        let plan = sample::plan();
        let seen = |count| Agents {
            at: Moment::from_secs(0),
            since: Moment::from_secs(0),
            table: String::new(),
            live: Headcount::from([(AgentKind::Node, count)]),
            lapsed: Headcount::new(),
            before: None,
            missing: vec!["node a".to_owned()],
            cut: false,
        };
        let began = Instant::now();
        let mut watch = Watch::new(began);
        assert!(
            watch
                .line(&seen(2), &plan)
                .is_some_and(|line| line.contains("nodes 2"))
        );
        assert_eq!(watch.line(&seen(2), &plan), None);
        let later = began + Duration::from_mins(3);
        watch.grown(&seen(2), later);
        assert_eq!(watch.quiet(later), Duration::ZERO);
        // One that went and came again is not another one.
        watch.grown(&seen(1), later + Duration::from_mins(1));
        watch.grown(&seen(2), later + Duration::from_mins(2));
        assert_eq!(
            watch.quiet(later + Duration::from_mins(2)),
            Duration::from_mins(2)
        );
        let why = given_up(&seen(2), &plan).0;
        assert!(
            why.contains("nothing tells how many") && why.contains("not back: node a"),
            "{why}"
        );
    }
}
