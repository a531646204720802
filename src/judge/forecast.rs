//! How long the rest of the way takes, by what its steps took before.

use std::{collections::BTreeMap, time::Duration};

use crate::incident::{History, StepId};

/// What the guide says of the whole of it ("at least an hour"): all there is to go by before anything was done.
pub const GUIDE: Duration = Duration::from_hours(1);

/// A step that is still to be done, or being done.
#[derive(Clone, Debug)]
pub struct Remaining {
    /// The step.
    pub step: StepId,
    /// What it waits for.
    pub needs: Vec<StepId>,
    /// How long it has been running.
    pub running: Duration,
}

/// How long the rest takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// With the median of each step.
    pub left: Duration,
    /// With what each took nine times out of ten; `None` where only the guide is known.
    pub p90: Option<Duration>,
    /// Steps of the rest that were never done before: what they take comes on top.
    pub untimed: usize,
    /// How many earlier incidents and drills it rests on; 0 for the guide's word.
    pub incidents: usize,
}

/// Forecasts the rest: along the longest chain of needs, since what does not wait for another runs beside it. Where no step
/// of it was ever done, what the guide's hour leaves since the first step was begun; `None` once that is over, or nothing
/// is left.
#[must_use]
pub fn forecast(rest: &[Remaining], history: &History, begun: Duration) -> Option<Forecast> {
    if rest.is_empty() {
        return None;
    }
    let untimed = rest
        .iter()
        .filter(|step| history.usual(&step.step).is_none())
        .count();
    if untimed == rest.len() {
        let left = GUIDE.saturating_sub(begun);
        return (!left.is_zero()).then_some(Forecast {
            left,
            p90: None,
            untimed: 0,
            incidents: 0,
        });
    }
    let longest = |take: fn(&crate::incident::Usual) -> Duration| {
        let mut ends: BTreeMap<&StepId, Duration> = BTreeMap::new();
        for step in rest {
            // Whoever is needed stands before, so that its end is known.
            let start = step.needs.iter().filter_map(|need| ends.get(need)).max();
            let usual = history.usual(&step.step);
            let takes = usual.as_ref().map_or(Duration::ZERO, take);
            let end = start.copied().unwrap_or_default() + takes.saturating_sub(step.running);
            ends.insert(&step.step, end);
        }
        ends.into_values().max().unwrap_or_default()
    };
    Some(Forecast {
        left: longest(|usual| usual.median),
        p90: Some(longest(|usual| usual.p90)),
        untimed,
        incidents: history.incidents,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> StepId {
        StepId::try_from(name.to_owned()).expect("an id")
    }

    /// Name, needs, and for how many seconds it has been running.
    type Row<'a> = (&'a str, &'a [&'a str], u64);

    fn rest(steps: &[Row<'_>]) -> Vec<Remaining> {
        let one = |(name, needs, running): &Row<'_>| Remaining {
            step: id(name),
            needs: needs.iter().map(|need| id(need)).collect(),
            running: Duration::from_secs(*running),
        };
        steps.iter().map(one).collect()
    }

    #[test]
    fn what_runs_side_by_side_counts_once_and_what_runs_already_less() {
        let mut history = History::default();
        for scale in [1, 2, 3] {
            let took = [("restore", 600), ("values", 10), ("install", 60)];
            history.add(took.map(|(name, secs)| (id(name), Duration::from_secs(secs * scale))));
        }
        let begun = Duration::from_mins(5);
        let install: &[&str] = &["restore", "values"];
        let cases: [(&[Row<'_>], u64, u64, usize); 4] = [
            (
                &[
                    ("restore", &[], 0),
                    ("values", &[], 0),
                    ("install", install, 0),
                ],
                1320,
                1980,
                0,
            ),
            (
                &[
                    ("restore", &[], 900),
                    ("values", &[], 0),
                    ("install", install, 0),
                ],
                420,
                1080,
                0,
            ),
            // Longer than ever: it may end at any moment.
            (
                &[("restore", &[], 9000), ("install", install, 0)],
                120,
                180,
                0,
            ),
            (
                &[("install", &[], 0), ("new", &["install"], 0)],
                120,
                180,
                1,
            ),
        ];
        for (steps, left, p90, untimed) in cases {
            let told = forecast(&rest(steps), &history, begun).expect("something is left");
            let got = (told.left.as_secs(), told.p90.map(|p90| p90.as_secs()));
            assert_eq!(got, (left, Some(p90)), "{steps:?}");
            assert_eq!((told.untimed, told.incidents), (untimed, 3), "{steps:?}");
        }
    }

    #[test]
    fn before_anything_was_done_the_guide_is_all_there_is() {
        let steps = rest(&[("install", &[], 0)]);
        let history = History::default();
        let told = forecast(&steps, &history, Duration::from_mins(20)).expect("an hour");
        assert_eq!((told.left, told.p90), (Duration::from_mins(40), None));
        assert_eq!(forecast(&steps, &history, Duration::from_mins(61)), None);
        assert_eq!(forecast(&[], &history, Duration::ZERO), None);
    }
}
