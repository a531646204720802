//! What runs tell, and what they came to.

use std::time::Duration;

use super::super::{Access, Pending, Run, RunEvent, RunState, State};
use super::{Effect, Tone};
use crate::{
    incident::{Evidence, Finding, Observation, Outcome, RunId, Step, Subject, Verdict},
    journal::Entry,
    judge,
};

/// A run whose child failed is not waited for longer than this: the world will hardly catch up with it.
const AFTER_FAILURE: Duration = Duration::from_secs(30);

/// At most this many observations go into a verdict's record: a sweep of 1,000 resolvers is in the track file.
const EVIDENCE: usize = 40;

impl State {
    /// Takes over what a runner has written, once: the holder writes it into the journal.
    pub(super) fn run_moved(&mut self, event: RunEvent) -> Vec<Effect> {
        if matches!(self.access, Access::Observer(_)) {
            return Vec::new();
        }
        let entry = match event {
            RunEvent::Started { run, of, pid } => self
                .in_state(&run, |run| run.state == RunState::Confirmed)
                .then_some(Entry::Started { run, of, pid }),
            RunEvent::Exited { run, of, code, how } => self
                .in_state(&run, Run::is_live)
                .then_some(Entry::Exited { run, of, code, how }),
            RunEvent::ContactLost { run, why } => self
                .in_state(&run, Run::is_live)
                .then_some(Entry::ContactLost { run, why }),
            RunEvent::Grew { .. } => None,
        };
        let Some(entry) = entry else {
            return Vec::new();
        };
        self.owed.push(entry.clone());
        vec![Effect::Record(entry)]
    }

    fn in_state(&self, run: &RunId, fits: impl Fn(&Run) -> bool) -> bool {
        self.story.runs.get(run).is_some_and(fits)
    }

    /// Judges every ended run by what is seen since its end.
    pub(super) fn judge_runs(&mut self) -> Vec<Effect> {
        if matches!(self.access, Access::Observer(_)) {
            return Vec::new();
        }
        let ended = self
            .story
            .in_order()
            .filter(|run| run.is_settling() && !run.armed.dry_run)
            .filter(|run| run.armed.evidence == Evidence::Seen);
        let ended: Vec<Run> = ended.cloned().collect();
        ended.iter().filter_map(|run| self.judge_run(run)).collect()
    }

    fn judge_run(&mut self, run: &Run) -> Option<Effect> {
        let id = &run.armed.run;
        let step = self.runbook.get(&run.armed.step)?;
        let step = step.by(run.armed.way).into_owned();
        if self.pending.contains(&Pending::Judging(id.clone())) {
            return None;
        }
        let findings = self.findings(&step, run);
        let verdict = self.verdict(&step, run, &findings)?;
        self.pending.push(Pending::Judging(id.clone()));
        let evidence = self.evidence(&findings);
        Some(Effect::Record(Entry::Judged {
            run: id.clone(),
            verdict,
            findings,
            evidence,
        }))
    }

    fn findings(&self, step: &Step, run: &Run) -> Vec<Finding> {
        let sight = self.sight_since(run.ended);
        step.post
            .iter()
            .map(|post| judge::condition(*post, &sight))
            .collect()
    }

    /// PASS once every postcondition has held for `hold`; FAIL or UNKNOWN when time is up; `None` while it is not.
    fn verdict(&mut self, step: &Step, run: &Run, findings: &[Finding]) -> Option<Verdict> {
        let id = &run.armed.run;
        let holds = !findings.is_empty()
            && findings
                .iter()
                .all(|finding| finding.outcome == Outcome::Pass && !finding.evidence.is_empty())
            && self.not_looked_since(run, findings).is_none();
        if holds {
            let since = *self.holding.entry(id.clone()).or_insert(self.now);
            return (self.now.since(since) >= step.hold).then_some(Verdict::Pass);
        }
        self.holding.remove(id);
        let ended = run.ended.unwrap_or(run.armed_at);
        // A command whose end nobody saw may have done its work: the world gets the whole time to say so.
        let failed = run.code.is_some_and(|code| code != 0) || run.cancelled.is_some();
        let patience = if failed {
            step.settle.min(AFTER_FAILURE)
        } else {
            step.settle
        };
        if self.now.since(ended) < patience {
            return None;
        }
        let failed = findings
            .iter()
            .any(|finding| finding.outcome == Outcome::Fail);
        Some(if failed {
            Verdict::Fail
        } else {
            Verdict::Unknown
        })
    }

    /// What the findings rest on and has not been looked at since the run ended. A judge may compare with what was before
    /// (the black box, the pins at the old door), whatever its age; that it still is so must be seen anew.
    pub(in crate::state) fn not_looked_since<'a>(
        &self,
        run: &Run,
        findings: &'a [Finding],
    ) -> Option<&'a Subject> {
        let mut subjects = findings.iter().flat_map(|finding| &finding.evidence);
        subjects.find(|subject| {
            let reading = self.instruments.get(subject);
            reading.is_none_or(|reading| run.ended.is_some_and(|ended| reading.last.at < ended))
        })
    }

    fn evidence(&self, findings: &[Finding]) -> Vec<Observation> {
        let mut subjects: Vec<_> = findings
            .iter()
            .flat_map(|finding| &finding.evidence)
            .collect();
        subjects.sort();
        subjects.dedup();
        let readings = subjects
            .into_iter()
            .filter_map(|subject| self.instruments.get(subject));
        readings
            .take(EVIDENCE)
            .map(|reading| reading.last.clone())
            .collect()
    }

    /// A verdict is on disk.
    pub(super) fn judged(&mut self, run: &RunId, verdict: Verdict) -> Vec<Effect> {
        self.holding.remove(run);
        let Some(judged) = self.story.runs.get(run) else {
            return Vec::new();
        };
        let title = self
            .runbook
            .get(&judged.armed.step)
            .map_or("a step", |step| step.title.as_str());
        let odd = verdict == Verdict::Pass && judged.code != Some(0);
        let how = judged.how.clone().unwrap_or_default();
        let text = if odd {
            format!("{title}: PASS, although its command ended with {how}: the desired state holds")
        } else {
            format!("{title}: {verdict}")
        };
        self.notify(
            if verdict == Verdict::Pass {
                Tone::Info
            } else {
                Tone::Warn
            },
            text,
        );
        // The cursor goes on to the next step by itself, unless the operator has moved it elsewhere.
        if verdict == Verdict::Pass {
            self.follow_runbook(run);
        }
        vec![Effect::Bell]
    }
}
