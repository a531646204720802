//! The table by which two bastions share one incident: who holds it, under which token, and its journal.
//!
//! A `DynamoDB` table of the recovery region with the keys `incident` (S) and `seq` (N) holds, for each cluster, one row
//! that says who holds what ([`Held`]), and a row for each line of the incident's journal. Every write is conditional:
//!
//! * The holder's row is replaced only as it was seen ([`Shared::swap`]): of two that take at once, one has it.
//! * A line takes its number only while nobody else's has it ([`Shared::put`]). A holder that slept through a take-over finds
//!   the number of its next line taken by the new holder's first, and so writes nothing behind it, whatever it believes.
//!
//! A request whose answer was lost may have been carried out: what the table then holds says which.

use std::collections::HashMap;

use aws_sdk_dynamodb::{error::SdkError, types::AttributeValue};

use super::{Aws, Reach, explain};
use crate::{
    incident::{Failure, FailureKind, Moment, Side},
    plan::{CoordinationPlan, Plan},
};

/// Lines read in one call at most; `DynamoDB` itself ends a page at 1 MB.
const PAGE: i32 = 1000;
/// Longest line of a journal that fits into an item of 400 KB beside its keys, in bytes.
pub const LINE_CAP: usize = 390 * 1024;

/// The table of a plan, and the cluster whose incident is shared in it.
#[derive(Clone, Debug)]
pub struct Shared {
    reach: Reach,
    table: String,
    cluster: String,
}

/// Who holds the incident of a cluster, or held it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The name of the incident, which is that of its folder on every machine.
    pub incident: String,
    /// Fencing token; it only ever grows.
    pub token: u64,
    /// STS ARN with the OS user, or the OS user alone.
    pub operator: String,
    /// Host name.
    pub host: String,
    /// Since when, by the holder's clock.
    pub at: Moment,
    /// Counts up while the holder lives. Clocks of two machines are not compared: a holder whose count stands still for the
    /// length of a lease, as the onlooker's own clock tells, is silent.
    pub beat: u64,
    /// What the holder does with it.
    pub grip: Grip,
    /// Tells two rows apart that are alike in everything else.
    pub nonce: u64,
}

/// What a holder does with an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grip {
    /// It holds it.
    Held,
    /// It has let go: anybody may go on.
    Free,
    /// The incident is closed.
    Closed,
}

impl Grip {
    const ALL: [Self; 3] = [Self::Held, Self::Free, Self::Closed];

    const fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Free => "free",
            Self::Closed => "closed",
        }
    }
}

/// What became of a row that was to be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swap {
    /// It is as wanted.
    Done,
    /// Somebody was there first; the row as it is.
    Lost(Option<Box<Held>>),
}

/// What became of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is in the table.
    Done,
    /// Its number belongs to another line.
    Taken,
}

impl Shared {
    /// The table that a plan names; `None` if it names none.
    #[must_use]
    pub fn of(plan: &Plan) -> Option<Self> {
        let CoordinationPlan { table, .. } = plan.coordination.as_ref()?;
        Some(Self {
            reach: Aws::new(plan).side(Side::Recovery).clone(),
            table: table.clone(),
            cluster: plan.cluster.name.clone(),
        })
    }

    /// Where it lies, as sentences name it.
    #[must_use]
    pub fn place(&self) -> String {
        format!(
            "the coordination table {} in {}",
            self.table,
            self.reach.region()
        )
    }

