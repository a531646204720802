//! Whether everything is ready for the day, asked while no incident is open: every precondition of the runbook that can be
//! met beforehand, and every piece of advice in the guide.
//!
//! [`QUESTIONS`] is the list: to ask one more, add a row. Each gives one ruling, or several where what is asked for lies
//! in the operator's values. Two things are never green: what nobody has looked at, and what Relight does not look at at
//! all, which [`not_looked_at`] names.

mod copies;
mod install;
mod kept;
mod names;
mod questions;

use std::time::Duration;

pub use questions::{NOT_LOOKED_AT, QUESTIONS};

use super::Sight;
use crate::incident::{Condition, Drills, Finding, Outcome, Subject};

/// What is asked by.
#[derive(Clone, Copy, Debug)]
pub struct Inquiry<'a> {
    /// The readings and the plan.
    pub sight: Sight<'a>,
    /// The last exercise.
    pub drills: &'a Drills,
    /// How long a relaunch takes.
    pub relaunch: Relaunch,
}

/// How long a relaunch takes from its first step to its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relaunch {
    /// By the median of each step.
    pub takes: Duration,
    /// How many incidents and drills that rests on; 0 for the guide's hour.
    pub incidents: usize,
}

/// What a question is about; the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Copies of both tables, and the tables themselves.
    Backups,
    /// Session recordings.
    Recordings,
    /// Credentials, clusters, and the ways in.
    Access,
    /// IAM roles, trust and keys.
    Rights,
    /// What the proxies answer with.
    Certificates,
    /// What the chart needs where it is installed.
    Install,
    /// The names and their records.
    Names,
    /// What is kept and tried beforehand.
    Practice,
}

impl Topic {
    /// Every topic, in order.
    pub const ALL: [Self; 8] = [
        Self::Backups,
        Self::Recordings,
        Self::Access,
        Self::Rights,
        Self::Certificates,
        Self::Install,
        Self::Names,
        Self::Practice,
    ];

    /// Its word in every format.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Backups => "backups",
            Self::Recordings => "recordings",
            Self::Access => "access",
            Self::Rights => "rights",
            Self::Certificates => "certificates",
            Self::Install => "install",
            Self::Names => "names",
            Self::Practice => "practice",
        }
    }
}

/// `READY`, `NOT READY` or `UNKNOWN`.
#[must_use]
pub const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "READY",
        Outcome::Fail => "NOT READY",
        Outcome::Unknown => "UNKNOWN",
    }
}

/// One question.
pub struct Question {
    /// What it is about.
    pub topic: Topic,
    /// Its name, short; the ruling of one that gives several has names of its own.
    pub name: &'static str,
    /// The guide's step, or the fact, that asks for it.
    pub basis: &'static str,
    /// What to do where it is not ready.
    pub remedy: &'static str,
    /// The runbook's conditions that it asks beforehand.
    pub conditions: &'static [Condition],
    /// How it is answered.
    pub ask: Ask,
}

/// How a question is answered.
#[derive(Clone, Copy)]
pub enum Ask {
    /// By a condition's own judge: what stands in a step's way on the day.
    Sight(fn(&Sight<'_>) -> Finding),
    /// By one ruling.
    One(fn(&Inquiry<'_>) -> Ruling),
    /// By one for each thing that is asked for, with its name.
    Each(fn(&Inquiry<'_>) -> Vec<(String, Ruling)>),
}

/// What a question came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The result.
    pub outcome: Outcome,
    /// In words.
    pub sentence: String,
    /// How old the oldest thing is that it rests on; `None` if nothing is known.
    pub age: Option<Duration>,
    /// What to do, where that depends on what was seen.
    pub remedy: Option<String>,
}

impl Ruling {
    /// A ruling on something that is not a reading: the plan, a journal.
    fn new(outcome: Outcome, sentence: impl Into<String>, age: Option<Duration>) -> Self {
        Self {
            outcome,
            sentence: sentence.into(),
            age,
            remedy: None,
        }
    }

    /// What a judge has found, with the age of its evidence.
    fn of(finding: Finding, sight: &Sight<'_>) -> Self {
        let age = oldest(&finding.evidence, sight);
        Self::new(finding.outcome, finding.sentence, age)
    }

    /// A ruling on readings.
    fn on(
        outcome: Outcome,
        sentence: impl Into<String>,
        evidence: &[Subject],
        sight: &Sight<'_>,
    ) -> Self {
        Self::new(outcome, sentence, oldest(evidence, sight))
    }

    /// There is no telling.
    fn unknown(sentence: impl Into<String>) -> Self {
        Self::new(Outcome::Unknown, sentence, None)
    }

    fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..self
        }
    }
}

fn oldest(evidence: &[Subject], sight: &Sight<'_>) -> Option<Duration> {
    let readings = evidence
        .iter()
        .filter_map(|subject| sight.instruments.get(subject));
    readings
        .map(|reading| sight.now.since(reading.last.at))
        .max()
}

/// A question with what it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is about.
    pub topic: Topic,
    /// Its name.
    pub name: String,
    /// The guide's step, or the fact, that asks for it.
    pub basis: &'static str,
    /// What it came to.
    pub outcome: Outcome,
    /// In words.
    pub sentence: String,
    /// How old the oldest thing is that it rests on.
    pub age: Option<Duration>,
    /// What to do; empty where it is ready.
    pub remedy: String,
}

/// Asks every question.
#[must_use]
pub fn rows(inquiry: &Inquiry<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for question in QUESTIONS {
        let named = question.name.to_owned();
        let rulings = match question.ask {
            Ask::Sight(ask) => vec![(named, Ruling::of(ask(&inquiry.sight), &inquiry.sight))],
            Ask::One(ask) => vec![(named, ask(inquiry))],
            Ask::Each(ask) => ask(inquiry),
        };
        rows.extend(rulings.into_iter().map(|(name, ruling)| Row {
            topic: question.topic,
            name,
            basis: question.basis,
            outcome: ruling.outcome,
            sentence: ruling.sentence,
            age: ruling.age,
            remedy: match (ruling.outcome, ruling.remedy) {
                (Outcome::Pass, _) => String::new(),
                (_, Some(remedy)) => remedy,
                (_, None) => question.remedy.to_owned(),
            },
        }));
    }
    rows.sort_by_key(|row| row.topic);
    rows
}

/// What the day may still depend on and nobody has looked at, each with why: what cannot be seen from here, and what Relight
/// does not look at.
#[must_use]
pub fn not_looked_at(inquiry: &Inquiry<'_>) -> Vec<(String, String)> {
    let never = NOT_LOOKED_AT.iter();
    let never = never.map(|&(what, why)| (what.to_owned(), why.to_owned()));
    install::unseen(inquiry).into_iter().chain(never).collect()
}

#[cfg(test)]
mod tests;
