//! A bastion's end of an incident that several share: who holds it, by the table and by this machine's own clock.
//!
//! The cockpit that holds the incident's lock on a machine speaks for that machine: it alone asks the table, and it keeps
//! the machine's copy of the journal. Calls wait for the network, each for some seconds at most, and belong on a thread.

use std::{
    fmt, io,
    time::{Duration, Instant},
};

use tokio::runtime::{Builder, Runtime};

use crate::{
    clients::aws::coordination::{Grip, Held, LINE_CAP, Put, Shared, Swap},
    incident::{Failure, Moment, person::short},
    journal::{Entry, Lock, Record, WriteError, Writer},
    plan::Plan,
};

/// A holder breathes this often within a lease.
const BREATHS: u32 = 4;

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another one holds the incident.
    Other(Box<Held>),
    /// The table gives no answer, or none that can be used.
    Silent(String),
    /// The journal in the table is not the one on this machine.
    Apart(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(row) => write!(
                f,
                "{} on {} has held this incident since {} (token {}): this cockpit looks on",
                short(&row.operator),
                row.host,
                row.at,
                row.token
            ),
            Self::Silent(why) | Self::Apart(why) => f.write_str(why),
        }
    }
}

/// What this machine knows of an incident that it shares.
#[derive(Debug)]
pub struct Share {
    runtime: Runtime,
    shared: Shared,
    lease: Duration,
    operator: String,
    host: String,
    /// The row as this cockpit wrote it last, while it holds the incident.
    mine: Option<Held>,
    /// When the table last said that the incident is this cockpit's.
    heard: Instant,
}

impl Share {
    /// The share of a plan; `None` if it names no table.
    ///
    /// # Errors
    /// If the runtime for its calls cannot be started.
    pub fn of(plan: &Plan, operator: &str, host: &str) -> io::Result<Option<Self>> {
        let Some((shared, lease)) = Shared::of(plan).zip(plan.coordination.as_ref()) else {
            return Ok(None);
        };
        Ok(Some(Self {
            runtime: Builder::new_current_thread().enable_all().build()?,
            shared,
            lease: lease.lease,
            operator: operator.to_owned(),
            host: host.to_owned(),
            mine: None,
            heard: Instant::now(),
        }))
    }

    /// Where it is shared, for sentences.
    #[must_use]
    pub fn place(&self) -> String {
        self.shared.place()
    }

    /// How often the holder breathes and others look.
    #[must_use]
    pub fn pace(&self) -> Duration {
        self.lease / BREATHS
    }

    /// How long a successor waits before it starts anything above `look`.
    #[must_use]
    pub const fn lease(&self) -> Duration {
        self.lease
    }

    /// Looks who holds the incident. `Ok(None)` if there is none, or it is closed.
    ///
    /// # Errors
    /// If the table gives no answer.
    pub fn look(&mut self) -> Result<Option<Held>, Failure> {
        let found = self.runtime.block_on(self.shared.look())?;
        let mine = self.mine.as_ref().map(|mine| mine.nonce);
        if found.as_ref().is_some_and(|row| Some(row.nonce) == mine) {
            self.heard = Instant::now();
        }
        Ok(found.filter(|row| row.grip != Grip::Closed))
    }

    /// Takes the incident in place of the row that was seen, under a token above it and above `floor`; `over` if its holder
    /// has not let it go. The token, and the lowest one whose runs may still change something.
    ///
    /// # Errors
    /// If somebody else was there first, or the table gives no answer.
    pub fn take(
        &mut self,
        seen: Option<&Held>,
        incident: &str,
        floor: u64,
        over: bool,
    ) -> Result<(u64, u64), Refusal> {
        let token = seen.map_or(0, |row| row.token).max(floor).saturating_add(1);
        let honours = if over {
            token
        } else {
            seen.map_or(0, |row| row.honours)
        };
        let row = Held {
            incident: incident.to_owned(),
            token,
            honours,
            operator: self.operator.clone(),
            host: self.host.clone(),
            at: Moment::now(),
            beat: 0,
            grip: Grip::Held,
            nonce: fastrand::u64(..),
        };
        self.replace(seen, row)?;
        Ok((token, honours))
    }

    /// Breathes: others see that this cockpit lives, and it sees whether the incident is still its own.
    ///
    /// # Errors
    /// If it was taken over, or the table gives no answer.
    pub fn breathe(&mut self) -> Result<(), Refusal> {
        self.change(Grip::Held)
    }

    /// Lets the incident go, or closes it for everybody.
    ///
    /// # Errors
    /// If it was taken over, or the table gives no answer: then others wait for a lease.
    pub fn release(&mut self, grip: Grip) -> Result<(), Refusal> {
        let done = self.change(grip);
        self.mine = None;
        done
    }

