//! The recovery values file, as it is on disk: what the install step will read.

use std::{
    io::Read as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::{
    incident::{Fact, Failure, FailureKind, Subject, Values},
    plan::Plan,
    probe::{Pace, Probe, Sink},
};

/// No values file is larger.
const CAP: u64 = 4 << 20;

/// Reads the recovery values file.
#[derive(Debug)]
pub struct ValuesProbe {
    plan: Arc<Plan>,
}

impl ValuesProbe {
    /// The probe of a plan.
    #[must_use]
    pub const fn new(plan: Arc<Plan>) -> Self {
        Self { plan }
    }
}

impl Probe for ValuesProbe {
    fn name(&self) -> String {
        "values".to_owned()
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::Values]
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: self.plan.interval(&Subject::Values),
            timeout: Some(Duration::from_secs(5)),
        }
    }

    fn look<'a>(&'a mut self, sink: &'a Sink) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let began = Instant::now();
            let path = self.plan.recovery.values.clone().ok_or_else(|| {
                Failure::new(
                    FailureKind::NotPlanned,
                    "the plan says neither where the recovery values go nor which values file the release has; \
                     set `values` in [cluster]",
                )
            })?;
            // A folder on a dead network mount must not hold the other probes up.
            let plan = Arc::clone(&self.plan);
            let read = tokio::task::spawn_blocking(move || read(&path, &plan)).await;
            let outcome = read.unwrap_or_else(|_| {
                Err(Failure::new(
                    FailureKind::Other,
                    "reading the values file ended in a defect of Relight",
                ))
            });
            sink.put(Subject::Values, began.elapsed(), outcome.map(Fact::Values));
            Ok(())
        })
    }
}

/// The fields of a values file, with the lines that still name the failed region.
pub(super) fn read(path: &Path, plan: &Plan) -> Result<Values, Failure> {
    let name = path.display();
    let fail = |error: &std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::new(
            FailureKind::NotFound,
            format!(
                "{name} has not been written yet; the step \"Write recovery values\" does that"
            ),
        ),
        std::io::ErrorKind::PermissionDenied => Failure::new(
            FailureKind::Forbidden,
            format!("{name} may not be read by this user"),
        ),
        _ => Failure::new(
            FailureKind::Other,
            format!("{name} cannot be read: {error}"),
        ),
    };
    let mut text = String::new();
    let mut file = std::fs::File::open(path)
        .map_err(|error| fail(&error))?
        .take(CAP);
    file.read_to_string(&mut text)
        .map_err(|error| fail(&error))?;
    if file.limit() == 0 {
        return Err(Failure::new(
            FailureKind::Garbage,
            format!("{name} is larger than 4 MiB: no values file"),
        ));
    }
    let mut values = Values::read(name.to_string(), &text).map_err(|error| {
        Failure::new(
            FailureKind::Garbage,
            format!("{name}: {error}; correct it or write it anew"),
        )
    })?;
    values.leftovers = plan.leftovers(&text);
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_fields_are_read_and_each_way_to_fail_is_its_own() {
        let plan = crate::plan::sample::plan();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("v.yaml");
        assert_eq!(
            read(&path, &plan).expect_err("missing").kind,
            FailureKind::NotFound
        );
        std::fs::write(
            &path,
            "clusterName: a.b\naws:\n  region: r\n  backendTable: t\n",
        )
        .expect("written");
        let values = read(&path, &plan).expect("values");
        assert_eq!(
            (
                values.region.as_deref(),
                values.state_table.as_deref(),
                values.bucket
            ),
            (Some("r"), Some("t"), None)
        );
        std::fs::write(&path, "a: [").expect("written");
        assert_eq!(
            read(&path, &plan).expect_err("garbage").kind,
            FailureKind::Garbage
        );
        std::fs::write(&path, [0xff, 0xfe, 0x00]).expect("written");
        assert_eq!(
            read(&path, &plan).expect_err("no text").kind,
            FailureKind::Other
        );
    }
}
