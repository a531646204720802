//! A `DynamoDB` table of a side. The data age is measured at most every five minutes: every such read is billed, on the
//! one partition that the Auth Service uses.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use crate::{
    clients::aws::{Reach, not_planned, tables::fetch},
    incident::{Fact, Failure, Moment, Part, Side, Subject, TableRole},
    probe::{Pace, Probe, Sink},
};

/// How often the billed query is made.
const MEASURE: Duration = Duration::from_mins(5);
/// Looks at one table.
#[derive(Debug)]
pub struct TableProbe {
    side: Side,
    role: TableRole,
    name: Option<String>,
    reach: Reach,
    interval: Duration,
    measured: Option<(Moment, Part<Option<Moment>>)>,
}

impl TableProbe {
    /// A probe of the table of that role on a side; without a name it says what to add to the plan.
    #[must_use]
    pub const fn new(
        side: Side,
        role: TableRole,
        name: Option<String>,
        reach: Reach,
        interval: Duration,
    ) -> Self {
        Self {
            side,
            role,
            name,
            reach,
            interval,
            measured: None,
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

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let Some(name) = &self.name else {
                let key = format!("{}_table to [{}]", self.role, self.side);
                return Err(not_planned(&format!("{} table", self.role), &key));
            };
            let now = Moment::now();
            let due = self
                .measured
                .as_ref()
                .is_none_or(|(at, _)| now.since(*at) >= MEASURE);
            let kept = self.measured.clone().filter(|_| !due);
            let table = fetch(&self.reach, name, self.role, kept, now).await?;
            self.measured = table.newest_at.map(|at| (at, table.newest.clone()));
            sink.put(
                Subject::Table(self.side, self.role),
                began.elapsed(),
                Ok(Fact::Table(table.into())),
            );
            Ok(())
        })
    }
}
