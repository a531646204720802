//! The cockpit's eye on the runs of an incident: their records and the growth of their output.
//!
//! Files are looked at ten times a second while a run is live and once a second otherwise. Everything is read again from
//! the beginning by whoever attaches; the journal's writer takes records over by run and sequence, as often as they come.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{
    Output, RunDir, adopt, adopt_with,
    event::{Follow, RunFact, RunRecord},
    start::all,
};
use crate::{
    incident::{Moment, RunId},
    journal::Folder,
};

/// Between two looks while a run is live.
const LIVE: Duration = Duration::from_millis(100);
/// Between two looks while none is, and between two looks at locks and for new folders.
const QUIET: Duration = Duration::from_secs(1);
/// Between two tries to have a run adopted.
const RETRY: Duration = Duration::from_secs(5);

/// What happened to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunEvent {
    /// The child runs.
    Started {
        /// The run.
        run: RunId,
        /// Sequence in the run's own records.
        of: u64,
        /// When.
        at: Moment,
        /// Process id of the runner.
        pid: u32,
    },
    /// The output has grown.
    Progress {
        /// The run.
        run: RunId,
        /// Lines in all.
        lines: u64,
        /// Bytes in all.
        bytes: u64,
    },
    /// The child is asked, or made, to end.
    Stopping {
        /// The run.
        run: RunId,
        /// Sequence in the run's own records.
        of: u64,
        /// When.
        at: Moment,
        /// In words: `TERM: cancelled`.
        how: String,
    },
    /// Something of the output is missing: the disk did not take it, or a runner was killed.
    Gap {
        /// The run.
        run: RunId,
        /// Sequence in the run's own records.
        of: u64,
        /// When.
        at: Moment,
        /// In words.
        what: String,
    },
    /// The runner was killed and the child goes on; a new runner is on its way if this cockpit is the operator's.
    Orphaned {
        /// The run.
        run: RunId,
    },
    /// The child ended, or was never started.
    Exited {
        /// The run.
        run: RunId,
        /// Sequence in the run's own records.
        of: u64,
        /// When.
        at: Moment,
        /// Exit code; `None` if a signal ended it, it never started, or nobody was there to be told.
        code: Option<i32>,
        /// In words.
        how: String,
    },
    /// Runner and child are gone, and how it ended nobody wrote down.
    ContactLost {
        /// The run.
        run: RunId,
        /// When that was found.
        at: Moment,
        /// In words.
        why: String,
    },
}

/// Watches the runs of one incident.
#[derive(Debug)]
pub struct Watch {
    incident: Folder,
    adopting: bool,
    binary: Option<PathBuf>,
    runs: BTreeMap<RunId, Watched>,
    listed: Option<Instant>,
    due: Option<Instant>,
}

#[derive(Debug)]
struct Watched {
    dir: RunDir,
    follow: Follow,
    output: Option<Output>,
    starting: bool,
    ended: bool,
    looked: Instant,
    adopted: Option<Instant>,
}

impl Watch {
    /// Watches the runs of an incident. The operator's cockpit adopts runs whose runner was killed; an observer's does
    /// not.
    #[must_use]
    pub const fn new(incident: Folder, operator: bool) -> Self {
        Self {
            incident,
            adopting: operator,
            binary: None,
            runs: BTreeMap::new(),
            listed: None,
            due: None,
        }
    }

    /// Uses this relight binary to adopt runs instead of the running one.
    #[must_use]
    pub fn with_binary(mut self, binary: PathBuf) -> Self {
        self.binary = Some(binary);
        self
    }

    /// After a hand-over: whether this cockpit is the operator's now.
    pub const fn set_operator(&mut self, operator: bool) {
        self.adopting = operator;
    }

    /// Looks for new runs at the next look, instead of within a second: after a start.
    pub const fn nudge(&mut self) {
        self.listed = None;
        self.due = None;
    }

