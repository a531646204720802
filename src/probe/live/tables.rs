//! A `DynamoDB` table of a side. The data age is measured and the host authority looked for at most every five minutes:
//! every such read is billed, on the one partition that the Auth Service uses.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use crate::{
    clients::aws::{
        Reach, not_planned,
        tables::{Asked, Measured, fetch},
    },
    incident::{Fact, Failure, FailureKind, Moment, Side, Subject, TableRole},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// How often the billed query is made.
const MEASURE: Duration = Duration::from_mins(5);
/// The same when it is asked for: a step that has just ended waits for evidence from after its end, and no longer than
/// it takes to settle.
const MEASURE_ASKED: Duration = Duration::from_secs(5);

/// Looks at one table.
#[derive(Debug)]
pub struct TableProbe {
    side: Side,
    role: TableRole,
    name: Option<String>,
    cluster: String,
    reach: Reach,
    interval: Duration,
    measured: Measured,
    /// A measurement was asked for since the last one.
    asked: bool,
}

impl TableProbe {
    /// A probe of the table of that role on a side; without a name it says what to add to the plan.
    #[must_use]
    pub fn new(side: Side, role: TableRole, plan: &Plan, reach: Reach) -> Self {
        Self {
            side,
            role,
            name: plan.side(side).table(role).map(str::to_owned),
            cluster: plan.cluster.name.clone(),
            reach,
            interval: plan.interval(&Subject::Table(side, role)),
            measured: Measured::default(),
            asked: false,
        }
    }
}

impl Probe for TableProbe {
    fn name(&self) -> String {
        format!("table {} {}", self.side, self.role)
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Table(self.side, self.role)]
    }

    fn pace(&self) -> Pace {
        super::aws::pace(self.interval)
    }

    fn asked(&mut self) {
        self.asked = true;
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let Some(name) = &self.name else {
                let key = format!("{}_table to [{}]", self.role, self.side);
                return Err(not_planned(&format!("{} table", self.role), &key));
            };
            let now = Moment::now();
            let kept = self.measured.newest.map(|(at, _)| at);
            let owner = self.measured.authority.as_ref().map(|owner| owner.at);
            if kept.is_none_or(|at| due(at, self.asked, now)) {
                self.measured.newest = None;
            }
            if owner.is_none_or(|at| due(at, self.asked, now)) {
                self.measured.authority = None;
            }
            if self.measured.newest.is_none() {
                self.asked = false;
            }
            let asked = Asked {
                name,
                role: self.role,
                cluster: &self.cluster,
            };
            let table = match fetch(&self.reach, &asked, &mut self.measured, now).await {
                Ok(table) => table,
                Err(failure) => {
                    // What is made under that name next is another table.
                    if failure.kind == FailureKind::NotFound {
                        self.measured = Measured::default();
                    }
                    return Err(failure);
                }
            };
            sink.put(
                Subject::Table(self.side, self.role),
                began.elapsed(),
                Ok(Fact::Table(table.into())),
            );
            Ok(())
        })
    }
}

/// Whether a billed query that was made then is to be made again.
fn due(at: Moment, asked: bool, now: Moment) -> bool {
    now.since(at) >= if asked { MEASURE_ASKED } else { MEASURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_is_good_for_five_minutes_and_for_less_when_asked_for() {
        let at = Moment::from_secs(1_000);
        for (after, asked, again) in [
            (0, true, false),
            (4, true, false),
            (5, true, true),
            (299, false, false),
            (300, false, true),
        ] {
            let now = at.plus(Duration::from_secs(after));
            assert_eq!(due(at, asked, now), again, "{after} {asked}");
        }
    }
}
