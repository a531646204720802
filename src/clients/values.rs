//! The values file of the recovery release, from disk.

use std::{io::Read as _, path::Path};

use crate::{
    incident::{Failure, FailureKind, Values},
    plan::Plan,
};

/// No values file is larger.
const CAP: u64 = 4 << 20;

/// Reads the fields of a values file, with the lines that still name the failed region. Blocks: a folder on a dead
/// network mount must not hold others up.
///
/// # Errors
/// If there is no such file, it may not be read, or is no values file.
pub fn read(path: &Path, plan: &Plan) -> Result<Values, Failure> {
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

/// What the recovery release will be installed with: the recovery values where they are written, else what the
/// operator's file will become by the plan.
///
/// # Errors
/// If neither file can be read.
pub async fn expected(plan: &std::sync::Arc<Plan>) -> Result<Values, Failure> {
    let plan = std::sync::Arc::clone(plan);
    let read = move || match plan
        .recovery
        .values
        .as_deref()
        .map(|path| read(path, &plan))
    {
        Some(Ok(values)) => Ok(values),
        Some(Err(failure)) if failure.kind != FailureKind::NotFound => Err(failure),
        _ => match &plan.cluster.values {
            Some(path) => read(path, &plan).map(|values| plan.moving(values)),
            None => Err(Failure::new(
                FailureKind::NotPlanned,
                "the plan names no values file: set `values` in [cluster] to the file the release was installed with",
            )),
        },
    };
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|_| {
        Err(Failure::new(
            FailureKind::Other,
            "reading the values file ended in a defect of Relight",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_read_and_each_way_to_fail_is_its_own() {
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

    #[tokio::test]
    async fn before_they_are_written_the_values_are_what_they_will_be() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut plan = crate::plan::sample::plan();
        let path = |name: &str| folder.path().join(name);
        plan.cluster.values = Some(path("v.yaml"));
        plan.recovery.values = Some(path("r.yaml"));
        plan.recovery.issuer = Some("west".to_owned());
        std::fs::write(
            path("v.yaml"),
            "highAvailability: {certManager: {issuerName: east}}\n",
        )
        .expect("written");
        let plan = std::sync::Arc::new(plan);
        let issuer = async || {
            let values = expected(&plan).await.expect("values");
            values.settings[0].value.clone()
        };
        assert_eq!(issuer().await, "west");
        std::fs::write(
            path("r.yaml"),
            "highAvailability: {certManager: {issuerName: written}}\n",
        )
        .expect("written");
        assert_eq!(issuer().await, "written");
    }
}
