//! The session recordings bucket of a side. Keys are listed at most every five minutes: every page is billed.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use crate::{
    clients::aws::{
        Reach, not_planned,
        recordings::{fetch, read},
    },
    incident::{Fact, Failure, Moment, Part, Side, StoredObject, Subject, recordings::ReadBack},
    probe::{Pace, Probe, Sink},
};

/// How often keys are listed: every page is billed.
const LIST: Duration = Duration::from_mins(5);
/// The same when it is asked for.
const LIST_ASKED: Duration = Duration::from_secs(5);

/// Looks at one bucket.
#[derive(Debug)]
pub struct RecordingsProbe {
    side: Side,
    bucket: Option<String>,
    reach: Reach,
    interval: Duration,
    listed: Option<(Moment, Part<Vec<StoredObject>>)>,
    read: Option<ReadBack>,
    asked: bool,
}

impl RecordingsProbe {
    /// A probe of the bucket of a side.
    #[must_use]
    pub const fn new(side: Side, bucket: Option<String>, reach: Reach, interval: Duration) -> Self {
        Self {
            side,
            bucket,
            reach,
            interval,
            listed: None,
            read: None,
            asked: false,
        }
    }
}

impl Probe for RecordingsProbe {
    fn name(&self) -> String {
        format!("recordings {}", self.side)
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Recordings(self.side)]
    }

    fn pace(&self) -> Pace {
        super::aws::pace(self.interval)
    }

    fn asked(&mut self) {
        self.asked = true;
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let Some(bucket) = &self.bucket else {
                let key = format!("recordings_bucket to [{}]", self.side);
                return Err(not_planned("recordings bucket", &key));
            };
            let now = Moment::now();
            let again = if self.asked { LIST_ASKED } else { LIST };
            let kept = self
                .listed
                .take()
                .filter(|(at, part)| part.is_ok() && now.since(*at) < again);
            let anew = kept.is_none();
            self.asked &= !anew;
            let at = kept.as_ref().map_or(now, |(at, _)| *at);
            let mut seen = fetch(&self.reach, bucket, kept.map(|(_, part)| part)).await?;
            // Of the primary's nothing is to be read any more.
            if let (true, Side::Recovery, Ok(newest)) = (anew, self.side, &seen.newest) {
                self.read = Box::pin(read(&self.reach, bucket, newest)).await;
            }
            seen.read.clone_from(&self.read);
            self.listed = Some((at, seen.newest.clone()));
            sink.put(
                Subject::Recordings(self.side),
                began.elapsed(),
                Ok(Fact::Recordings(seen.into())),
            );
            Ok(())
        })
    }
}