    /// Who holds the cluster's incident, read consistently.
    ///
    /// # Errors
    /// If the table cannot be asked, or what it holds is no row of ours.
    pub async fn look(&self) -> Result<Option<Held>, Failure> {
        let client = self.reach.dynamodb().await;
        let said = client
            .get_item()
            .table_name(&self.table)
            .key("incident", text(self.lock()))
            .key("seq", number(0))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| explain("DynamoDB GetItem of the holder", &self.place(), &error))?;
        said.item().map(|item| self.read(item)).transpose()
    }

    /// Puts a row in place of the one that was seen; of none, where there was none.
    ///
    /// # Errors
    /// If the table cannot be asked, and there is no telling whether it was done.
    pub async fn swap(&self, before: Option<&Held>, after: &Held) -> Result<Swap, Failure> {
        let client = self.reach.dynamodb().await;
        let mut put = client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(self.row(after)));
        put = match before {
            None => put.condition_expression("attribute_not_exists(incident)"),
            Some(before) => put
                .condition_expression("fence = :fence AND beat = :beat AND nonce = :nonce")
                .expression_attribute_values(":fence", number(before.token))
                .expression_attribute_values(":beat", number(before.beat))
                .expression_attribute_values(":nonce", number(before.nonce)),
        };
        let Err(error) = put.send().await else {
            return Ok(Swap::Done);
        };
        let refused = is_refused(&error, |error| {
            error.is_conditional_check_failed_exception()
        });
        let failure = explain("DynamoDB PutItem of the holder", &self.place(), &error);
        // Refused may be the second try of a request whose first was carried out; no answer may be either.
        let found = self.look().await.map_err(|_| failure.clone())?;
        if found.as_ref() == Some(after) {
            Ok(Swap::Done)
        } else if refused || found.as_ref() != before {
            Ok(Swap::Lost(found.map(Box::new)))
        } else {
            Err(failure)
        }
    }

    /// Writes a line of an incident's journal under its number.
    ///
    /// # Errors
    /// If the table cannot be asked, and there is no telling whether the line is there.
    pub async fn put(&self, incident: &str, seq: u64, line: &str) -> Result<Put, Failure> {
        let client = self.reach.dynamodb().await;
        let sent = client
            .put_item()
            .table_name(&self.table)
            .item("incident", text(self.journal(incident)))
            .item("seq", number(seq))
            .item("line", text(line.to_owned()))
            .condition_expression("attribute_not_exists(incident)")
            .send()
            .await;
        let Err(error) = sent else {
            return Ok(Put::Done);
        };
        let refused = is_refused(&error, |error| {
            error.is_conditional_check_failed_exception()
        });
        let failure = explain("DynamoDB PutItem of the journal", &self.place(), &error);
        let found = self.lines(incident, seq.saturating_sub(1), Some(1)).await;
        match found.map_err(|_| failure.clone())?.first() {
            Some((at, there)) if *at == seq && there == line => Ok(Put::Done),
            Some((at, _)) if *at == seq => Ok(Put::Taken),
            _ if refused => Ok(Put::Taken),
            _ => Err(failure),
        }
    }

    /// The lines of an incident's journal behind a number, in order.
    ///
    /// # Errors
    /// If the table cannot be asked, or what it holds is no row of ours.
    pub async fn after(&self, incident: &str, seq: u64) -> Result<Vec<(u64, String)>, Failure> {
        self.lines(incident, seq, None).await
    }

    async fn lines(
        &self,
        incident: &str,
        seq: u64,
        most: Option<usize>,
    ) -> Result<Vec<(u64, String)>, Failure> {
        let client = self.reach.dynamodb().await;
        let mut found = Vec::new();
        let mut from = seq;
        loop {
            let said = client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .limit(
                    most.and_then(|most| i32::try_from(most).ok())
                        .unwrap_or(PAGE),
                )
                .key_condition_expression("incident = :incident AND seq > :seq")
                .expression_attribute_values(":incident", text(self.journal(incident)))
                .expression_attribute_values(":seq", number(from))
                .send()
                .await
                .map_err(|error| explain("DynamoDB Query of the journal", &self.place(), &error))?;
            for item in said.items() {
                let line = item.get("line").and_then(|line| line.as_s().ok());
                let (Some(seq), Some(line)) = (whole(item, "seq"), line) else {
                    return Err(self.strange("a line without number or text"));
                };
                found.push((seq, line.clone()));
                from = seq;
            }
            if most.is_some() || said.last_evaluated_key().is_none() {
                return Ok(found);
            }
        }
    }

    fn lock(&self) -> String {
        format!("holder {}", self.cluster)
    }

    fn journal(&self, incident: &str) -> String {
        format!("journal {} {incident}", self.cluster)
    }

    fn row(&self, held: &Held) -> HashMap<String, AttributeValue> {
        let texts = [
            ("incident", self.lock()),
            ("name", held.incident.clone()),
            ("operator", held.operator.clone()),
            ("host", held.host.clone()),
            ("grip", held.grip.word().to_owned()),
        ];
        let numbers = [
            ("seq", 0),
            ("fence", held.token),
            ("beat", held.beat),
            ("nonce", held.nonce),
            ("since", u64::try_from(held.at.millis()).unwrap_or_default()),
        ];
        let texts = texts.map(|(name, value)| (name.to_owned(), text(value)));
        let numbers = numbers.map(|(name, value)| (name.to_owned(), number(value)));
        texts.into_iter().chain(numbers).collect()
    }

    fn read(&self, item: &HashMap<String, AttributeValue>) -> Result<Held, Failure> {
        let own = |name: &str| item.get(name)?.as_s().ok().cloned();
        let grip =
            own("grip").and_then(|word| Grip::ALL.into_iter().find(|grip| grip.word() == word));
        let since = whole(item, "since").and_then(|at| i64::try_from(at).ok());
        let held = || {
            Some(Held {
                incident: own("name")?,
                token: whole(item, "fence")?,
                operator: own("operator")?,
                host: own("host")?,
                at: Moment::from_millis(since?),
                beat: whole(item, "beat")?,
                grip: grip?,
                nonce: whole(item, "nonce")?,
            })
        };
        held().ok_or_else(|| self.strange("a holder's row that lacks something"))
    }

    fn strange(&self, what: &str) -> Failure {
        Failure::new(
            FailureKind::Garbage,
            format!(
                "{} holds {what}: something else than Relight has written to it; give Relight a table of its own",
                self.place()
            ),
        )
    }
}

/// Whether a condition was not met.
fn is_refused<E, R>(error: &SdkError<E, R>, is: impl FnOnce(&E) -> bool) -> bool {
    matches!(error, SdkError::ServiceError(context) if is(context.err()))
}

const fn text(value: String) -> AttributeValue {
    AttributeValue::S(value)
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn whole(item: &HashMap<String, AttributeValue>, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}
