//! What is to be done for each table, from what was seen. Pure; the lines in which it is shown can be read back.

use crate::{
    incident::{
        Fact, FailureKind, Instruments, Moment, Reading, Side, Subject, Table, TableRole, brief,
        source::{self, Means, Restore, Source, apart},
    },
    plan::Plan,
    step::StepError,
};

use super::target;

/// What is done for one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// It is there and can be used: it stays.
    Adopt(String),
    /// It is being made already, by an earlier run or by hand: it is followed.
    Follow(String),
    /// It is restored.
    Restore(Restore),
}

impl Act {
    /// The line that is shown and confirmed.
    pub fn line(&self) -> String {
        match self {
            Self::Adopt(name) => format!("keep {name}: it is there, ACTIVE, and stays as it is"),
            Self::Follow(name) => format!("follow {name}: it is being made already"),
            Self::Restore(restore) => restore.to_string(),
        }
    }
}

/// What is done for state and audit table, as they were seen last.
///
/// # Errors
/// If a table of that name is the wrong one, cannot be told, or there is nothing to restore it from.
pub(super) fn acts(plan: &Plan, seen: &Instruments) -> Result<[Act; 2], StepError> {
    let [state, audit] = [
        existing(plan, seen, TableRole::State)?,
        existing(plan, seen, TableRole::Audit)?,
    ];
    let anchor = state.1.or(audit.1);
    let there = [state.0, audit.0];
    let sources = TableRole::BOTH.map(|role| source::sources(role, seen));
    let mut wanted = [None, None];
    for ((wanted, act), sources) in wanted.iter_mut().zip(&there).zip(&sources) {
        *wanted = act.is_none().then_some(sources.as_slice());
    }
    let [first, second] = source::choose(wanted, anchor, plan.recovery.restore_from);
    let act = |role: TableRole, there: Option<Act>, source: Option<Source>| match (there, source) {
        (Some(act), _) => Ok(act),
        (None, Some(source)) => {
            may(plan, &source)?;
            let target = target(plan, role)?.to_owned();
            Ok(Act::Restore(Restore { source, target }))
        }
        (None, None) => Err(nothing(plan, seen, role)),
    };
    let [state, audit] = there;
    Ok([
        act(TableRole::State, state, first)?,
        act(TableRole::Audit, audit, second)?,
    ])
}

/// A table that is there, and the moment its data is of; nothing if it is not there.
pub(super) fn existing(
    plan: &Plan,
    seen: &Instruments,
    role: TableRole,
) -> Result<(Option<Act>, Option<Moment>), StepError> {
    let name = target(plan, role)?;
    let region = &plan.recovery.region;
    let reading = seen.get(&Subject::Table(Side::Recovery, role));
    let table = match reading.map(|reading| &reading.last.outcome) {
        Some(Ok(Fact::Table(table))) => table,
        Some(Err(failure)) if failure.kind == FailureKind::NotFound => return Ok((None, None)),
        Some(Err(failure)) => {
            return Err(StepError(format!(
                "whether {name} is there already is not known, so nothing is restored over it: {failure}"
            )));
        }
        _ => {
            return Err(StepError(format!(
                "{name} in {region} was not looked at yet"
            )));
        }
    };
    if table.status == "CREATING" || table.restoring {
        return Ok((Some(Act::Follow(name.to_owned())), None));
    }
    usable(plan, table)?;
    let data = table.newest.as_ref().ok().copied().flatten();
    Ok((Some(Act::Adopt(name.to_owned())), data))
}

/// Whether a table that is there may be taken. A state table is known by its host authority; nothing is ever restored
/// over it, and nothing is deleted.
pub(super) fn usable(plan: &Plan, table: &Table) -> Result<(), StepError> {
    let Table { name, region, .. } = table;
    if table.status != "ACTIVE" && table.status != "UPDATING" {
        return Err(StepError(format!(
            "{name} in {region} is {}: wait until it is ACTIVE or gone, or write another {}_table in [recovery] of {}",
            table.status,
            table.role,
            plan.path.display()
        )));
    }
    if table.role == TableRole::Audit {
        return Ok(());
    }
    match &table.authority {
        Ok(found) if found.own.is_some() => Ok(()),
        Ok(found) => Err(StepError(format!(
            "{name} in {region} is there and is the WRONG TABLE: it holds {} and not the host authority of {}. Write \
             another state_table in [recovery] of {}, which is then restored under that name; Relight deletes nothing",
            if found.others.is_empty() {
                "no host authority".to_owned()
            } else {
                format!("the host authority of {}", found.others.join(", "))
            },
            plan.cluster.name,
            plan.path.display(),
        ))),
        Err(failure) => Err(StepError(format!(
            "{name} in {region} is there; whether it is the right table is not known: {failure}"
        ))),
    }
}

