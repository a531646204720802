//! The session recordings bucket of a side. Keys are listed at most every five minutes: every page is billed.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use crate::{
    clients::aws::{Reach, not_planned, recordings::fetch},
    incident::{Fact, Failure, Moment, Part, Side, StoredObject, Subject},
    probe::{Pace, Probe, Sink},
};

/// How often keys are listed: every page is billed.
const LIST: Duration = Duration::from_mins(5);
/// Looks at one bucket.
#[derive(Debug)]
pub struct RecordingsProbe {
    side: Side,
    bucket: Option<String>,
    reach: Reach,
    interval: Duration,
    listed: Option<(Moment, Part<Vec<StoredObject>>)>,
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

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let Some(bucket) = &self.bucket else {
                let key = format!("recordings_bucket to [{}]", self.side);
                return Err(not_planned("recordings bucket", &key));
            };
            let now = Moment::now();
            let kept = self
                .listed
                .take()
                .filter(|(at, part)| part.is_ok() && now.since(*at) < LIST);
            let at = kept.as_ref().map_or(now, |(at, _)| *at);
            let seen = fetch(&self.reach, bucket, kept.map(|(_, part)| part)).await?;
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
