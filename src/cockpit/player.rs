//! What a replay is fed with: records and track as events, each with the time at which it was written down.
//!
//! The track holds changes only. While a cockpit was looking, a value that did not change was seen again and again without
//! a line: so it is carried on, and looks stale only where really nobody looked.

use std::collections::BTreeMap;

use crate::{
    incident::{Moment, Observation, RunId, Subject},
    journal::{Entry, Folder, Record},
    run::{self, RunDir},
    state::{Event, Output, OutputLine, State, Wanted},
};

/// So many lines of output are held around what is on screen.
const WINDOW: u64 = 400;

/// An incident that is played.
pub(super) struct Player {
    folder: Folder,
    records: Vec<Record>,
    looks: Vec<Observation>,
    /// The first record that is still to come.
    record: usize,
    /// The first look that is still to come.
    look: usize,
    newest: BTreeMap<Subject, Observation>,
    /// Whether a cockpit was looking.
    watched: bool,
    /// The incident's own time.
    pub clock: Moment,
    outputs: BTreeMap<RunId, Option<run::Output>>,
    /// Lines of each run's output that had come, as last told.
    told: BTreeMap<RunId, u64>,
}

impl Player {
    /// Begins before the first record.
    pub fn new(folder: Folder, records: Vec<Record>, track: Vec<Observation>) -> Self {
        let evidence = records.iter().flat_map(|record| match &record.entry {
            Entry::Judged { evidence, .. } => evidence.as_slice(),
            _ => &[],
        });
        let mut looks: Vec<Observation> = evidence.cloned().chain(track).collect();
        looks.sort_by_key(|look| look.at);
        let clock = records
            .first()
            .map_or_else(Moment::default, |first| first.at);
        Self {
            folder,
            records,
            looks,
            record: 0,
            look: 0,
            newest: BTreeMap::new(),
            watched: false,
            clock,
            outputs: BTreeMap::new(),
            told: BTreeMap::new(),
        }
    }

    /// The time of the last thing there is.
    pub fn end(&self) -> Moment {
        let record = self.records.last().map(|record| record.at);
        let look = self.looks.last().map(|look| look.at);
        record.max(look).unwrap_or_default()
    }

    /// Whether nothing comes any more.
    pub fn is_over(&self) -> bool {
        self.record == self.records.len() && self.look == self.looks.len()
    }

    /// The time of the next transition.
    pub fn next(&self) -> Option<Moment> {
        self.records.get(self.record).map(|record| record.at)
    }

    /// The time of the transition before the one that was played last.
    pub fn previous(&self) -> Option<Moment> {
        let played = &self.records[..self.record];
        let last = played.last()?.at;
        let before = played.iter().rev().find(|record| record.at < last);
        before.or(played.first()).map(|record| record.at)
    }

    /// Begins again.
    pub fn rewind(&mut self) {
        self.record = 0;
        self.look = 0;
        self.newest.clear();
        self.told.clear();
        self.watched = false;
        self.clock = self
            .records
            .first()
            .map_or_else(Moment::default, |first| first.at);
    }

    /// Feeds a state with everything up to a moment, in the order in which it came.
    pub fn advance(&mut self, state: &mut State, to: Moment) {
        let to = to.min(self.end()).max(self.clock);
        while let Some(at) = self.next().filter(|at| *at <= to) {
            self.look_until(state, at);
            let record = self.records[self.record].clone();
            self.record += 1;
            match &record.entry {
                Entry::Declared { .. } | Entry::Attached | Entry::Took { .. } => {
                    self.watched = true;
                }
                Entry::Detached | Entry::HandedOver { .. } => self.watched = false,
                _ => {}
            }
            state.decide(Event::Replayed(vec![record]));
        }
        self.look_until(state, to);
        self.clock = to;
        self.carry(state);
        state.decide(Event::Tick(to));
        self.grow(state);
    }

    fn look_until(&mut self, state: &mut State, at: Moment) {
        let from = self.look;
        self.look += self.looks[from..].partition_point(|look| look.at <= at);
        let seen = &self.looks[from..self.look];
        if seen.is_empty() {
            return;
        }
        for look in seen {
            self.newest.insert(look.subject.clone(), look.clone());
        }
        state.decide(Event::Observed(seen.to_vec(), at));
    }

    /// What has not changed was seen again before it would have looked stale.
    fn carry(&self, state: &mut State) {
        if !self.watched {
            return;
        }
        let due = self.newest.values().filter(|look| {
            let reading = state.instruments.get(&look.subject);
            let limit = state.plan.stale_after(&look.subject) / 2;
            reading.is_some_and(|reading| self.clock.since(reading.last.at) >= limit)
        });
        let again: Vec<Observation> = due
            .map(|look| Observation {
                at: self.clock,
                ..look.clone()
            })
            .collect();
        if !again.is_empty() {
            state.decide(Event::Observed(again, self.clock));
        }
    }

    /// The shown run's output has grown, as far as it had come by now.
    fn grow(&mut self, state: &mut State) {
        let Some(run) = state.shown_run().map(|run| run.armed.run.clone()) else {
            return;
        };
        let lines = self.lines(&run);
        if self.told.insert(run.clone(), lines) != Some(lines)
            && let Some(output) = self.window(&run, Wanted::Tail)
        {
            state.decide(Event::Output(run, output));
        }
    }