/// Whether the plan says all that this way needs.
pub(super) fn may(plan: &Plan, source: &Source) -> Result<(), StepError> {
    if source.means == Means::Copy && plan.recovery.backup_role.is_none() {
        return Err(StepError(format!(
            "AWS Backup restores with a role of its own, which the plan does not name: add backup_role to [recovery] of {}",
            plan.path.display()
        )));
    }
    Ok(())
}

/// That there is nothing to restore a table from, with why.
fn nothing(plan: &Plan, seen: &Instruments, role: TableRole) -> StepError {
    let why = |subject: Subject| {
        let reading = seen.get(&subject)?;
        Some(format!("{subject}: {}", reading.failure()?))
    };
    let mut reasons: Vec<String> = [
        why(Subject::Vault(role)),
        why(Subject::Table(Side::Primary, role)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let Some(only) = plan.recovery.restore_from {
        reasons.push(format!(
            "restore_from in [recovery] allows {} only",
            only.word()
        ));
    }
    let reasons = if reasons.is_empty() {
        String::new()
    } else {
        format!(" ({})", reasons.join("; "))
    };
    StepError(format!(
        "there is nothing to restore the {role} table from{reasons}. Verify backups tells what is there"
    ))
}

/// What the dialog says besides the calls: how old the data is against what was lost, how far the two lie apart, what
/// is given up.
pub(super) fn remarks(plan: &Plan, seen: &Instruments, acts: &[Act; 2]) -> Vec<String> {
    let mut said = Vec::new();
    for (role, act) in TableRole::BOTH.into_iter().zip(acts) {
        let (Some(data), Some(newest)) = (data(act, seen, role), newest(seen, Side::Primary, role))
        else {
            continue;
        };
        said.push(format!(
            "{role}: without the last {} that {} had when it was last measured",
            brief(newest.since(data)),
            plan.primary.region,
        ));
    }
    let [state, audit] = acts;
    if let (Some(state), Some(audit)) = (
        data(state, seen, TableRole::State),
        data(audit, seen, TableRole::Audit),
    ) {
        said.push(format!(
            "state and audit lie {} apart",
            brief(apart(state, audit))
        ));
    }
    let restored: Vec<&Restore> = acts
        .iter()
        .filter_map(|act| match act {
            Act::Restore(restore) => Some(restore),
            _ => None,
        })
        .collect();
    if restored
        .iter()
        .any(|restore| restore.source.means != Means::Copy)
    {
        said.push(format!(
            "the data comes out of {}: it ends only if that region lives so long",
            plan.primary.region
        ));
    }
    if !restored.is_empty() {
        said.push(encryption(plan, seen));
    }
    said
}

/// What the restored tables are encrypted with. The key of a dead region would make them unreadable.
fn encryption(plan: &Plan, seen: &Instruments) -> String {
    if let Some(key) = &plan.recovery.table_key {
        return format!("encrypted with {key}");
    }
    let old = TableRole::BOTH.into_iter().find_map(|role| {
        let reading = seen.get(&Subject::Table(Side::Primary, role))?;
        match reading.good.as_ref()? {
            (_, Fact::Table(table)) => table.settings.as_ref().ok()?.key.clone(),
            _ => None,
        }
    });
    let was = old.map_or_else(String::new, |key| {
        format!(
            ", no longer with {key}, which lies in {}: name table_key in [recovery] to keep one of your own",
            plan.primary.region
        )
    });
    format!("encrypted with a key that AWS owns{was}")
}

fn data(act: &Act, seen: &Instruments, role: TableRole) -> Option<Moment> {
    match act {
        Act::Restore(restore) => Some(restore.source.data),
        Act::Adopt(_) => newest(seen, Side::Recovery, role),
        Act::Follow(_) => None,
    }
}

fn newest(seen: &Instruments, side: Side, role: TableRole) -> Option<Moment> {
    let reading: &Reading = seen.get(&Subject::Table(side, role))?;
    match reading.good.as_ref()? {
        (_, Fact::Table(table)) => table.newest.as_ref().ok().copied().flatten(),
        _ => None,
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
