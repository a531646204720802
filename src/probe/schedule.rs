//! When each probe runs: interval, jitter, timeout, capped back-off, one in flight, panics contained, "now" on demand.
//!
//! Each probe has a task of its own, so that none can hold another up. A look that fails as a whole, hangs or panics is
//! reported for each of the probe's subjects, and the next one comes later and later, up to a cap; one that succeeds
//! takes the delay back to the interval at once.

use std::{
    any::Any,
    cell::Cell,
    future::Future,
    panic::AssertUnwindSafe,
    pin::pin,
    time::{Duration, Instant},
};

use futures::FutureExt as _;
use tokio::{sync::watch, task::JoinSet};

use super::{Probe, Sink};
use crate::incident::{Failure, FailureKind, brief};

/// Longest delay that back-off alone may bring about.
const CAP: Duration = Duration::from_secs(30);

/// Most intervals that back-off may put between two looks.
const CAP_INTERVALS: u32 = 6;

thread_local! {
    static LOOKING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside a probe's look: a panic there is contained and reported as a failure of its subjects,
/// so a panic hook has no reason to give the terminal back.
#[must_use]
pub fn in_look() -> bool {
    LOOKING.get()
}

/// The running probes. Dropping it stops them all.
#[derive(Debug)]
pub struct Schedule {
    wake: watch::Sender<()>,
    _tasks: JoinSet<()>,
}

impl Schedule {
    /// Starts each probe in a task of its own; the first looks are made at once. Must be called inside a runtime.
    #[must_use]
    pub fn start(probes: Vec<Box<dyn Probe>>, sink: &Sink) -> Self {
        let (wake, _) = watch::channel(());
        let mut tasks = JoinSet::new();
        for probe in probes {
            tasks.spawn(drive(probe, sink.clone(), wake.subscribe()));
        }
        Self {
            wake,
            _tasks: tasks,
        }
    }

    /// Every probe that waits looks now. One that is looking looks again when it is done, never twice at a time; a
    /// watcher whose watch stands is not disturbed.
    pub fn now(&self) {
        self.wake.send_replace(());
    }
}

/// Runs one probe for ever.
async fn drive(mut probe: Box<dyn Probe>, sink: Sink, mut wake: watch::Receiver<()>) {
    let mut failures: u32 = 0;
    let mut asked = false;
    loop {
        // A "now" from before this look is answered by it.
        asked |= wake.has_changed().unwrap_or(false);
        wake.mark_unchanged();
        if std::mem::take(&mut asked) {
            probe.asked();
        }
        let began = Instant::now();
        match look(probe.as_mut(), &sink).await {
            Ok(()) => failures = 0,
            Err(failure) => {
                failures = failures.saturating_add(1);
                let took = began.elapsed();
                for subject in probe.subjects() {
                    sink.put(subject, took, Err(failure.clone()));
                }
            }
        }
        let delay = delay(probe.pace().interval, failures, fastrand::f64());
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            changed = wake.changed() => {
                if changed.is_err() {
                    return;
                }
                asked = true;
            }
        }
    }
}

/// One look, with its timeout, and with a panic turned into a failure.
async fn look(probe: &mut dyn Probe, sink: &Sink) -> Result<(), Failure> {
    let name = probe.name();
    let timeout = probe.pace().timeout;
    let look = async move { probe.look(sink).await };
    let contained = AssertUnwindSafe(marked(look)).catch_unwind();
    let ended = match timeout {
        None => contained.await,
        Some(limit) => match tokio::time::timeout(limit, contained).await {
            Ok(ended) => ended,
            Err(_) => {
                return Err(Failure::new(
                    FailureKind::Timeout,
                    format!("{name} did not end within {}", brief(limit)),
                ));
            }
        },
    };
    ended.unwrap_or_else(|panic| {
        Err(Failure::new(
            FailureKind::Other,
            format!(
                "{name} ended by a defect in Relight and is started again: {}",
                told(panic.as_ref())
            ),
        ))
    })
}

/// Polls a look with the mark set that [`in_look`] reads. The mark is taken away by the next poll after a panic.
async fn marked<F: Future>(look: F) -> F::Output {
    /// Takes the mark away, also when a poll panics (after the hook has run).
    struct Unmark;
    impl Drop for Unmark {
        fn drop(&mut self) {
            LOOKING.set(false);
        }
    }

    let mut look = pin!(look);
    std::future::poll_fn(|context| {
        LOOKING.set(true);
        let _unmark = Unmark;
        look.as_mut().poll(context)
    })
    .await
}

