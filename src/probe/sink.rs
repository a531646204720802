//! Where observations go: the newest per subject, so that a slow screen never makes a queue grow.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::incident::{Fact, Failure, Moment, Observation, Subject};

/// A lane in which an observation replaces an older one of the same subject. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Sink {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: Mutex<BTreeMap<Subject, Observation>>,
    arrived: Notify,
    wash: Option<Wash>,
}

/// Takes the secrets out of a text; `None` if it may stay as it is.
type Clean = dyn Fn(&str) -> Option<String> + Send + Sync;

struct Wash(Box<Clean>);

impl fmt::Debug for Wash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wash")
    }
}

impl Sink {
    /// A sink that cleans what others wrote in every observation before anybody can take it.
    #[must_use]
    pub fn washing(clean: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self {
            inner: Arc::new(Inner {
                wash: Some(Wash(Box::new(clean))),
                ..Inner::default()
            }),
        }
    }

    /// Puts an observation made just now.
    pub fn put(&self, subject: Subject, took: Duration, outcome: Result<Fact, Failure>) {
        self.put_observation(Observation {
            subject,
            at: Moment::now(),
            took,
            outcome,
        });
    }

    /// Puts an observation with its own time.
    pub fn put_observation(&self, mut seen: Observation) {
        if let Some(Wash(clean)) = &self.inner.wash {
            seen.wash(clean);
        }
        let mut waiting = self
            .inner
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        waiting.insert(seen.subject.clone(), seen);
        drop(waiting);
        self.inner.arrived.notify_one();
    }

    /// Takes everything that waits, at once; waits while there is nothing. One taker.
    pub async fn take(&self) -> Vec<Observation> {
        loop {
            let taken = self.take_now();
            if !taken.is_empty() {
                return taken;
            }
            self.inner.arrived.notified().await;
        }
    }

    /// Takes everything that waits, perhaps nothing.
    #[must_use]
    pub fn take_now(&self) -> Vec<Observation> {
        let mut waiting = self
            .inner
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *waiting).into_values().collect()
    }
}