    /// A part of a run's output, as far as it had come by now.
    pub fn window(&mut self, run: &RunId, wanted: Wanted) -> Option<Output> {
        let total = self.lines(run);
        let from = match wanted {
            Wanted::Tail => total.saturating_sub(WINDOW),
            Wanted::Around(line) => line.saturating_sub(WINDOW / 2),
        };
        let count = usize::try_from(WINDOW.min(total.saturating_sub(from))).unwrap_or(0);
        let lines = self.output(run)?.window(from, count).ok()?;
        let lines = lines.into_iter().map(|line| OutputLine {
            number: line.number,
            at: line.at,
            text: line.text,
        });
        Some(Output {
            total,
            lines: lines.collect(),
        })
    }

    /// How many lines of a run's output had come by now: they stand in the order of their times.
    fn lines(&mut self, run: &RunId) -> u64 {
        let clock = self.clock;
        let Some(output) = self.output(run) else {
            return 0;
        };
        let (mut low, mut high) = (0, output.lines());
        while low < high {
            let middle = low + (high - low) / 2;
            let line = output
                .window(middle, 1)
                .ok()
                .and_then(|lines| lines.into_iter().next());
            if line.is_some_and(|line| line.at <= clock) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn output(&mut self, run: &RunId) -> Option<&run::Output> {
        let folder = &self.folder;
        let open = || run::Output::open(&RunDir::of(folder, run)).ok().flatten();
        self.outputs
            .entry(run.clone())
            .or_insert_with(open)
            .as_ref()
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc, time::Duration};

    use super::*;
    use crate::{
        cockpit::{past::Past, start::prepare},
        incident::{Door, Side},
        journal::Track,
        judge::{Glance, glance},
        state::{Access, Story},
    };

    /// The fixture, copied to where it is ours alone, its player and a state.
    fn played() -> (tempfile::TempDir, Past, Player, State) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let fixture = root.join("tests/fixtures/journals/eight-steps");
        let temp = tempfile::tempdir().expect("a folder");
        for name in ["journal.jsonl", "track.jsonl"] {
            std::fs::copy(fixture.join(name), temp.path().join(name)).expect("copied");
        }
        let folder = Folder::at(temp.path());
        let past = Past::open(folder.clone()).expect("an incident");
        let track = Track::read(&folder).collect();
        let player = Player::new(folder, past.records.clone(), track);
        let state = blank(&past, &player);
        (temp, past, player, state)
    }

    fn blank(past: &Past, player: &Player) -> State {
        let access = Access::Observer("a replay".to_owned());
        let (plan, runbook) = (Arc::clone(&past.plan), Arc::clone(&past.runbook));
        State::new(plan, runbook, access, player.clock, prepare(&past.plan))
    }

    #[test]
    fn at_any_speed_and_after_any_way_back_the_story_is_the_journals() {
        let (_temp, past, mut player, mut state) = played();
        let begin = player.clock;
        assert_eq!(player.end(), begin.plus(Duration::from_secs(1105)));
        for step in [1, 7, 400, 10_000] {
            while !player.is_over() {
                let to = player.clock.plus(Duration::from_secs(step));
                player.advance(&mut state, to);
                let until = past
                    .records
                    .iter()
                    .filter(|record| record.at <= player.clock);
                assert_eq!(state.story, Story::of(until), "{step} {}", player.clock);
                assert_eq!(state.now, player.clock, "time is the incident's");
            }
            assert_eq!(player.clock, player.end());
            player.rewind();
            state = blank(&past, &player);
            assert_eq!((player.clock, state.story.seq), (begin, 0));
        }
        // From the end back, transition by transition, to the first.
        player.advance(&mut state, player.end());
        let mut before = player.clock;
        while let Some(target) = player.previous().filter(|at| *at < before) {
            player.rewind();
            state = blank(&past, &player);
            player.advance(&mut state, target);
            assert_eq!(player.clock, target);
            before = target;
        }
        assert_eq!(before, begin);
    }

    #[test]
    fn what_did_not_change_was_seen_and_where_nobody_looked_it_is_stale() {
        let (_temp, _past, mut player, mut state) = played();
        let begin = player.clock;
        let door = Subject::Door(Door::Old);
        let fresh = |state: &State| matches!(glance(&door, &state.sight()), Glance::Fresh(..));
        // Seen once at 6 s; let go at 300 s and taken by another at 330 s.
        for (secs, wanted) in [(100, true), (290, true), (329, false), (331, true)] {
            player.advance(&mut state, begin.plus(Duration::from_secs(secs)));
            let gap = state.plan.stale_after(&door);
            assert!(gap < Duration::from_secs(29), "{gap:?}");
            assert_eq!(fresh(&state), wanted, "{secs}");
        }
        let unseen = Subject::Cluster(Side::Recovery);
        assert!(
            state.instruments.get(&unseen).is_none(),
            "not before it was seen"
        );
    }
}