/// What a panic said, cut to one readable sentence.
fn told(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    text.chars().take(160).collect()
}

/// The time until the next look: the interval, doubled with each failure after the first, up to 30 s or six intervals,
/// whichever is less, and never below the interval; then ±10 % of jitter, `chance` being from 0 to 1.
fn delay(interval: Duration, failures: u32, chance: f64) -> Duration {
    let doubled = interval.saturating_mul(1_u32 << failures.saturating_sub(1).min(16));
    let cap = CAP
        .min(interval.saturating_mul(CAP_INTERVALS))
        .max(interval);
    doubled
        .min(cap)
        .mul_f64(0.2_f64.mul_add(chance.clamp(0.0, 1.0), 0.9))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use futures::future::BoxFuture;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        incident::{Door, Fact, Identity, Observation, Side, Subject},
        probe::Pace,
    };

    /// What a scripted look does.
    #[derive(Clone, Copy)]
    enum Does {
        See,
        Fail,
        Hang,
        Panic,
    }

    /// A probe that follows a script and repeats its last line.
    struct Scripted {
        script: Vec<Does>,
        interval: Duration,
        looks: Arc<AtomicU32>,
        flying: Arc<AtomicU32>,
        asked: Arc<AtomicU32>,
    }

    fn scripted(
        script: &[Does],
        interval: Duration,
    ) -> (Box<dyn Probe>, Arc<AtomicU32>, Arc<AtomicU32>) {
        let looks = Arc::new(AtomicU32::new(0));
        let flying = Arc::new(AtomicU32::new(0));
        let probe = Scripted {
            script: script.to_vec(),
            interval,
            looks: looks.clone(),
            flying: flying.clone(),
            asked: Arc::default(),
        };
        (Box::new(probe), looks, flying)
    }

    #[tokio::test]
    async fn a_probe_knows_which_looks_were_asked_for() {
        let asked = Arc::new(AtomicU32::new(0));
        let probe = Scripted {
            script: vec![Does::See],
            interval: Duration::from_hours(1),
            looks: Arc::default(),
            flying: Arc::default(),
            asked: asked.clone(),
        };
        let sink = Sink::default();
        let schedule = Schedule::start(vec![Box::new(probe)], &sink);
        for turn in 0..3 {
            until(&sink, |seen| seen.outcome.is_ok()).await;
            assert_eq!(asked.load(Ordering::SeqCst), turn);
            schedule.now();
        }
    }

    const SUBJECTS: [Subject; 2] = [Subject::Identity(Side::Primary), Subject::Door(Door::Old)];

    impl Probe for Scripted {
        fn name(&self) -> String {
            "scripted".to_owned()
        }

        fn subjects(&self) -> Vec<Subject> {
            SUBJECTS.to_vec()
        }

        fn pace(&self) -> Pace {
            Pace {
                interval: self.interval,
                timeout: Some(Duration::from_millis(50)),
            }
        }

        fn asked(&mut self) {
            self.asked.fetch_add(1, Ordering::SeqCst);
        }

        fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
            Box::pin(async move {
                let turn = self.looks.fetch_add(1, Ordering::SeqCst) as usize;
                assert_eq!(
                    self.flying.fetch_add(1, Ordering::SeqCst),
                    0,
                    "two looks in flight"
                );
                let does = self.script[turn.min(self.script.len() - 1)];
                tokio::task::yield_now().await;
                if !matches!(does, Does::Hang) {
                    self.flying.store(0, Ordering::SeqCst);
                }
                match does {
                    Does::See => {
                        for subject in SUBJECTS {
                            sink.put(
                                subject,
                                Duration::ZERO,
                                Ok(Fact::Identity(Identity::default())),
                            );
                        }
                        Ok(())
                    }
                    Does::Fail => Err(Failure::new(FailureKind::Server, "503")),
                    Does::Hang => {
                        let flying = self.flying.clone();
                        let _landed = Landed(flying);
                        std::future::pending().await
                    }
                    Does::Panic => {
                        assert!(in_look());
                        assert!(!in_look(), "a planned panic");
                        Ok(())
                    }
                }
            })
        }
    }

    struct Landed(Arc<AtomicU32>);

    impl Drop for Landed {
        fn drop(&mut self) {
            self.0.store(0, Ordering::SeqCst);
        }
    }

    /// Takes until something satisfies; the test's own timeout is the limit.
    async fn until(sink: &Sink, wanted: impl Fn(&Observation) -> bool) -> Observation {
        let found = tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                if let Some(seen) = sink.take().await.into_iter().find(&wanted) {
                    return seen;
                }
            }
        });
        found.await.expect("the observation waited for")
    }

    fn kind(seen: &Observation) -> Option<FailureKind> {
        seen.outcome.as_ref().err().map(|failure| failure.kind)
    }

    #[tokio::test]
    async fn failures_hangs_and_panics_are_reported_for_each_subject_and_survived() {
        let cases = [
            (Does::Fail, FailureKind::Server, "503"),
            (Does::Hang, FailureKind::Timeout, "scripted did not end"),
            (Does::Panic, FailureKind::Other, "a planned panic"),
        ];
        for (does, expected, part) in cases {
            let (probe, ..) = scripted(&[does, Does::See], Duration::from_millis(5));
            let sink = Sink::default();
            let _schedule = Schedule::start(vec![probe], &sink);
            let first = tokio::time::timeout(Duration::from_secs(20), sink.take()).await;
            let first = first.expect("a first report");
            for subject in SUBJECTS {
                let seen = first
                    .iter()
                    .find(|seen| seen.subject == subject)
                    .expect("each subject");
                assert_eq!(kind(seen), Some(expected));
                assert!(
                    seen.outcome
                        .as_ref()
                        .is_err_and(|failure| failure.detail.contains(part))
                );
            }
            until(&sink, |seen| seen.outcome.is_ok()).await;
        }
        assert!(!in_look());
    }

    #[tokio::test]
    async fn now_ends_the_wait_and_never_makes_two_looks_fly() {
        let (probe, looks, _) = scripted(&[Does::See], Duration::from_hours(1));
        let sink = Sink::default();
        let schedule = Schedule::start(vec![probe], &sink);
        for turn in 1..=3 {
            until(&sink, |seen| seen.outcome.is_ok()).await;
            assert_eq!(looks.load(Ordering::SeqCst), turn);
            schedule.now();
        }
        until(&sink, |seen| seen.outcome.is_ok()).await;
    }

    #[tokio::test]
    async fn a_probe_that_hangs_holds_no_other_up() {
        let (stuck, ..) = scripted(&[Does::Hang], Duration::from_millis(5));
        let (fine, looks, _) = scripted(&[Does::See], Duration::from_millis(1));
        let sink = Sink::default();
        let _schedule = Schedule::start(vec![stuck, fine], &sink);
        tokio::time::timeout(Duration::from_secs(20), async {
            while looks.load(Ordering::SeqCst) < 5 {
                sink.take().await;
            }
        })
        .await
        .expect("five looks");
    }

    #[tokio::test]
    async fn dropping_the_schedule_drops_the_probes() {
        let (probe, _, flying) = scripted(&[Does::Hang], Duration::from_millis(5));
        let sink = Sink::default();
        let schedule = Schedule::start(vec![probe], &sink);
        until(&sink, |seen| kind(seen) == Some(FailureKind::Timeout)).await;
        drop(schedule);
        let gone = tokio::time::timeout(Duration::from_secs(20), async {
            while Arc::strong_count(&flying) > 1 {
                tokio::task::yield_now().await;
            }
        });
        gone.await.expect("the probe is dropped");
    }

    proptest! {
        #[test]
        fn delays_stay_within_their_bounds(millis in 1_u64..600_000, failures in 0_u32..200, chance in 0.0..=1.0_f64) {
            let interval = Duration::from_millis(millis);
            let waited = delay(interval, failures, chance);
            let most = interval.max(CAP.min(interval * CAP_INTERVALS));
            prop_assert!(waited >= interval.mul_f64(0.899));
            prop_assert!(waited <= most.mul_f64(1.101));
            if failures <= 1 {
                prop_assert!(waited <= interval.mul_f64(1.101));
            }
            // More failures never make it shorter.
            prop_assert!(delay(interval, failures + 1, chance) >= waited);
        }
    }

    #[test]
    fn back_off_doubles_up_to_its_cap() {
        let five = Duration::from_secs(5);
        let seconds: Vec<u64> = (0..6).map(|n| delay(five, n, 0.5).as_secs()).collect();
        assert_eq!(seconds, [5, 5, 10, 20, 30, 30]);
        let minute = Duration::from_mins(1);
        assert_eq!(delay(minute, 9, 0.5), minute);
    }
}
