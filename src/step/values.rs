//! `write-values`: the operator's values file with the fields that belong to a region set to the recovery region's: the
//! four of the guide's step 3, and what must move with them ([`Plan::moves`]).
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
    incident::{
        RunId, Values,
        outline::{Form, Outline},
        values::MOST_AUTHS,
    },
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
    let recovery = &plan.recovery;
    let mut fields = vec![
        ("aws.region", Some(&recovery.region)),
        ("aws.backendTable", recovery.state_table.as_ref()),
        ("aws.auditLogTable", recovery.audit_table.as_ref()),
        ("aws.sessionRecordingBucket", recovery.bucket.as_ref()),
    ];
    // The rest is set only where the file has it.
    let moving = [
        ("the ACM certificate's annotation", &recovery.certificate),
        ("highAvailability.certManager.issuerName", &recovery.issuer),
        (
            "the role annotation of auth, or of both",
            &recovery.auth_role,
        ),
        ("the role annotation of proxy", &recovery.proxy_role),
    ];
    fields.extend(
        moving
            .into_iter()
            .filter_map(|(what, value)| Some((what, Some(value.as_ref()?)))),
    );
    lines.extend(fields.into_iter().map(|(what, value)| {
        format!(
            "set   {what} = {}",
            value.map_or("(not in the plan)", String::as_str)
        )
    }));
    lines.extend(
        recovery
            .set
            .iter()
            .map(|(path, value)| format!("set   {} = {value}", path.join("."))),
    );
    if let Some(drill) = plan.isolated() {
        lines.push(format!(
            "set   recordings under {}; no Teleport operator; external-dns passes over it; load balancer names of its own",
            drill.prefix()
        ));
    }
    lines.push(
        "set   region, account, bucket, table, initiators and key in auth.teleportConfig, where they are the primary's"
            .to_owned(),
    );
    lines
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
        for line in remarks(plan, &new) {
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
/// In words, if the plan lacks something, the two tables are the same, the cluster name is another, more Auth instances
/// would run than a table serves, or the text cannot be changed safely.
pub fn recovery_values(plan: &Plan, text: &str) -> Result<String, String> {
    let outline = Outline::read(text)?;
    let moves = plan.moves(&outline)?;
    if plan.recovery.state_table == plan.recovery.audit_table {
        return Err("the plan has the same state and audit table for the recovery region, which Teleport refuses".to_owned());
    }
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
    let new = if plan.isolated().is_some() {
        let sections = yaml::sections(text, moves.set.iter().map(|(path, _)| path))?;
        let new = yaml::set(&sections, &moves.set)?;
        let outline = Outline::read(&new)?;
        let operator = outline
            .scalars
            .get(&["operator", "enabled"].map(str::to_owned)[..]);
        if operator.is_some_and(|on| on.form != Form::Plain || on.value != "false") {
            return Err("operator.enabled is no plain true or false: write it without quotes, so that an isolated drill can switch it off".to_owned());
        }
        if let Some(why) = plan.stranger(&outline) {
            return Err(why);
        }
        new
    } else {
        yaml::set(text, &moves.set)?
    };
    let auths = Values::read("", &new)?.auths()?;
    if auths > MOST_AUTHS {
        return Err(format!(
            "it asks for {auths} Auth instances and a DynamoDB table serves at most {MOST_AUTHS}: set \
             auth.highAvailability.replicaCount to {MOST_AUTHS} or less, there or in [recovery.set]"
        ));
    }
    Ok(new)
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

/// What a person must look at before the install: lines that still name the failed region or its things, and keys at
/// places where the chart does not look. They are the operator's to decide on.
fn remarks(plan: &Plan, new: &str) -> Vec<String> {
    let mut lines: Vec<String> = Outline::read(new)
        .and_then(|outline| plan.moves(&outline))
        .map(|moves| moves.notes)
        .unwrap_or_default()
        .into_iter()
        .map(|note| format!("note: {note}"))
        .collect();
    lines.extend(plan.leftovers(new).into_iter().map(|left| {
        format!(
            "note: line {} still names {}; check whether that is right, and say in [recovery.set] what it should be",
            left.line, left.names
        )
    }));
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
    fn what_would_start_another_cluster_or_too_many_auths_is_refused() {
        let mut plan = crate::plan::sample::plan();
        let cases = [
            ("clusterName: other.example.com\n", "can never change"),
            ("chartMode: aws\n", "clusterName is missing"),
            (
                "clusterName: teleport.example.com\nhighAvailability: {replicaCount: 3}\n",
                "asks for 3 Auth instances",
            ),
            (
                "clusterName: teleport.example.com\nhighAvailability: {replicaCount: lots}\n",
                "no number of pods",
            ),
        ];
        for (text, words) in cases {
            let why = recovery_values(&plan, text).expect_err(text);
            assert!(why.contains(words), "{why}");
        }
        let many = "clusterName: teleport.example.com\nhighAvailability: {replicaCount: 5}\nauth: {highAvailability: {replicaCount: 2}}\n";
        let new = recovery_values(&plan, many).expect("five proxies may run");
        assert!(new.contains("backendTable: west-state"), "{new}");
        plan.recovery.audit_table = plan.recovery.state_table.clone();
        let why = recovery_values(&plan, many).expect_err("one table for both");
        assert!(why.contains("same state and audit table"), "{why}");
        plan.recovery.state_table = None;
        let why = recovery_values(&plan, many).expect_err("no table");
        assert!(why.contains("does not say what aws.backendTable"), "{why}");
    }

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