    /// Whether the table has said within the lease that the incident is this cockpit's. After that another one may have it.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.mine.is_some() && self.heard.elapsed() < self.lease
    }

    /// By what the row that this cockpit wrote last is known.
    #[must_use]
    pub fn breath(&self) -> Option<u64> {
        self.mine.as_ref().map(|row| row.nonce)
    }

    /// The token under which this cockpit holds it.
    #[must_use]
    pub fn token(&self) -> Option<u64> {
        self.mine.as_ref().map(|row| row.token)
    }

    /// Writes a record for everybody, and then here.
    ///
    /// # Errors
    /// If the table or the disk does not take it.
    pub fn write(
        &mut self,
        incident: &str,
        lock: &Lock,
        writer: &mut Writer,
        entry: Entry,
    ) -> Result<Record, WriteError> {
        writer.append_shared(lock, Moment::now(), entry, LINE_CAP, |seq, line| {
            self.put(incident, seq, line).map_err(|why| why.to_string())
        })
    }

    /// Writes a line of the journal under its number, for everybody.
    ///
    /// # Errors
    /// If the number is another line's, the line is too long for the table, or the table gives no answer.
    pub fn put(&mut self, incident: &str, seq: u64, line: &str) -> Result<(), Refusal> {
        if line.len() > LINE_CAP {
            return Err(Refusal::Silent(format!(
                "record {seq} is {} bytes long, and {} takes {LINE_CAP}",
                line.len(),
                self.place()
            )));
        }
        match self.runtime.block_on(self.shared.put(incident, seq, line)) {
            Ok(Put::Done) => Ok(()),
            Ok(Put::Taken) => Err(self.refused(seq)),
            Err(failure) => Err(Refusal::Silent(failure.detail)),
        }
    }

    /// The lines of the journal behind a number.
    ///
    /// # Errors
    /// If the table gives no answer.
    pub fn after(&self, incident: &str, seq: u64) -> Result<Vec<(u64, String)>, Failure> {
        self.runtime.block_on(self.shared.after(incident, seq))
    }

    /// The number of the last line that the table has, up to one.
    ///
    /// # Errors
    /// If the table gives no answer.
    pub fn last(&self, incident: &str, most: u64) -> Result<u64, Failure> {
        // Numbers have no gaps: what is missing is missing to the end.
        let (mut there, mut beyond) = (0, most.saturating_add(1));
        while there + 1 < beyond {
            let middle = there.midpoint(beyond);
            let found = self.runtime.block_on(self.shared.has(incident, middle))?;
            if found {
                there = middle;
            } else {
                beyond = middle;
            }
        }
        Ok(there)
    }

    /// Passes on what somebody on this machine asks of the holder.
    ///
    /// # Errors
    /// If the table gives no answer.
    pub fn ask(&self, incident: &str, request: &str) -> Result<(), Failure> {
        self.runtime
            .block_on(self.shared.ask(incident, Moment::now(), request))
    }

    /// What others have asked of this cockpit behind a number.
    ///
    /// # Errors
    /// If the table gives no answer.
    pub fn asked(&self, incident: &str, seq: u64) -> Result<Vec<(u64, String)>, Failure> {
        self.runtime.block_on(self.shared.asked(incident, seq))
    }

    /// Who we are, once STS has said so: the next row names it.
    pub fn rename(&mut self, operator: &str) {
        operator.clone_into(&mut self.operator);
        if let Some(mine) = &mut self.mine {
            operator.clone_into(&mut mine.operator);
        }
    }

    /// A number that is taken is either a new holder's, who is named, or the journals have parted.
    fn refused(&mut self, seq: u64) -> Refusal {
        let mine = self.token();
        match self.look() {
            Ok(Some(row)) if Some(row.token) != mine => Refusal::Other(Box::new(row)),
            _ => Refusal::Apart(format!(
                "record {seq} of this incident in {} is not the one on this machine: to follow the table, move the incident's \
                 folder aside and open it again",
                self.place()
            )),
        }
    }

    fn change(&mut self, grip: Grip) -> Result<(), Refusal> {
        let Some(mine) = self.mine.clone() else {
            return Err(Refusal::Silent(
                "this cockpit does not hold the incident".to_owned(),
            ));
        };
        let row = Held {
            beat: mine.beat.saturating_add(1),
            nonce: fastrand::u64(..),
            grip,
            ..mine.clone()
        };
        self.replace(Some(&mine), row)
    }

    fn replace(&mut self, before: Option<&Held>, after: Held) -> Result<(), Refusal> {
        match self.runtime.block_on(self.shared.swap(before, &after)) {
            Ok(Swap::Done) => {
                self.mine = Some(after);
                self.heard = Instant::now();
                Ok(())
            }
            Ok(Swap::Lost(Some(other))) => {
                self.mine = None;
                Err(Refusal::Other(other))
            }
            Ok(Swap::Lost(None)) => {
                self.mine = None;
                Err(Refusal::Silent(format!(
                    "the holder's row is gone from {}",
                    self.place()
                )))
            }
            Err(failure) => Err(Refusal::Silent(failure.detail)),
        }
    }
}
