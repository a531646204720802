//! The black box as it lies on disk: the incident's own, else the newest one kept before it. The Helm values stay in the
//! file.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::{
    clients::black_box::{Shelf, ShelfError},
    incident::{BlackBox, Fact, Failure, FailureKind, Subject},
    plan::Plan,
    probe::{Pace, Probe, Sink, Targets},
};

/// Reads the black box.
#[derive(Debug)]
pub struct BlackBoxProbe {
    interval: Duration,
    targets: Targets,
}

impl BlackBoxProbe {
    /// The probe of a plan; `targets` tells where the boxes lie.
    #[must_use]
    pub fn new(plan: &Plan, targets: &Targets) -> Self {
        Self {
            interval: plan.interval(&Subject::BlackBox),
            targets: targets.clone(),
        }
    }
}

impl Probe for BlackBoxProbe {
    fn name(&self) -> String {
        "black box".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::BlackBox]
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.interval,
            timeout: Some(Duration::from_secs(5)),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let boxes = self.targets.boxes();
            // A folder on a dead network mount must not hold the other probes up.
            let read = tokio::task::spawn_blocking(move || read(&boxes)).await;
            let outcome = read.unwrap_or_else(|_| {
                Err(Failure::new(
                    FailureKind::Other,
                    "reading the black box ended in a defect of Relight",
                ))
            });
            sink.put(
                Subject::BlackBox,
                began.elapsed(),
                outcome.map(|found| Fact::BlackBox(Arc::new(found))),
            );
            Ok(())
        })
    }
}

fn read(shelf: &Shelf) -> Result<BlackBox, Failure> {
    match shelf.read() {
        Ok(sealed) => Ok(sealed.seen),
        Err(ShelfError::None(_)) => Err(Failure::new(
            FailureKind::NotFound,
            "there is no black box yet: the step \"Record the black box\" makes one, and `relight black-box record` \
             keeps one beforehand",
        )),
        Err(error) => Err(Failure::new(FailureKind::Other, error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Moment, black_box::sample::sealed};

    #[test]
    fn none_is_not_found_and_a_torn_one_has_failed() {
        let state = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::new(None, Some(state.path()), "c");
        assert_eq!(read(&shelf).expect_err("none").kind, FailureKind::NotFound);
        let put = shelf.put_incident(sealed(Moment::from_secs(7)));
        let path = put.expect("written").seen.path;
        assert_eq!(read(&shelf).expect("a box").at, Moment::from_secs(7));
        std::fs::write(path, "{").expect("torn");
        assert_eq!(read(&shelf).expect_err("torn").kind, FailureKind::Other);
    }
}
