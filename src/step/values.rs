//! `write-values`: the operator's values file with the four fields of the guide's step 3 set to the recovery region's.
//!
//! Comments, order and everything else stay byte for byte: only the text of those scalars is replaced, and what came out
//! is read again and compared before it is written.

use std::{
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use futures::future::BoxFuture;
use similar::TextDiff;

use super::{Context, Native, StepError, yaml};
use crate::{
    incident::{RunId, outline::Outline},
    plan::Plan,
};

/// The row of [`super::natives`].
#[must_use]
pub fn native() -> Native {
    Native {
        name: "write-values",
        needs: &[
            "cluster.values",
            "recovery.values",
            "recovery.state_table",
            "recovery.audit_table",
            "recovery.recordings_bucket",
        ],
        calls,
        seen: None,
        run,
    }
}

fn calls(plan: &Plan) -> Vec<String> {
    let show = |path: &Option<PathBuf>| {
        path.as_ref().map_or_else(
            || "(not in the plan)".to_owned(),
            |path| path.display().to_string(),
        )
    };
    let mut lines = vec![
        format!("read  {}", show(&plan.cluster.values)),
        format!("write {} (0600)", show(&plan.recovery.values)),
    ];
    lines.extend(fields(plan).into_iter().map(|(path, value)| {
        format!(
            "set   {} = {}",
            path.join("."),
            value.unwrap_or("(not in the plan)")
        )
    }));
    lines
}

/// The four fields, with what the plan wants in them.
fn fields(plan: &Plan) -> [([&'static str; 2], Option<&str>); 4] {
    let recovery = &plan.recovery;
    [
        (["aws", "region"], Some(recovery.region.as_str())),
        (["aws", "backendTable"], recovery.state_table.as_deref()),
        (["aws", "auditLogTable"], recovery.audit_table.as_deref()),
        (
            ["aws", "sessionRecordingBucket"],
            recovery.bucket.as_deref(),
        ),
    ]
}

fn run(context: Context) -> BoxFuture<'static, Result<(), StepError>> {
    Box::pin(async move {
        let plan = &context.plan;
        let (Some(source), Some(target)) = (&plan.cluster.values, &plan.recovery.values) else {
            return Err(StepError(
                "the plan names no values file: set `values` in [cluster] to the file the release was installed with".to_owned(),
            ));
        };
        let text = std::fs::read_to_string(source)
            .map_err(|error| StepError(format!("{} cannot be read: {error}", source.display())))?;
        let new = recovery_values(plan, &text).map_err(|why| {
            StepError(format!("{}: {why}; nothing was written", source.display()))
        })?;
        let diff = difference(&text, &new, source, target);
        if diff.is_empty() {
            context
                .say("the values file names the recovery region already; it is copied unchanged");
        }
        for line in diff.lines() {
            context.say(line);
        }
        for line in leftovers(plan, &new) {
            context.say(line);
        }
        if context.dry_run {
            context.say(format!("dry run: {} was not written", target.display()));
            return Ok(());
        }
        if same_file(source, target) {
            return Err(StepError(format!(
                "{} is the operator's own file; set `values` in [recovery] to another path",
                target.display()
            )));
        }
        if let Some(kept) = write(target, &new, &context.run).map_err(|error| {
            StepError(format!("{} cannot be written: {error}", target.display()))
        })? {
            context.say(format!(
                "what was in {} before is kept as {}",
                target.display(),
                kept.display()
            ));
        }
        context.say(format!(
            "wrote {} ({} bytes, 0600)",
            target.display(),
            new.len()
        ));
        Ok(())
    })
}

/// The new text.
///
/// # Errors
/// In words, if the plan lacks something, the two tables are the same, the cluster name is another, or the text cannot
/// be changed safely.
pub fn recovery_values(plan: &Plan, text: &str) -> Result<String, String> {
    let mut edits = Vec::new();
    for (path, value) in fields(plan) {
        let value = value
            .filter(|value| !value.trim().is_empty())
            .ok_or_else(|| {
                format!(
                    "the plan does not say what {} is in the recovery region",
                    path.join(".")
                )
            })?;
        edits.push((path, value));
    }
    if plan.recovery.state_table == plan.recovery.audit_table {
        return Err("the plan has the same state and audit table for the recovery region, which Teleport refuses".to_owned());
    }
    let outline = Outline::read(text)?;
    match outline.get(&["clusterName"]) {
        Some(name) if name == plan.cluster.name => {}
        Some(name) => {
            return Err(format!(
                "clusterName is {name:?} and the plan says {:?}: a cluster's name can never change, so this is the values \
                 file of another cluster or the plan is wrong",
                plan.cluster.name
            ));
        }
        None => {
            return Err(
                "clusterName is missing, so this is no values file of a Teleport cluster"
                    .to_owned(),
            );
        }
    }
    yaml::set(text, &edits)
}

/// A unified diff; empty where nothing differs.
fn difference(old: &str, new: &str, source: &Path, target: &Path) -> String {
    if old == new {
        return String::new();
    }
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(2)
        .header(&source.display().to_string(), &target.display().to_string())
        .to_string()
}

/// Lines that still name the failed region or its things: role ARNs, certificates, KMS keys, Athena (facts/teleport.md,
/// T10). They are the operator's to decide on.
fn leftovers(plan: &Plan, new: &str) -> Vec<String> {
    let primary = &plan.primary;
    let recovery = &plan.recovery;
    let old = [
        (Some(&primary.region), Some(&recovery.region)),
        (primary.state_table.as_ref(), recovery.state_table.as_ref()),
        (primary.audit_table.as_ref(), recovery.audit_table.as_ref()),
        (primary.bucket.as_ref(), recovery.bucket.as_ref()),
        (primary.certificate.as_ref(), recovery.certificate.as_ref()),
    ];
    let old: Vec<&String> = old
        .into_iter()
        .filter(|(old, new)| old != new)
        .filter_map(|(old, _)| old)
        .collect();
    let new_names: Vec<&str> = fields(plan)
        .into_iter()
        .filter_map(|(_, value)| value)
        .collect();
    let mut lines = Vec::new();
    for (index, line) in new.lines().enumerate() {
        // A new name may contain the old one: `state` in `state-dr`.
        let mut rest = line.split('#').next().unwrap_or_default().to_owned();
        for name in &new_names {
            rest = rest.replace(name, "");
        }
        if let Some(found) = old.iter().find(|old| rest.contains(old.as_str())) {
            lines.push(format!(
                "note: line {} still names {found}; check whether that is right",
                index + 1
            ));
        }
    }
    lines.truncate(20);
    lines
}

fn same_file(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Writes at once or not at all: a new file beside it, synced, then renamed over it. What was there before and differs is
/// kept under the run's name.
fn write(target: &Path, text: &str, run: &RunId) -> std::io::Result<Option<PathBuf>> {
    let beside = |what: &str| {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{what}-{run}"));
        target.with_file_name(name)
    };
    let mut kept = None;
    if let Ok(before) = std::fs::read(target)
        && before != text.as_bytes()
    {
        let path = beside("before");
        create(&path, &before)?;
        kept = Some(path);
    }
    let fresh = beside("new");
    // Left over from a run that was killed: nobody else has this name.
    let _ = std::fs::remove_file(&fresh);
    create(&fresh, text.as_bytes())?;
    std::fs::rename(&fresh, target)?;
    if let Some(folder) = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(kept)
}

fn create(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_whole_private_and_keeps_what_was_there() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("values.yaml");
        let run = RunId::parse("write-values-1-7").expect("an id");
        assert_eq!(write(&target, "a: 1\n", &run).expect("written"), None);
        assert_eq!(write(&target, "a: 1\n", &run).expect("again"), None);
        let kept = write(&target, "a: 2\n", &run)
            .expect("other")
            .expect("kept");
        assert_eq!(std::fs::read_to_string(kept).expect("kept"), "a: 1\n");
        assert_eq!(std::fs::read_to_string(&target).expect("read"), "a: 2\n");
        assert_eq!(
            std::fs::metadata(&target)
                .expect("there")
                .permissions()
                .mode()
                & 0o777,
            0o600
        );
        let left: Vec<_> = std::fs::read_dir(folder.path()).expect("folder").collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }
}
