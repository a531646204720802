//! How long steps took in earlier incidents and drills of the same cluster.

use std::{collections::BTreeMap, time::Duration};

use super::{Moment, StepId, brief};

/// What earlier incidents tell of the time that steps take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// How many incidents it comes from: those in which a step was done.
    pub incidents: usize,
    /// The last exercise.
    pub drills: Drills,
    took: BTreeMap<StepId, Vec<Duration>>,
}

/// The last drill of the cluster, as the state folder has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Drills {
    /// Nobody has looked yet, or the folder cannot be read.
    #[default]
    Unread,
    /// There was none.
    Never,
    /// The newest of those that stopped the old cluster and switched the names.
    Last(Drill),
    /// There were isolated ones alone, which stop and switch nothing; the newest.
    Isolated(Drill),
}

/// A drill that is over, or that nobody ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drill {
    /// Name of its folder.
    pub incident: String,
    /// When it was declared.
    pub at: Moment,
    /// From its declared outage to its last step; `None` where not every step of the way was done.
    pub took: Option<Duration>,
}

impl Drills {
    /// `last drill 41d ago, 52m, objective 1h00m`; `never drilled`; `never drilled in full, an isolated drill 3d ago, 22m
    /// without stop and switch`; `None` while nobody knows.
    #[must_use]
    pub fn told(&self, now: Moment, rto: Duration) -> Option<String> {
        match self {
            Self::Unread => None,
            Self::Never => Some("never drilled".to_owned()),
            Self::Isolated(drill) => {
                let took = drill.took.map_or_else(
                    || "not finished".to_owned(),
                    |took| format!("{} without stop and switch", brief(took)),
                );
                let ago = brief(now.since(drill.at));
                Some(format!(
                    "never drilled in full, an isolated drill {ago} ago, {took}"
                ))
            }
            Self::Last(drill) => {
                let took = drill.took.map_or_else(|| "not finished".to_owned(), brief);
                let (ago, rto) = (brief(now.since(drill.at)), brief(rto));
                Some(format!("last drill {ago} ago, {took}, objective {rto}"))
            }
        }
    }
}

/// How long a step takes, by what it took before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usual {
    /// Half of the times it was done sooner.
    pub median: Duration,
    /// Nine times out of ten it was.
    pub p90: Duration,
    /// How many times it was done.
    pub times: usize,
}

impl History {
    /// Takes an incident in: how long each of its steps took.
    pub fn add(&mut self, took: impl IntoIterator<Item = (StepId, Duration)>) {
        let mut any = false;
        for (step, took) in took {
            let all = self.took.entry(step).or_default();
            let at = all.partition_point(|earlier| *earlier <= took);
            all.insert(at, took);
            any = true;
        }
        self.incidents += usize::from(any);
    }

    /// How long a step takes; `None` if it was never done.
    #[must_use]
    pub fn usual(&self, step: &StepId) -> Option<Usual> {
        let all = self.took.get(step)?;
        let times = all.len();
        // The nearest rank: of few values the worse one, never one that was not seen.
        let rank = |part: usize| all.get((times * part).div_ceil(100).max(1) - 1).copied();
        Some(Usual {
            median: rank(50)?,
            p90: rank(90)?,
            times,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_p90_are_times_that_were_seen() {
        let step = StepId::try_from("install".to_owned()).expect("an id");
        let mut history = History::default();
        assert_eq!(history.usual(&step), None);
        history.add([]);
        assert_eq!(history.incidents, 0);
        let cases: [(u64, u64, u64); 4] = [(40, 40, 40), (10, 10, 40), (20, 20, 40), (30, 20, 40)];
        for (took, median, p90) in cases {
            history.add([(step.clone(), Duration::from_secs(took))]);
            let usual = history.usual(&step).expect("done before");
            let got = (usual.median.as_secs(), usual.p90.as_secs());
            assert_eq!(got, (median, p90), "after {took}");
        }
        assert_eq!(history.incidents, 4);
    }
}