    /// Whether a run is live.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.runs.values().any(|run| !run.ended)
    }

    /// Waits for the next events. May be dropped and called again at any time: nothing is lost, and nothing is read
    /// more often for it.
    pub async fn next(&mut self) -> Vec<RunEvent> {
        loop {
            if let Some(due) = self.due {
                tokio::time::sleep_until(due.into()).await;
            }
            let events = self.poll();
            let pause = if self.is_live() { LIVE } else { QUIET };
            self.due = Some(Instant::now() + pause);
            if !events.is_empty() {
                return events;
            }
        }
    }

    /// Looks now. What cannot be read is looked at again the next time: a run is never lost for that.
    pub fn poll(&mut self) -> Vec<RunEvent> {
        let now = Instant::now();
        if self.listed.is_none_or(|listed| now - listed >= QUIET) {
            self.listed = Some(now);
            for dir in all(&self.incident).unwrap_or_default() {
                if let Some(run) = dir.run() {
                    self.runs
                        .entry(run)
                        .or_insert_with(|| Watched::new(dir, now));
                }
            }
        }
        let mut events = Vec::new();
        for (run, watched) in &mut self.runs {
            if watched.ended {
                continue;
            }
            watched.read(run, &mut events);
            if watched.ended || now - watched.looked < QUIET {
                continue;
            }
            watched.looked = now;
            if watched.dir.is_live().unwrap_or(true) {
                watched.orphan(run, now, self.adopting, self.binary.as_ref(), &mut events);
            } else {
                // It may have ended between the two looks, with a record.
                watched.read(run, &mut events);
                watched.lose(run, &mut events);
            }
        }
        events
    }
}

impl Watched {
    fn new(dir: RunDir, now: Instant) -> Self {
        Self {
            dir,
            follow: Follow::default(),
            output: None,
            starting: false,
            ended: false,
            // The locks at once: whoever attaches wants to know.
            looked: now.checked_sub(QUIET).unwrap_or(now),
            adopted: None,
        }
    }

    /// New records, and output that has grown. Output first: what is said to be over is all there.
    fn read(&mut self, run: &RunId, events: &mut Vec<RunEvent>) {
        let records = self.follow.read(&self.dir).unwrap_or_default();
        if self.output.is_none() {
            self.output = Output::open(&self.dir).ok().flatten();
            self.progress(run, events);
        } else if self
            .output
            .as_mut()
            .is_some_and(|output| output.refresh().unwrap_or(false))
        {
            self.progress(run, events);
        }
        for record in records {
            self.take(run, record, events);
        }
        if self.ended {
            self.output = None;
        }
    }

    fn progress(&self, run: &RunId, events: &mut Vec<RunEvent>) {
        if let Some(output) = self.output.as_ref().filter(|output| output.bytes() > 0) {
            events.push(RunEvent::Progress {
                run: run.clone(),
                lines: output.lines(),
                bytes: output.bytes(),
            });
        }
    }

    fn take(&mut self, run: &RunId, record: RunRecord, events: &mut Vec<RunEvent>) {
        let (run, of, at) = (run.clone(), record.seq, record.at);
        self.ended |= record.what.is_end();
        events.push(match record.what {
            RunFact::Starting { .. } => {
                self.starting = true;
                return;
            }
            RunFact::Unknown => return,
            RunFact::Started { runner: pid, .. } => RunEvent::Started { run, of, at, pid },
            RunFact::Adopted { note: what, .. } => RunEvent::Gap { run, of, at, what },
            RunFact::OutputLost { bytes, why } => {
                let what = format!("{bytes} bytes of output were lost: {why}");
                RunEvent::Gap { run, of, at, what }
            }
            RunFact::Stopping { signal, why } => {
                let how = format!("{signal}: {why}");
                RunEvent::Stopping { run, of, at, how }
            }
            RunFact::Exited { code, how, .. } => RunEvent::Exited {
                run,
                of,
                at,
                code,
                how,
            },
            RunFact::Lost { why } => RunEvent::ContactLost { run, at, why },
        });
    }

    /// Looks whether the runner is gone while the child goes on.
    fn orphan(
        &mut self,
        run: &RunId,
        now: Instant,
        adopting: bool,
        binary: Option<&PathBuf>,
        events: &mut Vec<RunEvent>,
    ) {
        let tried = self.adopted.is_some_and(|at| now - at < RETRY);
        if !self.starting || tried || self.dir.has_runner().unwrap_or(true) {
            return;
        }
        self.adopted = Some(now);
        events.push(RunEvent::Orphaned { run: run.clone() });
        if adopting {
            // Tried again if it does not come about; there is nothing else to do.
            let _ = match binary {
                Some(binary) => adopt_with(binary, &self.dir),
                None => adopt(&self.dir),
            };
        }
    }

    fn lose(&mut self, run: &RunId, events: &mut Vec<RunEvent>) {
        if self.ended {
            return;
        }
        self.ended = true;
        self.output = None;
        let why = if self.starting {
            "runner and child are gone, and how it ended was not recorded; the instruments say what the world looks like"
        } else {
            "the runner is gone before it started anything"
        };
        events.push(RunEvent::ContactLost {
            run: run.clone(),
            at: Moment::now(),
            why: why.to_owned(),
        });
    }
}
