//! Whether the agents are back: those with a heartbeat of since the relaunch, against those that there were.

use std::time::Duration;

use super::{Glance, Sight, glance};
use crate::incident::{Agents, Fact, Finding, Subject, agents::Compared, brief};

/// Longest that a count stands: rows are billed, and where there are many read every five minutes.
const SEEN: Duration = Duration::from_mins(11);
/// What keeps an agent away, and what brings it back.
const REMEDY: &str = "agents hold connections until the process behind them ends: stop what is left of the old proxies \
    (Stop old cluster, Restart old proxies). Else it is the agent's own DNS cache, a firewall that knows the old addresses \
    alone, or a ca_pin: restart one agent and read its log";

/// As many agents as the plan's `[objectives] agents` asks for have a heartbeat of since the relaunch.
#[must_use]
pub fn back(sight: &Sight<'_>) -> Finding {
    let seen = match glance(&Subject::Agents, sight) {
        Glance::Fresh(Fact::Agents(seen), _) => seen,
        Glance::Stale(_, age) => {
            return Finding::unknown(format!("agents were last counted {} ago", brief(age)));
        }
        Glance::Failed(failure, _) => {
            return Finding::unknown(format!("agents cannot be counted: {failure}"));
        }
        Glance::Never | Glance::Fresh(..) => {
            return Finding::unknown("agents have not been counted yet");
        }
    };
    let age = sight.now.since(seen.at);
    if age > SEEN || sight.since.is_some_and(|since| seen.at < since) {
        return Finding::unknown(format!(
            "the heartbeats in {} were last read {} ago",
            seen.table,
            brief(age)
        ));
    }
    let evidence = vec![Subject::Agents];
    let Some(compared) = seen.compared(sight.plan) else {
        return Finding::unknown(format!(
            "{} agents have a heartbeat of since the relaunch ({}), and nothing tells how many there were: neither a \
             black box nor [cluster] agents{}",
            seen.total(),
            seen.told(),
            away(seen)
        ));
    };
    let wanted = sight.plan.objectives.agents;
    let head = head(seen, &compared);
    if compared.percent() >= wanted {
        return Finding::pass(
            format!("{head}; {wanted}% asked for{}", away(seen)),
            evidence,
        );
    }
    if seen.cut {
        return Finding::unknown(format!(
            "at least {head}: {} holds more heartbeats than are read",
            seen.table
        ));
    }
    Finding::fail(
        format!(
            "{head}, and {wanted}% are asked for{}. {REMEDY}",
            away(seen)
        ),
        evidence,
    )
}

/// `agents 4 of 6 back (66%)`, where anything is known of them.
#[must_use]
pub fn line(sight: &Sight<'_>) -> Option<String> {
    let Glance::Fresh(Fact::Agents(seen), _) = glance(&Subject::Agents, sight) else {
        return None;
    };
    Some(seen.compared(sight.plan).map_or_else(
        || format!("{} agents back, of how many is not known", seen.total()),
        |compared| {
            format!(
                "agents {} of {} back ({}%)",
                compared.back,
                compared.of,
                compared.percent()
            )
        },
    ))
}

fn head(seen: &Agents, compared: &Compared) -> String {
    format!(
        "{} of {} agents are back ({}%, {}) by {}",
        compared.back,
        compared.of,
        compared.percent(),
        seen.told(),
        compared.by
    )
}

fn away(seen: &Agents) -> String {
    if seen.missing.is_empty() {
        return String::new();
    }
    format!("; not back: {}", seen.missing.join(", "))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        incident::{
            Failure, FailureKind, Instruments, Moment, Observation, Outcome,
            agents::{AgentKind, Before, Headcount},
        },
        plan::sample,
    };

    const NOW: Moment = Moment::from_secs(100_000);

    fn seen(live: u32, before: Option<u32>) -> Agents {
        Agents {
            at: NOW,
            since: NOW.minus(Duration::from_mins(9)),
            table: "t in us-west-2".to_owned(),
            live: Headcount::from([(AgentKind::Node, live), (AgentKind::Bot, 1)]),
            lapsed: Headcount::new(),
            before: before.map(|count| Before {
                at: NOW.minus(Duration::from_hours(2)),
                counts: Headcount::from([(AgentKind::Node, count), (AgentKind::Bot, 9)]),
            }),
            missing: vec!["node web-7".to_owned()],
            cut: false,
        }
    }

    fn judged(
        outcome: Option<Result<Agents, Failure>>,
        planned: Option<u32>,
        since: Option<Moment>,
    ) -> Finding {
        let mut instruments = Instruments::default();
        if let Some(outcome) = outcome {
            instruments.take(Observation {
                subject: Subject::Agents,
                at: NOW,
                took: Duration::ZERO,
                outcome: outcome.map(|seen| Fact::Agents(Arc::new(seen))),
            });
        }
        let mut plan = sample::plan();
        plan.cluster.agents = planned;
        back(&Sight {
            instruments: &instruments,
            plan: &plan,
            now: NOW,
            since,
            outage: None,
        })
    }

    #[test]
    fn they_are_back_by_what_there_was_and_else_nobody_can_tell() {
        let old = Agents {
            at: NOW.minus(Duration::from_mins(12)),
            ..seen(100, Some(100))
        };
        let cut = |live| Agents {
            cut: true,
            ..seen(live, Some(100))
        };
        let silent = Failure::new(FailureKind::NotFound, "no Auth pod");
        let cases = [
            (
                Some(Ok(seen(95, Some(100)))),
                None,
                Outcome::Pass,
                "95 of 100 agents are back (95%",
            ),
            (
                Some(Ok(seen(94, Some(100)))),
                None,
                Outcome::Fail,
                "not back: node web-7. agents hold",
            ),
            (
                Some(Ok(seen(0, Some(100)))),
                None,
                Outcome::Fail,
                "0 of 100",
            ),
            // The black box goes before the plan.
            (
                Some(Ok(seen(50, Some(100)))),
                Some(50),
                Outcome::Fail,
                "50 of 100",
            ),
            (
                Some(Ok(seen(50, None))),
                Some(50),
                Outcome::Pass,
                "[cluster] agents",
            ),
            (
                Some(Ok(seen(50, None))),
                None,
                Outcome::Unknown,
                "nothing tells how many",
            ),
            (Some(Ok(old)), None, Outcome::Unknown, "last read 12m"),
            (
                Some(Ok(cut(90))),
                None,
                Outcome::Unknown,
                "at least 90 of 100",
            ),
            (Some(Ok(cut(99))), None, Outcome::Pass, "99 of 100"),
            (Some(Err(silent)), None, Outcome::Unknown, "no Auth pod"),
            (None, None, Outcome::Unknown, "not been counted"),
        ];
        for (outcome, planned, wanted, words) in cases {
            let finding = judged(outcome, planned, None);
            assert_eq!(finding.outcome, wanted, "{}", finding.sentence);
            assert!(finding.sentence.contains(words), "{}", finding.sentence);
        }
    }

    #[test]
    fn rows_read_before_the_run_ended_are_no_evidence() {
        let early = Agents {
            at: NOW.minus(Duration::from_secs(5)),
            ..seen(100, Some(100))
        };
        let since = Some(NOW.minus(Duration::from_secs(2)));
        let finding = judged(Some(Ok(early)), None, since);
        assert_eq!(finding.outcome, Outcome::Unknown, "{}", finding.sentence);
    }
}
